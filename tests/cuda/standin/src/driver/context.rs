//! The driver, the device, its context, streams and events.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::time::Instant;

use super::{call, note, put, waiting, within, CONTEXT, CURRENT};
use crate::device::{MAX_BLOCK, MAX_GRID, MAX_SHARED, MAX_THREADS};
use crate::fault::{
    Code, Fault, INVALID_CONTEXT, INVALID_DEVICE, INVALID_HANDLE, INVALID_VALUE, NOT_INITIALIZED, NO_DEVICE,
};
use crate::settings::Settings;

const NAME: &[u8] = b"stand-in (no GPU)\0";

#[no_mangle]
pub extern "C" fn cuInit(_flags: c_uint) -> Code {
    call("cuInit", |driver| {
        if !driver.begun {
            let device = &mut driver.device;
            device.settings = Settings::of_environment()?;
            device.memory.hollow = device.settings.count_only;
            driver.begun = true;
        }
        if driver.device.settings.devices == 0 {
            return Err(Fault::new(NO_DEVICE, "no device"));
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> Code {
    call("cuDriverGetVersion", |driver| {
        // The one function that may come before cuInit.
        let settings = if driver.begun { driver.device.settings.clone() } else { Settings::of_environment()? };
        unsafe { put(version, settings.driver) }
    })
}

fn device(name: &'static str, number: Option<c_int>, f: impl FnOnce(&Settings) -> Result<(), Fault>) -> Code {
    call(name, |driver| {
        if !driver.begun {
            return Err(Fault::new(NOT_INITIALIZED, "before cuInit"));
        }
        let settings = &driver.device.settings;
        match number {
            Some(number) if number < 0 || number >= settings.devices => {
                Err(Fault::new(INVALID_DEVICE, format!("device {number} of {}", settings.devices)))
            }
            _ => f(settings),
        }
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> Code {
    device("cuDeviceGetCount", None, |settings| unsafe { put(count, settings.devices) })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceGet(handle: *mut c_int, number: c_int) -> Code {
    device("cuDeviceGet", Some(number), |_| unsafe { put(handle, number) })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, number: c_int) -> Code {
    device("cuDeviceGetName", Some(number), |_| {
        if name.is_null() || (length as usize) < NAME.len() {
            return Err(Fault::new(INVALID_VALUE, "no room for the device's name"));
        }
        // The caller's buffer has `length` bytes.
        unsafe { std::ptr::copy_nonoverlapping(NAME.as_ptr(), name.cast(), NAME.len()) };
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetUuid(uuid: *mut [u8; 16], number: c_int) -> Code {
    device("cuDeviceGetUuid", Some(number), |_| unsafe { put(uuid, *b"stand-in, no GPU") })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], number: c_int) -> Code {
    device("cuDeviceGetUuid_v2", Some(number), |_| unsafe { put(uuid, *b"stand-in, no GPU") })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, number: c_int) -> Code {
    device("cuDeviceTotalMem_v2", Some(number), |settings| unsafe { put(bytes, settings.memory as usize) })
}

#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_int, number: c_int) -> Code {
    device("cuDeviceGetAttribute", Some(number), |settings| {
        let found = match attribute {
            1 => MAX_THREADS as c_int,
            2..=4 => MAX_BLOCK[attribute as usize - 2] as c_int,
            5..=7 => MAX_GRID[attribute as usize - 5] as c_int,
            8 | 97 => MAX_SHARED as c_int,
            9 => 64 << 10,
            10 => 32,
            12 => 64 << 10,
            13 => 1_000_000,
            // One multiprocessor of 512 threads: grids made to fill it are small, and loops over them run.
            16 => 1,
            39 => 512,
            41 => 1,
            75 => settings.capability / 10,
            76 => settings.capability % 10,
            81 => MAX_SHARED as c_int,
            // Memory pools: cudarc then allocates and frees in the order of the stream.
            115 => 1,
            _ => 0,
        };
        unsafe { put(value, found) }
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut usize, number: c_int) -> Code {
    call("cuDevicePrimaryCtxRetain", |driver| {
        if !driver.begun || number < 0 || number >= driver.device.settings.devices {
            return Err(Fault::new(INVALID_DEVICE, format!("device {number}")));
        }
        driver.retained += 1;
        unsafe { put(context, CONTEXT) }
    })
}

#[no_mangle]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(_number: c_int) -> Code {
    call("cuDevicePrimaryCtxRelease_v2", |driver| {
        if driver.retained == 0 {
            return Err(Fault::new(INVALID_CONTEXT, "released more often than retained"));
        }
        driver.retained -= 1;
        let (count, bytes) = driver.device.memory.leaked();
        if driver.retained == 0 && count > 0 {
            note(driver, format_args!("leaked: {count} allocations, {bytes} bytes"));
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuCtxGetCurrent(context: *mut usize) -> Code {
    unsafe { put(context, CURRENT.get()) }.map_or(INVALID_VALUE, |()| 0)
}

#[no_mangle]
pub extern "C" fn cuCtxSetCurrent(context: usize) -> Code {
    call("cuCtxSetCurrent", |_| {
        if context != 0 && context != CONTEXT {
            return Err(Fault::new(INVALID_CONTEXT, "no such context"));
        }
        CURRENT.set(context);
        Ok(())
    })
}

#[no_mangle]
pub extern "C" fn cuCtxSynchronize() -> Code {
    waiting("cuCtxSynchronize", |_| Ok(()))
}

/// Streams: all work is done when it is asked for, so that a stream is a number and no more.
fn stream(handle: usize) -> Result<(), Fault> {
    // 0, 1 and 2 are the default streams; our own are 0x100 and up, one apart.
    if handle <= 2 || handle >= 0x100 && handle < NEXT.load(std::sync::atomic::Ordering::Relaxed) {
        return Ok(());
    }
    Err(Fault::new(INVALID_HANDLE, "no such stream"))
}

static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0x100);

#[no_mangle]
pub unsafe extern "C" fn cuStreamCreate(handle: *mut usize, _flags: c_uint) -> Code {
    within("cuStreamCreate", |_| unsafe { put(handle, NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) })
}

#[no_mangle]
pub extern "C" fn cuStreamDestroy_v2(handle: usize) -> Code {
    within("cuStreamDestroy_v2", |_| stream(handle))
}

#[no_mangle]
pub extern "C" fn cuStreamSynchronize(handle: usize) -> Code {
    waiting("cuStreamSynchronize", |_| stream(handle))
}

#[no_mangle]
pub extern "C" fn cuStreamWaitEvent(handle: usize, _event: *mut c_void, _flags: c_uint) -> Code {
    within("cuStreamWaitEvent", |_| stream(handle))
}

/// An event: when it was recorded last.
type Event = Option<Instant>;

#[no_mangle]
pub unsafe extern "C" fn cuEventCreate(event: *mut *mut Event, _flags: c_uint) -> Code {
    within("cuEventCreate", |_| unsafe { put(event, Box::into_raw(Box::new(None))) })
}

#[no_mangle]
pub unsafe extern "C" fn cuEventDestroy_v2(event: *mut Event) -> Code {
    if !event.is_null() {
        // Made by cuEventCreate.
        drop(unsafe { Box::from_raw(event) });
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn cuEventRecord(event: *mut Event, handle: usize) -> Code {
    within("cuEventRecord", |_| {
        stream(handle)?;
        unsafe { put(event, Some(Instant::now())) }
    })
}

#[no_mangle]
pub extern "C" fn cuEventSynchronize(_event: *mut Event) -> Code {
    waiting("cuEventSynchronize", |_| Ok(()))
}

#[no_mangle]
pub extern "C" fn cuEventQuery(_event: *mut Event) -> Code {
    waiting("cuEventQuery", |_| Ok(()))
}

#[no_mangle]
pub unsafe extern "C" fn cuEventElapsedTime(milliseconds: *mut f32, start: *mut Event, end: *mut Event) -> Code {
    within("cuEventElapsedTime", |_| {
        if start.is_null() || end.is_null() {
            return Err(Fault::new(INVALID_HANDLE, "no such event"));
        }
        // Made by cuEventCreate.
        let (Some(start), Some(end)) = (unsafe { *start }, unsafe { *end }) else {
            return Err(Fault::new(INVALID_HANDLE, "an event that was never recorded"));
        };
        unsafe { put(milliseconds, end.duration_since(start).as_secs_f32() * 1e3) }
    })
}

/// The pool that stream-ordered allocations come from.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetDefaultMemPool(pool: *mut usize, number: c_int) -> Code {
    device("cuDeviceGetDefaultMemPool", Some(number), |_| unsafe { put(pool, 0x20) })
}

#[no_mangle]
pub extern "C" fn cuMemPoolSetAttribute(_pool: usize, _attribute: c_int, _value: *mut c_void) -> Code {
    within("cuMemPoolSetAttribute", |_| Ok(()))
}

#[no_mangle]
pub extern "C" fn cuMemPoolTrimTo(_pool: usize, _keep: usize) -> Code {
    within("cuMemPoolTrimTo", |_| Ok(()))
}

#[no_mangle]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Code {
    within("cuMemGetInfo_v2", |device| unsafe {
        put(free, device.settings.memory.saturating_sub(device.memory.used()) as usize)?;
        put(total, device.settings.memory as usize)
    })
}
