//! Sparse execution changes no result: under Literal not a bit of a checkpoint, a trace or the metrics, under Fast no more
//! than rounding does; and it costs what it says.

use super::{GO_ON, StopAfter, attempt, config, digits, train};
use crate::common::bounds::gamma;
use crate::common::path::path_length;
use gdstar::data::{Dataset, Split};
use gdstar::error::{Error, Result};
use gdstar::kernel::{Kernel, Pattern};
use gdstar::method::{Method, Needs};
use gdstar::nn::state_dict::CHECKPOINT_KEY;
use gdstar::nn::{Compression, Mode, Parameters};
use gdstar::ops::WeightGradient;
use gdstar::paper::reading::{Decayed, MaskedGradient, MomentumOnPrune, Prunable};
use gdstar::scalar::Scalar;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{
    Checkpoint, Config, EpochEvent, EpochRecord, Execution, History, Metrics, Observer, Run, Sgd, SgdSettings, State,
    Step,
};
use gdstar::weights::Weights;
use ndarray::{ArrayD, Dimension};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A few samples, and an eps that eliminates most weights in the first epoch.
fn small(model: &str, samples: usize, epochs: usize) -> (Config, Dataset) {
    let mut dataset = digits();
    dataset.train = dataset.train.select(&(0..samples).collect::<Vec<_>>());
    dataset.test = dataset.test.select(&(0..20).collect::<Vec<_>>());
    let mut config = config(Method::Gdstar, epochs);
    config.model = model.to_string();
    config.hyper.eps = 0.2; // above all but the last layers' first weights
    config.optimizer.batch_size = 32;
    config.kernel = Kernel::Literal;
    (config, dataset)
}

/// The records without seconds and without what the two forms of execution differ in.
fn results(records: &[EpochRecord]) -> Vec<String> {
    let told = |record: &EpochRecord| {
        let record = EpochRecord { seconds: 0.0, effective_flops: None, bytes: None, ..record.clone() };
        serde_json::to_string(&record).unwrap()
    };
    records.iter().map(told).collect()
}

/// Every tensor's bytes, and the metadata with one form of execution put for the other, and without the checksum, which is
/// of that too.
fn contents(path: &Path) -> Vec<(String, Vec<u8>)> {
    let file = TensorFile::open(path).unwrap();
    let checksum =
        file.metadata(CHECKPOINT_KEY).map(|_| Checkpoint::header(&file).unwrap().sha256.unwrap().to_string());
    let unnamed = |key: &str| {
        let text = file.metadata(key).unwrap_or_default();
        let text = text.replace(r#""execution":"dense""#, r#""execution":"sparse""#);
        (key.to_string(), text.replacen(checksum.as_deref().unwrap_or_default(), "", 1).into_bytes())
    };
    let mut contents: Vec<(String, Vec<u8>)> = ["gdstar", "gdstar-config", "gdstar-checkpoint"].map(unnamed).into();
    for name in file.names() {
        let bytes = match file.describe(name).unwrap().0 {
            safetensors::Dtype::F32 => {
                file.read::<f32>(name, None).unwrap().iter().flat_map(|x| x.to_bits().to_le_bytes()).collect()
            }
            safetensors::Dtype::F64 => {
                file.read::<f64>(name, None).unwrap().iter().flat_map(|x| x.to_bits().to_le_bytes()).collect()
            }
            safetensors::Dtype::I64 => {
                file.read::<i64>(name, None).unwrap().iter().flat_map(|x| x.to_le_bytes()).collect()
            }
            _ => file.read::<u8>(name, None).unwrap().iter().copied().collect(),
        };
        contents.push((name.to_string(), bytes));
    }
    contents.sort();
    contents
}

/// Under Literal: checkpoint, trace with gradients, and metrics have the same bytes, whatever a dead weight's gradient
/// counts for; also of a network with convolutions and batch norm.
#[test]
fn literal_runs_are_the_same_under_both() {
    for (model, samples, epochs, masked_gradient) in [
        ("lenet300", 96, 3, MaskedGradient::Dense),
        ("lenet300", 96, 3, MaskedGradient::Zero),
        ("lenet300", 96, 3, MaskedGradient::Excluded),
        ("resnet20", 32, 2, MaskedGradient::Zero),
    ] {
        let (mut config, dataset) = small(model, samples, epochs);
        config.reading.masked_gradient = masked_gradient;
        let run = |execution: Execution| {
            let (folder, config) = (tempfile::tempdir().unwrap(), Config { execution, ..config.clone() });
            assert!(attempt(folder.path(), &config, &dataset, None).unwrap());
            let records = Metrics::read(&folder.path().join("metrics.jsonl"), epochs).unwrap();
            (folder, records)
        };
        let ((sparse, sparse_records), (dense, dense_records)) = (run(Execution::Sparse), run(Execution::Dense));
        let flops = |records: &[EpochRecord]| records.last().unwrap().effective_flops.unwrap();
        assert!(flops(&sparse_records) < flops(&dense_records), "{model}: nothing was left out");
        assert_eq!(results(&sparse_records), results(&dense_records), "{model}, {masked_gradient}");
        for file in ["checkpoint.safetensors", "trace.safetensors"] {
            let [sparse, dense] = [&sparse, &dense].map(|folder| contents(&folder.path().join(file)));
            let name = |(name, _): &(String, Vec<u8>)| name.clone();
            let differing = sparse.iter().zip(&dense).find(|(a, b)| a != b).map(|(a, _)| name(a));
            assert!(sparse.len() == dense.len() && differing.is_none(), "{model}, {masked_gradient}: {differing:?}");
        }
    }
}

/// Ends a run after the epoch under way.
struct OneEpoch;

impl<S: Scalar> Observer<S> for OneEpoch {
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Err(Error::domain("test", "to go on", "one epoch"))
    }
}

