//! Op cases of our own ops, on the same pages: each as the aten calls that it comes to.

use super::super::ball::{Ball, Steps, Sum};
use super::super::expected::{Answer, Claim, Expected, NOT_RECORDED};
use super::super::rounding::Rounding;
use super::super::{Arg, AtenCall, Declared, OpCall, Value};
use super::arguments::Arguments;
use super::normalised::{Channels, Parameters, Settings, Statistics, batch, batch_backward, forms};
use super::slips::Slip;
use super::sums::Products;
use super::{convolution, drawn, pointwise, pooling, products, reductions, smooth};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::ops::{self, AnyOp, Attributes, CrossEntropy};
use crate::oracle::step::Balls;
use crate::oracle::step::cross_entropy::cross_entropy;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use safetensors::Dtype;
use std::collections::BTreeMap;

/// A page, and the overload that it is asked for.
type Page = (fn(&Arguments) -> Result<Answer>, &'static str);

/// One op case with its op and its operands in the op's order.
struct Case<'a> {
    call: &'a OpCall<Value>,
    declared: &'a Declared,
    slip: Option<Slip>,
    op: AnyOp,
    inputs: Vec<&'a Value>,
    /// One for each output; `None` stands for zeros.
    upstream: Vec<Option<&'a Value>>,
}

/// What is known of a case's outputs and gradients, in the order in which it asks for them.
pub(in crate::oracle::record) struct CaseAnswer {
    pub outputs: Vec<Claim>,
    pub gradients: Vec<Claim>,
}

/// What a correct port may hold for what the case asks for and holds; `None` for an op that is not known.
///
/// # Errors
/// As [`judge`](crate::oracle::record::judge).
pub(in crate::oracle::record) fn answer_case(
    name: &str,
    call: &OpCall<Value>,
    declared: &Declared,
    slip: Option<Slip>,
) -> Result<Option<CaseAnswer>> {
    let Some(entry) = ops::find(name) else { return Ok(None) };
    let case = Case::of(entry, call, declared, slip)?;
    let not_asked = |results: &[(String, Option<Value>)]| results.iter().all(|(_, value)| value.is_none());
    let nothing = |count: usize| vec![Claim::NotJudged(NOT_RECORDED.to_string()); count];
    let outputs = match not_asked(&call.outputs) {
        true => nothing(call.outputs.len()),
        false => {
            let claims = case.outputs()?;
            call.outputs
                .iter()
                .zip(&claims)
                .map(|((_, value), claim)| fitted(claim, value.as_ref()))
                .collect::<Result<_>>()?
        }
    };
    if not_asked(&call.gradients) {
        return Ok(Some(CaseAnswer { outputs, gradients: nothing(call.gradients.len()) }));
    }
    let claims = case.gradients()?;
    let gradient = |(name, _): &(String, Option<Value>)| {
        let claim = case.position(name).and_then(|i| claims.get(i).cloned());
        claim.unwrap_or_else(|| Claim::NotJudged(format!("no gradient of `{name}` is known")))
    };
    Ok(Some(CaseAnswer { outputs, gradients: call.gradients.iter().map(gradient).collect() }))
}

/// A single number may be recorded as `[]` or `[1]`.
fn fitted(claim: &Claim, value: Option<&Value>) -> Result<Claim> {
    match (claim, value) {
        (Claim::Values(expected), Some(value)) if expected.shape().is_empty() && value.array.shape() == [1] => {
            Ok(Claim::Values(expected.clone().reshaped(&[1])?))
        }
        _ => Ok(claim.clone()),
    }
}

impl<'a> Case<'a> {
    fn of(entry: &ops::Entry, call: &'a OpCall<Value>, declared: &'a Declared, slip: Option<Slip>) -> Result<Self> {
        let mut attributes = Attributes { values: call.attributes.clone(), integers: BTreeMap::new() };
        let mut inputs = Vec::new();
        for (name, value) in &call.inputs {
            match name.as_str() {
                "labels" | "mask" => {
                    attributes.integers.insert(name.clone(), value.array.mapv(|x| x as i64));
                }
                _ => inputs.push(value),
            }
        }
        let op = (entry.from_attributes)(&mut attributes)?;
        let shapes: Vec<&[usize]> = inputs.iter().map(|value| value.array.shape()).collect();
        let outputs = op.out_shapes(&shapes)?;
        let names = entry.outputs.of(outputs.len());
        let of_name = |name: &String| call.upstream.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let positions: Vec<String> = call.outputs.iter().map(|(name, _)| name.clone()).collect();
        let upstream = names.iter().enumerate().map(|(i, name)| of_name(positions.get(i).unwrap_or(name)));
        Ok(Self { call, declared, slip, op, inputs, upstream: upstream.collect() })
    }

