//! [`Rules`]: what a trace by steps declares: the method's hyper-parameters and reading, and the optimizer's.

use super::asked::Asked;
use super::misread::Misread;
use super::slips::Slip;
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::method::options::{Domain, Options, Part, Value};
use crate::method::{Entry, declared};
use crate::paper::reading::Prunable;
use crate::select::count::{Count, Minimum};
use crate::select::schedule::{Clock, Due, LastUpdate, UpdateGrid};
use crate::select::update::UpdateOrder;
use crate::trace::{Arithmetic, Clip, OptimizerRule, StepMethod, StepTrace, number_of};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What a method's page says beside its formulas.
pub(crate) struct Facts {
    pub(crate) method: StepMethod,
    /// What its results are called in findings, in the order of findings within a step.
    pub(crate) labels: &'static [&'static str],
    /// Whether an update is due at a step.
    pub(crate) due: fn(&Rules, usize) -> bool,
    /// Whether `update_end` bounds what is due.
    pub(crate) has_last_update: bool,
    /// Whether `params` are a W of weights that may be pruned one by one.
    pub(crate) has_w: bool,
    /// Whether what a step leaves is what the next one finds, nothing between them.
    pub(crate) results_are_operands: bool,
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method.name())
    }
}

/// All that decides what a correct port's results are, beside the operands.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) facts: &'static Facts,
    pub(crate) entry: &'static Entry,
    pub(crate) options: Options,
    /// Which parameters W should have.
    pub(crate) prunable: Prunable,
    /// A known mistake that is tried.
    slip: Option<Slip>,
    /// An operand that is taken otherwise, as is tried.
    pub(super) misread: Option<Misread>,
    pub(crate) asked: Asked,
    /// A tensor that is not looked at.
    pub(crate) spared: Option<String>,
    /// The header's; a step may record its own.
    pub(crate) lr: Option<f64>,
    momentum: f64,
    weight_decay: f64,
    nesterov: bool,
    no_decay: BTreeSet<String>,
    /// Why the optimizer's steps cannot be followed, if they cannot.
    pub(crate) descends: std::result::Result<(), String>,
    pub(crate) arithmetic: Arithmetic,
    /// Whether a result that a step does not record is the operand that the next one does.
    pub(crate) results_are_operands: bool,
}

/// Hyper-parameters of every method, which say nothing of its own.
const OF_ALL: [&str; 5] = ["lr", "momentum", "weight_decay", "batch_size", "epochs"];

impl Rules {
    /// Those of a trace.
    ///
    /// # Errors
    /// [`Error::File`] naming the key whose value is none that it may have.
    pub(crate) fn read(trace: &StepTrace, facts: &'static Facts, exact: bool) -> Result<(Self, Vec<String>)> {
        let header = &trace.header;
        let Some(entry) = declared(header.method.name()) else {
            return Err(trace.bad_header("method", "a method whose rules are known", header.method));
        };
        let mut options = Options::of(entry);
        let mut unknown = Vec::new();
        for (key, value) in &header.hyper {
            let option = entry.options.iter().find(|option| option.key == key && option.part == Part::Hyper);
            match option {
                Some(option) => options.set(key, parse(trace, &format!("hyper: {key}"), option.domain, value)?),
                None if OF_ALL.contains(&key.as_str()) => {}
                None => unknown.push(format!("hyper.{key}")),
            }
        }
        let mut prunable = Prunable::default();
        for (key, value) in &header.reading {
            let place = format!("reading: {key}");
            let option = entry.options.iter().find(|option| option.key == key && option.part == Part::Reading);
            match option {
                Some(option) => options.set(key, parse(trace, &place, option.domain, value)?),
                None if key == Prunable::KEY => {
                    let name = parse(trace, &place, Domain::Choice(Prunable::NAMES), value)?;
                    if let Value::Name(name) = name {
                        prunable = name.parse()?;
                    }
                }
                None => {
                    let readings = entry.options.iter().filter(|option| option.part == Part::Reading);
                    let keys: Vec<&str> = readings.map(|option| option.key).chain([Prunable::KEY]).collect();
                    let expected = format!("one of {}, the choices of {}", keys.join(", "), entry.name);
                    return Err(trace.bad_header(&place, expected, value));
                }
            }
        }
        let size = |key: &str| -> Result<Option<f64>> {
            let Some(value) = header.hyper.get(key) else { return Ok(None) };
            let value = parse(trace, &format!("hyper: {key}"), Domain::Size, value)?;
            Ok(value.as_real())
        };
        let descends = match (header.optimizer.rule, header.optimizer.clip) {
            (OptimizerRule::Other, _) => Err("the header says that the optimizer is another".to_string()),
            (_, Some(Clip::Norm(_) | Clip::Value(_))) => {
                Err("gradients are clipped between record and step (record them clipped: `clip` = `recorded`)"
                    .to_string())
            }
            _ => Ok(()),
        };
        let arithmetic = header.arithmetic;
        let rules = Self {
            facts,
            entry,
            options,
            prunable,
            slip: None,
            misread: None,
            asked: Asked::default(),
            spared: None,
            lr: size("lr")?,
            momentum: size("momentum")?.unwrap_or(0.0),
            weight_decay: size("weight_decay")?.unwrap_or(0.0),
            nesterov: header.optimizer.nesterov,
            no_decay: header.optimizer.no_decay.clone(),
            descends,
            arithmetic: if exact { arithmetic.exactly() } else { arithmetic },
            results_are_operands: facts.results_are_operands,
        };
        Ok((rules, unknown))
    }

