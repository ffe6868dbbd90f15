//! The oracle for methods that act on steps, held to traces that are small enough to be computed by hand.

mod courses;
mod malformed;
mod momentum;
pub mod planted;
mod replayed;
mod selections;
mod tiny;
mod told;
mod written;
