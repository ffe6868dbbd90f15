//! One batch of a trace, as far as the step level needs it.

use crate::error::Result;
use crate::oracle::arithmetic::Tolerance;
use crate::oracle::field::{Field, Flags};
use crate::oracle::step::{Balls, Comparison, Recorded, RecordedGradient, Refusal, Samples};
use crate::paper::reading::MaskedGradient;
use crate::trace::names::gradient;
use crate::trace::{Arithmetic, Clip, Trace};
use ndarray::ArrayD;

pub(super) fn has_indices(trace: &Trace, k: usize) -> bool {
    trace.has(&format!("epoch/{k}/batch/0/indices"))
}

/// Whether the batch itself is recorded, so that no data set has to be known.
pub(super) fn has_samples(trace: &Trace, k: usize) -> bool {
    ["input", "labels"].iter().all(|name| trace.has(&format!("epoch/{k}/batch/0/{name}")))
}

pub(super) fn has_loss(trace: &Trace, k: usize) -> bool {
    trace.has(&format!("epoch/{k}/batch/0/loss"))
}

pub(super) fn has_gradients(trace: &Trace, k: usize) -> bool {
    trace.parameters().iter().any(|parameter| trace.has(&gradient(k, 0, parameter)))
}

/// What no epoch's first batch has together.
pub(super) fn lacking(trace: &Trace) -> String {
    let epochs = |has: fn(&Trace, usize) -> bool| trace.epochs().filter(|&k| has(trace, k)).count();
    format!(
        "needs the indices of an epoch's first batch, or its input and labels, and its loss or gradients, in one epoch; first \
         batches have indices in {} epochs, input and labels in {}, a loss in {}, gradients in {}",
        epochs(has_indices),
        epochs(has_samples),
        epochs(has_loss),
        epochs(has_gradients)
    )
}

/// The batch that the trace itself holds of an epoch's first, if it does; the inner error says why nothing can be said of
/// it.
pub(super) fn recorded_samples(trace: &Trace, k: usize) -> Result<Option<std::result::Result<Samples, Refusal>>> {
    if !has_samples(trace, k) {
        return Ok(None);
    }
    let (input, labels) = (format!("epoch/{k}/batch/0/input"), format!("epoch/{k}/batch/0/labels"));
    let shape = trace.shape(&input).unwrap_or_default().to_vec();
    let values = trace.floats(&input)?.unwrap_or_default();
    let labels = trace.integers(&labels)?.unwrap_or_default();
    let Ok(input) = ArrayD::from_shape_vec(shape.as_slice(), values) else { return Ok(None) };
    let extent = |name: &str| {
        let parameter = trace.parameters().iter().find(|parameter| parameter.name == name)?;
        parameter.shape.first().copied()
    };
    Ok(Some(Samples::recorded(trace.header.model.as_deref(), input, &labels, &extent)))
}

/// Compares an epoch's first batch, of which so many entries of gradients are not 0; the inner error says why it could
/// not be.
pub(super) fn compare(
    trace: &Trace,
    arithmetic: &Arithmetic,
    samples: std::result::Result<Samples, Refusal>,
    k: usize,
    weights: &Field<f64>,
) -> Result<std::result::Result<(Comparison, usize), Refusal>> {
    let loss_name = format!("epoch/{k}/batch/0/loss");
    let loss = trace.floats(&loss_name)?.and_then(|loss| loss.first().copied());
    let masks = trace.header.reading.masked_gradient != MaskedGradient::Dense;
    let mask = Flags::load_flags(trace, &format!("epoch/{k}/mask_before"), trace.prunable())?;
    let mut gradients = Vec::new();
    for (p, parameter) in trace.parameters().iter().enumerate() {
        let name = gradient(k, 0, parameter);
        // Clipped ones are not the loss's.
        let is_clipped = trace.header.optimizer.clip == Some(Clip::Recorded);
        let Some(values) = trace.floats(&name)?.filter(|_| !is_clipped) else { continue };
        let Ok(value) = ArrayD::from_shape_vec(parameter.shape.as_slice(), values) else { continue };
        let alive = mask.of(p, parameter).filter(|_| masks);
        let alive = alive.and_then(|alive| ArrayD::from_shape_vec(parameter.shape.as_slice(), alive.to_vec()).ok());
        gradients.push(RecordedGradient { name: parameter.name.clone(), value, alive, storage: storage(trace, &name) });
    }
    let (loss_storage, label_smoothing) = (storage(trace, &loss_name), trace.header.label_smoothing);
    let recorded = Recorded { loss, loss_storage, label_smoothing, gradients: &gradients };
    let balls = |name: &str| -> Option<Balls> {
        let (p, parameter) = trace.parameters().iter().enumerate().find(|(_, parameter)| parameter.name == name)?;
        let values = weights.of(p, parameter)?.to_vec();
        Some(Balls::exact(ArrayD::from_shape_vec(parameter.shape.as_slice(), values).ok()?))
    };
    let entries = gradients.iter().map(|gradient| gradient.value.iter().filter(|&&g| g != 0.0).count()).sum();
    let comparison = samples.and_then(|samples| samples.check(balls, &recorded, arithmetic));
    Ok(comparison.map(|comparison| (comparison, entries)))
}

/// How far a recorded number may be from the port's: half a unit in its storage's last place, and, for the formats with
/// few exponents, half the smallest subnormal number.
fn storage(trace: &Trace, name: &str) -> Tolerance {
    Tolerance { relative: trace.storage_error(name), absolute: trace.storage_underflow(name) }
}
