//! `cross_entropy`: the mean over the batch of `-ln softmax(x)[label]`; x `[n, classes]` holds the logits.
//!
//! With the row's maximum M (the first one), t_j = x_j - M and r = the sum of e^t_j over every j but that first
//! maximum, the loss of a row is (M - x_label) + ln(1 + r), which neither overflows at logits of 1e3 nor loses a small
//! loss.
//!
//! Derivative: with p_j = e^t_j / (1 + r), dx_j = dy p_j / n for j other than the label, and
//! dx_label = -dy (sum of the other p_j) / n: the textbook's p_label - 1 cancels as p_label nears 1.
//!
//! Summation run over j in increasing order, rows in increasing order; all of it in [`Scalar::Wide`], rounded once.
//! e^t is applied as h (h ..) with h = e^(t/2), so that a tiny p_j keeps its digits under a large dy.
//!
//! Conventions, as PyTorch's: a logit of -inf is a class of probability 0 (the loss is +inf if it is the label's);
//! +inf, NaN, or a row of -inf alone gives NaN. The loss has shape [].
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::CrossEntropy};
//! use ndarray::{arr0, array};
//! let op = CrossEntropy { labels: vec![0, 1] };
//! let x = array![[0.0, 0.0], [-2000.0, 1000.0]].into_dyn();
//! let dy = arr0(4.0).into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], arr0(2f64.ln() / 2.0).into_dyn()); // (ln 2 + 0) / 2
//! assert_eq!(result.gradients[0], Some(array![[-1.0, 1.0], [0.0, 0.0]].into_dyn()));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Example, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Softmax};
use crate::op::{Argument, ArrayNames, Cost, Evaluation, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// loss = mean of `-ln softmax(x)[label]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossEntropy {
    /// The class of each row, below the number of classes.
    pub labels: Vec<usize>,
}

impl Op for CrossEntropy {
    const NAME: &'static str = "cross_entropy";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["loss"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = Softmax<S::Wide>;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [x] = shape::exactly::<Self, _>(inputs)?;
        let &[n, classes] = x else {
            return Err(Error::shape(Self::NAME, "x", "shape [n, classes]", format!("shape {x:?}")));
        };
        if n == 0 || classes == 0 {
            return Err(Error::shape(Self::NAME, "x", "at least one row and one class", format!("shape {x:?}")));
        }
        if self.labels.len() != n {
            return Err(Error::shape(Self::NAME, "labels", format!("{n} labels"), format!("{}", self.labels.len())));
        }
        if let Some((i, label)) = self.labels.iter().enumerate().find(|&(_, &label)| label >= classes) {
            let expected = format!("a class below {classes}");
            return Err(Error::shape(Self::NAME, format!("labels[{i}]"), expected, label.to_string()));
        }
        Ok(list![list![]])
    }

    fn cost(&self, inputs: &[&[usize]], _: &[Shape]) -> Cost {
        // e^(t/2) of every logit, and two numbers a row, in the wide type of f32.
        let numbers = shape::product(inputs[0]) + 2 * self.labels.len();
        Cost { saved_bytes: numbers * size_of::<f64>(), ..Cost::default() }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, Softmax<S::Wide>) {
        let (loss, softmax) = kernel::cross_entropy(kernel, &inputs[0].view(), &self.labels);
        (list![loss], softmax)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        softmax: &Softmax<S::Wide>,
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let dy = upstream[0].iter().fold(S::Wide::ZERO, |_, dy| dy.widen()); // the only one
        list![Some(kernel::cross_entropy_gradient(kernel, softmax, &self.labels, dy, inputs[0].shape()))]
    }
}

/// PyTorch: log p_j = (x_j - M) - ln(sum of e^(x - M)) is off by u (1 + M - x_j + ln classes); loss and p_j = e^(log p_j)
/// inherit that, and the label's p_j - 1 is off by another u.
fn rounded_log_softmax(op: &CrossEntropy, example: &Example, _: Care) -> Result<Evaluation<f64>> {
    let mut results = example.of_results(op)?;
    let x = &example.inputs[0];
    let (rows, columns) = (x.shape()[0], x.shape()[1]);
    let (n, classes) = (rows as f64, columns as f64);
    let dy = example.upstream[0].as_ref().map_or(0.0, |dy| dy.sum().abs());
    let mut loss = 0.0;
    for (row, &label) in op.labels.iter().enumerate() {
        let logits = x.index_axis(Axis(0), row);
        let maximum = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = logits.iter().map(|x| libm::exp(x - maximum)).sum();
        let off = |j: usize| 1.0 + (maximum - logits[j]) + libm::log(classes);
        loss += off(label) / n;
        for j in 0..columns {
            let p = libm::exp(logits[j] - maximum) / sum;
            if let Some(dx) = &mut results.gradients[0] {
                dx[[row, j]] = dy / n * (p * off(j) + f64::from(u8::from(j == label)));
            }
        }
    }
    results.outputs[0].fill(loss);
    Ok(results)
}

impl Catalogued for CrossEntropy {
    const SUMMARY: &'static str = "loss = mean of -ln softmax(x)[label]";
    const SUMS: Summation = Summation::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (x, d) = (&inputs[0], inputs[0].shape());
        let loss = |i: usize| {
            let sum = (0..d[1]).fold(S::ZERO, |sum, j| sum + x[[i, j]].exp());
            -(x[[i, self.labels[i]]].exp() / sum).ln()
        };
        let mean = (0..d[0]).fold(S::ZERO, |sum, i| sum + loss(i)) / S::from_usize(d[0]);
        vec![ArrayD::from_elem(vec![], mean)]
    }

    /// PyTorch rounds log p_j = (x_j - M) - ln(sum of e^(x - M)), and p - 1.
    fn magnitude(&self, care: Care) -> Magnitude<Self> {
        match care {
            Care::Ours => Magnitude::OfResults,
            Care::PyTorch => Magnitude::Rule(rounded_log_softmax),
        }
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let labels = attributes.integers("labels")?;
        if labels.ndim() != 1 {
            return Err(Error::shape(Self::NAME, "labels", "shape [n]", format!("shape {:?}", labels.shape())));
        }
        let label = |(i, &label): (usize, &i64)| {
            usize::try_from(label).map_err(|_| Error::domain(format!("labels[{i}]"), "a class from 0", label))
        };
        Ok(Self { labels: labels.iter().enumerate().map(label).collect::<Result<_>>()? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let [n, classes] = [sample::extent(rng, size + 1), sample::extent(rng, 3 * size)];
        let labels = (0..n).map(|_| rng.random_range(0..classes)).collect();
        Case::new(Self { labels }, vec![sample::array(rng, &[n, classes])])
    }
}
