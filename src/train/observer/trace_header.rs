//! What a trace says of its run, and which runs it has words for.

use crate::error::{Error, Result};
use crate::method::gdstar::STOPS;
use crate::method::options::{self, Part};
use crate::method::{Entry, METHODS, Method, MethodOption};
use crate::paper::reading::{LearningRateStep, Reading};
use crate::paper::rewind::REWIND_PROBABILITY;
use crate::scalar::Scalar;
use crate::trace::{
    Arithmetic, FORMAT, Header, KEY, Kept, MaskForm, Optimizer, RewindsAt, Sample, Schedule, SgdHyperparameters,
    TracedMethod,
};
use crate::train::{Config, RateSchedule, Run, State};
use crate::weights::Weights;
use serde_json::{Map, Value, json};

/// Whether the format has words for all that a run of this configuration does.
///
/// # Errors
/// [`Error::Domain`] naming the option for which it has none.
pub fn check_traceable(config: &Config) -> Result<()> {
    let has_words = |method: Method| method.entry().is_traced || method.entry().records_steps;
    if !has_words(config.method) {
        let traced: Vec<_> = METHODS.iter().filter(|&&method| has_words(method)).map(ToString::to_string).collect();
        let expected = format!("{}, by whose rules a trace is checked", traced.join(" | "));
        return Err(Error::domain("--trace with --method", expected, config.method));
    }
    if config.outputs.trace_gradients && config.method.entry().records_steps {
        let expected = "none, since the trace of a step has its gradient";
        return Err(Error::domain("--trace-gradients with --method", expected, config.method));
    }
    let is_thinned = config.outputs.trace_sample.is_some() || config.outputs.trace_masks != MaskForm::Bytes;
    if is_thinned && config.method.entry().records_steps {
        let expected = "none, since what a step selects, it selects among all weights";
        return Err(Error::domain("--trace-sample and --trace-masks with --method", expected, config.method));
    }
    let stop = STOPS.iter().find_map(|stop| Some((stop, config.options.get(stop.key)?)));
    if let Some((stop, value)) = stop.filter(|_| config.method.entry().is_traced) {
        let option = format!("--trace with {}", stop.option());
        return Err(Error::domain(option, "none, since the equations alone know of no stop", value));
    }
    if let Some(structure) = config.structure {
        return Err(Error::domain("--trace with --structure", "none, since the format has no groups", structure));
    }
    Ok(())
}

/// The `__metadata__` of the trace: the format's header under `gdstar`, the configuration under `gdstar-config`.
pub(super) fn header<S: Scalar>(run: &Run, state: &State<S>) -> Result<Map<String, Value>> {
    let config = run.config;
    check_traceable(config)?;
    if config.method.entry().records_steps {
        return step_header(run, state);
    }
    let (hyper, sgd, reading) = (&config.hyper, &config.optimizer, &config.reading);
    let parameters = &state.weights.parameters;
    let prunable = state.weights.set().segments().iter().map(|segment| &parameters[segment.parameter]);
    let undecayed = parameters.iter().filter(|p| p.role.is_trained() && !p.role.is_decayed(reading.decayed));
    let (schedule, learning_rate) = schedule(run);
    let header = Header {
        method: config.method.entry().name.parse()?,
        producer: concat!("gdstar ", env!("CARGO_PKG_VERSION")).to_string(),
        arithmetic: Arithmetic::of(S::NAME.parse()?),
        declares_rounding: false,
        hyper: *hyper,
        rewind_probability: REWIND_PROBABILITY,
        rewinds_at: rewinds_at(run),
        sgd: Some(SgdHyperparameters { lr: sgd.learning_rate, momentum: sgd.momentum, weight_decay: sgd.weight_decay }),
        batch_size: Some(sgd.batch_size),
        optimizer: Optimizer {
            schedule,
            nesterov: sgd.nesterov,
            no_decay: undecayed.map(|p| p.name.clone()).collect(),
            ..Optimizer::default()
        },
        label_smoothing: config.label_smoothing,
        reading: Reading { learning_rate, ..*reading },
        declares_last_batch: false,
        model: Some(config.model.clone()),
        dataset: Some(config.data.to_string()),
        params: prunable.map(|p| p.name.clone()).collect(),
        not_prunable: run.dense.clone(),
        replayed: false,
        kept: kept(config, state),
        unknown: Vec::new(),
    };
    metadata(config, &header.to_json())
}

/// About how many coordinates a sample has of each parameter at least: small parameters are kept whole, which takes little,
/// and so no layer goes unseen.
const LEAST_OF_A_PARAMETER: usize = 1024;

/// What the trace of a run keeps of its parameters' tensors.
pub(super) fn kept<S: Scalar>(config: &Config, state: &State<S>) -> Kept {
    let trained = || state.weights.parameters.iter().filter(|p| p.role.is_trained());
    let sample = |share| Sample { share, least: LEAST_OF_A_PARAMETER, has_whole_masks: true };
    let sample = config.outputs.trace_sample.map(sample);
    let shapes = trained().filter(|_| sample.is_some()).map(|p| (p.name.clone(), p.value.shape().to_vec()));
    Kept { masks: config.outputs.trace_masks, sample, shapes: shapes.collect() }
}

/// What a header may list, which is a JSON text of at most 4 MiB.
const MOST_RATES: usize = 100_000;

