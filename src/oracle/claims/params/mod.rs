//! W itself: whether `params` names the parameters that the declared reading of open point 6 has in it.

mod role;

use crate::choice::Choice;
use crate::nn::{Role, models};
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::report::{Event, Finding};
use crate::paper::reading::Prunable;
use crate::scalar::Dtype;
use crate::trace::{StepTrace, Trace, TracedParameter};
use role::{Known, Roles};

/// The most parameters that one reason names.
const NAMED: usize = 4;

/// What a trace says of W, and what it has of the network.
pub(crate) struct DeclaredW<'a> {
    /// Whose finding it is, and where.
    label: Label,
    event: Event,
    dtype: Dtype,
    declared: Prunable,
    params: &'a [String],
    not_prunable: &'a [String],
    model: Option<&'a str>,
    parameters: &'a [TracedParameter],
    /// Whether the trace has W_0: of all parameters, or of none.
    has_init: bool,
    /// Whether weights may be left dense without a word.
    may_leave_out: bool,
}

impl<'a> DeclaredW<'a> {
    /// What to say of a `model` that does not say what W is.
    pub(crate) fn of_no_model(&self) -> Option<String> {
        let name = self.model?;
        let Ok(entry) = models::find(name) else {
            let so = "the header's model is none that is built in (`gdstar models` lists them)";
            return Some(format!("{so}, `{name}`: W is judged by ranks and names"));
        };
        let specs = entry.network(entry.input, entry.classes).ok()?.specs();
        let foreign = self.parameters.iter().find(|parameter| specs.iter().all(|spec| spec.name != parameter.name))?;
        Some(format!("the header's model `{name}` has no parameter `{}`: W is judged by ranks and names", foreign.name))
    }

    /// Eq. 2 runs over W.
    pub(crate) fn of_epochs(trace: &'a Trace) -> Self {
        let header = &trace.header;
        Self {
            label: Label::part("eq2", "params"),
            event: Event::Epoch(header.reading.epoch_origin.first()),
            dtype: header.arithmetic.dtype,
            declared: header.reading.prunable,
            params: &header.params,
            not_prunable: &header.not_prunable,
            model: header.model.as_deref(),
            parameters: trace.parameters(),
            has_init: has_init(trace.parameters(), |name| trace.has(name)),
            may_leave_out: false,
        }
    }

    /// W is an operand of every step; layers that are kept dense are not in it.
    pub(crate) fn of_steps(trace: &'a StepTrace, equation: &'static str, declared: Prunable) -> Self {
        let header = &trace.header;
        Self {
            label: Label::part(equation, "params"),
            event: Event::Whole,
            dtype: header.arithmetic.dtype,
            declared,
            params: &header.params,
            not_prunable: &header.not_prunable,
            model: header.model.as_deref(),
            parameters: trace.parameters(),
            has_init: has_init(trace.parameters(), |name| trace.has(name)),
            may_leave_out: true,
        }
    }
}

fn has_init(parameters: &[TracedParameter], has: impl Fn(&str) -> bool) -> bool {
    parameters.iter().any(|parameter| has(&format!("init/{}", parameter.name)))
}

/// Judges `params`: a parameter that is surely in W and not in them, or surely not and in them, is a finding; or, of weights
/// that may be left dense without a word, a warning. Header and names alone are looked at, so nothing counts as compared.
pub(crate) fn judge(w: &DeclaredW) -> (Outcome, Option<String>) {
    let mut outcome = Outcome::new(w.label);
    let judge = Judge { w, roles: Roles::of(w) };
    let mut dense = Vec::new();
    for known in judge.roles.parameters.iter().filter(|known| judge.agrees(known, w.declared) == Decision::No) {
        match w.may_leave_out && !judge.is_in_params(known) {
            true => dense.push(known),
            false => outcome.find(judge.finding(known)),
        }
    }
    for reason in judge.left_open() {
        outcome.leave_out(reason);
    }
    let warning = named(dense.into_iter()).map(|names| {
        format!(
            "`params` is without {names}, which `{}` = `{}` has in W: kept dense (name it in `not_prunable`), or forgotten",
            Prunable::KEY,
            w.declared
        )
    });
    (outcome, warning)
}

struct Judge<'a> {
    w: &'a DeclaredW<'a>,
    roles: Roles,
}

