//! AC/DC (Peste et al. 2021, Alg. 1): training compressed and decompressed in turn.

use super::Entry;
use super::keys::{
    COUNT, CUT, DISTRIBUTION, GLOBAL_OR_UNIFORM, INACTIVE_MOMENTUM, MINIMUM, REMOVE_FLOOR, SPARSITY, TIES, hyper,
    reading,
};
use super::options::Domain;
use crate::select::update::DecompressMomentum;

pub static ENTRY: Entry = Entry {
    options: &[
        SPARSITY,
        hyper("compress_at", Domain::StepList, "The steps before which weights are pruned"),
        hyper("decompress_at", Domain::StepList, "The steps before which all weights are trained again"),
        DISTRIBUTION.among(GLOBAL_OR_UNIFORM),
        INACTIVE_MOMENTUM,
        reading::<DecompressMomentum>("The momentum at a decompression"),
        COUNT.or(REMOVE_FLOOR),
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "count", "score", "mask", "weights", "step", "momentum"],
    ..Entry::new("acdc", "Compressed and dense training in turn", "Peste et al. 2021, Alg. 1")
};
