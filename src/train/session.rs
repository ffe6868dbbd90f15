//! [`Session`]: a run from its configuration to its last epoch, in memory or in a folder, begun or gone on with.

mod origin;
mod states;
mod trace;

use super::{
    Checkpointer, Config, Difference, EpochRecord, History, KeptCheckpoints, Observer, Run, RunFolder, State,
    TraceSize, TraceWriter, check_traceable,
};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::Element;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// An observer of runs in either number system.
pub trait Watcher: Observer<f32> + Observer<f64> {}

impl<T: Observer<f32> + Observer<f64>> Watcher for T {}

/// Gives a run its watchers before the first batch.
type Watch<'a> = Box<dyn FnOnce(&Beginning) -> Vec<Box<dyn Watcher + 'a>> + Send + 'a>;

/// Where a run stands before the first batch.
pub struct Beginning<'a> {
    pub run: &'a Run<'a>,
    /// Epochs that are completed.
    pub completed: usize,
    /// What the trace that is being written, if there is one, takes when it is complete.
    pub trace: Option<TraceSize>,
}

/// What becomes of the trace that a resumed run has begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BegunTrace {
    /// It is gone on with. A run that is finished may have lost it.
    #[default]
    Continued,
    /// The same, and it has to be there.
    Wanted,
    /// The run goes on without, and what there is of it is removed.
    Discarded,
}

/// A run, and where it is kept.
///
/// ```
/// use gdstar::data::{self, Source};
/// use gdstar::method::Method;
/// use gdstar::train::{Config, Session};
///
/// let digits = data::load(Source::Digits, None)?;
/// let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
/// config.hyper.epochs = 2;
/// # let folder = std::env::temp_dir().join(format!("gdstar-session-{}", std::process::id()));
/// let epochs = Session::new(config)?.kept_in(&folder)?.train(&digits)?;
/// // What is finished is not trained again: its records are read.
/// let again = Session::resume(&folder)?.unwrap().train(&digits)?;
/// assert_eq!((epochs.len(), &again), (2, &epochs));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), gdstar::Error>(())
/// ```
pub struct Session<'a> {
    config: Config,
    place: Place,
    begun_trace: BegunTrace,
    stop: &'a AtomicBool,
    watch: Watch<'a>,
}

enum Place {
    /// Nothing is left but the records that are returned, and a trace where [`Outputs`](super::Outputs) say so.
    Memory,
    /// A folder that is to hold it.
    New(PathBuf),
    /// The folder that holds it, and the configuration there.
    Begun(RunFolder, Box<Config>),
}

impl Place {
    /// The run's folder; without one, files are seen from where the program is.
    fn folder(&self) -> &Path {
        match self {
            Self::Memory => Path::new(""),
            Self::New(path) => path,
            Self::Begun(folder, _) => folder.path(),
        }
    }
}

static NEVER: AtomicBool = AtomicBool::new(false);

impl<'a> Session<'a> {
    /// A new run in memory.
    ///
    /// # Errors
    /// As [`Config::validate`]; as [`check_traceable`], where there is to be a trace.
    pub fn new(config: Config) -> Result<Self> {
        config.validate()?;
        if config.outputs.trace.is_some() {
            check_traceable(&config)?;
        }
        Ok(Self::of(config, Place::Memory))
    }

    fn of(config: Config, place: Place) -> Self {
        let watch = Box::new(|_: &Beginning| Vec::new());
        Self { config, place, begun_trace: BegunTrace::default(), stop: &NEVER, watch }
    }

    /// Keeps a new run in a folder: its configuration, metrics and checkpoints ([`RunFolder`]).
    ///
    /// # Errors
    /// [`Error::File`] if the folder has files of a run.
    pub fn kept_in(self, folder: &Path) -> Result<Self> {
        RunFolder::check_new(folder)?;
        Ok(Self { place: Place::New(folder.to_path_buf()), ..self })
    }

    /// The run that was begun in a folder; `None` if none was.
    ///
    /// # Errors
    /// As [`RunFolder::resume`].
    pub fn resume(folder: &Path) -> Result<Option<Self>> {
        let begun = RunFolder::resume(folder)?;
        Ok(begun.map(|(folder, stored)| Self::of(stored.clone(), Place::Begun(folder, Box::new(stored)))))
    }

    /// The configuration that the run is trained by.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Trains by another configuration. A run that was begun may differ in where its data lie and in its outputs.
    ///
    /// # Errors
    /// As [`Config::validate`]; [`Error::File`] naming the options with which the run did not begin.
    pub fn with_config(self, config: Config) -> Result<Self> {
        if let Place::Begun(folder, stored) = &self.place {
            check_same(&config, stored, folder)?;
        }
        config.validate()?;
        Ok(Self { config, ..self })
    }

    /// What becomes of the trace that a resumed run has begun.
    #[must_use]
    pub fn with_begun_trace(self, begun_trace: BegunTrace) -> Self {
        Self { begun_trace, ..self }
    }

    /// Ends the run after the batch during which `stop` becomes true.
    #[must_use]
    pub fn stopped_by(self, stop: &'a AtomicBool) -> Self {
        Self { stop, ..self }
    }

    /// Has the run watched by what `watch` makes when it is about to begin.
    #[must_use]
    pub fn watched(self, watch: impl FnOnce(&Beginning) -> Vec<Box<dyn Watcher + 'a>> + Send + 'a) -> Self {
        Self { watch: Box::new(watch), ..self }
    }