    /// Where an input stands among those that are arrays of the op.
    fn position(&self, name: &str) -> Option<usize> {
        let arrays = self.call.inputs.iter().filter(|(name, _)| !matches!(name.as_str(), "labels" | "mask"));
        arrays.map(|(name, _)| name).position(|other| other == name)
    }

    /// The case's operands as the arguments of an aten call, whose results are of these types.
    fn asked(&self, args: Vec<Arg<Value>>, results: Vec<Option<Value>>) -> AtenCall<Value> {
        AtenCall { args, kwargs: BTreeMap::new(), results, writes: BTreeMap::new() }
    }

    /// What an overload's page says of these arguments; `results` those that were recorded.
    fn by(&self, (page, overload): Page, args: Vec<Arg<Value>>, results: Vec<Option<Value>>) -> Result<Vec<Claim>> {
        let call = self.asked(args, results);
        Ok(page(&Arguments { overload, call: &call, declared: self.declared, slip: self.slip })?.results)
    }

    fn recorded_outputs(&self) -> Vec<Option<Value>> {
        self.call.outputs.iter().map(|(_, value)| value.clone()).collect()
    }

    /// The recorded gradients, one for each input.
    fn recorded_gradients(&self) -> Vec<Option<Value>> {
        let of = |i: usize| {
            let found = self.call.gradients.iter().find(|(name, _)| self.position(name) == Some(i));
            found.and_then(|(_, value)| value.clone())
        };
        (0..self.inputs.len()).map(of).collect()
    }

    fn input(&self, i: usize) -> Arg<Value> {
        self.inputs.get(i).map_or(Arg::Null, |value| Arg::Tensor((*value).clone()))
    }

    /// The upstream gradient of output i, zeros where none flows.
    fn upstream(&self, i: usize) -> Result<Value> {
        if let Some(Some(dy)) = self.upstream.get(i) {
            return Ok((*dy).clone());
        }
        let shapes: Vec<&[usize]> = self.inputs.iter().map(|value| value.array.shape()).collect();
        let shape = self.op.out_shapes(&shapes)?.get(i).map(|shape| shape.to_vec()).unwrap_or_default();
        Ok(Value { tensor: String::new(), dtype: self.dtype(), array: ArrayD::zeros(IxDyn(&shape)) })
    }

    fn dtype(&self) -> Dtype {
        self.inputs.first().map_or(Dtype::F32, |value| value.dtype)
    }

    /// What each operation behind a result may be off by.
    fn rounding(&self, result: Option<&Value>) -> Rounding {
        Rounding::of(self.declared, result.map_or(self.dtype(), |value| value.dtype))
    }

    /// A context for errors of pages that take arrays.
    fn named<'c>(&'c self, call: &'c AtenCall<Value>) -> Arguments<'c> {
        Arguments { overload: self.op.name(), call, declared: self.declared, slip: self.slip }
    }

