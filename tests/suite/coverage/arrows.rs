//! Arrows run down: a module of the library uses what lies below it, and no two parts of a module use each other in a
//! circle. The order of the house is the list in the library's front page.

mod source;

use crate::documents::root;
use source::House;
use std::collections::{BTreeMap, BTreeSet};

/// Arrows that are there and should not be: from a part, to a part, why. A part is a file with the folder of its name.
const ALLOWED: &[(&str, &str, &str)] =
    &[("kernel/order", "kernel/flat", "a copy in another order is shared out over threads as any other loop is")];

/// What uses what among the parts of one module, each arrow with a file that has it.
type Arrows = BTreeMap<(String, String), String>;

/// Of all modules, by their path: their parts' arrows but the allowed ones.
fn arrows(house: &House) -> BTreeMap<String, Arrows> {
    let mut all: BTreeMap<String, Arrows> = BTreeMap::new();
    for (from, to) in house.arrows() {
        let (a, b): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
        let common = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
        // A module may know its parts, and its parts the words that it defines for all of them.
        if common == a.len() || common == b.len() {
            continue;
        }
        let part = |path: &[&str]| path[..=common].join("/");
        all.entry(a[..common].join("/")).or_default().entry((part(&a), part(&b))).or_insert_with(|| from.clone());
    }
    all
}

/// The arrows but the allowed ones.
fn forbidden(arrows: &Arrows) -> Arrows {
    let is_allowed = |from: &str, to: &str| ALLOWED.iter().any(|&(a, b, _)| (a, b) == (from, to));
    arrows
        .iter()
        .filter(|((from, to), _)| !is_allowed(from, to))
        .map(|(arrow, file)| (arrow.clone(), file.clone()))
        .collect()
}

/// The parts that lie on a circle: what is left when all those are taken away, again and again, that use nothing that is
/// left, or that nothing uses that is left.
fn circle(mut arrows: Arrows) -> Arrows {
    loop {
        let (users, used): (BTreeSet<String>, BTreeSet<String>) = arrows.keys().cloned().unzip();
        let before = arrows.len();
        arrows.retain(|(from, to), _| used.contains(from) && users.contains(to));
        if arrows.len() == before {
            return arrows;
        }
    }
}

fn shown(arrows: &Arrows) -> String {
    arrows.iter().map(|((from, to), file)| format!("{from} -> {to} ({file})\n")).collect()
}

/// From the front page: the layer of each module of the crate, counted from below.
fn layers(front_page: &str) -> BTreeMap<String, usize> {
    let (_, house) = front_page.split_once("//! # The house\n").expect("the front page draws the house");
    let house = house.split("//! # ").next().unwrap();
    let rows = house.lines().filter(|line| line.starts_with("//! | [`"));
    let mut layers = BTreeMap::new();
    for (layer, row) in rows.enumerate() {
        for name in row.split('|').nth(1).unwrap().split(',') {
            let name = name.trim().trim_start_matches("[`").trim_end_matches("`]");
            assert_eq!(layers.insert(name.to_string(), layer), None, "{name} is on the front page twice");
        }
    }
    layers
}

#[test]
fn the_house_is_on_the_front_page() {
    let front_page = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let drawn: BTreeSet<String> = layers(&front_page).into_keys().collect();
    let built = front_page.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert_eq!(drawn, built.map(str::to_string).collect());
}

#[test]
fn modules_use_what_lies_below() {
    let house = House::read(&root().join("src"));
    let layers = layers(&std::fs::read_to_string(root().join("src/lib.rs")).unwrap());
    let mut upward = forbidden(&arrows(&house)[""]);
    upward.retain(|(from, to), _| layers[from] <= layers[to]);
    assert!(upward.is_empty(), "upward, or within a layer:\n{}", shown(&upward));
}

#[test]
fn no_parts_of_a_module_use_each_other_in_a_circle() {
    let all = arrows(&House::read(&root().join("src")));
    let circles: String = all.values().map(|arrows| shown(&circle(forbidden(arrows)))).collect();
    assert!(circles.is_empty(), "on circles:\n{circles}");
}

#[test]
fn every_allowed_arrow_is_there() {
    let all = arrows(&House::read(&root().join("src")));
    for &(from, to, _) in ALLOWED {
        let arrow = (from.to_string(), to.to_string());
        assert!(all.values().any(|arrows| arrows.contains_key(&arrow)), "{from} -> {to} is gone: take it off the list");
    }
}

/// The reader finds an arrow in each form in which Rust has one, and follows it to where the name is defined.
#[test]
fn arrows_are_found_in_every_form() {
    let house = House::of([
        ("", "pub mod a; pub mod b; pub use b::Thing;"),
        (
            "a",
            "pub mod c; use crate::b::{self, deep::{One, Two as Other}};\n// use crate::commented::Out;\nfn f() { b::g() }",
        ),
        ("a/c", "use super::super::b::deep::*; fn f() -> crate::Thing { crate::b::Thing }"),
        ("b", "mod deep; mod d; pub use deep::One; pub use d::*; pub fn g() { deep::h(); super::a::f() }"),
        ("b/deep", "pub struct One; pub struct Two; use super::Thing;"),
        ("b/d", "pub struct Thing;"),
    ]);
    let found: BTreeSet<(String, String)> = house.arrows().collect();
    let expected = [
        ("a", "b"),
        ("a", "b/deep"),
        ("a/c", "b/deep"),
        ("a/c", "b/d"),
        ("b", "b/deep"),
        ("b", "a"),
        ("b/deep", "b/d"),
    ];
    assert_eq!(found, expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect());
    let upward = arrows(&house);
    assert_eq!(shown(&circle(upward[""].clone())), "a -> b (a)\nb -> a (b)\n");
    assert_eq!(shown(&circle(upward["b"].clone())), "");
}
