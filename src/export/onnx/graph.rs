//! [`Graph`]: the layers of a network as ONNX's operators, and its parameters as their initial values.

use crate::error::{Error, Result};
use crate::export::protobuf::Message;
use crate::kernel::Window;
use crate::nn::{Feed, Join, Layer, Network, Parameters};
use crate::scalar::Scalar;

/// Types of numbers.
const FLOAT: i64 = 1;
const INT64: i64 = 7;
/// Types of attributes.
const OF_FLOAT: i64 = 1;
const OF_INT: i64 = 2;
const OF_INTS: i64 = 7;

/// The graph as far as the network is walked.
pub(super) struct Graph<'a, S: Scalar> {
    parameters: &'a Parameters<S>,
    nodes: Vec<Message>,
    initializers: Vec<Message>,
}

/// A tensor between two operators.
#[derive(Clone)]
struct Value {
    name: String,
    channels: usize,
}

impl<'a, S: Scalar> Graph<'a, S> {
    /// `GraphProto` of a network with these parameters.
    ///
    /// # Errors
    /// [`Error::Domain`] if a parameter of the network is missing.
    pub fn of(network: &Network, parameters: &'a Parameters<S>) -> Result<Message> {
        let mut graph = Self { parameters, nodes: Vec::new(), initializers: Vec::new() };
        let [channels, height, width] = network.input;
        let input = Value { name: "input".to_string(), channels };
        let last = graph.walk(&network.layer, "", input)?;
        graph.nodes.push(node("Identity", &[&last.name], "logits", &[]));
        let Self { nodes, initializers, .. } = graph;
        Ok(Message::default()
            .messages(1, &nodes)
            .text(2, network.name)
            .messages(5, &initializers)
            .message(11, &value_info("input", &[channels, height, width]))
            .message(12, &value_info("logits", &[network.classes])))
    }

    /// The operators of a layer at this path, applied to `x`.
    fn walk(&mut self, layer: &Layer, path: &str, x: Value) -> Result<Value> {
        let channels = x.channels;
        Ok(match layer {
            Layer::Linear { outputs, .. } => {
                let inputs = [x.name, self.parameter(path, "weight")?, self.parameter(path, "bias")?];
                self.apply("Gemm", &inputs, &[int("transB", 1)], *outputs)
            }
            Layer::Conv2d { outputs, window, bias, .. } => {
                let mut inputs = vec![x.name, self.parameter(path, "weight")?];
                if *bias {
                    inputs.push(self.parameter(path, "bias")?);
                }
                self.apply("Conv", &inputs, &convolution(window), *outputs)
            }
            Layer::BatchNorm { eps, .. } => {
                let mut inputs = vec![x.name];
                for name in ["weight", "bias", "running_mean", "running_var"] {
                    inputs.push(self.parameter(path, name)?);
                }
                let epsilon = Message::default().text(1, "epsilon").float(2, *eps as f32).int(20, OF_FLOAT);
                self.apply("BatchNormalization", &inputs, &[epsilon], channels)
            }
            Layer::Relu => self.apply("Relu", &[x.name], &[], channels),
            Layer::Sigmoid => self.apply("Sigmoid", &[x.name], &[], channels),
            Layer::Silu => {
                let gate = self.apply("Sigmoid", std::slice::from_ref(&x.name), &[], channels);
                self.apply("Mul", &[x.name, gate.name], &[], channels)
            }
            Layer::MaxPool { kernel, stride } => {
                let attributes = [ints("kernel_shape", &[*kernel; 2]), ints("strides", &[*stride; 2])];
                self.apply("MaxPool", &[x.name], &attributes, channels)
            }
            Layer::AvgPool { kernel, stride, padding } => {
                let attributes = [
                    ints("kernel_shape", &[*kernel; 2]),
                    ints("strides", &[*stride; 2]),
                    ints("pads", &[*padding; 4]),
                    int("count_include_pad", 1),
                ];
                self.apply("AveragePool", &[x.name], &attributes, channels)
            }
            Layer::GlobalAveragePool => self.apply("GlobalAveragePool", &[x.name], &[], channels),
            Layer::Flatten => self.apply("Flatten", &[x.name], &[int("axis", 1)], channels),
            Layer::ZeroPaddedShortcut { step, channels: zeros } => self.shortcut(x, *step, *zeros),
            Layer::ChannelShuffle { groups } => {
                let (size, groups) = (channels / groups.max(&1), *groups);
                let order: Vec<i64> = (0..channels).map(|i| (i % groups * size + i / groups) as i64).collect();
                let order = self.constant(&order);
                self.apply("Gather", &[x.name, order], &[int("axis", 1)], channels)
            }
            Layer::Dropout { .. } | Layer::StochasticDepth { .. } | Layer::Identity => x,
            Layer::Sequence(layers) => {
                let mut value = x;
                for (name, layer) in layers {
                    value = self.walk(layer, &within(path, name), value)?;
                }
                value
            }
            Layer::Branches { feed, branches, join } => {
                let parts = self.fed(feed, branches.len(), x);
                let mut outputs = Vec::with_capacity(branches.len());
                for ((name, branch), part) in branches.iter().zip(parts) {
                    outputs.push(self.walk(branch, &within(path, name), part)?);
                }
                self.joined(*join, outputs)?
            }
        })
    }