    /// What a correct port may hold for each output.
    fn outputs(&self) -> Result<Vec<Claim>> {
        let results = self.recorded_outputs();
        let first = results.first().and_then(Option::as_ref);
        let rounding = self.rounding(first);
        let inputs = || (0..self.inputs.len()).map(|i| self.input(i)).collect::<Vec<_>>();
        let with = |more: Vec<Arg<Value>>| [inputs(), more].concat();
        match &self.op {
            AnyOp::Matmul(_) => self.by((products::mm, "aten.mm.default"), inputs(), results),
            AnyOp::Linear(_) => self.by((products::linear, "aten.linear.default"), inputs(), results),
            AnyOp::Conv2d(op) => {
                let mut args = inputs();
                args.resize(3, Arg::Null);
                args.extend(window_arguments(op.window));
                self.by((convolution::forward, "aten.convolution.default"), args, results)
            }
            AnyOp::BatchNorm(op) => {
                let call = self.asked(Vec::new(), results.clone());
                let settings = Settings { training: op.training, momentum: op.momentum, eps: op.eps };
                let of_statistics = self.rounding(results.get(1).and_then(Option::as_ref));
                let array = |i: usize| self.inputs.get(i).map(|value| &value.array);
                let parameters = Parameters { weight: array(1), bias: array(2), mean: array(3), variance: array(4) };
                let given = self.named(&call);
                let x = array(0).ok_or_else(|| given.refused("x", "an array", "none"))?;
                let of = batch::normalised(&given, [&rounding, &of_statistics], x, parameters, settings)?;
                Ok(std::iter::once(of.y).chain(of.running.into_iter().flatten()).map(Claim::Values).collect())
            }
            AnyOp::Sigmoid(_) => self.by((smooth::sigmoid, "aten.sigmoid.default"), inputs(), results),
            AnyOp::Silu(_) => self.by((smooth::silu, "aten.silu.default"), inputs(), results),
            AnyOp::Add(_) => self.by((pointwise::add, "aten.add.Tensor"), inputs(), results),
            AnyOp::Mul(_) => self.by((pointwise::mul, "aten.mul.Tensor"), inputs(), results),
            AnyOp::AvgPool2d(op) => {
                let args = with(vec![
                    integers(op.kernel),
                    integers(op.stride),
                    integers(op.padding),
                    Arg::Bool(false),
                    Arg::Bool(op.count_include_pad),
                ]);
                self.by((pooling::average, "aten.avg_pool2d.default"), args, results)
            }
            AnyOp::AdaptiveAvgPool2d(_) => self.by(
                (pooling::adaptive_average, "aten._adaptive_avg_pool2d.default"),
                with(vec![integers([1, 1])]),
                results,
            ),
            AnyOp::GlobalMean(_) => self.by((reductions::mean, "aten.mean.dim"), with(vec![integers([2, 3])]), results),
            AnyOp::CrossEntropy(op) => Ok(vec![Claim::Values(self.cross_entropy(op, &rounding)?.0)]),
            AnyOp::Dropout(op) => Ok(vec![Claim::Values(dropped(&rounding, &self.array(0)?, &op.mask, op.p))]),
            _ => self.moved(|evaluation| evaluation.0),
        }
    }

    fn array(&self, i: usize) -> Result<ArrayD<f64>> {
        let missing = || Error::shape(self.op.name(), format!("input {i}"), "an array", "none");
        self.inputs.get(i).map(|value| value.array.clone()).ok_or_else(missing)
    }

    /// Outputs and gradients of an op that only moves numbers or chooses among them, which f64 holds exactly.
    fn moved(&self, of: impl Fn((Vec<ArrayD<f64>>, Vec<ArrayD<f64>>)) -> Vec<ArrayD<f64>>) -> Result<Vec<Claim>> {
        let inputs: Vec<ArrayViewD<f64>> = self.inputs.iter().map(|value| value.array.view()).collect();
        let upstream: Vec<_> = self.upstream.iter().map(|dy| dy.map(|value| value.array.view())).collect();
        let evaluation = self.op.evaluate(Kernel::Literal, &inputs, &upstream, &vec![true; inputs.len()])?;
        let arrays = of((evaluation.outputs, evaluation.gradients.into_iter().flatten().collect()));
        Ok(arrays.into_iter().map(|array| Claim::Values(Expected::exactly(array))).collect())
    }

    /// The mean cross-entropy and its gradient for an upstream gradient of 1.
    fn cross_entropy(&self, op: &CrossEntropy, rounding: &Rounding) -> Result<(Expected, Expected)> {
        let logits = Balls::exact(self.array(0)?);
        let (loss, gradient) = cross_entropy(&rounding.operations, &logits, op.targets());
        let ball = |low: f64, high: f64| {
            let centre = low / 2.0 + high / 2.0;
            let radius = (high - centre).max(centre - low);
            (Ball::exact(centre).off_by(radius), centre.abs())
        };
        let gradients =
            gradient.low().into_iter().zip(gradient.high()).map(|(low, high)| ball(low, high)).collect::<Vec<_>>();
        let loss = Expected::settled(rounding, &[], [ball(loss.low, loss.high)]);
        Ok((loss, Expected::settled(rounding, gradient.shape(), gradients)))
    }