/// A run whose epochs are executed as given.
fn switched<S: Scalar>(config: &Config, dataset: &Dataset, executions: &[Execution]) -> (State<S>, Vec<EpochRecord>) {
    let run = |execution| Config { execution, ..config.clone() };
    let first = run(executions[0]);
    let mut state = Run::new(&first, dataset, &GO_ON).unwrap().start::<S>().unwrap();
    let mut history = History::default();
    for &execution in executions {
        let config = run(execution);
        let run = Run::new(&config, dataset, &GO_ON).unwrap();
        let stopped = run.train(&mut state, &mut [&mut history, &mut OneEpoch]);
        assert!(stopped.is_err());
    }
    (state, history.0)
}

fn check_switching<S: Scalar>(
    config: &Config,
    dataset: &Dataset,
    on: &[bool],
) -> std::result::Result<(), TestCaseError> {
    let executions: Vec<Execution> =
        on.iter().map(|&on| if on { Execution::Sparse } else { Execution::Dense }).collect();
    let (found, records) = switched::<S>(config, dataset, &executions);
    let (expected, dense_records) = switched::<S>(config, dataset, &vec![Execution::Dense; on.len()]);
    prop_assert_eq!(results(&records), results(&dense_records));
    prop_assert!(found.weights.parameters == expected.weights.parameters, "parameters differ");
    prop_assert!(found.weights == expected.weights, "momentum, masks or W_k* differ");
    prop_assert!(found.sparsifier.save() == expected.sparsifier.save(), "m or k* differ");
    for ((record, dense), (epoch, &on)) in records.iter().zip(&dense_records).zip(on.iter().enumerate()) {
        let compressed = on && epoch > 0 && config.reading.momentum_on_prune != MomentumOnPrune::Keep;
        prop_assert_eq!(record.effective_flops < dense.effective_flops, compressed, "epoch {}", epoch);
        prop_assert_eq!(record.bytes < dense.bytes, compressed, "epoch {}", epoch);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Switched on and off from epoch to epoch under Literal, in f32 and f64 and under the readings that decide what is
    /// kept of a dead weight, a run has the bits of the dense one.
    #[test]
    fn switching_changes_no_bit(
        on in proptest::collection::vec(any::<bool>(), 2..=4),
        double: bool,
        masked_gradient in proptest::sample::select(MaskedGradient::ALL),
        momentum_on_prune in proptest::sample::select(MomentumOnPrune::ALL),
        with_decay: bool,
    ) {
        let (mut config, dataset) = small("lenet300", 64, 9);
        config.reading.masked_gradient = masked_gradient;
        config.reading.momentum_on_prune = momentum_on_prune;
        if with_decay {
            config.reading.gradient = gdstar::paper::reading::GradientOf::LossAndDecay;
        }
        match double {
            true => check_switching::<f64>(&config, &dataset, &on)?,
            false => check_switching::<f32>(&config, &dataset, &on)?,
        }
    }
}

/// Steps from `parameters` on one batch.
fn steps<S: Scalar>(run: &Run, mut weights: Weights<S>, settings: &SgdSettings, count: usize) -> Parameters<S> {
    let (optimizer, needs) = (Sgd::new(settings, Decayed::All), Needs::default());
    let indices: Vec<usize> = (0..settings.batch_size).collect();
    let (x, labels) = run.dataset.batch::<S>(Split::Train, &indices, None);
    for _ in 0..count {
        let (x, labels) = (x.clone(), labels.clone());
        let (network, parameters) = (&run.network, &weights.parameters);
        let mut step = Step::compute(network, Kernel::Fast, parameters, x, labels, Mode::Training, None).unwrap();
        let rate = settings.learning_rate;
        assert_eq!(optimizer.step(Kernel::Fast, &mut weights, &step.gradients, rate, &needs), None);
        let parameters = &mut weights.parameters;
        step.move_buffers(parameters);
        // The dense form holds the dead at 0; the sparse one has none.
        let whole = parameters.iter_mut().filter(|p| p.compression.is_none() && p.value.ndim() > 1);
        for (at, w) in whole.flat_map(|parameter| parameter.value.indexed_iter_mut()) {
            *w = if lives(at.slice()) { *w } else { S::ZERO };
        }
    }
    weights.parameters.iter_mut().for_each(|parameter| parameter.expand());
    weights.parameters
}

/// One in five.
fn lives(at: &[usize]) -> bool {
    at.iter().sum::<usize>() % 5 == 0
}

fn norm<S: Scalar>(x: impl Iterator<Item = S>) -> f64 {
    x.map(|x| x.to_f64() * x.to_f64()).sum::<f64>().sqrt()
}

fn relative_difference<S: Scalar>(a: &ArrayD<S>, b: &ArrayD<S>) -> f64 {
    norm(a.iter().zip(b).map(|(&a, &b)| a - b)) / norm(b.iter().copied()).max(f64::MIN_POSITIVE)
}

/// Under Fast, steps on living weights alone and on all of them with the dead held at 0 differ by rounding: at most
/// `steps gamma(path) amplification`, where a path is as long as forward and backward sum, and the amplification is
/// what a known perturbation of the first weights, far above rounding, grows to in the same steps (as in
/// `trajectories.rs`).
fn check_fast<S: Scalar>(model: &str, perturbation: f64) {
    const STEPS: usize = 3;
    let (config, dataset) = small(model, 32, 2);
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let settings = SgdSettings { batch_size: 16, learning_rate: 0.01, ..config.optimizer };
    let first = |scale: f64| {
        let mut parameters = run.start::<S>().unwrap().weights.parameters;
        for parameter in parameters.iter_mut().filter(|p| p.value.ndim() > 1) {
            for (i, (at, w)) in parameter.value.indexed_iter_mut().enumerate() {
                let factor = S::from_f64(1.0 + if i % 2 == 0 { scale } else { -scale });
                *w = if lives(at.slice()) { *w * factor } else { S::ZERO };
            }
        }
        parameters
    };
    let whole = |parameters| Weights::new(parameters, Prunable::Weights);
    let mut compressed = whole(first(0.0));
    let parameters = compressed.parameters.iter_mut().zip(&mut compressed.momentum);
    for (parameter, momentum) in parameters.filter(|(p, _)| p.value.ndim() > 1) {
        let alive: Vec<bool> = parameter.value.indexed_iter().map(|(at, _)| lives(at.slice())).collect();
        let pattern = Arc::new(Pattern::new(parameter.value.shape(), &alive).unwrap());
        *momentum = ArrayD::from_elem(vec![pattern.nnz()], S::ZERO);
        parameter.compress(Compression { pattern, gradient: WeightGradient::Living });
    }
    let end = steps(&run, whole(first(0.0)), &settings, STEPS);
    let perturbed = steps(&run, whole(first(perturbation)), &settings, STEPS);
    let ratio = |(a, b): (&gdstar::nn::Parameter<S>, &gdstar::nn::Parameter<S>)| {
        relative_difference(&a.value, &b.value) / perturbation
    };
    let amplification = perturbed.iter().zip(end.iter()).map(ratio).fold(1.0, f64::max);
    let path = path_length(&run.network, settings.batch_size);
    let bound = STEPS as f64 * gamma(path, S::UNIT_ROUNDOFF) * amplification;
    // Far below what a wrong or forgotten weight changes.
    assert!(bound <= 0.05, "{model} in {}: a bound of {bound:e} would hide a wrong formula", S::NAME);
    for (found, expected) in steps(&run, compressed, &settings, STEPS).iter().zip(end.iter()) {
        let difference = relative_difference(&found.value, &expected.value);
        assert!(difference <= bound, "{model}, {}: {difference:e} > {bound:e}", found.name);
    }
}

#[test]
fn fast_steps_differ_by_rounding() {
    check_fast::<f64>("lenet300", (-26f64).exp2());
    check_fast::<f64>("resnet20", (-26f64).exp2());
    check_fast::<f32>("lenet300", (-10f64).exp2());
}

/// An epoch that fails midway leaves every array in its own shape.
#[test]
fn a_failed_epoch_leaves_nothing_compressed() {
    let (config, dataset) = small("lenet300", 96, 4);
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let mut state = run.start::<f32>().unwrap();
    run.train(&mut state, &mut [&mut StopAfter(2)]).unwrap_err();
    assert_eq!(state.epochs, 2);
    for (parameter, spec) in state.weights.parameters.iter().zip(run.network.specs()) {
        assert!(parameter.compression.is_none() && parameter.value.shape() == spec.shape, "{}", spec.name);
    }
    assert_eq!(state.weights.slot("rewind").unwrap().values.len(), state.weights.mask().unwrap().len());
    assert_eq!(state.weights.mask().unwrap().len(), state.weights.len());
}

/// W_k* of eliminated weights is kept where a trace is written, whose format has it as it was captured, and only there.
#[test]
fn a_dead_weight_has_no_rewind_value_unless_it_is_recorded() {
    struct Recorder;
    impl<S: Scalar> Observer<S> for Recorder {
        fn wants_tensors(&self) -> bool {
            true
        }
        fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
            Ok(())
        }
    }
    for execution in Execution::ALL {
        let (mut config, dataset) = small("lenet300", 96, 3);
        config.execution = *execution;
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        let of_the_dead = |observers: &mut [&mut dyn Observer<f32>]| -> Vec<f32> {
            let mut state = run.start::<f32>().unwrap();
            run.train(&mut state, observers).unwrap();
            let (w_star, mask) = (&state.weights.slot("rewind").unwrap().values, state.weights.mask().unwrap());
            w_star.iter().zip(mask).filter(|(_, alive)| !**alive).map(|(&w, _)| w).collect()
        };
        let (untraced, traced) = (of_the_dead(&mut []), of_the_dead(&mut [&mut Recorder]));
        assert!(!untraced.is_empty() && untraced.iter().all(|w| w.to_bits() == 0), "{execution}");
        assert!(traced.iter().any(|&w| w != 0.0), "{execution}");
    }
}

