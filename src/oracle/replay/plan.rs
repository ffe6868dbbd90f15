//! [`Plan`]: what an input trace has and lacks, settled before any arithmetic.

use crate::error::{Error, Result};
use crate::paper::reading::{GradientOf, LearningRateStep, MaskedGradient, RewindUpdate};
use crate::trace::names::of_parameter;
use crate::trace::{KEY, RewindsAt, SgdHyperparameters, Trace, TracedMethod, TracedParameter};

/// Where the weights at the end of an epoch come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// `weights_before` of every epoch.
    Recorded,
    /// SGD from `init`.
    Stepped,
    /// Nowhere; of W, this leaves Eq. 1 to 8.
    Unknown,
}

/// What is computed, and from what.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// One a parameter; all [`Source::Unknown`] where the weights of W are not all known.
    pub(super) sources: Vec<Source>,
    /// Whether a parameter goes through the optimizer's steps: for its weights, or for weight decay inside G.
    pub(super) descends: Vec<bool>,
    /// Whether k* is known: random rewind's needs every epoch's draw, and fixed rewind's is not seen within an epoch.
    pub(super) knows_rewind: bool,
    /// How many gradients there are to read.
    pub(super) gradients: usize,
    pub(super) notes: Vec<String>,
}

fn has_init(trace: &Trace, parameter: &TracedParameter) -> bool {
    trace.has(&format!("init/{}", parameter.name))
}

fn has_gradients(trace: &Trace, k: usize, parameter: &TracedParameter) -> bool {
    trace.has(&of_parameter(k, "batch/0/grad", parameter))
}

impl Plan {
    /// # Errors
    /// [`Error::File`] if epochs or gradients of W are missing, `weights_before` is there for some epochs only, or the
    /// reading needs what the trace does not have.
    pub(super) fn new(trace: &Trace) -> Result<Self> {
        if let Some(sample) = trace.sample() {
            let place = format!("metadata `{KEY}`: sample");
            let found = format!("a sample, of share {}", sample.share);
            return Err(Error::file(
                trace.path(),
                place,
                "nothing: a replay adds up the gradients of all weights",
                found,
            ));
        }
        check_epochs(trace)?;
        for k in trace.epochs() {
            if let Some(parameter) = trace.prunable().iter().find(|p| !has_gradients(trace, k, p)) {
                return Err(missing(
                    trace,
                    &of_parameter(k, "batch/0/grad", parameter),
                    "present: a replay starts from it",
                ));
            }
        }
        let mut notes = Vec::new();
        let mut sources =
            trace.parameters().iter().map(|p| source(trace, p, &mut notes)).collect::<Result<Vec<Source>>>()?;
        let of_w = &sources[..trace.prunable().len()];
        let lacking = trace.prunable().iter().zip(of_w).find(|(_, source)| **source == Source::Unknown);
        let no_start = trace.prunable().iter().find(|p| starts_from_init(trace) && !has_init(trace, p));
        let no_draw = trace.epochs().find(|&k| is_drawn(trace) && !trace.has(&format!("epoch/{k}/draw")));
        if let Some(parameter) = lacking.map(|(parameter, _)| parameter).or(no_start) {
            let name = &parameter.name;
            notes.push(format!(
                "only Eq. 1 to 8 are computed: `{name}` has {}",
                match (lacking, trace.header.method) {
                    (Some(_), _) =>
                        "neither weights_before nor init with lr, momentum and weight_decay of SGD's own steps",
                    (None, TracedMethod::Gdstar) =>
                        "no init, which the first epoch rewinds to under rewind_update = after-pruning",
                    (None, _) => "no init, which the method rewinds to",
                }
            ));
            sources.fill(Source::Unknown);
        }
        if let Some(k) = no_draw {
            notes.push(format!("only Eq. 1 to 8 are computed: without `epoch/{k}/draw` the rewind point is not known"));
            sources.fill(Source::Unknown);
        }
        let within = captured_within(trace);
        if let Some(step) = within {
            notes.push(format!(
                "only Eq. 1 to 8 are computed: W_k* is captured after step {step}, between the steps of an epoch"
            ));
            sources.fill(Source::Unknown);
        }
        let descends = descends(trace, &sources)?;
        if sources.contains(&Source::Recorded) {
            notes.push(
                "lr, momentum and weight_decay are left out of the result: its weights_before are the input's"
                    .to_string(),
            );
        }
        let batches: usize = trace.epochs().map(|k| trace.batches(k)).sum();
        Ok(Self {
            sources,
            descends,
            knows_rewind: no_draw.is_none() && within.is_none(),
            gradients: batches.saturating_mul(trace.parameters().len()),
            notes,
        })
    }

