//! The run: batches, then Alg. 4, 5 and 6 at the end of every epoch.

use super::arithmetic::Precision;
use super::fault::Fault;
use super::gradients::Gradients;
use super::record::{Batch, Epoch, Trace};
use super::settings::{Config, Store};

/// The port's state between batches and epochs.
pub struct Port<'a> {
    pub config: &'a Config,
    pub fault: Fault,
    pub weights: Vec<Vec<f64>>,
    pub buffers: Vec<Vec<f64>>,
    /// Adam's second moments.
    pub seconds: Vec<Vec<f64>>,
    pub steps: usize,
    /// Flat over W: true where a weight is alive.
    pub mask: Vec<bool>,
    pub minimum: f64,
    pub k_star: i64,
    pub rewind: Vec<Vec<f64>>,
    pub start_of_epoch: Vec<Vec<f64>>,
    pub previous: Option<Epoch>,
}

/// Trains as `config` says, but for `fault`.
pub fn run(config: &Config, fault: Fault) -> Trace {
    let dtype = config.arithmetic.unit();
    let init = |(p, parameter): (usize, &super::Parameter)| -> Vec<f64> {
        let mut w = Gradients::initial_weights(config.seed, p, parameter.len());
        // Where gradients are 0, weights stay what they are here until Eq. 9 meets them.
        for (j, w) in w.iter_mut().enumerate() {
            *w = match j % 11 {
                3 => config.planted,
                7 => -config.planted,
                9 if j % 2 == 0 => 0.0,
                _ => *w,
            };
        }
        w.into_iter().map(|w| dtype.round(w)).collect()
    };
    let weights: Vec<Vec<f64>> = config.parameters.iter().enumerate().map(init).collect();
    let mut port = Port {
        config,
        fault,
        buffers: weights.iter().map(|w| vec![0.0; w.len()]).collect(),
        seconds: weights.iter().map(|w| vec![0.0; w.len()]).collect(),
        steps: 0,
        mask: vec![true; config.weights()],
        minimum: if fault == Fault::MinimumStartsFinite { 0.0 } else { f64::INFINITY },
        k_star: 0,
        rewind: weights.clone(),
        start_of_epoch: weights.clone(),
        previous: None,
        weights,
    };
    let init = port.weights.clone();
    let epochs = (0..config.trained)
        .map(|index| {
            let epoch = port.epoch(index);
            port.previous = Some(epoch.clone());
            epoch
        })
        .collect();
    Trace { init, epochs }
}

