//! Memory of the device, and copies from and to it.

use std::ffi::{c_int, c_uchar, c_uint, c_void};

use super::{put, waiting, within};
use crate::device::Device;
use crate::fault::{Code, Fault, INVALID_VALUE};

fn allocate(device: &mut Device, address: *mut u64, bytes: usize) -> Result<(), Fault> {
    let total = if device.settings.count_only { u64::MAX >> 1 } else { device.settings.memory };
    let found = device.memory.allocate(bytes, total)?;
    unsafe { put(address, found) }
}

#[no_mangle]
pub unsafe extern "C" fn cuMemAlloc_v2(address: *mut u64, bytes: usize) -> Code {
    within("cuMemAlloc_v2", |device| allocate(device, address, bytes))
}

#[no_mangle]
pub unsafe extern "C" fn cuMemAllocAsync(address: *mut u64, bytes: usize, _stream: usize) -> Code {
    within("cuMemAllocAsync", |device| allocate(device, address, bytes))
}

#[no_mangle]
pub extern "C" fn cuMemFree_v2(address: u64) -> Code {
    waiting("cuMemFree_v2", |device| device.memory.free(address))
}

#[no_mangle]
pub extern "C" fn cuMemFreeAsync(address: u64, _stream: usize) -> Code {
    within("cuMemFreeAsync", |device| device.memory.free(address))
}

unsafe fn from_host<'a>(data: *const c_void, bytes: usize) -> Result<&'a [u8], Fault> {
    if data.is_null() {
        return Err(Fault::new(INVALID_VALUE, "a copy from a null pointer"));
    }
    // The caller's memory of `bytes` bytes.
    Ok(unsafe { std::slice::from_raw_parts(data.cast(), bytes) })
}

fn upload(device: &mut Device, to: u64, data: *const c_void, bytes: usize) -> Result<(), Fault> {
    if bytes == 0 {
        return Ok(());
    }
    device.memory.upload(to, unsafe { from_host(data, bytes) }?)
}

fn download(device: &mut Device, to: *mut c_void, from: u64, bytes: usize) -> Result<(), Fault> {
    if bytes == 0 {
        return Ok(());
    }
    if to.is_null() {
        return Err(Fault::new(INVALID_VALUE, "a copy to a null pointer"));
    }
    // The caller's memory of `bytes` bytes.
    device.memory.download(from, unsafe { std::slice::from_raw_parts_mut(to.cast(), bytes) })
}

#[no_mangle]
pub unsafe extern "C" fn cuMemcpyHtoD_v2(to: u64, data: *const c_void, bytes: usize) -> Code {
    waiting("cuMemcpyHtoD_v2", |device| upload(device, to, data, bytes))
}

#[no_mangle]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(to: u64, data: *const c_void, bytes: usize, _stream: usize) -> Code {
    within("cuMemcpyHtoDAsync_v2", |device| upload(device, to, data, bytes))
}

#[no_mangle]
pub unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) -> Code {
    waiting("cuMemcpyDtoH_v2", |device| download(device, to, from, bytes))
}

/// Into memory that is not pinned: the driver returns when the copy is done.
#[no_mangle]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(to: *mut c_void, from: u64, bytes: usize, _stream: usize) -> Code {
    waiting("cuMemcpyDtoHAsync_v2", |device| download(device, to, from, bytes))
}

#[no_mangle]
pub extern "C" fn cuMemcpyDtoD_v2(to: u64, from: u64, bytes: usize) -> Code {
    within("cuMemcpyDtoD_v2", |device| device.memory.copy(to, from, bytes))
}

#[no_mangle]
pub extern "C" fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, _stream: usize) -> Code {
    within("cuMemcpyDtoDAsync_v2", |device| device.memory.copy(to, from, bytes))
}

fn fill(device: &mut Device, to: u64, value: &[u8], count: usize) -> Result<(), Fault> {
    if count == 0 {
        return Ok(());
    }
    device.memory.fill(to, value, count)
}

#[no_mangle]
pub extern "C" fn cuMemsetD8_v2(to: u64, value: c_uchar, count: usize) -> Code {
    within("cuMemsetD8_v2", |device| fill(device, to, &[value], count))
}

#[no_mangle]
pub extern "C" fn cuMemsetD8Async(to: u64, value: c_uchar, count: usize, _stream: usize) -> Code {
    within("cuMemsetD8Async", |device| fill(device, to, &[value], count))
}

#[no_mangle]
pub extern "C" fn cuMemsetD32_v2(to: u64, value: c_uint, count: usize) -> Code {
    within("cuMemsetD32_v2", |device| fill(device, to, &value.to_le_bytes(), count))
}

#[no_mangle]
pub extern "C" fn cuMemsetD32Async(to: u64, value: c_uint, count: usize, _stream: usize) -> Code {
    within("cuMemsetD32Async", |device| fill(device, to, &value.to_le_bytes(), count))
}

/// Memory of the host that the driver owns. Its size is kept in front of it.
const HEAD: usize = 256;

fn layout(bytes: usize) -> Result<std::alloc::Layout, Fault> {
    let whole = bytes.checked_add(HEAD).and_then(|whole| std::alloc::Layout::from_size_align(whole, HEAD).ok());
    whole.ok_or_else(|| Fault::new(INVALID_VALUE, format!("{bytes} bytes of the host's memory")))
}

#[no_mangle]
pub unsafe extern "C" fn cuMemHostAlloc(address: *mut *mut c_void, bytes: usize, _flags: c_int) -> Code {
    within("cuMemHostAlloc", |_| {
        // HEAD bytes at least, so that the size fits in front of what the caller gets.
        unsafe {
            let memory = std::alloc::alloc_zeroed(layout(bytes)?);
            if memory.is_null() {
                return Err(Fault::new(crate::fault::OUT_OF_MEMORY, format!("{bytes} bytes of the host's memory")));
            }
            memory.cast::<usize>().write(bytes);
            put(address, memory.add(HEAD).cast())
        }
    })
}

#[no_mangle]
pub unsafe extern "C" fn cuMemFreeHost(address: *mut c_void) -> Code {
    within("cuMemFreeHost", |_| {
        if address.is_null() {
            return Err(Fault::new(INVALID_VALUE, "free of a null pointer"));
        }
        // Made by cuMemHostAlloc: the size stands HEAD bytes before.
        unsafe {
            let memory = address.cast::<u8>().sub(HEAD);
            std::alloc::dealloc(memory, layout(memory.cast::<usize>().read())?);
        }
        Ok(())
    })
}
