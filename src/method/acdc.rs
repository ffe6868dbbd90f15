//! AC/DC (Peste et al. 2021, Alg. 1): training compressed and decompressed in turn.

mod turns;

use super::choices::{Choices, WEIGHTS};
use super::keys::{
    COUNT, CUT, DISTRIBUTION, GLOBAL_OR_UNIFORM, INACTIVE_MOMENTUM, MASKED, MINIMUM, REMOVE_FLOOR, SPARSITY, TIES,
    hyper, reading,
};
use super::options::{Domain, Value};
use super::record::{KEEP, PHASE, PHASES, SCORE};
use super::selection::{Rules, Shares, impose, ranges, required};
use super::tally::{Tally, handed_to_tally, tallied};
use super::{At, Entry, Fields, Needs, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::score::magnitudes;
use crate::select::update::{DecompressMomentum, InactiveMomentum};
use crate::weights::Weights;
use turns::{COMPRESS_AT, DECOMPRESS_AT, Turns};

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w|",
        schedule: "dense and compressed phases in turn",
        distribution: "global or uniform",
        structure: WEIGHTS,
        update: "pruned in a phase, back at 0 in the next",
    },
    heeds: MASKED,
    options: &[
        SPARSITY,
        hyper(COMPRESS_AT, Domain::StepList, "The steps before which weights are pruned"),
        hyper(DECOMPRESS_AT, Domain::StepList, "The steps before which all weights are trained again"),
        DISTRIBUTION.among(GLOBAL_OR_UNIFORM),
        INACTIVE_MOMENTUM,
        reading::<DecompressMomentum>("The momentum at a decompression"),
        COUNT.or(REMOVE_FLOOR),
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "count", "score", "mask", "weights", "step", "momentum"],
    quantities: tallied!(PHASE, KEEP, SCORE),
    records_steps: true,
    of_run: |setup| {
        let Turns { compressions, decompressions } = Turns::of(setup);
        let list = |steps: Vec<usize>| Value::List(steps.into_iter().map(Value::Count).collect());
        Ok(vec![(COMPRESS_AT, list(compressions)), (DECOMPRESS_AT, list(decompressions))])
    },
    check: |setup, _| Acdc::<f64>::new(setup, 0).map(|_| ()),
    ..Entry::new("acdc", "Compressed and dense training in turn", "Peste et al. 2021, Alg. 1")
};

/// The chapter's examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/acdc.md")]
mod chapter {}

struct Acdc<S> {
    sparsity: f64,
    turns: Turns,
    shares: Shares,
    rules: Rules,
    inactive_momentum: InactiveMomentum,
    decompress_momentum: DecompressMomentum,
    tally: Tally<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    let mut acdc = Acdc::new(setup, w.len())?;
    acdc.shares = Shares::of(setup, acdc.sparsity, &w.shapes())?;
    Ok(Box::new(acdc))
}

impl<S: Scalar> Acdc<S> {
    fn new(setup: &Setup, n: usize) -> Result<Self> {
        let options = setup.options;
        let sparsity = required(options, "sparsity")?;
        Ok(Self {
            sparsity,
            turns: Turns::checked(setup)?,
            shares: Shares::Global(sparsity),
            rules: Rules::of(options)?,
            inactive_momentum: options.choice()?,
            decompress_momentum: options.choice()?,
            tally: Tally::new(n),
        })
    }
}

impl<S: Scalar> Sparsifier<S> for Acdc<S> {
    fn needs(&self) -> Needs {
        Needs { inactive_momentum: self.inactive_momentum, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = self.turns.has(t);
        StepNeeds { before: is_update, updates_first: true, is_update, ..StepNeeds::default() }
    }

    fn update_first(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let before = w.mask_mut().to_vec();
        if self.turns.compressions.contains(&at.steps) {
            let scores = magnitudes(&w.values());
            let kept = self.shares.keep(&self.rules, &ranges(w), &scores, None)?;
            impose(&kept.flags, self.inactive_momentum, w);
            story.record(&KEEP, || Told::Counts(kept.keep));
            story.record(&SCORE, || Told::PerWeight(scores));
        } else {
            w.mask_mut().fill(true);
            if self.decompress_momentum == DecompressMomentum::Zero {
                w.momentum.iter_mut().for_each(|v| v.fill(S::ZERO));
            }
        }
        self.tally.update(&before, w.mask_mut());
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let is_sparse = w.mask().is_some_and(|mask| mask.contains(&false));
        story.tell(&PHASE, Told::Name(PHASES[usize::from(is_sparse)]));
        self.tally.tell(w, story);
        Ok(())
    }

    handed_to_tally!(begin_epoch, save, restore);
}
