//! [`Suspicion`]: the rules altered, as a port may have taken them.

use super::misread::{Misread, Taken, W_0};
use super::rules::Rules;
use super::slips::Slip;
use crate::choice::Choice;
use crate::method::options::{Domain, MethodOption, Part, Value};
use crate::oracle::claims::OTHERWISE;
use crate::select::cut::Ties;

impl Slip {
    /// Those that say less, and are tried where nothing else explains a port.
    pub(super) fn is_last_resort(self) -> bool {
        self as usize >= Self::OtherRate as usize
    }
}

/// A change of the rules, and what is said of a port that it explains.
pub(crate) struct Suspicion {
    pub(crate) told: String,
    pub(crate) rules: Rules,
}

/// Every way in which the rules may have been taken otherwise: another reading first, then a default in the place of what is
/// declared, then the known mistakes.
pub(crate) fn suspicions(rules: &Rules) -> Vec<Suspicion> {
    let mut all = Vec::new();
    for option in rules.entry.options.iter().filter(|option| option.part == Part::Reading) {
        let Domain::Choice(names) = option.domain else { continue };
        let chosen = rules.options.name(option.key);
        let is_open = |name: &&&str| **name != chosen && !(option.key == Ties::KEY && **name == Ties::Any.name());
        for name in names.iter().filter(is_open) {
            let told = format!("as `{}` = `{name}` has it (declare it in `reading`, if it is meant)", option.key);
            all.push(Suspicion { told, rules: with(rules, option, Value::Name(name.to_string())) });
        }
    }
    for option in rules.entry.options.iter().filter(|option| option.part == Part::Hyper) {
        let default = option.default().filter(|default| Some(default) != rules.options.get(option.key));
        if let Some(default) = default.filter(|_| rules.options.get(option.key).is_some()) {
            let told = format!("as the default of `{}`, {default}, has it, not what the header declares", option.key);
            all.push(Suspicion { told, rules: with(rules, option, default) });
        }
    }
    let known = Slip::ALL.iter().filter(|slip| !slip.is_last_resort() && rules.asked.has(**slip));
    all.extend(known.map(|&slip| suspicion(rules, slip)));
    all
}

/// Every declared number otherwise than it is, or another's: what is tried where no known mistake explains a port.
pub(crate) fn retuned(rules: &Rules) -> Vec<Suspicion> {
    let declared: Vec<(&MethodOption, &Value)> = rules
        .entry
        .options
        .iter()
        .filter(|option| option.part == Part::Hyper)
        .filter_map(|option| Some((option, rules.options.get(option.key)?)))
        .collect();
    let mut all = Vec::new();
    for &(option, value) in &declared {
        let others = declared.iter().filter(|(other, of)| other.key != option.key && *of != value);
        let of_others = others.map(|(other, of)| ((*of).clone(), format!("that of `{}`", other.key)));
        for (other, told) in altered(value).into_iter().chain(of_others).filter(|(other, _)| option.domain.holds(other))
        {
            let told = format!("as `{}` = {other} has it: {told}, where the header declares {value}", option.key);
            all.push(Suspicion { told, rules: with(rules, option, other) });
        }
    }
    all
}

/// A number as a port may have taken it, and how that is told.
fn altered(value: &Value) -> Vec<(Value, String)> {
    let ways: Vec<(Value, &str)> = match *value {
        Value::Count(n) => {
            let ways = [
                (n.checked_add(1), "one more"),
                (n.checked_sub(1), "one fewer"),
                (n.checked_mul(2), "twice"),
                (Some(n / 2), "half"),
            ];
            ways.into_iter().filter_map(|(other, how)| Some((Value::Count(other?), how))).collect()
        }
        Value::Real(x) => OTHERWISE.iter().map(|(how, way)| (Value::Real(way(x)), *how)).collect(),
        _ => Vec::new(),
    };
    ways.into_iter().filter(|(other, _)| other != value).map(|(other, how)| (other, how.to_string())).collect()
}

/// Weights between SGD and an update.
const BETWEEN: &str = "between";

/// Every way in which an operand that the page asked for may have been taken otherwise.
pub(crate) fn misreadings(rules: &Rules) -> Vec<Suspicion> {
    let operands = rules.asked.operands();
    let mut all = Vec::new();
    for operand in &operands {
        let mut suspect = |taken: Taken, told: &str| {
            let misread = Misread { operand: operand.clone(), taken };
            all.push(Suspicion { told: format!("`{operand}` {told}"), rules: rules.clone().misreading(misread) });
        };
        // What a step leaves is what the next one finds: a result would explain itself.
        let is_left = operand.ends_with("_before");
        for (taken, told) in Taken::ALONE.into_iter().filter(|(taken, _)| !(is_left && *taken == Taken::StepAfter)) {
            suspect(taken, told);
        }
        let others = operands.iter().map(String::as_str).filter(|other| *other != W_0).chain([W_0, BETWEEN]);
        let others = others.filter(|other| other != operand);
        for other in others {
            suspect(Taken::Other(other.to_string()), &format!("is mistaken: `{other}` stands for it"));
        }
    }
    for result in rules.asked.results() {
        for (taken, told) in Taken::AFTER {
            let misread = Misread { operand: result.clone(), taken };
            all.push(Suspicion { told: format!("`{result}` {told}"), rules: rules.clone().misreading(misread) });
        }
    }
    all
}

/// What is left to say where no suspicion explains a port.
pub(crate) fn last_resorts(rules: &Rules) -> Vec<Suspicion> {
    let asked = Slip::ALL.iter().filter(|slip| slip.is_last_resort() && rules.asked.has(**slip));
    asked.map(|&slip| suspicion(rules, slip)).collect()
}

/// What is left out of judgement but one tensor, which is told without its step: every step has such a one.
pub(crate) fn spared(rules: &Rules, tensor: &str) -> Suspicion {
    let in_a_step = tensor.strip_prefix("step/").and_then(|rest| rest.split_once('/'));
    let what = in_a_step.map_or(tensor, |(_, what)| what);
    Suspicion {
        told: format!("all that is wrong is in `{what}`: it is left out, or this one layer is treated otherwise"),
        rules: rules.clone().sparing(tensor),
    }
}

fn with(rules: &Rules, option: &MethodOption, value: Value) -> Rules {
    let mut altered = rules.clone();
    altered.options.set(option.key, value);
    altered
}

fn suspicion(rules: &Rules, slip: Slip) -> Suspicion {
    Suspicion { told: slip.told().to_string(), rules: rules.clone().with(slip) }
}
