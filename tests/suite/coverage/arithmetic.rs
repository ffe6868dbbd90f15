//! Arithmetic on arrays goes through named kernels, and threads through one module: what a back end has to provide is what
//! `KERNELS` lists. A file that forms numbers of arrays elsewhere, or has threads of its own, is in the lists here with its reason.

use crate::documents::root;
use std::collections::BTreeSet;
use std::path::Path;

/// Folders whose business arithmetic is, or that train nothing.
const OUTSIDE: &[(&str, &str)] = &[
    ("kernel", "the kernels"),
    ("scalar", "what a number is"),
    ("paper", "the equations in the paper's symbols, over kernels; the oracle's exact sums, one weight at a time"),
    ("oracle", "judges in 31 digits, with bounds: the same code on two back ends would prove nothing of either"),
    ("report", "numbers of reports"),
    ("explain", "numbers of reports"),
    ("cli", "numbers of reports"),
];

const DEFINITION: &str = "its definition or its derivative in 31 digits, by which kernels are judged";
const MAGNITUDE: &str = "what rounding errors are measured by";
const COUNT: &str = "a count";

/// Files with arithmetic on arrays that is no kernel's.
const ALLOWED: &[(&str, &str)] = &[
    ("data/image_folder/memory.rs", COUNT),
    ("experiment/lmc/statistics.rs", "one division a running statistic, between runs"),
    ("method/amc/agent.rs", "what is wanted of the 64 values of a batch, each by its transition"),
    ("method/amc/mlp.rs", "Adam of an agent's two perceptrons, in f64 whatever trains: no weight of the network's"),
    ("nn/layer.rs", COUNT),
    ("ops/avg_pool2d.rs", DEFINITION),
    ("ops/batch_norm/definition.rs", DEFINITION),
    ("ops/batch_norm/magnitude.rs", MAGNITUDE),
    ("ops/cross_entropy.rs", DEFINITION),
    ("ops/dropout.rs", DEFINITION),
    ("ops/global_mean.rs", DEFINITION),
    ("ops/magnitude.rs", MAGNITUDE),
    ("ops/matmul.rs", DEFINITION),
    ("select/dumique.rs", "an estimate that moves at every weight, in order: no two weights can be taken side by side"),
    ("train/lab.rs", "the same numbers, as dual ones"),
];

/// Files that ask the threads' library for something.
const THREADS: &[(&str, &str)] =
    &[("cli/mod.rs", "makes the threads that `--threads` asks for"), ("kernel/share.rs", "shares work out")];

/// What maps or folds arrays element by element.
const ELEMENTWISE: &[&str] =
    &["mapv(|", "mapv_inplace", "map_collect", "zip_mut_with", "Zip::from", "azip!", "fold(S::", "vectorised"];

/// Whether the line writes a number through a reference: `*x += y`, `*x = if ..`, `*x = a * b`.
fn writes_a_number(line: &str) -> bool {
    let is_of_numbers = |value: &str| {
        value.starts_with("if ") || ["S::", " + ", " - ", " * ", " / "].iter().any(|part| value.contains(part))
    };
    [" += ", " -= ", " *= ", " /= ", " = "].iter().any(|operator| {
        line.split_once(operator).is_some_and(|(place, value)| {
            let place = place.rsplit([' ', '(', '|', '{']).next().unwrap_or_default();
            let name = place.strip_prefix('*').unwrap_or_default();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.".contains(c));
            is_name && value.trim() != "1;" && (*operator != " = " || is_of_numbers(value))
        })
    })
}

/// Whether the line forms numbers of arrays.
fn is_arithmetic(line: &str) -> bool {
    let maps_numbers = line.contains(".iter()")
        && line.contains(".map(|")
        && [".abs()", ".sqrt()", "narrow("].iter().any(|function| line.contains(function));
    ELEMENTWISE.iter().any(|part| line.contains(part)) || maps_numbers || writes_a_number(line)
}

/// The files below `src` that have such a line outside of comments, by their paths.
fn files_with(has: fn(&str) -> bool) -> BTreeSet<String> {
    fn visit(folder: &Path, found: &mut Vec<(std::path::PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let (source, mut files) = (root().join("src"), Vec::new());
    visit(&source, &mut files);
    let is_found = |text: &str| text.lines().any(|line| !line.trim_start().starts_with("//") && has(line));
    let name = |path: &Path| path.strip_prefix(&source).unwrap().to_str().unwrap().replace('\\', "/");
    files.iter().filter(|(_, text)| is_found(text)).map(|(path, _)| name(path)).collect()
}

fn listed(list: &[(&str, &str)]) -> BTreeSet<String> {
    assert!(list.iter().all(|(_, reason)| !reason.is_empty()));
    list.iter().map(|(file, _)| file.to_string()).collect()
}

/// What stands in a file that has no reason to is a kernel's business; what is listed and has none any more is struck out.
#[test]
fn numbers_of_arrays_are_formed_by_kernels() {
    let is_outside = |file: &String| OUTSIDE.iter().any(|(folder, _)| file.starts_with(&format!("{folder}/")));
    let mut found = files_with(is_arithmetic);
    found.retain(|file| !is_outside(file) && file != "explain.rs");
    assert_eq!(found, listed(ALLOWED));
}

#[test]
fn one_module_shares_work_over_threads() {
    let asks = |line: &str| ["rayon::", "par_iter", "par_chunks"].iter().any(|part| line.contains(part));
    assert_eq!(files_with(asks), listed(THREADS));
}

/// The lines that the first test is there for, and such that it lets pass.
#[test]
fn arithmetic_is_told_from_the_rest() {
    for line in [
        "living.iter_mut().zip(mask).for_each(|(g, _)| *g = S::ZERO);",
        "*w = if tracked { *w } else { reset };",
        "self.moves.iter_mut().for_each(|g| *g = eta * *g);",
        "sum.zip_mut_with(&moved, |sum, &moved| *sum += moved);",
        "values.iter().map(|w| w.abs()).collect()",
        "*m = BETAS[0] * *m + g;",
    ] {
        assert!(is_arithmetic(line), "{line}");
    }
    for line in [
        "*taken += 1;",
        "*array = array.as_standard_layout().into_owned();",
        "let value = stored.mapv(S::from_f64);",
        "let product = a * b;",
    ] {
        assert!(!is_arithmetic(line), "{line}");
    }
}
