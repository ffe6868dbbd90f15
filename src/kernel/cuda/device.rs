//! [`Device`]: a GPU that is open, its memory, and what was launched there.

use super::module::{self, Module};
use super::{DeviceError, Result};
use crate::scalar::Scalar;
use cudarc::driver::sys::CUdevice_attribute_enum as Attribute;
use cudarc::driver::sys::cudaError_enum as Code;
use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DriverError, sys};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Threads of every block; as in `source/number.cu`.
pub(super) const THREADS: usize = 256;

/// A GPU that is open: one context and one stream, so that what is asked of it happens in the order in which it is asked.
#[derive(Debug)]
pub struct Device {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    /// The kernels of f32 and of f64, once they are needed.
    modules: [OnceLock<Result<Module>>; 2],
    /// How many blocks a grid has at the most.
    pub(super) blocks: usize,
    launches: Mutex<BTreeMap<&'static str, u64>>,
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    /// Major, minor.
    pub capability: (i32, i32),
    pub multiprocessors: usize,
    /// Bytes of its memory.
    pub memory: usize,
    /// The driver's version, 1000 major + 10 minor.
    pub driver: i32,
}

impl Device {
    /// The first device, opened once in a process.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn get() -> Result<&'static Self> {
        static DEVICE: OnceLock<Result<Device>> = OnceLock::new();
        DEVICE.get_or_init(|| Self::open(0)).as_ref().map_err(Clone::clone)
    }

    /// The `ordinal`-th device that the driver shows.
    ///
    /// # Errors
    /// [`DeviceError::NoDriver`], [`OldDriver`](DeviceError::OldDriver), [`NoDevice`](DeviceError::NoDevice),
    /// [`OldDevice`](DeviceError::OldDevice), or what the driver says.
    pub fn open(ordinal: usize) -> Result<Self> {
        let count = driver_and_count()?.1;
        if ordinal >= count {
            return Err(DeviceError::refused("a GPU's number", format!("one below {count}"), ordinal.to_string()));
        }
        let opening = |error| DeviceError::of(error, "opening the GPU");
        let context = CudaContext::new(ordinal).map_err(opening)?;
        let capability = context.compute_capability().map_err(opening)?;
        if capability < DeviceError::LOWEST_CAPABILITY {
            return Err(DeviceError::OldDevice(capability.0, capability.1));
        }
        // SAFETY: there is one stream only, so that nothing has to wait for what another stream does.
        unsafe { context.disable_event_tracking() };
        if context.has_async_alloc() {
            keep_memory(&context).map_err(opening)?;
        }
        let count = |of| context.attribute(of).map(|n| usize::try_from(n).unwrap_or(0)).map_err(opening);
        let multiprocessors = count(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        // As many blocks as run at once: some wait for memory while others compute.
        let at_once = count(Attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR)? / THREADS;
        let blocks = multiprocessors.max(1) * at_once.max(1);
        let stream = context.default_stream();
        Ok(Self { context, stream, modules: Default::default(), blocks, launches: Mutex::default() })
    }

    /// What every device says of itself.
    ///
    /// # Errors
    /// As [`open`](Self::open), for a machine without driver or device.
    pub fn list() -> Result<Vec<Description>> {
        let (driver, count) = driver_and_count()?;
        (0..count).map(|ordinal| described(ordinal, driver)).collect()
    }

    /// What this device says of itself.
    ///
    /// # Errors
    /// What the driver says.
    pub fn description(&self) -> Result<Description> {
        described(self.context.ordinal(), driver_and_count()?.0)
    }

    /// Waits for all that was asked of the device.
    ///
    /// # Errors
    /// A kernel that failed, or an error that came up where memory was given back.
    pub fn synchronize(&self) -> Result<()> {
        let failed = |error| DeviceError::of(error, "waiting for the kernels");
        self.context.bind_to_thread().map_err(failed)?;
        self.stream.synchronize().map_err(failed)?;
        self.context.check_err().map_err(|error| DeviceError::of(error, "giving memory back"))
    }

    /// How many times each kernel was launched.
    pub fn launches(&self) -> BTreeMap<&'static str, u64> {
        self.launches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts a launch.
    pub(super) fn count(&self, kernel: &'static str) {
        *self.launches.lock().unwrap_or_else(PoisonError::into_inner).entry(kernel).or_default() += 1;
    }

    pub(super) fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Makes the context this thread's.
    pub(super) fn bind(&self) -> Result<()> {
        self.context.bind_to_thread().map_err(|error| DeviceError::of(error, "using the GPU"))
    }

    /// The kernels of a number system.
    pub(super) fn module<S: Scalar>(&self) -> Result<&Module> {
        let unknown = || DeviceError::refused("the kernels", "numbers of type f32 or f64", S::NAME);
        let text = module::text_of(S::NAME).ok_or_else(unknown)?;
        self.bind()?;
        let loaded = self.modules[usize::from(S::NAME == "f64")].get_or_init(|| Module::load(text));
        loaded.as_ref().map_err(Clone::clone)
    }

    /// Memory for `bytes`, which holds anything; a byte at least.
    pub(super) fn memory(&self, bytes: usize) -> Result<CudaSlice<u8>> {
        let failed = |error: DriverError| match error.0 {
            Code::CUDA_ERROR_OUT_OF_MEMORY => DeviceError::OutOfMemory(bytes),
            _ => DeviceError::of(error, "taking memory"),
        };
        // SAFETY: any bytes are valid bytes; what is made of them is written before it is read, which tests on a device that
        // notices the contrary show.
        unsafe { self.stream.alloc::<u8>(bytes.max(1)) }.map_err(failed)
    }
}

