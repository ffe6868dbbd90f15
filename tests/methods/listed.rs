//! What `gdstar methods` lists is what methods declare, and the documentation's table of choices is made of it.

use gdstar::method::options::Domain;
use gdstar::method::{Choices, DECLARED, METHODS};
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
