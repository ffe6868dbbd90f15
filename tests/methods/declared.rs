//! What methods declare: names that the choices know, each once, and defaults in their domains.

use gdstar::method::options::{Domain, Length, Options, Part, Value};
use gdstar::method::{DECLARED, METHODS, declared};
use std::collections::BTreeSet;

/// Every method that trains is declared, and found by its name.
#[test]
fn what_trains_is_declared() {
    for method in METHODS {
        assert!(std::ptr::eq(declared(method.entry().name).unwrap(), method.entry()), "{method}");
    }
    let names: BTreeSet<&str> = DECLARED.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), DECLARED.len(), "a name is given twice");
    assert!(declared("chase").is_none());
}

/// Keys and labels are there once, and every default is a value that may be given.
#[test]
fn options_hold_their_defaults() {
    for entry in DECLARED {
        let keys: BTreeSet<&str> = entry.options.iter().map(|option| option.key).collect();
        assert_eq!(keys.len(), entry.options.len(), "{}: a key is declared twice", entry.name);
        let labels: BTreeSet<&&str> = entry.labels.iter().collect();
        assert_eq!(labels.len(), entry.labels.len(), "{}: a label is there twice", entry.name);
        Options::of(entry).validate(entry).unwrap();
        for option in entry.options {
            let is_choice = matches!(option.domain, Domain::Choice(_));
            assert!(option.part != Part::Reading || is_choice, "{}: {} is no choice", entry.name, option.key);
            assert!(!option.help.is_empty());
        }
    }
}

/// A key stands for one set of choices: what a method leaves out of it, or puts first, the others know too.
#[test]
fn a_choice_has_the_same_names_everywhere() {
    use gdstar::choice::Choice;
    use gdstar::select::{count, cut, distribution, dumique, groups, path, schedule, score, structure, update};
    macro_rules! known { ($($Type:path),+) => { vec![$((<$Type as Choice>::KEY, <$Type as Choice>::NAMES)),+] } }
    let known = known![
        count::Count,
        count::Minimum,
        cut::Cut,
        cut::Ties,
        distribution::Distribution,
        distribution::ErkBudget,
        dumique::Select,
        dumique::DumiqueOrder,
        dumique::DumiqueCarry,
        path::Grid,
        path::Interpolation,
        path::BarrierOf,
        schedule::Clock,
        schedule::UpdateGrid,
        schedule::LastUpdate,
        schedule::DropSchedule,
        score::Score,
        score::Accumulate,
        groups::Groups,
        groups::Remainder,
        structure::Pick,
        structure::Rescale,
        structure::DepthOrigin,
        structure::RewardRule,
        update::UpdateOrder,
        update::InactiveMomentum,
        update::GrownMomentum,
        update::GrownWeights,
        update::Regrown,
        update::GrowFrom,
        update::DropRule,
        update::Gradual,
        update::DecompressMomentum,
        update::PenaltyRule,
        update::StartingWeights
    ];
    for (entry, option) in DECLARED.iter().flat_map(|entry| entry.options.iter().map(move |option| (entry, option))) {
        let Domain::Choice(names) = option.domain else { continue };
        let all = known.iter().find(|(key, _)| *key == option.key).unwrap_or_else(|| panic!("{}", option.key)).1;
        assert!(names.iter().all(|name| all.contains(name)), "{}: {} has {names:?}", entry.name, option.key);
    }
}

/// Lists, steps as epochs and shares: read from the command line, kept as they were given, resolved where the run's length is
/// known.
#[test]
fn values_are_read_and_resolved() {
    let run = Length { epochs: 4, steps_per_epoch: 25 };
    let steps = |text: &str| match Domain::StepList.parse("--compress-at", text).unwrap() {
        Value::List(values) => values.iter().map(|value| value.as_step(run).unwrap()).collect::<Vec<_>>(),
        other => panic!("{other}"),
    };
    assert_eq!(steps("7,2ep,50%,100%"), [7, 50, 50, 100]);
    let given = Domain::Steps { from: 1 }.parse("--update-every", "1ep").unwrap();
    assert_eq!((given.to_string(), given.as_step(run)), ("1ep".to_string(), Some(25)));
    for (domain, text) in [
        (Domain::Steps { from: 1 }, "0"),
        (Domain::Steps { from: 0 }, "3 ep"),
        (Domain::Steps { from: 0 }, "-1ep"),
        (Domain::Steps { from: 0 }, "NaN%"),
        (Domain::Share { zero: false }, "0"),
        (Domain::Share { zero: true }, "1.01"),
        (Domain::Share { zero: true }, "NaN"),
        (Domain::Size, "inf"),
        (Domain::Real, "NaN"),
        (Domain::Flags, "0,1,2"),
        (Domain::Shares, "0.5,,0.5"),
        (Domain::Counts, "1,-1"),
    ] {
        let error = domain.parse("--option", text).unwrap_err().to_string();
        assert!(error.contains("--option") && error.contains(&format!("`{text}`")), "{error}");
    }
}
