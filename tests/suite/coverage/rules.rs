//! A method's file is its declaration, which is data, and its rule, which is short: what has a name of its own (an agent, a search, a
//! check of options) has a file of its own, in the method's folder.

use crate::documents::root;
use gdstar::method::METHODS;

/// Lines of code that a rule has at most; most have half of it.
const RULE: usize = 85;
/// GDSTAR's own, which is the equations of the whole paper.
const GDSTAR: usize = 150;

/// How many lines of a method's file are its rule: those outside of comments, of `use` and `mod`, and of declarations.
fn lines_of_rule(text: &str) -> usize {
    let (mut lines, mut end): (_, Option<&[&str]>) = (0, None);
    for line in text.lines() {
        let bare = line.trim();
        if let Some(ends) = end {
            let is_last =
                ends.iter().any(|last| if *last == ";" { bare.ends_with(last) } else { line.starts_with(last) });
            end = end.filter(|_| !is_last);
            continue;
        }
        if bare.is_empty() || bare.starts_with("//") || bare.starts_with("#[") {
            continue;
        }
        let item = ["pub(super) ", "pub "].iter().find_map(|own| line.strip_prefix(own)).unwrap_or(line);
        let ends: &[&str] = match item.split(' ').next() {
            Some("use" | "mod") => &[";"],
            Some("static") => &["};", "];", "});"],
            Some("const") if !item.starts_with("const fn") => &["};", "];", "});"],
            _ => {
                lines += 1;
                continue;
            }
        };
        end = (!bare.ends_with(';') && !bare.ends_with('}')).then_some(ends);
    }
    lines
}

#[test]
fn a_methods_rule_is_short() {
    for method in METHODS {
        let name = method.entry().name.replace('-', "_");
        let text = std::fs::read_to_string(root().join(format!("src/method/{name}.rs"))).unwrap();
        let (lines, most) = (lines_of_rule(&text), if name == "gdstar" { GDSTAR } else { RULE });
        assert!(lines <= most, "src/method/{name}.rs: a rule of {lines} lines, {most} at most: give its parts files");
    }
}

#[test]
fn declarations_and_comments_are_no_rule() {
    let text = "//! A method.\n\nuse super::{\n    A,\n    B,\n};\n\npub static ENTRY: Entry = Entry {\n    a: 1,\n    ..Entry::new()\n};\n\
                const N: usize = 3;\n\n/// A rule.\nconst fn rule() -> usize {\n    N\n}\n";
    assert_eq!(lines_of_rule(text), 3);
}
