//! [`Layer`]: a network as a tree of layers, walked to list parameters, to run forward, and to be described.

use super::parameter::{Init, Parameters, Role, Spec};
use crate::error::Result;
use crate::kernel::Window;
use crate::op::Op;
use crate::ops::{AdaptiveAvgPool2d, Add, BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, Pad, Relu, StridedSlice};
use crate::scalar::Scalar;
use crate::tape::{Tape, Var};

/// Batch norm's constant added to the variance (PyTorch's default).
const BATCH_NORM_EPS: f64 = 1e-5;
/// The share of the newest batch in the running statistics (PyTorch's default).
const BATCH_NORM_MOMENTUM: f64 = 0.1;

/// Training uses batch statistics and wants gradients; evaluation uses running statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Training,
    /// Running statistics, but gradients wanted: what `probe --eval` asks for.
    EvaluationWithGradients,
    Evaluation,
}

impl Mode {
    pub(super) fn trains(self) -> bool {
        self != Self::Evaluation
    }
}

/// A layer, or a composition of layers.
#[derive(Debug, Clone)]
pub enum Layer {
    Linear {
        inputs: usize,
        outputs: usize,
    },
    Conv2d {
        inputs: usize,
        outputs: usize,
        kernel: [usize; 2],
        window: Window,
        bias: bool,
        init: Init,
    },
    BatchNorm {
        channels: usize,
    },
    Relu,
    MaxPool {
        kernel: usize,
        stride: usize,
    },
    /// Mean over h and w, then flattened to `[n, c]`.
    GlobalAveragePool,
    Flatten,
    /// He et al.'s option A shortcut: every `step`-th pixel, `channels` zero channels on either side.
    ZeroPaddedShortcut {
        step: usize,
        channels: usize,
    },
    Identity,
    /// Layers in order; a name is one component of the parameters' names, `""` adds none.
    Sequence(Vec<(String, Layer)>),
    /// `relu(body(x) + shortcut(x))`.
    Residual {
        body: Box<Layer>,
        shortcut: Box<Layer>,
    },
}

/// One line of a network's description.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSummary {
    pub name: String,
    pub kind: &'static str,
    /// Without the batch axis.
    pub output: Vec<usize>,
    pub parameters: usize,
    /// Multiply-accumulates of linear and convolution layers for one sample.
    pub macs: usize,
}

/// What a forward pass carries from layer to layer.
pub(super) struct Flow<'t, 'p, S: Scalar> {
    pub tape: &'t mut Tape<'p, S>,
    pub parameters: &'p Parameters<S>,
    pub leaves: &'t [Var],
    pub mode: Mode,
    /// The next parameter in `state_dict` order.
    pub next: usize,
    pub buffers: Vec<(usize, Var)>,
}

impl<S: Scalar> Flow<'_, '_, S> {
    /// The next `count` parameters' leaves; the scope is named after the first of them.
    fn take(&mut self, count: usize) -> Vec<Var> {
        let name = self.parameters[self.next].name.as_str();
        self.tape.enter(name.rsplit_once('.').map_or(name, |(layer, _)| layer));
        self.next += count;
        self.leaves[self.next - count..self.next].to_vec()
    }

    fn with_parameters<O: Op>(&mut self, op: O, x: Var, count: usize) -> Result<Vec<Var>> {
        let mut inputs = vec![x];
        inputs.extend(self.take(count));
        self.tape.apply(op, &inputs)
    }
}

impl Layer {
    /// A sequence from names and layers.
    pub fn sequence<N: Into<String>>(layers: impl IntoIterator<Item = (N, Layer)>) -> Self {
        Self::Sequence(layers.into_iter().map(|(name, layer)| (name.into(), layer)).collect())
    }

