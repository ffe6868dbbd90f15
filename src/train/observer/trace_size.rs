//! How large a trace will be, before anything is recorded.

use super::step_trace_size;
use super::trace_file::coordinates;
use super::trace_header::{header, kept};
use crate::error::Result;
use crate::method::quantity::Kind;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, LARGEST_HEADER, description_bytes, metadata_bytes};
use crate::trace::TracedMethod;
use crate::train::{Run, State};
use safetensors::tensor::Dtype;

/// What the trace of a whole run takes on disk, with every batch's gradients where the run records them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceSize {
    /// The bytes of the tensors that [`TraceWriter`](super::TraceWriter) writes.
    pub tensors: u64,
    /// The header takes no more than these.
    pub header: u64,
    /// The header with the shortest names, those of the first epoch and batch.
    pub(super) least_header: u64,
    /// Whether the disk holds all of it twice while it is completed: there was no room for the header when it was begun, or
    /// its parts have no names.
    pub is_copied: bool,
    /// The bytes by which what is to come of it is more than is free on the disk.
    pub missing: u64,
}

impl TraceSize {
    /// Of the trace of a run that begins in `state`.
    ///
    /// # Errors
    /// As [`TraceWriter::new`](super::TraceWriter::new).
    pub fn of<S: Scalar + Element>(run: &Run, state: &State<S>) -> Result<Self> {
        if run.config.method.entry().records_steps {
            let (tensors, described) = step_trace_size::bytes(run, state);
            let header = metadata_bytes(&header(run, state)?) + described;
            return Ok(Self { tensors, header, least_header: 0, is_copied: false, missing: 0 });
        }
        let (first, epochs) = (run.config.reading.epoch_origin.first(), run.config.hyper.epochs);
        let stored = Stored::new(run, state);
        let tensors = tensor_bytes::<S>(run, &stored);
        let metadata = metadata_bytes(&header(run, state)?);
        let last = (first + epochs - 1, run.loader(0).batches().saturating_sub(1));
        Ok(Self {
            tensors,
            header: metadata + described(run, state, &stored, last, tensors),
            least_header: described(run, state, &stored, (first, 0), 0),
            is_copied: false,
            missing: 0,
        })
    }

    /// All of the file.
    pub(super) fn whole(&self) -> u64 {
        self.tensors.saturating_add(self.header)
    }

    /// What is to be said of a trace whose header will be beyond the format's limit.
    pub fn excess(&self) -> Option<String> {
        let told = format!(
            "the trace's header will take more than {} bytes, of which the format allows {LARGEST_HEADER}: nothing will \
             read it; fewer epochs or no --trace-gradients make it smaller",
            self.least_header
        );
        (self.least_header > LARGEST_HEADER).then_some(told)
    }

    /// What is to be said of a trace that the disk has no room for.
    pub fn shortage(&self) -> Option<String> {
        let told = format!("the trace will need {} bytes more than are free", self.missing);
        (self.missing > 0).then_some(told)
    }
}

/// The bytes of the tensors.
fn tensor_bytes<S: Scalar + Element>(run: &Run, stored: &Stored) -> u64 {
    let loader = run.loader(0);
    let (number, integer, real) = (S::SIZE as u64, i64::SIZE as u64, f64::SIZE as u64);
    let size = |shapes: &[(usize, Vec<usize>)]| -> u64 { shapes.iter().map(|(_, shape)| length(shape)).sum() };
    let (all, w, masks) = (size(&stored.trained), size(&stored.w), size(&stored.masks));
    // The running minimum, or what a method has in its place.
    let alg4 = match run.config.method.entry().name.parse() {
        Ok(TracedMethod::Gdstar) => number,
        Ok(TracedMethod::RandomRewind) => real,
        Ok(TracedMethod::Reset | TracedMethod::FixedRewind) | Err(_) => 0,
    };
    // Weights before and after; G and W_k*; four norms and thresholds, the chunks' quantiles; three masks; k*, t, alpha.
    let epoch = number * (2 * all + 2 * w + 4 + run.config.hyper.chunks as u64) + alg4 + 3 * masks + 2 * integer + real;
    let batches = loader.batches() as u64 * (number * all + real) + integer * loader.samples() as u64;
    let list = if stored.is_sample { integer * all } else { 0 };
    number * all + list + run.config.hyper.epochs as u64 * epoch + epochs_with_gradients(run) * batches
}

