//! [`Launch`]: a kernel, by its name, and what it is given.

use super::device::THREADS;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::buffer::Element;
use crate::scalar::Scalar;
use cudarc::driver::result;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ffi::c_void;
use std::marker::PhantomData;

/// A launch that is being put together: arguments in the order in which the kernel declares them.
///
/// Before it starts the arguments are held against the declaration: as many, and of the same sizes. That arrays are as long as the
/// kernel takes them to be is for the functions to see to that launch.
pub(super) struct Launch<'a, S> {
    device: &'a Device,
    name: Cow<'a, str>,
    /// The arguments' bytes, one after the other, each from a multiple of 8 on.
    bytes: SmallVec<[u64; 32]>,
    /// Where each begins, and how many bytes it has.
    places: SmallVec<[(usize, usize); 12]>,
    of: PhantomData<S>,
}

impl<'a, S: Scalar> Launch<'a, S> {
    /// Of the kernel of this name, in the form for `S`.
    pub fn new(device: &'a Device, name: impl Into<Cow<'a, str>>) -> Self {
        Self { device, name: name.into(), bytes: SmallVec::new(), places: SmallVec::new(), of: PhantomData }
    }

    fn push(mut self, words: &[u64], bytes: usize) -> Self {
        self.places.push((self.bytes.len(), bytes));
        self.bytes.extend_from_slice(words);
        self
    }

    /// An array that is read.
    pub fn read<T: Element>(self, tensor: &DeviceTensor<T>) -> Self {
        self.push(&[tensor.address()], 8)
    }

    /// An array that is read, or null.
    pub fn read_any<T: Element>(self, tensor: Option<&DeviceTensor<T>>) -> Self {
        self.push(&[tensor.map_or(0, DeviceTensor::address)], 8)
    }

    /// An array that is written.
    pub fn write<T: Element>(self, tensor: &mut DeviceTensor<T>) -> Self {
        self.push(&[tensor.address()], 8)
    }

    /// An array that is written, or null.
    pub fn write_any<T: Element>(self, tensor: Option<&mut DeviceTensor<T>>) -> Self {
        self.push(&[tensor.map_or(0, |tensor| tensor.address())], 8)
    }

    /// A count, an extent, a place.
    pub fn index(self, count: usize) -> Self {
        self.push(&[count as u64], 8)
    }

    /// Several, as the fields of one argument.
    pub fn indices(self, counts: &[usize]) -> Self {
        let words: SmallVec<[u64; 32]> = counts.iter().map(|&count| count as u64).collect();
        self.push(&words, 8 * words.len())
    }

    /// A choice.
    pub fn flag(self, is_so: bool) -> Self {
        self.number(u32::from(is_so))
    }

    /// One of several.
    pub fn number(self, number: u32) -> Self {
        self.push(&[u64::from(number)], 4)
    }

    /// A number of the kernel's own type.
    pub fn real(self, x: S) -> Self {
        match S::NAME {
            "f32" => self.push(&[u64::from((x.to_f64() as f32).to_bits())], 4),
            _ => self.push(&[x.to_f64().to_bits()], 8),
        }
    }

    pub fn double(self, x: f64) -> Self {
        self.push(&[x.to_bits()], 8)
    }

    /// A wide number: two arguments, its leading double and what that leaves.
    pub fn wide(self, x: S::Wide) -> Self {
        let hi = x.to_f64();
        let lo = (x - S::Wide::from_f64(hi)).to_f64();
        self.double(hi).double(if lo.is_finite() { lo } else { 0.0 })
    }

    /// Starts it with a thread for each of `count` elements, or as many threads as the device has room for, who take several.
    /// For none there is nothing to do.
    pub fn over(self, count: usize) -> Result<()> {
        self.in_blocks(count.div_ceil(THREADS))
    }

    /// Starts it with a block for each of `count` tiles or sums, or as many blocks as the device has room for, who take several.
    pub fn in_blocks(self, count: usize) -> Result<()> {
        let blocks = count.min(self.device.blocks);
        if blocks == 0 {
            return Ok(());
        }
        self.start(blocks)
    }

    fn start(mut self, blocks: usize) -> Result<()> {
        let (device, name) = (self.device, &*self.name);
        let function = device.module::<S>()?.function(name)?;
        let given: SmallVec<[usize; 12]> = self.places.iter().map(|&(_, bytes)| bytes).collect();
        if given[..] != function.parameters[..] {
            let (expected, found) = (format!("{:?}", function.parameters), format!("{given:?}"));
            return Err(DeviceError::refused(
                format!("kernel {name}"),
                format!("arguments of {expected} bytes"),
                found,
            ));
        }
        let memory = self.bytes.as_mut_ptr();
        // SAFETY: every place is the index of a word that was pushed.
        let place = |&(at, _): &(usize, usize)| unsafe { memory.add(at) }.cast::<c_void>();
        let mut arguments: SmallVec<[*mut c_void; 12]> = self.places.iter().map(place).collect();
        let grid = u32::try_from(blocks).unwrap_or(u32::MAX);
        // SAFETY: the kernel is loaded, the context bound, and the arguments are as many and as large as it declares. Arrays
        // among them outlive what the stream does with them: memory is given back in the stream's order.
        let launched = unsafe {
            result::launch_kernel(
                function.handle,
                (grid, 1, 1),
                (THREADS as u32, 1, 1),
                0,
                device.stream().cu_stream(),
                &mut arguments,
            )
        };
        launched.map_err(|error| DeviceError::of(error, format_args!("starting kernel {name}")))?;
        device.count(function.name);
        Ok(())
    }
}
