//! [`Aligned`]: memory that starts where vectors do.

use std::alloc::{GlobalAlloc, Layout, System};

/// An allocator whose arrays start at a multiple of a cache line; shorter pieces of memory, and the work itself, are
/// left to `A`.
///
/// A vector of 64 bytes that straddles two cache lines takes two reads, and so does every one of an array that begins
/// 16 bytes past a page, as large ones from glibc do. The fast kernels are correct without it; the sparse ones, which
/// read a vector for each product, are slower. So a program that trains should have it:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: gdstar::kernel::Aligned = gdstar::kernel::Aligned::SYSTEM;
///
/// let mut array = vec![0.0_f32; 5000];
/// assert_eq!(array.as_ptr() as usize % 64, 0);
/// // Memory may grow and shrink from one kind to the other.
/// array.truncate(3);
/// array.shrink_to_fit();
/// array.extend((0..9000).map(|i| i as f32));
/// assert_eq!(array.as_ptr() as usize % 64, 0);
/// assert!(array[..3] == [0.0; 3] && array[9002] == 8999.0);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Aligned<A = System>(pub A);

impl Aligned {
    /// By the system's allocator.
    pub const SYSTEM: Self = Self(System);
}

/// A cache line, and the widest vector.
const LINE: usize = 64;

/// Shorter pieces are not arrays that vectors run over.
const LEAST_BYTES: usize = 4096;

/// What is asked of the other allocator.
fn aligned(layout: Layout) -> Layout {
    if layout.size() < LEAST_BYTES {
        return layout;
    }
    // A size that no alignment can be given is one that no allocator can provide either.
    layout.align_to(LINE).unwrap_or(layout)
}

// SAFETY: every call is handed on with a layout that is a function of the caller's, so that memory is given back with
// the layout that it was asked for with; its alignment is at least the caller's, its size the same.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Aligned<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller.
        unsafe { self.0.alloc(aligned(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller.
        unsafe { self.0.alloc_zeroed(aligned(layout)) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: by the caller; it was allocated with the same layout.
        unsafe { self.0.dealloc(memory, aligned(layout)) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the caller; memory whose alignment changes is moved, as by the trait's own `realloc`.
        unsafe {
            let wanted = Layout::from_size_align_unchecked(size, layout.align());
            if aligned(layout).align() == aligned(wanted).align() {
                return self.0.realloc(memory, aligned(layout), size);
            }
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(memory, moved, layout.size().min(size));
                self.dealloc(memory, layout);
            }
            moved
        }
    }
}
