//! Planted problems: whatever subset is removed, renamed, misshapen or added, exactly that is named.

use super::{File, floats, read, whole};
use gdstar::Error;
use gdstar::error::StateDictMismatch;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What is done to one tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Kept,
    Removed,
    Renamed(&'static str),
    Misshapen,
}

/// A new name that is nearer to the old one than any other name of the network is: the shortest prefix.
fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Kept),
        1 => Just(Fate::Removed),
        1 => Just(Fate::Renamed("m.")),
        1 => Just(Fate::Renamed("_")),
        1 => Just(Fate::Misshapen),
    ]
}

fn sorted(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    names.into_iter().collect()
}

/// The names of the parameters and buffers that a file must have.
fn names() -> Vec<String> {
    whole().into_keys().filter(|name| !name.ends_with("num_batches_tracked")).collect()
}

/// The file with these fates, and what should be said of it: missing, misshapen, misnamed.
fn spoil(fates: &[Fate]) -> (File, [BTreeSet<String>; 3]) {
    let mut file = whole();
    let mut planted = [(); 3].map(|()| BTreeSet::new());
    for (name, fate) in names().into_iter().zip(fates) {
        let tensor = file[&name].clone();
        match fate {
            Fate::Kept => continue,
            Fate::Removed => planted[0].insert(name.clone()),
            Fate::Misshapen => planted[1].insert(name.clone()),
            Fate::Renamed(prefix) => planted[2].insert(format!("{prefix}{name} for {name}")),
        };
        file.remove(&name);
        match fate {
            Fate::Renamed(prefix) => file.insert(format!("{prefix}{name}"), tensor),
            Fate::Misshapen => file.insert(name, floats(&[tensor.shape.iter().sum::<usize>() + 5])),
            _ => None,
        };
    }
    (file, planted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn exactly_the_planted_problems_are_named(
        fates in prop::collection::vec(fate(), names().len()),
        // No parameter has 4 entries, so that an extra tensor is no renamed one; without an i none is below `idle.`.
        extras in prop::collection::btree_set("[a-h]{1,8}[.](weight|bias|running_mean)", 0..4),
    ) {
        let (mut file, [missing, misshapen, misnamed]) = spoil(&fates);
        let extras: BTreeSet<String> = extras.into_iter().filter(|name| !file.contains_key(name) && !names().contains(name)).collect();
        extras.iter().for_each(|name| { file.insert(name.clone(), floats(&[4])); });
        match read(&file) {
            Ok(_) => prop_assert!([missing, misshapen, misnamed, extras].iter().all(BTreeSet::is_empty)),
            Err(Error::StateDict { mismatch, .. }) => {
                let StateDictMismatch { missing: a, unexpected: b, misshapen: c, misnamed: d, .. } = *mismatch;
                prop_assert_eq!(sorted(a), missing);
                prop_assert_eq!(sorted(b), extras);
                prop_assert_eq!(sorted(c.into_iter().map(|m| m.name)), misshapen);
                prop_assert_eq!(sorted(d.into_iter().map(|m| format!("{} for {}", m.found, m.expected))), misnamed);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
