//! A launch: its arguments come as pointers, of which the driver knows no number.

use std::ffi::{c_uint, c_void};
use std::io::{PipeReader, PipeWriter, Read, Write};

use super::modules::kernel_of;
use super::within;
use crate::device::{Device, Shape};
use crate::fault::{Code, Fault, INVALID_VALUE, UNKNOWN};

#[no_mangle]
pub unsafe extern "C" fn cuLaunchKernel(
    function: usize,
    blocks_x: c_uint,
    blocks_y: c_uint,
    blocks_z: c_uint,
    threads_x: c_uint,
    threads_y: c_uint,
    threads_z: c_uint,
    shared: c_uint,
    _stream: usize,
    params: *const *const c_void,
    extra: *const *const c_void,
) -> Code {
    within("cuLaunchKernel", |device| {
        if !extra.is_null() {
            return Err(Fault::new(
                INVALID_VALUE,
                "arguments in one buffer (`extra`): the stand-in takes kernelParams only",
            ));
        }
        let (module, number) = kernel_of(function)?;
        let shape = Shape {
            blocks: [blocks_x, blocks_y, blocks_z],
            threads: [threads_x, threads_y, threads_z],
            dynamic: shared as usize,
        };
        let arguments = arguments(device, (module, number), params)?;
        device.launch(module, number, &shape, &arguments)
    })
}

/// The arguments as the kernel's parameters lie. With too few of them this reads past the caller's list: what cannot be read
/// is said to be missing.
fn arguments(
    device: &Device,
    (module, number): (usize, usize),
    params: *const *const c_void,
) -> Result<Vec<u8>, Fault> {
    let kernel = device.kernel(module, number)?;
    let mut out = vec![0; kernel.param_bytes];
    if kernel.params.is_empty() {
        return Ok(out);
    }
    let mut probe = Probe::new()?;
    let mut pointers = vec![0; 8 * kernel.params.len()];
    let missing = |what: String| Fault::new(INVALID_VALUE, format!("launch of `{}`: {what}", kernel.name));
    if params.is_null() || !probe.read(params.cast(), &mut pointers) {
        return Err(missing(format!("{} arguments expected, no list that can be read", kernel.params.len())));
    }
    for (at, (param, pointer)) in kernel.params.iter().zip(pointers.chunks_exact(8)).enumerate() {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(pointer);
        let pointer = u64::from_le_bytes(bytes) as usize as *const u8;
        if pointer.is_null() || !probe.read(pointer, &mut out[param.offset..param.offset + param.size]) {
            return Err(missing(format!(
                "argument {at} (`{}`, {} bytes) cannot be read: {} arguments expected, too few given?",
                param.name,
                param.size,
                kernel.params.len()
            )));
        }
    }
    Ok(out)
}

/// Reads memory that may not be there: the system refuses to write from it into a pipe.
struct Probe {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Probe {
    fn new() -> Result<Self, Fault> {
        let (reader, writer) =
            std::io::pipe().map_err(|error| Fault::new(UNKNOWN, format!("no pipe to read arguments by: {error}")))?;
        Ok(Probe { reader, writer })
    }

    /// Whether all of `out` could be read from `from`. (A pipe holds 4 KiB at least; parameters are 4 KiB at most.)
    fn read(&mut self, from: *const u8, out: &mut [u8]) -> bool {
        // Only its address and length go to the system, which checks them.
        let memory = unsafe { std::slice::from_raw_parts(from, out.len()) };
        matches!(self.writer.write(memory), Ok(written) if written == out.len()) && self.reader.read_exact(out).is_ok()
    }
}
