//! The driver's functions as a program calls them: one context, from its beginning to the error that it dies of.

use crate::bench::kernel;
use std::ffi::{c_char, c_int, c_uint, c_void, CStr, CString};

use standin as _;

extern "C" {
    fn cuInit(flags: c_uint) -> c_int;
    fn cuDriverGetVersion(version: *mut c_int) -> c_int;
    fn cuDeviceGet(device: *mut c_int, number: c_int) -> c_int;
    fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> c_int;
    fn cuDevicePrimaryCtxRetain(context: *mut usize, device: c_int) -> c_int;
    fn cuCtxSetCurrent(context: usize) -> c_int;
    fn cuCtxSynchronize() -> c_int;
    fn cuMemAllocAsync(address: *mut u64, bytes: usize, stream: usize) -> c_int;
    fn cuMemFreeAsync(address: u64, stream: usize) -> c_int;
    fn cuMemsetD32Async(address: u64, value: c_uint, count: usize, stream: usize) -> c_int;
    fn cuMemcpyDtoH_v2(to: *mut c_void, from: u64, bytes: usize) -> c_int;
    fn cuModuleLoadData(module: *mut usize, image: *const c_void) -> c_int;
    fn cuModuleGetFunction(function: *mut usize, module: usize, name: *const c_char) -> c_int;
    fn cuLaunchKernel(
        function: usize,
        bx: c_uint,
        by: c_uint,
        bz: c_uint,
        tx: c_uint,
        ty: c_uint,
        tz: c_uint,
        shared: c_uint,
        stream: usize,
        params: *const *const c_void,
        extra: *const *const c_void,
    ) -> c_int;
    fn cuGetErrorName(code: c_int, name: *mut *const c_char) -> c_int;
    fn standin_configure(text: *const c_char) -> c_int;
    fn standin_last_fault() -> *const c_char;
}

fn said() -> String {
    unsafe { CStr::from_ptr(standin_last_fault()) }.to_str().unwrap().to_string()
}

#[test]
fn a_context_lives_until_a_kernel_breaks_it() {
    // Every pointer is to a variable of this function, or to nothing where that is what is tried.
    unsafe {
        let (mut address, mut device, mut context) = (0, 7, 0);
        assert_eq!(cuMemAllocAsync(&mut address, 64, 0), 201, "no context yet");
        assert_eq!(cuDeviceGet(&mut device, 0), 3, "not begun");
        assert_eq!(cuInit(0), 0);
        let mut version = 0;
        assert_eq!((cuDriverGetVersion(&mut version), version), (0, 12000));
        assert_eq!(cuDeviceGet(&mut device, 1), 101);
        assert_eq!((cuDeviceGet(&mut device, 0), device), (0, 0));
        let mut name = [0; 64];
        assert_eq!(cuDeviceGetName(name.as_mut_ptr(), 64, 0), 0);
        assert_eq!(CStr::from_ptr(name.as_ptr()).to_str().unwrap(), "stand-in (no GPU)");
        assert_eq!(cuDevicePrimaryCtxRetain(&mut context, 0), 0);
        assert_eq!(cuMemAllocAsync(&mut address, 64, 0), 201, "not this thread's");
        assert_eq!(cuCtxSetCurrent(context), 0);
        let plan = CString::new("STANDIN_FAIL=cuMemAllocAsync:3:2").unwrap();
        assert_eq!(standin_configure(plan.as_ptr()), 0);
        assert_eq!(cuMemAllocAsync(&mut address, 64, 0), 2, "the third call");
        assert!(said().contains("planned to fail"), "{}", said());
        assert_eq!(cuMemAllocAsync(&mut address, 64, 0), 0);
        assert_eq!(cuMemsetD32Async(address, 5, 16, 0), 0);

        let body =
            "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd10, %r1, 4;\nadd.s64 %rd9, %rd1, %rd10;\nst.global.u32 [%rd9], %r1;";
        let ptx = CString::new(kernel(1, body)).unwrap();
        let (mut module, mut function) = (0, 0);
        assert_eq!(cuModuleLoadData(&mut module, ptx.as_ptr().cast()), 0);
        assert_eq!(cuModuleGetFunction(&mut function, module, c"other".as_ptr()), 500);
        assert_eq!(cuModuleGetFunction(&mut function, module, c"k".as_ptr()), 0);
        let launch = |threads, params: &[*const c_void]| {
            cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, 0, 0, params.as_ptr(), std::ptr::null())
        };
        let argument = std::ptr::from_ref(&address).cast();
        assert_eq!(launch(16, &[argument]), 0);
        let mut out = [0u32; 16];
        assert_eq!(cuMemcpyDtoH_v2(out.as_mut_ptr().cast(), address, 64), 0);
        assert_eq!(out.to_vec(), (0..16).collect::<Vec<u32>>());

        for missing in [std::ptr::null(), 16 as *const c_void] {
            assert_eq!(launch(16, &[missing]), 1);
            assert!(said().contains("argument 0 (`p0`, 8 bytes) cannot be read"), "{}", said());
        }
        let number = 5u64;
        assert_eq!(launch(16, &[std::ptr::from_ref(&number).cast()]), 1);
        assert!(said().contains("no address of living memory"), "{}", said());
        assert_eq!(cuMemFreeAsync(address + 4, 0), 1);

        // One thread too many: found when the program waits, and from then on by every call.
        assert_eq!(launch(17, &[argument]), 0);
        assert_eq!(cuCtxSynchronize(), 700);
        assert!(said().contains("cuCtxSynchronize: kernel `k`") && said().contains("64..68 of 64"), "{}", said());
        assert_eq!(launch(16, &[argument]), 700);
        assert_eq!(cuMemFreeAsync(address, 0), 700);
        let mut name = std::ptr::null();
        assert_eq!(cuGetErrorName(700, &mut name), 0);
        assert_eq!(CStr::from_ptr(name).to_str().unwrap(), "CUDA_ERROR_ILLEGAL_ADDRESS");
    }
}
