//! Arrays laid out, turned, shifted or cut otherwise: what is tried of a result, and of each operand.

use super::Found;
use crate::oracle::record::Expected;
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice};

/// What makes another array of one.
type Alter = Box<dyn Fn(&ArrayD<f64>) -> ArrayD<f64>>;

/// One way in which an array may be another than it should.
pub(super) struct Alteration {
    /// What is said of it, behind the array's name.
    pub said: String,
    pub of: Alter,
}

/// Orders of axes, by rank, and what a buffer was taken for.
const ORDERS: &[(&[usize], &str)] = &[
    (&[1, 0], "is transposed"),
    (&[0, 2, 1], "has its last two axes swapped"),
    (&[0, 2, 3, 1], "is laid out as NHWC where it is NCHW"),
    (&[0, 3, 1, 2], "is laid out as NCHW where it is NHWC"),
    (&[1, 0, 2, 3], "has its first two axes swapped"),
    (&[0, 1, 3, 2], "has height and width swapped"),
    (&[3, 2, 0, 1], "is laid out as HWIO where it is OIHW"),
];

/// All of them for an array of this shape.
pub(super) fn all(shape: &[usize]) -> Vec<Alteration> {
    let rank = shape.len();
    let mut all: Vec<Alteration> = Vec::new();
    let mut add = |said: String, of: Alter| all.push(Alteration { said, of });
    for &(order, said) in ORDERS.iter().filter(|(order, _)| order.len() == rank) {
        let is_moved = order.iter().enumerate().any(|(i, &axis)| i != axis && shape[axis] > 1);
        if is_moved {
            add(said.to_string(), Box::new(move |x| relaid(x, order)));
        }
    }
    if rank == 4 && (shape[2] > 1 || shape[3] > 1) {
        add(
            "is turned by 180 degrees: a convolution's flipped kernel".into(),
            Box::new(|x| flipped(&flipped(x, 2), 3)),
        );
    }
    let long = (0..rank).filter(|&axis| shape[axis] > 1).collect::<Vec<_>>();
    for &axis in &long {
        add(format!("is reversed along axis {axis}"), Box::new(move |x| flipped(x, axis)));
        for (by, which) in [(1, "its last taken first"), (-1, "its first taken last")] {
            let said = format!("is read in another order along axis {axis}: shifted by {by}, {which}");
            add(said, Box::new(move |x| rolled(x, axis, by)));
        }
        for by in [1, -1] {
            add(format!("is shifted by {by} along axis {axis}"), Box::new(move |x| shifted(x, axis, by)));
        }
    }
    if rank == 4 {
        for by in [1, -1] {
            let both = move |x: &ArrayD<f64>| shifted(&shifted(x, 2, by), 3, by);
            add(format!("is shifted by {by} in height and width: padding off by one"), Box::new(both));
        }
    }
    all
}

/// The numbers of an array in another order of axes, as they then lie in memory, read in the array's own shape.
fn relaid(x: &ArrayD<f64>, order: &[usize]) -> ArrayD<f64> {
    let flat: Vec<f64> = x.view().permuted_axes(order).iter().copied().collect();
    ArrayD::from_shape_vec(x.raw_dim(), flat).unwrap_or_else(|_| x.clone())
}

fn flipped(x: &ArrayD<f64>, axis: usize) -> ArrayD<f64> {
    let mut view: ArrayViewD<f64> = x.view();
    view.invert_axis(Axis(axis));
    view.to_owned()
}

/// Zeros come in at the end that is left.
fn shifted(x: &ArrayD<f64>, axis: usize, by: isize) -> ArrayD<f64> {
    let (length, step) = (x.len_of(Axis(axis)), by.unsigned_abs());
    let mut result = ArrayD::zeros(x.raw_dim());
    let (from, to) = if by > 0 { (0, step) } else { (step, 0) };
    let part = |start: usize| Slice::from(start..start + length.saturating_sub(step));
    result.slice_axis_mut(Axis(axis), part(to)).assign(&x.slice_axis(Axis(axis), part(from)));
    result
}

fn rolled(x: &ArrayD<f64>, axis: usize, by: isize) -> ArrayD<f64> {
    let length = x.len_of(Axis(axis));
    let back = if by > 0 { length - 1 } else { 1 };
    let order: Vec<usize> = (0..length).map(|i| (i + back) % length).collect();
    x.select(Axis(axis), &order)
}

/// The result itself, altered.
pub(super) fn of_result(found: &Found) -> Option<String> {
    let alterations = all(found.expected.shape());
    let said = alterations.iter().find(|alteration| found.is(&applied(&found.expected, &*alteration.of)));
    // What is moved by a place where numbers are put around others is the padding.
    let padding =
        if found.call.op.contains("_pad_") { "the padding is on the other side, or off by one: " } else { "" };
    said.map(|alteration| format!("{padding}the result {}", alteration.said)).or_else(|| reordered(found))
}

/// The bounds of an altered result; where there are none, exactly the numbers.
pub(super) fn applied(expected: &Expected, of: &dyn Fn(&ArrayD<f64>) -> ArrayD<f64>) -> Expected {
    Expected {
        truth: of(&expected.truth),
        magnitude: of(&expected.magnitude),
        any: of(&expected.any),
        likely: of(&expected.likely),
        narrow: None,
        unit: expected.unit,
    }
}

/// The result's slices along an axis in another order.
fn reordered(found: &Found) -> Option<String> {
    let expected = &found.expected;
    (0..expected.shape().len()).find_map(|axis| {
        let length = expected.shape()[axis];
        if !(2..=1024).contains(&length) {
            return None;
        }
        let order = (0..length).map(|i| place_of(found, axis, i)).collect::<Option<Vec<usize>>>()?;
        let select = |x: &ArrayD<f64>| x.select(Axis(axis), &order);
        let differs = order.iter().enumerate().any(|(i, &from)| i != from);
        let explains = differs && found.is(&applied(expected, &select));
        let (i, from) = order.iter().enumerate().find(|(i, from)| i != *from)?;
        explains.then(|| {
            format!("the result's slices along axis {axis} are in another order: at {i} stands that of {from}")
        })
    })
}

/// Which slice of the expected result the recorded one at `i` is.
fn place_of(found: &Found, axis: usize, i: usize) -> Option<usize> {
    let got = found.got.index_axis(Axis(axis), i);
    let expected = &found.expected;
    let fits = |j: &usize| {
        let [truth, any] = [&expected.truth, &expected.any].map(|x| x.index_axis(Axis(axis), *j));
        got.iter().zip(truth).zip(any).all(|((got, truth), any)| (got - truth).abs() <= *any)
    };
    std::iter::once(i).chain(0..expected.shape()[axis]).find(fits)
}

/// An array of this shape with 0 where `cut` says so.
pub(super) fn cut(x: &ArrayD<f64>, axis: usize, at: usize) -> ArrayD<f64> {
    let mut result = x.clone();
    if at < result.len_of(Axis(axis)) {
        result.index_axis_mut(Axis(axis), at).fill(0.0);
    }
    result
}

/// An array of zeros of the same shape.
pub(super) fn none(x: &ArrayD<f64>) -> ArrayD<f64> {
    ArrayD::zeros(IxDyn(x.shape()))
}
