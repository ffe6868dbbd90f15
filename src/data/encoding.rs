//! [`Encoding`]: what the numbers that go into a network, and those that come out, mean.

use super::{Dataset, Normalisation};
use crate::error::{Error, Result, quoted};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The key of an [`Encoding`], as JSON, in the metadata of exported safetensors files.
pub const ENCODING_KEY: &str = "encoding";

/// How images become inputs and classes become labels: what a trained network is of no use without.
///
/// Checkpoints and exports hold it, as JSON: `{"classes": ["cat", "dog"], "normalisation": {"scale": 255.0,
/// "mean": [..], "std": [..]}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// The name of the class of each label, from 0.
    pub classes: Vec<String>,
    pub normalisation: Normalisation,
}

impl Encoding {
    /// Checks what a file says. `place` is where in it, for messages.
    ///
    /// # Errors
    /// [`Error::File`] if there is not one mean and deviation for each of `channels`, a number is not finite, or a divisor
    /// is 0.
    pub fn check(&self, path: &Path, place: &str, channels: usize) -> Result<()> {
        let Normalisation { scale, mean, std } = &self.normalisation;
        let bad = |expected: String, found: String| {
            Err(Error::file(path, format!("{place}, normalisation"), expected, found))
        };
        if [mean.len(), std.len()] != [channels; 2] {
            let expected = format!("a mean and a standard deviation for each of {channels} channels");
            return bad(expected, format!("{} and {}", mean.len(), std.len()));
        }
        let is_divisor = |&x: &f64| x.is_finite() && x > 0.0;
        let means = mean.iter().all(|mean| mean.is_finite());
        match std::iter::once(scale).chain(std).find(|divisor| !is_divisor(divisor)) {
            Some(divisor) => bad("a scale and standard deviations above 0".to_string(), divisor.to_string()),
            None if !means => bad("finite means".to_string(), format!("{mean:?}")),
            None => Ok(()),
        }
    }
}

impl Dataset {
    /// What this data set's inputs and labels mean.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        Encoding { classes: self.classes.clone(), normalisation: self.normalisation.clone() }
    }

    /// This data set as a network sees it that was trained with `encoding`: normalised by that mean and standard
    /// deviation. The scale stays the data set's own, since it says which of its pixel values maps to 1. `path` is where
    /// the data are, for messages.
    ///
    /// # Errors
    /// [`Error::File`] if the data set's images have another number of channels, or its classes are not those of
    /// `encoding` in their order: the network's answers would be read as something else.
    pub fn encoded(mut self, encoding: &Encoding, path: &Path) -> Result<Self> {
        self.check_classes(&encoding.classes, path)?;
        let [channels, ..] = self.train.shape;
        let Normalisation { mean, std, .. } = &encoding.normalisation;
        if mean.len() != channels {
            let expected = format!("{}, as the network was trained on", mean.len());
            return Err(Error::file(path, "channels", expected, channels));
        }
        self.normalisation = Normalisation { scale: self.normalisation.scale, mean: mean.clone(), std: std.clone() };
        Ok(self)
    }

    /// Checks that the classes are those that a network was trained on, in their order. `path` is where the data are, for
    /// messages.
    ///
    /// # Errors
    /// [`Error::File`] naming the first class that is another, or the number if that is what differs.
    pub fn check_classes(&self, trained_on: &[String], path: &Path) -> Result<()> {
        if let Some((label, (found, expected))) =
            self.classes.iter().zip(trained_on).enumerate().find(|(_, (found, expected))| found != expected)
        {
            let expected = format!("`{}`, as the network was trained on", quoted(expected));
            return Err(Error::file(path, format!("class {label}"), expected, format!("`{found}`")));
        }
        if self.classes.len() != trained_on.len() {
            let expected = format!("{}, as the network was trained on", trained_on.len());
            return Err(Error::file(path, "number of classes", expected, self.classes.len()));
        }
        Ok(())
    }
}

/// The names of `count` classes that are called by their numbers.
#[must_use]
pub fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|label| label.to_string()).collect()
}
