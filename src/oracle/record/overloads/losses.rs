//! The negative log-likelihood of labels, and the mean cross-entropy of our own op.

use super::super::ball::{Ball, Steps, Sum};
use super::super::expected::{Answer, Claim, Expected};
use super::arguments::Arguments;
use super::reductions::divided;
use super::slips::Slip;
use crate::error::Result;
use ndarray::ArrayD;

/// `reduction` of a loss, by its number in PyTorch.
pub(super) const NONE: i64 = 0;
pub(super) const MEAN: i64 = 1;
const SUM: i64 = 2;

/// How the rows' losses are brought together.
pub(super) fn reduction(given: &Arguments, position: usize) -> Result<i64> {
    let reduction = given.integer(position, "reduction", Some(MEAN))?;
    Ok(match (given.has(Slip::MeanForSum), reduction) {
        (false, reduction) | (true, reduction @ NONE) => reduction,
        (true, MEAN) => SUM,
        (true, _) => MEAN,
    })
}

/// The rows `[n, classes]` of log-probabilities (one row where they have one axis, images of them by their pixels), their
/// labels, and the weight of each row: 0 where the label is `ignore_index`.
struct Labelled {
    classes: usize,
    /// How far apart the classes of a row lie, and how many rows lie side by side.
    pixels: usize,
    /// Class and weight of every row that counts.
    rows: Vec<Option<(usize, f64)>>,
}

impl Labelled {
    fn of(
        given: &Arguments,
        scores: &[usize],
        labels: &ArrayD<f64>,
        weight: Option<&ArrayD<f64>>,
        ignored: i64,
    ) -> Result<Self> {
        let (classes, pixels) = match *scores {
            [classes] => (classes, 1),
            [_, classes, ref pixels @ ..] => (classes, pixels.iter().product()),
            [] => return Err(given.refused("self", "shape [n, classes, ..]", "one number")),
        };
        let expected = scores.iter().product::<usize>() / classes.max(1);
        if labels.len() != expected || classes == 0 {
            return Err(given.refused("target", format!("{expected} labels"), format!("shape {:?}", labels.shape())));
        }
        if let Some(weight) = weight.filter(|weight| weight.shape() != [classes]) {
            return Err(given.refused("weight", format!("shape [{classes}]"), format!("shape {:?}", weight.shape())));
        }
        let row = |&label: &f64| {
            if label == ignored as f64 {
                return Ok(None);
            }
            if !(0.0 <= label && label < classes as f64) {
                let expected = format!("labels from 0 below {classes}, or {ignored}");
                return Err(given.refused("target", expected, label.to_string()));
            }
            let class = label as usize;
            Ok(Some((class, weight.map_or(1.0, |weight| weight[[class]]))))
        };
        Ok(Self { classes, pixels, rows: labels.iter().map(row).collect::<Result<_>>()? })
    }

    /// Where class `class` of row `row` lies.
    fn at(&self, row: usize, class: usize) -> usize {
        (row / self.pixels * self.classes + class) * self.pixels + row % self.pixels
    }
}

/// `nll_loss_forward(self, target, weight, reduction, ignore_index)`: the loss and the sum of the weights.
pub(super) fn nll(given: &Arguments) -> Result<Answer> {
    let (x, labels) = (given.array(0, "self")?, given.array(1, "target")?);
    let (weight, reduction) = (given.optional(2, "weight")?, reduction(given, 3)?);
    let rows = Labelled::of(given, x.shape(), labels, weight, given.integer(4, "ignore_index", Some(-100))?)?;
    let elements: Vec<f64> = x.iter().copied().collect();
    let roundings = [given.rounding(0), given.rounding(1)];
    let steps = Steps(&roundings[0]);
    let loss = |(row, counted): (usize, &Option<(usize, f64)>)| match *counted {
        Some((class, weight)) => steps.mul(Ball::exact(-elements[rows.at(row, class)]), Ball::exact(weight)),
        None => Ball::exact(0.0),
    };
    let losses: Vec<Ball> = rows.rows.iter().enumerate().map(loss).collect();
    if reduction == NONE {
        let balls = losses.iter().map(|&loss| (loss, loss.size()));
        let each = Expected::settled(&roundings[0], labels.shape(), balls);
        return Ok(Answer { results: vec![Claim::Values(each), Claim::Anything], writes: Vec::new() });
    }
    let (mut sum, mut weights) = (Sum::default(), Sum::default());
    losses.iter().for_each(|&loss| sum.add(loss));
    rows.rows.iter().flatten().for_each(|&(_, weight)| weights.add(Ball::exact(weight)));
    // Counts of rows are integers, which sums hold exactly while they are small.
    let weight_sum = if weight.is_none() { exactly(&weights) } else { weights.settle(&roundings[1]) };
    let total = Expected::settled(&roundings[1], &[], [(weight_sum, weights.size())]);
    let (loss, size) = (sum.settle(&roundings[0]), sum.size());
    let (loss, size) = match reduction {
        MEAN if weight.is_none() => {
            let count = weight_sum.centre.hi();
            (divided(steps, loss, count), size / count)
        }
        MEAN => (steps.div(loss, weight_sum), size / weight_sum.centre.hi()),
        _ => (loss, size),
    };
    let loss = Expected::settled(&roundings[0], &[], [(loss, size)]);
    Ok(Answer { results: vec![Claim::Values(loss), Claim::Values(total)], writes: Vec::new() })
}

/// A sum that nothing rounds.
fn exactly(sum: &Sum) -> Ball {
    Ball::exact(sum.size())
}

/// `nll_loss_backward(grad_output, self, target, weight, reduction, ignore_index, total_weight)`: -w dy / W for the
/// label of each row that counts, exactly 0 for all else.
pub(super) fn nll_backward(given: &Arguments) -> Result<Answer> {
    let (dy, x, labels) = (given.array(0, "grad_output")?, given.array(1, "self")?, given.array(2, "target")?);
    let (weight, reduction) = (given.optional(3, "weight")?, reduction(given, 4)?);
    let rows = Labelled::of(given, x.shape(), labels, weight, given.integer(5, "ignore_index", Some(-100))?)?;
    let one = |name: &str, array: &ArrayD<f64>| match array.iter().next() {
        Some(&x) if array.len() == 1 => Ok(x),
        _ => Err(given.refused(name, "one number", format!("shape {:?}", array.shape()))),
    };
    let total = if reduction == MEAN { one("total_weight", given.array(6, "total_weight")?)? } else { 1.0 };
    let upstream: Vec<f64> = dy.iter().copied().collect();
    if reduction != NONE {
        one("grad_output", dy)?;
    } else if upstream.len() != rows.rows.len() {
        return Err(given.refused("grad_output", "one number a row", format!("shape {:?}", dy.shape())));
    }
    let rounding = given.rounding(0);
    let steps = Steps(&rounding);
    let mut entries = vec![(Ball::default(), 0.0); x.len()];
    for (row, counted) in rows.rows.iter().enumerate() {
        let &Some((class, weight)) = counted else { continue };
        let dy = upstream[if reduction == NONE { row } else { 0 }];
        let share = steps.mul(Ball::exact(-dy), Ball::exact(weight));
        let gradient = divided(steps, share, total);
        entries[rows.at(row, class)] = (gradient, gradient.size());
    }
    Ok(Answer::of(Expected::settled(&rounding, x.shape(), entries)))
}
