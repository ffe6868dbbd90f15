//! [`Seen`]: an epoch as a claim sees it: what is recorded of it, what follows from that, and what came before.
//!
//! Nothing here is changed by a claim. A claim returns what it derives as [`Operands`], the walk adds that to what is known,
//! and later claims see it.

use super::arithmetic::L1;
use super::epoch::{Epoch, Recorded};
use super::field::{Enclosure, Field, Flags};
use super::interval::{Decision, Interval};
use super::outcome::{Outcome, Place};
use super::report::Event;
use super::sgd::{Clipping, Momentum};
use crate::error::Result;
use crate::paper::reading::Reading;
use crate::trace::names::of_parameter;
use crate::trace::{Arithmetic, Trace};

/// What an epoch's gradients add up to, read once for Eq. 1, Eq. 2 and the optimizer's steps.
#[derive(Debug, Clone)]
pub(crate) struct GradientSums {
    /// Eq. 1.
    pub(crate) norms: L1,
    /// What Eq. 2 allows, where the gradients are recorded.
    pub(crate) g: Enclosure,
    /// What was found, or is missing, on the way to G.
    pub(crate) eq2: Outcome,
}

/// What the equations go on with: the port's own values where they are recorded, else what follows from others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operands {
    /// The mask before the epoch; true where a weight is alive.
    pub(crate) alive: Flags,
    /// What the epoch's gradients add up to.
    pub(crate) sums: Option<GradientSums>,
    pub(crate) g: Enclosure,
    /// What each step does to its gradient; empty where that is not known.
    pub(crate) clipping: Vec<Clipping>,
    /// The recorded gradients are such that no order of adding up their squares rounds.
    pub(crate) squares_are_exact: bool,
    pub(crate) s_sq: Option<Interval>,
    pub(crate) s_f: Option<Interval>,
    /// m of Alg. 4, before and after the epoch's update.
    pub(crate) min_before: Option<Interval>,
    pub(crate) minimum: Option<Interval>,
    /// k* and W_k* after the epoch's update.
    pub(crate) k_star: Option<i64>,
    pub(crate) rewind: Field<f64>,
    /// Whether the rewind point moved in this epoch.
    pub(crate) moved: Option<bool>,
    pub(crate) alpha: Option<Interval>,
    pub(crate) chunk_quantiles: Option<Vec<Interval>>,
    pub(crate) tau: Option<Interval>,
    pub(crate) selected: Field<Decision>,
    /// k* and W_k* that the epoch's decay uses, and t.
    pub(crate) decay_k_star: Option<i64>,
    pub(crate) w_star: Field<f64>,
    pub(crate) t: Option<i64>,
    /// Which weights live after the epoch, by Eq. 9 and what is recorded.
    pub(crate) lives: Field<Decision>,
    /// The optimizer's state after the epoch, a parameter each; `None` where it does not follow from the trace.
    pub(crate) momentum: Vec<Option<Momentum>>,
    /// What is alive after the epoch.
    pub(crate) mask: Flags,
}

/// Whether a derived value is there.
trait IsKnown {
    fn is_known(&self) -> bool;
}

impl<T> IsKnown for Option<T> {
    fn is_known(&self) -> bool {
        self.is_some()
    }
}

impl<T> IsKnown for Vec<T> {
    fn is_known(&self) -> bool {
        !self.is_empty()
    }
}

impl<T> IsKnown for Field<T> {
    fn is_known(&self) -> bool {
        !self.present.is_empty()
    }
}

impl IsKnown for Enclosure {
    fn is_known(&self) -> bool {
        self.low.is_known()
    }
}

impl IsKnown for bool {
    fn is_known(&self) -> bool {
        *self
    }
}

impl Operands {
    /// What is known of an epoch before any claim on it is judged.
    pub(crate) fn at_start(epoch: &Epoch, carry: &Carry) -> Self {
        let alive = epoch.recorded.mask_before.clone().or(&carry.mask, epoch.trace.prunable());
        Self { alive, ..Self::default() }
    }

