//! Eq. 5.

use super::super::port::Fault;
use super::super::variants::with_ties;
use super::{Case, slip};

pub fn cases() -> Vec<Case> {
    vec![
        slip("eq5", "<= for <", Fault::SelectOrEqual, &["<="]).with(with_ties),
        slip("eq5", "> for <", Fault::SelectGreater, &[">"]),
        slip("eq5", "top-k for a threshold", Fault::SelectTopK, &["top-k"]).with(with_ties),
        slip("eq5", "each parameter's own quantile", Fault::SelectPerParameter, &["layer", "parameter"]),
        slip("eq5", "each chunk's own quantile", Fault::SelectPerChunk, &["chunk"]),
        slip("eq5", "by |w| for G", Fault::SelectByMagnitude, &["|w|", "magnitude"]),
        slip("eq5", "by the last batch's squares", Fault::SelectByLastBatch, &["last batch"]),
        slip("eq5", "by the mean of G", Fault::SelectBelowMean, &["its mean"]),
        slip("eq5", "by the root of G", Fault::SelectByRoot, &["sqrt(G)", "root"]),
        slip("eq5", "in column-major order", Fault::SelectColumnMajor, &["fortran", "column-major"]),
        slip("eq5", "one parameter is left out", Fault::SelectMissesParameter, &["parameter"]),
        slip("eq5", "by the previous epoch's tau", Fault::SelectByStaleTau, &["previous", "stale"]),
        slip("eq5", "by the previous epoch's G", Fault::SelectByStaleG, &["previous", "stale"]),
        slip("eq5", "what was selected stays selected", Fault::SelectAccumulates, &["previous", "earlier", "accumul"]),
    ]
}
