//! Alg. 1's update as `torch.optim.SGD` makes it, in the port's dtype, and the cosine schedule.

use super::fault::Fault;
use super::method::Port;
use super::optimizer::Rule;

impl Port<'_> {
    /// One step of every parameter; then the mask.
    pub fn step(&mut self, (epoch, batch): (usize, usize), gradients: &[Vec<f64>]) {
        let unit = self.config.arithmetic.unit();
        let hyper = &self.config.hyper;
        let (mu, decay) = (unit.round(hyper.momentum), unit.round(hyper.weight_decay));
        let lr = unit.round(self.learning_rate(epoch, batch));
        for (p, gradient) in gradients.iter().enumerate() {
            let is_weight = self.config.parameters[p].prunable;
            let decays = is_weight || !self.config.optimizer.decays_weights_only;
            let decay = if decays { decay } else { 0.0 };
            for (j, &gradient) in gradient.iter().enumerate() {
                if self.config.optimizer.rule != Rule::Sgd {
                    self.adam((p, j), gradient, (lr, decay));
                    continue;
                }
                let (w, b) = (self.weights[p][j], self.buffers[p][j]);
                let decays = decay != 0.0
                    && match self.fault {
                        Fault::DecoupledWeightDecay => false,
                        Fault::WeightDecayOfWeightsOnly => is_weight,
                        _ => true,
                    };
                let g = if decays { unit.mul_add(decay, w, gradient) } else { gradient };
                let g = if self.fault == Fault::LearningRateInMomentum { unit.mul(lr, g) } else { g };
                let b = match self.fault {
                    _ if self.steps == 0 => g,
                    Fault::Dampening => unit.mul_add(mu, b, unit.mul(unit.sub(1.0, mu), g)),
                    _ => unit.mul_add(mu, b, g),
                };
                let change = match self.fault {
                    Fault::LearningRateInMomentum => unit.div(b, lr),
                    Fault::Ascent => -b,
                    fault if self.config.optimizer.nesterov != (fault == Fault::Nesterov) => unit.mul_add(mu, b, g),
                    _ => b,
                };
                let shrunk = match self.fault {
                    Fault::DecoupledWeightDecay => unit.sub(w, unit.mul(unit.mul(lr, decay), w)),
                    _ => w,
                };
                self.buffers[p][j] = b;
                self.weights[p][j] = unit.mul_add(-lr, change, shrunk);
            }
        }
        self.steps += 1;
        if !matches!(self.fault, Fault::RevivedByMomentum | Fault::MaskAtEpochEnd) {
            self.mask_weights();
        }
    }

    /// 0 wherever a weight was eliminated.
    pub fn mask_weights(&mut self) {
        for (position, start, end) in self.config.segments() {
            for (w, &alive) in self.weights[position].iter_mut().zip(&self.mask[start..end]) {
                *w = if alive { *w } else { 0.0 };
            }
        }
    }

    /// The schedule's rate at the epoch, counted from 0, or at the step.
    fn learning_rate(&self, epoch: usize, batch: usize) -> f64 {
        let epochs = self.config.hyper.epochs;
        if self.fault == Fault::LearningRateQuarterCosine {
            return self.config.hyper.lr * libm::cos(0.5 * std::f64::consts::PI * epoch as f64 / epochs as f64);
        }
        let epoch = match self.fault {
            Fault::LearningRateOfPreviousEpoch => epoch.saturating_sub(1),
            Fault::LearningRateOfNextEpoch => epoch + 1,
            Fault::LearningRateConstant => 0,
            _ => epoch,
        };
        let (at, total) = match self.config.reading.get("learning_rate") {
            "per-step" => (epoch * self.config.batches + batch, epochs * self.config.batches),
            _ if self.fault == Fault::LearningRateOverKMinus1 => (epoch, epochs - 1),
            _ if self.fault == Fault::SchedulerSteppedEachBatch => (epoch * self.config.batches + batch, epochs),
            _ => (epoch, epochs),
        };
        self.scheduled(at, total)
    }
}
