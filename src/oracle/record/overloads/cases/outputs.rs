//! What a correct port may hold for the outputs of an op case.

use super::super::super::ball::{Ball, Steps};
use super::super::super::expected::{Claim, Expected};
use super::super::super::rounding::Rounding;
use super::super::super::{Arg, Value};
use super::super::normalised::{Parameters, Settings, batch};
use super::super::{convolution, drawn, pointwise, pooling, products, reductions, smooth};
use super::{Case, integers, window_arguments};
use crate::error::Result;
use crate::ops::{AnyOp, CrossEntropy};
use crate::oracle::step::Balls;
use crate::oracle::step::cross_entropy::cross_entropy;
use ndarray::ArrayD;

impl Case<'_> {
    /// What a correct port may hold for each output.
    pub(super) fn outputs(&self) -> Result<Vec<Claim>> {
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

    /// The mean cross-entropy and its gradient for an upstream gradient of 1.
    pub(super) fn cross_entropy(&self, op: &CrossEntropy, rounding: &Rounding) -> Result<(Expected, Expected)> {
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
}

/// x where the mask keeps it, divided by 1 - p.
pub(super) fn dropped(rounding: &Rounding, x: &ArrayD<f64>, mask: &ArrayD<bool>, p: f64) -> Expected {
    let kept = x.iter().zip(mask).map(|(&x, &m)| drawn::kept(Steps(rounding), x, f64::from(u8::from(m)), 1.0 - p));
    Expected::settled(rounding, x.shape(), kept)
}