    /// The layer's own parameters (not its children's): last name component, role, shape, initial value.
    fn own_specs(&self) -> Vec<(&'static str, Role, Vec<usize>, Init)> {
        match self {
            Self::Linear { inputs, outputs } => {
                let init = pytorch_default(*inputs);
                vec![
                    ("weight", Role::Weight, vec![*outputs, *inputs], init),
                    ("bias", Role::Bias, vec![*outputs], init),
                ]
            }
            Self::Conv2d { inputs, outputs, kernel: [kh, kw], window, bias, init } => {
                let fan_in = inputs / window.groups * kh * kw;
                let shape = vec![*outputs, inputs / window.groups, *kh, *kw];
                let mut specs = vec![("weight", Role::Weight, shape, *init)];
                if *bias {
                    specs.push(("bias", Role::Bias, vec![*outputs], pytorch_default(fan_in)));
                }
                specs
            }
            Self::BatchNorm { channels } => [
                ("weight", Role::Scale, 1.0),
                ("bias", Role::Shift, 0.0),
                ("running_mean", Role::RunningMean, 0.0),
                ("running_var", Role::RunningVariance, 1.0),
            ]
            .map(|(name, role, value)| (name, role, vec![*channels], Init::Constant(value)))
            .to_vec(),
            _ => Vec::new(),
        }
    }

    pub(super) fn collect_specs(&self, prefix: &str, specs: &mut Vec<Spec>) {
        for (name, role, shape, init) in self.own_specs() {
            specs.push(Spec { name: join(prefix, name), role, shape, init });
        }
        self.for_each_child(|name, child| child.collect_specs(&join(prefix, name), specs));
    }

    fn for_each_child(&self, mut visit: impl FnMut(&str, &Self)) {
        match self {
            Self::Sequence(layers) => layers.iter().for_each(|(name, layer)| visit(name, layer)),
            Self::Residual { body, shortcut } => {
                visit("", body);
                visit("shortcut", shortcut);
            }
            _ => {}
        }
    }

    pub(super) fn forward<S: Scalar>(&self, flow: &mut Flow<S>, x: Var) -> Result<Var> {
        match self {
            Self::Linear { .. } => first(flow.with_parameters(Linear, x, 2)?, x),
            Self::Conv2d { window, bias, .. } => {
                first(flow.with_parameters(Conv2d { window: *window }, x, 1 + usize::from(*bias))?, x)
            }
            Self::BatchNorm { .. } => {
                let training = flow.mode == Mode::Training;
                let op = BatchNorm { training, eps: BATCH_NORM_EPS, momentum: BATCH_NORM_MOMENTUM };
                let outputs = flow.with_parameters(op, x, 4)?;
                // Outputs 1 and 2 of training are the updated running statistics, the last two parameters taken.
                let buffers = outputs.iter().skip(1).enumerate().map(|(i, &var)| (flow.next - 2 + i, var));
                flow.buffers.extend(buffers);
                first(outputs, x)
            }
            Self::Relu => flow.tape.apply_one(Relu, &[x]),
            Self::MaxPool { kernel, stride } => {
                let op = MaxPool2d { kernel: [*kernel; 2], stride: [*stride; 2], padding: [0; 2] };
                flow.tape.apply_one(op, &[x])
            }
            Self::GlobalAveragePool => {
                let pooled = flow.tape.apply_one(AdaptiveAvgPool2d, &[x])?;
                flow.tape.apply_one(Flatten { start_dim: 1 }, &[pooled])
            }
            Self::Flatten => flow.tape.apply_one(Flatten { start_dim: 1 }, &[x]),
            Self::ZeroPaddedShortcut { step, channels } => {
                let sliced = flow.tape.apply_one(StridedSlice { step: *step }, &[x])?;
                flow.tape.apply_one(zero_channels(*channels), &[sliced])
            }
            Self::Identity => Ok(x),
            Self::Sequence(layers) => layers.iter().try_fold(x, |x, (_, layer)| layer.forward(flow, x)),
            Self::Residual { body, shortcut } => {
                let main = body.forward(flow, x)?;
                let skip = shortcut.forward(flow, x)?;
                let sum = flow.tape.apply_one(Add, &[main, skip])?;
                flow.tape.apply_one(Relu, &[sum])
            }
        }
    }

