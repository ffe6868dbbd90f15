//! The paper explained by a run: what every equation came to in one epoch, and what became of one weight.
//!
//! A run is trained once more, with the same bits, and [watched](Watch): nothing is told here that training did not compute.
//! [`tour`] puts an epoch's numbers into the equations; [`life`] follows a weight; [`rewind`] draws S_F and k*.

#[cfg(feature = "cli")]
pub mod exercise;
mod life;
mod numbers;
mod pages;
mod place;
#[cfg(feature = "cli")]
mod rewind;
mod watch;

pub use life::life;
pub use numbers::{number, percent};
pub use pages::{PAGES, Page, find, tour};
pub use place::Place;
#[cfg(feature = "cli")]
pub use rewind::rewind;
pub use watch::{Example, Followed, Moment, Watch, Watched, Whole};
