//! [`Sparsifier`]: a method at work in a run, and what it is told and asked.

use super::{Fields, Story};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::nn::{Changes, Parameter, Parameters};
use crate::scalar::Scalar;
use crate::select::update::InactiveMomentum;
use crate::weights::{Weights, append_row_major};
use ndarray::{ArrayD, CowArray, IxDyn};

/// Where training is.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// k, counted from the reading's epoch origin.
    pub epoch: usize,
    /// Optimizer steps completed since the run began.
    pub steps: usize,
    /// Of the step under way, or of the last one.
    pub learning_rate: f64,
    /// Whether someone records the method's quantities in full.
    pub recorded: bool,
}

/// What a method needs of all steps of an epoch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// G of Eq. 2: to what the optimizer's pass adds the square of every gradient.
    pub squares: Option<Squares>,
    /// Whether eliminated weights' gradients are needed.
    pub dead_gradients: bool,
    /// What becomes of the momentum of an eliminated weight.
    pub inactive_momentum: InactiveMomentum,
    /// Whether the method itself moves W: the optimizer moves other parameters only.
    pub moves_w: bool,
    /// Whether [`Sparsifier::before_step`] is to be called.
    pub changes: bool,
}

/// What a method needs of one step. By default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepNeeds {
    /// Whether [`Sparsifier::update_first`] is to be called: all weights then lie in their own shapes.
    pub before: bool,
    /// Whether the update comes before the step: what lies between the two is there before the forward pass.
    pub updates_first: bool,
    /// Whether the gradients of eliminated weights are needed.
    pub dead_gradients: bool,
    /// Whether the optimizer takes no step.
    pub skips_step: bool,
    /// Whether [`Sparsifier::after_step`] is to be called: all weights then lie in their own shapes.
    pub after: bool,
    /// Whether the step is one of those that the method's schedule makes an update.
    pub is_update: bool,
}

/// Where squared gradients are summed.
#[derive(Debug, Clone, Copy)]
pub struct Squares {
    /// The [slot](crate::weights::Slot).
    pub slot: &'static str,
    /// Whether weight decay is part of the gradient.
    pub with_decay: bool,
}

/// The gradients of a batch's loss, before weight decay.
#[derive(Debug, Clone, Copy)]
pub struct Gradients<'a, S: Scalar> {
    pub parameters: &'a Parameters<S>,
    /// In the order of the parameters, as they are stored; `None` for buffers.
    pub stored: &'a [Option<ArrayD<S>>],
}

impl<'a, S: Scalar> Gradients<'a, S> {
    /// The gradient of the `i`-th parameter in the parameter's own shape; `None` for a buffer. It may be 0 where a weight
    /// is eliminated, unless someone needs it there.
    pub fn of(&self, i: usize) -> Option<CowArray<'a, S, IxDyn>> {
        let (gradient, parameter): (_, &Parameter<S>) = (self.stored.get(i)?.as_ref()?, &self.parameters[i]);
        Some(parameter.in_full(gradient))
    }

    /// That of W, flattened.
    pub fn over(&self, w: &Weights<S>) -> Vec<S> {
        let mut all = Vec::new();
        self.write_over(w, &mut all);
        all
    }

    /// The same in the place of what `all` holds, whose memory is used again.
    pub fn write_over(&self, w: &Weights<S>, all: &mut Vec<S>) {
        all.clear();
        all.reserve(w.len());
        let of_w = w.set().segments().iter().filter_map(|segment| self.of(segment.parameter));
        of_w.for_each(|gradient| append_row_major(all, &gradient));
    }
}

/// What a method may look at before training: the training samples, and the network on them.
pub trait Lab<S: Scalar> {
    /// The training samples in a random order, and each one's class.
    fn samples(&self) -> Vec<(usize, usize)>;

    /// The gradient of the mean loss on these samples, flattened over W.
    ///
    /// # Errors
    /// [`Error::NonFinite`](crate::Error::NonFinite) if the loss is not finite.
    fn gradient(&self, w: &Weights<S>, samples: &[usize]) -> Result<Vec<S>>;