    /// Whether the weights of W are known at the end of every epoch.
    pub(super) fn knows_weights(&self) -> bool {
        self.sources.iter().any(|source| *source != Source::Unknown)
    }

    /// Whether no weights are recorded ones.
    pub(super) fn steps_all_weights(&self) -> bool {
        !self.sources.contains(&Source::Recorded)
    }
}

/// Whether what an epoch rewinds to may be W_0: Alg. 4 moves the rewind point in the first epoch, before its pruning.
fn starts_from_init(trace: &Trace) -> bool {
    let after_pruning = trace.header.reading.rewind_update == RewindUpdate::AfterPruning;
    after_pruning || trace.header.method != TracedMethod::Gdstar
}

fn is_drawn(trace: &Trace) -> bool {
    trace.header.method == TracedMethod::RandomRewind
}

/// The step after which fixed rewind captures W_k*, if that is not an epoch's last.
fn captured_within(trace: &Trace) -> Option<usize> {
    let RewindsAt::Step(step) = trace.header.rewinds_at? else { return None };
    let mut steps = 0;
    for k in trace.epochs() {
        steps += trace.batches(k);
        if steps >= step {
            return (steps > step && step > 0).then_some(step);
        }
    }
    None
}

/// Alg. 4 starts with the first epoch, and each epoch starts from the one before.
fn check_epochs(trace: &Trace) -> Result<()> {
    let first = trace.header.reading.epoch_origin.first();
    let count = trace.epochs().count();
    let last = first + trace.header.hyper.epochs - 1;
    if let Some((expected, found)) = (first..).zip(trace.epochs()).find(|(expected, found)| expected != found) {
        let place = format!("tensors `epoch/{expected}/..`");
        let expected = format!("every epoch from {first} on, without a gap");
        return Err(Error::file(trace.path(), place, expected, format!("epoch {found} instead")));
    }
    match trace.epochs().next_back() {
        None => Err(missing(trace, &format!("epoch/{first}/batch/0/grad/.."), "present: a replay starts from it")),
        Some(k) if k > last => {
            let place = format!("tensors `epoch/{k}/..`");
            let expected = format!("epochs {first} to {last}, as `epochs` and `epoch_origin` say");
            Err(Error::file(trace.path(), place, expected, format!("{count} epochs")))
        }
        Some(_) => Ok(()),
    }
}

fn missing(trace: &Trace, name: &str, expected: &str) -> Error {
    Error::file(trace.path(), format!("tensor `{name}`"), expected, "nothing")
}

/// Where a parameter's weights come from.
fn source(trace: &Trace, parameter: &TracedParameter, notes: &mut Vec<String>) -> Result<Source> {
    let recorded = |k: &usize| trace.has(&of_parameter(*k, "weights_before", parameter));
    let count = trace.epochs().filter(recorded).count();
    let of_w = trace.prunable().iter().any(|p| p.name == parameter.name);
    if !of_w && trace.header.method != TracedMethod::Gdstar && !has_init(trace, parameter) {
        notes.push(format!("`{}` is left out: it has no init, which the method rewinds to", parameter.name));
        return Ok(Source::Unknown);
    }
    if count == trace.epochs().count() {
        return Ok(Source::Recorded);
    }
    if count > 0 {
        let k = trace.epochs().find(|k| !recorded(k)).unwrap_or_default();
        let name = of_parameter(k, "weights_before", parameter);
        return Err(missing(trace, &name, "present, as it is in other epochs (or in none, with `init`)"));
    }
    let has_all_gradients = trace.epochs().all(|k| has_gradients(trace, k, parameter));
    if has_init(trace, parameter) && has_all_gradients && sgd(trace).is_ok() {
        return Ok(Source::Stepped);
    }
    if !of_w {
        notes.push(format!(
            "`{}` is left out: it has neither weights_before nor init, gradients, lr, momentum and weight_decay of SGD's \
             own steps",
            parameter.name
        ));
    }
    Ok(Source::Unknown)
}

