//! The compiled kernels: what is declared in their text, and the text loaded on a device.

use super::{DeviceError, Result};
use cudarc::driver::{result, sys};
use std::collections::BTreeMap;
use std::ffi::{CString, c_void};

/// The kernels of a number system, compiled.
pub fn text_of(number: &str) -> Option<&'static str> {
    match number {
        "f32" => Some(include_str!("kernels_f32.ptx")),
        "f64" => Some(include_str!("kernels_f64.ptx")),
        _ => None,
    }
}

/// A kernel's name and the bytes of each of its parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Declared {
    pub name: &'static str,
    pub parameters: Vec<usize>,
}

/// The kernels that a text declares: `.entry NAME(` and then a line `.param .TYPE NAME` or `.param .align A .b8 NAME[N]` for
/// each parameter.
pub fn declared(text: &'static str) -> Vec<Declared> {
    let declarations = text.split(".entry ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once('(')?;
        let (parameters, _) = rest.split_once(')')?;
        let lines = parameters.lines().filter(|line| line.contains(".param"));
        Some(Declared { name: name.trim(), parameters: lines.map(bytes_of).collect::<Option<_>>()? })
    });
    declarations.collect()
}

/// The bytes of a parameter that is declared so.
fn bytes_of(line: &str) -> Option<usize> {
    let line = line.trim().trim_end_matches(',');
    if let Some((_, count)) = line.strip_suffix(']').and_then(|line| line.rsplit_once('[')) {
        return count.parse().ok();
    }
    let bits = line.split_whitespace().nth(1)?.trim_start_matches(['.', 'u', 's', 'b', 'f']);
    bits.parse::<usize>().ok().map(|bits| bits / 8)
}

/// A kernel that is loaded.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    pub parameters: Vec<usize>,
    pub handle: sys::CUfunction,
}

/// All kernels of a number system, loaded. (For good: a device lasts as long as the process.)
#[derive(Debug)]
pub struct Module {
    functions: BTreeMap<&'static str, Function>,
}

// SAFETY: the driver's handles may be used by any thread that has bound the context, as every launch does.
unsafe impl Send for Module {}
// SAFETY: as above; nothing here changes.
unsafe impl Sync for Module {}

impl Module {
    /// Loads a text; the context must be bound.
    pub fn load(text: &'static str) -> Result<Self> {
        let failed = |error| DeviceError::of(error, "loading the kernels");
        let image = CString::new(text).map_err(|_| DeviceError::refused("the kernels", "a text", "a zero in it"))?;
        // SAFETY: `image` is a text that ends with a zero, which is one of the forms that the driver takes.
        let module = unsafe { result::module::load_data(image.as_ptr().cast::<c_void>()) }.map_err(failed)?;
        let function = |Declared { name, parameters }| {
            let c_name = CString::new(name).unwrap_or_default();
            // SAFETY: the module was loaded above, and is never unloaded.
            let handle = unsafe { result::module::get_function(module, c_name) };
            let failed = |error| DeviceError::of(error, format_args!("looking for kernel {name}"));
            Ok((name, Function { name, parameters, handle: handle.map_err(failed)? }))
        };
        Ok(Self { functions: declared(text).into_iter().map(function).collect::<Result<_>>()? })
    }

    /// The kernel of this name.
    pub fn function(&self, name: &str) -> Result<&Function> {
        let none = || DeviceError::refused(format!("kernel {name}"), "one that is compiled", "none of this name");
        self.functions.get(name).ok_or_else(none)
    }
}
