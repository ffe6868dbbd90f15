//! The `.approx` instructions. PTX bounds their error and leaves the rest open: each result is drawn, by the seed and by the
//! operands, from all that the bound allows, so that a program which hangs on one GPU's choice is seen.

use std::cell::Cell;

use super::round::{canonical, flushed};
use crate::decode::Names;
use crate::fault::Fault;
use crate::ptx::Operand;
use crate::random::mix;
use crate::registers::{map1, map2, Alu};

thread_local! {
    /// The seed that the draws follow from, in the thread that runs the kernel.
    pub static SEED: Cell<u64> = const { Cell::new(0) };
}

/// The largest error that the PTX language (8.0) allows.
#[derive(Clone, Copy)]
enum Bound {
    /// Of the result, relative to it.
    Relative(f64),
    /// Absolute on (0.5, 2), relative elsewhere.
    Logarithm(f64),
    /// Absolute within ±pi; none beyond.
    Angle(f64),
}

/// One of the f32 values within the bound of the exact result.
fn drawn(exact: f64, operand: f64, bound: Bound, salt: u64) -> f32 {
    let nearest = exact as f32;
    if !exact.is_finite() || exact == 0.0 || !nearest.is_finite() {
        return nearest;
    }
    let error = match bound {
        Bound::Relative(share) => exact.abs() * share,
        Bound::Logarithm(error) if operand > 0.5 && operand < 2.0 => error,
        Bound::Logarithm(share) => exact.abs() * share,
        Bound::Angle(error) if operand.abs() <= std::f64::consts::PI => error,
        Bound::Angle(_) => 2.0,
    };
    let bits = mix(operand.to_bits() ^ mix(SEED.get() ^ salt));
    // The ends as often as what is between.
    let place = match bits % 4 {
        0 => -1.0,
        1 => 1.0,
        _ => (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0,
    };
    let mut result = (exact + place * error) as f32;
    if (f64::from(result) - exact).abs() > error {
        result = if result > nearest { result.next_down() } else { result.next_up() };
    }
    if matches!(bound, Bound::Angle(_)) {
        result.clamp(-1.0, 1.0)
    } else {
        result
    }
}

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let [name, "approx" | "full", how @ .., "f32"] = parts else { return Ok(None) };
    let flush = match how {
        [] => false,
        ["ftz"] => true,
        _ => return Ok(None),
    };
    let full = parts[1] == "full";
    let enter = move |a: f32| if flush { flushed(a) } else { a };
    let leave = move |a: f32| canonical(if flush { flushed(a) } else { a });
    let ulps = |count: f64| Bound::Relative(count * 2f64.powi(-23));
    if *name == "div" {
        let ab = (names.source::<f32>(&o[1])?, names.source::<f32>(&o[2])?);
        return Ok(Some(map2(names.target::<f32>(&o[0])?, ab, move |a: f32, b: f32| {
            let (a, b) = (f64::from(enter(a)), f64::from(enter(b)));
            // For divisors above 2^126 `div.approx` gives 0, or NaN of an infinite dividend.
            if !full && b.abs() > 2f64.powi(126) && b.is_finite() {
                return if a.is_infinite() { canonical(f32::NAN) } else { (0.0 * a / b) as f32 };
            }
            // Two units in the last place, which is at least the relative error 2^-23 of the result.
            leave(drawn(a / b, a.mul_add(3.0, b), ulps(1.0), 1))
        })));
    }
    let (f, bound): (fn(f64) -> f64, Bound) = match (*name, full) {
        ("rcp", false) => (|a| 1.0 / a, Bound::Relative(2f64.powi(-23))),
        ("sqrt", false) => (f64::sqrt, Bound::Relative(2f64.powi(-23))),
        ("rsqrt", false) => (|a| 1.0 / a.sqrt(), Bound::Relative(2f64.powf(-22.9))),
        ("sin", false) => (f64::sin, Bound::Angle(2f64.powf(-20.9))),
        ("cos", false) => (f64::cos, Bound::Angle(2f64.powf(-20.9))),
        ("lg2", false) => (f64::log2, Bound::Logarithm(2f64.powi(-22))),
        ("ex2", false) => (f64::exp2, Bound::Relative(2f64.powi(-22))),
        ("tanh", false) => (f64::tanh, Bound::Relative(2f64.powi(-11))),
        _ => return Ok(None),
    };
    let salt = name.bytes().fold(0, |salt, byte| salt * 31 + u64::from(byte));
    Ok(Some(map1(names.target::<f32>(&o[0])?, names.source::<f32>(&o[1])?, move |a: f32| {
        let a = f64::from(enter(a));
        leave(drawn(f(a), a, bound, salt))
    })))
}
