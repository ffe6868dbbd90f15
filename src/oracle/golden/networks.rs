//! Networks: what PyTorch makes of each in `f64`, forward and backward, from [`hashed`] weights, inputs
//! and labels.
//!
//! The metadata key [`KEY`] holds a JSON object, [`Header`]; dropout and stochastic depth are off.
//!
//! | tensor | meaning |
//! |---|---|
//! | `training/loss`, `evaluation/loss` | F64 `[1]`: mean cross-entropy with batch statistics, and with the running ones |
//! | `training/logits`, `evaluation/logits` | F64 `[n, classes]` |
//! | `training/gradients`, `evaluation/gradients` | F64 `[parameters, 5]`: the [`checksum`] of each gradient |
//! | `training/buffers` | F64 `[buffers, 5]`: the checksum of each updated running statistic |

mod checksum;

pub use checksum::{LANES, checksum};

use super::{Comparison, Mismatch};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::nn::{Mode, Network, Parameters, hashed, models};
use crate::tensor_file::TensorFile;
use crate::train::Step;
use checksum::distance;
use ndarray::{Array2, ArrayD};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The key of the file's metadata that describes the pass.
pub const KEY: &str = "gdstar-golden";
/// The format's name and version.
pub const FORMAT: &str = "gdstar-model-golden/1";

/// How far loss, logits and running statistics may be from PyTorch's, relative to their Euclidean norm.
///
/// Two correct computations in `f64` differ by what becomes of their roundings on the way to the result. A relative
/// change of the input by 2^-52 changes the logits of the network that amplifies most by less than 1,000 times that
/// (`golden/make/README.md`); 1e-12 is 4,500 times 2^-52. A single number of `f32` on the way (2^-24) is out by far.
pub const FORWARD: f64 = 1e-12;
/// The same for gradients, which the same change changes by less than 5,000 times 2^-52; 1e-10 is 450,000 times that.
pub const GRADIENT: f64 = 1e-10;

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    /// The registered model's name.
    pub model: String,
    /// `[channels, height, width]`.
    pub input: [usize; 3],
    pub batch_size: usize,
    pub classes: usize,
    /// The parameters by name, in the order of the checksums.
    pub gradients: Vec<String>,
    /// The running statistics by name, in the order of the checksums.
    pub buffers: Vec<String>,
    /// Biases that the batch norm after them subtracts again: in training their gradients are 0 but for rounding.
    pub cancelled: BTreeSet<String>,
}

/// How far a result is from PyTorch's.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// `logits`, `loss`, `grad/<name>`, `buffer/<name>`.
    pub tensor: String,
    /// Relative to the Euclidean norm of PyTorch's tensor; NaN if anything is.
    pub relative: f64,
    /// [`FORWARD`] or [`GRADIENT`].
    pub tolerance: f64,
}

impl Deviation {
    /// Whether it is small enough; NaN is not.
    pub fn is_tolerable(&self) -> bool {
        self.relative <= self.tolerance
    }
}

/// A network's golden file.
pub struct NetworkGolden {
    file: TensorFile,
    pub header: Header,
}

