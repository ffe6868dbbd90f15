//! AC/DC (Peste et al. 2021, Alg. 1): training compressed and decompressed in turn.

use super::keys::{
    COUNT, CUT, DISTRIBUTION, GLOBAL_OR_UNIFORM, INACTIVE_MOMENTUM, MASKED, MINIMUM, REMOVE_FLOOR, SPARSITY, TIES,
    hyper, reading,
};
use super::options::{Domain, Value};
use super::record::{KEEP, PHASE, PHASES, SCORE};
use super::selection::{Rules, Shares, impose, magnitudes, ranges, required};
use super::tally::{Tally, tallied};
use super::{At, Entry, Fields, Needs, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::select::update::{DecompressMomentum, InactiveMomentum};
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    heeds: MASKED,
    options: &[
        SPARSITY,
        hyper("compress_at", Domain::StepList, "The steps before which weights are pruned"),
        hyper("decompress_at", Domain::StepList, "The steps before which all weights are trained again"),
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
        let list = |steps: Vec<usize>| Value::List(steps.into_iter().map(Value::Count).collect());
        let compressions = list(steps(setup, "compress_at", &COMPRESSIONS));
        Ok(vec![("compress_at", compressions), ("decompress_at", list(steps(setup, "decompress_at", &DECOMPRESSIONS)))])
    },
    check: |setup, _| Acdc::<f64>::new(setup, 0).map(|_| ()),
    ..Entry::new("acdc", "Compressed and dense training in turn", "Peste et al. 2021, Alg. 1")
};

/// Of a run in percent: the recipe of a hundred epochs.
const COMPRESSIONS: [usize; 8] = [10, 20, 30, 40, 50, 60, 70, 85];
const DECOMPRESSIONS: [usize; 7] = [15, 25, 35, 45, 55, 65, 75];

struct Acdc<S> {
    sparsity: f64,
    /// Before which steps weights are pruned, and before which all are trained again, in turn.
    compressions: Vec<usize>,
    decompressions: Vec<usize>,
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

/// Steps that are given, or these shares of the run.
fn steps(setup: &Setup, key: &str, percent: &[usize]) -> Vec<usize> {
    match setup.options.get(key) {
        Some(Value::List(_)) => setup.options.steps(key, setup.length),
        _ => percent.iter().map(|percent| setup.length.steps().saturating_mul(*percent) / 100).collect(),
    }
}

/// Whether compressions and decompressions come in turn, the former first.
fn check_turns(compressions: &[usize], decompressions: &[usize]) -> Result<()> {
    let turns = (0..decompressions.len()).flat_map(|i| [compressions.get(i), decompressions.get(i)]);
    let turns: Vec<Option<&usize>> = turns.chain([compressions.get(decompressions.len())]).collect();
    let mut steps = turns.iter().flatten();
    let (mut is_ascending, mut last) = (true, None);
    for step in steps.by_ref() {
        is_ascending &= last.is_none_or(|last| last < **step);
        last = Some(**step);
    }
    let surplus = compressions.len() > decompressions.len() + 1 || compressions.len() < decompressions.len();
    if is_ascending && !surplus {
        return Ok(());
    }
    let expected = "ascending steps, compressions and decompressions in turn from a compression on";
    let found = format!("compressions at {compressions:?}, decompressions at {decompressions:?}");
    Err(Error::domain("--compress-at and --decompress-at", expected, found))
}

impl<S: Scalar> Acdc<S> {
    fn new(setup: &Setup, n: usize) -> Result<Self> {
        let options = setup.options;
        let sparsity = required(options, "sparsity")?;
        let compressions = steps(setup, "compress_at", &COMPRESSIONS);
        let decompressions = steps(setup, "decompress_at", &DECOMPRESSIONS);
        check_turns(&compressions, &decompressions)?;
        Ok(Self {
            sparsity,
            compressions,
            decompressions,
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
        let is_update = self.compressions.contains(&t) || self.decompressions.contains(&t);
        StepNeeds { before: is_update, updates_first: true, is_update, ..StepNeeds::default() }
    }

    fn begin_epoch(&mut self, _: At, w: &mut Weights<S>) {
        self.tally.begin_epoch(w);
    }

    fn update_first(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let before = w.mask_mut().to_vec();
        if self.compressions.contains(&at.steps) {
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

    fn save(&self) -> Fields<S> {
        self.tally.save()
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.tally.restore(fields)
    }
}
