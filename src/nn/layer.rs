//! [`Layer`]: a network as a tree of layers, walked to list parameters and to run forward.

use super::changes::ResidualLayer;
use super::flow::{Flow, Mode, Passed};
use super::parameter::{Init, Role, Spec};
use crate::error::{Error, Result};
use crate::kernel::Window;
use crate::op::{List, list};
use crate::ops::{
    AdaptiveAvgPool2d, Add, AvgPool2d, BatchNorm, ChannelShuffle, Concat, Conv2d, Flatten, Linear, MaxPool2d, Mul, Pad,
    Relu, Sigmoid, Silu, Split, StridedSlice,
};
use crate::scalar::Scalar;
use crate::tape::Var;

/// The share of the newest batch in the running statistics (PyTorch's default).
pub const BATCH_NORM_MOMENTUM: f64 = 0.1;

/// The axis of channels in `[n,c,h,w]`.
const CHANNELS: usize = 1;

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
        /// The constant added to the variance.
        eps: f64,
    },
    Relu,
    /// x sigmoid(x), also called swish.
    Silu,
    Sigmoid,
    MaxPool {
        kernel: usize,
        stride: usize,
    },
    /// Mean over windows; padding counts as zeros.
    AvgPool {
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    /// Mean over h and w: `[n,c,1,1]`.
    GlobalAveragePool,
    /// `[n, ..]` to `[n, the product of the others]`.
    Flatten,
    /// He et al.'s option A shortcut: every `step`-th pixel, `channels` zero channels on either side.
    ZeroPaddedShortcut {
        step: usize,
        channels: usize,
    },
    ChannelShuffle {
        groups: usize,
    },
    /// In training each entry is zero with probability `p`, and the others are divided by 1 - p (Srivastava et al.
    /// 2014).
    Dropout {
        p: f64,
    },
    /// In training each sample is zero with probability `p`, and the others are divided by 1 - p: on a residual branch,
    /// the stochastic depth of Huang et al. 2016.
    StochasticDepth {
        p: f64,
    },
    Identity,
    /// Layers in order; a name is one component of the parameters' names, `""` adds none.
    Sequence(Vec<(String, Layer)>),
    /// Layers side by side, at least one, their outputs joined.
    Branches {
        feed: Feed,
        branches: Vec<(String, Layer)>,
        join: Join,
    },
}

/// What each of [`Layer::Branches`] gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// All of the input.
    Same,
    /// Its own part of the channels; one size a branch.
    Split(Vec<usize>),
}

/// How the outputs of [`Layer::Branches`] become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Added up, the first first: a residual connection.
    Sum,
    /// Multiplied, with broadcasting: a gate.
    Product,
    /// One after another along the channels.
    Concat,
}

impl Layer {
    /// A sequence from names and layers.
    pub fn sequence<N: Into<String>>(layers: impl IntoIterator<Item = (N, Layer)>) -> Self {
        Self::Sequence(named(layers))
    }

