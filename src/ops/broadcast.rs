//! Broadcasting of two operands, as in numpy and PyTorch: shapes are aligned at the last axis, and an axis of
//! extent 1, or one that is not there, repeats.

use super::{sample, shape};
use crate::error::{Error, Result};
use crate::kernel::buffer::Buffer;
use crate::kernel::flat;
use crate::kernel::order::{Order, Strided};
use crate::kernel::{Kernel, Loop, vectorised_loop};
use crate::op::{List, Shape};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The shape of `a` and `b` broadcast against each other.
///
/// # Errors
/// [`Error::Shape`] if two extents differ and neither is 1, or the result would be too large.
pub(super) fn out_shape(op: &'static str, inputs: &[&[usize]]) -> Result<Shape> {
    let [a, b] = shape::exactly(op, ["a", "b"], inputs)?;
    let joined = joined_shape(a, b)
        .ok_or_else(|| Error::shape(op, "b", format!("a shape that broadcasts with {a:?}"), format!("shape {b:?}")))?;
    shape::bounded(op, joined)
}

fn joined_shape(a: &[usize], b: &[usize]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let extent = |x: &[usize], axis: usize| (axis + x.len()).checked_sub(rank).map_or(1, |axis| x[axis]);
    let joined = |axis| match (extent(a, axis), extent(b, axis)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    (0..rank).map(joined).collect()
}

/// `f(a, b)` for every pair of elements; the shapes must broadcast.
pub(super) fn zip<S: Scalar>(
    kernel: Kernel,
    a: &ArrayViewD<S>,
    b: &ArrayViewD<S>,
    f: impl Fn(S, S) -> S + Sync,
) -> ArrayD<S> {
    let joined = joined_shape(a.shape(), b.shape()).unwrap_or_default();
    let [a, b] = [a, b].map(|x| x.broadcast(joined.as_slice()).expect("shapes that broadcast"));
    flat::zip(kernel, &a, &b, f)
}

/// The adjoint of broadcasting `shape` to the shape of dy: the sum of `term(dy, other)` over the axes that repeat.
///
/// Axes are summed one after another, the first first, each in increasing index, in [`Scalar::Wide`]; `other` must
/// broadcast to dy's shape. The result lies in the order of dy.
pub(super) fn gradient<S: Scalar>(
    kernel: Kernel,
    shape: &[usize],
    dy: &ArrayViewD<S>,
    other: &ArrayViewD<S>,
    term: impl Fn(S::Wide, S::Wide) -> S::Wide + Sync,
) -> ArrayD<S> {
    let other = other.broadcast(dy.raw_dim()).expect("shapes that broadcast");
    let leading = dy.ndim() - shape.len();
    let is_kept = |axis: &usize| *axis >= leading && shape[axis - leading] == dy.shape()[*axis];
    let order = Order::of(dy).without_leading(leading);
    let repeated: List<usize> = (0..dy.ndim()).filter(|axis| !is_kept(axis)).collect();
    let kept = order.axes().iter().map(|axis| axis + leading).filter(is_kept);
    // Terms are read with the axis that is summed first as the fastest of the repeated ones, and all that is kept,
    // which is what the result's memory holds, within.
    let terms = repeated.iter().rev().copied().chain(kept).collect::<List<_>>();
    let counts: Shape = repeated.iter().map(|&axis| dy.shape()[axis]).collect();
    let (dy, other, elements) =
        (Strided::along(dy, terms.iter().copied()), Strided::along(&other, terms), shape::product(shape));
    flat::from_rows(kernel, &order, shape, LANES, |i, row| {
        let mut scratch = (Buffer::default(), Buffer::default());
        let mut sums = NestedSums::new(&counts, row.len());
        for step in 0..shape::product(&counts) {
            let start = step * elements + i * LANES;
            let dy = dy.read(start, row.len(), &mut scratch.0);
            let other = other.read(start, row.len(), &mut scratch.1);
            vectorised_loop(AddTerms { sums: sums.innermost(), dy, other, term: &term });
            sums.carry(step + 1);
        }
        row.iter_mut().zip(sums.outermost()).for_each(|(x, &sum)| *x = S::narrow(sum));
    })
}

/// sum <- sum + term(dy, other).
struct AddTerms<'a, S: Scalar, F> {
    sums: &'a mut [S::Wide],
    dy: &'a [S],
    other: &'a [S],
    term: &'a F,
}

impl<S: Scalar, F: Fn(S::Wide, S::Wide) -> S::Wide> Loop for AddTerms<'_, S, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let terms = self.dy.iter().zip(self.other).map(|(dy, other)| (self.term)(dy.widen(), other.widen()));
        self.sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
}

/// How many sums run side by side.
const LANES: usize = 256;

/// Sums over several axes, one within another, in several lanes.
struct NestedSums<W: Scalar> {
    /// After how many steps each sum is complete, the innermost first.
    periods: List<usize>,
    /// The running sums, the innermost first. The last is that of all.
    sums: Buffer<W>,
    lanes: usize,
}

impl<W: Scalar> NestedSums<W> {
    /// Over axes of `counts` places, the innermost first.
    fn new(counts: &[usize], lanes: usize) -> Self {
        let periods = counts.iter().scan(1, |steps, &count| {
            *steps *= count;
            Some(*steps)
        });
        Self { periods: periods.collect(), sums: Buffer::zeros(counts.len().max(1) * lanes), lanes }
    }

    fn innermost(&mut self) -> &mut [W] {
        &mut self.sums[..self.lanes]
    }

    fn outermost(&self) -> &[W] {
        &self.sums[self.sums.len() - self.lanes..]
    }

    /// After this many steps, adds every sum that is complete to the next.
    fn carry(&mut self, steps: usize) {
        let mut levels = self.sums.chunks_exact_mut(self.lanes);
        let Some(mut inner) = levels.next() else { return };
        for (outer, period) in levels.zip(&self.periods) {
            if !steps.is_multiple_of(*period) {
                return;
            }
            for (outer, inner) in outer.iter_mut().zip(inner.iter_mut()) {
                *outer += std::mem::replace(inner, W::ZERO);
            }
            inner = outer;
        }
    }
}

/// Two operands that broadcast, the first with the larger rank half of the time.
pub(super) fn sample(rng: &mut ChaCha8Rng, size: usize) -> Vec<ArrayD<f64>> {
    let rank = sample::extent(rng, size) - 1;
    let full = sample::shape(rng, rank, size);
    let mut operand = |cut: usize| {
        let shape: Vec<usize> =
            full[cut..].iter().map(|&extent| if rng.random_bool(0.3) { 1 } else { extent }).collect();
        sample::array(rng, &shape)
    };
    let (a, b) = (operand(0), operand(rank / 2));
    if rng.random() { vec![a, b] } else { vec![b, a] }
}
