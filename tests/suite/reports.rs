//! Promises of `gdstar table` and `gdstar plot`: exact numbers, every run read as far as it is complete, and a figure
//! that shows every series.

mod fixtures;
mod plot;
mod predictions;
mod summary;
mod svg;
mod table;
