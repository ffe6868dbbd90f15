//! f32 and f64: add, sub, mul, fma, mad, div, rcp, sqrt, abs, neg, min, max, copysign.
//!
//! f64 rounds to the nearest only: another rounding is an instruction that is not known.

use super::round::{self, canonical, flushed, mode, saturated, Mode};
use crate::decode::Names;
use crate::fault::Fault;
use crate::ptx::Operand;
use crate::registers::{map1, map2, map3, Alu};

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    match parts.last() {
        Some(&"f32") => single(parts, o, names),
        Some(&"f64") => double(parts, o, names),
        _ => Ok(None),
    }
}

fn single(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let (mut rounding, mut flush, mut saturate, mut nan) = (None, false, false, false);
    for part in &parts[1..parts.len() - 1] {
        match *part {
            "ftz" => flush = true,
            "sat" => saturate = true,
            "NaN" => nan = true,
            part => match mode(part) {
                Some(mode) => rounding = Some(mode),
                None => return Ok(None),
            },
        }
    }
    let mode = rounding.unwrap_or(Mode::Nearest);
    let plain = mode == Mode::Nearest && !flush && !saturate;
    let enter = move |x: f32| if flush { flushed(x) } else { x };
    let leave = move |x: f32| {
        let x = canonical(if flush { flushed(x) } else { x });
        if saturate {
            saturated(x)
        } else {
            x
        }
    };
    let one =
        |names: &mut Names| -> Result<_, Fault> { Ok((names.target::<f32>(&o[0])?, names.source::<f32>(&o[1])?)) };
    let two = |names: &mut Names| -> Result<_, Fault> {
        Ok((names.target::<f32>(&o[0])?, (names.source::<f32>(&o[1])?, names.source::<f32>(&o[2])?)))
    };
    Ok(Some(match parts[0] {
        "add" if plain => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f32, b: f32| canonical(a + b))
        }
        "sub" if plain => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f32, b: f32| canonical(a - b))
        }
        "mul" if plain => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f32, b: f32| canonical(a * b))
        }
        "add" => {
            let (d, ab) = two(names)?;
            map2(d, ab, move |a: f32, b: f32| leave(round::add(mode, enter(a), enter(b))))
        }
        "sub" => {
            let (d, ab) = two(names)?;
            map2(d, ab, move |a: f32, b: f32| leave(round::add(mode, enter(a), -enter(b))))
        }
        "mul" => {
            let (d, ab) = two(names)?;
            map2(d, ab, move |a: f32, b: f32| leave(round::multiply(mode, enter(a), enter(b))))
        }
        "fma" | "mad" if rounding.is_some() => {
            let (d, (a, b)) = two(names)?;
            let abc = (a, b, names.source::<f32>(&o[3])?);
            if plain {
                map3(d, abc, |a: f32, b: f32, c: f32| canonical(a.mul_add(b, c)))
            } else {
                map3(d, abc, move |a: f32, b: f32, c: f32| leave(round::fma(mode, enter(a), enter(b), enter(c))))
            }
        }
        "div" if rounding.is_some() => {
            let (d, ab) = two(names)?;
            map2(d, ab, move |a: f32, b: f32| leave(round::divide(mode, enter(a), enter(b))))
        }
        "rcp" if rounding.is_some() => {
            let (d, a) = one(names)?;
            map1(d, a, move |a: f32| leave(round::divide(mode, 1.0, enter(a))))
        }
        "sqrt" if rounding.is_some() => {
            let (d, a) = one(names)?;
            map1(d, a, move |a: f32| leave(round::root(mode, enter(a))))
        }
        "abs" => {
            let (d, a) = one(names)?;
            map1(d, a, move |a: f32| enter(a).abs())
        }
        "neg" => {
            let (d, a) = one(names)?;
            map1(d, a, move |a: f32| -enter(a))
        }
        "min" => {
            let (d, ab) = two(names)?;
            map2(d, ab, move |a: f32, b: f32| canonical(extreme(enter(a), enter(b), nan, false)))
        }
        "max" => {
            let (d, ab) = two(names)?;
            map2(d, ab, move |a: f32, b: f32| canonical(extreme(enter(a), enter(b), nan, true)))
        }
        "copysign" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f32, b: f32| b.copysign(a))
        }
        _ => return Ok(None),
    }))
}

/// A NaN loses against a number unless `.NaN` is asked for; -0 is below +0.
fn extreme(a: f32, b: f32, nan: bool, larger: bool) -> f32 {
    if a.is_nan() || b.is_nan() {
        return if nan || a.is_nan() && b.is_nan() {
            round::NAN
        } else if a.is_nan() {
            b
        } else {
            a
        };
    }
    if (a.total_cmp(&b) == std::cmp::Ordering::Less) == larger {
        b
    } else {
        a
    }
}

fn extreme_double(a: f64, b: f64, larger: bool) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => a + b,
        (true, false) => b,
        (false, true) => a,
        _ if (a.total_cmp(&b) == std::cmp::Ordering::Less) == larger => b,
        _ => a,
    }
}

fn double(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let nearest = match &parts[1..parts.len() - 1] {
        [] => false,
        ["rn"] => true,
        _ => return Ok(None),
    };
    let one =
        |names: &mut Names| -> Result<_, Fault> { Ok((names.target::<f64>(&o[0])?, names.source::<f64>(&o[1])?)) };
    let two = |names: &mut Names| -> Result<_, Fault> {
        Ok((names.target::<f64>(&o[0])?, (names.source::<f64>(&o[1])?, names.source::<f64>(&o[2])?)))
    };
    Ok(Some(match parts[0] {
        "add" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| a + b)
        }
        "sub" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| a - b)
        }
        "mul" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| a * b)
        }
        "fma" | "mad" if nearest => {
            let (d, (a, b)) = two(names)?;
            map3(d, (a, b, names.source::<f64>(&o[3])?), |a: f64, b: f64, c: f64| a.mul_add(b, c))
        }
        "div" if nearest => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| a / b)
        }
        "rcp" if nearest => {
            let (d, a) = one(names)?;
            map1(d, a, |a: f64| 1.0 / a)
        }
        "sqrt" if nearest => {
            let (d, a) = one(names)?;
            map1(d, a, f64::sqrt)
        }
        "abs" => {
            let (d, a) = one(names)?;
            map1(d, a, f64::abs)
        }
        "neg" => {
            let (d, a) = one(names)?;
            map1(d, a, |a: f64| -a)
        }
        "min" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| extreme_double(a, b, false))
        }
        "max" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| extreme_double(a, b, true))
        }
        "copysign" => {
            let (d, ab) = two(names)?;
            map2(d, ab, |a: f64, b: f64| b.copysign(a))
        }
        _ => return Ok(None),
    }))
}
