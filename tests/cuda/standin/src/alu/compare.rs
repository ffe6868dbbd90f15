//! `setp` and `testp`: predicates from values.

use crate::decode::Names;
use crate::fault::Fault;
use crate::ptx::Operand;
use crate::registers::{test2, Alu, Mask, Registers, Value};

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    match parts {
        ["setp", compare, rest @ .., kind] => {
            let join = match rest {
                [] | ["ftz"] => None,
                [join @ ("and" | "or" | "xor")] | [join @ ("and" | "or" | "xor"), "ftz"] => Some(*join),
                _ => return Ok(None),
            };
            let flush = rest.contains(&"ftz");
            match *kind {
                "u16" | "b16" => whole::<u16>(compare, join, o, names),
                "s16" => whole::<i16>(compare, join, o, names),
                "u32" | "b32" => whole::<u32>(compare, join, o, names),
                "s32" => whole::<i32>(compare, join, o, names),
                "u64" | "b64" => whole::<u64>(compare, join, o, names),
                "s64" => whole::<i64>(compare, join, o, names),
                "f32" if flush => floats::<f32>(compare, join, o, names, super::round::flushed),
                "f32" => floats::<f32>(compare, join, o, names, |x| x),
                "f64" if !flush => floats::<f64>(compare, join, o, names, |x| x),
                _ => Ok(None),
            }
        }
        ["testp", what, "f32"] => {
            let f: fn(f32, f32) -> bool = match *what {
                "finite" => |x, _| x.is_finite(),
                "infinite" => |x, _| x.is_infinite(),
                "number" => |x, _| !x.is_nan(),
                "notanumber" => |x, _| x.is_nan(),
                "normal" => |x, _| x.is_normal(),
                "subnormal" => |x, _| x.is_subnormal(),
                _ => return Ok(None),
            };
            test::<f32>(f, None, (&o[0], &o[1], &o[1], None), names)
        }
        ["testp", what, "f64"] => {
            let f: fn(f64, f64) -> bool = match *what {
                "finite" => |x, _| x.is_finite(),
                "infinite" => |x, _| x.is_infinite(),
                "number" => |x, _| !x.is_nan(),
                "notanumber" => |x, _| x.is_nan(),
                "normal" => |x, _| x.is_normal(),
                "subnormal" => |x, _| x.is_subnormal(),
                _ => return Ok(None),
            };
            test::<f64>(f, None, (&o[0], &o[1], &o[1], None), names)
        }
        _ => Ok(None),
    }
}

fn whole<T: Value + PartialOrd>(
    compare: &str,
    join: Option<&str>,
    o: &[Operand],
    names: &mut Names,
) -> Result<Option<Alu>, Fault> {
    let ends = (&o[0], &o[1], &o[2], o.get(3));
    match compare {
        "eq" => test::<T>(|a, b| a == b, join, ends, names),
        "ne" => test::<T>(|a, b| a != b, join, ends, names),
        "lt" | "lo" => test::<T>(|a, b| a < b, join, ends, names),
        "le" | "ls" => test::<T>(|a, b| a <= b, join, ends, names),
        "gt" | "hi" => test::<T>(|a, b| a > b, join, ends, names),
        "ge" | "hs" => test::<T>(|a, b| a >= b, join, ends, names),
        _ => Ok(None),
    }
}

/// A comparison holds for no NaN, its `..u` form for every NaN.
#[allow(clippy::neg_cmp_op_on_partial_ord)]
#[allow(clippy::nonminimal_bool, clippy::double_comparisons)]
fn floats<T: Value + PartialOrd>(
    compare: &str,
    join: Option<&str>,
    o: &[Operand],
    names: &mut Names,
    enter: fn(T) -> T,
) -> Result<Option<Alu>, Fault> {
    let ends = (&o[0], &o[1], &o[2], o.get(3));
    macro_rules! test {
        (|$a:ident, $b:ident| $holds:expr) => {
            test::<T>(
                move |a, b| {
                    let ($a, $b) = (enter(a), enter(b));
                    $holds
                },
                join,
                ends,
                names,
            )
        };
    }
    match compare {
        "eq" => test!(|a, b| a == b),
        "ne" => test!(|a, b| a < b || a > b),
        "lt" => test!(|a, b| a < b),
        "le" => test!(|a, b| a <= b),
        "gt" => test!(|a, b| a > b),
        "ge" => test!(|a, b| a >= b),
        "equ" => test!(|a, b| !(a < b || a > b)),
        "neu" => test!(|a, b| a != b),
        "ltu" => test!(|a, b| !(a >= b)),
        "leu" => test!(|a, b| !(a > b)),
        "gtu" => test!(|a, b| !(a <= b)),
        "geu" => test!(|a, b| !(a < b)),
        "num" => test!(|a, b| a.partial_cmp(&b).is_some()),
        "nan" => test!(|a, b| a.partial_cmp(&b).is_none()),
        _ => Ok(None),
    }
}

/// `p = f(a, b) join c`, and `q = !f(a, b) join c` where the target is `p|q`.
fn test<T: Value>(
    f: impl Fn(T, T) -> bool + Send + 'static,
    join: Option<&str>,
    (target, a, b, c): (&Operand, &Operand, &Operand, Option<&Operand>),
    names: &mut Names,
) -> Result<Option<Alu>, Fault> {
    let (p, q) = match target {
        Operand::Pair(p, q) => (p.clone(), Some(names.predicate(&Operand::Name(q.clone()))?)),
        Operand::Name(p) => (p.clone(), None),
        _ => return Ok(None),
    };
    let p = names.predicate(&Operand::Name(p))?;
    let ab = (names.source::<T>(a)?, names.source::<T>(b)?);
    let with = match (join, c) {
        (None, None) => None,
        (Some(join), Some(c)) => {
            let join: fn(Mask, Mask) -> Mask = match join {
                "and" => |a, b| a & b,
                "or" => |a, b| a | b,
                _ => |a, b| a ^ b,
            };
            Some((join, names.truth(c)?))
        }
        _ => return Ok(None),
    };
    Ok(Some(test2(ab, f, move |registers: &mut Registers, mask, holds| {
        let joined = |registers: &Registers, holds| match with {
            Some((join, c)) => join(holds, c.of(registers)),
            None => holds,
        };
        let (first, second) = (joined(registers, holds), joined(registers, !holds));
        let file = &mut registers.predicates;
        file[p] = (file[p] & !mask) | (first & mask);
        if let Some(q) = q {
            file[q] = (file[q] & !mask) | (second & mask);
        }
    })))
}
