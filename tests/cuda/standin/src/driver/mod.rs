//! The driver's functions, as a program that opens `libcuda` calls them.
//!
//! Pointers that callers hand over are theirs to answer for, as with any driver; each function writes only through those that
//! the driver's interface has it write through.
#![allow(clippy::missing_safety_doc)]

mod context;
mod launch;
mod modules;
mod transfer;

use std::cell::Cell;
use std::ffi::{c_char, CStr, CString};
use std::fmt::Display;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::{LazyLock, Mutex, MutexGuard};

use crate::device::Device;
use crate::fault::{Code, Fault, CODES, INVALID_CONTEXT, INVALID_VALUE, UNKNOWN};

struct Driver {
    device: Device,
    /// `cuInit` was called.
    begun: bool,
    /// Holders of the device's context.
    retained: u32,
    last: CString,
}

static DRIVER: LazyLock<Mutex<Driver>> = LazyLock::new(|| {
    Mutex::new(Driver { device: Device::default(), begun: false, retained: 0, last: CString::default() })
});

thread_local! {
    /// The thread's current context; 0 is none.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The one context's handle.
const CONTEXT: usize = 0x10;

fn driver() -> MutexGuard<'static, Driver> {
    DRIVER.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A call of the driver's function `name`: counted, failed if that was planned, refused once the context is dead.
fn call(name: &'static str, f: impl FnOnce(&mut Driver) -> Result<(), Fault>) -> Code {
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut driver = driver();
        let calls = driver.device.calls.entry(name).or_default();
        *calls += 1;
        let nth = *calls;
        let planned = driver.device.settings.fail.iter().find(|plan| plan.function == name && plan.nth == nth);
        let result = match (planned, driver.device.dead) {
            (Some(plan), _) => Err(Fault::new(plan.code, format!("call {nth}, planned to fail"))),
            (None, Some(code)) => return code,
            (None, None) => f(&mut driver),
        };
        match result {
            Ok(()) => 0,
            Err(fault) => {
                report(&mut driver, name, &fault);
                fault.code
            }
        }
    }));
    outcome.unwrap_or_else(|_| {
        report(&mut driver(), name, &Fault::new(UNKNOWN, "the stand-in itself broke: its panic is on stderr"));
        UNKNOWN
    })
}

/// A call that needs the calling thread's context.
fn within(name: &'static str, f: impl FnOnce(&mut Device) -> Result<(), Fault>) -> Code {
    call(name, |driver| {
        if CURRENT.get() != CONTEXT || driver.retained == 0 {
            return Err(Fault::new(INVALID_CONTEXT, "the thread has no context"));
        }
        f(&mut driver.device)
    })
}

/// A call that waits for the device: what a kernel died of comes to light here.
fn waiting(name: &'static str, f: impl FnOnce(&mut Device) -> Result<(), Fault>) -> Code {
    within(name, |device| {
        if let Some(fault) = device.pending.take() {
            device.dead = Some(fault.code);
            return Err(fault);
        }
        f(device)
    })
}

fn report(driver: &mut Driver, name: &str, fault: &Fault) {
    note(driver, format_args!("{name}: {fault}"));
    driver.last = CString::new(format!("{name}: {fault}")).unwrap_or_default();
}

/// A line into the log, or onto stderr where there is none.
fn note(driver: &Driver, line: impl Display) {
    let file = driver
        .device
        .settings
        .log
        .as_ref()
        .and_then(|path| std::fs::OpenOptions::new().create(true).append(true).open(path).ok());
    // Nothing can be done about a log that cannot be written.
    let _ = match file {
        Some(mut file) => writeln!(file, "{line}"),
        None => writeln!(std::io::stderr(), "stand-in: {line}"),
    };
}

/// Into the log what was planted, so that a test knows that it was.
fn note_edits() {
    let mut driver = driver();
    for line in std::mem::take(&mut driver.device.edited) {
        note(&driver, line);
    }
}

/// What is left when the library is closed or the process ends.
extern "C" fn end() {
    let _ = std::panic::catch_unwind(|| {
        // A thread that is still in the driver keeps it: then there is nothing to say.
        let Ok(driver) = DRIVER.try_lock() else { return };
        let device = &driver.device;
        let leaked = device.memory.leaked();
        if driver.retained > 0 && leaked.0 > 0 && device.settings.log.is_some() {
            note(&driver, format_args!("living at the end: {} allocations, {} bytes", leaked.0, leaked.1));
        }
        if device.settings.log.is_some() && !device.launches.is_empty() {
            for (name, count) in &device.launches {
                note(&driver, format_args!("launches {name} {count}"));
            }
            note(&driver, format_args!("instructions {}", device.instructions));
            note(&driver, format_args!("peak {}", device.memory.peak));
        }
    });
}

#[used]
#[link_section = ".fini_array"]
static END: extern "C" fn() = end;

/// `*to = value`, refused for a null pointer.
unsafe fn put<T>(to: *mut T, value: T) -> Result<(), Fault> {
    if to.is_null() {
        return Err(Fault::new(INVALID_VALUE, "a null pointer for a result"));
    }
    // Not null; the caller answers for the rest.
    unsafe { to.write(value) };
    Ok(())
}

#[no_mangle]
pub unsafe extern "C" fn cuGetErrorName(code: Code, name: *mut *const c_char) -> Code {
    unsafe { put(name, text_of(code).0) }.map_or(INVALID_VALUE, |()| 0)
}

#[no_mangle]
pub unsafe extern "C" fn cuGetErrorString(code: Code, text: *mut *const c_char) -> Code {
    unsafe { put(text, text_of(code).1) }.map_or(INVALID_VALUE, |()| 0)
}

fn text_of(code: Code) -> (*const c_char, *const c_char) {
    match CODES.iter().find(|(known, ..)| *known == code) {
        Some((_, name, text)) => (name.as_ptr(), text.as_ptr()),
        None => (c"CUDA_ERROR".as_ptr(), c"an error planned by a test".as_ptr()),
    }
}

/// `NAME=value NAME=value`: as the environment would have it, from now on. 0, or 1 for what is no setting.
#[no_mangle]
pub unsafe extern "C" fn standin_configure(text: *const c_char) -> Code {
    if text.is_null() {
        return INVALID_VALUE;
    }
    // Not null, and the caller's to be a string.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    let mut driver = driver();
    match driver.device.settings.configure(&text) {
        Ok(()) => {
            driver.device.memory.hollow = driver.device.settings.count_only;
            0
        }
        Err(fault) => {
            report(&mut driver, "standin_configure", &fault);
            fault.code
        }
    }
}

/// The last fault in words; empty before the first. It stands until the next.
#[no_mangle]
pub extern "C" fn standin_last_fault() -> *const c_char {
    driver().last.as_ptr()
}

/// Instructions that kernels took so far, of all threads.
#[no_mangle]
pub extern "C" fn standin_instructions() -> u64 {
    driver().device.instructions
}
