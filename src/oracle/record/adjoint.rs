//! [`opinion`]: a second opinion of a backward call, from its forward call by inner products alone.
//!
//! An op that is linear in an operand x, or linear on the piece that x lies on (ReLU, maxima), has `y = J x`, and so
//!
//! `<dy, y> = <dy, J x> = <J^T dy, x> = <dx, x>`,
//!
//! and a convolution, which is linear in its weight too, `<dy, y - b> = <dx, x> = <dw, w>`, where `<dy, b> = <db, b>`. An
//! inner product does not see in which order the numbers of its two tensors lie, as long as it is one order: nothing has to
//! be known of layout, strides, groups, or of which convolution it is, transposed or not. So it says something where the
//! page of the op says nothing; and where a page finds numbers wrong that are adjoint to each other all the same, it says
//! that they may be laid out otherwise than the record has it. That two tensors are adjoint does not prove them right.
//!
//! # The bound
//!
//! With `S = sum |dy||w||x|` over the products of all sums, a port's y is off by `gamma_n(u)` of the sizes of its products
//! and its own rounding u_out, so `<dy, y>` by `gamma_n(u) S + u_out sum |dy||y|`; dx and dw likewise. An element of the
//! weight meets each output at most once and each input at most once, so that by Cauchy and Schwarz
//! `S <= |w|_1 |dy|_2 |x|_2`. A sum of y or of dx has no more terms than the weight has elements of one output or input
//! channel, which are at most all of them divided by the least of its extents; one of dw no more than y or x has elements;
//! one of db no more than y. Operands that are read off by u_in add `2 u_in + u_in^2` of S. Of pieces, each term is a
//! product of one element: S is `sum |dy||y|`, and the sums are those of overlapping windows. The inner products are formed
//! with 31 digits.

use super::rounding::{Rounding, outwards};
use super::{Algorithm, Arg, AtenCall, Call, Carried, Grade, Judged, Step, Value};
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar, two_prod};
use crate::tensor_file::TensorFile;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// What the judge says of a call.
type Graded = Result<Option<Vec<Judged>>>;

/// What is said of one gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identity {
    /// Which result of the backward call.
    pub result: usize,
    /// `<dy, y>`, without the bias.
    pub forward: f64,
    /// `<dx, x>`.
    pub backward: f64,
    /// How far they may be apart.
    pub radius: f64,
}

impl Identity {
    /// Whether the two calls may be adjoint; what is no number is not.
    pub fn holds(&self) -> bool {
        (self.forward - self.backward).abs() <= self.radius
    }

    /// Whether they would be no longer, if the gradient were all 0.
    pub fn tells(&self) -> bool {
        self.forward.abs() > self.radius
    }

    /// In words.
    pub fn told(&self) -> String {
        let Self { forward, backward, radius, .. } = self;
        let is = if self.holds() { "is" } else { "is not" };
        format!(
            "<gradient, operand> = {backward:e} {is} <dy, y> = {forward:e} of the forward case, within {radius:.1e}"
        )
    }
}

/// The backward ops of pieces that are linear, their forward ops, and the position of the kernel where windows overlap.
const PIECES: &[(&str, &[&str], Option<usize>)] = &[
    ("aten.threshold_backward.default", &["aten.relu.default", "aten.relu_.default"], None),
    ("aten.leaky_relu_backward.default", &["aten.leaky_relu.default", "aten.leaky_relu_.default"], None),
    ("aten.max_pool2d_with_indices_backward.default", &["aten.max_pool2d_with_indices.default"], Some(2)),
];

/// Whether there is something to say of a backward op and its forward op.
pub(super) fn is_known(backward: &str, forward: &str) -> bool {
    let is_piece = PIECES.iter().any(|(op, of, _)| *op == backward && of.contains(&forward));
    is_piece || (backward == "aten.convolution_backward.default" && forward == "aten.convolution.default")
}

/// What the two calls say of each other: one for each gradient that was recorded; nothing where a port may flush small
/// numbers, transforms what it adds up, or is of another op.
pub fn opinion(forward: &Call<Value>, backward: &Call<Value>) -> Vec<Identity> {
    let (Carried::Aten(taken), Carried::Aten(gave)) = (&forward.carried, &backward.carried) else { return Vec::new() };
    let is_direct = |call: &Call<Value>| call.declared.algorithm == Algorithm::Direct && !call.declared.ftz;
    if !is_known(&backward.op, &forward.op) || !is_direct(forward) || !is_direct(backward) {
        return Vec::new();
    }
    let piece = PIECES.iter().find(|(op, ..)| *op == backward.op);
    let identities = match piece {
        Some(&(_, _, kernel)) => of_piece(forward, taken, backward, gave, kernel),
        None => of_convolution(forward, taken, backward, gave),
    };
    identities.unwrap_or_default()
}

/// An inner product to 31 digits, and the sum of its terms' sizes.
fn inner(a: &ArrayD<f64>, b: &ArrayD<f64>) -> Option<(f64, f64)> {
    if a.len() != b.len() {
        return None;
    }
    let (mut sum, mut size) = (DoubleDouble::ZERO, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (product, error) = two_prod(a, b);
        sum += DoubleDouble::new(product, error);
        size += product.abs();
    }
    Some((sum.to_f64(), size))
}

fn tensor(call: &AtenCall<Value>, position: usize) -> Option<&Value> {
    call.args.get(position).and_then(Arg::tensor)
}

fn result(call: &AtenCall<Value>, position: usize) -> Option<&Value> {
    call.results.get(position).and_then(Option::as_ref)
}

fn rounding(call: &Call<Value>, of: &Value) -> Rounding {
    Rounding::of(&call.declared, of.dtype)
}

