//! [`DeviceTensor`]: an array that lies on a device.

use super::{Device, DeviceError, Result};
use crate::kernel::buffer::{self, Element, Elements};
use crate::kernel::{Shape, flat};
use cudarc::driver::{CudaSlice, DevicePtr};
use ndarray::{ArrayD, ArrayViewD};
use std::any::TypeId;
use std::marker::PhantomData;

/// An array on a device: row-major, without gaps. Its numbers are f32, f64, u32, u64 or u8 (flags: 0 or 1); of another type
/// there are none, and asking for them is an error.
#[derive(Debug)]
pub struct DeviceTensor<T> {
    shape: Shape,
    memory: CudaSlice<u8>,
    of: PhantomData<T>,
}

impl<T: Element> DeviceTensor<T> {
    /// An array that holds anything; to be overwritten.
    pub(super) fn stale(device: &Device, shape: &[usize]) -> Result<Self> {
        let stored =
            [TypeId::of::<f32>(), TypeId::of::<f64>(), TypeId::of::<u32>(), TypeId::of::<u64>(), TypeId::of::<u8>()];
        if !stored.contains(&TypeId::of::<T>()) {
            let expected = "f32, f64, u32, u64 or u8";
            return Err(DeviceError::refused("an array on the GPU", expected, std::any::type_name::<T>()));
        }
        let len = shape.iter().try_fold(size_of::<T>(), |bytes, &extent| bytes.checked_mul(extent));
        let memory = device.memory(len.ok_or(DeviceError::OutOfMemory(usize::MAX))?)?;
        Ok(Self { shape: shape.into(), memory, of: PhantomData })
    }

    /// A copy of these elements, row-major.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] unless there are as many as the shape holds; out of memory; what the driver says.
    pub fn of_slice(device: &Device, shape: &[usize], elements: &[T]) -> Result<Self> {
        let mut tensor = Self::stale(device, shape)?;
        tensor.write(device, elements)?;
        Ok(tensor)
    }

    /// A copy of an array with any strides.
    ///
    /// # Errors
    /// As [`of_slice`](Self::of_slice).
    pub fn upload(device: &Device, array: &ArrayViewD<T>) -> Result<Self> {
        Self::of_slice(device, array.shape(), &Elements::of(array.view()))
    }

    /// Overwrites all elements.
    ///
    /// # Errors
    /// As [`of_slice`](Self::of_slice).
    pub fn write(&mut self, device: &Device, elements: &[T]) -> Result<()> {
        self.holds(elements.len())?;
        if elements.is_empty() {
            return Ok(());
        }
        // SAFETY: T is one of the plain numbers that `stale` admits, which have no padding.
        let bytes = unsafe { std::slice::from_raw_parts(elements.as_ptr().cast::<u8>(), size_of_val(elements)) };
        let failed = |error| DeviceError::of(error, "copying to the GPU");
        device.stream().memcpy_htod(bytes, &mut self.memory).map_err(failed)
    }

    /// Copies all elements, row-major, once all that was asked of the device is done.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] unless there are as many; a kernel that failed; what the driver says.
    pub fn read_into(&self, device: &Device, elements: &mut [T]) -> Result<()> {
        self.holds(elements.len())?;
        if !elements.is_empty() {
            let len = size_of_val(elements);
            // SAFETY: as in `write`; any bytes are valid numbers.
            let bytes = unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast::<u8>(), len) };
            let failed = |error| DeviceError::of(error, "copying from the GPU");
            device.stream().memcpy_dtoh(&self.memory.slice(..len), bytes).map_err(failed)?;
        }
        device.synchronize()
    }

    /// All elements, row-major.
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    pub fn elements(&self, device: &Device) -> Result<Vec<T>> {
        let mut elements = buffer::stale(self.len());
        self.read_into(device, &mut elements)?;
        Ok(elements)
    }

    /// The array.
    ///
    /// # Errors
    /// As [`read_into`](Self::read_into).
    pub fn download(&self, device: &Device) -> Result<ArrayD<T>> {
        Ok(flat::array(&self.shape, self.elements(device)?))
    }

    /// A copy on the device.
    ///
    /// # Errors
    /// Out of memory; what the driver says.
    pub fn copied(&self, device: &Device) -> Result<Self> {
        let mut copy = Self::stale(device, &self.shape)?;
        let failed = |error| DeviceError::of(error, "copying on the GPU");
        device.stream().memcpy_dtod(&self.memory, &mut copy.memory).map_err(failed)?;
        Ok(copy)
    }

    /// The same elements in another shape.
    ///
    /// # Panics
    /// Unless it holds as many.
    pub fn reshaped(self, shape: &[usize]) -> Self {
        assert_eq!(shape.iter().product::<usize>(), self.len(), "a shape of as many elements");
        Self { shape: shape.into(), ..self }
    }

    /// The extents, the slowest axis first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where it lies on the device.
    pub(super) fn address(&self) -> u64 {
        self.memory.device_ptr(self.memory.stream()).0
    }

    fn holds(&self, count: usize) -> Result<()> {
        self.has_len(count, "an array on the GPU")
    }

    /// Whether it has so many elements.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] where not; `place` says what the array is.
    pub(super) fn has_len(&self, count: usize, place: &str) -> Result<()> {
        if count == self.len() {
            return Ok(());
        }
        let shape = self.shape.as_slice();
        Err(DeviceError::refused(place, format!("{count} elements"), format!("{} of shape {shape:?}", self.len())))
    }
}
