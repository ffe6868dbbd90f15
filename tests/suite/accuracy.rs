//! The worst error of every op, in f32 and f64, forward and backward, against DoubleDouble, beside PyTorch's on the same
//! hard cases (`golden/accuracy`). The figures are published in `docs/accuracy.md`, which these tests verify;
//! `GDSTAR_BLESS=1 cargo test --test suite accuracy::` rewrites its tables.

use crate::condition::{error, magnitude, truth};
use crate::goldens::{case_files, recorded, results};
use gdstar::kernel::Kernel;
use gdstar::op::Evaluation;
use gdstar::ops::cases::OpCase;
use gdstar::scalar::{DoubleDouble, Scalar};
use ndarray::{ArrayD, Zip};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A result is well conditioned, and its error told in ulp, where at most two bits are lost to cancellation.
const WELL_CONDITIONED: f64 = 4.0;

/// What arithmetic 29 bits longer than f32's adds to the error, in ulp or u cond, before the one rounding: n = 2^11
/// operations and a condition of 4 make 2^(11 + 2 - 29).
const LONGER: f64 = 1.0 / (1 << 16) as f64;
/// Half an ulp is the best there is. It is at most u abs(result), which is u cond / 4 where cond is above 4.
const CORRECTLY_ROUNDED: [f64; 2] = [0.5 + LONGER, 1.0 / WELL_CONDITIONED + LONGER];

/// The largest error seen so far: in ulp where well conditioned, else in units of u * cond (of the result).
#[derive(Debug, Clone, Copy, Default)]
struct Worst {
    ulp: Option<f64>,
    u_cond: Option<f64>,
    /// Of all of them, likewise: how many, and the sum of their squares.
    squares: [(usize, f64); 2],
}

impl Worst {
    fn see(&mut self, error: f64, truth: f64, magnitude: f64, format: &Format) {
        // A NaN error counts as infinite: it must not vanish in a maximum.
        let error = if error.is_nan() { f64::INFINITY } else { error };
        let [of_ulp, of_u_cond] = &mut self.squares;
        let (worst, squares, error) = if magnitude == 0.0 && error > 0.0 {
            (&mut self.u_cond, of_u_cond, f64::INFINITY) // nothing was added up, and something came out
        } else if magnitude <= WELL_CONDITIONED * truth.abs() {
            (&mut self.ulp, of_ulp, error / format.ulp(truth))
        } else {
            (&mut self.u_cond, of_u_cond, error / (format.u * magnitude).max(format.smallest))
        };
        *worst = Some(worst.map_or(error, |worst| worst.max(error)));
        *squares = (squares.0 + 1, squares.1 + error * error);
    }

    /// The root mean square of the errors, in ulp and in u cond, each with their number.
    fn root_mean_squares(&self) -> [(usize, f64); 2] {
        self.squares.map(|(count, sum)| (count, (sum / count.max(1) as f64).sqrt()))
    }
}

/// What an error is measured with.
struct Format {
    u: f64,
    /// The exponent below which numbers are subnormal, and the smallest of these.
    least_exponent: i32,
    smallest: f64,
}

const F32: Format = Format { u: f32::UNIT_ROUNDOFF, least_exponent: -126, smallest: f32::from_bits(1) as f64 };
const F64: Format = Format { u: f64::UNIT_ROUNDOFF, least_exponent: -1022, smallest: f64::from_bits(1) };

impl Format {
    /// The distance between the numbers of this format around `x`.
    fn ulp(&self, x: f64) -> f64 {
        // 2^exponent <= |x| < 2^(exponent + 1)
        let exponent = if x == 0.0 { self.least_exponent } else { libm::frexp(x).1 - 1 };
        libm::ldexp(2.0 * self.u, exponent.max(self.least_exponent))
    }
}

/// One line of the table: one result (`out/y`, `grad/x`) of one op.
struct Row {
    op: &'static str,
    result: String,
    literal: Worst,
    fast: Worst,
    pytorch: Worst,
    literal_f64: Worst,
    fast_f64: Worst,
    pytorch_f64: Worst,
}

fn see(worst: &mut Worst, got: &ArrayD<f64>, truth: &ArrayD<DoubleDouble>, magnitude: &ArrayD<f64>, format: &Format) {
    Zip::from(got).and(truth).and(magnitude).for_each(|&got, &truth, &magnitude| {
        worst.see(error(got, truth), truth.to_f64(), magnitude, format);
    });
}

fn evaluate<S: Scalar>(case: &OpCase, kernel: Kernel) -> Vec<(String, ArrayD<f64>)> {
    let Evaluation { outputs, gradients } = case.evaluate::<S>(kernel).unwrap();
    let to_f64 = |y: ArrayD<S>| y.mapv(Scalar::to_f64);
    let outputs = outputs.into_iter().map(to_f64).collect();
    results(case, &Evaluation { outputs, gradients: gradients.into_iter().map(|g| g.map(to_f64)).collect() })
}