impl Judge<'_> {
    fn is_in_params(&self, known: &Known) -> bool {
        self.w.params.contains(&known.name)
    }

    fn is_left_out(&self, known: &Known) -> bool {
        self.w.not_prunable.contains(&known.name)
    }

    /// Whether a parameter is where `reading` has it.
    fn agrees(&self, known: &Known, reading: Prunable) -> Decision {
        let belongs = belongs(known.roles, reading);
        match (self.is_left_out(known), self.is_in_params(known)) {
            (true, _) => Decision::Yes,
            (false, true) => belongs,
            (false, false) => belongs.opposite(),
        }
    }

    fn finding(&self, known: &Known) -> Finding {
        let is_in = f64::from(u8::from(self.is_in_params(known)));
        let at = (format!("params/{}", known.name), self.w.event, Vec::new());
        let expected = Interval::exact(1.0 - is_in);
        let finding = Finding::new(self.w.label.equation, at, is_in, expected, self.w.dtype);
        Finding { likely_cause: Some(self.cause(known)), ..finding }
    }

    /// What is wrong with a parameter, and what would be right.
    fn cause(&self, known: &Known) -> String {
        let (name, declared, evidence) = (&known.name, self.w.declared, &self.roles.evidence);
        let what = describe(known.roles);
        let (has, place) = match self.is_in_params(known) {
            true => ("does not have in W, yet `params` has it", "take it out of `params`"),
            false => (
                "has in W, yet `params` has not",
                "add it, or, if it is left dense on purpose, name it in `not_prunable`",
            ),
        };
        let fits = |&&reading: &&Prunable| {
            self.roles.parameters.iter().all(|known| self.agrees(known, reading) != Decision::No)
        };
        let remedy = match Prunable::ALL.iter().find(fits) {
            Some(&other) => {
                format!(
                    "`params` is what the reading `{}` = `{other}` has: declare it, or change `params`",
                    Prunable::KEY
                )
            }
            None => place.to_string(),
        };
        format!("`{name}` is {what} ({evidence}), which `{}` = `{declared}` {has}: {remedy}", Prunable::KEY)
    }

    /// What ranks and names do not tell, and what is declared instead.
    fn left_open(&self) -> Vec<String> {
        let all = || self.roles.parameters.iter();
        let open = all().filter(|known| self.agrees(known, self.w.declared) == Decision::Either);
        let exempt =
            all().filter(|known| self.is_left_out(known) && belongs(known.roles, self.w.declared) != Decision::No);
        let mut reasons = Vec::new();
        if let Some(names) = named(open) {
            reasons
                .push(format!("whether W has {names}: neither a built-in `model` nor rank and name tell what it is"));
        }
        if let Some(names) = named(exempt) {
            reasons.push(format!("W without {names}, as `not_prunable` declares"));
        }
        if !self.roles.complete {
            reasons.push(
                "whether `params` is all of W: needs `init` of all parameters, or a built-in `model` with its names"
                    .to_string(),
            );
        }
        reasons
    }
}

/// Whether a parameter that may have any of these roles is in W.
fn belongs(roles: &[Role], reading: Prunable) -> Decision {
    let mut belongs = roles.iter().map(|role| Decision::of(role.is_prunable(reading)));
    let first = belongs.next().unwrap_or(Decision::Either);
    if belongs.all(|other| other == first) { first } else { Decision::Either }
}

fn named<'a>(known: impl Iterator<Item = &'a Known>) -> Option<String> {
    let names: Vec<String> = known.map(|known| format!("`{}`", known.name)).collect();
    let more = names.len().saturating_sub(NAMED);
    let first = names[..names.len() - more].join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(first),
        (false, more) => Some(format!("{first} and {more} more")),
    }
}

/// The roles in words.
fn describe(roles: &[Role]) -> String {
    let word = |role: &Role| match role {
        Role::Weight => "a convolution or linear weight",
        Role::Bias => "the bias of a convolution or linear layer",
        Role::Scale => "a normalisation's scale",
        Role::Shift => "a normalisation's shift",
        Role::RunningMean | Role::RunningVariance => "a running statistic, which is not trained",
    };
    match roles {
        [_, _, _, ..] => "a trained parameter".to_string(),
        few => few.iter().map(word).collect::<Vec<_>>().join(" or "),
    }
}