    /// Those that are one number, without the large ones.
    pub(crate) fn numbers(&self) -> Self {
        let Self { s_sq, s_f, min_before, minimum, alpha, tau, .. } = *self;
        Self { s_sq, s_f, min_before, minimum, alpha, tau, ..Self::default() }
    }

    /// With what a claim derived.
    pub(crate) fn with(mut self, derived: Self) -> Self {
        macro_rules! take {
            ($($name:ident),+) => {
                $(if derived.$name.is_known() {
                    self.$name = derived.$name;
                })+
            };
        }
        // Nothing needs them once G is known, and they are large.
        self.sums = derived.sums.or(self.sums.filter(|_| !derived.g.is_known()));
        take!(alive, g, clipping, squares_are_exact, s_sq, s_f, min_before, minimum, k_star, rewind, moved, alpha);
        take!(chunk_quantiles, tau, selected, decay_k_star, w_star, t, lives, momentum, mask);
        self
    }
}

/// An epoch as a claim sees it.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) k: usize,
    /// The epoch's number counted from 0.
    pub(crate) index: usize,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) recorded: &'a Recorded,
    /// What follows so far.
    pub(crate) known: &'a Operands,
    /// What came before.
    pub(crate) carry: &'a Carry<'a>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(epoch: &'a Epoch<'a>, known: &'a Operands, carry: &'a Carry<'a>) -> Self {
        let Epoch { trace, k, index, arithmetic, recorded } = epoch;
        Self { trace, k: *k, index: *index, arithmetic: *arithmetic, recorded, known, carry }
    }

    pub(crate) fn reading(&self) -> &'a Reading {
        &self.trace.header.reading
    }

    /// Which weights of the `p`-th parameter are alive before the epoch, if it is W's and that is known.
    pub(crate) fn alive(&self, p: usize) -> Option<&'a [bool]> {
        self.known.alive.of(p, self.trace.prunable().get(p)?)
    }

    /// Which of all weights of the `p`-th parameter the epoch before left alive, kept in a sample or not, if that is known.
    ///
    /// # Errors
    /// As [`Trace::whole_mask`].
    pub(crate) fn whole_left(&self, p: usize) -> Result<Option<Vec<bool>>> {
        let parameter = &self.trace.prunable()[p];
        if self.index == 0 {
            return Ok(Some(vec![true; parameter.size()]));
        }
        let before = self.k.checked_sub(1).map(|before| of_parameter(before, "mask", parameter));
        before.map_or(Ok(None), |name| self.trace.whole_mask(&name, parameter))
    }

    /// Which of all weights of the `p`-th parameter are alive before the epoch.
    ///
    /// # Errors
    /// As [`Trace::whole_mask`].
    pub(crate) fn whole_alive(&self, p: usize) -> Result<Option<Vec<bool>>> {
        let parameter = &self.trace.prunable()[p];
        match self.trace.whole_mask(&of_parameter(self.k, "mask_before", parameter), parameter)? {
            Some(recorded) => Ok(Some(recorded)),
            None => self.whole_left(p),
        }
    }

    /// The place of a tensor of this epoch, for comparisons.
    pub(crate) fn place(&self, quantity: &str) -> Place {
        Place {
            tensor: format!("epoch/{}/{quantity}", self.k),
            event: Event::Epoch(self.k),
            arithmetic: self.arithmetic,
        }
    }

    /// How far a recorded scalar may be, relatively, from what the port went on with.
    pub(crate) fn storage(&self, quantity: &str) -> f64 {
        self.trace.storage_error(&format!("epoch/{}/{quantity}", self.k))
    }

    /// A recorded scalar as an operand: what the port went on with. Nothing if it is not finite.
    pub(crate) fn operand(&self, quantity: &str, recorded: Option<f64>) -> Option<Interval> {
        let value = recorded.filter(|x| x.is_finite())?;
        Some(Interval::exact(value).widened(self.storage(quantity)))
    }

    /// Compares a recorded scalar; one that is not finite is a finding whether anything is expected or not.
    pub(crate) fn judge(
        &self,
        outcome: &mut Outcome,
        quantity: &str,
        recorded: Option<f64>,
        expected: std::result::Result<Interval, &str>,
    ) {
        match (recorded, expected) {
            (Some(got), Ok(expected)) => outcome.compare(&self.place(quantity), 0, got, expected),
            (Some(got), Err(_)) if !got.is_finite() => outcome.compare(&self.place(quantity), 0, got, FINITE),
            (Some(_), Err(reason)) => outcome.leave_out(format!("{quantity}: {reason}")),
            (None, _) => outcome.leave_out(format!("{quantity} is not recorded")),
        }
    }

    /// A finding for every parameter with a number that is not finite.
    pub(crate) fn poison(&self, outcome: &mut Outcome, quantity: &str, field: &Field<f64>) {
        for &(p, j, value) in &field.poison {
            outcome.compare_entry(&self.place(quantity), &self.trace.parameters()[p], j, value, FINITE);
        }
    }
}

