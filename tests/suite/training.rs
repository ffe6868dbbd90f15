//! Promises of runs: the optimizer's and the schedule's definitions, the same bits at any thread count and after an
//! interruption, what each method does to weights, and what a trace records.

use gdstar::data::{self, Dataset, Source};
use gdstar::error::{Error, Result};
use gdstar::kernel::Kernel;
use gdstar::nn::{Init, Parameter, Parameters, Role, Spec, models};
use gdstar::paper::gradient_norm::{accumulate_squares, frobenius_norm, sum_of_squares};
use gdstar::paper::reading::{MaskedGradient, Reading, RewindCopy};
use gdstar::paper::selection::select_weights;
use gdstar::paper::structured::{Structure, groups};
use gdstar::scalar::Scalar;
use gdstar::sparsify::Method;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{
    BatchEvent, Checkpointer, Config, EpochEvent, History, Metrics, Observer, Run, RunFolder, Sgd, SgdSettings, State,
    TraceWriter, cosine_learning_rate,
};
use ndarray::{ArrayD, arr1};
use std::path::Path;
use std::sync::atomic::AtomicBool;

static GO_ON: AtomicBool = AtomicBool::new(false);

fn digits() -> Dataset {
    data::load(Source::Digits, None).unwrap()
}

/// A small run: few epochs, so that eps must be larger for anything to be eliminated.
fn config(method: Method, epochs: usize) -> Config {
    let mut config = Config::new("lenet300", Source::Digits, method);
    config.hyper.epochs = epochs;
    config.hyper.eps = 1e-2;
    config.hyper.lambda = 0.5;
    config
}

fn train<S: Scalar>(config: &Config, dataset: &Dataset) -> (State<S>, History) {
    let run = Run::new(config, dataset, &GO_ON).unwrap();
    let mut state = run.start::<S>().unwrap();
    let mut history = History::default();
    run.train(&mut state, &mut [&mut history]).unwrap();
    (state, history)
}

/// The records without what a clock decides.
fn timeless(history: &History) -> Vec<String> {
    let untimed = history.0.iter().cloned().map(|mut record| {
        record.seconds = 0.0;
        record
    });
    untimed.map(|record| serde_json::to_string(&record).unwrap()).collect()
}

/// PyTorch's definition on numbers that are exact: two steps by hand.
#[test]
fn sgd_steps_are_pytorchs() {
    let parameter = Parameter { name: "w".into(), role: Role::Weight, value: arr1(&[8.0, -4.0]).into_dyn() };
    let mut parameters = Parameters::new(vec![parameter]);
    let settings = SgdSettings { learning_rate: 0.5, momentum: 0.5, weight_decay: 0.25, batch_size: 1 };
    let mut sgd = Sgd::new(&settings, &parameters);
    let gradient = [Some(arr1(&[1.0, 2.0]).into_dyn())];
    // g = 1 + 2 = 3, b = 3, w = 8 - 1.5; g = 2 - 1 = 1, b = 1, w = -4 - 0.5
    sgd.step(&mut parameters, &gradient, 0.5);
    assert_eq!(parameters[0].value, arr1(&[6.5, -4.5]).into_dyn());
    // g = 1 + 1.625, b = 1.5 + 2.625, w = 6.5 - 2.0625; g = 2 - 1.125, b = 0.5 + 0.875, w = -4.5 - 0.6875
    sgd.step(&mut parameters, &gradient, 0.5);
    assert_eq!(parameters[0].value, arr1(&[4.4375, -5.1875]).into_dyn());
    assert_eq!(sgd.buffers[0], arr1(&[4.125, 1.375]).into_dyn());
}

/// A buffer (running statistics) has no gradient and is never stepped, not even by weight decay.
#[test]
fn sgd_leaves_what_has_no_gradient() {
    let parameter = Parameter { name: "m".into(), role: Role::RunningMean, value: arr1(&[1.0f32]).into_dyn() };
    let mut parameters = Parameters::new(vec![parameter]);
    let mut sgd = Sgd::new(&SgdSettings::default(), &parameters);
    sgd.step(&mut parameters, &[None], 1.0);
    assert_eq!(parameters[0].value[[0]], 1.0);
}