    /// New first weights, flattened over W.
    fn fresh(&self, w: &Weights<S>) -> Vec<S>;

    /// H g of the mean loss of logits divided by `temperature` on these samples, flattened over W, with g over all trained
    /// parameters of W: exact but for rounding, as dual numbers through the backward pass give it.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    fn hessian_gradient(&self, w: &Weights<S>, samples: &[usize], temperature: f64) -> Result<Vec<S>>;
}

/// The samples of the training set that no step sees, where a method has an option `held_out`.
pub trait HeldOut<S: Scalar> {
    /// The share of them that the network classifies rightly with these parameters.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::Error::Interrupted) if the run is stopped from outside.
    fn accuracy(&self, parameters: &Parameters<S>) -> Result<f64>;

    /// What the run computes with.
    fn kernel(&self) -> Kernel;
}

/// Who writes down what a method tells of events that are no steps of the optimizer.
pub trait Scribe<S: Scalar> {
    /// Whether anyone wants event `t`, which is an update of the method's or is not.
    fn wants(&self, t: usize, is_update: bool) -> bool;

    /// Writes event `t` down.
    ///
    /// # Errors
    /// Whatever should end the run.
    fn write(&mut self, t: usize, story: &Story<S>) -> Result<()>;
}

/// A method at work in a run. It owns no array over W but flags, and what lies between the hooks of one step: all others are
/// slots of the [`Weights`].
pub trait Sparsifier<S: Scalar>: Send {
    /// What it needs of the epoch's steps.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// What it needs of the step of index `t`.
    fn step_needs(&self, _t: usize) -> StepNeeds {
        StepNeeds::default()
    }

    /// The slot of the weights that are trained, where the network computes with others.
    fn trained(&self) -> Option<&'static str> {
        None
    }

    /// Before the first step of a run, once, told as a story.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step); those of the [`Lab`].
    fn begin(&mut self, _lab: &dyn Lab<S>, _w: &mut Weights<S>, _story: &mut Story<S>) -> Result<()> {
        Ok(())
    }

    /// Before an epoch, with what may be asked of the samples that are held out.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step); those of [`HeldOut`] and of [`Scribe`].
    fn between_epochs(
        &mut self,
        _at: At,
        _held_out: &dyn HeldOut<S>,
        _w: &mut Weights<S>,
        _scribe: &mut dyn Scribe<S>,
    ) -> Result<()> {
        Ok(())
    }

    /// Before an epoch's first step.
    fn begin_epoch(&mut self, _at: At, _w: &mut Weights<S>) {}

    /// Before a step's forward pass, where it is [needed](StepNeeds::before): the update of a method whose update comes first.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step).
    fn update_first(&mut self, _at: At, _w: &mut Weights<S>, _story: &mut Story<S>) -> Result<()> {
        Ok(())
    }

    /// Before every step's forward pass of an epoch for which it is [needed](Needs::changes): what the step changes in the
    /// network.
    fn before_step(&mut self, _at: At, _changes: &mut Changes) {}

    /// After every batch's backward pass, before the optimizer's step.
    fn after_backward(&mut self, _at: At, _gradients: Gradients<S>, _w: &Weights<S>) {}

    /// After every step for which it is [needed](StepNeeds::after); that step is among those completed.
    ///
    /// # Errors
    /// [`Error::NonFinite`](crate::Error::NonFinite) or [`Error::Domain`](crate::Error::Domain) if a quantity of the method
    /// is not finite.
    fn after_step(&mut self, _at: At, _w: &mut Weights<S>, _story: &mut Story<S>) -> Result<()> {
        Ok(())
    }

    /// After an epoch's last step, told as a story.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step).
    fn end_of_epoch(&mut self, _at: At, _w: &mut Weights<S>, _story: &mut Story<S>) -> Result<()> {
        Ok(())
    }

    /// What checkpoints hold of it beside masks and slots.
    fn save(&self) -> Fields<S> {
        Fields::default()
    }

    /// Goes on from what [`save`](Self::save) left.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) if that is not of this method on this network.
    fn restore(&mut self, _fields: &Fields<S>) -> Result<()> {
        Ok(())
    }
}
