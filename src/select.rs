//! What sparse methods are made of beside GDSTAR's equations: which weights a selection keeps.

pub mod cut;
pub mod groups;