/// The metrics count what section 3.3 leaves: by hand for LeNet-300-100 on 8 x 8 digits, where layer 1 has no input
/// gradient.
#[test]
fn effective_flops_and_bytes_are_counted() {
    let (mut config, dataset) = small("lenet300", 96, 2);
    config.reading.masked_gradient = MaskedGradient::Zero;
    let weights = [64 * 300, 300 * 100, 100 * 10];
    let biases = 300 + 100 + 10;
    let flops = |living: [usize; 3]| 2 * 96 * (2 * living[0] + 3 * living[1] + 3 * living[2]) as u64;
    let n: usize = weights.iter().sum();
    let (_, dense) = train::<f32>(&Config { method: Method::Dense, ..config.clone() }, &dataset);
    for record in &dense.0 {
        assert_eq!(record.effective_flops, Some(flops(weights)));
        assert_eq!(record.bytes, Some(4 * 3 * (n + biases) as u64), "weights, gradients, momentum");
    }
    struct Masks(Vec<Vec<bool>>);
    impl<S: Scalar> Observer<S> for Masks {
        fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
            self.0.push(event.state.weights.mask().unwrap().to_vec());
            Ok(())
        }
    }
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let (mut history, mut masks) = (History::default(), Masks(Vec::new()));
    run.train(&mut run.start::<f32>().unwrap(), &mut [&mut history, &mut masks]).unwrap();
    let [first, second] = &history.0[..] else { panic!("two epochs") };
    assert_eq!(first.effective_flops, Some(flops(weights)), "nothing is eliminated yet");
    assert_eq!(
        first.bytes,
        Some(4 * (3 * (n + biases) + 2 * n) as u64),
        "as dense, with G and W_k*: all live, no mask"
    );
    let (mut from, mut living, mut bytes) = (0, weights, 4 * 3 * biases + n);
    let break_even = gdstar::train::break_even::<f32>(2, config.optimizer.batch_size);
    for (living, outputs) in living.iter_mut().zip([300, 100, 10]) {
        let alive = masks.0[0][from..from + *living].iter().filter(|&&alive| alive).count();
        from += *living;
        let compressed = 1.0 - alive as f64 / *living as f64 >= break_even;
        // Five arrays of f32: weights, gradients, momentum, G, W_k*; and the indices of what is compressed.
        bytes += if compressed { 4 * 5 * alive + 4 * alive + 8 * (outputs + 1) } else { 4 * 5 * *living };
        *living = if compressed { alive } else { *living };
    }
    assert!(living[0] < weights[0] && living[1] < weights[1], "{living:?}");
    assert_eq!((second.effective_flops, second.bytes), (Some(flops(living)), Some(bytes as u64)));
}

