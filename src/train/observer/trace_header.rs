//! What a trace says of its run, and which runs it has words for.

use crate::error::{Error, Result};
use crate::method::METHODS;
use crate::paper::rewind::REWIND_PROBABILITY;
use crate::scalar::Scalar;
use crate::trace::{Arithmetic, Header, KEY, Optimizer, SgdHyperparameters};
use crate::train::{Config, State};
use serde_json::{Map, Value};

/// Whether the format has words for all that a run of this configuration does.
///
/// # Errors
/// [`Error::Domain`] naming the option for which it has none.
pub fn check_traceable(config: &Config) -> Result<()> {
    if !config.method.entry().is_traced {
        let traced: Vec<_> =
            METHODS.iter().filter(|method| method.entry().is_traced).map(ToString::to_string).collect();
        let expected = format!("{}, by whose rules a trace is checked", traced.join(" | "));
        return Err(Error::domain("--trace with --method", expected, config.method));
    }
    if let Some(structure) = config.structure {
        return Err(Error::domain("--trace with --structure", "none, since the format has no groups", structure));
    }
    Ok(())
}

/// The `__metadata__` of the trace: the format's header under `gdstar`, the configuration under `gdstar-config`.
pub(super) fn header<S: Scalar>(config: &Config, state: &State<S>) -> Result<Map<String, Value>> {
    check_traceable(config)?;
    let (hyper, sgd, reading) = (&config.hyper, &config.optimizer, &config.reading);
    let parameters = &state.weights.parameters;
    let prunable = state.weights.set().segments().iter().map(|segment| &parameters[segment.parameter]);
    let undecayed = parameters.iter().filter(|p| p.role.is_trained() && !p.role.is_decayed(reading.decayed));
    let header = Header {
        method: config.method.entry().name.parse()?,
        producer: concat!("gdstar ", env!("CARGO_PKG_VERSION")).to_string(),
        arithmetic: Arithmetic::of(S::NAME.parse()?),
        declares_rounding: false,
        hyper: *hyper,
        rewind_probability: REWIND_PROBABILITY,
        sgd: Some(SgdHyperparameters { lr: sgd.learning_rate, momentum: sgd.momentum, weight_decay: sgd.weight_decay }),
        batch_size: Some(sgd.batch_size),
        optimizer: Optimizer { no_decay: undecayed.map(|p| p.name.clone()).collect(), ..Optimizer::default() },
        reading: *reading,
        declares_last_batch: false,
        model: Some(config.model.clone()),
        dataset: Some(config.data.to_string()),
        params: prunable.map(|p| p.name.clone()).collect(),
        not_prunable: Vec::new(),
        replayed: false,
        unknown: Vec::new(),
    };
    let config =
        serde_json::to_string(&config.without_outputs()).map_err(|e| Error::domain("configuration", "JSON", e))?;
    Ok(Map::from_iter([
        (KEY.to_string(), Value::String(header.to_json().to_string())),
        ("gdstar-config".to_string(), Value::String(config)),
    ]))
}
