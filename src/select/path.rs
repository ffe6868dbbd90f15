//! The straight line between two trained networks (Alg. 3; Frankle et al. 2020).

use crate::choice::choice;

choice! {
    /// Where the line is looked at.
    Grid, "grid":
    /// At T points, both ends among them.
    Points = "points",
    /// At the ends of T intervals.
    Intervals = "intervals",
}

choice! {
    /// From which network to which it runs.
    Interpolation, "interpolation":
    OneToTwo = "1-to-2",
    TwoToOne = "2-to-1",
}

choice! {
    /// Of what the barrier is measured.
    BarrierOf, "barrier_of":
    Error = "error",
    Loss = "loss",
}
