//! The lists cannot lie: what is in the source tree is in the lists, and what is in the lists is proved.

mod arithmetic;
mod arrows;
mod features;
mod models;
mod opened;
mod ops;
mod package;
mod paper;
mod rules;
mod tests;
