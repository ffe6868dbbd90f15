//! `cvt`: between all types; and `cvta`.

use super::round::{self, canonical, flushed, saturated, Mode};
use crate::decode::Names;
use crate::fault::Fault;
use crate::ptx::Operand;
use crate::registers::{map1, Alu, Value};

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let ["cvt", how @ .., to, from] = parts else { return Ok(None) };
    match (is_float(to), is_float(from)) {
        (false, false) if how.is_empty() => whole_to_whole(to, from, o, names),
        (true, false) if *how == ["rn"] => match *from {
            "u8" => whole_to_float::<u8>(to, o, names, |a| a as f32, f64::from),
            "s8" => whole_to_float::<i8>(to, o, names, |a| a as f32, f64::from),
            "u16" => whole_to_float::<u16>(to, o, names, |a| a as f32, f64::from),
            "s16" => whole_to_float::<i16>(to, o, names, |a| a as f32, f64::from),
            "u32" => whole_to_float::<u32>(to, o, names, |a| a as f32, f64::from),
            "s32" => whole_to_float::<i32>(to, o, names, |a| a as f32, f64::from),
            "u64" => whole_to_float::<u64>(to, o, names, |a| a as f32, |a| a as f64),
            "s64" => whole_to_float::<i64>(to, o, names, |a| a as f32, |a| a as f64),
            _ => Ok(None),
        },
        (false, true) => {
            let (flush, how) = if let [how, "ftz"] = how { (true, &[*how][..]) } else { (false, how) };
            let ["rni" | "rzi" | "rmi" | "rpi"] = how else { return Ok(None) };
            match *from {
                "f32" => {
                    float_to_whole::<f32>(to, how[0], o, names, move |a| f64::from(if flush { flushed(a) } else { a }))
                }
                _ if !flush => float_to_whole::<f64>(to, how[0], o, names, |a| a),
                _ => Ok(None),
            }
        }
        (true, true) => float_to_float(how, to, from, o, names),
        _ => Ok(None),
    }
}

fn is_float(kind: &str) -> bool {
    matches!(kind, "f32" | "f64")
}

fn whole_to_whole(to: &str, from: &str, o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    macro_rules! to {
        ($from:ty) => {
            match to {
                "u8" => cast(o, names, |a: $from| a as u8),
                "s8" => cast(o, names, |a: $from| a as i8),
                "u16" => cast(o, names, |a: $from| a as u16),
                "s16" => cast(o, names, |a: $from| a as i16),
                "u32" => cast(o, names, |a: $from| a as u32),
                "s32" => cast(o, names, |a: $from| a as i32),
                "u64" => cast(o, names, |a: $from| a as u64),
                "s64" => cast(o, names, |a: $from| a as i64),
                _ => Ok(None),
            }
        };
    }
    match from {
        "u8" => to!(u8),
        "s8" => to!(i8),
        "u16" => to!(u16),
        "s16" => to!(i16),
        "u32" => to!(u32),
        "s32" => to!(i32),
        "u64" => to!(u64),
        "s64" => to!(i64),
        _ => Ok(None),
    }
}

fn cast<A: Value, D: Value>(
    o: &[Operand],
    names: &mut Names,
    f: impl Fn(A) -> D + Send + 'static,
) -> Result<Option<Alu>, Fault> {
    Ok(Some(map1(names.target::<D>(&o[0])?, names.source::<A>(&o[1])?, f)))
}

fn whole_to_float<A: Value>(
    to: &str,
    o: &[Operand],
    names: &mut Names,
    single: fn(A) -> f32,
    double: fn(A) -> f64,
) -> Result<Option<Alu>, Fault> {
    if to == "f32" {
        cast(o, names, single)
    } else {
        cast(o, names, double)
    }
}

/// `a` rounded to a whole number.
fn rounded(how: &str, a: f64) -> f64 {
    match how.as_bytes()[1] {
        b'n' => a.round_ties_even(),
        b'z' => a.trunc(),
        b'm' => a.floor(),
        _ => a.ceil(),
    }
}

/// Out of range is the nearest end. NaN is 0, but the highest bit alone if either side has 64 bits.
fn float_to_whole<A: Value>(
    to: &str,
    how: &str,
    o: &[Operand],
    names: &mut Names,
    enter: impl Fn(A) -> f64 + Send + 'static,
) -> Result<Option<Alu>, Fault> {
    let f: fn(f64) -> f64 = match how {
        "rni" => |a| rounded("rni", a),
        "rzi" => |a| rounded("rzi", a),
        "rmi" => |a| rounded("rmi", a),
        _ => |a| rounded("rpi", a),
    };
    let wide = std::mem::size_of::<A::Word>() == 8;
    macro_rules! to {
        ($type:ty) => {
            cast(o, names, move |a: A| {
                let a = enter(a);
                if a.is_nan() && (wide || <$type>::BITS == 64) {
                    (1 as $type) << (<$type>::BITS - 1)
                } else {
                    f(a) as $type
                }
            })
        };
    }
    match to {
        "u8" => to!(u8),
        "s8" => to!(i8),
        "u16" => to!(u16),
        "s16" => to!(i16),
        "u32" => to!(u32),
        "s32" => to!(i32),
        "u64" => to!(u64),
        "s64" => to!(i64),
        _ => Ok(None),
    }
}

fn float_to_float(how: &[&str], to: &str, from: &str, o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let (mut whole, mut mode, mut flush, mut saturate) = (None, None, false, false);
    for part in how {
        match *part {
            "ftz" => flush = true,
            "sat" => saturate = true,
            "rni" | "rzi" | "rmi" | "rpi" => whole = Some(part.to_string()),
            part => match round::mode(part) {
                Some(found) => mode = Some(found),
                None => return Ok(None),
            },
        }
    }
    let enter = move |a: f32| if flush { flushed(a) } else { a };
    let leave = move |a: f32| if saturate { saturated(a) } else { canonical(if flush { flushed(a) } else { a }) };
    match (to, from, whole, mode) {
        ("f32", "f32", None, None) => cast(o, names, move |a: f32| leave(enter(a))),
        ("f32", "f32", Some(how), None) => {
            cast(o, names, move |a: f32| leave(rounded(&how, f64::from(enter(a))) as f32))
        }
        ("f64", "f64", Some(how), None) if !flush && !saturate => cast(o, names, move |a: f64| rounded(&how, a)),
        ("f64", "f32", None, None) if !saturate => cast(o, names, move |a: f32| f64::from(enter(a))),
        ("f32", "f64", None, Some(Mode::Nearest)) => cast(o, names, move |a: f64| leave(a as f32)),
        ("f32", "f64", None, Some(mode)) => cast(o, names, move |a: f64| leave(round::narrow(mode, a))),
        _ => Ok(None),
    }
}
