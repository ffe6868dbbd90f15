//! Bits: and, or, xor, not, shifts, counts, fields, and `mov`.

use crate::decode::Names;
use crate::fault::{Fault, INVALID_PTX};
use crate::ptx::Operand;
use crate::registers::{map1, map2, map3, select, Alu, Register, Registers, Value, LANES};

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    macro_rules! bits {
        ($type:ty, $signed:ty) => {{
            let shift = |names: &mut Names| -> Result<_, Fault> {
                Ok((names.target::<$type>(&o[0])?, (names.source::<$type>(&o[1])?, names.source::<u32>(&o[2])?)))
            };
            let two = |names: &mut Names| -> Result<_, Fault> {
                Ok((names.target::<$type>(&o[0])?, (names.source::<$type>(&o[1])?, names.source::<$type>(&o[2])?)))
            };
            match parts[0] {
                "and" => {
                    let (d, ab) = two(names)?;
                    map2(d, ab, |a: $type, b: $type| a & b)
                }
                "or" => {
                    let (d, ab) = two(names)?;
                    map2(d, ab, |a: $type, b: $type| a | b)
                }
                "xor" => {
                    let (d, ab) = two(names)?;
                    map2(d, ab, |a: $type, b: $type| a ^ b)
                }
                "not" => map1(names.target::<$type>(&o[0])?, names.source::<$type>(&o[1])?, |a: $type| !a),
                // Shifts by the width and more clear, or spread the sign.
                "shl" => {
                    let (d, ab) = shift(names)?;
                    map2(d, ab, |a: $type, n: u32| a.checked_shl(n).unwrap_or(0))
                }
                "shr" if parts[1].starts_with('s') => {
                    let (d, ab) = shift(names)?;
                    map2(d, ab, |a: $type, n: u32| ((a as $signed) >> n.min(<$type>::BITS - 1)) as $type)
                }
                "shr" => {
                    let (d, ab) = shift(names)?;
                    map2(d, ab, |a: $type, n: u32| a.checked_shr(n).unwrap_or(0))
                }
                "mov" => map1(names.target::<$type>(&o[0])?, names.source::<$type>(&o[1])?, |a: $type| a),
                "selp" => {
                    let (d, ab) = two(names)?;
                    select::<$type>(d, ab, names.predicate(&o[3])?)
                }
                _ => return Ok(None),
            }
        }};
    }
    Ok(Some(match parts {
        ["and" | "or" | "xor" | "not" | "mov", "pred"] => return predicates(parts[0], o, names).map(Some),
        ["mov", _] if matches!((&o[0], &o[1]), (Operand::Vector(_), _) | (_, Operand::Vector(_))) => {
            return pack(parts[1], o, names);
        }
        ["mov" | "selp", "f32"] => bits!(u32, i32),
        ["mov" | "selp", "f64"] => bits!(u64, i64),
        ["popc", "b32"] => map1(names.target::<u32>(&o[0])?, names.source::<u32>(&o[1])?, u32::count_ones),
        ["popc", "b64"] => map1(names.target::<u32>(&o[0])?, names.source::<u64>(&o[1])?, u64::count_ones),
        ["clz", "b32"] => map1(names.target::<u32>(&o[0])?, names.source::<u32>(&o[1])?, u32::leading_zeros),
        ["clz", "b64"] => map1(names.target::<u32>(&o[0])?, names.source::<u64>(&o[1])?, u64::leading_zeros),
        ["brev", "b32"] => map1(names.target::<u32>(&o[0])?, names.source::<u32>(&o[1])?, u32::reverse_bits),
        ["brev", "b64"] => map1(names.target::<u64>(&o[0])?, names.source::<u64>(&o[1])?, u64::reverse_bits),
        ["bfind", "shiftamt", "u32"] => {
            let highest = |a: u32| if a == 0 { u32::MAX } else { a.leading_zeros() };
            map1(names.target::<u32>(&o[0])?, names.source::<u32>(&o[1])?, highest)
        }
        ["bfind", "u32"] => {
            let highest = |a: u32| if a == 0 { u32::MAX } else { 31 - a.leading_zeros() };
            map1(names.target::<u32>(&o[0])?, names.source::<u32>(&o[1])?, highest)
        }
        ["bfe", "u32"] => field::<u32>(o, names, |a, from, length| {
            let cut = u64::from(a) >> from.min(63);
            (cut & ((1u64 << length.min(32)) - 1)) as u32
        })?,
        ["bfe", "u64"] => field::<u64>(o, names, |a, from, length| {
            let cut = u128::from(a) >> from.min(127);
            (cut & ((1u128 << length.min(64)) - 1)) as u64
        })?,
        // Beyond the top the sign goes on; a field of no bits is 0.
        ["bfe", "s32"] => field::<u32>(o, names, |a, from, length| {
            signed_field(i64::from(a as i32), from, length.min(32 - from.min(31))) as u32
        })?,
        ["bfe", "s64"] => field::<u64>(o, names, |a, from, length| {
            signed_field(a as i64, from, length.min(64 - from.min(63))) as u64
        })?,
        ["bfi", "b32"] => {
            let (a, b) = (Register::R32(names.source::<u32>(&o[1])?), Register::R32(names.source::<u32>(&o[2])?));
            inserted(Register::R32(names.target::<u32>(&o[0])?), a, b, o, names, 32)?
        }
        ["bfi", "b64"] => {
            let (a, b) = (Register::R64(names.source::<u64>(&o[1])?), Register::R64(names.source::<u64>(&o[2])?));
            inserted(Register::R64(names.target::<u64>(&o[0])?), a, b, o, names, 64)?
        }
        ["shf", way @ ("l" | "r"), mode @ ("wrap" | "clamp")]
        | ["shf", way @ ("l" | "r"), mode @ ("wrap" | "clamp"), "b32"] => {
            let d = names.target::<u32>(&o[0])?;
            let abc = (names.source::<u32>(&o[1])?, names.source::<u32>(&o[2])?, names.source::<u32>(&o[3])?);
            let (left, wrap) = (*way == "l", *mode == "wrap");
            map3(d, abc, move |low: u32, high: u32, n: u32| {
                let n = if wrap { n & 31 } else { n.min(32) };
                let both = (u64::from(high) << 32) | u64::from(low);
                if left {
                    ((both << n) >> 32) as u32
                } else {
                    (both >> n) as u32
                }
            })
        }
        ["prmt", "b32"] => {
            let d = names.target::<u32>(&o[0])?;
            let abc = (names.source::<u32>(&o[1])?, names.source::<u32>(&o[2])?, names.source::<u32>(&o[3])?);
            map3(d, abc, permuted)
        }
        [_, "b16" | "u16" | "s16"] => bits!(u16, i16),
        [_, "b32" | "u32" | "s32"] => bits!(u32, i32),
        [_, "b64" | "u64" | "s64"] => bits!(u64, i64),
        _ => return Ok(None),
    }))
}

