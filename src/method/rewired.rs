//! [`Rewired`]: SET, RigL and GraNet are sparse from the start, and at every update drop some weights of each layer and grow as
//! many. What each of them does its own way is its [`Course`].

use super::record::{DRAW, FRACTION};
use super::rewiring::{Rewiring, Update};
use super::sparse_start::{SparseStart, draws};
use super::tally::{Tally, handed_to_tally};
use super::timing::Timing;
use super::{At, Fields, Gradients, Lab, Needs, Sparsifier, StepNeeds, Story, Told};
use crate::error::Result;
use crate::random::Purpose;
use crate::scalar::Scalar;
use crate::select::score::magnitudes;
use crate::select::update::UpdateOrder;
use crate::weights::Weights;

/// How one of them goes on from update to update; c is what schedules count.
pub(super) trait Course: Send {
    /// Whether weights are grown where the gradient is largest; at random, if not.
    const BY_GRADIENT: bool;

    /// The share of a layer's active weights that an update drops.
    fn fraction(&self, c: usize) -> f64;

    /// What is left of the active weights when the drop begins; `None`: all.
    ///
    /// # Errors
    /// As [`Sparsifier::after_step`].
    fn prune<S: Scalar>(
        &self,
        _c: usize,
        _active: &[bool],
        _w: &Weights<S>,
        _tally: &mut Tally<S>,
        _story: &mut Story<S>,
    ) -> Result<Option<Vec<bool>>> {
        Ok(None)
    }
}

/// Such a method at work.
pub(super) struct Rewired<S, C> {
    course: C,
    timing: Timing,
    start: SparseStart,
    rewiring: Rewiring,
    /// |g| of the update under way.
    growth: Vec<S>,
    tally: Tally<S>,
}

impl<S: Scalar, C: Course> Rewired<S, C> {
    /// On layers of these shapes.
    pub fn new(course: C, timing: Timing, start: SparseStart, rewiring: Rewiring, shapes: &[&[usize]]) -> Self {
        let n = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
        Self { course, timing, start, rewiring, growth: Vec::new(), tally: Tally::new(n) }
    }
}

impl<S: Scalar, C: Course> Sparsifier<S> for Rewired<S, C> {
    fn needs(&self) -> Needs {
        Needs { inactive_momentum: self.rewiring.inactive_momentum, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = self.timing.at(t).is_some();
        let dead_gradients = is_update && C::BY_GRADIENT;
        let skips_step = is_update && self.timing.order == UpdateOrder::InsteadOfStep;
        StepNeeds { dead_gradients, after: is_update, is_update, skips_step, ..StepNeeds::default() }
    }

    fn begin(&mut self, _: &dyn Lab<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.start.begin(self.rewiring.seed, self.rewiring.rules.ties, w, story)
    }

    fn after_backward(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        if C::BY_GRADIENT && self.timing.at(at.steps).is_some() {
            self.growth = magnitudes(&gradients.over(w));
        }
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let t = at.steps - 1;
        let Some(c) = self.timing.at(t) else { return Ok(()) };
        let before = w.mask_mut().to_vec();
        let growth = match C::BY_GRADIENT {
            true => std::mem::take(&mut self.growth),
            false => draws(self.rewiring.seed, Purpose::Growth, t, w.len()),
        };
        let pruned = self.course.prune(c, &before, w, &mut self.tally, story)?;
        let active = pruned.as_deref().unwrap_or(&before);
        let update = Update { t, fraction: self.course.fraction(c), active, growth: &growth };
        let mask = self.rewiring.update(&update, w, story)?;
        self.tally.fraction = S::from_f64(update.fraction);
        self.tally.update(&before, &mask);
        story.tell(&FRACTION, Told::Number(self.tally.fraction));
        if !C::BY_GRADIENT {
            story.record(&DRAW, || Told::PerWeight(growth));
        }
        Ok(())
    }

    handed_to_tally!(begin_epoch, end_of_epoch, save, restore);
}