    /// What a correct port may hold for each input's gradient.
    fn gradients(&self) -> Result<Vec<Claim>> {
        let results = self.recorded_gradients();
        let dy = self.upstream(0)?;
        let rounding = self.rounding(results.first().and_then(Option::as_ref));
        let upstream = Arg::Tensor(dy.clone());
        match &self.op {
            AnyOp::Matmul(_) => {
                let [a, b] = [self.array(0)?, self.array(1)?].map(ArrayD::reversed_axes);
                let second = self.rounding(results.get(1).and_then(Option::as_ref));
                let of = [products::matmul(&rounding, &dy.array, &b)?, products::matmul(&second, &a, &dy.array)?];
                Ok(of.map(Claim::Values).to_vec())
            }
            AnyOp::Linear(_) => {
                let roundings = [0, 1, 2].map(|i| self.rounding(results.get(i).and_then(Option::as_ref)));
                let (x, w) = (self.array(0)?, self.array(1)?);
                let [first, second, third] = &roundings;
                let of = products::linear_gradients([first, second, third], [&x, &w, &dy.array])?;
                Ok(of.map(Claim::Values).to_vec())
            }
            AnyOp::Conv2d(op) => {
                let mask = (0..3).map(|i| Arg::Bool(i < self.inputs.len())).collect();
                let mut args = vec![upstream, self.input(0), self.input(1), Arg::Null];
                args.extend(window_arguments(op.window));
                args.push(Arg::List(mask));
                self.by((convolution::backward, "aten.convolution_backward.default"), args, results)
            }
            AnyOp::BatchNorm(op) => self.batch_norm_gradients(op, &dy, &results),
            AnyOp::Sigmoid(_) => Ok(smooth::sigmoid_gradient_at(&rounding, &dy.array, &self.array(0)?)?.results),
            AnyOp::Silu(_) => Ok(smooth::silu_gradient_at(&rounding, &dy.array, &self.array(0)?)?.results),
            AnyOp::Add(_) | AnyOp::Mul(_) => self.broadcast_gradients(&dy.array, &results),
            AnyOp::MaxPool2d(op) => {
                let call = self.asked(Vec::new(), results.clone());
                let (given, x) = (self.named(&call), self.array(0)?);
                let windows = pooling::Windows {
                    kernel: op.kernel,
                    stride: op.stride,
                    padding: op.padding,
                    dilation: [1, 1],
                    ceil: false,
                };
                let (_, places) = pooling::maxima(&given, &x, windows)?;
                Ok(vec![Claim::Values(pooling::scattered(&given, &rounding, &dy.array, &places, x.shape())?)])
            }
            AnyOp::AvgPool2d(op) => {
                let window = [integers(op.kernel), integers(op.stride), integers(op.padding)];
                let mut args = vec![upstream, self.input(0)];
                args.extend(window);
                args.extend([Arg::Bool(false), Arg::Bool(op.count_include_pad)]);
                self.by((pooling::average_backward, "aten.avg_pool2d_backward.default"), args, results)
            }
            AnyOp::AdaptiveAvgPool2d(_) => self.by(
                (pooling::adaptive_average_backward, "aten._adaptive_avg_pool2d_backward.default"),
                vec![upstream, self.input(0)],
                results,
            ),
            AnyOp::GlobalMean(_) => {
                let x = self.array(0)?;
                let pixels: usize = x.shape().iter().skip(2).product();
                let share = |dy: f64| {
                    let share = reductions::divided(Steps(&rounding), Ball::exact(dy), pixels as f64);
                    (share, share.size())
                };
                let spread = dy.array.iter().flat_map(|&dy| std::iter::repeat_n(share(dy), pixels));
                Ok(vec![Claim::Values(Expected::settled(&rounding, x.shape(), spread))])
            }
            AnyOp::CrossEntropy(op) => {
                let upstream: f64 = dy.array.sum();
                let (_, gradient) = self.cross_entropy(op, &rounding)?;
                Ok(vec![Claim::Values(gradient.times(&rounding, upstream))])
            }
            AnyOp::Dropout(op) => Ok(vec![Claim::Values(dropped(&rounding, &dy.array, &op.mask, op.p))]),
            _ => self.moved(|evaluation| evaluation.1),
        }
    }

