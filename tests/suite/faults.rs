//! Planted faults: deliberate single-line mistakes, each of which the checks that the proofs use must catch.

mod equations;
mod ops;
