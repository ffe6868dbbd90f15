//! Broadcasting of two operands, as in numpy and PyTorch: shapes are aligned at the last axis, and an axis of
//! extent 1, or one that is not there, repeats.

use super::abreast::{self, Abreast, Scratch};
use super::buffer::Buffer;
use super::order::{Order, Strided};
use super::{Argument, Kernel, List, Loop, Shape, flat, recycle_argument, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// The shape of arrays of these shapes broadcast against each other; `None` if two extents differ and neither is 1.
pub fn joined_shape<'a>(shapes: impl IntoIterator<Item = &'a [usize]>) -> Option<Shape> {
    shapes.into_iter().try_fold(Shape::new(), |a, b| {
        let rank = a.len().max(b.len());
        let extent = |x: &[usize], axis: usize| (axis + x.len()).checked_sub(rank).map_or(1, |axis| x[axis]);
        let joined = |axis| match (extent(&a, axis), extent(b, axis)) {
            (a, b) if a == b || b == 1 => Some(a),
            (1, b) => Some(b),
            _ => None,
        };
        (0..rank).map(joined).collect()
    })
}

/// The adjoint of broadcasting `shape` to the shape of dy: the sum of `term(dy, others..)` over the axes that repeat.
///
/// Axes are summed one after another, the first first, each in increasing index, in [`Scalar::Wide`]; `others` have
/// dy's shape. The result lies in the order of dy.
pub(super) fn broadcast_sum<S: Scalar, const N: usize>(
    kernel: Kernel,
    shape: &[usize],
    dy: Argument<S>,
    others: [ArrayViewD<S>; N],
    term: impl Fn(S::Wide, [S::Wide; N]) -> S::Wide + Sync,
) -> ArrayD<S> {
    let leading = dy.ndim() - shape.len();
    let is_kept = |axis: &usize| *axis >= leading && shape[axis - leading] == dy.shape()[*axis];
    let view = dy.view();
    let order = Order::of(&view).without_leading(leading);
    let repeated: List<usize> = (0..dy.ndim()).filter(|axis| !is_kept(axis)).collect();
    let kept = order.axes().iter().map(|axis| axis + leading).filter(is_kept);
    // Terms are read with the axis that is summed first as the fastest of the repeated ones, and all that is kept,
    // which is what the result's memory holds, within.
    let axes = repeated.iter().rev().copied().chain(kept).collect::<List<_>>();
    let terms = Strided::along(&view, axes.iter().copied());
    let others = Abreast::along(&others, &axes);
    let counts: Shape = repeated.iter().map(|&axis| dy.shape()[axis]).collect();
    let (steps, elements): (usize, usize) = (counts.iter().product(), shape.iter().product());
    let sums = flat::from_rows(kernel, &order, shape, LANES, |i, row| {
        let (mut dy_scratch, mut scratch) = (Buffer::default(), Scratch::default());
        let mut sums = NestedSums::new(&counts, row.len());
        for step in 0..steps {
            let start = step * elements + i * LANES;
            let dy = terms.read(start, row.len(), &mut dy_scratch);
            let others = others.read(start, row.len(), &mut scratch);
            vectorised_loop(AddTerms { sums: sums.innermost(), dy, others, term: &term });
            sums.carry(step + 1);
        }
        row.iter_mut().zip(sums.outermost()).for_each(|(x, &sum)| *x = S::narrow(sum));
    });
    drop((terms, view));
    recycle_argument(dy);
    sums
}

/// sum <- sum + term(dy, others..), over slices of one length.
struct AddTerms<'a, S: Scalar, F, const N: usize> {
    sums: &'a mut [S::Wide],
    dy: &'a [S],
    others: [&'a [S]; N],
    term: &'a F,
}

impl<S: Scalar, F: Fn(S::Wide, [S::Wide; N]) -> S::Wide, const N: usize> Loop for AddTerms<'_, S, F, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { sums, dy, others, term } = self;
        let (dy, others) = (&dy[..sums.len()], abreast::parts(others, 0, sums.len()));
        for i in 0..sums.len() {
            sums[i] += term(dy[i].widen(), abreast::wide_at(&others, i));
        }
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