impl NetworkGolden {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] if it is no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let file = TensorFile::open(path)?;
        let text = file.metadata(KEY).ok_or_else(|| Error::file(path, "metadata", format!("`{KEY}`"), "none"))?;
        let place = || format!("metadata `{KEY}`");
        let header: Header =
            serde_json::from_str(text).map_err(|e| Error::file(path, place(), "the header of a network", e))?;
        if header.format != FORMAT {
            return Err(Error::file(path, place(), FORMAT, header.format));
        }
        Ok(Self { file, header })
    }

    /// The registered network that the file is of.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is none of this name, or it cannot take the input.
    pub fn network(&self) -> Result<Network> {
        models::find(&self.header.model)?.network(self.header.input, self.header.classes)
    }

    /// Runs `network` as the file's and tells every result's distance from PyTorch's. The modes are
    /// [`Mode::Training`] and [`Mode::EvaluationWithGradients`].
    ///
    /// # Errors
    /// [`Error::File`] if `network` has other parameters than the file; [`Error::Shape`] if its layers do not fit.
    pub fn deviations(&self, network: &Network, kernel: Kernel, mode: Mode) -> Result<Vec<Deviation>> {
        let Header { batch_size, classes, input, .. } = self.header;
        let parameters = hashed::parameters::<f64>(network);
        let (x, labels) = (hashed::inputs(batch_size, input), hashed::labels(batch_size, classes));
        let step = Step::compute(network, kernel, &parameters, x, labels, mode, None)?;
        let is_training = mode == Mode::Training;
        let folder = if is_training { "training" } else { "evaluation" };
        let logits = self.file.read::<f64>(&format!("{folder}/logits"), Some(step.logits.shape()))?;
        let loss = self.file.read::<f64>(&format!("{folder}/loss"), Some(&[1]))?;
        let forward = |tensor: &str, ours: &ArrayD<f64>, theirs: &ArrayD<f64>| Deviation {
            tensor: tensor.to_string(),
            relative: norm(&(ours - theirs)) / norm(theirs),
            tolerance: FORWARD,
        };
        let mut deviations = vec![
            forward("loss", &ArrayD::from_elem(vec![1], step.loss), &loss),
            forward("logits", &step.logits, &logits),
        ];
        deviations.extend(self.gradients(folder, named(&parameters, &step.gradients))?);
        if is_training {
            deviations.extend(self.buffers(named(&parameters, &step.buffers))?);
        }
        Ok(deviations)
    }

    fn gradients(&self, folder: &str, ours: Vec<(&str, &ArrayD<f64>)>) -> Result<Vec<Deviation>> {
        let tensor = format!("{folder}/gradients");
        let theirs = self.checksums(&tensor, &self.header.gradients, &ours)?;
        let row = |name: &str| self.header.gradients.iter().position(|known| known == name);
        let deviation = |(name, gradient): (&str, &ArrayD<f64>)| {
            let missing = || Error::file(self.file.path(), &tensor, format!("a checksum of `{name}`"), "none");
            let ours = checksum(name, gradient);
            let relative = if folder == "training" && self.header.cancelled.contains(name) {
                // Both are rounding errors; the gradient of the same layer's weight says how large they may be.
                let weight = name.strip_suffix("bias").and_then(|layer| row(&format!("{layer}weight")));
                ours[0] / theirs[[weight.ok_or_else(missing)?, 0]]
            } else {
                distance(&ours, theirs.row(row(name).ok_or_else(missing)?))
            };
            Ok(Deviation { tensor: format!("grad/{name}"), relative, tolerance: GRADIENT })
        };
        ours.into_iter().map(deviation).collect()
    }

    fn buffers(&self, ours: Vec<(&str, &ArrayD<f64>)>) -> Result<Vec<Deviation>> {
        let theirs = self.checksums("training/buffers", &self.header.buffers, &ours)?;
        let deviation = |(name, value): (&str, &ArrayD<f64>)| {
            let row = self.header.buffers.iter().position(|known| known == name)?;
            let relative = distance(&checksum(name, value), theirs.row(row));
            Some(Deviation { tensor: format!("buffer/{name}"), relative, tolerance: FORWARD })
        };
        Ok(ours.into_iter().filter_map(deviation).collect())
    }

    /// The table `tensor`, whose rows are `names`, if ours have exactly these names.
    fn checksums(&self, tensor: &str, names: &[String], ours: &[(&str, &ArrayD<f64>)]) -> Result<Array2<f64>> {
        let (known, found): (BTreeSet<&str>, BTreeSet<&str>) =
            (names.iter().map(String::as_str).collect(), ours.iter().map(|(name, _)| *name).collect());
        if let Some(name) = known.symmetric_difference(&found).next() {
            let expected = format!("the names of {}", self.header.model);
            return Err(Error::file(self.file.path(), tensor, expected, format!("`{name}` on one side only")));
        }
        let table = self.file.read::<f64>(tensor, Some(&[names.len(), 1 + LANES]))?;
        table.into_dimensionality().map_err(|e| Error::file(self.file.path(), tensor, "a table", e))
    }
}

fn norm(x: &ArrayD<f64>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Runs the registered network with the fast kernels, in both modes.
pub(super) fn verify(path: &Path, comparison: &mut Comparison) -> Result<String> {
    let golden = NetworkGolden::open(path)?;
    let network = golden.network()?;
    for (mode, of) in [(Mode::Training, "training"), (Mode::EvaluationWithGradients, "evaluation")] {
        for deviation in golden.deviations(&network, Kernel::Fast, mode)? {
            let Deviation { tensor, relative, tolerance } = &deviation;
            comparison.number(deviation.is_tolerable(), || {
                let (got, expected) = (format!("{relative:.1e} off, relatively"), format!("at most {tolerance:e}"));
                Mismatch::of_file(&format!("{tensor} in {of}"), got, expected)
            });
        }
    }
    Ok(format!("{} with batch and with running statistics: logits, running statistics, gradients", network.name))
}

/// The arrays that a step gives for some of the parameters, by name.
fn named<'a>(parameters: &'a Parameters<f64>, arrays: &'a [Option<ArrayD<f64>>]) -> Vec<(&'a str, &'a ArrayD<f64>)> {
    let arrays = parameters.iter().zip(arrays);
    arrays.filter_map(|(p, array)| Some((p.name.as_str(), array.as_ref()?))).collect()
}