/// Metrics from before these fields are read as before.
#[test]
fn metrics_without_the_new_fields_are_read() {
    let (config, dataset) = small("lenet300", 32, 1);
    let record = &train::<f32>(&config, &dataset).1.0[0];
    let mut old = serde_json::to_value(record).unwrap();
    old.as_object_mut()
        .unwrap()
        .retain(|key, _| !["method", "effective_flops", "bytes", "layers", "layer_sparsity"].contains(&key.as_str()));
    let read: EpochRecord = serde_json::from_value(old).unwrap();
    let without = EpochRecord { effective_flops: None, bytes: None, layers: BTreeMap::new(), ..record.clone() };
    assert_eq!(read, EpochRecord { method: String::new(), ..without });
}

/// Every parameter of W is told by name with its own sparsity, which add up to the whole's; a dense run's are 0.
#[test]
fn metrics_have_the_sparsity_of_every_layer() {
    let sizes = [("fc1.weight", 64.0 * 300.0), ("fc2.weight", 300.0 * 100.0), ("fc3.weight", 100.0 * 10.0)];
    let (config, dataset) = small("lenet300", 64, 2);
    let records = train::<f32>(&config, &dataset).1.0;
    for record in &records {
        assert!(record.layers.keys().eq(sizes.iter().map(|(name, _)| name)), "{:?}", record.layers);
        let eliminated: f64 = sizes.iter().map(|(name, size)| record.layers[*name] * size).sum();
        let weights: f64 = sizes.iter().map(|(_, size)| size).sum();
        // Counts below 2^53: each product is off its count by less than a half.
        assert_eq!(eliminated.round(), (record.sparsity * weights).round());
    }
    let last = &records[1].layers;
    assert!(last["fc1.weight"] != last["fc2.weight"], "one number for all layers would show nothing: {last:?}");
    let dense = Config { method: Method::Dense, ..config };
    assert!(train::<f32>(&dense, &dataset).1.0.iter().all(|record| record.layers.values().eq(&[0.0; 3])));
}
