//! What `gdstar train` is asked for: a new run, or one that is resumed with the options it began with.

use super::TrainArgs;
use crate::error::{Error, Result};
use crate::train::{Config, Difference, RunFolder, check_traceable};
use std::path::{Path, PathBuf};

/// The run to train.
pub struct Plan {
    pub config: Config,
    /// The folder of a run that is resumed, and the configuration that is stored there.
    pub resumed: Option<(RunFolder, Config)>,
}

impl TrainArgs {
    /// The run that the options, and the folder of one that is resumed, describe.
    ///
    /// # Errors
    /// [`Error::Domain`] for options that are missing or out of range; [`Error::File`] for a folder that another run
    /// has, or options with which this one did not begin.
    pub fn plan(&self) -> Result<Plan> {
        if let (true, Some(out)) = (self.resume, &self.out)
            && let Some((folder, stored)) = RunFolder::resume(out)?
        {
            let config = self.resumed_config(&folder, &stored)?;
            return Ok(Plan { config, resumed: Some((folder, stored)) });
        }
        if let Some(out) = &self.out {
            RunFolder::check_new(out)?;
        }
        let (Some(model), Some(data)) = (&self.model, self.data) else {
            let missing = if self.model.is_none() { "--model" } else { "--data" };
            return Err(Error::domain(missing, "a name (or --out of an earlier run, with --resume)", "nothing"));
        };
        let mut config = Config::new(model, data, self.method.unwrap_or_default());
        self.apply(&mut config)?;
        self.apply_outputs(&mut config)?;
        config.validate()?;
        if config.outputs.trace.is_some() {
            check_traceable(&config)?;
        }
        Ok(Plan { config, resumed: None })
    }

    /// The stored configuration, with what may have changed: where the data and the trace lie, and what is kept.
    fn resumed_config(&self, folder: &RunFolder, stored: &Config) -> Result<Config> {
        let mut config = stored.clone();
        self.apply(&mut config)?;
        let differences = config.differences(stored)?;
        if !differences.is_empty() {
            let told = |d: &Difference| {
                let [here, there] = d.values();
                format!("{} {here} (was {there})", d.option())
            };
            let expected = "those that the run began with; leave them out, or begin a new run in another --out";
            let found = differences.iter().map(told).collect::<Vec<_>>().join(", ");
            return Err(Error::file(folder.config(), "options", expected, found));
        }
        self.apply_outputs(&mut config)?;
        if self.no_trace {
            config.outputs.trace = None;
            config.outputs.trace_gradients = false;
        }
        config.validate()?;
        Ok(config)
    }

    fn apply_outputs(&self, config: &mut Config) -> Result<()> {
        let outputs = &mut config.outputs;
        if let Some(path) = &self.trace {
            outputs.trace = Some(self.seen_from_folder(path)?);
        }
        outputs.trace_gradients |= self.trace_gradients;
        outputs.keep_best |= self.keep_best;
        outputs.keep_every = self.keep_every.or(outputs.keep_every);
        Ok(())
    }

    /// Where a file lies, seen from the run's folder: a folder that is moved takes what is in it along.
    fn seen_from_folder(&self, path: &Path) -> Result<PathBuf> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io(path, "resolve"));
        let file = absolute(path)?;
        match &self.out {
            Some(out) => Ok(file.strip_prefix(absolute(out)?).map(Path::to_path_buf).unwrap_or(file)),
            None => Ok(file),
        }
    }
}
