//! Planted faults: the checks of the proofs, run on code that is deliberately wrong in one line, must fail.

mod ops;
