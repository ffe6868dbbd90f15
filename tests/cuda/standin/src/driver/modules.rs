//! Modules, and what is known of their kernels.

use std::ffi::{c_char, c_int, c_void, CStr};

use super::{note_edits, put, waiting, within};
use crate::device::MAX_THREADS;
use crate::fault::{Code, Fault, INVALID_HANDLE, INVALID_PTX, INVALID_VALUE};

/// Handles of modules are their numbers from here on.
const FIRST: usize = 0x1000;
/// A kernel's handle: its module's, above these bits, and its number.
const KERNELS: u32 = 16;

fn module_of(handle: usize) -> Result<usize, Fault> {
    handle.checked_sub(FIRST).ok_or_else(|| Fault::new(INVALID_HANDLE, "no such module"))
}

/// (module, kernel).
pub fn kernel_of(handle: usize) -> Result<(usize, usize), Fault> {
    Ok((module_of(handle >> KERNELS)?, handle & ((1 << KERNELS) - 1)))
}

unsafe fn text<'a>(text: *const c_void, what: &str) -> Result<&'a str, Fault> {
    if text.is_null() {
        return Err(Fault::new(INVALID_VALUE, format!("a null pointer for {what}")));
    }
    // The caller's string, which ends with 0.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    text.to_str().map_err(|_| Fault::new(INVALID_PTX, format!("{what} is no text")))
}

#[no_mangle]
pub unsafe extern "C" fn cuModuleLoadData(module: *mut usize, image: *const c_void) -> Code {
    let code = within("cuModuleLoadData", |device| unsafe {
        let number = device.load(text(image, "a module")?)?;
        put(module, FIRST + number)
    });
    note_edits();
    code
}

#[no_mangle]
pub extern "C" fn cuModuleUnload(module: usize) -> Code {
    waiting("cuModuleUnload", |device| device.unload(module_of(module)?))
}

#[no_mangle]
pub unsafe extern "C" fn cuModuleGetFunction(function: *mut usize, module: usize, name: *const c_char) -> Code {
    within("cuModuleGetFunction", |device| unsafe {
        let number = device.function(module_of(module)?, text(name.cast(), "a kernel's name")?)?;
        put(function, module << KERNELS | number)
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuModuleGetGlobal_v2(
    address: *mut u64,
    bytes: *mut usize,
    module: usize,
    name: *const c_char,
) -> Code {
    within("cuModuleGetGlobal_v2", |device| unsafe {
        let (found, size) = device.variable(module_of(module)?, text(name.cast(), "a variable's name")?)?;
        put(address, found)?;
        put(bytes, size)
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuFuncGetAttribute(value: *mut c_int, attribute: c_int, function: usize) -> Code {
    within("cuFuncGetAttribute", |device| {
        let (module, number) = kernel_of(function)?;
        let kernel = device.kernel(module, number)?;
        let found = match attribute {
            // Threads, shared, constant and local bytes, registers, PTX version, binary version.
            0 => kernel.max_threads.unwrap_or(MAX_THREADS) as c_int,
            1 => kernel.shared_variables.iter().map(|(from, to)| to - from).sum::<usize>() as c_int,
            2 => 0,
            3 => kernel.local as c_int,
            4 => 32,
            5 => 80,
            6 => 70,
            _ => return Err(Fault::new(INVALID_VALUE, format!("no attribute {attribute}"))),
        };
        unsafe { put(value, found) }
    })
}
