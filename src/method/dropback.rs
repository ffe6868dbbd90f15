//! DropBack (Golub, Lemieux, Lis 2019, Alg. 1): the k weights that training has moved furthest are tracked; all others are
//! set back to their first values after every step.
//!
//! Of step t, with w0 the first weights:
//!
//! ```text
//! between = SGD of w                    all weights, tracked or not
//! score   = |between - w0|              or, `accumulated`: |a + eta g| of tracked weights, |eta g| of the others
//! m       = the k largest scores of W   from step `freeze_step` on: m as before
//! w       = between where m, w0 elsewhere
//! ```
//!
//! No weight is ever 0 for it: what others call sparsity is the share of weights that are not tracked, which need no
//! memory, since w0 can be drawn again. The two scores are equal in exact arithmetic while momentum and weight decay are 0.

use super::choices::{Choices, WEIGHTS};
use super::keys::{COUNT, CUT, DISTRIBUTION, MINIMUM, SPARSITY, STEP, TIES, hyper, reading};
use super::options::Domain;
use super::record::{self, SCORE, TRACKED};
use super::tracking::{Tracking, tracked_count};
use super::{At, Entry, Fields, Gradients, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::score::{Accumulate, Score};
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w - w0|, or sums of eta g",
        schedule: "every step, k constant",
        distribution: "global",
        structure: WEIGHTS,
        update: "untracked weights are w0 again",
    },
    options: &[
        hyper("tracked", Domain::Count { from: 0 }, "k: how many weights are tracked"),
        SPARSITY,
        hyper("freeze_step", STEP, "The step from which on k stay the same"),
        reading::<Score>("By what weights are tracked"),
        reading::<Accumulate>("Whose sums of gradients run on"),
        DISTRIBUTION.among(&["global"]),
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["step", "count", "score", "track", "reset", "momentum", "accumulate"],
    quantities: &[
        &TRACKED,
        &record::KEEP,
        &SCORE,
        &record::MASK_BEFORE,
        &record::MASK,
        &record::ACCUMULATED_BEFORE,
        &record::ACCUMULATED,
    ],
    records_steps: true,
    check: |setup, shapes| tracked_count(setup, shapes.iter().map(|s| s.iter().product::<usize>()).sum()).map(|_| ()),
    ..Entry::new(
        "dropback",
        "The k weights that have moved furthest are trained, all others set back to W_0 after every step",
        "Golub, Lemieux, Lis 2019, Alg. 1",
    )
};

/// The chapter's examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/dropback.md")]
mod chapter {}

struct DropBack<S> {
    freeze_step: usize,
    tracking: Tracking<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    let freeze_step = setup.options.step("freeze_step", setup.length).unwrap_or(usize::MAX);
    Ok(Box::new(DropBack { freeze_step, tracking: Tracking::new(setup, w)? }))
}

impl<S: Scalar> Sparsifier<S> for DropBack<S> {
    fn step_needs(&self, _: usize) -> StepNeeds {
        StepNeeds { after: true, is_update: true, ..StepNeeds::default() }
    }

    fn after_backward(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        self.tracking.observe(at, gradients, w);
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let is_frozen = at.steps > self.freeze_step;
        let scores = if is_frozen && !story.recorded { Vec::new() } else { self.tracking.scores(S::Wide::ONE, w) };
        let tracked = if is_frozen { self.tracking.tracked.clone() } else { self.tracking.largest(&scores)? };
        self.tracking.track(tracked, S::Wide::ONE, w, story);
        story.record(&SCORE, || Told::PerWeight(scores));
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.tracking.tell(w, story);
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        self.tracking.save()
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.tracking.restore(fields)
    }
}