/// The case with inputs that use all 53 bits: each float times 1 + h 2^-24, with h in [-1, 1) from a hash of its place
/// (SplitMix64's finalizer, Steele et al. 2014). Zeros stay zeros. `golden/make/accuracy.py` fills the same bits.
fn with_low_bits(case: &OpCase) -> OpCase {
    let mut case = case.clone();
    let mut place = 0u64;
    let arrays = case.inputs.iter_mut().map(|(_, x)| x).chain(case.upstream.iter_mut().flatten());
    for x in arrays.flat_map(|array| array.iter_mut()) {
        place += 1;
        let mut z = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let h = ((z ^ (z >> 31)) as i64) as f64 / (1u64 << 63) as f64;
        *x *= 1.0 + h * f32::UNIT_ROUNDOFF;
    }
    case
}

/// All lines, measured once for all tests of this file.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut rows: Vec<Row> = Vec::new();
    for (op, file) in case_files("accuracy") {
        let first = rows.len();
        for case in &file.cases {
            let true_values = results(case, &truth(case));
            let scale = results(case, &magnitude(case));
            let pytorch = recorded(&file, case, "torch", &true_values);
            let ours = [Kernel::Literal, Kernel::Fast].map(|kernel| evaluate::<f32>(case, kernel));
            let low_bits = with_low_bits(case);
            let true_f64 = results(&low_bits, &truth(&low_bits));
            let scale_f64 = results(&low_bits, &magnitude(&low_bits));
            let pytorch_f64 = recorded(&file, case, "torch_f64", &true_f64);
            let ours_f64 = [Kernel::Literal, Kernel::Fast].map(|kernel| evaluate::<f64>(&low_bits, kernel));
            for (i, (result, value)) in true_values.iter().enumerate() {
                let row = row_of(&mut rows, first, op, result);
                let (scale, scale_f64) = (&scale[i].1, &scale_f64[i].1);
                see(&mut row.pytorch, &pytorch[i], value, scale, &F32);
                see(&mut row.literal, &ours[0][i].1, value, scale, &F32);
                see(&mut row.fast, &ours[1][i].1, value, scale, &F32);
                see(&mut row.pytorch_f64, &pytorch_f64[i], &true_f64[i].1, scale_f64, &F64);
                see(&mut row.literal_f64, &ours_f64[0][i].1, &true_f64[i].1, scale_f64, &F64);
                see(&mut row.fast_f64, &ours_f64[1][i].1, &true_f64[i].1, scale_f64, &F64);
            }
        }
    }
    rows
});

/// The line of this result among those from `first` on.
fn row_of<'a>(rows: &'a mut Vec<Row>, first: usize, op: &'static str, result: &str) -> &'a mut Row {
    let found = rows[first..].iter().position(|row| row.result == result).map(|i| first + i);
    let at = found.unwrap_or_else(|| {
        let [literal, fast, pytorch, literal_f64, fast_f64, pytorch_f64] = [Worst::default(); 6];
        rows.push(Row { op, result: result.to_string(), literal, fast, pytorch, literal_f64, fast_f64, pytorch_f64 });
        rows.len() - 1
    });
    &mut rows[at]
}

/// `ours` is no worse than PyTorch's on any line; where both are correctly rounded, neither is worse.
fn assert_no_worse(kernel: &str, ours: impl Fn(&Row) -> Worst, pytorch: impl Fn(&Row) -> Worst) {
    let worse = |row: &Row| {
        let (ours, pytorch) = (ours(row), pytorch(row));
        let both = [("ulp", ours.ulp, pytorch.ulp), ("u cond", ours.u_cond, pytorch.u_cond)];
        let worse = both.into_iter().zip(CORRECTLY_ROUNDED).filter_map(|((unit, ours, theirs), best)| {
            let (ours, theirs) = (ours.unwrap_or(0.0), theirs.unwrap_or(0.0));
            let told = format!("{kernel}, {} {}: {ours} {unit}, PyTorch {theirs}\n", row.op, row.result);
            (ours.is_nan() || ours > theirs.max(best)).then_some(told)
        });
        worse.collect::<String>()
    };
    let worse: String = ROWS.iter().map(worse).collect();
    assert!(worse.is_empty(), "{worse}");
}

/// The promise: on no op worse than PyTorch.
#[test]
fn literal_is_no_worse_than_pytorch_on_any_op() {
    assert_no_worse("Literal in f32", |row| row.literal, |row| row.pytorch);
    assert_no_worse("Literal in f64", |row| row.literal_f64, |row| row.pytorch_f64);
}

/// The same of Fast in f32, on processors that fuse multiplication and addition: PyTorch's figures are from one of them.
#[test]
#[cfg(target_arch = "x86_64")]
fn fast_is_no_worse_than_pytorch_on_any_op() {
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        assert_no_worse("Fast in f32", |row| row.fast, |row| row.pytorch);
    }
}

