//! [`Decisions`]: what is decided on numbers that rounding may have moved.

/// Decisions that a port takes on computed numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Decisions {
    pub all: usize,
    /// Those that rounding may turn either way.
    pub ambiguous: usize,
}
