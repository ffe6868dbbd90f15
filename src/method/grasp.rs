//! GraSP (Wang et al. 2020): before training, the weights go without which the gradient's norm falls least.

use super::Entry;
use super::keys::{
    COUNT, CUT, DISTRIBUTION, ERK_BUDGET, GLOBAL_FIRST, MINIMUM, REMOVE_FLOOR, SPARSITIES, SPARSITY, TIES,
};

pub static ENTRY: Entry = Entry {
    options: &[
        SPARSITY,
        SPARSITIES,
        DISTRIBUTION.among(GLOBAL_FIRST),
        ERK_BUDGET,
        COUNT.or(REMOVE_FLOOR),
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["count", "score", "mask", "weights"],
    ..Entry::new("grasp", "Before training, the weights of largest -w (H g) are removed", "Wang et al. 2020")
};