/// And in f64, where PyTorch convolves tap by tap: sums of about as many sums as Fast's, whose largest errors differ by chance.
/// So it is the root mean square of a line's n errors that is no larger, up to three standard deviations of the difference
/// of two such: 1 / sqrt(2 n) of either, were the errors normal (theirs is narrower).
#[test]
#[cfg(target_arch = "x86_64")]
fn fast_in_f64_errs_no_more_than_pytorch_on_any_op() {
    if !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("fma") {
        return;
    }
    for Row { op, result, fast_f64, pytorch_f64, .. } in ROWS.iter() {
        let worst = [("ulp", fast_f64.ulp), ("u cond", fast_f64.u_cond)].into_iter().zip(CORRECTLY_ROUNDED);
        let both = fast_f64.root_mean_squares().into_iter().zip(pytorch_f64.root_mean_squares());
        for (((unit, worst), best), ((n, ours), (_, theirs))) in worst.zip(both) {
            let is_best = worst.is_none_or(|worst| worst <= best);
            let allowed = theirs * (1.0 + 3.0 / (n as f64).sqrt());
            assert!(is_best || ours <= allowed, "{op} {result}: {ours} {unit} of {n} errors, PyTorch {theirs}");
        }
    }
}

/// The figures' own check: an error of exactly half, one and ten ulp is told as such, in the subnormal range too.
#[test]
fn errors_are_measured_in_ulp() {
    let measure = |error: f64, truth: f64, format: &Format| {
        let mut worst = Worst::default();
        worst.see(error, truth, truth.abs(), format);
        worst.ulp.unwrap()
    };
    assert_eq!(measure(f64::EPSILON, 1.0, &F64), 1.0);
    assert_eq!(measure(f64::EPSILON, 1.5, &F64), 1.0);
    assert_eq!(measure(f64::from(f32::EPSILON) * 5.0, 0.75, &F32), 10.0);
    assert_eq!(measure(f64::from(f32::EPSILON), 2.0, &F32), 0.5);
    assert_eq!(measure(f64::from(f32::from_bits(1)), 1e-40, &F32), 1.0);
    let mut nothing = Worst::default();
    nothing.see(1e-40, 0.0, 0.0, &F32);
    assert_eq!(nothing.u_cond, Some(f64::INFINITY));
    assert_eq!(measure(f64::NAN, 1.0, &F32), f64::INFINITY);
    let mut cancelled = Worst::default();
    cancelled.see(f32::UNIT_ROUNDOFF * 3.0, 1e-3, 1.0, &F32);
    assert_eq!(cancelled.u_cond, Some(3.0));
}

fn figure(error: Option<f64>) -> String {
    match error {
        None => String::new(),
        Some(0.0) => "0".to_string(),
        Some(error) if error.is_infinite() => "∞".to_string(),
        Some(error) if error < 1000.0 => format!("{error:.3}"),
        Some(error) => format!("{error:.1e}"),
    }
}

fn table(kernel: &str, cells: impl Fn(&Row) -> [Worst; 4]) -> String {
    let columns =
        [format!("{kernel} f32"), "PyTorch f32".to_string(), format!("{kernel} f64"), "PyTorch f64".to_string()];
    let head = columns.map(|column| format!("{column}: ulp | u·cond"));
    let mut text = format!("| op | result | {} |\n|---|---|{}\n", head.join(" | "), "--:|".repeat(8));
    for row in ROWS.iter() {
        let figures: Vec<String> = cells(row).iter().flat_map(|w| [figure(w.ulp), figure(w.u_cond)]).collect();
        writeln!(text, "| `{}` | {} | {} |", row.op, row.result, figures.join(" | ")).unwrap();
    }
    text
}

/// The text between `<!-- begin NAME -->` and `<!-- end NAME -->`.
fn section<'a>(page: &'a str, name: &str) -> &'a str {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let start = page.find(&begin).unwrap_or_else(|| panic!("docs/accuracy.md has no `{begin}`")) + begin.len();
    let length = page[start..].find(&end).unwrap_or_else(|| panic!("docs/accuracy.md has no `{end}`"));
    &page[start..start + length]
}

/// The promise: publish the worst error per op in a table that a test regenerates.
#[test]
fn docs_hold_the_measured_table() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "docs", "accuracy.md"].iter().collect();
    let page = std::fs::read_to_string(&path).unwrap();
    let literal = table("Literal", |row| [row.literal, row.pytorch, row.literal_f64, row.pytorch_f64]);
    if std::env::var_os("GDSTAR_BLESS").is_some() {
        let fast = table("Fast", |row| [row.fast, row.pytorch, row.fast_f64, row.pytorch_f64]);
        let mut page = page.clone();
        for (name, new) in [("literal", literal), ("fast", fast)] {
            let old = section(&page, name).to_string();
            page = page.replace(&format!("-->\n{old}<!-- end {name}"), &format!("-->\n{new}<!-- end {name}"));
        }
        std::fs::write(&path, page).unwrap();
        return;
    }
    // The table of Fast is not compared: matrixmultiply picks instructions by the processor.
    for (line, (published, measured)) in section(&page, "literal").lines().zip(literal.lines()).enumerate() {
        assert_eq!(published, measured, "docs/accuracy.md, table of Literal, line {}: see its command", line + 1);
    }
    assert_eq!(section(&page, "literal"), literal, "docs/accuracy.md: run its command");
}