/// Has the driver keep for this process what memory is given back, at every wait: the next step asks for as much again.
fn keep_memory(context: &CudaContext) -> std::result::Result<(), DriverError> {
    use cudarc::driver::result::{device, mem_pool};
    let mut bytes = u64::MAX;
    // SAFETY: the device is the context's own, and has a pool; the attribute is a number of 64 bits.
    unsafe {
        let pool = device::get_default_mem_pool(context.cu_device())?;
        let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
        mem_pool::set_attribute(pool, attribute, (&raw mut bytes).cast())
    }
}

/// The driver's version, and how many devices it shows: at least one.
fn driver_and_count() -> Result<(i32, usize)> {
    // SAFETY: loading the driver's library runs its own start, which may be done at any time.
    if !unsafe { sys::is_culib_present() } {
        return Err(DeviceError::NoDriver);
    }
    let asking = |error| DeviceError::of(error, "asking the driver for GPUs");
    let mut version = 0;
    // SAFETY: the driver writes one number, and may be asked before anything else.
    unsafe { sys::cuDriverGetVersion(&mut version) }.result().map_err(asking)?;
    if version < DeviceError::LOWEST_DRIVER {
        return Err(DeviceError::OldDriver(version));
    }
    cudarc::driver::result::init().map_err(asking)?;
    let count = CudaContext::device_count().map_err(asking)?;
    match usize::try_from(count) {
        Ok(count @ 1..) => Ok((version, count)),
        _ => Err(DeviceError::NoDevice),
    }
}

fn described(ordinal: usize, driver: i32) -> Result<Description> {
    use cudarc::driver::result::device;
    let asking = |error| DeviceError::of(error, format_args!("asking GPU {ordinal} what it is"));
    let number = device::get(i32::try_from(ordinal).unwrap_or(i32::MAX)).map_err(asking)?;
    let name = device::get_name(number).map_err(asking)?;
    // SAFETY: `number` is a device's, from the driver.
    let attribute = |of| unsafe { device::get_attribute(number, of) }.map_err(asking);
    let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let multiprocessors = attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
    // SAFETY: as above.
    let memory = unsafe { device::total_mem(number) }.map_err(asking)?;
    let multiprocessors = usize::try_from(multiprocessors).unwrap_or(0);
    Ok(Description { name, capability: (major, minor), multiprocessors, memory, driver })
}
