//! Matrix products through `matrixmultiply`, in tiles of the output.

use super::literal;
use crate::kernel::share;
use crate::scalar::{Gemm, Scalar};
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};

/// Largest tile of the output that one call computes. Each tile packs its own rows of a and columns of b, so a
/// smaller tile shares more work between threads and repeats more packing.
const TILE: [usize; 2] = [128, 256];

/// Tile edges are multiples of this, a multiple of every micro-kernel's edge, so that only the last tile of an
/// axis has a ragged edge.
const MICRO_EDGE: usize = 16;

/// `a b`, plus bias_j in column j: a `[m,k]`, b `[k,n]`, bias `[n]` -> `[m,n]`; any strides.
///
/// Each sum is formed in `S`, in `matrixmultiply`'s order, with or without fused multiply-add.
pub(in crate::kernel) fn matmul<S: Scalar>(
    a: ArrayView2<S>,
    b: ArrayView2<S>,
    bias: Option<ArrayView1<S>>,
) -> Array2<S> {
    let Some(gemm) = S::GEMM else { return literal::matmul(a, b, bias) };
    let (m, k, n) = (a.nrows(), a.ncols(), b.ncols());
    let mut c = Array2::from_elem((m, n), S::ZERO);
    if let Some(bias) = bias {
        c.outer_iter_mut().for_each(|mut row| row.assign(&bias));
    }
    if c.is_empty() || k == 0 {
        return c;
    }
    let rows = even_pieces(m, TILE[0], MICRO_EDGE);
    let columns = even_pieces(n, TILE[1], MICRO_EDGE);
    share::chunks(&mut tiles(c.view_mut(), [rows, columns]), 1, m * k * n, |_, tile| {
        for (i, j, tile) in tile {
            let (i, j, (height, width)) = (*i, *j, tile.dim());
            let (a, b) = (a.slice(s![i..i + height, ..]), b.slice(s![.., j..j + width]));
            add_product(gemm, a, b, S::ONE, tile.view_mut());
        }
    });
    c
}

/// A tile of a matrix, and the row and the column that it starts at.
type Tile<'a, S> = (usize, usize, ArrayViewMut2<'a, S>);

/// The tiles of `rows` by `columns` that `c` is made of; the last ones may be smaller.
fn tiles<S>(c: ArrayViewMut2<'_, S>, [rows, columns]: [usize; 2]) -> Vec<Tile<'_, S>> {
    let (m, n) = c.dim();
    let (mut tiles, mut below) = (Vec::new(), c);
    for i in (0..m).step_by(rows) {
        let (mut right, others) = below.split_at(Axis(0), rows.min(m - i));
        below = others;
        for j in (0..n).step_by(columns) {
            let (tile, others) = right.split_at(Axis(1), columns.min(n - j));
            right = others;
            tiles.push((i, j, tile));
        }
    }
    tiles
}

/// `c <- a b + beta c`: a `[m,k]`, b `[k,n]`, c `[m,n]`; any strides. With beta = 0, c is overwritten unread.
pub(super) fn add_product<S: Scalar>(
    gemm: Gemm<S>,
    a: ArrayView2<S>,
    b: ArrayView2<S>,
    beta: S,
    mut c: ArrayViewMut2<S>,
) {
    let (m, k, n) = (a.nrows(), a.ncols(), b.ncols());
    assert_eq!((b.nrows(), c.nrows(), c.ncols()), (k, m, n), "a [m,k] b [k,n] -> c [m,n]");
    let (a_strides, b_strides) = (a.strides(), b.strides());
    let (c_row, c_column) = (c.strides()[0], c.strides()[1]);
    // SAFETY: `gemm` reads a_il at `a + i rsa + l csa` for i < m, l < k, reads b likewise, and reads and writes
    // c_ij for i < m, j < n. The assertion above makes those index ranges the views' own, and a view promises
    // that every index in its range is a live element at its pointer plus index times stride (counted in
    // elements, strides may be negative). c is borrowed mutably, so it overlaps neither a nor b, and no two of
    // its elements share an address. With m, k or n = 0 nothing is dereferenced but c's elements.
    unsafe {
        gemm(
            m,
            k,
            n,
            S::ONE,
            a.as_ptr(),
            a_strides[0],
            a_strides[1],
            b.as_ptr(),
            b_strides[0],
            b_strides[1],
            beta,
            c.as_mut_ptr(),
            c_row,
            c_column,
        );
    }
}

/// Splits `extent` into the fewest pieces of at most `limit`, as even as multiples of `quantum` allow: the size of
/// each piece but the last. At least 1.
fn even_pieces(extent: usize, limit: usize, quantum: usize) -> usize {
    let pieces = extent.div_ceil(limit).max(1);
    extent.div_ceil(pieces).next_multiple_of(quantum).max(1)
}
