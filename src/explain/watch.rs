//! [`Watch`]: an observer that keeps what an explanation needs, in f64, which holds every number of a run exactly.

use super::Place;
use crate::error::{Error, Result};
use crate::method::{Entry, Story, Told};
use crate::nn::Parameters;
use crate::paper::Hyperparameters;
use crate::paper::reading::Reading;
use crate::scalar::{Dtype, Scalar};
use crate::train::{BatchEvent, Config, EpochEvent, Observer};
use crate::weights::Weights;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What an epoch came to in single numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moment {
    pub k: usize,
    /// N_k, the epoch's batches.
    pub batches: usize,
    pub s_abs: f64,
    pub s_sq: f64,
    pub s_f: f64,
    /// m before the epoch; `None` of methods whose rewind point does not look for a minimum.
    pub min_before: Option<f64>,
    pub k_star: usize,
    pub alpha: f64,
    pub tau: f64,
    pub chunk_quantiles: Vec<f64>,
    pub t: usize,
    pub test_accuracy: f64,
    /// How many weights live after the epoch.
    pub alive: usize,
    /// The weight that is followed.
    pub followed: Option<Followed>,
}

/// One weight in an epoch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Followed {
    /// g_ij, batch by batch.
    pub gradients: Vec<f64>,
    /// G_j.
    pub g: f64,
    pub before: f64,
    pub after: f64,
    /// w_j*.
    pub w_star: f64,
    pub was_alive: bool,
    pub selected: bool,
    pub is_alive: bool,
}

/// All of W at the end of the last epoch that was watched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Whole {
    pub g: Vec<f64>,
    pub before: Vec<f64>,
    pub after: Vec<f64>,
    pub w_star: Vec<f64>,
    pub was_alive: Vec<bool>,
    pub selected: Vec<bool>,
    pub is_alive: Vec<bool>,
}

/// What was seen of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Watched {
    pub hyper: Hyperparameters,
    pub reading: Reading,
    pub precision: Dtype,
    /// Every epoch so far.
    pub moments: Vec<Moment>,
    pub whole: Whole,
    /// The weight that is followed.
    pub place: Option<Place>,
    gradients: Vec<f64>,
}

/// Which weight is followed through a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Example {
    None,
    /// As [`Place`] is written.
    Named(String),
    /// At a position of the flattened W.
    At(usize),
}

impl Example {
    /// The weight among these.
    ///
    /// # Errors
    /// As [`Place::parse`].
    fn place<S: Scalar>(&self, w: &Weights<S>) -> Result<Option<Place>> {
        match self {
            Self::None => Ok(None),
            Self::Named(text) => Place::parse(text, &w.parameters, w.set()).map(Some),
            Self::At(flat) => Ok(Place::at(*flat, &w.parameters, w.set())),
        }
    }
}

/// Watches a run up to an epoch.
pub struct Watch {
    seen: Arc<Mutex<Watched>>,
    entry: &'static Entry,
    example: Example,
    last: usize,
    stop: &'static AtomicBool,
}

impl Watch {
    /// Watches a run of this configuration to the end of epoch `last`, after which it has it end through `stop`. What is
    /// seen is in `seen`.
    pub fn new(
        config: &Config,
        example: Example,
        last: usize,
        seen: &Arc<Mutex<Watched>>,
        stop: &'static AtomicBool,
    ) -> Self {
        let (hyper, reading, precision) = (config.hyper, config.reading, config.precision);
        *lock(seen) = Watched { hyper, reading, precision, ..Watched::default() };
        Self { seen: Arc::clone(seen), entry: config.method.entry(), example, last, stop }
    }

