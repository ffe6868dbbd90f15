//! What would end the process without a word. Ctrl-C: work that can stop between two steps does so; other work, and all of
//! it at a second Ctrl-C, ends at once, and either way no temporary file is left. A file that grows too large: the write
//! fails.

use crate::error::{Error, Result};
use crate::output;
#[cfg(unix)]
use std::sync::Arc;
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

/// Has a write beyond the limit on file sizes (`ulimit -f`) fail as one on a full disk does. The system would end the
/// process by a signal, without a word.
///
/// # Errors
/// [`Error::Domain`] if the system does not let us.
#[cfg(unix)]
pub(super) fn outlive_size_limit() -> Result<()> {
    // The signal's arrival alone says nothing that the write's failure does not.
    let arrived = Arc::new(AtomicBool::new(false));
    let registered = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, arrived);
    registered.map(drop).map_err(|e| Error::domain("signal handler", "to be installed", e))
}

/// Where there is no such signal, there is nothing to do.
#[cfg(not(unix))]
pub(super) fn outlive_size_limit() -> Result<()> {
    Ok(())
}

/// A flag that Ctrl-C sets, for work that looks at it again and again.
pub(super) fn stop_on_interrupt() -> &'static AtomicBool {
    IS_HEEDED.store(true, Ordering::Relaxed);
    &STOP
}
