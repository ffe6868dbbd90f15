//! A network as a chain of stages, each run forward on balls and back.

use super::Refusal;
use super::balls::{Balls, Terms};
use super::decisions::Decisions;
use super::pooling;
use super::rounding::Rounding;
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Window};
use crate::nn::{Layer, Network};
use crate::oracle::interval::Interval;
use ndarray::{ArrayD, ArrayView, Axis, Dimension, Ix2, Ix4};

/// One layer that has an enclosure.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Linear,
    Conv2d { window: Window, bias: bool },
    Relu,
    MaxPool { kernel: usize, stride: usize },
    Flatten,
}

impl Stage {
    fn parameters(self) -> usize {
        match self {
            Self::Linear => 2,
            Self::Conv2d { bias, .. } => 1 + usize::from(bias),
            Self::Relu | Self::MaxPool { .. } | Self::Flatten => 0,
        }
    }
}

/// The layers of a network that is a chain of layers with an enclosure.
///
/// Batch norm and branches have none: see [the step level](super).
pub(super) struct Chain(Vec<Stage>);

impl Chain {
    pub fn of(network: &Network) -> std::result::Result<Self, Refusal> {
        let mut stages = Vec::new();
        collect(network.name, &network.layer, &mut stages)?;
        Ok(Self(stages))
    }
}

fn collect(network: &str, layer: &Layer, stages: &mut Vec<Stage>) -> std::result::Result<(), Refusal> {
    let stage = match layer {
        Layer::Linear { .. } => Stage::Linear,
        Layer::Conv2d { window, bias, .. } => Stage::Conv2d { window: *window, bias: *bias },
        Layer::Relu => Stage::Relu,
        &Layer::MaxPool { kernel, stride } => Stage::MaxPool { kernel, stride },
        Layer::Flatten => Stage::Flatten,
        Layer::Identity => return Ok(()),
        Layer::Sequence(layers) => return layers.iter().try_for_each(|(_, layer)| collect(network, layer, stages)),
        other => {
            let kind = match other {
                Layer::BatchNorm { .. } => "batch norm",
                Layer::Branches { .. } => "branches",
                _ => "another layer",
            };
            return Err(Refusal::Layer { network: network.to_string(), kind });
        }
    };
    stages.push(stage);
    Ok(())
}

/// One forward pass, ready to go back.
pub(super) struct Pass<'a> {
    rounding: &'a Rounding,
    parameters: &'a [Balls],
    /// Each stage, its input, and the position of its first parameter.
    steps: Vec<(Stage, Balls, usize)>,
    pub decisions: Decisions,
}

impl<'a> Pass<'a> {
    /// Runs `chain` on `x` `[n, c, h, w]`, which the caller has checked, and returns the logits `[n, classes]`.
    ///
    /// # Errors
    /// [`Refusal::Unbounded`] where the first numbers have no bound: nothing may be decided on them.
    pub fn forward(
        chain: &Chain,
        rounding: &'a Rounding,
        parameters: &'a [Balls],
        x: Balls,
    ) -> std::result::Result<(Self, Balls), Refusal> {
        let mut pass = Self { rounding, parameters, steps: Vec::new(), decisions: Decisions::default() };
        let (mut x, mut next) = (x.bounded(|| "the inputs".to_string())?, 0);
        for (i, &stage) in chain.0.iter().enumerate() {
            if stage.parameters() > 0 {
                x = x.read(rounding, rounding.operand);
            }
            let y = pass.stage(stage, &x, next)?.bounded(|| format!("the output of layer {i}"))?;
            pass.steps.push((stage, x, next));
            (x, next) = (y, next + stage.parameters());
        }
        Ok((pass, x))
    }

    fn stage(&mut self, stage: Stage, x: &Balls, at: usize) -> Result<Balls> {
        let parameter = |i: usize| parameter(self.parameters, at + i);
        Ok(match stage {
            Stage::Linear => {
                let y = Terms::of_products(|x, w| Ok(matmul(of_rank(x)?, of_rank(w)?.t())), x, parameter(0)?)?;
                y.plus(parameter(1)?, self.rounding).settle(self.rounding)
            }
            Stage::Conv2d { window, bias } => {
                let convolve = |x: &_, w: &_| Ok(kernel::conv2d(KERNEL, window, of_rank(x)?, of_rank(w)?).into_dyn());
                let y = Terms::of_products(convolve, x, parameter(0)?)?;
                let y = if bias { y.plus(parameter(1)?, self.rounding) } else { y };
                y.settle(self.rounding)
            }
            // max(x, 0) is monotone
            Stage::Relu => x.map_intervals(|x| Interval { low: x.low.max(0.0), high: x.high.max(0.0) }),
            Stage::MaxPool { kernel, stride } => pooling::forward(x, kernel, stride)?,
            Stage::Flatten => x.clone().reshaped(&flat_shape(x.shape()))?,
        })
    }

