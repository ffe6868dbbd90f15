//! Running sums over the steps of a pass or of an epoch.

use super::elementwise::{Elementwise, elementwise};
use super::{Kernel, or_on_device};
use crate::scalar::Scalar;
use ndarray::{ArrayD, Zip};

/// `sum <- sum + term`, arrays of one shape.
pub fn add_to<S: Scalar>(kernel: Kernel, sum: &mut ArrayD<S>, term: &ArrayD<S>) {
    if sum.strides() == term.strides()
        && let (Some(sum), Some(term)) = (sum.as_slice_memory_order_mut(), term.as_slice_memory_order())
    {
        elementwise(kernel, sum.len(), (sum, term), Add);
        return;
    }
    Zip::from(sum).and(term).for_each(|sum, &term| *sum += term);
}

#[derive(Clone, Copy)]
struct Add;

impl<S: Scalar> Elementwise<(&mut [S], &[S])> for Add {
    #[inline(always)]
    fn run(self, (sum, term): (&mut [S], &[S])) -> bool {
        sum.iter_mut().zip(term).for_each(|(sum, &term)| *sum += term);
        true
    }
}

/// Eq. 2, one batch: `accumulated_j += gradient_j^2`, over slices of equal length. Returns whether the whole gradient is
/// finite. There is one form only: each entry by itself.
pub fn accumulate_squares<S: Scalar>(kernel: Kernel, accumulated: &mut [S], gradient: &[S]) -> bool {
    or_on_device!(kernel, accumulate_squares(accumulated, gradient));
    elementwise(kernel, gradient.len(), (accumulated, gradient), AddSquares)
}

#[derive(Clone, Copy)]
struct AddSquares;

impl<S: Scalar> Elementwise<(&mut [S], &[S])> for AddSquares {
    #[inline(always)]
    fn run(self, (sums, gradient): (&mut [S], &[S])) -> bool {
        let mut finite = true;
        for (sum, &g) in sums.iter_mut().zip(gradient) {
            finite &= g.is_finite();
            *sum = plus_square(*sum, g);
        }
        finite
    }
}

/// `sum + g^2`, rounded once.
#[inline(always)]
pub(super) fn plus_square<S: Scalar>(sum: S, g: S) -> S {
    g.mul_add(g, sum)
}
