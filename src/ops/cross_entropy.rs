//! `cross_entropy`: the mean over the batch of `-ln softmax(x)[label]`; x `[n, classes]` holds the logits. With label smoothing e
//! (Szegedy et al. 2016) a row's target is y_label = 1 - e + e/C, y_j = e/C else, and its loss the sum of `-y_j ln softmax(x)[j]`.
//!
//! With the row's maximum M (the first one), t_j = x_j - M and r = the sum of e^t_j over every j but that first
//! maximum, the loss of a row is (M - x_label) + ln(1 + r), which neither overflows at logits of 1e3 nor loses a small
//! loss. Smoothed it is (1 - e)(M - x_label) + e/C sum_j (M - x_j) + ln(1 + r), a sum of positive numbers too.
//!
//! Derivative: with p_j = e^t_j / (1 + r), dx_j = dy p_j / n for j other than the label, and
//! dx_label = -dy (sum of the other p_j) / n: the textbook's p_label - 1 cancels as p_label nears 1. Smoothed, dy e/C / n is
//! taken from every p_j's, and C - 1 times that is added to the label's.
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
//! let op = CrossEntropy::new(vec![0, 1]);
//! let x = array![[0.0, 0.0], [-2000.0, 1000.0]].into_dyn();
//! let dy = arr0(4.0).into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], arr0(2f64.ln() / 2.0).into_dyn()); // (ln 2 + 0) / 2
//! assert_eq!(result.gradients[0], Some(array![[-1.0, 1.0], [0.0, 0.0]].into_dyn()));
//! // A tenth of each target is spread over both classes: p - y = 1/2 - 0.95, and 1 - 0.95.
//! let smoothed = CrossEntropy { label_smoothing: 0.1, ..op };
//! let result = evaluate(&smoothed, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! let dx = result.gradients[0].as_ref().unwrap();
//! let exact = [-0.9, 0.9, -0.1, 0.1]; // to the rounding of 0.1 and of the result
//! assert!(dx.iter().zip(exact).all(|(dx, exact)| (dx - exact).abs() <= f64::EPSILON));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::{Attributes, Care, Case, Catalogued, Example, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Softmax, Targets};
use crate::op::{Argument, ArrayNames, Cost, Evaluation, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD, Axis};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// loss = mean of `-ln softmax(x)[label]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossEntropy {
    /// The class of each row, below the number of classes.
    pub labels: Vec<usize>,
    /// The share of each row's target that is spread evenly over all classes, in [0, 1].
    pub label_smoothing: f64,
}

impl CrossEntropy {
    /// Without label smoothing.
    pub const fn new(labels: Vec<usize>) -> Self {
        Self { labels, label_smoothing: 0.0 }
    }

    pub(crate) fn targets(&self) -> Targets<'_> {
        Targets { labels: &self.labels, smoothing: self.label_smoothing }
    }

    /// y_j of a row with this label, rounded a few times.
    fn target(&self, label: usize, j: usize, classes: usize) -> f64 {
        let even = self.label_smoothing / classes as f64;
        if j == label { 1.0 - self.label_smoothing + even } else { even }
    }
}

/// Of these labels, none of them smoothed.
impl From<Vec<usize>> for CrossEntropy {
    fn from(labels: Vec<usize>) -> Self {
        Self::new(labels)
    }
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
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            let found = self.label_smoothing.to_string();
            return Err(Error::shape(Self::NAME, "attribute `label_smoothing`", "0 to 1", found));
        }
        Ok(list![list![]])
    }

    fn cost(&self, inputs: &[&[usize]], _: &[Shape]) -> Cost {
        // e^(t/2) of every logit, and two numbers a row, in the wide type of f32.
        let numbers = shape::product(inputs[0]) + 2 * self.labels.len();
        Cost { saved_bytes: numbers * size_of::<f64>(), ..Cost::default() }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, Softmax<S::Wide>) {
        let (loss, softmax) = kernel::cross_entropy(kernel, &inputs[0].view(), self.targets());
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
        list![Some(kernel::cross_entropy_gradient(kernel, softmax, self.targets(), dy, inputs[0].shape()))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let (loss, softmax) = cuda::cross_entropy(device, inputs[0], self.targets())?;
        Ok(Seated::new(list![loss], move |passed| {
            Ok(list![Some(cuda::cross_entropy_gradient(passed.device, &softmax, &passed.upstream[0])?)])
        }))
    }
}

