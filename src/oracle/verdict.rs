//! [`Collector`]: from outcomes to a report.

use super::claims::{ALG1, Told};
use super::options::CheckOptions;
use super::outcome::{Cause, Label, Outcome, Worth};
use crate::error::Result;
use crate::oracle::report::{self, EQUATION_NAMES, Finding, LISTED, Level, NotChecked, Report, Sampled, Verdict};
use crate::oracle::run_level::{Equivalence, RunComparison};
use crate::trace::Trace;
use std::collections::BTreeMap;

/// The share of decisions that rounding may turn either way before a trace says too little: one in a hundred. Chosen; it
/// withholds a PASS and never makes one, for both outcomes of such a decision are a correct port's.
const AMBIGUOUS_SHARE: usize = 100;

/// The most alternatives that a finding names.
const NAMED: usize = 3;

/// In how many epochs an explanation is looked for even if their findings are no longer listed.
const TRIED: usize = 3;

/// What all epochs gave so far.
#[derive(Default)]
pub(crate) struct Collector {
    groups: Vec<Group>,
    listed: usize,
    findings_by_equation: BTreeMap<&'static str, usize>,
    ambiguous_by_equation: BTreeMap<&'static str, usize>,
    decisions_by_equation: BTreeMap<&'static str, usize>,
    compared: BTreeMap<&'static str, usize>,
    /// Some optimizer steps were followed.
    descends: bool,
    missing: BTreeMap<(&'static str, String), usize>,
    undecided: BTreeMap<(&'static str, String), usize>,
    warnings: Vec<String>,
}

/// The findings of one claim in one epoch, and the mistakes that explain them.
struct Group {
    label: Label,
    findings: Vec<Finding>,
    causes: Vec<Cause>,
    /// The epoch or step, in words.
    event: String,
}

impl Group {
    /// The first other event of the claim's that this cause does not explain. What is worth something only everywhere is looked
    /// for only where nothing else explains an event.
    fn other<'a>(&self, cause: &Cause, groups: &'a [Self]) -> Option<&'a str> {
        let is_tried =
            |causes: &[Cause]| cause.worth != Worth::IfEverywhere || !causes.iter().any(|other| other.says_something());
        let is_other = |group: &&Self| {
            group.label == self.label
                && group.event != self.event
                && !group.causes.contains(cause)
                && is_tried(&group.causes)
        };
        groups.iter().find(is_other).map(|group| group.event.as_str())
    }

    /// What is told of its findings. One mistake shows in every event: where some explanation holds for all of a claim's
    /// findings, the others that hold by chance in one event are left out. Where none does, each is told with an event that it
    /// does not explain, but those that say too little then.
    fn told(&self, groups: &[Self]) -> Option<String> {
        let alike = || groups.iter().filter(|group| group.label == self.label);
        let is_alone = alike().count() == 1;
        let is_shared = |cause: &Cause| alike().all(|group| group.causes.contains(cause));
        let any_shared = self.causes.iter().any(is_shared);
        if !any_shared && let Some(named) = Self::told_from_the_second_on(&alike().collect::<Vec<_>>()) {
            return Some(named);
        }
        let tell = |cause: &Cause| match (cause.worth, self.other(cause, groups)) {
            (Worth::IfEverywhere | Worth::IfRepeated, Some(_)) => None,
            (Worth::IfRepeated, None) if is_alone => None,
            (Worth::Specific | Worth::Number, Some(other)) => {
                Some(format!("{} (so in {}, and not in {other})", cause.told, self.event))
            }
            (_, None) => Some(cause.told.clone()),
        };
        let causes = self.causes.iter().filter(|cause| !any_shared || is_shared(cause));
        joined(causes.filter_map(tell))
    }

    /// What explains every event but the first, before which there is nothing that could be stale, or added to.
    fn told_from_the_second_on(alike: &[&Self]) -> Option<String> {
        let [_, second, rest @ ..] = alike else { return None };
        let holds = |cause: &&Cause| {
            cause.worth != Worth::Number && !rest.is_empty() && rest.iter().all(|group| group.causes.contains(cause))
        };
        joined(second.causes.iter().filter(holds).map(|cause| format!("{} (from {} on)", cause.told, second.event)))
    }
}

/// As many alternatives as a finding names.
fn joined(causes: impl Iterator<Item = String>) -> Option<String> {
    let named: Vec<String> = causes.take(NAMED).collect();
    (!named.is_empty()).then(|| named.join("; or "))
}

impl Collector {
    /// Takes an outcome, and asks for the likely causes if there is something to explain.
    pub(crate) fn add(
        &mut self,
        mut outcome: Outcome,
        explain: impl FnOnce(&Outcome) -> Result<Vec<Cause>>,
    ) -> Result<()> {
        let tried = self.groups.iter().filter(|group| group.label == outcome.label).count();
        if outcome.total > 0 && (self.listed < LISTED || tried < TRIED) {
            let causes = explain(&outcome)?;
            let event = outcome.findings.first().map(Finding::event).unwrap_or_default();
            let room = LISTED - self.listed;
            let findings: Vec<Finding> = std::mem::take(&mut outcome.findings).into_iter().take(room).collect();
            self.listed += findings.len();
            self.groups.push(Group { label: outcome.label, findings, causes, event });
        }
        self.count(outcome);
        Ok(())
    }