impl Port<'_> {
    fn epoch(&mut self, index: usize) -> Epoch {
        self.start_of_epoch = self.weights.clone();
        if self.fault == Fault::MomentumReset {
            self.buffers.iter_mut().flatten().for_each(|b| *b = 0.0);
        }
        let mut epoch = Epoch { k: index + self.config.origin(), mask_before: self.mask.clone(), ..Epoch::default() };
        for i in 0..self.config.batches {
            let batch = self.batch((index, i));
            if !(self.fault == Fault::LastStepSkipped && i + 1 == self.config.batches) {
                let gradients = self.stepped(&batch);
                self.step((index, i), &gradients);
            }
            epoch.batches.push(batch);
        }
        if self.fault == Fault::MaskAtEpochEnd {
            self.mask_weights();
        }
        epoch.weights_before = self.weights.clone();
        self.end_of_epoch(&mut epoch);
        epoch
    }

    /// One batch's gradients: as used, as recorded, and as they enter the statistics.
    fn batch(&self, (epoch, i): (usize, usize)) -> Batch {
        let config = self.config;
        let unit = config.arithmetic.unit();
        let stored = match config.recording.gradients {
            Store::Dtype => config.arithmetic.dtype,
            Store::As(precision) => precision,
        };
        let round_each = |values: Vec<f64>, precision: Precision| -> Vec<f64> {
            values.into_iter().map(|x| precision.round(x)).collect()
        };
        let hold = |exact: Vec<f64>| {
            let mut used = round_each(exact, config.arithmetic.dtype);
            if config.recording.uses_recorded_gradients {
                used = round_each(used, stored);
            } else if stored == Precision::F16 {
                // A relative distance, which is what u_in declares, holds among normal numbers only.
                let least = libm::ldexp(1.0, stored.least_exponent());
                used.iter_mut().filter(|g| g.abs() < least).for_each(|g| *g = 0.0);
            }
            used
        };
        let gradient = |(p, w): (usize, &Vec<f64>)| hold(config.gradients.of(config.seed, (epoch, i, p), w));
        let mut used: Vec<Vec<f64>> = self.weights.iter().enumerate().map(gradient).collect();
        if config.optimizer.clips_first {
            used = self.clipped(&used).into_iter().map(hold).collect();
        }
        let mut recorded: Vec<Vec<f64>> = used.iter().map(|g| round_each(g.clone(), stored)).collect();
        let is_dense = config.reading.is("masked_gradient", "dense");
        let masked = |values: Vec<f64>| -> Vec<f64> {
            let keep = |(x, &alive): (f64, &bool)| if alive || is_dense { x } else { 0.0 };
            values.into_iter().zip(&self.mask).map(keep).collect()
        };
        if config.recording.masks_gradients {
            let flat = masked(config.flat(&recorded));
            config.unflatten(&flat, &mut recorded);
        }
        let summed = masked(config.flat(&used));
        let squared = match config.reading.get("gradient") {
            "loss" => summed.clone(),
            _ => {
                let decay = unit.round(config.hyper.weight_decay);
                let w = config.flat(&self.weights);
                masked(config.flat(&used).iter().zip(&w).map(|(&g, &w)| unit.mul_add(decay, w, g)).collect())
            }
        };
        let squared = match self.fault {
            Fault::GOfMomentum => self.momentum(&used),
            Fault::GOfClipped => config.flat(&self.clipped(&used)),
            Fault::GOfPenaltyWithoutHalf => {
                let w = config.flat(&self.weights);
                summed.iter().zip(&w).map(|(&g, &w)| g + 2.0 * config.hyper.weight_decay * w).collect()
            }
            Fault::GOfScaledLoss => summed.iter().map(|g| 1024.0 * g).collect(),
            _ => squared,
        };
        let full = config.hyper.batch_size;
        let first = i * full;
        let keeps = config.reading.is("last_batch", "keep");
        let last_is_short = usize::from(keeps && i + 1 == config.batches && config.hyper.batch_size > 1);
        let mut indices: Vec<i64> = (first..first + full - last_is_short).map(|sample| sample as i64).collect();
        if self.fault == Fault::LastBatchDropped {
            // Of half a batch more than there is room for, other samples are left out in every epoch.
            let samples = config.batches * full + full / 2;
            indices = (first..first + full).map(|sample| ((sample + epoch) % samples) as i64).collect();
        }
        let weights = self.weights.clone();
        Batch { indices, loss: config.gradients.loss(epoch, i), weights, recorded, used, squared, summed }
    }

    /// What the step takes of a batch's gradients.
    fn stepped(&self, batch: &Batch) -> Vec<Vec<f64>> {
        if self.fault == Fault::StepsTakeScaledGradients {
            return batch.used.iter().map(|g| g.iter().map(|g| g / 8.0).collect()).collect();
        }
        let optimizer = &self.config.optimizer;
        if optimizer.clip.is_none() || optimizer.clips_first {
            return batch.used.clone();
        }
        // Whoever records masked gradients masks them before they are clipped.
        let mut seen = batch.used.clone();
        if self.config.recording.masks_gradients {
            self.config.unflatten(&batch.summed, &mut seen);
        }
        self.clipped(&seen)
    }

    /// The momentum buffer that this batch's step will leave.
    fn momentum(&self, used: &[Vec<f64>]) -> Vec<f64> {
        let unit = self.config.arithmetic.unit();
        let next = |(b, g): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
            b.iter().zip(g).map(|(&b, &g)| unit.mul_add(self.config.hyper.momentum, b, g)).collect()
        };
        self.config.flat(&self.buffers.iter().zip(used).map(next).collect::<Vec<_>>())
    }

    fn end_of_epoch(&mut self, epoch: &mut Epoch) {
        let before = self.config.reading.is("rewind_update", "before-pruning");
        epoch.g = self.g(epoch);
        epoch.s_abs = self.s_abs(epoch);
        epoch.s_sq = self.s_sq(epoch);
        epoch.s_f = self.s_f(epoch);
        epoch.min_before = self.minimum;
        epoch.draw = self.draw(epoch.k - self.config.origin());
        let old_k_star = self.k_star;
        if before {
            let weights = self.weights.clone();
            self.update_rewind(epoch, &weights);
        }
        if self.fault == Fault::MinimumRecordedAfter {
            epoch.min_before = self.minimum;
        }
        epoch.alpha = self.alpha(epoch.k);
        epoch.chunk_quantiles = self.chunk_quantiles(epoch);
        epoch.tau = self.tau(epoch);
        epoch.selected = self.selected(epoch);
        let k_star = if self.fault == Fault::StepOfStaleRewind { old_k_star } else { self.k_star };
        epoch.t = self.decay_step(epoch.k, k_star);
        let rewind_before = self.rewind.clone();
        self.prune(epoch);
        if !before {
            let weights = self.weights.clone();
            self.update_rewind(epoch, &weights);
        }
        epoch.k_star = self.k_star;
        epoch.rewind = match self.config.reading.get("rewind_copy") {
            "alias" if self.config.recording.rewind_after_pruning => self.weights.clone(),
            "alias" => epoch.weights_before.clone(),
            _ if before => rewind_before,
            _ => self.rewind.clone(),
        };
        self.spoil_rewind();
        epoch.weights_after = self.weights.clone();
        epoch.mask = self.mask.clone();
    }

    /// Line 2 of Alg. 6.
    fn decay_step(&self, k: usize, k_star: i64) -> i64 {
        let k = k as i64;
        let t = match self.config.reading.get("decay_step") {
            "k-k*" => k - k_star,
            "constant" => 1,
            "epoch" => k,
            "iteration" => self.steps as i64,
            "rewind-epoch" => k_star,
            other => unreachable!("{other} is not in the table"),
        };
        match self.fault {
            Fault::StepPlusOne => t + 1,
            Fault::StepPlusRewind => k + k_star,
            Fault::StepMinusOne => (t - 1).max(0),
            Fault::StepAlwaysZero => 0,
            Fault::StepFromZero => self.previous.as_ref().map_or(0, |previous| previous.t + 1),
            _ => t,
        }
    }
}
