//! The paper's equations and algorithms, one file per concept: arrays in, arrays out.
//!
//! No tape, no files, no random numbers: a port needs an equation without the rest, and training composes them.
//! W is one flat slice, the prunable parameters one after the other in the order of the parameter list, each
//! row-major. Formulas are generic over [`Scalar`](crate::scalar::Scalar), evaluated wide and rounded once.
//!
//! | in the paper | function | chapter |
//! |---|---|---|
//! | Eq. 1, `S_k^(abs)` | [`gradient_norm::sum_of_l1_norms`] | [eq01](chapters::eq01) |
//! | Eq. 2, `G_kj^(sq)` | [`gradient_norm::accumulated_squares`] | [eq02](chapters::eq02) |
//! | Eq. 3, `S_k^(sq)` | [`gradient_norm::sum_of_squares`] | [eq03](chapters::eq03) |
//! | Eq. 4, `S_k^(F)` | [`gradient_norm::frobenius_norm`] | [eq04](chapters::eq04) |
//! | Eq. 5, `W_tau_k` | [`selection::below_threshold`] | [eq05](chapters::eq05) |
//! | Eq. 6, `q_k^(c)` | [`quantile::chunk_quantiles`] | [eq06](chapters::eq06) |
//! | Eq. 7, `tau_k` | [`quantile::mean_of_quantiles`] | [eq07](chapters::eq07) |
//! | Eq. 8, `alpha_k` | [`schedule::prune_rate`] | [eq08](chapters::eq08) |
//! | Eq. 9, `w_j` | [`decay::decayed_weight`] | [eq09](chapters::eq09) |
//! | Eq. 10, computation | [`cost::computation_saving`] | [eq10](chapters::eq10) |
//! | Eq. 11, memory | [`cost::memory_saving`] | [eq11](chapters::eq11) |
//! | Alg. 4, k* and `W_k*` | [`rewind::RewindPoint::observe`] | [alg4](chapters::alg4) |
//! | Alg. 5, selection | [`selection::select_weights`] | [alg5](chapters::alg5) |
//! | Alg. 6, decay | [`decay::rewind_decay`] | [alg6](chapters::alg6) |
//!
//! Every choice that the paper leaves open is a value of [`reading::Reading`]; [open points](chapters::open_points) lists them.

#[cfg(any(doc, doctest))]
pub mod chapters;
pub mod cost;
pub mod decay;
pub mod gradient_norm;
mod hyperparameters;
pub mod quantile;
pub mod reading;
pub mod rewind;
pub mod schedule;
pub mod selection;
pub mod structured;

pub use hyperparameters::Hyperparameters;

use crate::error::{Error, Result};

/// One line of [`EQUATIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equation {
    /// As the paper numbers it: `Eq. 1`, `Alg. 4`.
    pub number: &'static str,
    /// The function, by its path in [`crate::paper`].
    pub function: &'static str,
    /// What it computes, in the paper's symbols.
    pub computes: &'static str,
    /// The chapter's file in `docs/equations/`.
    pub chapter: &'static str,
}

const fn entry(
    number: &'static str,
    function: &'static str,
    computes: &'static str,
    chapter: &'static str,
) -> Equation {
    Equation { number, function, computes, chapter }
}

/// Every numbered equation and algorithm of the method; tests walk the list, so none goes without test or chapter.
pub const EQUATIONS: &[Equation] = &[
    entry("Eq. 1", "gradient_norm::sum_of_l1_norms", "S_abs = sum_i sum_j |g_ij|", "eq01.md"),
    entry("Eq. 2", "gradient_norm::accumulated_squares", "G_j = sum_i g_ij^2", "eq02.md"),
    entry("Eq. 3", "gradient_norm::sum_of_squares", "S_sq = sum_j G_j", "eq03.md"),
    entry("Eq. 4", "gradient_norm::frobenius_norm", "S_F = sqrt(S_sq)", "eq04.md"),
    entry("Eq. 5", "selection::below_threshold", "W_tau = {w_j | G_j < tau}", "eq05.md"),
    entry("Eq. 6", "quantile::chunk_quantiles", "q_c = Quantile_alpha(G of chunk c)", "eq06.md"),
    entry("Eq. 7", "quantile::mean_of_quantiles", "tau = (1/C) sum_c q_c", "eq07.md"),
    entry("Eq. 8", "schedule::prune_rate", "alpha_k = alpha_0 + (k/K)(alpha_K - alpha_0)", "eq08.md"),
    entry("Eq. 9", "decay::decayed_weight", "w_j = (w_j* lambda^t) 1(|w_j* lambda^t| >= eps)", "eq09.md"),
    entry("Eq. 10", "cost::computation_saving", "(1 - log(N/C) / log N) 100 %", "eq10.md"),
    entry("Eq. 11", "cost::memory_saving", "(1 - 1/C) 100 %", "eq11.md"),
    entry("Alg. 4", "rewind::RewindPoint::observe", "m, k*, W_k*", "alg4.md"),
    entry("Alg. 5", "selection::select_weights", "G, alpha -> q_c, tau, W_tau", "alg5.md"),
    entry("Alg. 6", "decay::rewind_decay", "W_k*, W_tau, t -> W, mask", "alg6.md"),
];

/// Two arrays that must be equally long.
fn same_length(op: &'static str, place: impl Into<String>, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::shape(op, place, format!("{expected} values"), format!("{found}")))
    }
}
