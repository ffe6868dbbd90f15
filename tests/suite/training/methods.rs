//! What each method, and each reading of the paper, does to the weights.

use super::{GO_ON, config, digits, lenet300, readings, timeless, train};
use gdstar::error::Result;
use gdstar::method::gdstar::SELECTED;
use gdstar::method::{At, Fields, Method, Numbers, Story, Told};
use gdstar::nn::{Parameter, Parameters, Role};
use gdstar::paper::reading::RewindCopy;
use gdstar::paper::structured::{Structure, groups};
use gdstar::scalar::Scalar;
use gdstar::train::{EpochEvent, History, Observer, Run};
use gdstar::weights::Weights;
use ndarray::arr2;

/// Watches every epoch of a run and holds it to what every method promises.
struct Invariants {
    alive: Vec<bool>,
    epochs: usize,
    eliminated: usize,
}

impl<S: Scalar> Observer<S> for Invariants {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let weights = &event.state.weights;
        let Some(mask) = weights.mask() else { return Ok(()) };
        let flat = weights.values();
        if self.alive.is_empty() {
            self.alive = vec![true; weights.len()];
        }
        for (j, (&alive, &before)) in mask.iter().zip(&self.alive).enumerate() {
            assert!(before || !alive, "weight {j} came back (open point 12)");
            assert!(alive || flat[j] == S::ZERO, "weight {j} is eliminated but not 0");
        }
        self.eliminated = mask.iter().filter(|&&alive| !alive).count();
        let share = self.eliminated as f64 / weights.len() as f64;
        assert_eq!(event.record.sparsity, share, "sparsity is the share of eliminated weights");
        self.alive = mask.to_vec();
        self.epochs += 1;
        Ok(())
    }
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
        told.push(format!("{:?} {:?}", state.sparsifier.save(), state.weights));
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
    assert!(reset.0.iter().all(|r| r.numbers.count("k_star") == Some(0) && r.numbers.count("t") == Some(r.epoch)));
    let (state, dense) = train::<f32>(&config(Method::Dense, 2), &dataset);
    assert!(dense.0.iter().all(|r| r.sparsity == 0.0 && r.numbers == Numbers::default()));
    assert!(state.weights.mask().is_none() && state.sparsifier.save() == Fields::default());
}

/// Holds a run to W_k* = W_0.
struct RewindsToStart(Vec<f32>);

impl Observer<f32> for RewindsToStart {
    // Else W_k* is forgotten where a weight is eliminated.
    fn wants_tensors(&self) -> bool {
        true
    }

    fn on_epoch(&mut self, event: &EpochEvent<f32>) -> Result<()> {
        let w_star = &event.state.weights.slot("rewind").unwrap().values;
        assert!(w_star == &self.0, "epoch {}: W_k* is not W_0", event.record.epoch);
        assert_ne!(event.record.numbers.count("selected"), Some(0));
        Ok(())
    }
}

/// "The reset-to-initialization strategy (W_0)" (section 4): selected weights are drawn to where the run began, in every
/// epoch.
#[test]
fn reset_rewinds_to_the_initial_weights() {
    let (dataset, config) = (digits(), config(Method::Reset, 3));
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let mut state = run.start::<f32>().unwrap();
    let start = state.weights.values();
    run.train(&mut state, &mut [&mut RewindsToStart(start)]).unwrap();
}

/// "The rewind point is updated at each epoch with a probability of 10%" (section A.7).
#[test]
fn random_rewind_moves_in_a_tenth_of_the_epochs() {
    let epochs = 10_000;
    let config = config(Method::RandomRewind, epochs);
    let weight = Parameter::new("w", Role::Weight, arr2(&[[1.0f32, -1.0]]).into_dyn());
    let mut weights = Weights::new(Parameters::new(vec![weight]), config.reading.prunable);
    let network = lenet300();
    let mut sparsifier = Method::RandomRewind.start(&config.setup(&network, 1), &mut weights).unwrap();
    let mut moved = 0;
    // From 1 on: before the first move k* is 0.
    for k in 1..epochs {
        let (at, mut story) = (At { epoch: k, steps: k, learning_rate: 0.0, recorded: false }, Story::new(false));
        sparsifier.begin_epoch(at, &mut weights);
        sparsifier.end_of_epoch(at, &mut weights, &mut story).unwrap();
        moved += usize::from(story.numbers().count("k_star") == Some(k));
    }
    // Five standard deviations of a binomial distribution: one seed in 1.7 million would be further away.
    let (mean, deviation) = (0.1 * epochs as f64, (0.1 * 0.9 * epochs as f64).sqrt());
    assert!((moved as f64 - mean).abs() <= 5.0 * deviation, "{moved} of {epochs}");
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
    fn wants_tensors(&self) -> bool {
        true
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let Some(Told::Flags(selected)) = event.story.get(&SELECTED) else { panic!("no selection is told") };
        for (segment, shape) in event.state.weights.set().segments().iter().zip(event.state.weights.shapes()) {
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
        let norm = record.numbers.real("frobenius").unwrap();
        if norm < minimum.0 {
            minimum = (norm, record.epoch);
        }
        assert_eq!(record.numbers.count("k_star"), Some(minimum.1));
        assert_eq!(record.numbers.count("t"), Some(record.epoch - minimum.1));
    }
    assert!(history.0.iter().any(|r| r.numbers.count("t") != Some(0)), "k* moved every epoch: the test saw no decay");
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
