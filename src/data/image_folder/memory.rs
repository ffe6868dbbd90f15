//! How much memory decoders have at a time, whatever the number of threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that several images may take together. One that needs more is decoded by itself.
const SHARED: u64 = 1 << 28;

/// Bytes that are given out and come back.
pub struct Memory {
    taken: Mutex<u64>,
    returned: Condvar,
}

/// A share of [`Memory`], until it is dropped.
pub struct Share<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    pub fn new() -> Self {
        Self { taken: Mutex::new(0), returned: Condvar::new() }
    }

    /// Waits until `bytes` are free, or, where there are not as many, until everything is.
    pub fn share(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(SHARED);
        let is_full = |taken: &mut u64| *taken + bytes > SHARED;
        let mut taken = self.returned.wait_while(self.taken(), is_full).unwrap_or_else(PoisonError::into_inner);
        *taken += bytes;
        Share { memory: self, bytes }
    }

    /// A number is whole whatever panicked.
    fn taken(&self) -> MutexGuard<'_, u64> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.memory.taken() -= self.bytes;
        self.memory.returned.notify_all();
    }
}
