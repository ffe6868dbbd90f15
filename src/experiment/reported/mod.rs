//! The paper's own numbers: its Tables 2 to 8, what its text says of its figures, and where the two disagree.
//!
//! Every number is as printed, with its place. Networks are named as in [`MODELS`](crate::nn::models::MODELS); accuracy,
//! sparsity and overhead are in percent.

mod claims;
mod disagreements;
mod statements;
mod table;
mod table2;
mod table3;
mod table4;
mod table5;
mod table6;
mod table7;
mod table8;

pub use claims::{CLAIMS, Claim, claims};
pub use disagreements::{DISAGREEMENTS, Disagreement, disagreements};
pub use statements::{STATEMENTS, Statement, stated, statements};
pub use table::{PrintedTable, Row};
pub use table2::TABLE2;
pub use table3::TABLE3;
pub use table4::TABLE4;
pub use table5::TABLE5;
pub use table6::TABLE6;
pub use table7::TABLE7;
pub use table8::TABLE8;

/// The tables with numbers, in the paper's order.
pub static TABLES: &[&PrintedTable] = &[&TABLE2, &TABLE3, &TABLE4, &TABLE5, &TABLE6, &TABLE7, &TABLE8];
