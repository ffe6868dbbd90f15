//! The claims: all there is of an equation in the oracle, a file (or folder) each.

mod alg1;
mod alg4;
mod alg5;
mod alg6;
mod batches;
mod claim;
mod descent;
mod eq1;
mod eq10;
mod eq11;
mod eq2;
mod eq3;
mod eq4;
mod eq5;
mod eq6;
mod eq7;
mod eq8;
mod eq9;
mod mistakes;
pub(crate) mod params;
mod ratio;
mod sampled;
mod step;
mod sums;

pub(crate) use alg1::{LABEL as ALG1, initial};
pub(crate) use batches::Batches;
pub(crate) use claim::{Claim, Judged};
pub(crate) use mistakes::{OTHERWISE, Otherwise, column_major, reading};
pub(crate) use ratio::causes as common_factor;
pub(crate) use step::{StepLevel, Told};

use super::exact::case::Derive;

/// The claims on an epoch, in the order of findings: what is computed first comes first. Before them stand those that look
/// at the trace as a whole first: [`StepLevel`] and [`Batches`].
pub(crate) const CLAIMS: &[&dyn Claim] = &[
    &alg1::Alg1,
    &alg6::Start,
    &alg6::Within,
    &eq1::Eq1,
    &eq2::Eq2,
    &eq3::EQ3,
    &eq4::EQ4,
    &alg4::Alg4,
    &eq8::EQ8,
    &eq6::Eq6,
    &eq7::EQ7,
    &eq5::Eq5,
    &alg6::STEP,
    &eq9::Eq9,
    &alg6::Mask,
    &alg6::Whole,
];

/// The equations and algorithms that something is claimed of, by their names in findings, each once.
pub fn claimed() -> Vec<&'static str> {
    let mut equations: Vec<&str> = CLAIMS.iter().map(|claim| claim.label().equation).collect();
    equations.sort_unstable();
    equations.dedup();
    equations
}

/// Every file of `golden/method`, and how its results follow from its inputs in exact numbers, rounded once.
pub const DERIVATIONS: &[(&str, Derive)] = &[
    ("eq1", eq1::derive),
    ("eq2", eq2::derive),
    ("eq3", eq3::derive),
    ("eq4", eq4::derive),
    ("eq5", eq5::derive),
    ("eq6", eq6::derive),
    ("eq7", eq7::derive),
    ("eq8", eq8::derive),
    ("eq9", eq9::derive),
    ("eq10", eq10::derive),
    ("eq11", eq11::derive),
    ("alg4", alg4::derive),
    ("alg5", alg5::derive),
    ("alg6", alg6::derive),
];
