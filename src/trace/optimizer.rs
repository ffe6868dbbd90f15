//! What a header declares of the optimizer's steps beyond their hyper-parameters: whose rule they follow, what becomes
//! of a gradient before them, at which rates they go, and which parameters do not decay.

use super::number;
use crate::choice::{Choice, choice};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

choice! {
    /// Whose rule the steps follow.
    OptimizerRule, "optimizer":
    /// `torch.optim.SGD`'s: weight decay in the gradient, momentum without dampening.
    Sgd = "sgd",
    /// Another's (Adam, AdamW, ..): the steps are left out.
    Other = "other",
}

/// Gradient clipping, before every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clip {
    /// The recorded gradients are clipped already; they enter G, S_abs and the step as they are.
    Recorded,
    /// The step takes `g min(1, c / norm)`, with the norm over the recorded gradients of all parameters together.
    Norm(f64),
    /// The step takes each entry clamped to `[-c, c]`.
    Value(f64),
}

/// Where the steps' learning rates come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Schedule {
    /// From the base rate to 0 along half a cosine.
    #[default]
    Cosine,
    /// The base rate in every step.
    Constant,
    /// From another rule: the steps are left out.
    Other,
    /// Listed, one an epoch or one a step as the reading's `learning_rate` says.
    Rates(Vec<f64>),
}

/// What a header declares of the steps; the default is what one says that declares nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Optimizer {
    pub rule: OptimizerRule,
    pub clip: Option<Clip>,
    pub schedule: Schedule,
    /// Whether weights move by Nesterov's momentum.
    pub nesterov: bool,
    /// The parameters without weight decay.
    pub no_decay: BTreeSet<String>,
}

/// A key whose value is none of its choices, and what it may be.
pub(super) type Unfit = (&'static str, &'static str, Value);

impl Optimizer {
    /// Takes the keys `optimizer`, `clip`, `schedule`, `nesterov` and `no_decay` out of a header.
    pub(super) fn take(entries: &mut Map<String, Value>) -> Result<Self, Unfit> {
        let mut read = Self::default();
        if let Some(value) = entries.remove(OptimizerRule::KEY) {
            let rule = value.as_str().and_then(|name| name.parse().ok());
            read.rule = rule.ok_or((OptimizerRule::KEY, "\"sgd\" or \"other\"", value))?;
        }
        if let Some(value) = entries.remove("clip") {
            let expected = "\"recorded\", or {\"norm\": c} or {\"value\": c} with a finite c > 0";
            read.clip = Some(clip(&value).ok_or(("clip", expected, value))?);
        }
        if let Some(value) = entries.remove("schedule") {
            let expected = "\"cosine\", \"constant\", \"other\", or a list of finite rates >= 0, at least one";
            read.schedule = schedule(&value).ok_or(("schedule", expected, value))?;
        }
        if let Some(value) = entries.remove("nesterov") {
            read.nesterov = value.as_bool().ok_or(("nesterov", "true or false", value))?;
        }
        if let Some(value) = entries.remove("no_decay") {
            let names = value.as_array().and_then(|names| {
                names.iter().map(|name| name.as_str().map(str::to_string)).collect::<Option<BTreeSet<String>>>()
            });
            read.no_decay = names.ok_or(("no_decay", "a list of parameters' names", value))?;
        }
        Ok(read)
    }

    /// Writes what the reference's own steps may differ in; of the plain ones nothing.
    pub(super) fn put(&self, header: &mut Value) {
        if self.nesterov {
            header["nesterov"] = json!(true);
        }
        match &self.schedule {
            Schedule::Cosine => {}
            Schedule::Constant => header["schedule"] = json!("constant"),
            Schedule::Other => header["schedule"] = json!("other"),
            Schedule::Rates(rates) => header["schedule"] = json!(rates),
        }
        if !self.no_decay.is_empty() {
            header["no_decay"] = json!(self.no_decay);
        }
    }

    /// Why no step can be followed, whatever the trace records.
    pub fn unfollowed(&self) -> Option<&'static str> {
        match (self.rule, &self.schedule) {
            (OptimizerRule::Other, _) => Some("the optimizer's steps: `optimizer` = `other` is declared"),
            (_, Schedule::Other) => Some("the optimizer's steps: `schedule` = `other` is declared"),
            _ => None,
        }
    }

    /// Whether the steps are those of a header that declares nothing.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

fn clip(value: &Value) -> Option<Clip> {
    if let Some(name) = value.as_str() {
        return (name == "recorded").then_some(Clip::Recorded);
    }
    let mut entries = value.as_object()?.iter();
    let (Some((kind, bound)), None) = (entries.next(), entries.next()) else { return None };
    let bound = number::parse(bound).filter(|c| *c > 0.0 && c.is_finite())?;
    match kind.as_str() {
        "norm" => Some(Clip::Norm(bound)),
        "value" => Some(Clip::Value(bound)),
        _ => None,
    }
}

fn schedule(value: &Value) -> Option<Schedule> {
    if let Some(name) = value.as_str() {
        return match name {
            "cosine" => Some(Schedule::Cosine),
            "constant" => Some(Schedule::Constant),
            "other" => Some(Schedule::Other),
            _ => None,
        };
    }
    let rates = value.as_array()?.iter().map(|rate| number::parse(rate).filter(|r| *r >= 0.0 && r.is_finite()));
    rates.collect::<Option<Vec<f64>>>().filter(|rates| !rates.is_empty()).map(Schedule::Rates)
}
