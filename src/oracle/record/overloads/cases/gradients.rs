//! What a correct port may hold for the gradients of an op case's inputs.

use super::super::super::ball::{Ball, Steps, Sum};
use super::super::super::expected::{Claim, Expected};
use super::super::super::rounding::Rounding;
use super::super::super::{Arg, Value};
use super::super::normalised::{Channels, Statistics, batch_backward, forms};
use super::super::sums::Products;
use super::super::{convolution, pooling, products, reductions, smooth};
use super::outputs::dropped;
use super::{Case, integers, window_arguments};
use crate::error::Result;
use crate::ops::{self, AnyOp};
use ndarray::{ArrayD, Axis};

impl Case<'_> {
    /// What a correct port may hold for each input's gradient.
    pub(super) fn gradients(&self) -> Result<Vec<Claim>> {
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
