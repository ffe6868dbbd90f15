//! The paper's equations on cases small enough to work out by hand, and on the paper's own numbers.
//!
//! Each check is a function of the equation's implementation, so that `faults` can hand it a wrong one.

pub mod cost;
pub mod decay;
pub mod gradient_norm;
pub mod quantile;
pub mod rewind;
pub mod schedule;
pub mod selection;
pub mod structured;

use gdstar::paper::reading::{CHOICES, Reading};
use gdstar::paper::{EQUATIONS, Hyperparameters};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(&path)).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

/// Every `.rs` file of the named files and folders under the root, as one text.
fn sources(paths: &[&str]) -> String {
    let mut text = String::new();
    for path in paths {
        if path.ends_with(".rs") {
            text += &read(path);
            continue;
        }
        for entry in fs::read_dir(root().join(path)).unwrap() {
            let entry = entry.unwrap().path();
            if entry.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(entry).unwrap();
            }
        }
    }
    text
}

/// The function's own name: the last part of its path.
fn name(function: &str) -> &str {
    function.rsplit("::").next().unwrap()
}

#[test]
fn every_equation_is_a_public_function_where_the_list_says() {
    for equation in EQUATIONS {
        let file = equation.function.split("::").next().unwrap();
        let mut text = read(format!("src/paper/{file}.rs"));
        if root().join(format!("src/paper/{file}")).is_dir() {
            text += &sources(&[&format!("src/paper/{file}")]);
        }
        let definition = format!("pub fn {}", name(equation.function));
        assert!(text.contains(&definition), "{}: no `{definition}` in src/paper/{file}", equation.number);
        assert!(text.contains(equation.number), "{}: src/paper/{file} does not name it", equation.number);
    }
}

#[test]
fn every_equation_has_a_compiled_chapter_with_an_example_that_calls_it() {
    let (compiled, table) = (read("src/paper/chapters.rs"), read("src/paper/mod.rs"));
    for equation in EQUATIONS {
        let chapter = read(format!("docs/equations/{}", equation.chapter));
        let example = chapter.split("```rust").nth(1).unwrap_or_else(|| panic!("{}: no example", equation.chapter));
        assert!(example.contains(&format!("{}(", name(equation.function))), "{}: not called", equation.chapter);
        let module = equation.chapter.strip_suffix(".md").unwrap();
        assert!(compiled.contains(module), "{} is not compiled", equation.chapter);
        assert!(table.contains(&format!("[`{}`]", equation.function)), "{}: not in the table", equation.number);
        assert!(table.contains(&format!("[{module}](chapters::{module})")), "{}: no link", equation.chapter);
    }
}

#[test]
fn every_equation_is_named_by_an_exact_case_and_by_a_property_or_a_planted_fault() {
    let cases = sources(&["tests/suite/equations"]);
    let proofs = sources(&["tests/suite/properties", "tests/suite/faults/equations"]);
    for equation in EQUATIONS {
        for (kind, text) in [("exact case", &cases), ("property or fault", &proofs)] {
            assert!(text.contains(name(equation.function)), "{}: no {kind} names it", equation.number);
        }
    }
}

/// GitHub's anchor of a heading: lower case, punctuation dropped, spaces to dashes.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn links_into_the_open_points_lead_to_a_heading() {
    let page = read("docs/open-points.md");
    let anchors: Vec<String> = page.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let mut texts = vec![page.replace("](#", "](open-points.md#")];
    texts.extend(EQUATIONS.iter().map(|equation| read(format!("docs/equations/{}", equation.chapter))));
    for link in texts.iter().flat_map(|text| text.split("open-points.md#").skip(1)) {
        let target = link.split([')', '\n']).next().unwrap();
        assert!(anchors.iter().any(|anchor| anchor == target), "no heading for #{target}");
    }
}

#[test]
fn every_choice_of_a_reading_is_documented_with_its_default() {
    let page = read("docs/open-points.md");
    for (key, names) in CHOICES {
        let option = format!("`--{}`: **`{}`**", key.replace('_', "-"), names[0]);
        let entry = page.split(&option).nth(1).unwrap_or_else(|| panic!("no {option} in docs/open-points.md"));
        let entry = entry.split("\n\n").next().unwrap();
        for name in &names[1..] {
            assert!(entry.contains(&format!("`{name}`")), "--{key}: `{name}` is not documented");
        }
    }
    let fields = serde_json::to_value(Reading::default()).unwrap();
    assert_eq!(fields.as_object().unwrap().len(), CHOICES.len(), "a field of Reading is not in CHOICES");
}

#[test]
fn the_default_hyperparameters_are_those_of_section_4() {
    let paper = Hyperparameters { epochs: 300, alpha_0: 0.95, alpha_end: 0.25, lambda: 0.75, eps: 5.5e-5, chunks: 1 };
    assert_eq!(Hyperparameters::default(), paper);
    paper.validate().unwrap();
    let text = serde_json::to_string(&paper).unwrap();
    assert!(text.contains("\"alpha_K\":0.25"), "{text}");
    assert_eq!(serde_json::from_str::<Hyperparameters>(&text).unwrap(), paper);
}

#[test]
fn impossible_hyperparameters_name_the_option() {
    let paper = Hyperparameters::default();
    let cases = [
        (Hyperparameters { epochs: 0, ..paper }, "--epochs: expected at least 1, found 0"),
        (Hyperparameters { alpha_0: 0.0, ..paper }, "--alpha-0: expected a number in (0, 1), found 0"),
        (Hyperparameters { alpha_0: 1.0, ..paper }, "--alpha-0: expected a number in (0, 1), found 1"),
        (Hyperparameters { alpha_0: f64::NAN, ..paper }, "--alpha-0: expected a number in (0, 1), found NaN"),
        (Hyperparameters { alpha_end: -0.5, ..paper }, "--alpha-k: expected a number in (0, 1), found -0.5"),
        (Hyperparameters { lambda: 0.0, ..paper }, "--lambda: expected a number in (0, 1], found 0"),
        (Hyperparameters { lambda: 1.5, ..paper }, "--lambda: expected a number in (0, 1], found 1.5"),
        (Hyperparameters { eps: -1.0, ..paper }, "--eps: expected a finite number >= 0, found -1"),
        (Hyperparameters { eps: f64::INFINITY, ..paper }, "--eps: expected a finite number >= 0, found inf"),
        (Hyperparameters { chunks: 0, ..paper }, "--chunks: expected at least 1, found 0"),
    ];
    for (wrong, message) in cases {
        assert_eq!(wrong.validate().unwrap_err().to_string(), message);
    }
}
