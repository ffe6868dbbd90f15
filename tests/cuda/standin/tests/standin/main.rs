//! What the stand-in promises: every instruction's result, and that no fault which it looks for goes by.

mod bench;
mod detectors;
mod edits;
mod instructions;
mod launches;
mod rounding;
mod schedules;
mod symbols;
