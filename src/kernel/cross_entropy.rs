//! [`cross_entropy`] and its adjoint.

use super::buffer::{self, Buffer};
use super::order::{Order, Strided};
use super::{Kernel, flat};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// Rows that one thread takes at a time.
const ROWS: usize = 64;

/// What the rows of logits should say.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// The class of each row.
    pub labels: &'a [usize],
    /// Of a row's target, the share that is spread evenly over all classes; with 0 the label is all of it.
    pub smoothing: f64,
}

impl Targets<'_> {
    /// The share of one class, whatever the label; `None` where there is none.
    fn even<W: Scalar>(&self, classes: usize) -> Option<W> {
        (self.smoothing > 0.0).then(|| W::from_f64(self.smoothing) / W::from_usize(classes))
    }
}

/// How many elements of a cheap operation take as long as one exponential.
const EXPONENTIAL: usize = 64;

/// What backward needs of the logits.
#[derive(Debug)]
pub struct Softmax<W: Scalar> {
    /// In which the logits lie, and their gradient will.
    order: Order,
    /// `[n, classes + 2]`, as [`relate`] fills them.
    rows: Buffer<W>,
}

/// What each row of [`Softmax`] holds behind a number for each class.
const BESIDE: usize = 2;

/// One row of logits relative to its first maximum M: h_j = e^((x_j - M) / 2) for each, of which p_j is h_j^2 / (1 + r);
/// then r, and then the row's loss.
fn relate<S: Scalar>(x: &[S], label: usize, targets: &Targets, row: &mut [S::Wide]) {
    let (roots, beside) = row.split_at_mut(x.len());
    let argmax = (1..x.len()).fold(0, |best, j| if x[j] > x[best] { j } else { best });
    let maximum = x[argmax].widen();
    let half = S::Wide::from_f64(0.5);
    roots.iter_mut().zip(x).for_each(|(h, x)| *h = ((x.widen() - maximum) * half).exp());
    // 0 M is 0, but NaN for an infinite M, which has no softmax.
    let others = sum_but(argmax, roots, S::Wide::ONE) + S::Wide::ZERO * maximum;
    beside.copy_from_slice(&[others, behind(x, label, maximum, targets) + others.ln_1p()]);
}

/// A row's loss but for ln(1 + r): how far each class's logit is behind M, in proportion to its share of the target.
fn behind<S: Scalar>(x: &[S], label: usize, maximum: S::Wide, targets: &Targets) -> S::Wide {
    let of_label = maximum - x[label].widen();
    let Some(even) = targets.even::<S::Wide>(x.len()) else { return of_label };
    let of_all = x.iter().fold(S::Wide::ZERO, |sum, x| sum + (maximum - x.widen()));
    (S::Wide::ONE - S::Wide::from_f64(targets.smoothing)) * of_label + even * of_all
}

/// `scale` times the sum of e^t_j over every j but one, in increasing order.
fn sum_but<W: Scalar>(left_out: usize, roots: &[W], scale: W) -> W {
    let mut sum = W::ZERO;
    for (j, &h) in roots.iter().enumerate() {
        if j != left_out {
            sum += h * (h * scale);
        }
    }
    sum
}

/// The mean over the rows of `-ln softmax(x)[label]`, or of all classes' in the shares of smoothed targets, of shape `[]`, and
/// what its gradient needs of the logits; x `[n,classes]`, at least one of each, and a label for every row.
///
/// Sums run over the classes in increasing order, then over the rows, all of it in [`Scalar::Wide`], rounded once.
pub fn cross_entropy<S: Scalar>(kernel: Kernel, x: &ArrayViewD<S>, targets: Targets) -> (ArrayD<S>, Softmax<S::Wide>) {
    let (len, classes, labels) = (x.len(), x.shape()[1], targets.labels);
    let logits = Strided::of(x, &Order::row_major(2)).all(kernel);
    let width = classes + BESIDE;
    let mut rows = Buffer::stale(labels.len() * width);
    flat::fill_sums(kernel, len * EXPONENTIAL, &mut rows, ROWS * width, &|i, rows| {
        let pairs = logits[i * ROWS * classes..].chunks_exact(classes).zip(&labels[i * ROWS..]);
        rows.chunks_exact_mut(width).zip(pairs).for_each(|(row, (x, &label))| relate(x, label, &targets, row));
    });
    let losses = rows.iter().skip(width - 1).step_by(width);
    let sum = losses.fold(S::Wide::ZERO, |sum, &loss| sum + loss);
    let mean = S::narrow(sum / S::Wide::from_usize(labels.len()));
    let order = Order::of_batch(kernel, x);
    (buffer::filled(&[], mean), Softmax { order, rows })
}

/// The adjoint of [`cross_entropy`]: dy, of its one number -> dx of x's `shape`, in the order in which the logits lay.
pub fn cross_entropy_gradient<S: Scalar>(
    kernel: Kernel,
    softmax: &Softmax<S::Wide>,
    targets: Targets,
    dy: S::Wide,
    shape: &[usize],
) -> ArrayD<S> {
    let (Softmax { order, rows }, classes, labels) = (softmax, shape[1], targets.labels);
    let (n, others) = (S::Wide::from_usize(labels.len()), S::Wide::from_usize(classes - 1));
    let even = targets.even::<S::Wide>(classes).map(|even| even * (dy / n));
    let by_row = Order::row_major(2);
    let gradient = flat::from_rows(kernel, &by_row, shape, ROWS * classes, |i, dx: &mut [S]| {
        let width = classes + BESIDE;
        let rows = rows[i * ROWS * width..].chunks_exact(width).zip(&labels[i * ROWS..]);
        for (dx, (row, &label)) in dx.chunks_exact_mut(classes).zip(rows) {
            let (roots, r) = (&row[..classes], row[classes]);
            let scale = dy / (n * (S::Wide::ONE + r));
            for (dx, &h) in dx.iter_mut().zip(roots) {
                let p = h * (h * scale);
                *dx = S::narrow(even.map_or(p, |even| p - even));
            }
            let sum = sum_but(label, roots, scale);
            dx[label] = S::narrow(even.map_or(-sum, |even| others * even - sum));
        }
    });
    if *order == by_row {
        return gradient;
    }
    let turned = order.array(shape, Strided::of(&gradient.view(), order).copied(kernel));
    buffer::recycle(gradient);
    turned
}