/// Sums of positive numbers, and what a smoothed target takes from a gradient's: there the two cancel.
fn with_targets(op: &CrossEntropy, example: &Example) -> Result<Evaluation<f64>> {
    let mut results = example.of_results(op)?;
    let (n, classes) = (op.labels.len() as f64, example.inputs[0].shape()[1]);
    let taken = upstream(example) / n * (2.0 * op.label_smoothing / classes as f64);
    if let Some(dx) = &mut results.gradients[0] {
        for ((row, j), dx) in (0..op.labels.len()).flat_map(|i| (0..classes).map(move |j| (i, j))).zip(dx.iter_mut()) {
            *dx += taken * if j == op.labels[row] { (classes - 1) as f64 } else { 1.0 };
        }
    }
    Ok(results)
}

/// |dy|, of the one loss.
fn upstream(example: &Example) -> f64 {
    example.upstream[0].as_ref().map_or(0.0, |dy| dy.sum().abs())
}

/// PyTorch: log p_j = (x_j - M) - ln(sum of e^(x - M)) is off by u (1 + M - x_j + ln classes); loss and p_j = e^(log p_j)
/// inherit that, and p_j - y_j is off by another u of y_j.
fn rounded_log_softmax(op: &CrossEntropy, example: &Example) -> Result<Evaluation<f64>> {
    let mut results = example.of_results(op)?;
    let x = &example.inputs[0];
    let (rows, columns) = (x.shape()[0], x.shape()[1]);
    let (n, classes) = (rows as f64, columns as f64);
    let dy = upstream(example);
    let mut loss = 0.0;
    for (row, &label) in op.labels.iter().enumerate() {
        let logits = x.index_axis(Axis(0), row);
        let maximum = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = logits.iter().map(|x| libm::exp(x - maximum)).sum();
        let off = |j: usize| 1.0 + (maximum - logits[j]) + libm::log(classes);
        for j in 0..columns {
            let (p, y) = (libm::exp(logits[j] - maximum) / sum, op.target(label, j, columns));
            loss += y * off(j) / n;
            if let Some(dx) = &mut results.gradients[0] {
                dx[[row, j]] = dy / n * (p * off(j) + y);
            }
        }
    }
    results.outputs[0].fill(loss);
    Ok(results)
}

impl Catalogued for CrossEntropy {
    const SUMMARY: &'static str = "loss = mean of -ln softmax(x)[label], labels smoothed by label_smoothing";
    const SUMS: Summation = Summation::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (x, d) = (&inputs[0], inputs[0].shape());
        let smoothing = S::from_f64(self.label_smoothing);
        let even = smoothing / S::from_usize(d[1]);
        let loss = |i: usize| {
            let sum = (0..d[1]).fold(S::ZERO, |sum, j| sum + x[[i, j]].exp());
            let of_class = |j: usize| -(x[[i, j]].exp() / sum).ln();
            let of_label = of_class(self.labels[i]);
            if self.label_smoothing == 0.0 {
                return of_label;
            }
            (0..d[1]).fold((S::ONE - smoothing) * of_label, |loss, j| loss + even * of_class(j))
        };
        let mean = (0..d[0]).fold(S::ZERO, |sum, i| sum + loss(i)) / S::from_usize(d[0]);
        vec![ArrayD::from_elem(vec![], mean)]
    }

    /// PyTorch rounds log p_j = (x_j - M) - ln(sum of e^(x - M)), and p - 1.
    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::Rule(|op, example, care| match care {
            Care::Ours => with_targets(op, example),
            Care::PyTorch => rounded_log_softmax(op, example),
        })
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let labels = attributes.integers("labels")?;
        if labels.ndim() != 1 {
            return Err(Error::shape(Self::NAME, "labels", "shape [n]", format!("shape {:?}", labels.shape())));
        }
        let label = |(i, &label): (usize, &i64)| {
            usize::try_from(label).map_err(|_| Error::domain(format!("labels[{i}]"), "a class from 0", label))
        };
        let labels = labels.iter().enumerate().map(label).collect::<Result<_>>()?;
        Ok(Self { labels, label_smoothing: attributes.number("label_smoothing", Some(0.0))? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let [n, classes] = [sample::extent(rng, size + 1), sample::extent(rng, 3 * size)];
        let labels = (0..n).map(|_| rng.random_range(0..classes)).collect();
        let x = sample::array(rng, &[n, classes]);
        let label_smoothing = if rng.random() { rng.random_range(0.0..=1.0) } else { 0.0 };
        Case::new(Self { labels, label_smoothing }, vec![x])
    }
}