/// Of how many epochs the gradients are recorded.
fn epochs_with_gradients(run: &Run) -> u64 {
    let first = run.config.reading.epoch_origin.first();
    let epochs = first..first + run.config.hyper.epochs;
    epochs.filter(|&k| run.config.outputs.has_gradients(k)).count() as u64
}

fn length(shape: &[usize]) -> u64 {
    shape.iter().product::<usize>() as u64
}

/// The shapes in which parameters' tensors are stored, each with its parameter.
struct Stored {
    is_sample: bool,
    /// Floats of trained parameters, and of those of W.
    trained: Vec<(usize, Vec<usize>)>,
    w: Vec<(usize, Vec<usize>)>,
    /// Flags of those of W.
    masks: Vec<(usize, Vec<usize>)>,
}

impl Stored {
    fn new<S: Scalar>(run: &Run, state: &State<S>) -> Self {
        let kept = kept(run.config, state);
        let coordinates = coordinates(&kept, &state.weights);
        let parameters = &state.weights.parameters;
        let count = |p: usize| coordinates.get(p).map_or(0, Vec::len);
        let floats = |p: usize| (p, kept.floats_shape(parameters[p].value.shape(), count(p)));
        let masks = |p: usize| (p, kept.flags_shape(parameters[p].value.shape(), count(p)));
        let of_w = || state.weights.set().segments().iter().map(|segment| segment.parameter);
        Self {
            is_sample: kept.sample.is_some(),
            trained: (0..parameters.len()).filter(|&p| parameters[p].role.is_trained()).map(floats).collect(),
            w: of_w().map(floats).collect(),
            masks: of_w().map(masks).collect(),
        }
    }
}

/// The bytes of the tensors' descriptions if all epochs and batches were called k and b, in a file whose tensors end at
/// byte `end`; more than that where a method has not all that its family has.
fn described<S: Scalar + Element>(
    run: &Run,
    state: &State<S>,
    stored: &Stored,
    (k, b): (usize, usize),
    end: u64,
) -> u64 {
    let one = |name: &str, dtype, shape: &[usize]| description_bytes(name, dtype, shape, end);
    let of = |group: &str, dtype, shapes: &[(usize, Vec<usize>)]| -> u64 {
        let name = |p: usize| format!("{group}/{}", state.weights.parameters[p].name);
        shapes.iter().map(|(p, shape)| one(&name(*p), dtype, shape)).sum()
    };
    let trained = |group: &str| of(group, S::DTYPE, &stored.trained);
    let quantities = run.config.method.entry().quantities.iter();
    let quantities = quantities.filter_map(|quantity| quantity.tensor.map(|tensor| (tensor, quantity.kind)));
    let quantity = |(tensor, kind): (&str, Kind)| {
        let name = format!("epoch/{k}/{tensor}");
        match kind {
            Kind::Count => one(&name, Dtype::I64, &[1]),
            // In the run's own numbers or in f64, whose names are as long.
            Kind::Real => one(&name, Dtype::F64, &[1]),
            Kind::Reals => one(&name, S::DTYPE, &[run.config.hyper.chunks]),
            Kind::Counts => one(&name, Dtype::I64, &[state.weights.set().segments().len()]),
            Kind::Name(_) | Kind::FlagList | Kind::OfLayers => 0,
            Kind::PerWeight => of(&name, S::DTYPE, &stored.w),
            Kind::Flags => of(&name, Dtype::U8, &stored.masks),
        }
    };
    let epoch = quantities.map(quantity).sum::<u64>()
        + trained(&format!("epoch/{k}/weights_before"))
        + trained(&format!("epoch/{k}/weights_after"));
    let group = format!("epoch/{k}/batch/{b}");
    let batch = one(&format!("{group}/indices"), Dtype::I64, &[run.config.optimizer.batch_size])
        + one(&format!("{group}/loss"), Dtype::F64, &[1])
        + trained(&format!("{group}/grad"));
    let batches = epochs_with_gradients(run) * run.loader(0).batches() as u64;
    let list = if stored.is_sample { of("sample", Dtype::I64, &stored.trained) } else { 0 };
    trained("init") + list + run.config.hyper.epochs as u64 * epoch + batches * batch
}
