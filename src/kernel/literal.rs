//! The definition: plain loops over any [`Scalar`], one documented order of summation.
//!
//! Every sum starts at its bias, or at +0, and adds its products one at a time in [`Scalar::Accumulator`], in the
//! order each function states ([`Scalar::add_product`]); it is rounded to `S` once, at the end. In `f32` the products are
//! exact and their sum is wider by 29 bits, in `f64` by 53: a result is accurate to the last place unless more than that
//! cancels. Loops are nested so that the innermost runs over *different* sums: it is compiled for the CPU's vectors
//! ([`vectorised_loop`]), and no sum's own order changes. So the bits are the same on every CPU and for any number of
//! threads.

mod conv;

pub(super) use conv::{contiguous, conv2d, conv2d_input_gradient, conv2d_weight_gradient};

use crate::kernel::{Loop, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayView4, Axis};

/// `c_ij = bias_j + sum_l a_il b_lj`, l ascending: a `[m,k]`, b `[k,n]`, bias `[n]` -> c `[m,n]`.
pub(super) fn matmul<S: Scalar>(a: ArrayView2<S>, b: ArrayView2<S>, bias: Option<ArrayView1<S>>) -> Array2<S> {
    let mut c = Array2::from_elem((a.nrows(), b.ncols()), S::ZERO);
    if c.is_empty() {
        return c;
    }
    // Rows of b must be contiguous for the inner loop to run at memory speed; a copy changes no value.
    let b = b.as_standard_layout();
    let start: Vec<S::Accumulator> = match bias {
        Some(bias) => bias.iter().map(|b_j| b_j.to_accumulator()).collect(),
        None => vec![S::Accumulator::ZERO; b.ncols()],
    };
    let mut sums = start.clone();
    for (a_row, mut c_row) in a.outer_iter().zip(c.outer_iter_mut()) {
        sums.copy_from_slice(&start);
        vectorised_loop(RowOfProducts { a: a_row, b: contiguous(b.view()), sums: &mut sums });
        for (c_ij, &sum) in c_row.iter_mut().zip(&sums) {
            *c_ij = S::from_accumulator(sum);
        }
    }
    c
}

/// `sums_j += sum_l a_l b_lj`: a `[k]`, b `[k,n]` row-major, sums `[n]`.
struct RowOfProducts<'a, S: Scalar> {
    a: ArrayView1<'a, S>,
    b: &'a [S],
    sums: &'a mut [S::Accumulator],
}

impl<S: Scalar> Loop for RowOfProducts<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (&a_l, b_row) in self.a.iter().zip(self.b.chunks_exact(self.sums.len())) {
            for (sum, &b_lj) in self.sums.iter_mut().zip(b_row) {
                *sum = S::add_product(*sum, a_l, b_lj);
            }
        }
    }
}

/// The gradient of a bias per channel: `db_o = sum_n sum_y sum_x dy[n,o,y,x]`, each ascending, x innermost.
pub(super) fn channel_sums<S: Scalar>(dy: ArrayView4<S>) -> Array1<S> {
    dy.axis_iter(Axis(1))
        .map(|channel| {
            // channel: [n,oh,ow]; `iter` visits it in row-major order whatever its strides
            let mut sum = S::Accumulator::ZERO;
            channel.iter().for_each(|&g| sum = S::add_product(sum, g, S::ONE));
            S::from_accumulator(sum)
        })
        .collect()
}