    /// Takes what the header alone gave, whose findings have their causes, and of which what is left out is so in
    /// every one of `epochs`.
    pub(crate) fn add_of_header(&mut self, mut outcome: Outcome, epochs: usize) {
        let equation = outcome.label.equation;
        for reason in std::mem::take(&mut outcome.missing) {
            self.missing.insert((equation, reason), epochs);
        }
        let findings = std::mem::take(&mut outcome.findings);
        self.listed += findings.len();
        self.groups.push(Group { label: outcome.label, findings, causes: Vec::new(), event: String::new() });
        self.count(outcome);
    }

    /// Takes something that a user should know and that is no finding.
    pub(crate) fn warn(&mut self, warning: Option<String>) {
        self.warnings.extend(warning);
    }

    fn count(&mut self, outcome: Outcome) {
        let equation = outcome.label.equation;
        if outcome.compared > 0 {
            *self.compared.entry(equation).or_insert(0) += outcome.compared;
        }
        if outcome.total > 0 {
            *self.findings_by_equation.entry(equation).or_insert(0) += outcome.total;
        }
        if outcome.ambiguous > 0 {
            *self.ambiguous_by_equation.entry(equation).or_insert(0) += outcome.ambiguous;
        }
        *self.decisions_by_equation.entry(equation).or_insert(0) += outcome.decisions;
        self.descends |= outcome.label == ALG1 && outcome.compared > 0;
        for reason in outcome.missing {
            *self.missing.entry((equation, reason)).or_insert(0) += 1;
        }
        if let Some(reason) = outcome.undecided {
            *self.undecided.entry((equation, reason)).or_insert(0) += 1;
        }
    }

    /// Drops equations of which nothing but decisions was compared, each of which could have gone either way: any port
    /// is right about those.
    fn forget_what_is_open(&mut self, epochs: usize) {
        for (equation, decisions) in &self.decisions_by_equation {
            let open = self.ambiguous_by_equation.get(equation) == Some(decisions);
            if open && *decisions > 0 && self.compared.get(equation) == Some(decisions) {
                self.compared.remove(equation);
                let reason = format!("each of its {decisions} decisions could have gone either way");
                self.missing.insert((*equation, reason), epochs);
            }
        }
    }

    /// The findings in order, each with what explains it.
    fn findings(groups: Vec<Group>) -> Vec<Finding> {
        let causes: Vec<Option<String>> = groups.iter().map(|group| group.told(&groups)).collect();
        let explained = |(group, cause): (Group, Option<String>)| {
            group.findings.into_iter().map(move |mut finding| {
                finding.likely_cause = finding.likely_cause.or_else(|| cause.clone());
                finding
            })
        };
        groups.into_iter().zip(causes).flat_map(explained).collect()
    }

    /// The report over all events.
    pub(crate) fn report(mut self, about: About) -> Report {
        self.forget_what_is_open(about.count);
        let decisions: usize = self.decisions_by_equation.values().sum();
        let findings_total: usize = self.findings_by_equation.values().sum();
        let ambiguous: usize = self.ambiguous_by_equation.values().sum();
        let checked: Vec<&'static str> =
            about.names.iter().copied().filter(|name| self.compared.contains_key(name)).collect();
        let mut inconclusive: Vec<String> =
            self.undecided.keys().map(|(equation, reason)| format!("{equation}: {reason}")).collect();
        if checked.is_empty() {
            inconclusive.push("nothing could be checked".to_string());
        }
        if ambiguous * AMBIGUOUS_SHARE > decisions {
            inconclusive.push(format!(
                "{ambiguous} of {decisions} decisions could have gone either way: more than one in {AMBIGUOUS_SHARE}, a \
                 chosen share"
            ));
        }
        inconclusive.extend(about.inconclusive);
        let verdict = match (findings_total > 0 || about.differs, inconclusive.is_empty()) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        };
        let left_out = self.missing.into_iter().chain(self.undecided);
        let not_checked =
            left_out.map(|((equation, reason), epochs)| NotChecked { equation, reason, epochs }).collect();
        let levels = (about.levels)(&checked);
        Report {
            file: about.file,
            producer: about.producer,
            verdict,
            inconclusive,
            checked,
            not_checked,
            findings: Self::findings(self.groups),
            findings_total,
            findings_by_equation: self.findings_by_equation,
            ambiguous_by_equation: self.ambiguous_by_equation,
            ambiguous,
            decisions,
            compared: self.compared.values().sum(),
            epochs: about.count,
            events: about.events,
            levels,
            names: about.names,
            warnings: self.warnings.into_iter().chain(about.warnings).collect(),
            sample: about.sample,
        }
    }

    /// Whether optimizer steps were followed through an epoch.
    pub(crate) fn descends(&self) -> bool {
        self.descends
    }
}

