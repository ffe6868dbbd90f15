//! How large a trace will be, before anything is recorded.

use crate::scalar::Scalar;
use crate::tensor_file::Element;
use crate::trace::TracedMethod;
use crate::train::{Run, State};

/// The bytes of the tensors in the trace of a whole run, with every batch's gradients where the run records them: what
/// [`TraceWriter`](super::TraceWriter) writes, but for the header. While the file is completed the disk holds it twice.
pub fn expected_trace_size<S: Scalar + Element>(run: &Run, state: &State<S>) -> u64 {
    let loader = run.loader(0);
    let (number, integer, real) = (S::SIZE as u64, i64::SIZE as u64, f64::SIZE as u64);
    let trained = state.weights.parameters.iter().filter(|parameter| parameter.role.is_trained());
    let all: u64 = trained.map(|parameter| parameter.value.len() as u64).sum();
    let w = state.weights.len() as u64;
    // The running minimum, or what a method has in its place.
    let alg4 = match run.config.method.entry().name.parse() {
        Ok(TracedMethod::Gdstar) => number,
        Ok(TracedMethod::RandomRewind) => real,
        Ok(TracedMethod::Reset) | Err(_) => 0,
    };
    // Weights before and after; G and W_k*; four norms and thresholds, the chunks' quantiles; three masks; k*, t, alpha.
    let epoch = number * (2 * all + 2 * w + 4 + run.config.hyper.chunks as u64) + alg4 + 3 * w + 2 * integer + real;
    let batches = loader.batches() as u64 * (number * all + real) + integer * loader.samples() as u64;
    let epochs = run.config.hyper.epochs as u64;
    number * all + epochs * (epoch + if run.config.outputs.trace_gradients { batches } else { 0 })
}
