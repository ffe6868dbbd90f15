//! What PyTorch makes of every op in `f64`, and what the reference makes of it.
//!
//! Both are held against the same op in DoubleDouble arithmetic. With n the length of the longest sum of a case:
//!
//! - ours: `gamma(OURS) * magnitude`, as formulas are evaluated in DoubleDouble and rounded once, and for matmul, linear and
//!   conv2d the error of a sum in that arithmetic besides;
//! - PyTorch's: `gamma(n + PYTORCH) * magnitude`, with its care.
//!
//! Cases named `exact-..` are compared bit for bit, in `f32` too.

use super::condition::{error, longest_sum, magnitude, truth};
use super::{Comparison, Mismatch};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::ops::cases::{CaseFile, OpCase};
use crate::ops::{Care, Summation};
use crate::oracle::arithmetic::theta;
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::ArrayD;
use std::path::Path;

/// Roundings besides those of the sums. Ours: the one rounding of a wider result, or Fast's addition of a bias.
pub const OURS: usize = 1;
/// Roundings besides those of the sums, PyTorch's: an exponential or logarithm in its vectorised form is within an
/// ulp or two, 4 roundings; the longest formula outside of sums, batch norm's backward, has 12 operations; a mean and
/// a variance enter it. Together at most 24.
pub const PYTORCH: usize = 24;
/// The smallest number: an underflowing result is off by this at each rounding.
const UNDERFLOW: f64 = f64::from_bits(1);

/// Evaluates every case of an op.
pub(super) fn verify(path: &Path, comparison: &mut Comparison) -> Result<String> {
    let file = CaseFile::open(path)?;
    let mut exact = 0;
    for case in &file.cases {
        let ours = case.named(case.evaluate::<f64>(Kernel::Literal)?);
        let truth = case.named(truth(case)?);
        let scales =
            case.named(magnitude(case, Care::Ours)?).into_iter().zip(case.named(magnitude(case, Care::PyTorch)?));
        let (our_bound, their_bound) = bounds(case)?;
        for (((name, ours), (_, truth)), ((_, scale), (_, their_scale))) in ours.iter().zip(&truth).zip(scales) {
            let tensor = format!("{}/expected/{name}", case.name);
            let theirs = file.floats(&tensor)?;
            hold(&tensor, &theirs, truth, (&their_scale, their_bound), comparison);
            hold(&format!("{tensor} (the reference)"), ours, truth, (&scale, our_bound), comparison);
        }
        if case.name.starts_with("exact-") {
            exact += 1;
            let in_f32 = case.named(case.evaluate::<f32>(Kernel::Literal)?);
            for ((name, ours), (_, in_f32)) in ours.iter().zip(&in_f32) {
                let tensor = format!("{}/expected/{name}", case.name);
                let stored = file.floats(&tensor)?;
                for (j, (stored, (ours, in_f32))) in stored.iter().zip(ours.iter().zip(in_f32)).enumerate() {
                    let same = stored == ours && *stored == f64::from(*in_f32);
                    comparison.number(same, || Mismatch::at(&tensor, vec![j], stored, ours));
                }
            }
        }
    }
    let bounded = file.cases.len() - exact;
    Ok(format!("reference and PyTorch within derived bounds: {bounded} cases; bit for bit: {exact}"))
}

/// What our results and PyTorch's may be off by, in units of their magnitudes.
fn bounds(case: &OpCase) -> Result<(f64, f64)> {
    let n = longest_sum(case);
    let gamma = |n: usize, u: f64| {
        theta(n as f64 * u).ok_or_else(|| Error::domain("the longest sum of a case", "fewer than 2^53 terms", n))
    };
    let added = if case.op.sums() == Summation::Accumulator { n } else { 0 };
    let ours = gamma(OURS, f64::UNIT_ROUNDOFF)? + gamma(added, DoubleDouble::UNIT_ROUNDOFF)?;
    Ok((ours, gamma(n + PYTORCH, f64::UNIT_ROUNDOFF)?))
}

/// Compares numbers, element by element in the order of iteration (a scalar may have shape `[]` or `[1]`).
fn hold(
    tensor: &str,
    got: &ArrayD<f64>,
    truth: &ArrayD<DoubleDouble>,
    (magnitude, bound): (&ArrayD<f64>, f64),
    comparison: &mut Comparison,
) {
    comparison
        .number(got.len() == truth.len(), || Mismatch::of_file(tensor, format!("{} numbers", got.len()), truth.len()));
    for (j, ((&got, &truth), &magnitude)) in got.iter().zip(truth).zip(magnitude).enumerate() {
        let (error, bound) = (error(got, truth), bound * magnitude + UNDERFLOW);
        let expected = || format!("{truth} within {bound:e}");
        comparison.number(error <= bound, || Mismatch::at(tensor, vec![j], &got, &expected()));
    }
}
