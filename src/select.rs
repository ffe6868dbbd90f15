//! What sparse methods are made of beside GDSTAR's equations: by what weights are compared ([`score`]), how many and which of
//! them a selection keeps ([`count`], [`cut`], [`dumique`]), when and how much ([`schedule`]), how a sparsity is shared out
//! among layers ([`distribution`]), what is kept or dropped together ([`groups`], [`structure`]), what becomes of weights, masks and
//! momentum ([`update`]), and what lies between two runs ([`path`]).
//!
//! Each choice that sources make differently is a closed set with the names that traces and options have; the functions
//! beside it are pure.

pub mod count;
pub mod cut;
pub mod distribution;
pub mod dumique;
pub mod groups;
pub mod path;
pub mod schedule;
pub mod score;
pub mod structure;
pub mod update;
