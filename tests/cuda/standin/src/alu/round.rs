//! Rounding, flushing and NaN as PTX has them.

use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Nearest,
    Zero,
    Down,
    Up,
}

/// `rn`, `rz`, `rm`, `rp`.
pub fn mode(part: &str) -> Option<Mode> {
    Some(match part {
        "rn" => Mode::Nearest,
        "rz" => Mode::Zero,
        "rm" => Mode::Down,
        "rp" => Mode::Up,
        _ => return None,
    })
}

/// The NaN that f32 instructions give, whatever NaN went in.
pub const NAN: f32 = f32::from_bits(0x7fff_ffff);

#[inline(always)]
pub fn canonical(x: f32) -> f32 {
    if x.is_nan() {
        NAN
    } else {
        x
    }
}

/// `.ftz`: a subnormal becomes a zero of its sign.
#[inline(always)]
pub fn flushed(x: f32) -> f32 {
    if x.is_subnormal() {
        0f32.copysign(x)
    } else {
        x
    }
}

/// `.sat`: into [0, 1]; NaN becomes 0.
#[inline(always)]
pub fn saturated(x: f32) -> f32 {
    if x > 0.0 {
        x.min(1.0)
    } else {
        0.0
    }
}

/// `nearest` is the exact value rounded to the nearest; `exact` is how that value compares with it. The same value rounded
/// by `mode`. (An infinite `nearest` of finite operands compares as beyond the exact value.)
pub fn directed(mode: Mode, nearest: f32, exact: Ordering) -> f32 {
    let (up, down) = match mode {
        Mode::Nearest => (false, false),
        Mode::Zero => (nearest.is_sign_negative(), nearest.is_sign_positive()),
        Mode::Down => (false, true),
        Mode::Up => (true, false),
    };
    match exact {
        Ordering::Greater if up => nearest.next_up(),
        Ordering::Less if down => nearest.next_down(),
        _ => nearest,
    }
}

/// s + e exactly (Knuth).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let part = s - a;
    (s, (a - (s - part)) + (b - part))
}

fn sign(x: f64) -> Ordering {
    x.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}

/// How p + c compares with `r`, the nearest f32; p and c have f32 significands or their products.
fn sum_against(p: f64, c: f64, r: f32) -> Ordering {
    let (s, e) = two_sum(p, c);
    let rest = s - f64::from(r);
    if rest == 0.0 {
        sign(e)
    } else {
        sign(rest)
    }
}

/// a * b + c. A sum of exactly zero of opposite signs is -0 when rounding down.
pub fn fma(mode: Mode, a: f32, b: f32, c: f32) -> f32 {
    let nearest = a.mul_add(b, c);
    if mode == Mode::Nearest || nearest.is_nan() {
        return nearest;
    }
    let product = f64::from(a) * f64::from(b);
    if nearest == 0.0 && product + f64::from(c) == 0.0 {
        let opposite = product.is_sign_negative() != c.is_sign_negative();
        return if opposite && mode == Mode::Down { -0.0 } else { nearest };
    }
    directed(mode, nearest, sum_against(product, f64::from(c), nearest))
}

pub fn add(mode: Mode, a: f32, b: f32) -> f32 {
    fma(mode, a, 1.0, b)
}

pub fn multiply(mode: Mode, a: f32, b: f32) -> f32 {
    let nearest = a * b;
    let exact = f64::from(a) * f64::from(b);
    directed(mode, nearest, exact.partial_cmp(&f64::from(nearest)).unwrap_or(Ordering::Equal))
}

pub fn divide(mode: Mode, a: f32, b: f32) -> f32 {
    let nearest = a / b;
    if nearest.is_infinite() && a.is_finite() && b != 0.0 {
        return directed(mode, nearest, if nearest > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    // a - r b, of which the sign is right.
    let rest = (-f64::from(nearest)).mul_add(f64::from(b), f64::from(a));
    directed(mode, nearest, sign(if b < 0.0 { -rest } else { rest }))
}

pub fn root(mode: Mode, a: f32) -> f32 {
    let nearest = a.sqrt();
    directed(mode, nearest, sign((-f64::from(nearest)).mul_add(f64::from(nearest), f64::from(a))))
}

pub fn narrow(mode: Mode, a: f64) -> f32 {
    let nearest = a as f32;
    directed(mode, nearest, a.partial_cmp(&f64::from(nearest)).unwrap_or(Ordering::Equal))
}