/// The cosine falls from base to 0, and at a third of the way is at three quarters: cos(pi / 3) = 1/2.
#[test]
fn cosine_schedule_passes_its_fixed_points() {
    assert_eq!(cosine_learning_rate(0.05, 0, 300), 0.05);
    assert_eq!(cosine_learning_rate(0.05, 300, 300), 0.0);
    // Three roundings of numbers below 0.05: pi / 3, its cosine, the product.
    assert!((cosine_learning_rate(0.05, 100, 300) - 0.0375).abs() <= 3.0 * 0.05 * f64::EPSILON);
    let rates: Vec<f64> = (0..=300).map(|k| cosine_learning_rate(0.05, k, 300)).collect();
    assert!(rates.windows(2).all(|pair| pair[1] < pair[0]));
}

/// Initial values are within PyTorch's bound and fill it; the same seed gives the same bits in every precision.
#[test]
fn initial_weights_fill_their_bound() {
    let dataset = digits();
    let run_config = config(Method::Dense, 1);
    let run = Run::new(&run_config, &dataset, &GO_ON).unwrap();
    let (single, double) = (run.start::<f32>().unwrap(), run.start::<f64>().unwrap());
    for (spec, (p, q)) in run.network.specs().iter().zip(single.parameters.iter().zip(double.parameters.iter())) {
        let Spec { init: Init::Uniform { bound }, name, .. } = spec else { panic!("{} is drawn", spec.name) };
        let largest = q.value.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        assert!(largest <= *bound, "{name}: {largest} > {bound}");
        // P(no |w| above 0.7 bound) = 0.7^10 < 3 % for the smallest tensor, 10 biases; the seed is fixed.
        assert!(largest > 0.7 * bound, "{name}: {largest} leaves {bound} unfilled");
        assert!(p.value.iter().zip(&q.value).all(|(p, q)| *p == *q as f32), "{name} differs between precisions");
    }
}

/// A run is the same, bit for bit, for 1, 2, 4 and 8 threads, with either kernel.
#[test]
fn runs_do_not_depend_on_threads() {
    let dataset = digits();
    for kernel in [Kernel::Fast, Kernel::Literal] {
        let mut config = config(Method::Gdstar, 2);
        config.kernel = kernel;
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (state, history) = pool.install(|| train::<f32>(&config, &dataset));
            (state.parameters, state.optimizer, timeless(&history))
        };
        let reference = on(1);
        for threads in [2, 4, 8] {
            assert!(on(threads) == reference, "{kernel} kernel: {threads} threads differ from 1");
        }
    }
}

/// Another seed is another run; the same seed the same.
#[test]
fn the_seed_decides() {
    let dataset = digits();
    let mut config = config(Method::RandomRewind, 3);
    let first = timeless(&train::<f32>(&config, &dataset).1);
    assert_eq!(first, timeless(&train::<f32>(&config, &dataset).1));
    config.seed = 1;
    assert_ne!(first, timeless(&train::<f32>(&config, &dataset).1));
}

/// Watches every epoch of a run and holds it to what every method promises.
struct Invariants {
    alive: Vec<bool>,
    epochs: usize,
    eliminated: usize,
}

impl<S: Scalar> Observer<S> for Invariants {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let Some(saved) = event.state.sparsifier.save() else { return Ok(()) };
        let weights = event.state.sparsifier.weights();
        let flat = weights.gather(&event.state.parameters);
        if self.alive.is_empty() {
            self.alive = vec![true; weights.len()];
        }
        for (j, (&alive, &before)) in saved.alive.iter().zip(&self.alive).enumerate() {
            assert!(before || !alive, "weight {j} came back (open point 12)");
            assert!(alive || flat[j] == S::ZERO, "weight {j} is eliminated but not 0");
        }
        self.eliminated = saved.alive.iter().filter(|&&alive| !alive).count();
        let share = self.eliminated as f64 / weights.len() as f64;
        assert_eq!(event.record.sparsity, share, "sparsity is the share of eliminated weights");
        self.alive = saved.alive;
        self.epochs += 1;
        Ok(())
    }
}

/// Every reading that differs from the default in one choice, by name.
fn readings() -> Vec<(String, Reading)> {
    let default = serde_json::to_value(Reading::default()).unwrap();
    let mut all = vec![("default".to_string(), Reading::default())];
    for (key, choices) in gdstar::paper::reading::CHOICES {
        for choice in choices.iter().skip(1) {
            let mut changed = default.clone();
            changed[key] = serde_json::Value::String(choice.to_string());
            all.push((format!("{key} = {choice}"), serde_json::from_value(changed).unwrap()));
        }
    }
    all
}