    /// Every `step`-th pixel, between `zeros` channels of zeros on either side.
    fn shortcut(&mut self, x: Value, step: usize, zeros: usize) -> Value {
        let mut inputs = vec![x.name];
        for bound in [[0, 0], [i64::MAX; 2], [2, 3], [step as i64; 2]] {
            inputs.push(self.constant(&bound));
        }
        let sliced = self.apply("Slice", &inputs, &[], x.channels);
        let pads = self.constant(&[0, zeros as i64, 0, 0, 0, zeros as i64, 0, 0]);
        self.apply("Pad", &[sliced.name, pads], &[], x.channels + 2 * zeros)
    }

    /// What each of so many branches gets.
    fn fed(&mut self, feed: &Feed, branches: usize, x: Value) -> Vec<Value> {
        let Feed::Split(sizes) = feed else { return vec![x; branches] };
        let lengths: Vec<i64> = sizes.iter().map(|&size| size as i64).collect();
        let lengths = self.constant(&lengths);
        let first = self.nodes.len();
        let name = |i: usize| format!("{first}.{i}");
        let parts: Vec<Value> =
            sizes.iter().enumerate().map(|(i, &channels)| Value { name: name(i), channels }).collect();
        let inputs = Message::default().text(1, &x.name).text(1, &lengths);
        let outputs = parts.iter().fold(inputs, |node, part| node.text(2, &part.name));
        self.nodes.push(outputs.text(4, "Split").message(5, &int("axis", 1)));
        parts
    }

    fn joined(&mut self, join: Join, parts: Vec<Value>) -> Result<Value> {
        let op = match join {
            Join::Concat => {
                let channels = parts.iter().map(|part| part.channels).sum();
                let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
                return Ok(self.apply("Concat", &names, &[int("axis", 1)], channels));
            }
            Join::Sum => "Add",
            Join::Product => "Mul",
        };
        let none = || Error::domain("network", "branches of at least one layer", "none");
        let mut parts = parts.into_iter();
        let first = parts.next().ok_or_else(none)?;
        Ok(parts.fold(first, |sum, part| self.apply(op, &[sum.name, part.name], &[], sum.channels)))
    }

    /// An operator of one output, which is called by its place among the operators.
    fn apply(&mut self, op: &str, inputs: &[String], attributes: &[Message], channels: usize) -> Value {
        let name = self.nodes.len().to_string();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.nodes.push(node(op, &inputs, &name, attributes));
        Value { name, channels }
    }

    /// A parameter by PyTorch's name, under which it is an initial value.
    fn parameter(&mut self, path: &str, name: &str) -> Result<String> {
        let name = within(path, name);
        let missing = || Error::domain("network", format!("the parameter `{name}`"), "none");
        let value = &self.parameters.get(&name).ok_or_else(missing)?.value;
        let bytes: Vec<u8> = value.iter().flat_map(|x| (x.to_f64() as f32).to_le_bytes()).collect();
        self.initializers.push(tensor(&name, value.shape(), FLOAT, &bytes));
        Ok(name)
    }

    /// Whole numbers as an initial value.
    fn constant(&mut self, numbers: &[i64]) -> String {
        let name = format!("constant.{}", self.initializers.len());
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.initializers.push(tensor(&name, &[numbers.len()], INT64, &bytes));
        name
    }
}

/// The path of a layer, or of a parameter, within another; `""` adds nothing.
fn within(path: &str, name: &str) -> String {
    match (path, name) {
        (path, "") => path.to_string(),
        ("", name) => name.to_string(),
        (path, name) => format!("{path}.{name}"),
    }
}

fn convolution(window: &Window) -> [Message; 4] {
    let [vertical, horizontal] = window.padding;
    [
        ints("strides", &window.stride),
        ints("pads", &[vertical, horizontal, vertical, horizontal]),
        ints("dilations", &window.dilation),
        int("group", window.groups),
    ]
}

fn node(op: &str, inputs: &[&str], output: &str, attributes: &[Message]) -> Message {
    let inputs = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
    inputs.text(2, output).text(4, op).messages(5, attributes)
}

fn int(name: &str, n: usize) -> Message {
    Message::default().text(1, name).int(3, n as i64).int(20, OF_INT)
}

fn ints(name: &str, numbers: &[usize]) -> Message {
    let named = Message::default().text(1, name);
    numbers.iter().fold(named, |attribute, &n| attribute.int(8, n as i64)).int(20, OF_INTS)
}

fn tensor(name: &str, shape: &[usize], numbers: i64, bytes: &[u8]) -> Message {
    let shape = shape.iter().fold(Message::default(), |tensor, &extent| tensor.int(1, extent as i64));
    shape.int(2, numbers).text(8, name).content(9, bytes)
}

/// A tensor `[n, ..]` of any n.
fn value_info(name: &str, extents: &[usize]) -> Message {
    let any = Message::default().message(1, &Message::default().text(2, "n"));
    let shape = extents.iter().fold(any, |shape, &extent| shape.message(1, &Message::default().int(1, extent as i64)));
    let of_tensor = Message::default().int(1, FLOAT).message(2, &shape);
    Message::default().text(1, name).message(2, &Message::default().message(1, &of_tensor))
}