/// What a report says of the trace, beside what was found.
pub(crate) struct About<'a> {
    pub(crate) file: String,
    pub(crate) producer: String,
    /// How many epochs or steps there are.
    pub(crate) count: usize,
    /// Which of the two.
    pub(crate) events: &'static str,
    /// Every name that findings and coverage use, in order.
    pub(crate) names: &'static [&'static str],
    pub(crate) warnings: Vec<String>,
    /// How each level went, where this was checked.
    pub(crate) levels: &'a dyn Fn(&[&'static str]) -> Vec<Level>,
    /// What keeps the verdict from a PASS beside what was compared.
    pub(crate) inconclusive: Vec<String>,
    /// Whether the run ends otherwise than the reference's do.
    pub(crate) differs: bool,
    /// Of a trace of a sample of the weights, which.
    pub(crate) sample: Option<Sampled>,
}

/// The report on a trace by epochs.
pub(crate) fn report_on(
    collector: Collector,
    trace: &Trace,
    options: &CheckOptions,
    step: Told,
    runs: Option<Vec<RunComparison>>,
) -> Report {
    let mut inconclusive: Vec<String> = step.inconclusive.clone().into_iter().collect();
    inconclusive.extend(runs.as_deref().and_then(undecided));
    let differs = runs.iter().flatten().any(|run| run.outcome == Equivalence::Different);
    let descends = collector.descends();
    collector.report(About {
        file: trace.path().display().to_string(),
        producer: trace.header.producer.clone(),
        count: trace.epochs().count(),
        events: "epochs",
        names: EQUATION_NAMES,
        warnings: warnings(trace),
        levels: &|checked| levels(checked, options, step.clone(), descends, runs.clone()),
        inconclusive,
        differs,
        sample: Sampled::of(trace),
    })
}

/// What keeps an ensemble that was asked for from deciding.
fn undecided(runs: &[RunComparison]) -> Option<String> {
    let open = runs.iter().filter(|run| run.is_decisive && run.outcome == Equivalence::Undecided);
    let open: Vec<&str> = open.map(|run| run.quantity).collect();
    if runs.is_empty() {
        return Some(format!("level run: {NOTHING_IN_COMMON}"));
    }
    (!open.is_empty())
        .then(|| format!("level run: {} undecided: more runs, or longer ones, tell more", open.join(", ")))
}

/// Where an ensemble has nothing to be compared by.
const NOTHING_IN_COMMON: &str = "no quantity that both the port's and the reference runs have";

/// Every level: what it compared, or what it would need.
fn levels(
    checked: &[&'static str],
    options: &CheckOptions,
    step: Told,
    descends: bool,
    runs: Option<Vec<RunComparison>>,
) -> Vec<Level> {
    let level = |name, checked, status: String| Level { name, checked, status };
    let method: Vec<&str> = checked.iter().copied().filter(|name| *name != "alg1").collect();
    let names = if method.is_empty() { "nothing is recorded".to_string() } else { method.join(" ") };
    let exact = if options.exact { names.clone() } else { "needs --exact, for the cases in golden/exact".to_string() };
    let epoch = if descends {
        "alg1: from an epoch's first weights through all its gradients to its last".to_string()
    } else {
        "needs every batch's gradients, init, the weights and the optimizer's hyper-parameters".to_string()
    };
    let run = match &runs {
        None => "needs --ensemble, reference runs to compare with".to_string(),
        Some(runs) if runs.is_empty() => NOTHING_IN_COMMON.to_string(),
        Some(runs) => runs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    vec![
        level("exact", options.exact && !method.is_empty(), exact),
        level("method", !method.is_empty(), names),
        level("step", step.checked, step.status),
        level("epoch", descends, epoch),
        level("run", runs.is_some_and(|runs| !runs.is_empty()), run),
    ]
}

/// What a user should know that is no finding.
fn warnings(trace: &Trace) -> Vec<String> {
    let header = trace.header.unknown.iter().map(|key| format!("header key `{key}` is not one of the format's"));
    let tensors = report::first(
        trace.unknown(),
        |name| format!("tensor `{name}` is not one of the format's"),
        |more| format!("{more} more tensors are not the format's"),
    );
    let (first, last) = trace.header.epochs().into_inner();
    let beyond = report::first(
        trace.beyond(),
        move |name| {
            format!("tensor `{name}` is of no epoch from {first} to {last}, which `epochs` and `epoch_origin` give")
        },
        |more| format!("{more} more tensors are of no epoch from {first} to {last}"),
    );
    let has = |name: &String| trace.parameters().iter().any(|parameter| parameter.name == *name);
    let ghosts = trace.header.not_prunable.iter().filter(|name| !has(name));
    let ghosts = ghosts.map(|name| format!("`not_prunable` names `{name}`, of which the trace has no tensor"));
    let no_decay = trace.header.optimizer.no_decay.iter().filter(|name| !has(name));
    let no_decay = no_decay.map(|name| format!("`no_decay` names `{name}`, of which the trace has no tensor"));
    header.chain(tensors).chain(beyond).chain(ghosts).chain(no_decay).collect()
}