    /// What the story tells under this tensor's name.
    fn told<'s, S: Scalar>(&self, story: &'s Story<S>, tensor: &str) -> Option<&'s Told<S>> {
        let quantity = self.entry.quantities.iter().find(|quantity| quantity.tensor == Some(tensor))?;
        story.get(quantity)
    }

    fn real<S: Scalar>(&self, story: &Story<S>, tensor: &str) -> Option<f64> {
        match self.told(story, tensor)? {
            Told::Real(x) => Some(*x),
            Told::Number(x) => Some(x.to_f64()),
            _ => None,
        }
    }

    fn count<S: Scalar>(&self, story: &Story<S>, tensor: &str) -> usize {
        if let Some(Told::Count(n)) = self.told(story, tensor) { *n } else { 0 }
    }

    fn numbers<S: Scalar>(&self, story: &Story<S>, tensor: &str) -> Vec<f64> {
        match self.told(story, tensor) {
            Some(Told::Numbers(all) | Told::PerWeight(all)) => all.iter().map(|x| x.to_f64()).collect(),
            _ => Vec::new(),
        }
    }

    fn flags<S: Scalar>(&self, story: &Story<S>, tensor: &str) -> Vec<bool> {
        if let Some(Told::Flags(flags)) = self.told(story, tensor) { flags.clone() } else { Vec::new() }
    }

    fn whole<S: Scalar>(&self, event: &EpochEvent<S>) -> Whole {
        let weights = &event.state.weights;
        let flat = |parameters: &Parameters<S>| weights.set().gather(parameters).iter().map(|x| x.to_f64()).collect();
        let after: Vec<f64> = flat(&weights.parameters);
        let w_star = self.numbers(event.story, "rewind");
        Whole {
            g: self.numbers(event.story, "G"),
            before: event.weights_before.map_or_else(Vec::new, flat),
            // As an alias W_k* is the live weights.
            w_star: if w_star.is_empty() { after.clone() } else { w_star },
            after,
            was_alive: self.flags(event.story, "mask_before"),
            selected: self.flags(event.story, "selected"),
            is_alive: self.flags(event.story, "mask"),
        }
    }

    fn batch<S: Scalar>(&self, event: &BatchEvent<S>) -> Result<()> {
        let mut seen = lock(&self.seen);
        if event.batch == 0 {
            seen.gradients.clear();
        }
        if seen.place.is_none() {
            seen.place = self.example.place(event.weights)?;
        }
        let flat = seen.place.as_ref().map(|place| place.flat);
        let segment = event.weights.set().segments().iter().find(|s| flat.is_some_and(|flat| s.range.contains(&flat)));
        let gradient = segment.zip(flat).and_then(|(segment, flat)| {
            let gradient = event.gradients.of(segment.parameter)?;
            gradient.iter().nth(flat - segment.range.start).map(|g| g.to_f64())
        });
        seen.gradients.push(gradient.unwrap_or(0.0));
        Ok(())
    }

    fn epoch<S: Scalar>(&self, event: &EpochEvent<S>) {
        let (story, k) = (event.story, event.record.epoch);
        let whole = self.whole(event);
        let mut seen = lock(&self.seen);
        let at = |values: &[f64], j: usize| values.get(j).copied().unwrap_or_default();
        let is = |flags: &[bool], j: usize| flags.get(j).copied().unwrap_or_default();
        let gradients = std::mem::take(&mut seen.gradients);
        let batches = gradients.len();
        let followed = seen.place.as_ref().map(|&Place { flat: j, .. }| Followed {
            gradients,
            g: at(&whole.g, j),
            before: at(&whole.before, j),
            after: at(&whole.after, j),
            w_star: at(&whole.w_star, j),
            was_alive: is(&whole.was_alive, j),
            selected: is(&whole.selected, j),
            is_alive: is(&whole.is_alive, j),
        });
        let real = |tensor| self.real(story, tensor).unwrap_or(f64::NAN);
        seen.moments.push(Moment {
            k,
            batches,
            s_abs: real("S_abs"),
            s_sq: real("S_sq"),
            s_f: real("S_F"),
            min_before: self.real(story, "min_before"),
            k_star: self.count(story, "k_star"),
            alpha: real("alpha"),
            tau: real("tau"),
            chunk_quantiles: self.numbers(story, "chunk_quantiles"),
            t: self.count(story, "t"),
            test_accuracy: event.record.test_accuracy,
            alive: whole.is_alive.iter().filter(|&&alive| alive).count(),
            followed,
        });
        seen.whole = whole;
        if k >= self.last {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl<S: Scalar> Observer<S> for Watch {
    fn wants_tensors(&self) -> bool {
        true
    }

    fn wants_gradients(&self) -> bool {
        true
    }

    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        self.batch(event)
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        self.epoch(event);
        Ok(())
    }
}

impl Watched {
    /// The last epoch.
    ///
    /// # Errors
    /// [`Error::Domain`] if there was none.
    pub fn last(&self) -> Result<&Moment> {
        self.moments.last().ok_or_else(|| Error::domain("--epoch", "an epoch of the run", "none that was trained"))
    }

    /// The weight that shows an epoch best: one that the epoch eliminates, else one that it selects, else the first.
    pub fn telling(&self) -> usize {
        let Whole { was_alive, selected, is_alive, .. } = &self.whole;
        let eliminated = was_alive.iter().zip(is_alive).position(|(was, is)| *was && !*is);
        let rewound = selected.iter().zip(is_alive).position(|(selected, alive)| *selected && *alive);
        eliminated.or(rewound).unwrap_or(0)
    }
}

/// Nobody who holds it panics; if somebody did, what he left is still what was seen.
fn lock(seen: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
