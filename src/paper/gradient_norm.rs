//! Section 3.1: the size of an epoch's gradients (Eq. 1 to 4).
//!
//! A gradient here is the gradient of one mini-batch with respect to all of W, flattened in the order of the
//! parameter list. Sums over weights or batches run in that order, left to right, in [`Scalar::Wide`] with one
//! rounding at the end. All terms have one sign, so n wide additions lose at most the fraction `n u` of the sum, with
//! u = 2^-102 for `f64` and 2^-53 for `f32`: less than half an ulp for any n below 2^27, hence results within 1 ulp.

use super::reading::MaskedGradient;
use super::same_length;
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, Term};
use crate::scalar::{Scalar, power_of_two};
use std::borrow::Cow;

/// Eq. 1 while the batches of an epoch arrive: the running double sum, held wide.
///
/// A batch may be added in pieces (one parameter after the other): the sum runs on element by element, so the
/// pieces give the same bits as the whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct L1NormSum<S: Scalar> {
    sum: S::Wide,
}

impl<S: Scalar> L1NormSum<S> {
    /// The empty sum, 0.
    pub fn new() -> Self {
        Self { sum: S::Wide::ZERO }
    }

    /// Adds `||gradient||_1`.
    pub fn add(&mut self, gradient: &[S]) {
        self.sum = kernel::sum(Kernel::any(), Term::Magnitude, self.sum, gradient);
    }

    /// `S_k^(abs)` of what was added so far, rounded once.
    pub fn value(&self) -> S {
        S::narrow(self.sum)
    }
}

/// Eq. 1: `S_k^(abs) = sum_i ||grad_i||_1 = sum_i sum_j |grad_ij|` over the batches i of one epoch.
///
/// `batches`: one flattened gradient `[N]` a batch.
///
/// ```
/// use gdstar::paper::gradient_norm::sum_of_l1_norms;
/// // two batches, three weights: (0.5 + 0.5 + 1) + (2 + 0 + 3)
/// assert_eq!(sum_of_l1_norms(&[&[0.5, -0.5, 1.0], &[-2.0, 0.0, 3.0]]), 7.0);
/// ```
pub fn sum_of_l1_norms<S: Scalar>(batches: &[&[S]]) -> S {
    let mut s_abs = L1NormSum::new();
    for gradient in batches {
        s_abs.add(gradient);
    }
    s_abs.value()
}

/// Eq. 2, one batch (line 6 of Alg. 4): `G_j <- G_j + grad_j^2`, in the precision of `g`.
///
/// `g`, `gradient`: `[N]`, or the same part of both. After n batches each `G_j` is within a relative
/// `(n + 1) u / (1 - (n + 1) u)` of Eq. 2: at most one rounding for the square (none in `f32` and `f64`, which have a fused
/// multiply-add) and n for the sums, all terms being of one sign. [`accumulated_squares`] is the form that rounds once.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
///
/// ```
/// use gdstar::{kernel::Kernel, paper::gradient_norm::accumulate_squares};
/// let mut g = [0.0, 0.0];
/// accumulate_squares(Kernel::Literal, &mut g, &[3.0, -1.0])?;
/// accumulate_squares(Kernel::Literal, &mut g, &[4.0, 2.0])?;
/// assert_eq!(g, [25.0, 5.0]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn accumulate_squares<S: Scalar>(kernel: Kernel, g: &mut [S], gradient: &[S]) -> Result<()> {
    same_length("accumulate_squares", "gradient", g.len(), gradient.len())?;
    kernel::accumulate_squares(kernel, g, gradient);
    Ok(())
}

/// Eq. 2: `G_kj = sum_i grad_ij^2` over the batches i of one epoch, each sum wide and rounded once.
///
/// `batches`: one flattened gradient `[N]` a batch; no batch at all gives an empty `G`.
///
/// # Errors
/// [`Error::Shape`] if the batches differ in length.
///
/// ```
/// use gdstar::paper::gradient_norm::accumulated_squares;
/// assert_eq!(accumulated_squares(&[&[3.0, -1.0], &[4.0, 2.0]])?, [25.0, 5.0]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn accumulated_squares<S: Scalar>(batches: &[&[S]]) -> Result<Vec<S>> {
    let n = batches.first().map_or(0, |gradient| gradient.len());
    for (i, gradient) in batches.iter().enumerate() {
        same_length("accumulated_squares", format!("batch {i}"), n, gradient.len())?;
    }
    let mut g = SquareSums::<S>::new(n);
    for gradient in batches {
        gradient.iter().enumerate().for_each(|(j, grad)| g.add(j, grad.widen()));
    }
    Ok((0..n).map(|j| g.value(j)).collect())
}

/// Eq. 2 while the batches of an epoch arrive: a sum of squares for each weight, held wide, within 1 ulp whatever the
/// gradients' size.
///
/// Squares of small `f64` gradients have bits below the smallest number, which not even a [`DoubleDouble`] holds, and
/// many of them may add up to one that counts. They are summed up scaled.
///
/// [`DoubleDouble`]: crate::scalar::DoubleDouble
#[derive(Debug, Clone)]
pub struct SquareSums<S: Scalar> {
    sums: Vec<S::Wide>,
    /// Of small gradients, times [`UP`] squared; empty where there are none.
    of_small: Vec<S::Wide>,
}