fn field<T: Value>(
    o: &[Operand],
    names: &mut Names,
    cut: impl Fn(T, u32, u32) -> T + Send + 'static,
) -> Result<Alu, Fault> {
    let d = names.target::<T>(&o[0])?;
    let abc = (names.source::<T>(&o[1])?, names.source::<u32>(&o[2])?, names.source::<u32>(&o[3])?);
    Ok(map3(d, abc, move |a: T, from: u32, length: u32| cut(a, from & 255, length & 255)))
}

fn signed_field(a: i64, from: u32, length: u32) -> i64 {
    if length == 0 {
        return 0;
    }
    let unused = 64 - length;
    ((a >> from.min(63)) << unused) >> unused
}

/// The low bits of a in the place of b's from `from` on, as many as `length` says.
fn inserted(d: Register, a: Register, b: Register, o: &[Operand], names: &mut Names, width: u32) -> Result<Alu, Fault> {
    let (Some(from), Some(length)) = (o.get(3), o.get(4)) else {
        return Err(Fault::new(INVALID_PTX, "a field without a place or a length"));
    };
    let (from, length) = (Register::R32(names.source::<u32>(from)?), Register::R32(names.source::<u32>(length)?));
    Ok(Box::new(move |registers: &mut Registers, mask| {
        for lane in (0..LANES).filter(|lane| mask >> lane & 1 == 1) {
            let (from, length) = (registers.get(from, lane) as u32 & 255, registers.get(length, lane) as u32 & 255);
            let field = u64::MAX.checked_shr(64 - length.min(width)).unwrap_or(0);
            let moved = |bits: u64| if from < width { bits << from } else { 0 };
            let value = registers.get(b, lane) & !moved(field) | moved(registers.get(a, lane) & field);
            registers.set(d, lane, value);
        }
    }))
}

