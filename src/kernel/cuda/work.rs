//! Work that is a GPU's on this thread, and what failed of it where no error could be returned.

use crate::error::DeviceError;
use std::cell::{Cell, RefCell};

thread_local! {
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
    static FAILED: RefCell<Option<DeviceError>> = const { RefCell::new(None) };
}

/// Whether the equations of the work on this thread are computed on the GPU.
pub(in crate::kernel) fn is_at_work() -> bool {
    AT_WORK.get()
}

/// Runs `work`, whose equations are computed on the GPU.
pub(in crate::kernel) fn at_work<R>(work: impl FnOnce() -> R) -> R {
    let _until_then = Before(AT_WORK.replace(true));
    work()
}

/// What there was before, and will be again.
struct Before(bool);

impl Drop for Before {
    fn drop(&mut self) {
        AT_WORK.set(self.0);
    }
}

/// Keeps an error for who asks next; the first is told.
pub(crate) fn remember(error: DeviceError) {
    FAILED.with_borrow_mut(|failed| *failed = failed.take().or(Some(error)));
}

/// Whether all went well on this thread since this was asked last.
pub(crate) fn check() -> Result<(), DeviceError> {
    FAILED.take().map_or(Ok(()), Err)
}
