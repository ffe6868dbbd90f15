//! The lottery ticket: iterative magnitude pruning with rewinding (Frankle et al. 2020).
//!
//! Level 0 trains the dense network and keeps W_k, the state of its step k. Then, level by level,
//!
//! ```text
//! score = |w| at the end of the level before
//! mask  = the largest of the living weights, all but ceil(fraction n) of n     pruned stays pruned
//! w     = W_k where mask, 0 elsewhere                                          all other parameters: W_k; momentum 0
//! train from step k to the end
//! ```
//!
//! with learning rate, schedule and order of data as level 0 had them from step k on, and batch norm's running statistics as
//! they were at k.

mod folder;
mod rule;
mod trace;

pub use folder::LevelRecord;
pub use rule::{Pruned, Rule};

use super::stored::{self, Settings};
use super::{Bench, Stage, masks};
use crate::error::{Error, Result};
use crate::method::options::Length;
use crate::method::{Method, Options, lth};
use crate::nn::{Parameters, state_dict};
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::{Element, TensorFile};
use crate::train::{Checkpoint, Config, KeepAt, Run, Start, check_ties};
use crate::weights::{Segment, Weights, read_flags};
use folder::{LotteryFolder, MASK, SETTINGS};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::{Path, PathBuf};
use trace::LotteryTrace;

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/methods/lottery.md")]
mod chapter {}

/// Is told of a level when it is trained.
pub type Told<'a> = &'a mut dyn FnMut(&LevelRecord) -> Result<()>;

/// A lottery: how many levels, how each prunes, and what every level trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lottery {
    /// Levels after the dense one.
    pub levels: usize,
    /// Those of [`lth`].
    pub options: Options,
    /// The dense run.
    pub run: Config,
}

impl Lottery {
    /// The lottery that was begun in a folder; `None` if none was.
    ///
    /// # Errors
    /// [`Error::File`] if the folder holds something else, or its settings cannot be read; [`Error::Io`].
    pub fn stored(folder: &Path) -> Result<Option<Self>> {
        stored::read(folder, SETTINGS)
    }

    /// What the levels of a folder's lottery came to; none if there is none.
    ///
    /// # Errors
    /// [`Error::File`] naming the line that cannot be read; [`Error::Io`].
    pub fn records(folder: &Path) -> Result<Vec<LevelRecord>> {
        stored::read_all_lines(&Self::results(folder))
    }

    /// The file of those records.
    pub(in crate::experiment) fn results(folder: &Path) -> PathBuf {
        LotteryFolder(folder).records(false)
    }

    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        if self.levels == 0 {
            return Err(Error::domain("--levels", "at least 1", 0));
        }
        if self.run.method != Method::Dense {
            return Err(Error::domain("--method", "dense, which a lottery prunes level by level", self.run.method));
        }
        self.run.validate()?;
        check_ties(&self.options)?;
        self.options.validate(&lth::ENTRY)
    }

    /// Whether the lottery of a folder, if there is one, is this one; it may have had another number of levels.
    ///
    /// # Errors
    /// [`Error::File`] naming the options that differ; as [`Lottery::stored`].
    pub fn check_folder(&self, folder: &Path) -> Result<()> {
        match Self::stored(folder)? {
            Some(there) => self.settings().check_same(folder.join(SETTINGS), there.settings()),
            None => Ok(()),
        }
    }

    fn settings(&self) -> Settings<'_> {
        Settings { entry: &lth::ENTRY, options: &self.options, run: &self.run }
    }

    /// Trains what is not finished of all levels, in this folder, and calls `told` after each; the records of all, those of
    /// further levels that were finished before among them.
    ///
    /// # Errors
    /// As [`Lottery::validate`], [`Lottery::check_folder`] and [`Bench::finish`]; [`Error::Io`].
    pub fn train(&self, folder: &Path, bench: &Bench, told: Told) -> Result<Vec<LevelRecord>> {
        self.begin(folder, bench, |drawing| match self.run.precision {
            Dtype::F32 => drawing.levels::<f32>(told),
            Dtype::F64 => drawing.levels::<f64>(told),
        })
    }

    /// The control: after [`Lottery::train`], new weights under the masks of the levels, trained from the first step to the
    /// last.
    ///
    /// # Errors
    /// As [`Lottery::train`]; [`Error::Io`] if a mask is not there.
    pub fn reinitialise(&self, folder: &Path, bench: &Bench, told: Told) -> Result<Vec<LevelRecord>> {
        self.begin(folder, bench, |drawing| match self.run.precision {
            Dtype::F32 => drawing.again::<f32>(told),
            Dtype::F64 => drawing.again::<f64>(told),
        })
    }

    fn begin<T>(&self, folder: &Path, bench: &Bench, work: impl FnOnce(&Drawing) -> Result<T>) -> Result<T> {
        self.validate()?;
        self.check_folder(folder)?;
        let run = Run::new(&self.run, bench.dataset, bench.stop)?;
        let length = Length { epochs: self.run.hyper.epochs, steps_per_epoch: run.batches_per_epoch() };
        let k = self.options.step("rewind_step", length).unwrap_or(0);
        if k >= length.steps() {
            let expected = format!("below {}, the steps of a run", length.steps());
            return Err(Error::domain("--rewind-step", expected, k));
        }
        let rule = Rule::of(&self.options)?;
        stored::write(folder, SETTINGS, self)?;
        work(&Drawing { lottery: self, folder: LotteryFolder(folder), bench, run: &run, length, k, rule })
    }
}