    /// Trains to the last epoch, on the threads of the current rayon pool; the record of every epoch.
    ///
    /// # Errors
    /// Those of [`Run::new`] and [`Run::train`]; of a run that was begun, of [`RunFolder::state`] and
    /// [`RunFolder::records`]; [`Error::Domain`] if its trace cannot be gone on with; [`Error::Io`].
    pub fn train(self, dataset: &Dataset) -> Result<Vec<EpochRecord>> {
        let Self { config, place, begun_trace, stop, watch } = self;
        let mut run = Run::new(&config, dataset, stop)?;
        if let Some(init) = &config.init {
            origin::check_whole(&init.file)?;
        }
        if let Some(start) = &config.start {
            run.origin = Some(origin::open(start, &run, place.folder())?);
        }
        match config.precision {
            Dtype::F32 => Begun::<f32>::new(&run, place, begun_trace)?.train(&run, watch, |watcher| &mut **watcher),
            Dtype::F64 => Begun::<f64>::new(&run, place, begun_trace)?.train(&run, watch, |watcher| &mut **watcher),
        }
    }
}

/// Checks that a configuration differs from the stored one in nothing that decides results.
fn check_same(config: &Config, stored: &Config, folder: &RunFolder) -> Result<()> {
    let differences = config.differences(stored)?;
    if differences.is_empty() {
        return Ok(());
    }
    let told = |d: &Difference| {
        let [here, there] = d.values();
        format!("{} {here} (was {there})", d.option())
    };
    let expected = "those that the run began with; leave them out, or begin a new run in another --out";
    let found = differences.iter().map(told).collect::<Vec<_>>().join(", ");
    Err(Error::file(folder.config(), "options", expected, found))
}

/// A run at its beginning or where it is resumed.
struct Begun<S: Scalar> {
    folder: Option<RunFolder>,
    state: State<S>,
    /// Of the epochs that are completed.
    records: Vec<EpochRecord>,
    trace: Option<TraceWriter<S>>,
}

impl<S: Scalar + Element> Begun<S> {
    fn new(run: &Run, place: Place, begun_trace: BegunTrace) -> Result<Self> {
        match place {
            Place::Memory => Self::first(run, None),
            Place::New(path) => Self::first(run, Some(&path)),
            Place::Begun(folder, stored) => {
                let (state, extent) = folder.state(run)?;
                let records = folder.records(run.config, state.epochs)?;
                let trace = trace::resume(run, (&folder, &stored), &state, extent, begun_trace)?;
                folder.store(run.config)?;
                Ok(Self { folder: Some(folder), state, records, trace })
            }
        }
    }

    fn first(run: &Run, path: Option<&Path>) -> Result<Self> {
        let state = run.start()?;
        let folder = path.map(|path| RunFolder::create(path, run.config)).transpose()?;
        match trace::begin(run, folder.as_ref(), &state) {
            Ok(trace) => Ok(Self { folder, state, records: Vec::new(), trace }),
            Err(error) => {
                folder.into_iter().for_each(RunFolder::abandon);
                Err(error)
            }
        }
    }

    /// `observer`: a watcher as one of this number system.
    fn train<'w>(
        self,
        run: &Run,
        watch: Watch<'w>,
        observer: impl for<'o> Fn(&'o mut Box<dyn Watcher + 'w>) -> &'o mut (dyn Observer<S> + 'o),
    ) -> Result<Vec<EpochRecord>> {
        let Self { folder, mut state, records, mut trace } = self;
        let size = trace.as_ref().map(|trace| trace.size(run, &state)).transpose()?;
        // Nobody goes on with a run that is kept nowhere: its trace is lost where it cannot be completed.
        let shortage = size.as_ref().and_then(TraceSize::shortage);
        if let (None, Some(path), Some(shortage)) = (&folder, &run.config.outputs.trace, shortage) {
            return Err(Error::io(path, "write")(io::Error::new(ErrorKind::StorageFull, shortage)));
        }
        let mut watchers = watch(&Beginning { run, completed: state.epochs, trace: size });
        let mut metrics = folder.as_ref().map(|folder| folder.observe_metrics(records.len())).transpose()?;
        let mut kept = folder.as_ref().map(|folder| KeptCheckpoints::new(folder, run, &records)).transpose()?;
        let written = trace.as_ref().map(TraceWriter::written);
        let mut checkpointer = folder.as_ref().map(|folder| Checkpointer::new(folder, run, written));
        let mut states = states::KeptStates::new(folder.as_ref(), run);
        let mut history = History(records);
        let mut observers: Vec<&mut dyn Observer<S>> = vec![&mut history];
        observers.extend(watchers.iter_mut().map(observer));
        observers.extend(metrics.as_mut().map(|metrics| metrics as &mut dyn Observer<S>));
        observers.extend(trace.as_mut().map(|trace| trace as &mut dyn Observer<S>));
        observers.push(&mut states);
        observers.extend(kept.as_mut().map(|kept| kept as &mut dyn Observer<S>));
        // Last: a checkpoint vouches for what the others have written.
        observers.extend(checkpointer.as_mut().map(|checkpointer| checkpointer as &mut dyn Observer<S>));
        run.train(&mut state, &mut observers)?;
        Ok(history.0)
    }
}
