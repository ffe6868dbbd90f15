//! [`Pair`]: the line between two runs that are finished.

use super::{BatchNorm, Curve, Line, measure_statistics};
use crate::data::{Dataset, Split};
use crate::error::{Error, Result};
use crate::experiment::Bench;
use crate::nn::{Network, Parameters};
use crate::scalar::Scalar;
use crate::train::{Config, SavedFile, StoredRun, TEST_BATCH, evaluate};
use std::path::Path;

/// Two networks of one kind, and how they are evaluated.
pub struct Pair<'a, S> {
    pub network: &'a Network,
    pub ends: [&'a Parameters<S>; 2],
    pub config: &'a Config,
    pub batch_norm: BatchNorm,
}

impl<S: Scalar> Pair<'_, S> {
    /// Loss and error along the line between the two; `stage` names it where progress is told.
    ///
    /// # Errors
    /// [`Error::InterruptedStage`]; [`Error::Shape`] if the images do not fit the networks.
    pub fn curve(&self, line: &Line, bench: &Bench, stage: &str) -> Result<Curve> {
        let alpha = line.alphas();
        let mut curve = Curve { alpha: alpha.clone(), loss: Vec::new(), error: Vec::new() };
        for (i, &alpha) in alpha.iter().enumerate() {
            (bench.progress)(stage, i, curve.alpha.len());
            bench.go_on(stage, self.config.hyper.epochs)?;
            let mut theta = line.interpolate(self.ends[0], self.ends[1], alpha);
            if self.batch_norm == BatchNorm::Recompute {
                measure_statistics(self.network, &mut theta, (self.config, bench.dataset))?;
            }
            let part: (&Dataset, Split) = (bench.dataset, Split::Test);
            let seen = evaluate(self.network, self.config.kernel, &theta, part, TEST_BATCH)?;
            curve.loss.push(seen.loss);
            curve.error.push(1.0 - seen.accuracy);
        }
        (bench.progress)(stage, curve.alpha.len(), curve.alpha.len());
        Ok(curve)
    }
}

/// A run that is finished, or a checkpoint, as an end of a line.
pub struct End {
    pub file: SavedFile,
    pub config: Config,
}

impl End {
    /// # Errors
    /// [`Error::File`] if it is no run, or one that is not finished; as [`SavedFile::open`].
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            let run = StoredRun::read(path)?;
            if !run.is_finished() {
                let found = format!("one after {} epochs; finish it with --resume", run.progress());
                return Err(Error::file(path, "run", "a finished one", found));
            }
        }
        let file = SavedFile::open(path)?;
        match file.checkpoint.as_ref().map(|checkpoint| checkpoint.config.clone()) {
            Some(config) => Ok(Self { file, config }),
            None => Err(Error::file(path, "run", "a run folder, or a checkpoint", "a bare state_dict")),
        }
    }

    /// Whether a line leads from here to there.
    ///
    /// # Errors
    /// [`Error::File`] naming the other run, if its network or its data are others.
    pub fn check_same_network(&self, other: &Self) -> Result<()> {
        let told = |end: &Self| {
            let shape = end.file.checkpoint.as_ref().and_then(|checkpoint| checkpoint.shape);
            let (input, classes) = shape.unwrap_or_default();
            format!("{} for images {input:?} and {classes} classes", end.config.model)
        };
        let data = |end: &Self| end.file.checkpoint.as_ref().map(|checkpoint| checkpoint.data.clone());
        let (here, there) = (told(self), told(other));
        let bad = |expected: String, found: String| Err(Error::file(other.file.tensors.path(), "run", expected, found));
        if here != there {
            return bad(format!("one of the first one's network, {here}"), there);
        }
        if data(self) != data(other) {
            let expected = format!("one on the first one's data, {}", self.config.data);
            return bad(expected, format!("{} of another content", other.config.data));
        }
        Ok(())
    }
}