/// Which parameters go through the optimizer's steps.
fn descends(trace: &Trace, sources: &[Source]) -> Result<Vec<bool>> {
    let reading = &trace.header.reading;
    let decays = reading.gradient == GradientOf::LossAndDecay;
    if decays {
        sgd(trace)?;
        if let Some(p) = trace.prunable().iter().find(|p| !has_init(trace, p)) {
            let expected = "present: `gradient` = `loss+decay` needs the weights of every step";
            return Err(missing(trace, &format!("init/{}", p.name), expected));
        }
        if let Some((p, _)) = trace.prunable().iter().zip(sources).find(|(_, source)| **source == Source::Unknown) {
            let expected = "present: `gradient` = `loss+decay` needs the weights of every step";
            return Err(missing(trace, &format!("epoch/../weights_before/{}", p.name), expected));
        }
    }
    let of_w = |p: usize| p < trace.prunable().len();
    let descends: Vec<bool> =
        sources.iter().enumerate().map(|(p, s)| *s == Source::Stepped || (decays && of_w(p))).collect();
    let per_step = reading.learning_rate == LearningRateStep::PerStep;
    let first = trace.epochs().next().map_or(0, |k| trace.batches(k));
    if let Some(k) = trace.epochs().find(|k| per_step && trace.batches(*k) != first)
        && descends.contains(&true)
    {
        let place = format!("tensors `epoch/{k}/batch/..`");
        let expected = format!("{first} batches, as in the first epoch, for a learning rate per step");
        return Err(Error::file(trace.path(), place, expected, trace.batches(k)));
    }
    Ok(descends)
}

/// The optimizer's hyper-parameters, where there is no way without: of SGD as a header means it that declares nothing
/// else of the steps.
pub(super) fn sgd(trace: &Trace) -> Result<SgdHyperparameters> {
    if !trace.header.optimizer.is_plain() {
        let place = format!("metadata `{KEY}`: optimizer, clip, schedule, no_decay");
        return Err(Error::file(trace.path(), place, "none of them, to take the optimizer's steps", "steps declared"));
    }
    trace.header.sgd.ok_or_else(|| {
        let place = format!("metadata `{KEY}`: hyper");
        Error::file(
            trace.path(),
            place,
            "lr, momentum and weight_decay, to take the optimizer's steps",
            "not all of them",
        )
    })
}

/// Which weights of W are alive before an epoch, as the input says it; `None` where it does not.
///
/// # Errors
/// As [`Trace::mask`].
pub(super) fn recorded_mask(trace: &Trace, k: usize, parameter: &TracedParameter) -> Result<Option<Vec<bool>>> {
    if let Some(mask) = trace.mask(&of_parameter(k, "mask_before", parameter), parameter)? {
        return Ok(Some(mask));
    }
    match k.checked_sub(1) {
        Some(before) => trace.mask(&of_parameter(before, "mask", parameter), parameter),
        None => Ok(None),
    }
}

/// The error of a mask that matters and is not known.
pub(super) fn unknown_mask(trace: &Trace, k: usize, treatment: MaskedGradient) -> Error {
    let expected = format!("present: `masked_gradient` = `{treatment}` needs it, and the weights are not known");
    missing(trace, &format!("epoch/{k}/mask_before/.."), &expected)
}