/// Gradients below have squares under 2^-800: of a sum with a larger one, no more than the last of 31 digits.
const SMALL: f64 = power_of_two(-400);
/// Brings the square of the smallest number to 2^-948, where all bits of a wide product are kept, and that of a number
/// of size [`SMALL`] to 2^400.
const UP: f64 = power_of_two(600);
const DOWN: f64 = power_of_two(-600);

impl<S: Scalar> SquareSums<S> {
    /// Empty sums, 0, for `len` weights.
    pub fn new(len: usize) -> Self {
        Self { sums: vec![S::Wide::ZERO; len], of_small: Vec::new() }
    }

    /// How many weights there are.
    pub fn len(&self) -> usize {
        self.sums.len()
    }

    /// Whether there are no weights.
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Adds `grad^2` to the sum of weight `j`, which must be one of them.
    pub fn add(&mut self, j: usize, grad: S::Wide) {
        if grad.abs() >= S::Wide::from_f64(SMALL) || grad == S::Wide::ZERO {
            self.sums[j] += grad * grad;
            return;
        }
        if self.of_small.is_empty() {
            self.of_small = vec![S::Wide::ZERO; self.sums.len()];
        }
        let grad = grad * S::Wide::from_f64(UP);
        self.of_small[j] += grad * grad;
    }

    /// `G_j` of what was added so far, rounded once.
    pub fn value(&self, j: usize) -> S {
        let Some(&small) = self.of_small.get(j) else { return S::narrow(self.sums[j]) };
        // The second product may be under the smallest normal number, and is then rounded as the result is.
        let down = S::Wide::from_f64(DOWN);
        S::narrow(self.sums[j] + small * down * down)
    }
}

/// Eq. 3: `S_k^(sq) = sum_j G_kj`.
///
/// The equation's last member drops the sum over batches. Following its other two members, S is the sum over
/// batches of the squared Frobenius norms ([`sum_of_squared_norms`]), not the squared norm of any one gradient.
///
/// ```
/// assert_eq!(gdstar::paper::gradient_norm::sum_of_squares(&[25.0, 5.0]), 30.0);
/// ```
pub fn sum_of_squares<S: Scalar>(g: &[S]) -> S {
    S::narrow(kernel::sum(Kernel::any(), Term::Value, S::Wide::ZERO, g))
}

/// The right-hand side of Eq. 3 with its sum over batches: `sum_i ||grad_i||_F^2`.
///
/// ```
/// use gdstar::paper::gradient_norm::sum_of_squared_norms;
/// assert_eq!(sum_of_squared_norms(&[&[3.0, -1.0], &[4.0, 2.0]]), 10.0 + 20.0);
/// ```
pub fn sum_of_squared_norms<S: Scalar>(batches: &[&[S]]) -> S {
    let mut s_sq = S::Wide::ZERO;
    for gradient in batches {
        s_sq = kernel::sum(Kernel::any(), Term::Square, s_sq, gradient);
    }
    S::narrow(s_sq)
}

/// Eq. 4: `S_k^(F) = sqrt(S_k^(sq))`, the Frobenius norm of the epoch's gradients.
///
/// # Errors
/// [`Error::Domain`] if `s_sq` is negative or not finite.
///
/// ```
/// assert_eq!(gdstar::paper::gradient_norm::frobenius_norm(25.0)?, 5.0);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn frobenius_norm<S: Scalar>(s_sq: S) -> Result<S> {
    if s_sq >= S::ZERO && s_sq.is_finite() {
        Ok(s_sq.sqrt())
    } else {
        Err(Error::domain("S_sq of Eq. 4", "a finite number >= 0", s_sq.to_f64()))
    }
}

/// Open point 7: the gradient (or G) of eliminated weights, in place: kept under `dense`, 0 under `zero` and
/// `excluded`. `mask`: true where a weight is alive.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
///
/// ```
/// use gdstar::paper::{gradient_norm::mask_gradient, reading::MaskedGradient};
/// let mut g = [4.0, 9.0];
/// mask_gradient(&mut g, &[true, false], MaskedGradient::Dense)?;
/// assert_eq!(g, [4.0, 9.0]);
/// mask_gradient(&mut g, &[true, false], MaskedGradient::Zero)?;
/// assert_eq!(g, [4.0, 0.0]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn mask_gradient<S: Scalar>(gradient: &mut [S], mask: &[bool], treatment: MaskedGradient) -> Result<()> {
    same_length("mask_gradient", "mask", gradient.len(), mask.len())?;
    if treatment != MaskedGradient::Dense {
        kernel::hold(Kernel::any(), gradient, mask);
    }
    Ok(())
}

/// What [`mask_gradient`] makes of `gradient`, as a copy only where it changes something.
pub(super) fn masked_gradient<'a, S: Scalar>(
    gradient: &'a [S],
    mask: &[bool],
    treatment: MaskedGradient,
) -> Result<Cow<'a, [S]>> {
    let mut masked = Cow::Borrowed(gradient);
    let is_zero = |g: &S| g.total_order(&S::ZERO).is_eq();
    if treatment != MaskedGradient::Dense && !gradient.iter().zip(mask).all(|(g, &alive)| alive || is_zero(g)) {
        mask_gradient(masked.to_mut(), mask, treatment)?;
    }
    Ok(masked)
}
