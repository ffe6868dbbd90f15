//! [`Claim`]: what an equation says of a trace, and how it is held to it.

use crate::error::Result;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};

/// One claim of an equation, an algorithm, or a method in an algorithm's place: that what the trace records of its results
/// is what a correct port may have computed from what the trace records of its operands.
///
/// A file holds all there is of it: judge, bound (as a method of [`Arithmetic`](crate::trace::Arithmetic)), known
/// mistakes, and the exact derivation that its golden file is made by. The walk ([`crate::oracle::check`]) takes the claims
/// in the order of [`CLAIMS`](super::CLAIMS), which is that of findings, and knows none of them.
///
/// A claim knows its event, an epoch, by [`Seen`] alone: what is recorded there, what was derived so far, what the epoch before
/// left. What is recorded of single steps within an epoch is claimed so as well ([`StepLevel`](super::StepLevel),
/// [`Batches`](super::Batches)). Methods whose event is an optimizer's step have pages instead
/// ([`crate::oracle::steps`]).
pub(crate) trait Claim: Sync {
    /// What it is called in findings.
    fn label(&self) -> Label;

    /// Compares what is recorded with what may be, and returns that with what follows for other claims.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a tensor cannot be read.
    fn judge(&self, seen: &Seen) -> Result<Judged>;

    /// The known mistakes that give the port's values, the most plain first. Asked for where there are findings, the first
    /// of them a finite number, and with all that the epoch's claims derived.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>>;
}

/// A claim of one number, which all its findings are about.
pub(crate) struct OneNumber {
    pub(crate) label: Label,
    pub(crate) judge: fn(&Seen) -> Judged,
    /// Which known mistakes give what the port has.
    pub(crate) mistakes: fn(&Seen, f64) -> Result<Vec<String>>,
}

impl Claim for OneNumber {
    fn label(&self) -> Label {
        self.label
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok((self.judge)(seen))
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        outcome.findings.first().map_or(Ok(Vec::new()), |first| (self.mistakes)(seen, first.got))
    }
}

/// What came of a claim, and what it derived: the port's own values where they are recorded, else what follows.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    pub(crate) derived: Operands,
}

impl Judged {
    /// Without anything derived.
    pub(crate) fn only(outcome: Outcome) -> Self {
        Self { outcome, derived: Operands::default() }
    }
}
