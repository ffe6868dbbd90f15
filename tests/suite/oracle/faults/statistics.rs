//! Eq. 1 to 4.

use super::super::port::{Clip, Fault, Precision};
use super::super::variants::tiny;
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    [l1(), accumulated(), sum(), norm(), arithmetic()].concat()
}

fn l1() -> Vec<Case> {
    vec![
        slip("eq1", "signed gradients are summed", Fault::AbsWithoutAbs, &["absolute", "|g|", "sign"]),
        slip("eq1", "squares are summed", Fault::AbsOfSquares, &["square", "g^2"]),
        slip("eq1", "biases are counted", Fault::AbsOverBiases, &["bias", "prunable"]),
        slip("eq1", "one parameter is missing", Fault::AbsMissesParameter, &["left out", "parameter"]),
        slip("eq1", "the last batch alone", Fault::AbsOfLastBatch, &["last batch"]),
        slip("eq1", "the first batch is skipped", Fault::AbsSkipsFirstBatch, &["first batch"]),
        slip("eq1", "mean over batches", Fault::AbsMeanOverBatches, &["mean"]),
        slip("eq1", "mean over weights", Fault::AbsMeanOverWeights, &["mean"]),
        slip("eq1", "norms of parameters", Fault::AbsOfNorms, &["norms of each parameter"]),
        slip("eq1", "the largest of each parameter", Fault::AbsOfLargest, &["largest entry of each parameter"]),
        slip("eq1", "mean over each parameter", Fault::AbsMeanOfParameters, &["mean over each parameter"]),
        slip("eq1", "absolute value of the sum over batches", Fault::AbsOfSum, &["sum"]),
        slip("eq1", "not reset between epochs", Fault::AbsNotReset, &["reset"]),
        undeclared(
            "eq1",
            "eliminated weights' gradients are zeroed under `dense`",
            |c| c.reading.set("masked_gradient", "zero"),
            &["reading `masked_gradient` = "],
        ),
        undeclared(
            "eq1",
            "eliminated weights' gradients are kept under `zero`",
            |c| c.reading.set("masked_gradient", "dense"),
            &["reading `masked_gradient` = `dense`"],
        )
        .with(|c| c.reading.set("masked_gradient", "zero")),
    ]
}

fn accumulated() -> Vec<Case> {
    vec![
        slip("eq2", "|g| for g^2", Fault::GAbsolute, &["|g|", "absolute"]),
        slip("eq2", "g^3 for g^2", Fault::GCubed, &["g^3"]),
        slip("eq2", "negative gradients do not count", Fault::GOfPositive, &["negative gradients"]),
        slip("eq2", "a variance over each parameter", Fault::GCentred, &["variance"]),
        slip("eq2", "mean over batches", Fault::GMeanOverBatches, &["mean"]),
        slip("eq2", "the last batch alone", Fault::GOfLastBatch, &["last batch"]),
        slip("eq2", "the first batch is skipped", Fault::GSkipsFirstBatch, &["first batch"]),
        slip("eq2", "the first batch counts twice", Fault::GCountsFirstBatchTwice, &["twice"]),
        slip("eq2", "not reset between epochs", Fault::GNotReset, &["reset"]),
        slip(
            "eq2",
            "square of the sum",
            Fault::GSquareOfSum,
            &["square of the sum", "summed before", "before squaring"],
        ),
        slip("eq2", "square of the batches' mean", Fault::GSquareOfMean, &["mean"]),
        slip("eq2", "masked under `dense`", Fault::GMaskedUnderDense, &["reading `masked_gradient` = "]),
        slip("eq2", "unmasked under `zero`", Fault::GUnmaskedUnderZero, &["reading `masked_gradient` = `dense`"])
            .with(|c| c.reading.set("masked_gradient", "zero")),
        slip("eq2", "unmasked under `excluded`", Fault::GUnmaskedUnderZero, &["reading `masked_gradient` = `dense`"])
            .with(|c| c.reading.set("masked_gradient", "excluded")),
        slip("eq2", "momentum for gradients", Fault::GOfMomentum, &["momentum"]),
        slip("eq2", "a moving average", Fault::GMovingAverage, &["average"]),
        slip("eq2", "the square root is taken", Fault::GRoot, &["root"]),
        slip("eq2", "gradients times the learning rate", Fault::GTimesRate, &["learning rate", "lr"]),
        slip("eq2", "one parameter is left out", Fault::GMissesParameter, &["never accumulated", "parameter", "zero"]),
        slip("eq2", "the previous epoch's", Fault::GStale, &["previous epoch", "stale"]),
        slip("eq2", "gradients are clipped first", Fault::GOfClipped, &["clipped to a norm of 0.750"])
            .with(|c| c.optimizer.clip = Some(Clip::Norm(0.75))),
        slip("eq2", "entries are clamped first", Fault::GOfClipped, &["clamped to 0.0625", "clamped to 6.25e-2"])
            .with(|c| c.optimizer.clip = Some(Clip::Value(0.0625))),
        slip("eq2", "a loss scale is not divided out", Fault::GOfScaledLoss, &["1024 times those recorded"]),
        slip("eq2", "a penalty without 1/2 is in the loss", Fault::GOfPenaltyWithoutHalf, &["without 1/2"])
            .with(|c| c.hyper.weight_decay = 0.01),
        undeclared(
            "eq2",
            "weight decay is in the gradient",
            |c| c.reading.set("gradient", "loss+decay"),
            &["reading `gradient` = `loss+decay`"],
        )
        .with(|c| c.hyper.weight_decay = 0.01),
        undeclared(
            "eq2",
            "weight decay is not in the gradient",
            |c| c.reading.set("gradient", "loss"),
            &["reading `gradient` = `loss`"],
        )
        .with(|c| {
            c.hyper.weight_decay = 0.01;
            c.reading.set("gradient", "loss+decay");
        }),
    ]
}

