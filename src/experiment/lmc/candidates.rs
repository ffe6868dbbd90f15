//! [`Connectivity`]: all of Alg. 3, in a folder.

use super::{BatchNorm, Curve, Line, LineTrace, Pair};
use crate::error::{Error, Result};
use crate::experiment::stored::{self, Settings};
use crate::experiment::{Bench, Stage};
use crate::json;
use crate::method::options::{Length, Value};
use crate::method::{Method, Options, lmc};
use crate::nn::{Parameters, state_dict};
use crate::output;
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::{Element, TensorFile};
use crate::train::{Checkpoint, Config, KeepAt, Run, Start};
use crate::weights::read_flags;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const SETTINGS: &str = "lmc.toml";
const RECORDS: &str = "lmc.jsonl";
const MASK: &str = "mask.safetensors";

/// Candidates for the rewind point, and what decides among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connectivity {
    /// Steps, epochs (`3ep`) or shares of the run (`75%`).
    pub candidates: Vec<Value>,
    /// Runs from each candidate; all pairs of them are looked at, and their curves averaged.
    pub children: usize,
    pub batch_norm: BatchNorm,
    /// The masks under which children are trained, if not all weights live: a level of a lottery, or its last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masks: Option<PathBuf>,
    /// Whether the trace has the interpolated networks.
    pub theta: bool,
    /// Those of [`lmc`].
    pub options: Options,
    /// The parent.
    pub run: Config,
}

/// One line of `lmc.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateRecord {
    /// The candidate, in steps; `None` between two runs that are not children.
    pub k: Option<usize>,
    /// Not finite, and null in files, where a loss is not; so is the loss's barrier.
    #[serde(deserialize_with = "json::number")]
    pub score: f64,
    #[serde(deserialize_with = "json::number")]
    pub barrier_loss: f64,
    pub barrier_error: f64,
    pub stable: bool,
    #[serde(flatten)]
    pub curve: Curve,
}

impl CandidateRecord {
    pub(super) fn new(k: Option<usize>, line: &Line, curve: Curve) -> Self {
        Self {
            k,
            score: curve.score(),
            barrier_loss: super::barrier(&curve.loss),
            barrier_error: super::barrier(&curve.error),
            stable: line.is_stable(&curve),
            curve,
        }
    }
}

/// What the candidates come to, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// That of least score, the smallest among equals.
    pub k_star: usize,
    /// The least from which on all are stable.
    pub k_stable: Option<usize>,
}

impl Choice {
    /// Of records in the order of their candidates; `None` of none.
    pub fn of(records: &[CandidateRecord]) -> Option<Self> {
        // What is not finite is none the better for how it is not: files do not tell.
        let score = |record: &CandidateRecord| if record.score.is_finite() { record.score } else { f64::INFINITY };
        let best = records.iter().reduce(|best, next| if score(next) < score(best) { next } else { best })?;
        let stable = records.iter().rev().take_while(|record| record.stable).last();
        Some(Self { k_star: best.k?, k_stable: stable.and_then(|record| record.k) })
    }
}

impl Connectivity {
    /// What was begun in a folder; `None` if nothing was.
    ///
    /// # Errors
    /// [`Error::File`] if the folder holds something else, or its settings cannot be read; [`Error::Io`].
    pub fn stored(folder: &Path) -> Result<Option<Self>> {
        stored::read(folder, SETTINGS)
    }

    /// What was found of the candidates in a folder; none if nothing was begun there.
    ///
    /// # Errors
    /// [`Error::File`] naming the line that cannot be read; [`Error::Io`].
    pub fn records(folder: &Path) -> Result<Vec<CandidateRecord>> {
        stored::read_all_lines(&Self::results(folder))
    }

    /// The file of those records.
    pub(in crate::experiment) fn results(folder: &Path) -> PathBuf {
        folder.join(RECORDS)
    }