    /// The method's label in findings.
    pub(crate) fn label(&self, label: &str) -> &'static str {
        let full = |known: &&&'static str| known.split_once('.').is_some_and(|(_, own)| own == label);
        self.facts.labels.iter().find(full).copied().unwrap_or(self.facts.labels[0])
    }

    /// The choice that is declared.
    pub(crate) fn choice<T: Choice + Default>(&self) -> T {
        // Every value was looked at when the header was read.
        self.options.name(T::KEY).parse().unwrap_or_default()
    }

    /// Whether this mistake is tried.
    #[inline]
    pub(crate) fn has(&self, slip: Slip) -> bool {
        self.asked.note(slip);
        self.slip == Some(slip)
    }

    /// Which of these mistakes is tried.
    pub(crate) fn slip(&self, among: &[Slip]) -> Option<Slip> {
        among.iter().copied().find(|&slip| self.has(slip))
    }

    /// The same with a mistake.
    pub(crate) fn with(self, slip: Slip) -> Self {
        Self { slip: Some(slip), ..self }
    }

    /// The same with an operand taken otherwise.
    pub(super) fn misreading(self, misread: Misread) -> Self {
        Self { misread: Some(misread), ..self }
    }

    /// The same without looking at a tensor.
    pub(crate) fn sparing(self, tensor: &str) -> Self {
        Self { spared: Some(tensor.to_string()), ..self }
    }

    /// A hyper-parameter without which nothing can be said.
    pub(crate) fn required(&self, trace: &StepTrace, key: &str) -> Result<&Value> {
        let missing = || trace.bad_header(&format!("hyper: {key}"), "a value, for there is no default", "nothing");
        self.options.get(key).ok_or_else(missing)
    }

    /// A number that has a default, or was looked for when the page began.
    pub(crate) fn real(&self, key: &str) -> f64 {
        self.options.real(key).unwrap_or_default()
    }

    /// The same, of a count.
    pub(crate) fn steps(&self, key: &str) -> usize {
        self.options.count(key).unwrap_or_default()
    }

    pub(crate) fn count(&self) -> (Count, Minimum) {
        (self.choice(), self.choice())
    }

    /// When updates are due by the method's schedule.
    pub(crate) fn due(&self) -> Due {
        let every = self.steps("update_every").max(1);
        let has_end = match self.facts.has_last_update {
            true => !self.has(Slip::NeverEnds),
            false => self.has(Slip::EndsToo),
        };
        let start = self.options.count("update_start").unwrap_or(every);
        Due {
            start,
            every,
            end: self.options.count("update_end").filter(|_| has_end),
            grid: self.choice::<UpdateGrid>(),
            last: self.choice::<LastUpdate>(),
        }
    }

    /// What schedules count at a step: when updates are due, and what values follow.
    pub(crate) fn clock(&self, t: usize) -> (usize, usize) {
        let completed = match self.choice::<UpdateOrder>() {
            UpdateOrder::AfterStep => t + 1,
            UpdateOrder::InsteadOfStep => t,
        };
        match self.choice::<Clock>() {
            Clock::Completed => (completed, completed),
            Clock::Index => (t, t),
            Clock::IndexPlusOne => (t, t + 1),
        }
    }

    /// Whether an update is due at a step.
    pub(crate) fn is_due(&self, t: usize) -> bool {
        let due = |t: usize| (self.facts.due)(self, t);
        match self.slip(&[Slip::UpdateEarlier, Slip::UpdateLater, Slip::AlwaysDue, Slip::DueOnce]) {
            Some(Slip::UpdateEarlier) => due(t + 1),
            Some(Slip::UpdateLater) => t.checked_sub(1).is_some_and(due),
            Some(Slip::AlwaysDue) => true,
            Some(Slip::DueOnce) => t == 0,
            _ => due(t),
        }
    }

    /// [`Facts::due`] of methods whose updates follow a grid.
    pub(crate) fn is_on_grid(&self, t: usize) -> bool {
        let due = self.due();
        let start = if self.has(Slip::StartsAtOnce) { 0 } else { due.start };
        Due { start, ..due }.is_at(self.clock(t).0)
    }

    /// mu.
    pub(crate) fn momentum(&self) -> f64 {
        if self.has(Slip::NoMomentum) { 0.0 } else { self.momentum }
    }

    /// Whether weights move by Nesterov's momentum.
    pub(crate) fn nesterov(&self) -> bool {
        if self.nesterov { !self.has(Slip::Classical) } else { self.has(Slip::Nesterov) }
    }

    /// Weight decay of a parameter.
    pub(crate) fn decay(&self, parameter: &str, is_prunable: bool) -> f64 {
        let is_exempt = self.no_decay.contains(parameter) && !self.has(Slip::DecayOfAll);
        let is_left_out = self.has(Slip::NoDecay) || self.has(Slip::DecayOfPrunable) && !is_prunable;
        if is_exempt || is_left_out { 0.0 } else { self.weight_decay }
    }

    /// The numbers that the header declares, by name.
    pub(super) fn numbers(&self) -> Vec<(String, f64)> {
        let declared = self.entry.options.iter().filter(|option| option.part == Part::Hyper);
        let own = declared.filter_map(|option| Some((option.key, self.options.get(option.key)?.as_real()?)));
        let of_all = [("lr", self.lr.unwrap_or_default()), ("momentum", self.momentum)];
        let all = own.chain(of_all).filter(|(_, x)| *x != 0.0);
        all.map(|(key, x)| (format!("`{key}`"), x)).collect()
    }

    pub(crate) fn method(&self) -> StepMethod {
        self.facts.method
    }
}

