//! "Fixed rewind" (Fig. 1b, c): GDSTAR with W_k* captured once, at an epoch or a step that is given; W_k* = W_0 before.

use super::choices::Choices;
use super::gdstar::{self, Gdstar, Rewinding};
use super::keys::{STEP, hyper};
use super::options::Domain;
use super::{Entry, Setup, Sparsifier, Story};
use crate::error::{Error, Result};
use crate::paper::rewind::RewindPoint;
use crate::scalar::Scalar;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    name: "fixed-rewind",
    summary: "GDSTAR with W_k* captured once, at a given epoch or step",
    source: "Fig. 1b, c",
    choices: Choices { update: "as gdstar, W_k* of a given step", ..gdstar::ENTRY_OF_THE_FAMILY.choices },
    options: &[
        hyper("rewind_epoch", Domain::Count { from: 0 }, "k*: the epoch at whose end W_k* is captured"),
        hyper("rewind_step", STEP, "The step after which W_k* is captured, instead of an epoch"),
        gdstar::TARGET_SPARSITY,
    ],
    rewinds_at_first: false,
    check: |setup, shapes| Fixed::of(setup).and_then(|_| gdstar::check(setup, shapes)),
    ..gdstar::ENTRY_OF_THE_FAMILY
};

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/fixed-rewind.md")]
mod chapter {}

/// When W_k* is captured.
enum Fixed {
    /// At the end of this epoch.
    Epoch(usize),
    /// After so many steps.
    Step(usize),
}

impl Fixed {
    fn of(setup: &Setup) -> Result<Self> {
        let options = setup.options;
        match (options.count("rewind_epoch"), options.step("rewind_step", setup.length)) {
            (Some(epoch), None) => Ok(Self::Epoch(epoch)),
            (None, Some(step)) => Ok(Self::Step(step)),
            (epoch, _) => {
                let found = if epoch.is_some() { "both" } else { "neither" };
                Err(Error::domain("--rewind-epoch", "an epoch, or --rewind-step in its place", found))
            }
        }
    }
}

impl<S: Scalar> Rewinding<S> for Fixed {
    fn moves(&self, point: &mut RewindPoint<S>, k: usize, _: S, _: &mut Story<S>) -> Result<bool> {
        let moves = matches!(self, Self::Epoch(epoch) if *epoch == k);
        if moves {
            point.move_to(k, &[])?;
        }
        Ok(moves)
    }

    fn captures_after(&self) -> Option<usize> {
        match self {
            Self::Step(step) => Some(*step),
            Self::Epoch(_) => None,
        }
    }
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    Ok(Box::new(Gdstar::new(setup, w, Fixed::of(setup)?)))
}
