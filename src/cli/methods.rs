//! `gdstar methods [NAME]`.

use crate::console;
use crate::error::{Error, Result};
use crate::method::options::{Domain, Part};
use crate::method::{Choices, DECLARED, Entry, METHODS, MethodOption, declared};
use crate::report::{indented, wrapped};
use serde_json::{Map, Value, json};

/// List the sparse training methods, or one method's hyper-parameters, readings, labels and source.
///
/// A method is five choices: a score for every weight, a schedule, a distribution among layers, a structure, and what
/// becomes of weights, masks and momentum. Its readings are what published sources of it do differently; the first value of
/// each is what a run does unless it is told otherwise. `gdstar check` names what it finds in a trace by the labels.
#[derive(Debug, clap::Args)]
pub struct MethodsArgs {
    /// A method's name; all methods are listed without it
    name: Option<String>,
    /// One JSON object, or a list of all of them
    #[arg(long)]
    json: bool,
}

pub fn run(args: &MethodsArgs) -> Result<()> {
    match &args.name {
        Some(name) => {
            let names = || DECLARED.iter().map(|entry| entry.name).collect::<Vec<_>>().join(" | ");
            let entry = declared(name).ok_or_else(|| Error::domain("method", names(), format!("`{name}`")))?;
            if args.json { console::print_line(json(entry)) } else { console::print(described(entry)) }
        }
        None if args.json => console::print_line(Value::Array(DECLARED.iter().map(|entry| json(entry)).collect())),
        None => console::print(list()),
    }
}

/// The command that runs a method.
fn command(entry: &Entry) -> Option<String> {
    match entry.name {
        "lth" => Some("gdstar lottery".to_string()),
        "lmc" => Some("gdstar lmc".to_string()),
        name => {
            METHODS.iter().any(|method| method.entry().name == name).then(|| format!("gdstar train --method {name}"))
        }
    }
}

fn list() -> String {
    let row = |entry: &&Entry| indented(&format!("{:<15}{}", entry.name, entry.summary), 15);
    let rows: Vec<String> = DECLARED.iter().map(row).collect();
    format!("{}\n\n{}\n", rows.join("\n"), wrapped("With a method's name: its choices, options, labels and source."))
}

fn described(entry: &Entry) -> String {
    let mut lines = vec![wrapped(&format!("{}: {}", entry.name, entry.summary)), String::new()];
    lines.push(indented(&format!("{:<15}{}", "source", entry.source), 15));
    lines.extend(command(entry).map(|command| format!("{:<15}{command}", "command")));
    let choice = |(name, choice)| indented(&format!("{name:<15}{choice}"), 15);
    lines.extend(Choices::NAMES.into_iter().zip(entry.choices.five()).map(choice));
    if !entry.labels.is_empty() {
        lines.push(indented(&format!("{:<15}{}", "labels", labels(entry).join(", ")), 15));
    }
    if !entry.heeds.is_empty() {
        let heeded: Vec<String> = entry.heeds.iter().map(|key| option(key)).collect();
        lines.push(indented(&format!("{:<15}{}", "heeds too", heeded.join(" ")), 15));
    }
    for (part, heading) in PARTS {
        let options: Vec<String> = entry.options.iter().filter(|option| option.part == part).map(told).collect();
        if !options.is_empty() {
            lines.push(format!("\n{heading}:\n{}", options.join("\n")));
        }
    }
    lines.join("\n") + "\n"
}

const PARTS: [(Part, &str); 3] = [
    (Part::Hyper, "Hyper-parameters"),
    (Part::Reading, "Readings, what sources do differently (first value: default)"),
    (Part::Run, "Of runs alone"),
];

/// An option: what it is for, what values it takes.
fn told(option: &MethodOption) -> String {
    let default = option.default().map(|value| format!(" [default: {value}]"));
    let text = match option.domain {
        Domain::Choice(_) => format!("{}: {}", option.help, values(option).join(" | ")),
        domain => format!("{}: {domain}{}", option.help, default.unwrap_or_default()),
    };
    let named = format!("  {:<22} ", option.option());
    indented(&format!("{named}{text}"), named.len().min(25))
}

/// A choice's values, the default first.
fn values(option: &MethodOption) -> Vec<String> {
    let Domain::Choice(names) = option.domain else { return Vec::new() };
    let default = option.default().map(|value| value.to_string());
    let others = names.iter().map(|name| name.to_string()).filter(|name| Some(name) != default.as_ref());
    default.iter().cloned().chain(others).collect()
}

/// As findings have them.
fn labels(entry: &Entry) -> Vec<String> {
    entry.labels.iter().map(|label| format!("{}.{label}", entry.name)).collect()
}

fn option(key: &str) -> String {
    format!("--{}", key.replace('_', "-").to_lowercase())
}

fn json(entry: &Entry) -> Value {
    let options = |part: Part| -> Vec<Value> {
        let options = entry.options.iter().filter(|option| option.part == part);
        let described = |option: &MethodOption| {
            let mut described = json!({
                "key": option.key, "option": option.option(), "help": option.help, "domain": option.domain.to_string(),
                "default": option.default(),
            });
            if let Domain::Choice(_) = option.domain {
                described["values"] = json!(values(option));
            }
            described
        };
        options.map(described).collect()
    };
    let choice = |(name, choice): (&str, &str)| (name.to_string(), json!(choice));
    let choices: Map<String, Value> = Choices::NAMES.into_iter().zip(entry.choices.five()).map(choice).collect();
    json!({
        "name": entry.name, "summary": entry.summary, "source": entry.source, "command": command(entry),
        "choices": choices, "hyper": options(Part::Hyper), "reading": options(Part::Reading), "run": options(Part::Run),
        "labels": labels(entry), "heeds": entry.heeds,
    })
}
