//! The border to decoders that others wrote: what panics beyond it is a refusal on this side.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Decoders at work, on any thread: some have threads of their own.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// What `decode` returns, or `None` if it panics. It must leave nothing behind that a panic could have left half done.
pub fn contain<T>(decode: impl FnOnce() -> T) -> Option<T> {
    AT_WORK.fetch_add(1, Ordering::Relaxed);
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    AT_WORK.fetch_sub(1, Ordering::Relaxed);
    outcome.ok()
}

/// From now on a panic prints nothing while a decoder is at work: it is reported as a damaged file. For programs; a
/// library leaves the hook alone.
pub fn silence_decoders() {
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        if AT_WORK.load(Ordering::Relaxed) == 0 {
            usual(panic);
        }
    }));
}
