//! Eq. 8, 6 and 7.

use super::super::port::{Fault, Precision};
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    [rate(), rank(), set(), chunks(), threshold()].concat()
}

fn rate() -> Vec<Case> {
    vec![
        slip("eq8", "k-1 for k", Fault::AlphaOfPreviousEpoch, &["k-1", "reading `epoch_origin` = `0`"])
            .with(|c| c.reading.set("epoch_origin", "1")),
        slip("eq8", "k+1 for k", Fault::AlphaOfNextEpoch, &["k+1", "reading `epoch_origin` = `1`"]),
        slip("eq8", "K-1 for K", Fault::AlphaOverKMinus1, &["K-1"]),
        slip("eq8", "k/K is an integer division", Fault::AlphaIntegerDivision, &["integer", "constant", "alpha_0"]),
        slip("eq8", "(k/K)^2 for k/K", Fault::AlphaQuadratic, &["(k / K)^2", "quadratic", "square"]),
        undeclared(
            "eq8",
            "the ends are swapped",
            |c| {
                std::mem::swap(&mut c.hyper.alpha_0, &mut c.hyper.alpha_end);
            },
            &["swap"],
        ),
        undeclared("eq8", "alpha_K throughout", |c| c.hyper.alpha_0 = c.hyper.alpha_end, &["constant", "alpha_K"]),
    ]
}

fn rank() -> Vec<Case> {
    let rule = |name, undeclared_rule, causes| undeclared("eq6", name, undeclared_rule, causes);
    vec![
        rule("lower for linear", |c| c.reading.set("quantile", "lower"), &["reading `quantile` = `lower`"]),
        rule("higher for linear", |c| c.reading.set("quantile", "higher"), &["reading `quantile` = `higher`"]),
        // Where the rank's fraction is below 1/2 `nearest` is `lower`, else `higher`.
        rule("nearest for linear", |c| c.reading.set("quantile", "nearest"), &["reading `quantile` = "]),
        rule("midpoint for linear", |c| c.reading.set("quantile", "midpoint"), &["reading `quantile` = `midpoint`"]),
        rule("linear for lower", |c| c.reading.set("quantile", "linear"), &["reading `quantile` = `linear`"])
            .with(|c| c.reading.set("quantile", "lower")),
        slip("eq6", "rank alpha N", Fault::RankOfN, &["alpha N", "alpha*N", "N-1", "alpha_k N", "rank"]),
        slip("eq6", "the floor(alpha N)-th smallest", Fault::QuantileKth, &["top-k", "kth", "k-th", "smallest"]),
        slip("eq6", "the quantile of 1-alpha", Fault::QuantileOfOneMinusAlpha, &["1-alpha", "1 - alpha"]),
        slip("eq6", "the previous epoch's alpha", Fault::QuantileOfStaleAlpha, &["k-1", "previous", "stale"]),
        slip("eq6", "alpha is rounded to f32", Fault::QuantileAlphaInF32, &["f32"]).only_in(&[Precision::F64]),
    ]
}

fn set() -> Vec<Case> {
    vec![
        slip("eq6", "values are not sorted", Fault::QuantileUnsorted, &["sort"]),
        slip("eq6", "the previous epoch's G", Fault::QuantileOfStaleG, &["previous epoch", "stale"]),
        slip(
            "eq6",
            "eliminated weights leave the set under `dense`",
            Fault::QuantileOfAliveUnderDense,
            &["reading `masked_gradient` = `excluded`"],
        ),
        slip(
            "eq6",
            "eliminated weights stay under `excluded`",
            Fault::QuantileOfAllUnderExcluded,
            &["reading `masked_gradient` = `zero`"],
        )
        .with(|c| c.reading.set("masked_gradient", "excluded")),
        slip("eq6", "zeros leave the set", Fault::QuantileWithoutZeros, &["zero", "g = 0"])
            .with(|c| c.gradients.dead = 0.3),
    ]
}

fn chunks() -> Vec<Case> {
    vec![
        // N = 284 = 3 * 94 + 2.
        slip("eq6", "the chunks' remainder is dropped", Fault::ChunkRemainderDropped, &["remainder", "dropped"]),
        slip("eq6", "the last chunk takes the remainder", Fault::ChunkRemainderLast, &["remainder", "last chunk"]),
        undeclared("eq6", "ceil-sized chunks", |c| c.reading.set("chunking", "ceil"), &["reading `chunking` = `ceil`"])
            .with(|c| c.hyper.chunks = 7),
        undeclared(
            "eq6",
            "near-equal chunks under `ceil`",
            |c| c.reading.set("chunking", "near-equal"),
            &["reading `chunking` = `near-equal`"],
        )
        .with(|c| {
            c.hyper.chunks = 7;
            c.reading.set("chunking", "ceil");
        }),
        slip("eq6", "chunks of sorted values", Fault::ChunksOfSorted, &["sorted before"]),
        slip("eq6", "alpha times the largest", Fault::QuantileIsShareOfLargest, &["share alpha of a chunk's largest"]),
        slip("eq6", "strided chunks", Fault::ChunksStrided, &["C-th", "strid", "interleav", "mod C"]),
        slip("eq6", "column-major flattening", Fault::ChunksColumnMajor, &["fortran", "column-major"]),
        slip("eq6", "parameters in reversed order", Fault::ChunksInReversedOrder, &["order"]),
        slip("eq6", "parameters in the order of their size", Fault::ChunksInSizeOrder, &["size"]),
        slip("eq6", "a chunk for each parameter", Fault::ChunkPerParameter, &["layer", "parameter"]),
    ]
}

fn threshold() -> Vec<Case> {
    vec![
        slip("eq7", "median of the chunks", Fault::ThresholdMedian, &["median"]),
        slip("eq7", "sum of the chunks", Fault::ThresholdSum, &["sum", "1/C"]),
        slip("eq7", "the first chunk's", Fault::ThresholdFirstChunk, &["first chunk"]),
        slip("eq7", "the last chunk's", Fault::ThresholdLastChunk, &["last chunk"]),
        slip("eq7", "the largest chunk's", Fault::ThresholdMaximum, &["largest", "maximum", "max"]),
        slip("eq7", "the smallest chunk's", Fault::ThresholdMinimum, &["smallest", "minimum", "min"]),
        slip("eq7", "geometric mean", Fault::ThresholdGeometricMean, &["geometric"]),
        slip("eq7", "harmonic mean", Fault::ThresholdHarmonicMean, &["harmonic"]),
        slip("eq7", "root mean square", Fault::ThresholdRootMeanSquare, &["root mean square"]),
        slip("eq7", "half way between the extremes", Fault::ThresholdMidrange, &["half way"]),
        slip("eq7", "C-1 for C", Fault::ThresholdOverCMinus1, &["C - 1", "C-1"]),
        slip("eq7", "C+1 for C", Fault::ThresholdOverCPlus1, &["C + 1"]),
        slip("eq7", "the previous epoch's", Fault::ThresholdStale, &["previous", "stale"]),
    ]
}
