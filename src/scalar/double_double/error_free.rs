//! Error-free transformations: a rounded operation together with what the rounding lost.
//!
//! They rely on nothing but IEEE 754 addition and multiplication in round-to-nearest, so they give the same bits
//! with and without a hardware fused multiply-add. Sources: Dekker, "A floating-point technique for extending the
//! available precision" (1971); Knuth, TAOCP 2, section 4.2.2; Boldo, "Pitfalls of a full floating-point proof:
//! example on the formal proof of the Veltkamp/Dekker algorithms" (2006).

/// `(s, e)` with `s = fl(a + b)` and `s + e = a + b` exactly (Knuth's 2Sum, 6 operations, any order of magnitude).
///
/// Exact for all finite `a`, `b` whose sum does not overflow, subnormals included; only `|a| = f64::MAX` can
/// overflow on the way. Otherwise `e` is not finite, which is how callers notice.
#[inline(always)]
pub fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let b_seen = s - a;
    let a_seen = s - b_seen;
    (s, (a - a_seen) + (b - b_seen))
}

/// [`two_sum`] for `|a| >= |b|` or `a = 0` (Dekker's Fast2Sum, 3 operations).
#[inline(always)]
pub fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    (s, b - (s - a))
}

/// `(p, e)` with `p = fl(a b)` and `p + e = a b` exactly (Dekker's product with Veltkamp's splitting).
///
/// Exact whenever `p` is finite and `|p| >= 2^-960` (or zero because a factor is). Where splitting overflows
/// (`|a| > 2^996`, or `p` within a factor 2 of overflow) and where parts of the product would underflow, `e` is taken
/// from [`libm::fma`] instead: still exact in the first case, and in the second `fl(a b - p)`, within half the
/// smallest subnormal. `e` is not finite exactly when `p` is not.
#[inline]
pub fn two_prod(a: f64, b: f64) -> (f64, f64) {
    /// Below this, `a b - p` may have bits under 2^-1074: it needs |a b| 2^-106 >= 2^-1074 (and some slack).
    const EXACT_FROM: f64 = power_of_two(-960);
    let p = a * b;
    let (a_hi, a_lo) = split(a);
    let (b_hi, b_lo) = split(b);
    let e = a_lo * b_lo - (((p - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo);
    if e.is_finite() && p.abs() >= EXACT_FROM { (p, e) } else { two_prod_by_fma(p, a, b) }
}

#[inline(never)]
fn two_prod_by_fma(p: f64, a: f64, b: f64) -> (f64, f64) {
    if p == 0.0 && (a == 0.0 || b == 0.0) { (p, 0.0) } else { (p, libm::fma(a, b, -p)) }
}

/// `x = head + tail` with at most 26 significant bits each (Veltkamp, with 2^27 + 1).
#[inline]
fn split(x: f64) -> (f64, f64) {
    let shifted = 134_217_729.0 * x;
    let head = shifted - (shifted - x);
    (head, x - head)
}

/// `2^k` for `-1022 <= k <= 1023`.
#[inline]
pub(crate) const fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((1023 + k) as u64) << 52)
}

/// `x 2^k` for `|k| <= 2000`, rounded once: both factors keep a normal intermediate exact.
#[inline]
pub(super) fn scale(x: f64, k: i32) -> f64 {
    x * power_of_two(k / 2) * power_of_two(k - k / 2)
}

/// `floor(log2 |x|)` of a finite `x != 0`.
#[inline]
pub(super) fn exponent(x: f64) -> i32 {
    match (x.to_bits() >> 52) & 0x7ff {
        0 => exponent(x * power_of_two(64)) - 64,
        biased => biased as i32 - 1023,
    }
}