    /// The gradient of every parameter, in order, from that of the logits.
    ///
    /// # Errors
    /// [`Refusal::Unbounded`] where the first numbers have no bound.
    pub fn backward(&mut self, dy: Balls) -> std::result::Result<Vec<Balls>, Refusal> {
        let mut gradients: Vec<Vec<Balls>> = Vec::new(); // of the stages from the last on
        let mut dy = dy;
        for (stage, x, at) in std::mem::take(&mut self.steps).into_iter().rev() {
            let wants_dx = at > 0;
            let dx = match stage {
                Stage::Linear | Stage::Conv2d { .. } => {
                    dy = dy.read(self.rounding, self.rounding.operand);
                    let w = parameter(self.parameters, at)?;
                    gradients.push(self.parameter_gradients(stage, &x, &dy, w)?);
                    if !wants_dx {
                        break;
                    }
                    self.input_gradient(stage, &x, &dy, w)?
                }
                Stage::Relu => relu_gradient(&x, &dy, &mut self.decisions),
                Stage::MaxPool { kernel, stride } => {
                    pooling::backward(self.rounding, &x, &dy, [kernel, stride], &mut self.decisions)?
                }
                Stage::Flatten => dy.reshaped(x.shape())?,
            };
            dy = dx.bounded(|| "a gradient within the network".to_string())?;
        }
        Ok(gradients.into_iter().rev().flatten().collect())
    }

    /// The gradient of a stage's weight, and of its bias where it has one.
    fn parameter_gradients(&self, stage: Stage, x: &Balls, dy: &Balls, w: &Balls) -> Result<Vec<Balls>> {
        let dw = match stage {
            Stage::Conv2d { window, .. } => {
                let shape = extents(w)?;
                let of = |x: &_, dy: &_| {
                    Ok(kernel::conv2d_weight_gradient(KERNEL, window, of_rank(x)?, of_rank(dy)?, shape).into_dyn())
                };
                Terms::of_products(of, x, dy)?
            }
            _ => Terms::of_products(|x, dy| Ok(matmul(of_rank(dy)?.t(), of_rank(x)?)), x, dy)?,
        };
        let mut gradients = vec![dw.settle(self.rounding)];
        if stage.parameters() > 1 {
            gradients.push(Terms::of(channel_sums, dy)?.settle(self.rounding));
        }
        Ok(gradients)
    }

    fn input_gradient(&self, stage: Stage, x: &Balls, dy: &Balls, w: &Balls) -> Result<Balls> {
        let dx = match stage {
            Stage::Conv2d { window, .. } => {
                let shape = extents(x)?;
                let of = |dy: &_, w: &_| {
                    Ok(kernel::conv2d_input_gradient(KERNEL, window, of_rank(dy)?, of_rank(w)?, shape).into_dyn())
                };
                Terms::of_products(of, dy, w)?
            }
            _ => Terms::of_products(|dy, w| Ok(matmul(of_rank(dy)?, of_rank(w)?)), dy, w)?,
        };
        Ok(dx.settle(self.rounding))
    }
}

/// Every kernel's sums are within the bound for any order; this is the quick one.
const KERNEL: Kernel = Kernel::Fast;

/// dy where x > 0, exactly 0 where x <= 0, and anything from 0 to dy where x may be either.
fn relu_gradient(x: &Balls, dy: &Balls, decisions: &mut Decisions) -> Balls {
    decisions.all += x.shape().iter().product::<usize>();
    let (mut inputs, zero) = (x.intervals(), Interval::exact(0.0));
    dy.map_intervals(|dy| match inputs.next() {
        Some(x) if x.low > 0.0 => dy,
        Some(x) if x.high <= 0.0 => zero,
        _ => {
            decisions.ambiguous += 1;
            dy.hull(zero)
        }
    })
}

fn parameter(parameters: &[Balls], i: usize) -> Result<&Balls> {
    let missing = || Error::shape("step", "parameters", format!("more than {i}"), format!("{}", parameters.len()));
    parameters.get(i).ok_or_else(missing)
}

fn matmul(a: ArrayView<f64, Ix2>, b: ArrayView<f64, Ix2>) -> ArrayD<f64> {
    kernel::matmul(KERNEL, a, b).into_dyn()
}

/// The sums over everything but axis 1: dy `[n,o]` or `[n,o,h,w]` -> `[o]`.
fn channel_sums(dy: &ArrayD<f64>) -> Result<ArrayD<f64>> {
    let image = match dy.ndim() {
        2 => dy.view().insert_axis(Axis(2)).insert_axis(Axis(3)),
        _ => dy.view(),
    };
    Ok(kernel::channel_sums(KERNEL, of_rank_view(image)?).into_dyn())
}

fn flat_shape(shape: &[usize]) -> [usize; 2] {
    [shape[0], shape[1..].iter().product()]
}

/// A view of the rank that a stage needs; the networks' own shape checks come before, so this one does not fail.
fn of_rank<D: Dimension>(x: &ArrayD<f64>) -> Result<ArrayView<'_, f64, D>> {
    of_rank_view(x.view())
}

fn of_rank_view<D: Dimension>(x: ndarray::ArrayViewD<'_, f64>) -> Result<ArrayView<'_, f64, D>> {
    let found = format!("shape {:?}", x.shape());
    let rank = D::NDIM.unwrap_or_default();
    x.into_dimensionality().map_err(|_| Error::shape("step", "array", format!("rank {rank}"), found))
}

fn extents(x: &Balls) -> Result<[usize; 4]> {
    let dim = of_rank::<Ix4>(&x.centre)?.dim();
    Ok(dim.into())
}
