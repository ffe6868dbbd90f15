//! What is drawn at random: nobody can say which numbers, but from where, and how many of them; and dropout by a mask.

use super::super::Arg;
use super::super::ball::{Ball, Steps};
use super::super::expected::{Answer, Claim, Draw, Expected};
use super::arguments::Arguments;
use super::reductions::divided;
use super::slips::Slip;
use crate::error::Result;

/// `native_dropout(input, p, train)`: x m / (1 - p) for the mask m that was drawn, as it is recorded.
pub(super) fn dropout(given: &Arguments) -> Result<Answer> {
    let x = given.array(0, "input")?;
    let (p, train) = (given.number(1, "p", None)?, given.flag(2, "train", Some(true))?);
    let mask = given.call.results.get(1).and_then(Option::as_ref);
    let rounding = given.rounding(0);
    let keep = if given.has(Slip::NotRescaled) { 1.0 } else { 1.0 - p };
    let y = match mask {
        _ if !train => Claim::Values(Expected::exactly(x.clone())),
        None => Claim::NotJudged("dropout whose mask was not recorded".to_string()),
        Some(mask) if mask.array.shape() == x.shape() => {
            let balls = x.iter().zip(&mask.array).map(|(&x, &m)| kept(Steps(&rounding), x, m, keep));
            Claim::Values(Expected::settled(&rounding, x.shape(), balls))
        }
        Some(mask) => {
            return Err(given.refused(
                "results/1",
                format!("shape {:?}", x.shape()),
                format!("{:?}", mask.array.shape()),
            ));
        }
    };
    Ok(Answer {
        results: vec![y, Claim::Drawn(x.shape().to_vec(), Draw::Flags(if train { 1.0 - p } else { 1.0 }))],
        writes: Vec::new(),
    })
}

/// x / keep where the mask keeps, else 0: a quotient, or a product with a reciprocal, both factors rounded.
pub(super) fn kept(steps: Steps, x: f64, mask: f64, keep: f64) -> (Ball, f64) {
    if mask == 0.0 || x == 0.0 {
        return (Ball::exact(0.0), 0.0);
    }
    let y = divided(steps, Ball::exact(x * mask), keep);
    let y = if keep == 1.0 { y } else { y.off_by(steps.0.operations.stored * y.size()) };
    (y, y.size())
}

/// `native_dropout_backward(grad_output, mask, scale)`: dy m scale.
pub(super) fn dropout_backward(given: &Arguments) -> Result<Answer> {
    let (dy, mask, scale) = (given.array(0, "grad_output")?, given.array(1, "mask")?, given.number(2, "scale", None)?);
    let scale = if given.has(Slip::NotRescaled) { 1.0 } else { scale };
    if mask.shape() != dy.shape() {
        return Err(given.refused("mask", format!("shape {:?}", dy.shape()), format!("shape {:?}", mask.shape())));
    }
    let rounding = given.rounding(0);
    let steps = Steps(&rounding);
    let balls = dy.iter().zip(mask).map(|(&dy, &mask)| {
        let product = steps.mul(Ball::exact(dy * mask), Ball::exact(scale));
        // The scale itself is rounded to the operation's type.
        let dx = if scale == 1.0 { product } else { product.off_by(steps.0.operations.stored * product.size()) };
        (dx, dx.size())
    });
    Ok(Answer::of(Expected::settled(&rounding, dy.shape(), balls)))
}

/// `bernoulli_(self, p=0.5)`: any mask of the shape, with about as many 1 as p says.
pub(super) fn flags(given: &Arguments) -> Result<Answer> {
    let shape = given.array(0, "self")?.shape().to_vec();
    Ok(of(shape, Draw::Flags(given.number(1, "p", Some(0.5))?)))
}

/// `rand(size)`, `rand_like(self)`, `uniform_(self, from=0, to=1)`: numbers from `from` below `to`, each as likely.
pub(super) fn uniform(given: &Arguments) -> Result<Answer> {
    let shape = match given.call.argument(0, "size") {
        Some(Arg::Tensor(like)) => like.array.shape().to_vec(),
        _ => given.extents(0, "size")?,
    };
    let is_changed = given.overload == "aten.uniform_.default";
    let bound = |position, name, default| match is_changed {
        true => given.number(position, name, Some(default)),
        false => Ok(default),
    };
    Ok(of(shape, Draw::Uniform(bound(1, "from", 0.0)?, bound(2, "to", 1.0)?)))
}

fn of(shape: Vec<usize>, draw: Draw) -> Answer {
    Answer { results: vec![Claim::Drawn(shape, draw)], writes: Vec::new() }
}
