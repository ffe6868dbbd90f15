//! Procrustes (Yang et al. 2020; Alg. 2 of the paper): the k weights with the largest sums of gradients are tracked; all others
//! decay to 0 from their first values.

mod estimate;

use super::choices::{Choices, WEIGHTS};
use super::keys::{COUNT, CUT, DISTRIBUTION, MINIMUM, POSITIVE_SHARE, SPARSITY, TIES, hyper, reading};
use super::options::{Domain, OptionValue};
use super::record::{self, DECAY, QUANTILE, SCORE, TRACKED};
use super::selection::required;
use super::tracking::Tracking;
use super::{At, Entry, Field, Fields, Gradients, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::Result;
use crate::paper::decay::decay_factor;
use crate::scalar::Scalar;
use crate::select::dumique::{DumiqueCarry, DumiqueOrder, Select};
use crate::select::schedule::Clock;
use crate::select::score::{Accumulate, Score};
use crate::weights::Weights;
use estimate::Estimate;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "sums of eta g, or |w - w0|",
        schedule: "every step, k constant, w0 decays by lambda",
        distribution: "global",
        structure: WEIGHTS,
        update: "untracked weights are lambda^e w0",
    },
    options: &[
        hyper("tracked", Domain::Count { from: 0 }, "k: how many weights are tracked"),
        SPARSITY,
        hyper("lambda", POSITIVE_SHARE, "What first values decay by in a step").or(OptionValue::Real(0.9)),
        hyper("dumique_start", Domain::Size, "Where the estimate of the quantile starts").or(OptionValue::Real(1e-2)),
        hyper("dumique_rate", Domain::Size, "rho: how fast the estimate moves").or(OptionValue::Real(1e-6)),
        reading::<Clock>("What schedules count").among(&["completed", "index"]),
        reading::<Score>("By what weights are tracked").among(&["accumulated", "distance"]),
        reading::<Accumulate>("Whose sums of gradients run on"),
        reading::<Select>("How the tracked weights are found"),
        reading::<DumiqueOrder>("In which order the estimate passes over W"),
        reading::<DumiqueCarry>("Where the estimate stands when a step begins"),
        DISTRIBUTION.among(&["global"]),
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["step", "schedule", "count", "score", "quantile", "track", "reset", "momentum", "accumulate"],
    quantities: &[
        &TRACKED,
        &DECAY,
        &record::KEEP,
        &SCORE,
        &QUANTILE,
        &record::MASK_BEFORE,
        &record::MASK,
        &record::ACCUMULATED_BEFORE,
        &record::ACCUMULATED,
    ],
    records_steps: true,
    check: |setup, shapes| {
        Estimate::<f64>::of(setup, shapes.iter().map(|s| s.iter().product::<usize>()).sum()).map(|_| ())
    },
    ..Entry::new(
        "procrustes",
        "The k weights with the largest sums of gradients are trained, all others decay from W_0 to 0",
        "Yang et al. 2020; Alg. 2",
    )
};

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/procrustes.md")]
mod chapter {}

struct Procrustes<S> {
    lambda: f64,
    clock: Clock,
    /// Where there is no sort.
    estimate: Option<Estimate<S>>,
    tracking: Tracking<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    let options = setup.options;
    Ok(Box::new(Procrustes {
        lambda: required(options, "lambda")?,
        clock: options.choice()?,
        estimate: Estimate::of(setup, w.len())?,
        tracking: Tracking::new(setup, w)?,
    }))
}

impl<S: Scalar> Procrustes<S> {
    /// lambda^e of the step before which so many steps, itself among them, are completed.
    fn decay(&self, completed: usize) -> Result<S::Wide> {
        let e = if self.clock == Clock::Completed { completed } else { completed.saturating_sub(1) };
        decay_factor::<S>(self.lambda, e)
    }
}

impl<S: Scalar> Sparsifier<S> for Procrustes<S> {
    fn step_needs(&self, _: usize) -> StepNeeds {
        StepNeeds { after: true, is_update: true, ..StepNeeds::default() }
    }

    fn after_backward(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        self.tracking.observe(at, gradients, w);
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let decay = self.decay(at.steps)?;
        let scores = self.tracking.scores(decay, w);
        let tracked = match &mut self.estimate {
            None => self.tracking.largest(&scores)?,
            Some(estimate) => estimate.select(&scores, story)?,
        };
        self.tracking.track(tracked, decay, w, story);
        story.record(&DECAY, || Told::Number(S::narrow(decay)));
        story.record(&SCORE, || Told::PerWeight(scores));
        Ok(())
    }

    fn end_of_epoch(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.tracking.tell(w, story);
        story.tell(&DECAY, Told::Number(S::narrow(self.decay(at.steps)?)));
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        let quantile = self.estimate.as_ref().map_or(S::ZERO, |estimate| estimate.quantile);
        self.tracking.save().with("quantile", Field::Number(quantile))
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        let quantile = fields.number("quantile")?;
        self.estimate.iter_mut().for_each(|estimate| estimate.quantile = quantile);
        self.tracking.restore(fields)
    }
}