/// The learning rates of the run's steps: by their rule where the format has it, else one an epoch, or one a step where they
/// move within one.
fn schedule(run: &Run) -> (Schedule, LearningRateStep) {
    let (config, batches) = (run.config, run.batches_per_epoch());
    let reading = config.reading.learning_rate;
    match config.schedule {
        RateSchedule::Cosine => return (Schedule::Cosine, reading),
        RateSchedule::Constant => return (Schedule::Constant, reading),
        _ => {}
    }
    let rates: Vec<f64> = (0..config.hyper.epochs.saturating_mul(batches))
        .map(|t| run.learning_rate(t / batches.max(1), t, batches))
        .collect();
    let epochs: Vec<&[f64]> = rates.chunks(batches.max(1)).collect();
    let are_even = epochs.iter().all(|rates| rates.iter().all(|rate| *rate == rates[0]));
    match (are_even, rates.len()) {
        (true, _) => (Schedule::Rates(epochs.iter().map(|rates| rates[0]).collect()), LearningRateStep::PerEpoch),
        (false, ..=MOST_RATES) => (Schedule::Rates(rates), LearningRateStep::PerStep),
        // The steps of so long a run are not followed.
        (false, _) => (Schedule::Other, reading),
    }
}

/// When fixed rewind captures W_k*; `None` of other methods.
fn rewinds_at(run: &Run) -> Option<RewindsAt> {
    let setup = run.config.setup(&run.network, run.batches_per_epoch());
    let epoch = setup.options.count("rewind_epoch").map(RewindsAt::Epoch);
    let is_fixed = run.config.method.entry().name == TracedMethod::FixedRewind.name();
    epoch.or_else(|| setup.options.step("rewind_step", setup.length).map(RewindsAt::Step)).filter(|_| is_fixed)
}

/// The header of a run's trace by steps.
fn step_header<S: Scalar>(run: &Run, state: &State<S>) -> Result<Map<String, Value>> {
    let (config, entry) = (run.config, run.config.method.entry());
    let setup = config.setup(&run.network, run.batches_per_epoch());
    let values = (entry.of_run)(&setup)?;
    let value = |option: &MethodOption| {
        let of_run = values.iter().find(|(key, _)| *key == option.key).map(|(_, value)| value.clone());
        of_run.or_else(|| Some(config.options.get(option.key)?.in_steps(setup.length)))
    };
    step_metadata(entry, value, config, Some((&state.weights, &(entry.layers)(&run.network)?)))
}

/// The `__metadata__` of a trace by steps: the method's own hyper-parameters and readings, all with the values that the run
/// has, and the parameters of W, where the method has one: those of its [layers](Entry::layers), where it tells of layers.
pub(crate) fn step_metadata<S: Scalar>(
    entry: &Entry,
    value: impl Fn(&MethodOption) -> Option<options::Value>,
    config: &Config,
    weights: Option<(&Weights<S>, &[usize])>,
) -> Result<Map<String, Value>> {
    let optimizer = &config.optimizer;
    let mut hyper = Map::from_iter([
        ("lr".to_string(), json!(optimizer.learning_rate)),
        ("momentum".to_string(), json!(optimizer.momentum)),
        ("weight_decay".to_string(), json!(optimizer.weight_decay)),
        ("batch_size".to_string(), json!(optimizer.batch_size)),
        ("epochs".to_string(), json!(config.hyper.epochs)),
    ]);
    let mut reading = Map::new();
    if weights.is_some() {
        reading.insert("prunable".to_string(), json!(config.reading.prunable));
    }
    for option in entry.options.iter().filter(|option| option.part != Part::Run) {
        if let Some(value) = value(option) {
            let part = if option.part == Part::Hyper { &mut hyper } else { &mut reading };
            part.insert(option.key.to_string(), json!(value));
        }
    }
    let (params, no_decay) = weights.map(|(weights, layers)| names(entry, weights, layers, config)).unwrap_or_default();
    let mut header = json!({
        "format": FORMAT, "producer": concat!("gdstar ", env!("CARGO_PKG_VERSION")), "method": entry.name,
        "dtype": S::NAME, "hyper": hyper, "reading": reading,
        "model": config.model, "dataset": config.data.to_string(), "params": params,
    });
    if !no_decay.is_empty() {
        header["no_decay"] = json!(no_decay);
    }
    if optimizer.nesterov && !entry.tells_itself {
        header["nesterov"] = json!(true);
    }
    metadata(config, &header)
}

/// The parameters of W, and those that weight decay does not act on. What a method that moves no weights tells is of layers:
/// of these, or of none by name.
fn names<'w, S: Scalar>(
    entry: &Entry,
    weights: &'w Weights<S>,
    layers: &[usize],
    config: &Config,
) -> (Vec<&'w str>, Vec<&'w str>) {
    let parameters = &weights.parameters;
    let prunable = weights.set().segments().iter().map(|segment| segment.parameter);
    let told = prunable.filter(|p| !entry.tells_itself || layers.contains(p)).map(|p| &parameters[p]);
    let undecayed = parameters.iter().filter(|p| p.role.is_trained() && !p.role.is_decayed(config.reading.decayed));
    let undecayed = undecayed.filter(|_| !entry.tells_itself);
    (told.map(|p| &*p.name).collect(), undecayed.map(|p| &*p.name).collect())
}

/// The format's header, and the configuration beside it.
fn metadata(config: &Config, header: &Value) -> Result<Map<String, Value>> {
    let config =
        serde_json::to_string(&config.without_outputs()).map_err(|e| Error::domain("configuration", "JSON", e))?;
    Ok(Map::from_iter([
        (KEY.to_string(), Value::String(header.to_string())),
        ("gdstar-config".to_string(), Value::String(config)),
    ]))
}