/// Every choice of every open point can be trained with, keeps the invariants, and changes what it should: nothing
/// is an option that does nothing.
#[test]
fn every_reading_trains_and_matters() {
    let dataset = digits();
    let mut reference: Option<Vec<String>> = None;
    for (name, reading) in readings() {
        let mut config = config(Method::Gdstar, 6);
        config.reading = reading;
        config.hyper.chunks = 7; // does not divide N = 50,200, so that chunkings differ
        config.optimizer.learning_rate = 0.1; // with which k* moves at the fifth epoch
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        let mut state = run.start::<f32>().unwrap();
        let mut history = History::default();
        let mut invariants = Invariants { alive: Vec::new(), epochs: 0, eliminated: 0 };
        run.train(&mut state, &mut [&mut history, &mut invariants]).unwrap();
        assert_eq!(invariants.epochs, 6);
        assert!(invariants.eliminated > 0, "{name}: nothing was eliminated, so nothing was tested");
        let mut told = timeless(&history);
        told.push(format!("{:?} {:?}", state.sparsifier.save(), state.optimizer.buffers));
        match &reference {
            None => reference = Some(told),
            Some(reference) => assert!(told != *reference, "{name} changes nothing"),
        }
    }
}

/// "Reset" never moves k*, so that t = k; "dense" touches nothing and has no method quantities (Table 2).
#[test]
fn the_baselines_are_what_they_say() {
    let dataset = digits();
    let (_, reset) = train::<f32>(&config(Method::Reset, 4), &dataset);
    assert!(reset.0.iter().all(|r| r.k_star == Some(0) && r.t == Some(r.epoch)));
    let (state, dense) = train::<f32>(&config(Method::Dense, 2), &dataset);
    assert!(dense.0.iter().all(|r| r.sparsity == 0.0 && r.k_star.is_none() && r.tau.is_none()));
    assert!(state.sparsifier.save().is_none());
}

/// Structured selection prunes whole groups in training too (section 3.2, last paragraph): with one rewind point for
/// all weights, a channel's or block's weights are selected together.
#[test]
fn structured_selection_takes_whole_groups() {
    let dataset = digits();
    for structure in ["channels", "4x4", "2:4"] {
        let mut config = config(Method::Gdstar, 1);
        config.structure = Some(structure.parse().unwrap());
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        let mut state = run.start::<f32>().unwrap();
        let mut groups = WholeGroups { structure: config.structure.unwrap(), seen: 0 };
        run.train(&mut state, &mut [&mut groups]).unwrap();
        assert!(groups.seen > 0, "{structure}: nothing was selected");
    }
}

struct WholeGroups {
    structure: Structure,
    seen: usize,
}

impl<S: Scalar> Observer<S> for WholeGroups {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let selected = &event.story.details.as_ref().unwrap().selected;
        for segment in event.state.sparsifier.weights().segments() {
            let shape = event.state.parameters[segment.parameter].value.shape();
            let (ids, count) = groups(shape, self.structure)?;
            let mut members = vec![(0usize, 0usize); count];
            for (&id, &selected) in ids.iter().zip(&selected[segment.range.clone()]) {
                members[id] = (members[id].0 + usize::from(selected), members[id].1 + 1);
            }
            for (taken, size) in members {
                let whole = match self.structure {
                    Structure::Pattern { keep, .. } => taken == size.saturating_sub(keep),
                    _ => taken == 0 || taken == size,
                };
                assert!(whole, "{}: {taken} of a group of {size}", self.structure);
                self.seen += taken;
            }
        }
        Ok(())
    }
}

/// GDSTAR's k* is the epoch of the smallest norm so far, and t counts from it (Alg. 4, section 3.3).
#[test]
fn the_rewind_point_is_the_running_minimum() {
    let dataset = digits();
    let (_, history) = train::<f32>(&config(Method::Gdstar, 12), &dataset);
    let mut minimum = (f64::INFINITY, 0);
    for record in &history.0 {
        let norm = record.frobenius.unwrap();
        if norm < minimum.0 {
            minimum = (norm, record.epoch);
        }
        assert_eq!(record.k_star, Some(minimum.1));
        assert_eq!(record.t, Some(record.epoch - minimum.1));
    }
    assert!(history.0.iter().any(|r| r.t != Some(0)), "k* moved every epoch: the test saw no decay");
}

/// Stops a run after some epochs, as a crash would: by an error out of the loop.
struct StopAfter(usize);

impl<S: Scalar> Observer<S> for StopAfter {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        // In the middle of an epoch, so that work is lost.
        if event.epoch == self.0 && event.batch == 1 {
            return Err(Error::domain("test", "to go on", "the planned stop"));
        }
        Ok(())
    }
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}

