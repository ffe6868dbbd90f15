//! Alg. 4.

use super::super::port::Fault;
use super::super::variants::with_ties;
use super::{Case, slip, undeclared};

pub fn cases() -> Vec<Case> {
    [minimum(), epoch(), weights()].concat()
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