    /// Layers that all get the input.
    pub fn branches<N: Into<String>>(join: Join, branches: impl IntoIterator<Item = (N, Layer)>) -> Self {
        Self::Branches { feed: Feed::Same, branches: named(branches), join }
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
            Self::BatchNorm { channels, .. } => [
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

    /// Adds the parameters of the layer, which is at `path`, and of its children.
    pub(super) fn collect_specs(&self, path: &mut String, specs: &mut Vec<Spec>) {
        for (name, role, shape, init) in self.own_specs() {
            let outside = descend(path, name);
            specs.push(Spec { name: path.clone(), role, shape, init });
            path.truncate(outside);
        }
        for (name, child) in self.children() {
            let outside = descend(path, name);
            child.collect_specs(path, specs);
            path.truncate(outside);
        }
    }

    /// The layers directly within.
    pub(crate) fn children(&self) -> &[(String, Layer)] {
        match self {
            Self::Sequence(children) | Self::Branches { branches: children, .. } => children,
            _ => &[],
        }
    }

    pub(super) fn children_mut(&mut self) -> &mut [(String, Layer)] {
        match self {
            Self::Sequence(children) | Self::Branches { branches: children, .. } => children,
            _ => &mut [],
        }
    }

    /// How many parameters and buffers it has itself.
    pub(super) fn own_parameters(&self) -> usize {
        self.own_specs().len()
    }

    /// Adds the sums of branches, in the order in which a pass comes to them; `parameters` are before the layer.
    pub(super) fn collect_residual(&self, parameters: &mut usize, layers: &mut Vec<ResidualLayer>) {
        let (first, position) = (*parameters, layers.len());
        let sum = match self {
            Self::Branches { branches, join: Join::Sum, .. } => Some(branches),
            _ => None,
        };
        if let Some(branches) = sum {
            let can_be_left_out = branches.iter().any(|(_, branch)| matches!(branch, Self::Identity));
            layers.push(ResidualLayer { can_be_left_out, parameters: first..first });
        }
        *parameters += self.own_parameters();
        self.children().iter().for_each(|(_, child)| child.collect_residual(parameters, layers));
        if sum.is_some() {
            layers[position].parameters = first..*parameters;
        }
    }

    /// Counts what a pass leaves behind that leaves the layer out.
    fn pass_by(&self, passed: &mut Passed) {
        passed.parameters += self.own_parameters();
        passed.weights += usize::from(matches!(self, Self::Linear { .. } | Self::Conv2d { .. }));
        passed.residuals += usize::from(matches!(self, Self::Branches { join: Join::Sum, .. }));
        self.children().iter().for_each(|(_, child)| child.pass_by(passed));
    }

    /// Runs the layer on `x`; `name` is its name within the layer around it. Where `x` `is_free`, nobody else takes it: it may
    /// be written over, and is released.
    pub(super) fn forward<S: Scalar>(&self, flow: &mut Flow<S>, name: &str, x: Var, is_free: bool) -> Result<Var> {
        let outside = descend(&mut flow.path, name);
        flow.tape.enter(&flow.path);
        let y = self.apply(flow, x, is_free)?;
        flow.path.truncate(outside);
        if is_free && y != x {
            flow.tape.release(x);
        }
        Ok(y)
    }

    fn apply<S: Scalar>(&self, flow: &mut Flow<S>, x: Var, is_free: bool) -> Result<Var> {
        match self {
            Self::Linear { inputs, .. } => first(&flow.with_weight(Linear, x, true, *inputs)?),
            Self::Conv2d { inputs, window, bias, .. } => {
                first(&flow.with_weight(Conv2d { window: *window }, x, *bias, *inputs)?)
            }
            Self::BatchNorm { eps, .. } => {
                let training = flow.mode == Mode::Training;
                let op = BatchNorm { training, eps: *eps, momentum: BATCH_NORM_MOMENTUM };
                let outputs = flow.with_parameters(op, x, 4)?;
                // Outputs 1 and 2 of training are the updated running statistics, the last two parameters taken.
                let statistics = outputs.iter().skip(1).enumerate();
                statistics.for_each(|(i, &var)| flow.buffers[flow.passed.parameters - 2 + i] = Some(var));
                first(&outputs)
            }
            Self::Relu if is_free => first(&flow.tape.apply_over(Relu, &[x])?),
            Self::Relu => flow.tape.apply_one(Relu, &[x]),
            Self::Silu => flow.tape.apply_one(Silu, &[x]),
            Self::Sigmoid => flow.tape.apply_one(Sigmoid, &[x]),
            Self::MaxPool { kernel, stride } => {
                let op = MaxPool2d { kernel: [*kernel; 2], stride: [*stride; 2], padding: [0; 2] };
                flow.tape.apply_one(op, &[x])
            }
            Self::AvgPool { kernel, stride, padding } => {
                let (kernel, stride, padding) = ([*kernel; 2], [*stride; 2], [*padding; 2]);
                flow.tape.apply_one(AvgPool2d { kernel, stride, padding, count_include_pad: true }, &[x])
            }
            Self::GlobalAveragePool => flow.tape.apply_one(AdaptiveAvgPool2d, &[x]),
            Self::Flatten => flow.tape.apply_one(Flatten { start_dim: 1 }, &[x]),
            Self::ZeroPaddedShortcut { step, channels } => {
                let sliced = flow.tape.apply_one(StridedSlice { step: *step }, &[x])?;
                let pads = list![[0, 0], [*channels; 2], [0, 0], [0, 0]];
                let padded = flow.tape.apply_one(Pad { pads, value: 0.0 }, &[sliced])?;
                flow.tape.release(sliced);
                Ok(padded)
            }
            Self::ChannelShuffle { groups } => flow.tape.apply_one(ChannelShuffle { groups: *groups }, &[x]),
            Self::Dropout { p } => flow.drop_entries(*p, x),
            Self::StochasticDepth { p } => flow.drop_samples(*p, x),
            Self::Identity => Ok(x),
            Self::Sequence(layers) => {
                let mut value = x;
                for (name, layer) in layers {
                    value = layer.forward(flow, name, value, is_free || value != x)?;
                }
                Ok(value)
            }
            Self::Branches { join: Join::Sum, .. } if !flow.enters_residual() => {
                self.pass_by(&mut flow.passed);
                // It has entered this one.
                flow.passed.residuals -= 1;
                Ok(x)
            }
            Self::Branches { feed, branches, join: kind } => {
                let parts = match feed {
                    Feed::Same => list![x; branches.len()],
                    Feed::Split(sizes) => {
                        flow.tape.apply(Split { axis: CHANNELS, sizes: sizes.as_slice().into() }, &[x])?
                    }
                };
                if parts.len() != branches.len() {
                    let expected = format!("{} parts, one a branch", branches.len());
                    return Err(Error::shape("network", flow.path.as_str(), expected, parts.len().to_string()));
                }
                let mut outputs = List::with_capacity(branches.len());
                for ((name, branch), part) in branches.iter().zip(parts) {
                    outputs.push(branch.forward(flow, name, part, part != x)?);
                }
                flow.tape.enter(&flow.path);
                kind.apply(flow, x, &outputs)
            }
        }
    }
}

impl Join {
    /// Joins `parts`, and releases them but for `shared`, which others may take.
    fn apply<S: Scalar>(self, flow: &mut Flow<S>, shared: Var, parts: &[Var]) -> Result<Var> {
        let release = |flow: &mut Flow<S>, part: Var, joined: Var| {
            if part != shared && part != joined {
                flow.tape.release(part);
            }
        };
        if self == Self::Concat {
            let joined = flow.tape.apply_one(Concat { axis: CHANNELS }, parts)?;
            parts.iter().for_each(|&part| release(flow, part, joined));
            return Ok(joined);
        }
        let mut joined = first(parts)?;
        for &part in &parts[1..] {
            let inputs = [joined, part];
            let next = match self {
                Self::Product => flow.tape.apply_one(Mul, &inputs)?,
                _ if joined != shared => first(&flow.tape.apply_over(Add, &inputs)?)?,
                _ => flow.tape.apply_one(Add, &inputs)?,
            };
            inputs.into_iter().for_each(|part| release(flow, part, next));
            joined = next;
        }
        Ok(joined)
    }
}

/// PyTorch's default for linear and convolution layers, weights and biases: uniform within 1 / sqrt(fan_in).
pub(super) fn pytorch_default(fan_in: usize) -> Init {
    Init::Uniform { bound: 1.0 / (fan_in as f64).sqrt() }
}

/// He et al.'s variance 2 / fan_in as a uniform distribution.
pub(super) fn he_uniform(fan_in: usize) -> Init {
    Init::Uniform { bound: (6.0 / fan_in as f64).sqrt() }
}

fn named<N: Into<String>>(layers: impl IntoIterator<Item = (N, Layer)>) -> Vec<(String, Layer)> {
    layers.into_iter().map(|(name, layer)| (name.into(), layer)).collect()
}

fn first(outputs: &[Var]) -> Result<Var> {
    outputs.first().copied().ok_or_else(|| Error::shape("network", "layer", "an output", "none"))
}

/// Goes from a layer to one within it, or to a parameter of its own, by a name that is one component of the path or "". The
/// path goes back by being cut to the length that is returned.
pub(super) fn descend(path: &mut String, name: &str) -> usize {
    let outside = path.len();
    if outside > 0 && !name.is_empty() {
        path.push('.');
    }
    path.push_str(name);
    outside
}
