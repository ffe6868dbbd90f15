//! [`ScaleArgs`]: how much of a target is run, or shown.

use crate::data::{self, Source};
use crate::error::{Error, Result};
use crate::experiment::Scale;
use std::path::{Path, PathBuf};

/// The options of [`Scale`].
#[derive(Debug, clap::Args)]
pub struct ScaleArgs {
    /// Only these networks, with commas between them [default: all of the target's]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Scale")]
    models: Vec<String>,
    /// Every run with the seeds 0 to N - 1 [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seeds, help_heading = "Scale")]
    seeds: Option<u64>,
    /// Epochs of every run [default: the paper's]
    #[arg(long, value_name = "K", help_heading = "Scale")]
    epochs: Option<usize>,
    /// Train on the first N training images [default: all]
    #[arg(long, value_name = "N", help_heading = "Scale")]
    subset: Option<usize>,
    /// Another data set than the paper's for all runs, such as the digits that are part of the program
    #[arg(long, value_name = "NAME", help_heading = "Scale")]
    data: Option<Source>,
    /// The folder with mnist/, cifar10/ and tiny-imagenet-200/, or the one data set that is needed [default: data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// How many seeds.
fn seeds(text: &str) -> std::result::Result<u64, String> {
    let expected = |_| "expected how many: N stands for the seeds 0 to N - 1".to_string();
    text.parse().map_err(expected)
}

impl ScaleArgs {
    /// # Errors
    /// As [`Scale::validate`]; [`Error::Io`] if the system cannot say where the data are.
    pub fn scale(&self) -> Result<Scale> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io(path, "resolve"));
        // A command that is listed is run wherever a scheduler starts it.
        let by_default = Some(Path::new(data::FETCHED)).filter(|folder| folder.is_dir());
        let scale = Scale {
            models: self.models.clone(),
            seeds: self.seeds.unwrap_or(Scale::default().seeds),
            epochs: self.epochs,
            subset: self.subset,
            data: self.data,
            data_dir: self.data_dir.as_deref().or(by_default).map(absolute).transpose()?,
        };
        scale.validate()?;
        Ok(scale)
    }

    /// Whether any of them is given.
    pub fn is_given(&self) -> bool {
        let numbers = [self.epochs, self.subset].iter().any(Option::is_some);
        !self.models.is_empty() || self.seeds.is_some() || self.data.is_some() || numbers
    }
}