/// A value of this domain: JSON numbers, hex floats for numbers that must be exact, texts for choices.
fn parse(trace: &StepTrace, place: &str, domain: Domain, json: &Json) -> Result<Value> {
    let found = match (domain, json) {
        (Domain::Choice(_), Json::String(name)) => Some(Value::Name(name.clone())),
        (Domain::Choice(_), number) => number_of(number).map(|x| Value::Name(x.to_string())),
        (_, Json::Array(items)) => items.iter().map(number).collect::<Option<_>>().map(Value::List),
        (_, json) => number(json),
    };
    let expected = match domain {
        Domain::Steps { from } => format!("a whole number of at least {from}"),
        Domain::Counts | Domain::StepList => "a list of whole numbers".to_string(),
        Domain::Flags => "a list of 0 and 1".to_string(),
        Domain::Shares => "a list of numbers in [0, 1]".to_string(),
        other => other.to_string(),
    };
    found.filter(|value| domain.holds(value)).ok_or_else(|| bad(trace, place, expected, json))
}

fn bad(trace: &StepTrace, place: &str, expected: String, found: &Json) -> Error {
    trace.bad_header(place, expected, found)
}

/// A whole number is a count.
fn number(json: &Json) -> Option<Value> {
    let x = number_of(json)?;
    let is_count = x >= 0.0 && x.fract() == 0.0 && x <= (1_u64 << 53) as f64;
    Some(if is_count { Value::Count(x as usize) } else { Value::Real(x) })
}
