//! How large a trace by steps may become, before anything is recorded.

use crate::method::Quantity;
use crate::method::quantity::Kind;
use crate::method::record::OF_A_RUN;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, description_bytes};
use crate::train::{Run, State};
use safetensors::tensor::Dtype;

/// What of a step has an entry for each of every trained parameter; the first two also where a method acts once.
const OF_PARAMETERS: [&str; 6] = ["weights_before", "weights_after", "momentum_before", "grad", "between", "momentum"];

/// Bytes of tensors and of their descriptions: no fewer than the trace takes. A step that is no update has less than one that
/// is, and no method tells all that its kind has.
pub(super) fn bytes<S: Scalar + Element>(run: &Run, state: &State<S>) -> (u64, u64) {
    let entry = run.config.method.entry();
    let last = run.config.hyper.epochs * run.batches_per_epoch();
    let is_recorded = |t: &usize| run.config.outputs.trace_steps.has(*t, state.sparsifier.step_needs(*t).is_update);
    let recorded = match run.config.options.count("episodes") {
        _ if entry.acts_once() => 1,
        // An episode may be an update, or not.
        Some(episodes) => (0..episodes).filter(|&t| run.config.outputs.trace_steps.has(t, true)).count() as u64,
        None => (state.steps..last).filter(is_recorded).count() as u64,
    };
    let tensors = Tensors { state, run };
    let once = OF_A_RUN.iter().map(|quantity| tensors.of(quantity, "")).chain([tensors.of_parameters("init")]);
    let of_parameters = match (entry.acts_once(), entry.tells_itself) {
        (_, true) => &OF_PARAMETERS[..0],
        (true, _) => &OF_PARAMETERS[..2],
        _ => &OF_PARAMETERS,
    };
    let prefix = format!("step/{last}/");
    let told = entry.quantities.iter().filter(|quantity| quantity.tensor.is_some());
    let step = told
        .map(|quantity| tensors.of(quantity, &prefix))
        .chain(of_parameters.iter().map(|tensor| tensors.of_parameters(&format!("{prefix}{tensor}"))))
        .chain(["mask_before", "mask"].map(|tensor| tensors.of_w(&format!("{prefix}{tensor}"), Dtype::U8, 1)))
        .chain(["lr", "updated"].map(|tensor| tensors.one(&format!("{prefix}{tensor}"), Dtype::F64, &[1], 8)));
    let sum = |sizes: &mut dyn Iterator<Item = (u64, u64)>| sizes.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
    let ((once, of_once), (step, of_step)) = (sum(&mut once.into_iter()), sum(&mut step.into_iter()));
    (once + recorded * step, of_once + recorded * of_step)
}

/// Sizes of tensors: their numbers', and their descriptions'.
struct Tensors<'a, S: Scalar> {
    state: &'a State<S>,
    run: &'a Run<'a>,
}

impl<S: Scalar + Element> Tensors<'_, S> {
    fn one(&self, name: &str, dtype: Dtype, shape: &[usize], size: u64) -> (u64, u64) {
        // Twenty digits of offsets, as no file is larger.
        (size * shape.iter().product::<usize>() as u64, description_bytes(name, dtype, shape, u64::MAX))
    }

    /// Of every parameter of W.
    fn of_w(&self, name: &str, dtype: Dtype, size: u64) -> (u64, u64) {
        let segments = self.state.weights.set().segments().iter();
        let parameters = segments.map(|segment| &self.state.weights.parameters[segment.parameter]);
        let sizes = parameters.map(|p| self.one(&format!("{name}/{}", p.name), dtype, p.value.shape(), size));
        sizes.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }

    /// Of every parameter that is trained.
    fn of_parameters(&self, name: &str) -> (u64, u64) {
        let trained = self.state.weights.parameters.iter().filter(|parameter| parameter.role.is_trained());
        let sizes = trained.map(|p| self.one(&format!("{name}/{}", p.name), S::DTYPE, p.value.shape(), S::SIZE as u64));
        sizes.fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
    }

    /// Of every layer, as much as its outputs in a batch, its inputs or its weights take, whichever is the most.
    fn of_layers(&self, name: &str) -> (u64, u64) {
        let batch = self.run.config.optimizer.batch_size;
        let layers = self.run.network.summary::<S>(2).map(|summary| summary.layers).unwrap_or_default();
        let mut input: usize = self.run.network.input.iter().product();
        let mut sizes = (0, 0);
        for layer in layers {
            let output: usize = layer.output.iter().product();
            let most = (batch * output.max(input)).max(layer.parameters);
            let (bytes, description) = self.one(&format!("{name}/{}", layer.name), S::DTYPE, &[most; 4], 0);
            sizes = (sizes.0 + bytes + (most * S::SIZE) as u64, sizes.1 + description);
            input = output;
        }
        sizes
    }

    fn of(&self, quantity: &Quantity, prefix: &str) -> (u64, u64) {
        let Some(tensor) = quantity.tensor else { return (0, 0) };
        let (name, layers) = (format!("{prefix}{tensor}"), self.state.weights.parameters.len().max(2));
        match quantity.kind {
            Kind::Real | Kind::Count => self.one(&name, Dtype::F64, &[1], 8),
            Kind::Reals | Kind::Counts => self.one(&name, Dtype::F64, &[layers], 8),
            Kind::PerWeight => self.of_w(&name, S::DTYPE, S::SIZE as u64),
            Kind::Flags => self.of_w(&name, Dtype::U8, 1),
            Kind::FlagList => self.one(&name, Dtype::U8, &[layers], 1),
            Kind::OfLayers => self.of_layers(&name),
            Kind::Name(_) => (0, 0),
        }
    }
}
