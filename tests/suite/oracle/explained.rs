//! What is said of a finding where the trace has others of its claim: a cause is held against all of them.

use super::checked::verdict;
use super::port::{Fault, Precision, Trace, run};
use super::variants::standard;

/// The causes that a changed trace of a correct port is told, of one equation: each finding's, with its epoch.
fn causes(equation: &str, change: impl Fn(&mut Trace)) -> Vec<(usize, Option<String>)> {
    let config = standard(41, Precision::F32);
    let mut trace = run(&config, Fault::None);
    change(&mut trace);
    let report = verdict(&config, &trace).unwrap();
    let of = report.findings.iter().filter(|finding| finding.equation == equation);
    let told: Vec<_> = of.map(|finding| (finding.epoch.unwrap(), finding.likely_cause.clone())).collect();
    assert!(!told.is_empty(), "{equation} has no finding");
    told
}

fn f32_of(x: f64) -> f64 {
    f64::from(x as f32)
}

/// One number an epoch: a factor that all epochs share is told, also where each product is rounded; in one epoch any number is
/// some factor, and says nothing.
#[test]
fn a_factor_of_a_scalar_is_told_where_epochs_share_it() {
    let all = causes("eq8", |trace| trace.epochs.iter_mut().for_each(|epoch| epoch.alpha = f32_of(0.9 * epoch.alpha)));
    for (k, cause) in &all {
        let cause = cause.as_deref().unwrap_or_default();
        assert_eq!(cause, "every one is 0.900 times what is expected", "epoch {k}");
    }
    assert!(all.len() > 4, "{all:?}");
    let one = causes("eq8", |trace| trace.epochs[3].alpha = f32_of(0.9 * trace.epochs[3].alpha));
    assert_eq!(one, vec![(3, None)]);
}

/// Arrays in f32: the factor is told although each product was rounded.
#[test]
fn a_factor_of_rounded_products_is_told() {
    let told = causes("alg4", |trace| {
        let rewind = trace.epochs.iter_mut().flat_map(|epoch| &mut epoch.rewind).flatten();
        rewind.for_each(|w| *w = f32_of(1.3 * *w));
    });
    let cause = told[0].1.as_deref().unwrap_or_default();
    assert_eq!(cause, "every one is 1.300 times what is expected");
}

/// Two epochs with a mistake each: what explains one of them says of which, and which it does not explain.
#[test]
fn a_cause_that_fits_one_epoch_is_told_as_that() {
    let told = causes("eq8", |trace| {
        let alphas: Vec<f64> = trace.epochs.iter().map(|epoch| epoch.alpha).collect();
        trace.epochs[3].alpha = alphas[4];
        trace.epochs[6].alpha = alphas[5];
    });
    assert_eq!(told.len(), 2, "{told:?}");
    for ((k, cause), (own, ending)) in told
        .into_iter()
        .zip([("k+1", "(so in epoch 3, and not in epoch 6)"), ("k-1", "(so in epoch 6, and not in epoch 3)")])
    {
        let cause = cause.unwrap_or_default();
        assert!(cause.contains(own) && cause.contains(ending), "epoch {k}: {cause}");
    }
}

/// A schedule is constant where all of its numbers are one, and not where the last happens to be the first.
#[test]
fn what_is_said_of_all_epochs_holds_in_all_of_them() {
    let last = causes("eq8", |trace| {
        let first = trace.epochs[0].alpha;
        trace.epochs.iter_mut().last().unwrap().alpha = first;
    });
    assert!(!last[0].1.as_deref().unwrap_or_default().contains("constant"), "{last:?}");
    let all = causes("eq8", |trace| {
        let first = trace.epochs[0].alpha;
        trace.epochs.iter_mut().for_each(|epoch| epoch.alpha = first);
    });
    assert!(all[0].1.as_deref().unwrap_or_default().contains("constant"), "{all:?}");
}

/// What is stale has nothing to be stale of in the first epoch: it is told by all others.
#[test]
fn what_is_stale_is_told_from_the_second_epoch_on() {
    let told = causes("eq7", |trace| {
        let tau = 0.7 * trace.epochs[0].tau;
        trace.epochs.iter_mut().for_each(|epoch| epoch.tau = f32_of(tau));
    });
    assert!(told.len() > 3, "{told:?}");
    for (k, cause) in told {
        let cause = cause.unwrap_or_default();
        assert!(cause.contains("previous epoch") && cause.contains("(from epoch 1 on)"), "epoch {k}: {cause}");
    }
}

/// A number of the header that a port has otherwise, of which no list speaks.
#[test]
fn another_number_than_declared_is_told() {
    let declared = standard(41, Precision::F32);
    let mut actual = declared.clone();
    actual.hyper.eps *= 2.0;
    let report = verdict(&declared, &run(&actual, Fault::None)).unwrap();
    let told: Vec<_> = report.findings.iter().filter(|finding| finding.equation == "eq9").collect();
    assert!(!told.is_empty());
    for finding in told {
        let cause = finding.likely_cause.clone().unwrap_or_default();
        assert!(cause.contains("as `eps` = ") && cause.contains("twice"), "epoch {:?}: {cause}", finding.epoch);
    }
}