    /// # Errors
    /// [`Error::Domain`] naming the option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        if self.candidates.is_empty() {
            return Err(Error::domain("--candidates", "steps or epochs (3ep) with commas between them", "none"));
        }
        if self.children < 2 {
            return Err(Error::domain("--children", "at least 2, between which there is a line", self.children));
        }
        if self.run.method != Method::Dense {
            return Err(Error::domain("--method", "dense, whose steps are the candidates", self.run.method));
        }
        self.run.validate()?;
        self.options.validate(&lmc::ENTRY)
    }

    /// Whether what a folder holds, if anything, is of the same runs; it may be looked at in another way.
    ///
    /// # Errors
    /// [`Error::File`] naming the options that differ; as [`Connectivity::stored`].
    pub fn check_folder(&self, folder: &Path) -> Result<()> {
        let Some(there) = Self::stored(folder)? else { return Ok(()) };
        let of_run = |run| Settings { entry: &lmc::ENTRY, options: &self.options, run };
        of_run(&self.run).check_same(folder.join(SETTINGS), of_run(&there.run))?;
        let told =
            |masks: &Option<PathBuf>| masks.as_ref().map_or("none".to_string(), |path| path.display().to_string());
        if self.masks != there.masks {
            let found = format!("{} (was {})", told(&self.masks), told(&there.masks));
            return Err(Error::file(folder.join(SETTINGS), "--masks", "those that it began with", found));
        }
        Ok(())
    }

    /// Trains what is not finished of parent and children, in this folder, looks at the lines between them, and calls `told`
    /// for each candidate, from the smallest on.
    ///
    /// # Errors
    /// As [`Connectivity::validate`], [`Connectivity::check_folder`] and [`Bench::finish`]; [`Error::Domain`] for candidates
    /// beyond the run; [`Error::Io`].
    pub fn train(&self, folder: &Path, bench: &Bench, told: Told) -> Result<(Vec<CandidateRecord>, Choice)> {
        self.validate()?;
        self.check_folder(folder)?;
        let run = Run::new(&self.run, bench.dataset, bench.stop)?;
        let length = Length { epochs: self.run.hyper.epochs, steps_per_epoch: run.batches_per_epoch() };
        let steps = self.steps(length)?;
        let line = Line::of(&self.options)?;
        let kept = self.kept(folder)?;
        if kept.is_empty() && folder.join(RECORDS).exists() {
            // Before the settings by which they were looked at are replaced.
            stored::write_lines(&folder.join(RECORDS), &kept)?;
        }
        stored::write(folder, SETTINGS, self)?;
        let search = Search { settings: self, folder, bench, run: &run, length, steps, line, kept };
        match self.run.precision {
            Dtype::F32 => search.run::<f32>(told),
            Dtype::F64 => search.run::<f64>(told),
        }
    }

    /// The candidates in steps, each once, in order.
    fn steps(&self, length: Length) -> Result<Vec<usize>> {
        let mut steps: Vec<usize> = self.candidates.iter().filter_map(|k| k.as_step(length)).collect();
        steps.sort_unstable();
        steps.dedup();
        match steps.last() {
            Some(&k) if k >= length.steps() => {
                let expected = format!("below {}, the steps of a run", length.steps());
                Err(Error::domain("--candidates", expected, k))
            }
            _ => Ok(steps),
        }
    }

    /// What is known of candidates that were looked at in the same way before. A line that cannot be read is none.
    fn kept(&self, folder: &Path) -> Result<Vec<CandidateRecord>> {
        let same_way = |there: &Self| {
            (there.children, there.batch_norm, &there.options) == (self.children, self.batch_norm, &self.options)
        };
        match Self::stored(folder)? {
            Some(there) if same_way(&there) => stored::read_lines(&folder.join(RECORDS)),
            _ => Ok(Vec::new()),
        }
    }
}

/// Is told of a candidate when it is looked at.
pub type Told<'a> = &'a mut dyn FnMut(&CandidateRecord) -> Result<()>;

/// Alg. 3 at work.
struct Search<'a> {
    settings: &'a Connectivity,
    folder: &'a Path,
    bench: &'a Bench<'a>,
    /// The parent.
    run: &'a Run<'a>,
    length: Length,
    steps: Vec<usize>,
    line: Line,
    kept: Vec<CandidateRecord>,
}

