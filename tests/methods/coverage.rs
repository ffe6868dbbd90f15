//! No method without its proofs: a chapter, steps by hand, exact steps, runs that resume, and faults that are found.

use super::goldens;
use super::oracle::planted::faults;
use gdstar::method::{DECLARED, METHODS};
use std::path::Path;

/// Where a method is proved.
struct Proof {
    method: &'static str,
    /// Of `docs/methods/`.
    chapter: &'static str,
    /// A test, as its file below `tests/` and its name, that has the chapter's table.
    by_hand: (&'static str, &'static str),
    /// A test that a run which was cut off goes on with the same bits.
    resume: (&'static str, &'static str),
}

/// Trains every method that LeNet can be trained with.
const EVERY_RUN: (&str, &str) = ("methods/runs", "a_resumed_run_is_the_same_bit_for_bit");

const fn proof(method: &'static str) -> Proof {
    Proof { method, chapter: method, by_hand: ("methods/by_hand", method), resume: EVERY_RUN }
}

const PROOFS: &[Proof] = &[
    Proof { by_hand: ("suite/training/dropback", "three_steps_by_hand"), ..proof("dropback") },
    Proof {
        by_hand: ("methods/layerdrop", "three_steps_by_hand"),
        resume: ("methods/layerdrop", "it_resumes_and_threads_change_nothing"),
        ..proof("layerdrop")
    },
    Proof {
        by_hand: ("methods/sdgp", "a_layer_by_hand"),
        resume: ("methods/sdgp", "it_resumes_and_threads_change_nothing"),
        ..proof("sdgp")
    },
    Proof {
        by_hand: ("methods/amc", "an_episode_by_hand"),
        resume: ("methods/amc", "it_resumes_and_threads_change_nothing"),
        ..proof("amc")
    },
    proof("procrustes"),
    proof("snip"),
    proof("grasp"),
    proof("gmp"),
    proof("set"),
    proof("rigl"),
    proof("granet"),
    proof("acdc"),
    proof("topkast"),
    Proof {
        chapter: "lottery",
        by_hand: ("methods/lottery", "three_levels_by_hand"),
        resume: ("methods/lottery", "a_killed_lottery_goes_on"),
        ..proof("lth")
    },
    Proof {
        by_hand: ("methods/lmc", "a_line_by_hand"),
        resume: ("methods/lmc", "a_killed_search_goes_on"),
        ..proof("lmc")
    },
];

/// The paper's own method and those that differ from it in Alg. 4 alone have no labels of steps: the suite proves them,
/// equation by equation. Of the latter there are exact runs beside.
const OF_EPOCHS: &[&str] = &["gdstar", "dense", "reset", "random-rewind", "fixed-rewind"];

const LEAST_FAULTS: usize = 8;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Whether this is a test that is run.
fn is_test((module, name): (&str, &str)) -> bool {
    let source = read(&format!("tests/{module}.rs"));
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(|line| line.trim_start().starts_with(&format!("fn {name}()")));
    at.is_some_and(|at| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
        let attributes: Vec<&&str> = above.collect();
        attributes.iter().any(|line| **line == "#[test]") && !attributes.iter().any(|line| line.contains("ignore"))
    })
}

#[test]
fn every_method_has_its_proofs() {
    let methods: Vec<&str> = DECLARED.iter().map(|entry| entry.name).filter(|name| !OF_EPOCHS.contains(name)).collect();
    let proved: Vec<&str> = PROOFS.iter().map(|proof| proof.method).collect();
    assert_eq!(proved, methods, "a method without its row here, or a row without its method");
    assert!(METHODS.iter().all(|method| DECLARED.iter().any(|entry| entry.name == method.entry().name)));
    let exact = goldens::stored();
    for relative in DECLARED.iter().filter(|entry| entry.is_traced && entry.name != "gdstar") {
        assert!(exact.contains(relative.name), "{}: no exact run in golden/methods", relative.name);
    }
    for Proof { method, chapter, by_hand, resume } in PROOFS {
        let text = read(&format!("docs/methods/{chapter}.md"));
        let has = |what: &str| text.contains(what);
        assert!(text.starts_with("# ") && has("## Mathematics") && has("## The code"), "{method}: no chapter");
        let rows = text.lines().filter(|line| line.starts_with('|')).count();
        assert!(rows >= 4, "{method}: its chapter has no table of steps");
        assert!(read("docs/methods.md").contains(&format!("methods/{chapter}.md")), "{method}: no link to its chapter");
        for test in [by_hand, resume] {
            assert!(is_test(*test), "{method}: no test {}.rs {}", test.0, test.1);
        }
        assert!(exact.contains(*method), "{method}: no exact steps in golden/methods");
        let faults = faults(method);
        assert!(faults >= LEAST_FAULTS, "{method}: {faults} planted faults, fewer than {LEAST_FAULTS}");
    }
}