    /// Of batch norm, from statistics that the port formed itself.
    fn batch_norm_gradients(&self, op: &ops::BatchNorm, dy: &Value, results: &[Option<Value>]) -> Result<Vec<Claim>> {
        if self.upstream.iter().skip(1).any(Option::is_some) {
            return Ok(vec![Claim::NotJudged("gradients that flow back through running statistics".to_string()); 5]);
        }
        let call = self.asked(Vec::new(), results.to_vec());
        let given = self.named(&call);
        let (x, weight) = (self.array(0)?, self.array(1)?);
        let channels = Channels::of(&given, &x)?;
        let roundings = [0, 1, 2].map(|i| self.rounding(results.get(i).and_then(Option::as_ref)));
        let steps = Steps(&roundings[0]);
        let [form, _] = forms(self.declared.batch_norm);
        let running = (self.array(3)?, self.array(4)?);
        let statistics = (0..channels.count()).map(|c| match op.training {
            true => Statistics::of(steps, &channels.values(c), op.eps, form, self.slip),
            false => {
                let [mean, variance] = [running.0[[c]], running.1[[c]]].map(Ball::exact);
                Statistics::with(steps, mean, variance, op.eps, self.slip)
            }
        });
        let statistics: Vec<Statistics> = statistics.collect();
        let of = batch_backward::gradients(
            &given,
            &roundings,
            (&channels, &dy.array),
            Some(&weight),
            &statistics,
            op.training,
        )?;
        let unjudged = Claim::NotJudged("the gradients of running statistics".to_string());
        Ok(of.into_iter().map(Claim::Values).chain([unjudged.clone(), unjudged]).collect())
    }

    /// Of a sum or a product of two arrays that spread: the sums of dy, or of dy times the other, over what repeats.
    fn broadcast_gradients(&self, dy: &ArrayD<f64>, results: &[Option<Value>]) -> Result<Vec<Claim>> {
        let arrays = [self.array(0)?, self.array(1)?];
        let of = |i: usize| -> Result<Claim> {
            let rounding = self.rounding(results.get(i).and_then(Option::as_ref));
            let shape = arrays[i].shape().to_vec();
            let ones = ArrayD::ones(dy.raw_dim());
            let other = match &self.op {
                AnyOp::Mul(_) => arrays[1 - i].broadcast(dy.raw_dim()).map_or(ones, |wide| wide.to_owned()),
                _ => ones,
            };
            let sum = |_, a: &ArrayD<f64>, b: &ArrayD<f64>| Ok(spread_back(&(a * b), &shape));
            if rounding.operations.sum > crate::scalar::power_of_two(-40) {
                return Ok(Claim::Values(Products::of(&rounding, sum, dy, &other)?.settle(&rounding, None)));
            }
            Ok(Claim::Values(wide_sums(&rounding, dy, &other, &shape)))
        };
        Ok(vec![of(0)?, of(1)?])
    }
}

/// Sums over the axes along which `shape` was spread to that of x.
fn spread_back(x: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    let mut sum = x.clone();
    while sum.ndim() > shape.len() {
        sum = sum.sum_axis(Axis(0));
    }
    for (axis, &extent) in shape.iter().enumerate() {
        if extent == 1 && sum.len_of(Axis(axis)) != 1 {
            sum = sum.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        }
    }
    sum
}

/// The same sums of products to 31 digits.
fn wide_sums(rounding: &Rounding, a: &ArrayD<f64>, b: &ArrayD<f64>, shape: &[usize]) -> Expected {
    let new_axes = a.ndim() - shape.len();
    let mut sums = vec![Sum::default(); shape.iter().product()];
    let steps = Steps(rounding);
    for ((index, &a), &b) in a.indexed_iter().zip(b) {
        let place = shape
            .iter()
            .enumerate()
            .fold(0, |at, (axis, &extent)| at * extent + if extent == 1 { 0 } else { index[axis + new_axes] });
        sums[place].add(steps.mul(Ball::exact(a), Ball::exact(b)));
    }
    Expected::settled(rounding, shape, sums.iter().map(|sum| (sum.settle(rounding), sum.size())))
}

/// x where the mask keeps it, divided by 1 - p.
fn dropped(rounding: &Rounding, x: &ArrayD<f64>, mask: &ArrayD<bool>, p: f64) -> Expected {
    let kept = x.iter().zip(mask).map(|(&x, &m)| drawn::kept(Steps(rounding), x, f64::from(u8::from(m)), 1.0 - p));
    Expected::settled(rounding, x.shape(), kept)
}

fn integers(pair: [usize; 2]) -> Arg<Value> {
    Arg::List(pair.iter().map(|&i| Arg::Integer(i as i64)).collect())
}

/// The arguments of a convolution behind its arrays.
fn window_arguments(window: crate::kernel::Window) -> [Arg<Value>; 6] {
    let groups = Arg::Integer(window.groups as i64);
    let [stride, padding, dilation] = [window.stride, window.padding, window.dilation].map(integers);
    [stride, padding, dilation, Arg::Bool(false), integers([0, 0]), groups]
}