impl Search<'_> {
    fn run<S: Scalar + Element>(&self, told: Told) -> Result<(Vec<CandidateRecord>, Choice)> {
        self.keep_masks::<S>()?;
        self.train_parent()?;
        let mut trace = LineTrace::begin(&self.folder.join("trace.safetensors"))?;
        let mut records = Vec::new();
        for &k in &self.steps {
            let children = self.children::<S>(k)?;
            let known = self.kept.iter().find(|record| record.k == Some(k));
            let record = match known {
                Some(known) => known.clone(),
                None => CandidateRecord::new(Some(k), &self.line, self.curve(k, &children)?),
            };
            let ends = (self.settings.theta && children.len() == 2).then(|| [&children[0], &children[1]]);
            trace.candidate(k, &self.line, &record.curve, ends)?;
            told(&record)?;
            records.push(record);
            self.store(&records)?;
        }
        let chosen = Choice::of(&records);
        let steps = chosen.map(|choice| (choice.k_star, choice.k_stable));
        trace.finish::<S>(steps, &self.settings.options, (&self.settings.run, self.length))?;
        let choice = chosen.ok_or_else(|| Error::domain("--candidates", "at least one", "none"))?;
        let found =
            serde_json::json!({ "k_star": choice.k_star, "k_stable": choice.k_stable.map_or(-1, |k| k as i64) });
        output::write_atomically(&self.folder.join("lmc.json"), |file| {
            std::io::Write::write_all(file, format!("{found}\n").as_bytes())
        })?;
        Ok((records, choice))
    }

    /// The records so far, and behind them those that are known of candidates to come.
    fn store(&self, records: &[CandidateRecord]) -> Result<()> {
        let is_to_come = |known: &&CandidateRecord| records.iter().all(|record| record.k != known.k);
        let to_come =
            self.kept.iter().filter(is_to_come).filter(|known| known.k.is_some_and(|k| self.steps.contains(&k)));
        let all: Vec<CandidateRecord> = records.iter().chain(to_come).cloned().collect();
        stored::write_lines(&self.folder.join(RECORDS), &all)
    }

    /// Copies the masks that children are trained under.
    fn keep_masks<S: Scalar>(&self) -> Result<()> {
        let Some(masks) = &self.settings.masks else { return Ok(()) };
        let copy = self.folder.join(MASK);
        if copy.exists() {
            return Ok(());
        }
        let weights = self.run.start::<S>()?.weights;
        let flags = read_flags(&TensorFile::open(masks)?, "mask", &weights.parameters, weights.set())?;
        crate::experiment::masks::write(&copy, &flags, &weights)
    }

    fn checkpoint_at(&self, k: usize) -> PathBuf {
        self.folder.join(format!("at_{k}.safetensors"))
    }

    /// The parent, which keeps the states of all candidates; of those that were not among them when it was trained, once more
    /// without a folder.
    fn train_parent(&self) -> Result<()> {
        let config = |keep_at: Vec<KeepAt>| {
            let mut config = self.settings.run.clone();
            config.outputs.keep_at = keep_at;
            config
        };
        let inside = |&step: &usize| KeepAt { step, file: format!("../at_{step}.safetensors").into() };
        let stage = Stage {
            name: "parent".to_string(),
            folder: self.folder.join("parent"),
            config: config(self.steps.iter().map(inside).collect()),
        };
        self.bench.finish(&stage)?;
        let missing: Vec<KeepAt> = self
            .steps
            .iter()
            .filter(|&&k| !self.checkpoint_at(k).exists())
            .map(|&step| KeepAt { step, file: self.checkpoint_at(step) })
            .collect();
        if missing.is_empty() { Ok(()) } else { self.bench.repeat("parent again", config(missing)) }
    }

    /// The networks of the children of candidate `k`.
    fn children<S: Scalar>(&self, k: usize) -> Result<Vec<Parameters<S>>> {
        let Config { seed, order_seed, .. } = self.settings.run;
        let child = |i: usize| {
            let start = Start {
                checkpoint: format!("../at_{k}.safetensors").into(),
                step: k,
                epochs: k / self.length.steps_per_epoch,
                // Of a ticket, as a lottery trains it, there is none.
                momentum: self.settings.masks.is_none(),
                mask: self.settings.masks.as_ref().map(|_| format!("../{MASK}").into()),
            };
            let order_seed = Some(order_seed.unwrap_or(seed).wrapping_add(i as u64));
            let config = Config { start: Some(start), order_seed, ..self.settings.run.clone() };
            let folder = self.folder.join(format!("k_{k}_{i}"));
            self.bench.finish(&Stage { name: format!("child {i} of step {k}"), folder: folder.clone(), config })?;
            let file = TensorFile::open(&folder.join("checkpoint.safetensors"))?;
            Checkpoint::header(&file)?;
            state_dict::read(&file, &self.run.network)
        };
        (1..=self.settings.children).map(child).collect()
    }

    /// The mean of the curves between all pairs of children.
    fn curve<S: Scalar>(&self, k: usize, children: &[Parameters<S>]) -> Result<Curve> {
        let (network, config, batch_norm) = (&self.run.network, &self.settings.run, self.settings.batch_norm);
        let pairs = (0..children.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let curve = |(i, j): (usize, usize)| {
            let pair = Pair { network, ends: [&children[i], &children[j]], config, batch_norm };
            pair.curve(&self.line, self.bench, &format!("line of step {k}, {} to {}", i + 1, j + 1))
        };
        let curves = pairs.map(curve).collect::<Result<Vec<_>>>()?;
        Curve::mean(&curves).ok_or_else(|| Error::domain("--children", "at least 2", children.len()))
    }
}
