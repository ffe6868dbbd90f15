//! Planted faults: deliberate single-line mistakes, each of which the suite's own checks must catch.

mod equations;