/// Each byte of the result is one of the eight of (b, a), or its sign in all bits.
fn permuted(a: u32, b: u32, selector: u32) -> u32 {
    let bytes = (u64::from(b) << 32) | u64::from(a);
    (0..4).fold(0, |result, i| {
        let choice = selector >> (4 * i);
        let byte = (bytes >> (8 * (choice & 7))) as u8;
        let byte = if choice & 8 != 0 { ((byte as i8) >> 7) as u8 } else { byte };
        result | (u32::from(byte) << (8 * i))
    })
}

fn predicates(what: &str, o: &[Operand], names: &mut Names) -> Result<Alu, Fault> {
    let d = names.predicate(&o[0])?;
    let a = names.truth(&o[1])?;
    let b = if matches!(what, "not" | "mov") { a } else { names.truth(&o[2])? };
    let f: fn(u32, u32) -> u32 = match what {
        "and" => |a, b| a & b,
        "or" => |a, b| a | b,
        "xor" => |a, b| a ^ b,
        "not" => |a, _| !a,
        _ => |a, _| a,
    };
    Ok(Box::new(move |registers: &mut Registers, mask| {
        let value = f(a.of(registers), b.of(registers));
        registers.predicates[d] = (registers.predicates[d] & !mask) | (value & mask);
    }))
}

/// `mov.b64 d, {low, high}` and `mov.b64 {low, high}, a`; `mov.b32` with halves of 16 bits likewise.
fn pack(kind: &str, o: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    let parts = |list: &[Operand]| match list {
        [low, high] => Some((low.clone(), high.clone())),
        _ => None,
    };
    Ok(Some(match (kind, &o[0], &o[1]) {
        ("b64", d, Operand::Vector(list)) => {
            let Some((low, high)) = parts(list) else { return Ok(None) };
            let ab = (names.source::<u32>(&low)?, names.source::<u32>(&high)?);
            map2(names.target::<u64>(d)?, ab, |low: u32, high: u32| (u64::from(high) << 32) | u64::from(low))
        }
        ("b64", Operand::Vector(list), a) => {
            let Some((low, high)) = parts(list) else { return Ok(None) };
            let (low, high, a) = (names.target::<u32>(&low)?, names.target::<u32>(&high)?, names.source::<u64>(a)?);
            let (first, second) = (map1(low, a, |a: u64| a as u32), map1(high, a, |a: u64| (a >> 32) as u32));
            Box::new(move |registers: &mut Registers, mask| {
                first(registers, mask);
                second(registers, mask);
            })
        }
        ("b32", d, Operand::Vector(list)) => {
            let Some((low, high)) = parts(list) else { return Ok(None) };
            let ab = (names.source::<u16>(&low)?, names.source::<u16>(&high)?);
            map2(names.target::<u32>(d)?, ab, |low: u16, high: u16| (u32::from(high) << 16) | u32::from(low))
        }
        ("b32", Operand::Vector(list), a) => {
            let Some((low, high)) = parts(list) else { return Ok(None) };
            let (low, high, a) = (names.target::<u16>(&low)?, names.target::<u16>(&high)?, names.source::<u32>(a)?);
            let (first, second) = (map1(low, a, |a: u32| a as u16), map1(high, a, |a: u32| (a >> 16) as u16));
            Box::new(move |registers: &mut Registers, mask| {
                first(registers, mask);
                second(registers, mask);
            })
        }
        _ => return Ok(None),
    }))
}
