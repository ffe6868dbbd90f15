//! Whole numbers: add, sub, mul, mad, div, rem, abs, neg, min, max of 16, 32 and 64 bits. Sums and products wrap.

use crate::decode::Names;
use crate::fault::Fault;
use crate::ptx::Operand;
use crate::registers::{map1, map2, map3, Alu, Value};

/// What this file needs of a type.
trait Whole: Value {
    fn plus(self, b: Self) -> Self;
    fn minus(self, b: Self) -> Self;
    fn times(self, b: Self) -> Self;
    fn high(self, b: Self) -> Self;
    fn over(self, b: Self) -> Self;
    fn rest(self, b: Self) -> Self;
    fn less(self, b: Self) -> bool;
    fn negated(self) -> Self;
    fn magnitude(self) -> Self;
}

macro_rules! whole {
    ($($type:ty, $wide:ty, |$v:ident| $magnitude:expr;)*) => { $(
        impl Whole for $type {
            #[inline(always)]
            fn plus(self, b: Self) -> Self { self.wrapping_add(b) }
            #[inline(always)]
            fn minus(self, b: Self) -> Self { self.wrapping_sub(b) }
            #[inline(always)]
            fn times(self, b: Self) -> Self { self.wrapping_mul(b) }
            #[inline(always)]
            fn high(self, b: Self) -> Self { ((self as $wide * b as $wide) >> <$type>::BITS) as $type }
            // By zero: PTX leaves the result open, the hardware sets all bits.
            #[inline(always)]
            fn over(self, b: Self) -> Self { if b == 0 { !0 } else { self.wrapping_div(b) } }
            #[inline(always)]
            fn rest(self, b: Self) -> Self { if b == 0 { self } else { self.wrapping_rem(b) } }
            #[inline(always)]
            fn less(self, b: Self) -> bool { self < b }
            #[inline(always)]
            fn negated(self) -> Self { self.wrapping_neg() }
            #[inline(always)]
            fn magnitude(self) -> Self { let $v = self; $magnitude }
        }
    )* };
}

whole! {
    u16, u32, |v| v;
    i16, i32, |v| v.wrapping_abs();
    u32, u64, |v| v;
    i32, i64, |v| v.wrapping_abs();
    u64, u128, |v| v;
    i64, i128, |v| v.wrapping_abs();
}

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    if let ["mul" | "mad", "wide", kind] = parts {
        return wide(parts[0], kind, o, names);
    }
    match parts.last() {
        Some(&"u16") => of::<u16>(parts, o, names),
        Some(&"s16") => of::<i16>(parts, o, names),
        Some(&("u32" | "b32")) => of::<u32>(parts, o, names),
        Some(&"s32") => of::<i32>(parts, o, names),
        Some(&("u64" | "b64")) => of::<u64>(parts, o, names),
        Some(&"s64") => of::<i64>(parts, o, names),
        _ => Ok(None),
    }
}

fn of<T: Whole>(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let binary: fn(T, T) -> T = match &parts[..parts.len() - 1] {
        ["add"] => T::plus,
        ["sub"] => T::minus,
        ["mul", "lo"] => T::times,
        ["mul", "hi"] => T::high,
        ["div"] => T::over,
        ["rem"] => T::rest,
        ["min"] => |a, b| if b.less(a) { b } else { a },
        ["max"] => |a, b| if a.less(b) { b } else { a },
        ["abs" | "neg"] => {
            let (d, a) = (names.target::<T>(&o[0])?, names.source::<T>(&o[1])?);
            let f = if parts[0] == "abs" { T::magnitude } else { T::negated };
            return Ok(Some(map1(d, a, f)));
        }
        ["mad", part @ ("lo" | "hi")] => {
            let d = names.target::<T>(&o[0])?;
            let abc = (names.source::<T>(&o[1])?, names.source::<T>(&o[2])?, names.source::<T>(&o[3])?);
            return Ok(Some(match *part {
                "lo" => map3(d, abc, |a: T, b: T, c: T| a.times(b).plus(c)),
                _ => map3(d, abc, |a: T, b: T, c: T| a.high(b).plus(c)),
            }));
        }
        _ => return Ok(None),
    };
    let (d, ab) = (names.target::<T>(&o[0])?, (names.source::<T>(&o[1])?, names.source::<T>(&o[2])?));
    // The commonest by themselves, so that the loop over the threads holds them and not a call.
    Ok(Some(match parts[0] {
        "add" => map2(d, ab, T::plus),
        "sub" => map2(d, ab, T::minus),
        "mul" if parts[1] == "lo" => map2(d, ab, T::times),
        _ => map2(d, ab, binary),
    }))
}

fn wide(what: &str, kind: &str, o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    macro_rules! wide {
        ($from:ty, $to:ty) => {{
            let d = names.target::<$to>(&o[0])?;
            let (a, b) = (names.source::<$from>(&o[1])?, names.source::<$from>(&o[2])?);
            if what == "mul" {
                map2(d, (a, b), |a: $from, b: $from| a as $to * b as $to)
            } else {
                let c = names.source::<$to>(&o[3])?;
                map3(d, (a, b, c), |a: $from, b: $from, c: $to| (a as $to * b as $to).wrapping_add(c))
            }
        }};
    }
    Ok(Some(match kind {
        "u16" => wide!(u16, u32),
        "s16" => wide!(i16, i32),
        "u32" => wide!(u32, u64),
        "s32" => wide!(i32, i64),
        _ => return Ok(None),
    }))
}
