//! [`Live`]: the run that is trained, and all its epochs.

use crate::epoch::Epoch;
use crate::settings::Settings;
use gdstar::data::{self, Dataset, Source};
use gdstar::explain::{Example, Place, Watch, Watched};
use gdstar::method::gdstar as method;
use gdstar::train::{Config, Run, State};
use gdstar::{Error, Result};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

/// The weight whose gradients are kept batch by batch.
pub const FOLLOWED: &str = "fc1[253,52]";

static NEVER: AtomicBool = AtomicBool::new(false);
static REACHED: AtomicBool = AtomicBool::new(false);

/// A run, as far as it is trained.
pub struct Live {
    run: &'static Run<'static>,
    state: State<f32>,
    seen: Arc<Mutex<Watched>>,
    watch: Watch,
    epochs: Vec<Epoch>,
}

impl Live {
    /// Before the first batch.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn begin(settings: &Settings) -> Result<Self> {
        // Kept for good: a reader begins a few runs, and each takes no more than its settings and the digits' 115 kB.
        let config: &'static Config = Box::leak(Box::new(settings.config()));
        let digits: &'static Dataset = Box::leak(Box::new(data::load(Source::Digits, None)?));
        let run: &'static Run = Box::leak(Box::new(Run::new(config, digits, &NEVER)?));
        let state = run.state(run.first_weights(), method::start)?;
        let seen = Arc::default();
        let watch = Watch::new(config, Example::Named(FOLLOWED.to_string()), usize::MAX, &seen, &REACHED);
        Ok(Self { run, state, seen, watch, epochs: Vec::new() })
    }

    /// One epoch; whether there are more.
    ///
    /// # Errors
    /// If the run diverges.
    pub fn train(&mut self) -> Result<bool> {
        if self.is_finished() {
            return Ok(false);
        }
        self.run.train_epoch(&mut self.state, &mut [&mut self.watch])?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.epochs.extend(Epoch::of(&seen, self.state.steps));
        Ok(!self.is_finished())
    }

    fn is_finished(&self) -> bool {
        self.state.epochs >= self.config().hyper.epochs
    }

    pub fn config(&self) -> &Config {
        self.run.config
    }

    /// All that are trained.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Epoch `k`.
    ///
    /// # Errors
    /// [`Error::Domain`] if it is not trained yet.
    pub fn epoch(&self, k: usize) -> Result<&Epoch> {
        let found = self.epochs.get(k);
        found.ok_or_else(|| Error::domain("k", format!("one of the {} epochs so far", self.epochs.len()), k))
    }

    /// How weight `j` is written.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is none.
    pub fn place(&self, j: usize) -> Result<Place> {
        let weights = &self.state.weights;
        let place = Place::at(j, &weights.parameters, weights.set());
        place.ok_or_else(|| Error::domain("weight", format!("a place below N = {}", weights.len()), j))
    }

    /// How many weights the parameter at this place of W has.
    pub fn place_count(&self, parameter: usize) -> usize {
        self.state.weights.set().segments().get(parameter).map_or(0, |segment| segment.range.len())
    }
}
