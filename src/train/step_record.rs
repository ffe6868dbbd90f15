//! [`StepRecord`]: what an observer is told of a step that it wants, in the order in which the step goes.

use super::observer::{Observer, StepEvent};
use super::step::diverged;
use super::{Run, State};
use crate::error::Result;
use crate::method::{Gradients, Scribe, Sparsifier, Story};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::weights::{Stepping, Weights};
use ndarray::ArrayD;

/// A step that is recorded.
pub(super) struct StepRecord<S: Scalar> {
    t: usize,
    is_update: bool,
    learning_rate: f64,
    /// The slot of the weights that are trained, where the network computes with others.
    trained: Option<&'static str>,
    before: Weights<S>,
    gradients: Vec<Option<ArrayD<S>>>,
    between: Parameters<S>,
}

impl<S: Scalar> StepRecord<S> {
    /// Before the step; `None` if nobody wants it.
    pub fn begin(
        t: usize,
        is_update: bool,
        learning_rate: f64,
        weights: &mut Stepping<S>,
        sparsifier: &dyn Sparsifier<S>,
        observers: &[&mut dyn Observer<S>],
    ) -> Option<Self> {
        if !observers.iter().any(|observer| observer.wants_step(t, is_update)) {
            return None;
        }
        let (before, between) = (weights.whole().clone(), Parameters::new(Vec::new()));
        let trained = sparsifier.trained();
        Some(Self { t, is_update, learning_rate, trained, before, gradients: Vec::new(), between })
    }

    /// After the backward pass.
    pub fn gradients(&mut self, gradients: Gradients<S>) {
        let all = 0..gradients.parameters.len();
        self.gradients = all.map(|i| gradients.of(i).map(|gradient| gradient.into_owned())).collect();
    }

    /// After the step's first part.
    pub fn between(&mut self, weights: &Weights<S>) {
        self.between = weights.parameters.clone();
    }

    /// After the step.
    pub fn end(self, after: &Weights<S>, story: &Story<S>, observers: &mut [&mut dyn Observer<S>]) -> Result<()> {
        let event = StepEvent {
            t: self.t,
            is_update: self.is_update,
            learning_rate: Some(self.learning_rate),
            trained: self.trained,
            before: &self.before,
            gradients: &self.gradients,
            between: &self.between,
            after,
            story,
        };
        tell(&event, observers)
    }
}

/// The observers, told of events that are no steps.
pub(super) struct Listeners<'a, 'o, S: Scalar>(pub &'a mut [&'o mut dyn Observer<S>]);

impl<S: Scalar> Scribe<S> for Listeners<'_, '_, S> {
    fn wants(&self, t: usize, is_update: bool) -> bool {
        self.0.iter().any(|observer| observer.wants_step(t, is_update))
    }

    fn write(&mut self, t: usize, story: &Story<S>) -> Result<()> {
        self.0.iter_mut().try_for_each(|observer| observer.on_told(t, story))
    }
}

fn tell<S: Scalar>(event: &StepEvent<S>, observers: &mut [&mut dyn Observer<S>]) -> Result<()> {
    let wanting = observers.iter_mut().filter(|observer| observer.wants_step(event.t, event.is_update));
    wanting.into_iter().try_for_each(|observer| observer.on_step(event))
}

impl Run<'_> {
    /// Whether nothing of the run is done.
    pub(super) fn is_at_start<S: Scalar>(&self, state: &State<S>) -> bool {
        state.steps == self.config.start.as_ref().map_or(0, |start| start.step)
    }

    /// What the method does before training, told as the step 0 of a method that has no other.
    pub(super) fn begin<S: Scalar>(&self, state: &mut State<S>, observers: &mut [&mut dyn Observer<S>]) -> Result<()> {
        let mut story = Story::new(observers.iter().any(|observer| observer.wants_step(0, true)));
        let before = story.recorded.then(|| state.weights.clone());
        let began = state.sparsifier.begin(self, &mut state.weights, &mut story);
        began.map_err(|error| diverged(error, self.config.reading.epoch_origin.first(), 0))?;
        let Some(before) = before else { return Ok(()) };
        let event = StepEvent {
            t: 0,
            is_update: true,
            learning_rate: None,
            trained: None,
            before: &before,
            gradients: &[],
            between: &before.parameters,
            after: &state.weights,
            story: &story,
        };
        observers.iter_mut().try_for_each(|observer| observer.on_begin(&event))
    }
}
