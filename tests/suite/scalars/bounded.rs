//! Bounded: stub to be written
