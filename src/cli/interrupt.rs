//! Ctrl-C: work that can stop between two steps does so; other work, and all of it at a second Ctrl-C, ends at once. Either
//! way no temporary file is left.

use crate::error::{Error, Result};
use crate::output;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a shell takes for an end by Ctrl-C.
const INTERRUPTED: i32 = 130;

static STOP: AtomicBool = AtomicBool::new(false);
/// Whether the work at hand looks at [`STOP`].
static IS_HEEDED: AtomicBool = AtomicBool::new(false);

/// Begins to listen.
///
/// # Errors
/// [`Error::Domain`] if the system does not let us.
pub(super) fn listen() -> Result<()> {
    let on_interrupt = || {
        let is_first = !STOP.swap(true, Ordering::Relaxed);
        if !(is_first && IS_HEEDED.load(Ordering::Relaxed)) {
            output::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(on_interrupt).map_err(|e| Error::domain("interrupt handler", "to be installed", e))
}

/// A flag that Ctrl-C sets, for work that looks at it again and again.
pub(super) fn stop_on_interrupt() -> &'static AtomicBool {
    IS_HEEDED.store(true, Ordering::Relaxed);
    &STOP
}
