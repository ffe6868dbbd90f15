//! What `gdstar methods` lists is what methods declare, and the documentation's table of choices is made of it.

use gdstar::method::options::Domain;
use gdstar::method::{Choices, DECLARED, METHODS};
use gdstar::oracle::{KnownMistake, known_mistakes};
use serde_json::Value;
use std::process::{Command, Output};

pub fn gdstar(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gdstar")).args(words).output().unwrap()
}

fn stdout(words: &[&str]) -> String {
    let output = gdstar(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_method_has_its_five_choices() {
    for entry in DECLARED {
        assert!(entry.choices.five().iter().all(|choice| !choice.is_empty()), "{}", entry.name);
    }
}

/// A method is listed in one line, under the name of its file.
#[test]
fn every_method_is_listed_in_one_line() {
    let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/method.rs")).unwrap();
    let (_, list) = text.split_once("\nmethods! {\n").unwrap();
    let lines = list.lines().take_while(|line| *line != "}").filter(|line| !line.trim_start().starts_with("//"));
    let listed: Vec<String> =
        lines.map(|line| line.rsplit(' ').next().unwrap().trim_end_matches([',', ';']).replace('_', "-")).collect();
    assert_eq!(listed, DECLARED.iter().map(|entry| entry.name).collect::<Vec<_>>());
    for name in listed {
        let elsewhere = [format!("mod {};", name.replace('-', "_")), format!("{}::ENTRY", name.replace('-', "_"))];
        assert!(!elsewhere.iter().any(|line| text.contains(line)), "{name} is named outside of its line");
    }
}

#[test]
fn the_list_and_every_method_are_told_in_80_columns() {
    let list = stdout(&["methods"]);
    let mut texts = vec![list.clone()];
    for entry in DECLARED {
        assert!(list.lines().any(|line| line.starts_with(&format!("{} ", entry.name))), "{}", entry.name);
        let told = stdout(&["methods", entry.name]);
        assert!(told.contains(entry.source.split(' ').next().unwrap()), "{told}");
        for option in entry.options {
            assert!(told.contains(&option.option()), "{}: {}", entry.name, option.key);
        }
        for label in entry.labels {
            assert!(told.contains(&format!("{}.{label}", entry.name)), "{}: {label}", entry.name);
        }
        texts.push(told);
    }
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn json_has_what_is_declared() {
    let all: Vec<Value> = serde_json::from_str(&stdout(&["methods", "--json"])).unwrap();
    assert_eq!(all.len(), DECLARED.len());
    for (value, entry) in all.iter().zip(DECLARED) {
        assert_eq!(value["name"], entry.name);
        let count = |key: &str| value[key].as_array().unwrap().len();
        assert_eq!(count("hyper") + count("reading") + count("run"), entry.options.len());
        assert_eq!(count("labels"), entry.labels.len());
        assert_eq!(value["choices"].as_object().unwrap().len(), Choices::NAMES.len());
        for reading in value["reading"].as_array().unwrap() {
            let option = entry.options.iter().find(|option| option.key == reading["key"]).unwrap();
            let Domain::Choice(names) = option.domain else { panic!("{}", option.key) };
            assert_eq!(reading["values"].as_array().unwrap().len(), names.len());
            assert_eq!(reading["values"][0], reading["default"], "the default comes first");
        }
    }
    let one: Value = serde_json::from_str(&stdout(&["methods", "rigl", "--json"])).unwrap();
    assert!(all.contains(&one));
    assert!(
        METHODS
            .iter()
            .all(|method| all.iter().any(|value| { value["command"] == format!("gdstar train --method {method}") }))
    );
}

#[test]
fn a_method_that_is_none_is_refused_in_a_line() {
    let output = gdstar(&["methods", "chase"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len(), told.lines().count()), (Some(2), 0, 1), "{told}");
    assert!(told.contains("`chase`") && told.contains("rigl"), "{told}");
}

/// `docs/methods.md` has the table; `GDSTAR_BLESS=1` writes it anew.
#[test]
fn the_documented_table_is_what_methods_declare() {
    const BEGIN: &str = "<!-- choices -->\n";
    const END: &str = "<!-- end of choices -->\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/methods.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (documented, after) = rest.split_once(END).unwrap();
    let mut table = format!("| method | {} |\n|---|---|---|---|---|---|\n", Choices::NAMES.join(" | "));
    for entry in DECLARED {
        let cells = entry.choices.five().map(|cell| cell.replace('|', "\\|").replace('*', "\\*"));
        table += &format!("| `{}` | {} |\n", entry.name, cells.join(" | "));
    }
    if std::env::var_os("GDSTAR_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(documented, table, "run with GDSTAR_BLESS=1");
    }
}

/// The chapters of `docs/methods/` name the mistakes that the oracle knows, by the label that finds each, in its words;
/// `GDSTAR_BLESS=1` writes them anew.
#[test]
fn every_chapter_has_the_methods_mistakes() {
    const BEGIN: &str = "<!-- mistakes -->\n";
    const END: &str = "<!-- end of mistakes -->\n";
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in DECLARED.iter().filter(|entry| root.join(golden(entry.name)).exists() && !entry.labels.is_empty()) {
        let chapter = if entry.name == "lth" { "lottery" } else { entry.name };
        let path = root.join(format!("docs/methods/{chapter}.md"));
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).expect(entry.name);
        let (documented, after) = rest.split_once(END).expect(entry.name);
        let mut known: Vec<KnownMistake> = Vec::new();
        for file in goldens(&root.join("golden/methods"), entry.name) {
            for mistake in known_mistakes(&file).unwrap() {
                if !known.iter().any(|other| other.told == mistake.told) {
                    known.push(mistake);
                }
            }
        }
        assert!(known.len() >= 5, "{}: {known:?}", entry.name);
        // A first mask is drawn once: what is wrong with every selection is told where the method selects.
        let is_of_start = |label: &str| ["distribution", "init"].iter().any(|own| label.ends_with(&format!(".{own}")));
        let row = |mistake: &KnownMistake| {
            mistake.labels.iter().copied().find(|label| !is_of_start(label)).unwrap_or(mistake.labels[0])
        };
        let mut table = "| found at | as `gdstar check` names it |\n|---|---|\n".to_string();
        for label in ["distribution", "init", "carry"].iter().chain(entry.labels) {
            let label = format!("{}.{label}", entry.name);
            let own = known.iter().filter(|mistake| row(mistake) == label);
            let told: Vec<String> = own.map(|mistake| mistake.told.replace('|', "\\|")).collect();
            if !told.is_empty() {
                table += &format!("| `{label}` | {} |\n", told.join("<br>"));
            }
        }
        let rows = known.iter().filter(|mistake| table.contains(&mistake.told.replace('|', "\\|"))).count();
        assert_eq!(rows, known.len(), "{}: every mistake has its place", entry.name);
        if std::env::var_os("GDSTAR_BLESS").is_some() {
            std::fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
        } else {
            assert_eq!(
                documented, table,
                "{}: GDSTAR_BLESS=1 cargo test --test methods listed:: rewrites it",
                entry.name
            );
        }
    }
}

fn golden(method: &str) -> String {
    format!("golden/methods/{method}.safetensors")
}

/// The golden traces of a method, under the default readings and under others.
fn goldens(folder: &std::path::Path, method: &str) -> Vec<std::path::PathBuf> {
    let is_own = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.strip_prefix(method).is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let mut all: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_own).collect();
    // The plain one first.
    all.sort_by_key(|path| path.to_string_lossy().len());
    all
}