/// What any finite number is.
pub(crate) const FINITE: Interval = Interval { low: -f64::MAX, high: f64::MAX };

/// What one epoch leaves to the next, as recorded or as it follows.
pub(crate) struct Carry<'a> {
    pub(crate) trace: &'a Trace,
    /// W_0.
    pub(crate) initial: Field<f64>,
    /// The epoch that comes next if none is left out.
    next: Option<usize>,
    pub(crate) mask: Flags,
    /// m of Alg. 4.
    pub(crate) minimum: Option<Interval>,
    pub(crate) k_star: Option<i64>,
    pub(crate) rewind: Field<f64>,
    /// The weights that the next epoch starts from.
    pub(crate) weights: Field<f64>,
    /// The optimizer's state, a parameter each; `None` where it does not follow from the trace.
    pub(crate) momentum: Vec<Option<Momentum>>,
    /// Optimizer steps taken.
    pub(crate) steps: Option<usize>,
    /// The epoch before, for mistakes that use what is stale.
    pub(crate) previous: Option<Box<(Recorded, Operands)>>,
}

impl<'a> Carry<'a> {
    /// Before the first epoch.
    ///
    /// # Errors
    /// As [`Trace::floats`].
    pub(crate) fn start(trace: &'a Trace) -> Result<Self> {
        let initial = Field::load(trace, "init", trace.parameters())?;
        Ok(Self {
            trace,
            next: Some(trace.header.reading.epoch_origin.first()),
            mask: Flags::all(true, trace.prunable()),
            minimum: Some(Interval::exact(f64::INFINITY)),
            k_star: Some(0),
            rewind: initial.clone(),
            weights: initial.clone(),
            momentum: trace.parameters().iter().map(|p| Some(Momentum::zero(p.range.len()))).collect(),
            steps: Some(0),
            previous: None,
            initial,
        })
    }

    /// Forgets everything if epochs were left out before `k`.
    pub(crate) fn arrive(&mut self, k: usize) {
        if self.next == Some(k) {
            return;
        }
        self.mask = Flags::nothing(self.trace.prunable());
        self.minimum = None;
        self.k_star = None;
        self.rewind = Field::nothing(self.trace.parameters());
        self.weights = Field::nothing(self.trace.parameters());
        self.momentum.fill(None);
        self.steps = None;
        self.previous = None;
    }

    /// Takes over what epoch `epoch` leaves.
    pub(crate) fn advance(&mut self, epoch: Epoch<'a>, mut known: Operands) {
        let batches = self.trace.batches(epoch.k);
        self.next = epoch.k.checked_add(1);
        self.steps = self.steps.filter(|_| batches > 0).map(|steps| steps + batches);
        let recorded = epoch.recorded;
        self.momentum = std::mem::take(&mut known.momentum);
        self.mask = known.mask.clone();
        self.minimum = known.minimum;
        self.k_star = known.k_star;
        self.rewind = known.rewind.clone();
        self.weights = recorded.weights_after.clone();
        self.previous = Some(Box::new((recorded, known)));
    }
}
