//! Dual: stub to be written
