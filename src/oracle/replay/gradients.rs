//! What needs the batches' gradients: Eq. 1 and 2, and the optimizer's steps. Each gradient is read once.

use super::chain::Replay;
use super::finite::{finite, read_finite};
use super::plan::sgd;
use crate::error::Result;
use crate::kernel::{self, descend};
use crate::paper::gradient_norm::{L1NormSum, SquareSums, mask_gradient};
use crate::paper::reading::{GradientOf, LearningRateStep};
use crate::scalar::{DoubleDouble, Scalar};
use crate::tensor_file::Tensor;
use crate::trace::SgdHyperparameters;
use crate::trace::names::of_parameter;
use crate::train::exact_cosine_learning_rate;

/// One parameter on its way through an epoch's optimizer steps.
struct Descent<'a> {
    weights: Vec<DoubleDouble>,
    /// The momentum, which the next epoch goes on with.
    buffer: &'a mut [DoubleDouble],
    sgd: SgdHyperparameters,
}

impl Descent<'_> {
    /// The gradient of the loss with weight decay added.
    fn with_decay(&self, j: usize, g: f64) -> DoubleDouble {
        DoubleDouble::from(g) + DoubleDouble::from(self.sgd.weight_decay) * self.weights[j]
    }

    /// A step; eliminated weights are held at 0.
    fn step(&mut self, gradient: &[f64], rate: DoubleDouble, alive: Option<&[bool]>) {
        let rule = kernel::Descent {
            learning_rate: rate,
            momentum: DoubleDouble::from(self.sgd.momentum),
            weight_decay: DoubleDouble::from(self.sgd.weight_decay),
            nesterov: false,
        };
        for (j, &g) in gradient.iter().enumerate() {
            if alive.is_some_and(|alive| !alive[j]) {
                self.weights[j] = DoubleDouble::ZERO;
                continue;
            }
            let g = self.with_decay(j, g);
            descend((&mut self.weights[j], &mut self.buffer[j]), g, &rule);
        }
    }
}

/// What an epoch's gradients give.
#[derive(Default)]
pub(super) struct Passed {
    pub(super) s_abs: L1NormSum<f64>,
    /// G, flat over W.
    pub(super) g: Vec<f64>,
    /// The weights at the epoch's end, a parameter each, where they were stepped.
    pub(super) weights: Vec<Option<Vec<f64>>>,
}

impl Replay<'_> {
    /// Reads all gradients of epoch `k`, writes them on, and takes the steps. `alive`: flat over W.
    pub(super) fn pass(&mut self, k: usize, alive: Option<&[bool]>) -> Result<Passed> {
        let mut passed = Passed::default();
        for p in 0..self.trace.parameters().len() {
            let weights = self.pass_parameter(k, p, alive, &mut passed)?;
            passed.weights.push(weights);
        }
        Ok(passed)
    }

    fn pass_parameter(
        &mut self,
        k: usize,
        p: usize,
        alive: Option<&[bool]>,
        passed: &mut Passed,
    ) -> Result<Option<Vec<f64>>> {
        let trace = self.trace;
        let (parameter, batches) = (&trace.parameters()[p], trace.batches(k));
        if !trace.has(&of_parameter(k, "batch/0/grad", parameter)) {
            (0..batches).for_each(|_| self.advance());
            return Ok(None);
        }
        let of_w = p < trace.prunable().len();
        let alive = alive.filter(|_| of_w).map(|alive| &alive[parameter.range.clone()]);
        let decays = trace.header.reading.gradient == GradientOf::LossAndDecay;
        let mut buffer = std::mem::take(&mut self.buffers[p]);
        let mut descent = match &self.weights[p] {
            Some(weights) if self.plan.descends[p] => {
                buffer.resize(parameter.range.len(), DoubleDouble::ZERO);
                let weights = weights.iter().copied().map(DoubleDouble::from).collect();
                Some(Descent { weights, buffer: &mut buffer, sgd: sgd(trace)? })
            }
            _ => None,
        };
        let mut squares = SquareSums::<f64>::new(if of_w { parameter.range.len() } else { 0 });
        for i in 0..batches {
            let name = of_parameter(k, &format!("batch/{i}/grad"), parameter);
            let gradient = read_finite(trace, &name, parameter)?;
            self.sink.put(&name, &Tensor::from_slice(&parameter.shape, &gradient))?;
            self.advance();
            if of_w {
                let mut counted = gradient.clone();
                if let Some(alive) = alive {
                    mask_gradient(&mut counted, alive, trace.header.reading.masked_gradient)?;
                }
                passed.s_abs.add(&counted);
                for (j, &g) in counted.iter().enumerate() {
                    match &descent {
                        // What is masked stays 0: an eliminated weight is 0, and so is its decay.
                        Some(descent) if decays => squares.add(j, descent.with_decay(j, g)),
                        _ => squares.add(j, DoubleDouble::from(g)),
                    }
                }
            }
            let rate = self.rate(k, i);
            if let Some(descent) = &mut descent {
                descent.step(&gradient, rate, alive);
            }
        }
        let stepped = descent.map(|descent| descent.weights.iter().map(|w| w.to_f64()).collect::<Vec<f64>>());
        self.buffers[p] = buffer;
        for j in 0..squares.len() {
            passed.g.push(finite(trace, || of_parameter(k, "G", parameter), (parameter, j), squares.value(j))?);
        }
        if let Some(weights) = &stepped {
            for (j, &w) in weights.iter().enumerate() {
                finite(trace, || of_parameter(k, "weights_before", parameter), (parameter, j), w)?;
            }
        }
        Ok(stepped)
    }

    /// The learning rate of a step (open point 16).
    fn rate(&self, k: usize, i: usize) -> DoubleDouble {
        let Some(sgd) = self.trace.header.sgd else { return DoubleDouble::ZERO };
        let (reading, epochs) = (&self.trace.header.reading, self.trace.header.hyper.epochs);
        let (step, total) = match reading.learning_rate {
            LearningRateStep::PerEpoch => (k - reading.epoch_origin.first(), epochs),
            LearningRateStep::PerStep => (self.steps + i, epochs.saturating_mul(self.trace.batches(k))),
        };
        exact_cosine_learning_rate(sgd.lr, step, total)
    }
}
