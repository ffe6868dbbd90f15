//! Products of matrices: `mm`, `bmm`, `addmm`, `linear`.

use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use super::sums::Products;
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel};
use ndarray::{ArrayD, ArrayView2, Axis, Ix2, Ix3, IxDyn};

/// The matrix that an array is.
pub(super) fn matrix<'a>(name: &str, x: &'a ArrayD<f64>) -> Result<ArrayView2<'a, f64>> {
    let found = format!("shape {:?}", x.shape());
    let view = x.view().into_dimensionality::<Ix2>();
    view.map_err(|_| Error::shape("matmul", format!("`{name}`"), "a matrix", found))
}

/// `a b` of two matrices whose inner extents agree.
pub(super) fn product(kernel: Kernel, a: &ArrayD<f64>, b: &ArrayD<f64>) -> Result<ArrayD<f64>> {
    let (a, b) = (matrix("a", a)?, matrix("b", b)?);
    if a.ncols() != b.nrows() {
        let expected = format!("{} rows", a.ncols());
        return Err(Error::shape("matmul", "`b`", expected, format!("{}", b.nrows())));
    }
    Ok(kernel::matmul(kernel, a, b).into_dyn())
}

/// What a correct port may hold for `a b`.
pub(super) fn matmul(rounding: &Rounding, a: &ArrayD<f64>, b: &ArrayD<f64>) -> Result<Expected> {
    Ok(Products::of(rounding, product, a, b)?.settle(rounding, None))
}

/// What a correct port may hold for `beta addend + alpha a b`.
pub(super) fn matmul_plus(
    rounding: &Rounding,
    [a, b, addend]: [&ArrayD<f64>; 3],
    [alpha, beta]: [f64; 2],
) -> Result<Expected> {
    let products = Products::of(rounding, product, a, b)?;
    let shape = [a.shape()[0], b.shape()[1]];
    let wide = addend.broadcast(IxDyn(&shape)).ok_or_else(|| {
        Error::shape("addmm", "`self`", format!("a shape that spreads to {shape:?}"), format!("{:?}", addend.shape()))
    })?;
    Ok(products.plus(rounding, alpha, beta, &wide.to_owned()).settle(rounding, None))
}

/// `mm(self, mat2)`.
pub(super) fn mm(given: &Arguments) -> Result<Answer> {
    Ok(Answer::of(matmul(&given.rounding(0), given.array(0, "self")?, given.array(1, "mat2")?)?))
}

/// `addmm(self, mat1, mat2, *, beta=1, alpha=1)`.
pub(super) fn addmm(given: &Arguments) -> Result<Answer> {
    let operands = [given.array(1, "mat1")?, given.array(2, "mat2")?, given.array(0, "self")?];
    let factors = [given.number(usize::MAX, "alpha", Some(1.0))?, given.number(usize::MAX, "beta", Some(1.0))?];
    Ok(Answer::of(matmul_plus(&given.rounding(0), operands, factors)?))
}

/// `bmm(self, mat2)`: a product of matrices for each index of the first axis.
pub(super) fn bmm(given: &Arguments) -> Result<Answer> {
    let rounding = given.rounding(0);
    let [a, b] = [given.array(0, "self")?, given.array(1, "mat2")?].map(|x| x.view().into_dimensionality::<Ix3>());
    let (Ok(a), Ok(b)) = (a, b) else {
        return Err(given.refused("self", "batches of matrices", "another rank"));
    };
    if a.len_of(Axis(0)) != b.len_of(Axis(0)) {
        return Err(given.refused("mat2", format!("{} matrices", a.len_of(Axis(0))), b.len_of(Axis(0)).to_string()));
    }
    let batched = |kernel, a: &ArrayD<f64>, b: &ArrayD<f64>| {
        let products = a.outer_iter().zip(b.outer_iter());
        let products =
            products.map(|(a, b)| product(kernel, &a.to_owned(), &b.to_owned())).collect::<Result<Vec<_>>>()?;
        let shape = [a.shape()[0], a.shape()[1], b.shape()[2]];
        let mut all = ArrayD::zeros(IxDyn(&shape));
        all.outer_iter_mut().zip(&products).for_each(|(mut part, product)| part.assign(product));
        Ok(all)
    };
    let (a, b) = (a.to_owned().into_dyn(), b.to_owned().into_dyn());
    Ok(Answer::of(Products::of(&rounding, batched, &a, &b)?.settle(&rounding, None)))
}

/// `linear(input, weight, bias=None)`, input `[.., in]`, weight `[out, in]`.
pub(super) fn linear(given: &Arguments) -> Result<Answer> {
    let (x, w, bias) = (given.array(0, "input")?, given.array(1, "weight")?, given.optional(2, "bias")?);
    Ok(Answer::of(linear_of(&given.rounding(0), x, w, bias)?))
}

/// What a correct port may hold for `x w^T + bias`, x `[.., in]`.
pub(super) fn linear_of(
    rounding: &Rounding,
    x: &ArrayD<f64>,
    w: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
) -> Result<Expected> {
    let inputs = x.shape().last().copied().unwrap_or(1);
    let rows = x.len().checked_div(inputs).unwrap_or(0);
    let flat = reshaped(x, &[rows, inputs])?;
    let w = matrix("weight", w)?.t().to_owned().into_dyn();
    let y = match bias {
        Some(bias) => matmul_plus(rounding, [&flat, &w, bias], [1.0, 1.0])?,
        None => matmul(rounding, &flat, &w)?,
    };
    let mut shape = x.shape().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = w.shape()[1];
    }
    y.reshaped(&shape)
}

/// The adjoints of [`linear_of`]: dy `[n, out]`, x `[n, in]`, w `[out, in]` -> those of x and w, and of the bias.
pub(super) fn linear_gradients(roundings: [&Rounding; 3], [x, w, dy]: [&ArrayD<f64>; 3]) -> Result<[Expected; 3]> {
    let dy_t = matrix("dy", dy)?.t().to_owned().into_dyn();
    let ones = ArrayD::ones(IxDyn(&[1, dy.shape()[0]]));
    let db = matmul(roundings[2], &ones, dy)?;
    let outputs = dy.shape()[1];
    Ok([matmul(roundings[0], dy, w)?, matmul(roundings[1], &dy_t, x)?, db.reshaped(&[outputs])?])
}

/// An array's elements, row-major, in another shape of as many.
pub(super) fn reshaped(x: &ArrayD<f64>, shape: &[usize]) -> Result<ArrayD<f64>> {
    let refused =
        || Error::shape("view", "`self`", format!("as many elements as {shape:?}"), format!("shape {:?}", x.shape()));
    x.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape)).map_err(|_| refused())
}