/// A lottery at work.
struct Drawing<'a> {
    lottery: &'a Lottery,
    folder: LotteryFolder<'a>,
    bench: &'a Bench<'a>,
    /// The dense run.
    run: &'a Run<'a>,
    length: Length,
    k: usize,
    rule: Rule,
}

impl Drawing<'_> {
    fn levels<S: Scalar + Element>(&self, told: Told) -> Result<Vec<LevelRecord>> {
        let mut records = Vec::new();
        let fresh = self.run.start::<S>()?.weights;
        let mut mask = vec![true; fresh.len()];
        let mut level = 0;
        while level <= self.lottery.levels || self.folder.is_finished(level) {
            if level > 0 {
                let before = self.end_of::<S>(level - 1)?;
                mask = self.prune(&before, &mask, &fresh)?.mask;
            }
            std::fs::create_dir_all(self.folder.level(level)).map_err(Error::io(self.folder.level(level), "create"))?;
            masks::write(&self.folder.mask(level), &mask, &fresh)?;
            let stage =
                Stage { name: format!("level {level}"), folder: self.folder.level(level), config: self.config(level) };
            let record = LevelRecord::new(level, &self.bench.finish(&stage)?, &mask);
            if !self.folder.rewind().exists() {
                let found = "none; remove level_0, to train it again";
                return Err(Error::file(self.folder.rewind(), "W_k", "what level 0 keeps of its step k", found));
            }
            told(&record)?;
            records.push(record);
            stored::write_lines(&self.folder.records(false), &records)?;
            level += 1;
        }
        self.trace(level - 1, fresh)?;
        Ok(records)
    }

    /// What level `level` trains.
    fn config(&self, level: usize) -> Config {
        let mut config = self.lottery.run.clone();
        match level {
            0 => config.outputs.keep_at = vec![KeepAt { step: self.k, file: "../rewind.safetensors".into() }],
            _ => {
                config.start = Some(Start {
                    checkpoint: "../rewind.safetensors".into(),
                    step: self.k,
                    epochs: self.k / self.length.steps_per_epoch,
                    momentum: false,
                    mask: Some(MASK.into()),
                });
            }
        }
        config
    }

    /// The weights at the end of a level.
    fn end_of<S: Scalar>(&self, level: usize) -> Result<Parameters<S>> {
        let file = TensorFile::open(&self.folder.level(level).join("checkpoint.safetensors"))?;
        Checkpoint::header(&file)?;
        state_dict::read(&file, &self.run.network)
    }

    fn prune<S: Scalar>(&self, before: &Parameters<S>, alive: &[bool], w: &Weights<S>) -> Result<Pruned<S>> {
        let layers: Vec<Range<usize>> = w.set().segments().iter().map(|Segment { range, .. }| range.clone()).collect();
        self.rule.prune(&w.set().gather(before), alive, &layers)
    }

    /// The trace of all levels up to the last.
    fn trace<S: Scalar + Element>(&self, last: usize, fresh: Weights<S>) -> Result<()> {
        let file = TensorFile::open(&self.folder.rewind())?;
        let rewind = state_dict::read(&file, &self.run.network)?;
        let (mut alive, mut w_k) = (vec![true; fresh.len()], fresh.clone());
        w_k.parameters = rewind;
        let mut trace = LotteryTrace::begin(&self.folder.trace(), w_k)?;
        for level in 1..=last {
            let before = self.end_of::<S>(level - 1)?;
            let pruned = self.prune(&before, &alive, &fresh)?;
            trace.level(level, &before, &alive, &pruned)?;
            alive = pruned.mask;
        }
        trace.finish(&self.lottery.options, (&self.lottery.run, self.length))
    }

    fn again<S: Scalar + Element>(&self, told: Told) -> Result<Vec<LevelRecord>> {
        let mut state = self.run.start::<S>()?;
        let config = &self.lottery.run;
        // No other run's seed by chance: those that are chosen are small.
        state.weights.parameters = self.run.network.first_parameters_from(!config.seed, config.reading.initial_weights);
        Checkpoint::write(&self.folder.first_again(), self.run, &state, None)?;
        let mut records = Vec::new();
        for level in 1..=self.lottery.levels {
            let mask = TensorFile::open(&self.folder.mask(level))?;
            let mask = read_flags(&mask, "mask", &state.weights.parameters, state.weights.set())?;
            let start = Start {
                checkpoint: "../reinit.safetensors".into(),
                step: 0,
                epochs: 0,
                momentum: false,
                mask: Some(format!("../level_{level}/{MASK}").into()),
            };
            let config = Config { start: Some(start), ..config.clone() };
            let stage = Stage { name: format!("level {level} again"), folder: self.folder.again(level), config };
            let record = LevelRecord::new(level, &self.bench.finish(&stage)?, &mask);
            told(&record)?;
            records.push(record);
            stored::write_lines(&self.folder.records(true), &records)?;
        }
        Ok(records)
    }
}
