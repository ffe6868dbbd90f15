//! Alg. 4.

use super::super::port::{Config, Fault, Method};
use super::super::variants::{resets, rewinds_at_random, with_ties};
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    [minimum(), epoch(), weights(), reset(), random_rewind()].concat()
}

fn minimum() -> Vec<Case> {
    vec![
        slip(
            "alg4",
            "m is never updated",
            Fault::MinimumNotUpdated,
            &["m was not updated", "never updated", "not updated"],
        ),
        slip("alg4", "m starts at 0", Fault::MinimumStartsFinite, &["finite", "start", "initial"]),
        slip("alg4", "m holds S_sq", Fault::MinimumOfSquareSum, &["S_sq"]),
        slip("alg4", "m holds S_abs", Fault::MinimumOfAbs, &["S_abs"]),
        slip("alg4", "m is the previous epoch's S_F", Fault::MinimumIsPrevious, &["every epoch", "previous"]),
        slip("alg4", "m is recorded after the update", Fault::MinimumRecordedAfter, &["after"]),
        slip("alg4", "<= for <", Fault::MinimumOrEqual, &["<="]).with(with_ties),
        slip("alg4", "> for <", Fault::MinimumGreater, &["W_0", ">"]),
    ]
}

fn epoch() -> Vec<Case> {
    vec![
        slip("alg4", "k* is one early", Fault::RewindEpochMinusOne, &["k-1", "off by one", "one early"])
            .with(|c| c.reading.set("epoch_origin", "1")),
        slip("alg4", "k* is one late", Fault::RewindEpochPlusOne, &["k+1", "off by one", "one late"]),
        slip("alg4", "k* is always k", Fault::RewindEpochAlwaysK, &["every epoch", "always"]),
        slip("alg4", "k* stays 0 and W_k* stays W_0", Fault::RewindEpochNever, &["never", "W_0", "reset"]),
    ]
}

fn weights() -> Vec<Case> {
    vec![
        undeclared(
            "alg4",
            "W_k* is captured after pruning",
            |c| c.reading.set("rewind_update", "after-pruning"),
            &["reading `rewind_update` = `after-pruning`"],
        ),
        undeclared(
            "alg4",
            "W_k* is captured before pruning",
            |c| c.reading.set("rewind_update", "before-pruning"),
            &["reading `rewind_update` = `before-pruning`"],
        )
        .with(|c| c.reading.set("rewind_update", "after-pruning")),
        undeclared(
            "alg4",
            "W_k* is the live weights",
            |c| c.reading.set("rewind_copy", "alias"),
            &["reading `rewind_copy` = `alias`"],
        ),
        slip("alg4", "W_k* is always W_0", Fault::RewindIsInitial, &["W_0"]),
        slip(
            "alg4",
            "W_k* is captured once only",
            Fault::RewindOnlyFirst,
            &["not updated", "never updated", "first", "stale"],
        ),
        slip("alg4", "W_k* is from the start of the epoch", Fault::RewindOfEpochStart, &["start", "previous"]),
        slip(
            "alg4",
            "one parameter of W_k* is not captured",
            Fault::RewindMissesParameter,
            &["not updated", "parameter", "stale", "W_0"],
        ),
        slip("alg4", "W_k* is negated", Fault::RewindNegated, &["sign"]),
        slip("alg4", "W_k* is masked by later eliminations", Fault::RewindMaskedLater, &["mask"]),
        slip("alg4", "W_k* is decayed in place", Fault::RewindDecayedInPlace, &["decay", "in place"]),
    ]
}

/// A port of *reset* that does something else.
fn reset() -> Vec<Case> {
    fn from_1(config: &mut Config) {
        resets(config);
        config.reading.set("epoch_origin", "1");
    }
    vec![
        undeclared("alg4", "reset: k* follows Alg. 4", |c| c.method = Method::Gdstar, &["`method` = `gdstar`"])
            .with(from_1),
        undeclared("alg4", "reset: W_k* follows Alg. 4", |c| c.method = Method::Gdstar, &["captured"]).with(resets),
        undeclared("alg4", "reset: k* moves at random", rewinds_at_random, &["captured", "k* moves"]).with(resets),
        slip("alg4", "reset: k* is the first epoch's number", Fault::ResetToFirstNumber, &["first epoch"]).with(from_1),
        slip("alg4", "reset: W_0 is masked by later eliminations", Fault::RewindMaskedLater, &["mask"]).with(resets),
        slip("alg4", "reset: W_0 is decayed in place", Fault::RewindDecayedInPlace, &["decay", "in place"])
            .with(resets),
    ]
}

/// A port of *random rewind* that does something else.
fn random_rewind() -> Vec<Case> {
    let with = |case: Case| case.with(rewinds_at_random);
    [
        slip("alg4", "random rewind: <= for <", Fault::DrawOrEqual, &["<="]),
        slip("alg4", "random rewind: > for <", Fault::DrawGreater, &[">"]),
        slip("alg4", "random rewind: 1 - draw for draw", Fault::DrawOfOneMinus, &["1 - draw"]),
        slip("alg4", "random rewind: the previous epoch's draw", Fault::DrawStale, &["stale"]),
        slip("alg4", "random rewind: k* follows Alg. 4", Fault::DrawIgnored, &["`method` = `gdstar`", "captured"]),
        slip("alg4", "random rewind: k* never moves", Fault::RewindEpochNever, &["`method` = `reset`"]),
        undeclared(
            "alg4",
            "random rewind: another probability",
            |c| {
                if let Method::RandomRewind { probability, .. } = &mut c.method {
                    *probability = 0.875;
                }
            },
            &["another"],
        ),
        slip("alg4", "random rewind: W_k* is always W_0", Fault::RewindIsInitial, &["W_0"]),
        slip("alg4", "random rewind: W_k* is negated", Fault::RewindNegated, &["sign"]),
        slip(
            "alg4",
            "random rewind: W_k* is from the start of the epoch",
            Fault::RewindOfEpochStart,
            &["start", "previous"],
        ),
    ]
    .into_iter()
    .map(with)
    .collect()
}
