//! [`Clock`]: where the seconds of an epoch come from.

use std::time::Duration;

/// The time since a moment of the clock's own choosing.
pub type Clock = fn() -> Duration;

/// The machine's clock.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub fn machine_clock() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGINNING.elapsed()
}

/// Where the standard library knows of no clock, no time passes.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub fn machine_clock() -> Duration {
    Duration::ZERO
}
