//! What `gdstar train` is asked for: a new run, or one that is resumed with the options it began with.

use super::TrainArgs;
use crate::error::{Error, Result};
use crate::method::Options;
use crate::trace::MaskForm;
use crate::train::{BegunTrace, Config, Outputs, RunFolder, Session};
use std::path::{Path, PathBuf};

impl TrainArgs {
    /// The run that the options, and the folder of one that is resumed, describe.
    ///
    /// # Errors
    /// [`Error::Domain`] for options that are missing or out of range; [`Error::File`] for a folder that another run
    /// has, or options with which this one did not begin.
    pub fn session(&self) -> Result<Session<'_>> {
        if let (true, Some(out)) = (self.resume, &self.out)
            && let Some(session) = Session::resume(out)?
        {
            return self.resumed(session);
        }
        if let Some(out) = &self.out {
            RunFolder::check_new(out)?;
        }
        let mut config = match (&self.config, &self.model, self.data) {
            (Some(file), ..) => self.of_file(file)?,
            (None, Some(model), Some(data)) => Config::new(model, data, self.method.unwrap_or_default()),
            (None, model, _) => {
                let missing = if model.is_none() { "--model" } else { "--data" };
                return Err(Error::domain(missing, "a name (or --out of an earlier run, with --resume)", "nothing"));
            }
        };
        self.recipe.unwrap_or_default().apply(&mut config)?;
        self.apply(&mut config)?;
        self.apply_outputs(&mut config)?;
        let session = Session::new(config)?;
        match &self.out {
            Some(out) => session.kept_in(out),
            None => Ok(session),
        }
    }

    /// The settings of a file, without what its run left and what another method or data set that is given has not.
    fn of_file(&self, file: &Path) -> Result<Config> {
        let mut config = Config::load(file)?;
        if let Some(start) = &config.start {
            let expected = "a run that begins with its first weights";
            return Err(Error::file(file, "start", expected, format!("one that goes on from {start}")));
        }
        config.outputs = Outputs { record: config.outputs.record, ..Outputs::default() };
        if let Some(method) = self.method.filter(|method| *method != config.method) {
            (config.method, config.options) = (method, Options::of(method.entry()));
        }
        if self.data.is_some_and(|data| data != config.data) {
            config.data_dir = None;
            (config.image_size, config.channels, config.classes) = (None, None, None);
        }
        Ok(config)
    }

    /// The run of a folder, with what may have changed: where the data and the trace lie, and what is kept.
    fn resumed<'a>(&self, session: Session<'a>) -> Result<Session<'a>> {
        let stored = session.config().clone();
        let mut config = match &self.config {
            Some(file) => Config { data_dir: stored.data_dir, outputs: stored.outputs, ..self.of_file(file)? },
            None => stored,
        };
        self.apply(&mut config)?;
        self.apply_outputs(&mut config)?;
        let begun_trace = if self.no_trace {
            config.outputs.trace = None;
            config.outputs.trace_gradients = false;
            config.outputs.trace_gradient_epochs.clear();
            (config.outputs.trace_sample, config.outputs.trace_masks) = (None, MaskForm::default());
            BegunTrace::Discarded
        } else if self.trace.is_some() {
            BegunTrace::Wanted
        } else {
            BegunTrace::Continued
        };
        Ok(session.with_config(config)?.with_begun_trace(begun_trace))
    }

    fn apply_outputs(&self, config: &mut Config) -> Result<()> {
        let outputs = &mut config.outputs;
        if let Some(path) = &self.trace {
            outputs.trace = Some(self.seen_from_folder(path)?);
        }
        if let Some(steps) = &self.trace_steps {
            outputs.trace_steps = steps.clone();
        }
        if let Some(epochs) = &self.trace_gradients {
            outputs.trace_gradients = true;
            outputs.trace_gradient_epochs = epochs.clone();
        }
        outputs.trace_sample = self.trace_sample.or(outputs.trace_sample);
        outputs.trace_masks = self.trace_masks.unwrap_or(outputs.trace_masks);
        outputs.keep_best |= self.keep_best;
        if !self.record.is_empty() {
            outputs.record = self.record.clone();
        }
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