fn sum() -> Vec<Case> {
    vec![
        slip("eq3", "G is squared again", Fault::SquareSumSquaresTwice, &["twice", "squared", "g^2"]),
        slip("eq3", "the first parameter alone", Fault::SquareSumOfFirstParameter, &["alone", "parameter"]),
        slip("eq3", "the last batch alone", Fault::SquareSumOfLastBatch, &["last batch"]),
        slip("eq3", "biases are counted", Fault::SquareSumCountsBiases, &["bias", "prunable"]),
        slip("eq3", "mean over weights", Fault::SquareSumMeanOverWeights, &["mean"]),
        slip("eq3", "mean over batches", Fault::SquareSumMeanOverBatches, &["mean"]),
        slip("eq3", "roots are summed", Fault::SquareSumOfRoots, &["root"]),
        slip("eq3", "the largest G", Fault::SquareSumMaximum, &["maximum", "largest"]),
        slip("eq3", "the previous epoch's", Fault::SquareSumStale, &["previous epoch", "stale"]),
        slip("eq3", "not reset between epochs", Fault::SquareSumNotReset, &["reset"]),
    ]
}

fn norm() -> Vec<Case> {
    vec![
        slip("eq4", "no square root", Fault::NormWithoutRoot, &["root"]),
        slip("eq4", "the last batch alone", Fault::NormOfLastBatch, &["last batch"]),
        slip("eq4", "the batches' norms are summed", Fault::NormSumOfBatchNorms, &["norm"]),
        slip("eq4", "root of the mean over weights", Fault::NormRootMean, &["mean"]),
        slip("eq4", "root of the mean over batches", Fault::NormRootMeanOverBatches, &["number of batches", "mean"]),
        slip("eq4", "the logarithm of S_sq", Fault::NormIsLogarithm, &["logarithm"]),
        slip("eq4", "the L1 norm", Fault::NormIsL1, &["S_abs", "l1"]),
        slip("eq4", "the parameters' norms are summed", Fault::NormOfParameters, &["parameter", "layer"]),
        slip("eq4", "the previous epoch's", Fault::NormStale, &["previous epoch", "stale"]),
    ]
}

/// Arithmetic that the header does not tell.
fn arithmetic() -> Vec<Case> {
    vec![
        undeclared("eq1", "sums in bf16", |c| c.arithmetic.sums = Precision::Bf16, &["bf16", "bfloat16", "precision"]),
        undeclared("eq1", "sums in f32", |c| c.arithmetic.sums = Precision::F32, &["f32", "precision"])
            .only_in(&[Precision::F64]),
        undeclared(
            "alg1",
            "everything in bf16",
            |c| c.arithmetic.dtype = Precision::Bf16,
            &["bf16", "bfloat16", "precision"],
        )
        .only_in(&[Precision::F32]),
        undeclared(
            "eq2",
            "subnormal squares are flushed to 0",
            |c| c.arithmetic.ftz = true,
            &["subnormal", "flush", "ftz"],
        )
        .with(|c| tiny(c, false)),
    ]
}
