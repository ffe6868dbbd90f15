//! The training loop: batches, gradients, optimizer, and at the end of every epoch the method and the test set.

use super::held_out::Samples;
use super::observer::{BatchEvent, EpochEvent, EpochRecord, Observer};
use super::peak::peak_memory;
use super::step::diverged;
use super::step_record::{Listeners, StepRecord};
use super::{Run, Sgd, State, Step, Within, cosine_learning_rate};
use crate::data::Batch;
use crate::error::{Error, Result};
use crate::kernel::buffer;
use crate::method::{At, Gradients, Length, Measured, Needs, Record, Sparsifier, Story};
use crate::nn::{Mode, Network, Parameters};
use crate::ops::CrossEntropy;
use crate::paper::reading::{Evaluation, LearningRateStep};
use crate::random::{Purpose, stream};
use crate::scalar::Scalar;
use crate::weights::Stepping;
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::thread::{self, Scope};
use std::time::Duration;

impl Run<'_> {
    /// Trains until `config.hyper.epochs` epochs are completed, telling `observers` as it goes.
    ///
    /// # Errors
    /// [`Error::NonFinite`] if a loss or gradient stops being finite, [`Error::Interrupted`] if stopped from
    /// outside, what a GPU fails at, and whatever an observer reports.
    pub fn train<S: Scalar>(&self, state: &mut State<S>, observers: &mut [&mut dyn Observer<S>]) -> Result<()> {
        let work = || -> Result<()> {
            if self.is_at_start(state) {
                self.begin(state, observers)?;
            }
            while state.epochs < self.config.hyper.epochs {
                thread::scope(|scope| self.epoch(scope, state, observers))?;
            }
            Ok(())
        };
        self.config.kernel.install(|| self.pool.install(work))?;
        observers.iter_mut().try_for_each(|observer| observer.on_end())
    }

    /// Trains one epoch, telling `observers`: what [`train`](Self::train) does until the last one, once a method has had its say
    /// before the first batch.
    ///
    /// # Errors
    /// As [`train`](Self::train).
    pub fn train_epoch<S: Scalar>(&self, state: &mut State<S>, observers: &mut [&mut dyn Observer<S>]) -> Result<()> {
        self.pool.install(|| thread::scope(|scope| self.epoch(scope, state, observers)))
    }

    /// One epoch, whose batches a thread of `scope` prepares.
    fn epoch<'scope, S: Scalar>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        state: &mut State<S>,
        observers: &mut [&mut dyn Observer<S>],
    ) -> Result<()> {
        let config = self.config;
        let k = state.epochs + config.reading.epoch_origin.first();
        let recorded = observers.iter().any(|observer| observer.wants_tensors());
        let started = (self.clock)();
        let gradients = observers.iter().any(|observer| observer.wants_gradients());
        let at = |steps, learning_rate| At { epoch: k, steps, learning_rate, recorded };
        let first_rate = self.learning_rate(state.epochs, state.steps, self.batches_per_epoch());
        let held_out = Samples { run: self, k };
        state.sparsifier.between_epochs(
            at(state.steps, first_rate),
            &held_out,
            &mut state.weights,
            &mut Listeners(observers),
        )?;
        state.sparsifier.begin_epoch(at(state.steps, first_rate), &mut state.weights);
        let needs = state.sparsifier.needs();
        let form = config.execution.form::<S>(config.kernel, config.optimizer.batch_size, &needs, gradients);
        let mut stepping = state.weights.stepping(form);
        stepping.store(false)?;
        let steps = Steps { k, index: state.epochs, within: state.within, needs, at: &at };
        let trained = self.batches(scope, &mut stepping, &mut *state.sparsifier, &mut state.steps, observers, steps);
        let bytes = stepping.bytes();
        // What steps share lies idle from here on, and the method needs memory of its own.
        buffer::clear();
        drop(stepping);
        let Trained { loss_sum, samples, batches, macs } = trained?;
        let mut seconds = self.seconds_since(started);

        let evaluate_first = config.reading.evaluation == Evaluation::BeforePruning;
        let accuracy_before = if evaluate_first { Some(self.accuracy(&state.weights.parameters)?) } else { None };
        let weights_before = recorded.then(|| state.weights.parameters.clone());
        let pruning = (self.clock)();
        let mut story = Story::new(recorded);
        let last_rate = self.learning_rate(state.epochs, state.steps.saturating_sub(1), batches);
        let ended = state.sparsifier.end_of_epoch(at(state.steps, last_rate), &mut state.weights, &mut story);
        ended.map_err(|error| diverged(error, k, batches.saturating_sub(1)))?;
        seconds += self.seconds_since(pruning);
        config.kernel.check()?;
        let test_accuracy = match accuracy_before {
            Some(accuracy) => accuracy,
            None => self.accuracy(&state.weights.parameters)?,
        };
        state.epochs += 1;
        state.within = Within::default();
        let record = EpochRecord {
            method: config.method.entry().name.to_string(),
            epoch: k,
            loss: loss_sum / samples.max(1) as f64,
            test_accuracy,
            sparsity: story.sparsity.unwrap_or_else(|| state.weights.sparsity()),
            numbers: story.numbers(),
            learning_rate: last_rate,
            seconds,
            effective_flops: Some(2 * macs),
            bytes: Some(bytes as u64),
            layers: state.weights.layer_sparsities(),
            measured: Measured {
                peak_memory: config.outputs.record.contains(&Record::Memory).then(peak_memory).flatten(),
                ..story.measured.clone()
            },
        };
        let event = EpochEvent { record: &record, state, story: &story, weights_before: weights_before.as_ref() };
        observers.iter_mut().try_for_each(|observer| observer.on_epoch(&event))
    }

    fn seconds_since(&self, moment: Duration) -> f64 {
        (self.clock)().saturating_sub(moment).as_secs_f64()
    }

    /// The epoch's steps.
    fn batches<'scope, S: Scalar>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        weights: &mut Stepping<S>,
        sparsifier: &mut dyn Sparsifier<S>,
        steps: &mut usize,
        observers: &mut [&mut dyn Observer<S>],
        epoch: Steps,
    ) -> Result<Trained> {
        let (config, Steps { k, index, within, needs, at }) = (self.config, epoch);
        let optimizer = Sgd::new(&config.optimizer, config.reading.decayed);
        let mut noise = stream(config.seed, Purpose::Dropout, index);
        noise.set_word_pos(within.noise.into());
        let loader = self.loader(index);
        let batches = loader.batches();
        let mut network = Cow::Borrowed(&self.network);
        let mut step_macs = network.step_multiply_accumulates(&weights.parameters)?;
        let (mut loss_sum, mut samples, mut macs) = (0.0, 0, 0);
        for (i, Batch { indices, x, labels }) in loader.start::<S>(scope)?.enumerate().skip(within.batches) {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted { epoch: k });
            }
            let (t, rate) = (*steps, self.learning_rate(index, *steps, batches));
            let mine = sparsifier.step_needs(t);
            let mut record = StepRecord::begin(t, mine.is_update, rate, weights, sparsifier, observers);
            let mut story = Story::new(record.is_some());
            if mine.before {
                let acted = sparsifier.update_first(at(t, rate), weights.whole(), &mut story);
                acted.map_err(|error| diverged(error, k, i))?;
            }
            if let Some(record) = record.as_mut().filter(|_| mine.updates_first) {
                record.between(weights.whole());
            }
            let is_stored_anew = weights.store(mine.dead_gradients || record.is_some())?;
            let within = Within { batches: i, noise: noise.get_word_pos() as u64 };
            if needs.changes {
                sparsifier.before_step(at(t, rate), &mut network.to_mut().changes);
            }
            if is_stored_anew || needs.changes {
                step_macs = network.step_multiply_accumulates(&weights.parameters)?;
            }
            let mut step = self.step(&network, &weights.parameters, x, labels, &mut noise, (k, i))?;
            let loss = step.loss.to_f64();
            loss_sum += loss * indices.len() as f64;
            samples += indices.len();
            macs += step_macs as u64 * indices.len() as u64;
            let gradients = Gradients { parameters: &weights.parameters, stored: &step.gradients };
            let event = BatchEvent {
                epoch: k,
                batch: i,
                batches,
                indices: &indices,
                loss,
                gradients,
                steps: t,
                within,
                weights: &**weights,
                sparsifier: &*sparsifier,
            };
            observers.iter_mut().try_for_each(|observer| observer.on_batch(&event))?;
            if let Some(record) = &mut record {
                record.gradients(gradients);
            }
            sparsifier.after_backward(at(t, rate), gradients, weights);
            let spoilt = if mine.skips_step {
                step.non_finite(&weights.parameters)
            } else {
                let spoilt = optimizer.step(config.kernel, weights, &step.gradients, rate, &needs);
                spoilt.and_then(|p| step.non_finite_gradient(&weights.parameters, p))
            };
            if let Some((quantity, value)) = spoilt {
                return Err(Error::non_finite(quantity, (k, i), value));
            }
            step.move_buffers(&mut weights.parameters);
            step.recycle();
            *steps += 1;
            if let Some(record) = record.as_mut().filter(|_| !mine.updates_first) {
                record.between(weights.whole());
            }
            if mine.after {
                let acted = sparsifier.after_step(at(*steps, rate), weights.whole(), &mut story);
                acted.map_err(|error| diverged(error, k, i))?;
            }
            config.kernel.check()?;
            if let Some(record) = record {
                record.end(weights.whole(), &story, observers)?;
            }
        }
        Ok(Trained { loss_sum, samples, batches, macs })
    }

    /// The learning rate of an epoch or a step (open point 16).
    pub(super) fn learning_rate(&self, epoch: usize, step: usize, steps_per_epoch: usize) -> f64 {
        let base = self.config.optimizer.learning_rate;
        let epochs = self.config.hyper.epochs;
        let length = Length { epochs, steps_per_epoch };
        if let Some(factor) = self.config.schedule.factor(step, length) {
            return base * factor;
        }
        match self.config.reading.learning_rate {
            LearningRateStep::PerEpoch => cosine_learning_rate(base, epoch, epochs),
            LearningRateStep::PerStep => cosine_learning_rate(base, step, epochs * steps_per_epoch),
        }
    }

    /// What training minimises, of samples with these labels.
    pub(super) fn loss(&self, labels: Vec<usize>) -> CrossEntropy {
        CrossEntropy { labels, label_smoothing: self.config.label_smoothing }
    }

    /// One batch's pass, its loss finite. (Whether the gradients are is seen when the optimizer takes them.)
    fn step<S: Scalar>(
        &self,
        network: &Network,
        parameters: &Parameters<S>,
        x: ArrayD<S>,
        labels: Vec<usize>,
        noise: &mut ChaCha8Rng,
        at: (usize, usize),
    ) -> Result<Step<S>> {
        let kernel = self.config.kernel;
        let step = Step::compute(network, kernel, parameters, x, self.loss(labels), Mode::Training, Some(noise))?;
        match step.non_finite_loss() {
            None => Ok(step),
            Some((quantity, value)) => Err(Error::non_finite(quantity, at, value)),
        }
    }
}

/// What the steps of an epoch know.
struct Steps<'a> {
    k: usize,
    /// The epoch, counted from 0.
    index: usize,
    /// What of it is done.
    within: Within,
    needs: Needs,
    at: &'a dyn Fn(usize, f64) -> At,
}

/// What an epoch's steps come to.
struct Trained {
    /// The sum of the samples' losses.
    loss_sum: f64,
    samples: usize,
    batches: usize,
    /// Multiply-accumulates.
    macs: u64,
}