/// What a sum of n products of these sizes in all may be off by, and its stored results.
fn error(rounding: &Rounding, n: f64, size: f64, stored: f64) -> f64 {
    let operand = rounding.operations.operand;
    let reading = 2.0 * operand + operand * operand;
    let sum = (rounding.any_order(n) * (1.0 + reading) + reading) * size;
    sum + rounding.out * (stored + sum)
}

/// What underflow comes to in n operations on each of numbers of these sizes in all.
fn underflow(rounding: &Rounding, n: f64, sizes: f64) -> f64 {
    (2.0 * n * rounding.operations.underflow + rounding.out_underflow) * sizes
}

/// The second opinions of a step: of its backward calls of which a result was not judged, or is wrong, by their place among
/// the step's calls.
pub(super) fn ask(file: &TensorFile, step: &Step, graded: &[Graded]) -> Result<BTreeMap<usize, Vec<Identity>>> {
    let is_open = |judged: &Judged| match &judged.grade {
        Grade::NotJudged(_) => true,
        Grade::Measured(measured) => measured.outside > 0,
        Grade::Misshapen { .. } | Grade::Free => false,
    };
    let mut opinions = BTreeMap::new();
    for (at, (call, judged)) in step.calls.iter().zip(graded).enumerate() {
        let open = matches!(judged, Ok(Some(judged)) if judged.iter().any(is_open));
        let forward = call.of.as_ref().and_then(|of| step.calls.iter().find(|forward| forward.name == *of));
        if let Some(forward) = forward.filter(|forward| open && is_known(&call.op, &forward.op)) {
            opinions.insert(at, opinion(&forward.load(file)?, &call.load(file)?));
        }
    }
    Ok(opinions)
}

fn of_piece(
    forward: &Call<Value>,
    taken: &AtenCall<Value>,
    backward: &Call<Value>,
    gave: &AtenCall<Value>,
    kernel: Option<usize>,
) -> Option<Vec<Identity>> {
    let (x, y, dy, dx) = (tensor(taken, 0)?, result(taken, 0)?, tensor(gave, 0)?, result(gave, 0)?);
    let area =
        kernel.map_or(Some(1), |position| gave.args.get(position)?.integers().map(|k| k.iter().product::<i64>()));
    // A pixel is in no more windows than one window has pixels; a slope is a product more.
    let n = area?.unsigned_abs() as f64 + 2.0;
    let ((of_forward, size), (of_backward, stored)) = (inner(&dy.array, &y.array)?, inner(&dx.array, &x.array)?);
    let sizes = [dy, x].iter().flat_map(|value| value.array.iter()).map(|x| x.abs()).sum::<f64>();
    let [first, second] = [rounding(forward, y), rounding(backward, dx)];
    let radius = error(&first, 2.0, size, size)
        + error(&second, n, size, stored)
        + underflow(&first, 2.0, sizes)
        + underflow(&second, n, sizes);
    let own = f64::EPSILON * (of_forward.abs() + of_backward.abs());
    let radius = outwards(radius + own);
    Some(vec![Identity { result: 0, forward: of_forward, backward: of_backward, radius }])
}

fn of_convolution(
    forward: &Call<Value>,
    taken: &AtenCall<Value>,
    backward: &Call<Value>,
    gave: &AtenCall<Value>,
) -> Option<Vec<Identity>> {
    let (x, w, y, dy) = (tensor(taken, 0)?, tensor(taken, 1)?, result(taken, 0)?, tensor(gave, 0)?);
    let (whole, written) = inner(&dy.array, &y.array)?;
    let norm = |value: &Value| value.array.iter().map(|x| x * x).sum::<f64>().sqrt();
    let total = |value: &Value| value.array.iter().map(|x| x.abs()).sum::<f64>();
    let size = total(w) * norm(dy) * norm(x);
    let of_bias = match (tensor(taken, 2), result(gave, 2)) {
        (None, _) => (0.0, 0.0),
        (Some(bias), Some(db)) => {
            let (product, stored) = inner(&db.array, &bias.array)?;
            let largest = bias.array.iter().fold(0.0, |largest: f64, b| largest.max(b.abs()));
            let rounding = rounding(backward, db);
            let n = dy.array.len() as f64;
            (product, error(&rounding, n, total(dy) * largest, stored) + underflow(&rounding, n, largest))
        }
        (Some(_), None) => return None,
    };
    let largest_bias = tensor(taken, 2).map_or(0.0, |b| b.array.iter().fold(0.0, |m: f64, b| m.max(b.abs())));
    let channel = w.array.len() as f64 / w.array.shape().iter().copied().min().unwrap_or(1).max(1) as f64;
    let first = rounding(forward, y);
    let of_output = error(&first, channel + 1.0, size + total(dy) * largest_bias, written)
        + underflow(&first, channel + 1.0, total(dy));
    let fewest = y.array.len().min(x.array.len()) as f64;
    let gradients = [(0, x, channel), (1, w, fewest)];
    let identity = |(position, operand, n): (usize, &Value, f64)| {
        let gradient = result(gave, position)?;
        let (product, stored) = inner(&gradient.array, &operand.array)?;
        let second = rounding(backward, gradient);
        let own = f64::EPSILON * (whole.abs() + product.abs() + of_bias.0.abs());
        let radius =
            of_output + of_bias.1 + own + error(&second, n, size, stored) + underflow(&second, n, total(operand));
        let radius = outwards(radius);
        Some(Identity { result: position, forward: whole - of_bias.0, backward: product, radius })
    };
    Some(gradients.into_iter().filter_map(identity).collect())
}
