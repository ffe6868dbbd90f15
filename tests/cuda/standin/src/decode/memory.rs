//! Loads, stores, atomic operations, and addresses of one space as those of another.

use super::names::{Names, LOCAL_WINDOW, SHARED_WINDOW};
use crate::fault::{Fault, INVALID_PTX};
use crate::kernel::{Act, Address, Constant, Space};
use crate::ptx::{bytes_of, Operand};
use crate::registers::{map1, map2, Register};

pub fn decode(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Act>, Fault> {
    let (Some(kind), false) = (parts.last(), parts.len() < 2) else { return Ok(None) };
    let Some(size) = bytes_of(kind) else { return Ok(None) };
    let mut space = Space::Generic;
    let (mut vector, mut cached, mut param) = (1, false, false);
    let mut rest = Vec::new();
    for part in &parts[1..parts.len() - 1] {
        match *part {
            "global" | "const" => space = Space::Global,
            "shared" => space = Space::Shared,
            "local" => space = Space::Local,
            "param" => (param, space) = (true, Space::Param),
            "v2" => vector = 2,
            "v4" => vector = 4,
            "nc" => cached = true,
            // How caches treat it is no matter here.
            "volatile" | "weak" | "relaxed" | "acquire" | "release" | "acq_rel" | "cta" | "gpu" | "sys" | "ca"
            | "cg" | "cs" | "cv" | "wb" | "wt" => (),
            other => rest.push(other),
        }
    }
    let signed = kind.starts_with('s');
    match (parts[0], &rest[..], o) {
        ("ld", [], [to, Operand::Address(base, offset)]) if param && names.is_param(base) => {
            param_load(to, base, *offset, size, signed, names).map(Some)
        }
        ("ld" | "ldu", [], [to, Operand::Address(base, offset)]) => {
            let to = list(to, vector, names)?;
            let from = address(space, base, *offset, names)?;
            Ok(Some(Act::Load { from, size, signed, cached: cached || parts[0] == "ldu", to }))
        }
        ("st", [], [Operand::Address(base, offset), value]) if !param => {
            let from = match value {
                Operand::Vector(values) if values.len() == vector => {
                    values.iter().map(|value| names.any_source(value, size == 8)).collect::<Result<_, _>>()?
                }
                value if vector == 1 => vec![names.any_source(value, size == 8)?],
                _ => return Ok(None),
            };
            Ok(Some(Act::Store { to: address(space, base, *offset, names)?, size, from }))
        }
        ("atom", [what], [old, Operand::Address(base, offset), b, c @ ..]) => {
            let old = if old == &Operand::Name("_".to_string()) { None } else { Some(names.expect_register(old)?) };
            atomic(what, kind, (space, base, *offset), (b, c), old, names)
        }
        ("red", [what], [Operand::Address(base, offset), b]) => {
            atomic(what, kind, (space, base, *offset), (b, &[]), None, names)
        }
        _ => Ok(None),
    }
}

fn list(to: &Operand, vector: usize, names: &Names) -> Result<Vec<Register>, Fault> {
    let parts = match to {
        Operand::Vector(parts) => &parts[..],
        one => std::slice::from_ref(one),
    };
    if parts.len() != vector {
        return Err(Fault::new(INVALID_PTX, format!("expected {vector} registers, found {}", parts.len())));
    }
    parts.iter().map(|part| names.expect_register(part)).collect()
}

fn address(space: Space, base: &Operand, offset: i64, names: &mut Names) -> Result<Address, Fault> {
    let base = names.any_source(base, true)?;
    if matches!(space, Space::Global | Space::Generic) {
        names.is_address(base);
    }
    Ok(Address { space, base, offset })
}

/// Parameters are the same for all threads: a load is a `mov` from the register that holds them.
fn param_load(
    to: &Operand,
    base: &Operand,
    offset: i64,
    size: usize,
    signed: bool,
    names: &mut Names,
) -> Result<Act, Fault> {
    let Operand::Name(name) = base else {
        return Err(Fault::new(INVALID_PTX, "a parameter without a name"));
    };
    let to = names.expect_register(to)?;
    let wide = matches!(to, Register::R64(_));
    let from = names
        .param(name, offset, size, signed, wide)
        .ok_or_else(|| Fault::new(INVALID_PTX, format!("bytes {offset}.. beyond the parameter `{name}`")))?;
    names.loaded(to, name);
    Ok(Act::Alu(match (to, from) {
        (Register::R32(to), Register::R32(from)) => map1(to, from, |a: u32| a),
        (Register::R64(to), Register::R64(from)) => map1(to, from, |a: u64| a),
        _ => return Err(Fault::new(INVALID_PTX, "a parameter into a predicate")),
    }))
}

fn atomic(
    what: &str,
    kind: &str,
    (space, base, offset): (Space, &Operand, i64),
    (b, c): (&Operand, &[Operand]),
    old: Option<Register>,
    names: &mut Names,
) -> Result<Option<Act>, Fault> {
    // f(what is there, b, c) is what stands there afterwards.
    let f: fn(u64, u64, u64) -> u64 = match (what, kind) {
        ("exch", "b32" | "b64") => |_, b, _| b,
        ("cas", "b32" | "b64") => |old, b, c| if old == b { c } else { old },
        ("and", "b32" | "b64") => |old, b, _| old & b,
        ("or", "b32" | "b64") => |old, b, _| old | b,
        ("xor", "b32" | "b64") => |old, b, _| old ^ b,
        ("add", "u32" | "s32" | "u64" | "s64") => |old, b, _| old.wrapping_add(b),
        ("min", "u32" | "u64") => |old, b, _| old.min(b),
        ("max", "u32" | "u64") => |old, b, _| old.max(b),
        ("min", "s32") => |old, b, _| (old as i32).min(b as i32) as u64,
        ("max", "s32") => |old, b, _| (old as i32).max(b as i32) as u64,
        ("min", "s64") => |old, b, _| (old as i64).min(b as i64) as u64,
        ("max", "s64") => |old, b, _| (old as i64).max(b as i64) as u64,
        ("inc", "u32") => |old, b, _| if old >= b { 0 } else { old + 1 },
        ("dec", "u32") => |old, b, _| if old == 0 || old > b { b } else { old - 1 },
        // Sums of floating-point numbers in no order are no result that anything could be held to.
        _ => return Ok(None),
    };
    let Some(size) = bytes_of(kind) else { return Ok(None) };
    let at = address(space, base, offset, names)?;
    let b = names.any_source(b, size == 8)?;
    let c = match c {
        [] => names.constant(Constant::Bits(0), size == 8),
        [c] => names.any_source(c, size == 8)?,
        _ => return Ok(None),
    };
    Ok(Some(Act::Atomic { at, size, f, b, c, old }))
}

/// `cvta.SPACE.u64` makes a generic address, `cvta.to.SPACE.u64` one of the space.
pub fn convert(parts: &[&str], o: &[Operand], names: &mut Names) -> Result<Option<Act>, Fault> {
    let (to, space) = match parts {
        ["cvta", "to", space, "u64"] => (true, *space),
        ["cvta", space, "u64"] => (false, *space),
        _ => return Ok(None),
    };
    let window = match space {
        "global" | "const" => 0,
        "shared" => SHARED_WINDOW,
        "local" => LOCAL_WINDOW,
        _ => return Ok(None),
    };
    let [d, a] = o else { return Ok(None) };
    let (d, source) = (names.target::<u64>(d)?, names.any_source(a, true)?);
    if window == 0 {
        names.is_address(source);
    }
    let a = names.source::<u64>(a)?;
    let window = names.source::<u64>(&Operand::Int(window))?;
    let f: fn(u64, u64) -> u64 = if to { u64::wrapping_sub } else { u64::wrapping_add };
    Ok(Some(Act::Alu(map2(d, (a, window), f))))
}
