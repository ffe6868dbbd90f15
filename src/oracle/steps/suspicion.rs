//! [`Suspicion`]: the rules altered, as a port may have taken them.

use super::rules::Rules;
use super::slips::Slip;
use crate::choice::Choice;
use crate::method::options::{Domain, MethodOption, Part, Value};
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
