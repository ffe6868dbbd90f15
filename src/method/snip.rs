//! SNIP (Lee et al. 2019): before training, the weights stay on which the loss of one batch depends most.

use super::Entry;
use super::keys::{
    COUNT, CUT, DISTRIBUTION, ERK_BUDGET, GLOBAL_FIRST, MINIMUM, SPARSITIES, SPARSITY, STARTING_WEIGHTS, TIES,
};

pub static ENTRY: Entry = Entry {
    options: &[
        SPARSITY,
        SPARSITIES,
        DISTRIBUTION.among(GLOBAL_FIRST),
        ERK_BUDGET,
        STARTING_WEIGHTS,
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["count", "score", "mask", "weights"],
    ..Entry::new("snip", "Before training, the weights of largest |g w| are chosen", "Lee et al. 2019")
};