    /// The output shape for an input of shape `x` (batch axis included), adding a line for every leaf layer.
    pub(super) fn summarise(&self, prefix: &str, x: &[usize], rows: &mut Vec<LayerSummary>) -> Result<Vec<usize>> {
        let shapes: Vec<Vec<usize>> = self.own_specs().into_iter().map(|(_, _, shape, _)| shape).collect();
        let with_own = |count: usize| -> Vec<&[usize]> {
            std::iter::once(x).chain(shapes.iter().take(count).map(Vec::as_slice)).collect()
        };
        let (kind, out): (&'static str, Vec<Vec<usize>>) = match self {
            Self::Linear { .. } => ("linear", Linear.out_shapes(&with_own(2))?),
            Self::Conv2d { window, .. } => ("conv2d", Conv2d { window: *window }.out_shapes(&with_own(2))?),
            Self::BatchNorm { .. } => ("batch norm", vec![x.to_vec()]),
            Self::Relu => ("relu", vec![x.to_vec()]),
            Self::MaxPool { kernel, stride } => {
                let op = MaxPool2d { kernel: [*kernel; 2], stride: [*stride; 2], padding: [0; 2] };
                ("max pool", op.out_shapes(&[x])?)
            }
            Self::GlobalAveragePool => ("global average pool", vec![x.iter().take(2).copied().collect()]),
            Self::Flatten => ("flatten", Flatten { start_dim: 1 }.out_shapes(&[x])?),
            Self::ZeroPaddedShortcut { step, channels } => {
                let sliced = StridedSlice { step: *step }.out_shapes(&[x])?;
                let sliced: Vec<&[usize]> = sliced.iter().map(Vec::as_slice).collect();
                ("zero-padded shortcut", zero_channels(*channels).out_shapes(&sliced)?)
            }
            Self::Identity => return Ok(x.to_vec()),
            Self::Sequence(layers) => {
                return layers
                    .iter()
                    .try_fold(x.to_vec(), |x, (name, layer)| layer.summarise(&join(prefix, name), &x, rows));
            }
            Self::Residual { body, shortcut } => {
                let out = body.summarise(prefix, x, rows)?;
                shortcut.summarise(&join(prefix, "shortcut"), x, rows)?;
                ("add, relu", vec![out])
            }
        };
        let out = out.into_iter().next().unwrap_or_default();
        let parameters = self
            .own_specs()
            .iter()
            .filter(|spec| spec.1.is_trained())
            .map(|spec| spec.2.iter().product::<usize>())
            .sum();
        // Each output entry of a linear or convolution layer takes one multiply-accumulate per weight of its filter.
        let macs = match self {
            Self::Linear { .. } | Self::Conv2d { .. } => {
                shapes[0][1..].iter().product::<usize>() * out.iter().product::<usize>()
            }
            _ => 0,
        };
        let output = out[1..].to_vec();
        rows.push(LayerSummary { name: prefix.to_string(), kind, output, parameters, macs });
        Ok(out)
    }
}

/// PyTorch's default for linear and convolution layers, weights and biases: uniform within 1 / sqrt(fan_in).
pub(super) fn pytorch_default(fan_in: usize) -> Init {
    Init::Uniform { bound: 1.0 / (fan_in as f64).sqrt() }
}

/// He et al.'s variance 2 / fan_in as a uniform distribution. Uniform because its draws are the same bits on every
/// platform, which the tails of common normal samplers are not.
pub(super) fn he_uniform(fan_in: usize) -> Init {
    Init::Uniform { bound: (6.0 / fan_in as f64).sqrt() }
}

fn zero_channels(channels: usize) -> Pad {
    Pad { pads: vec![[0, 0], [channels, channels], [0, 0], [0, 0]], value: 0.0 }
}

fn first(outputs: Vec<Var>, otherwise: Var) -> Result<Var> {
    Ok(outputs.first().copied().unwrap_or(otherwise))
}

fn join(prefix: &str, name: &str) -> String {
    match (prefix, name) {
        ("", name) => name.to_string(),
        (prefix, "") => prefix.to_string(),
        (prefix, name) => format!("{prefix}.{name}"),
    }
}