/// One attempt at a run in a folder, as `gdstar train` makes it; `Ok(true)` if it reached the end.
fn attempt(folder: &Path, config: &Config, dataset: &Dataset, stop: Option<usize>) -> Result<bool> {
    let run = Run::new(config, dataset, &GO_ON)?;
    let folder = match RunFolder::open(folder)? {
        Some((folder, stored)) => {
            assert_eq!(stored, *config);
            folder
        }
        None => RunFolder::create(folder, config)?,
    };
    let (mut state, extent) = folder.state::<f32>(&run)?;
    let trace_file = folder.config().with_file_name("trace.safetensors");
    let mut trace = TraceWriter::open(&trace_file, &run, &state, extent, true)?;
    let mut metrics = folder.observe_metrics(state.epochs)?;
    let mut checkpointer = Checkpointer::new(&folder, &run, Some(trace.written()));
    let mut stopper = StopAfter(stop.unwrap_or(usize::MAX));
    match run.train(&mut state, &mut [&mut metrics, &mut trace, &mut checkpointer, &mut stopper]) {
        Ok(()) => Ok(true),
        Err(_) if stop.is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

/// A run that is interrupted again and again ends with the same files, byte for byte, as one that is not: checkpoint,
/// trace, and metrics but for their seconds.
#[test]
fn resumed_runs_end_with_the_same_bytes() {
    let dataset = digits();
    for method in [Method::Gdstar, Method::RandomRewind, Method::Dense] {
        let config = config(method, 5);
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(attempt(whole.path(), &config, &dataset, None).unwrap());
        for stop in [0, 1, 1, 4] {
            assert!(!attempt(broken.path(), &config, &dataset, Some(stop)).unwrap());
        }
        assert!(attempt(broken.path(), &config, &dataset, None).unwrap());
        for file in ["config.toml", "checkpoint.safetensors", "trace.safetensors"] {
            let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
            assert!(read(whole.path()) == read(broken.path()), "{method}: {file} differs");
        }
        let records = |folder: &Path| timeless(&History(Metrics::read(&folder.join("metrics.jsonl"), 5).unwrap()));
        assert_eq!(records(whole.path()), records(broken.path()));
        let left: Vec<_> = std::fs::read_dir(broken.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 4, "nothing but config, metrics, checkpoint and trace is left: {left:?}");
    }
}

/// A loss that stops being finite ends the run with layer, epoch and batch, and the last checkpoint stays.
#[test]
fn a_non_finite_loss_names_its_place_and_keeps_the_checkpoint() {
    let dataset = digits();
    let folder = tempfile::tempdir().unwrap();
    let config = config(Method::Gdstar, 4);
    assert!(!attempt(folder.path(), &config, &dataset, Some(2)).unwrap());
    let checkpoint = std::fs::read(folder.path().join("checkpoint.safetensors")).unwrap();
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let opened = RunFolder::open(folder.path()).unwrap().unwrap().0;
    let (mut state, _) = opened.state::<f32>(&run).unwrap();
    state.parameters.iter_mut().find(|p| p.name == "fc2.weight").unwrap().value.fill(f32::MAX);
    let mut checkpointer = Checkpointer::new(&opened, &run, None);
    let error = run.train(&mut state, &mut [&mut checkpointer]).unwrap_err();
    let told = error.to_string();
    assert!(matches!(&error, Error::NonFinite { epoch: 2, batch: 0, .. }), "{told}");
    assert!(told.starts_with("epoch 2, batch 0: the loss (first in layer fc2 (linear))"), "{told}");
    assert_eq!(error.exit_code(), 1);
    assert!(std::fs::read(folder.path().join("checkpoint.safetensors")).unwrap() == checkpoint);
}

/// A checkpoint of another configuration, or on other data, is refused by name.
#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let dataset = digits();
    let folder = tempfile::tempdir().unwrap();
    let config = config(Method::Gdstar, 2);
    assert!(attempt(folder.path(), &config, &dataset, None).unwrap());
    let mut other = dataset.clone();
    other.train.pixels[0] ^= 1;
    let told = attempt(folder.path(), &config, &other, None).unwrap_err().to_string();
    assert!(told.contains("checkpoint.safetensors: data: expected digits as it was when the run began"), "{told}");
    let changed = Config { seed: 7, ..config };
    std::fs::write(folder.path().join("config.toml"), changed.to_toml().unwrap()).unwrap();
    let told = attempt(folder.path(), &changed, &dataset, None).unwrap_err().to_string();
    assert!(told.contains("checkpoint.safetensors: configuration: expected that of config.toml"), "{told}");
}

/// What a trace records of an epoch follows, equation by equation, from what it records of the epoch's inputs.
#[test]
fn a_trace_follows_from_its_own_gradients() {
    let dataset = digits();
    for masked_gradient in [MaskedGradient::Dense, MaskedGradient::Zero, MaskedGradient::Excluded] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(Method::Gdstar, 4);
        config.reading.masked_gradient = masked_gradient;
        config.hyper.chunks = 3;
        assert!(attempt(folder.path(), &config, &dataset, None).unwrap());
        let trace = TensorFile::open(&folder.path().join("trace.safetensors")).unwrap();
        let header: serde_json::Value = serde_json::from_str(trace.metadata("gdstar").unwrap()).unwrap();
        assert_eq!(header["format"], "gdstar-trace/1");
        assert_eq!(header["reading"]["masked_gradient"], masked_gradient.name());
        let params: Vec<&str> = header["params"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        assert_eq!(params, ["fc1.weight", "fc2.weight", "fc3.weight"]);
        for k in 0..4 {
            check_epoch(&trace, &params, k, &config);
        }
    }
}

fn check_epoch(trace: &TensorFile, params: &[&str], k: usize, config: &Config) {
    let flat = |quantity: &str| -> Vec<f32> {
        let one = |p: &&str| trace.read::<f32>(&format!("epoch/{k}/{quantity}/{p}"), None).unwrap().into_iter();
        params.iter().flat_map(one).collect()
    };
    let bits = |quantity: &str| -> Vec<bool> {
        let one = |p: &&str| trace.read::<u8>(&format!("epoch/{k}/{quantity}/{p}"), None).unwrap().into_iter();
        params.iter().flat_map(one).map(|bit| bit == 1).collect()
    };
    let scalar = |quantity: &str| trace.read::<f32>(&format!("epoch/{k}/{quantity}"), Some(&[1])).unwrap()[[0]];
    let integer = |quantity: &str| trace.read::<i64>(&format!("epoch/{k}/{quantity}"), Some(&[1])).unwrap()[[0]];
    let (alive_before, alive) = (bits("mask_before"), bits("mask"));
    let dense = config.reading.masked_gradient == MaskedGradient::Dense;
    let mut g = vec![0.0f32; alive.len()];
    let mut batch = 0;
    while trace.describe(&format!("epoch/{k}/batch/{batch}/indices")).is_some() {
        let mut gradient = flat(&format!("batch/{batch}/grad"));
        gradient.iter_mut().zip(&alive_before).filter(|(_, alive)| !dense && !**alive).for_each(|(g, _)| *g = 0.0);
        accumulate_squares(Kernel::Literal, &mut g, &gradient).unwrap();
        batch += 1;
    }
    assert_eq!(batch, 1442usize.div_ceil(128));
    assert_eq!(flat("G"), g, "Eq. 2 of epoch {k}");
    assert_eq!(scalar("S_sq"), sum_of_squares(&g), "Eq. 3 of epoch {k}");
    assert_eq!(scalar("S_F"), frobenius_norm(scalar("S_sq")).unwrap(), "Eq. 4 of epoch {k}");
    let alpha = trace.read::<f64>(&format!("epoch/{k}/alpha"), Some(&[1])).unwrap()[[0]];
    let selection = select_weights(&g, &alive_before, alpha, 3, &config.reading).unwrap();
    assert_eq!(scalar("tau"), selection.tau, "Eq. 7 of epoch {k}");
    assert_eq!(bits("selected"), selection.selected, "Eq. 5 of epoch {k}");
    assert_eq!(integer("t"), k as i64 - integer("k_star"), "Alg. 6 of epoch {k}");
    let moved = scalar("S_F") < scalar("min_before");
    assert_eq!(integer("k_star") == k as i64, moved, "Alg. 4 of epoch {k}");
    let (before, after, rewind) = (flat("weights_before"), flat("weights_after"), flat("rewind"));
    assert!(!moved || rewind == before, "W_k* of epoch {k} is the weights before pruning");
    for j in 0..after.len() {
        // lambda = 1/2, so that the power is exact.
        let decayed = rewind[j] * (-(integer("t") as f32)).exp2();
        let expected = match (alive_before[j], selection.selected[j]) {
            (false, _) => 0.0,
            (true, false) => before[j],
            (true, true) if f64::from(decayed.abs()) >= config.hyper.eps => decayed,
            (true, true) => 0.0,
        };
        assert_eq!(after[j], expected, "Eq. 9 of epoch {k}, weight {j}");
        assert_eq!(alive[j], alive_before[j] && (!selection.selected[j] || expected != 0.0));
    }
}

/// Under `alias` W_k* is the live weights: the decay compounds, lambda^(1 + 2 + .. + t), and the weights are smaller
/// than under `copy` wherever selection repeats (open point 9).
#[test]
fn an_aliased_rewind_compounds_the_decay() {
    let dataset = digits();
    let sparsity = |copy: RewindCopy| {
        let mut config = config(Method::Reset, 5);
        config.hyper.lambda = 0.9;
        config.reading.rewind_copy = copy;
        train::<f32>(&config, &dataset).1.0.last().unwrap().sparsity
    };
    assert!(sparsity(RewindCopy::Alias) > sparsity(RewindCopy::Copy));
}

/// The registered models have the parameter counts of the literature.
#[test]
fn models_have_the_counts_of_the_literature() {
    let expected = [("lenet300", 266_610), ("lenet", 62_006), ("resnet20", 269_722)];
    assert_eq!(expected.len(), models::MODELS.len(), "a model was added without its count");
    for (name, count) in expected {
        let entry = models::find(name).unwrap();
        let network = entry.network(entry.input, entry.classes).unwrap();
        let parameters = network.initialise::<f32>(&mut rand::SeedableRng::seed_from_u64(0));
        assert_eq!(parameters.trained_count(), count, "{name}");
        let listed: usize = network.summary().unwrap().iter().map(|layer| layer.parameters).sum();
        assert_eq!(listed, count, "{name}: the layers listed");
    }
}

/// Every model learns one batch of eight by heart: forward, backward and optimizer work together.
#[test]
fn every_model_overfits_one_batch() {
    for entry in models::MODELS {
        let network = entry.network(entry.input, entry.classes).unwrap();
        let mut rng = gdstar::random::stream(3, gdstar::random::Purpose::Initialisation, 0);
        let mut parameters = network.initialise::<f32>(&mut rng);
        let [c, h, w] = entry.input;
        let x = ArrayD::from_shape_simple_fn(vec![8, c, h, w], || gdstar::random::unit(&mut rng) as f32 - 0.5);
        let labels: Vec<usize> = (0..8).map(|i| i % entry.classes).collect();
        let settings = SgdSettings { weight_decay: 0.0, learning_rate: 0.03, ..SgdSettings::default() };
        let mut sgd = Sgd::new(&settings, &parameters);
        let mut losses = Vec::new();
        for _ in 0..60 {
            let mode = gdstar::nn::Mode::Training;
            let step =
                gdstar::train::Step::compute(&network, Kernel::Fast, &parameters, x.clone(), labels.clone(), mode)
                    .unwrap();
            sgd.step(&mut parameters, &step.gradients, settings.learning_rate);
            losses.push(step.loss);
        }
        // A constant guess has loss ln(8) > 2; a memorised batch has nearly none.
        assert!(losses[0] > 1.5 && *losses.last().unwrap() < 0.05, "{}: {:?}", entry.name, losses);
    }
}

/// On real MNIST two epochs are enough for what the literature calls a matter of course (under `GDSTAR_DATA`).
#[test]
fn mnist_is_learned_in_two_epochs() {
    let Some(data_dir) = std::env::var_os("GDSTAR_DATA") else {
        println!("skipped: GDSTAR_DATA names no folder");
        return;
    };
    let mut config = Config::new("lenet300", Source::Mnist, Method::Gdstar);
    config.hyper.epochs = 2;
    config.data_dir = Some(data_dir.into());
    let dataset = data::load(Source::Mnist, config.data_dir.as_deref()).unwrap();
    let (_, history) = train::<f32>(&config, &dataset);
    let last = history.0.last().unwrap();
    // An independent PyTorch run passes 97 % in its second epoch with this recipe; chance is 10 %.
    assert!(last.test_accuracy > 0.96, "{last:?}");
}

/// Readings that only some methods or later epochs can show are not lost between config, file and trace.
#[test]
fn a_config_survives_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, reading) in readings() {
        let mut config = config(Method::Gdstar, 3);
        config.reading = reading;
        config.hyper.alpha_0 = 0.1 + 0.2; // not a short decimal
        let path = folder.path().join("config.toml");
        std::fs::write(&path, config.to_toml().unwrap()).unwrap();
        assert_eq!(Config::load(&path).unwrap(), config, "{name}");
    }
}
