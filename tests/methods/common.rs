//! Runs of every method, small and short, and steps of single methods by hand.

use gdstar::data::{Dataset, Source};
use gdstar::error::Result;
use gdstar::kernel::Kernel;
use gdstar::method::options::Value;
use gdstar::method::{At, Gradients, Lab, METHODS, Method, Quantity, Sparsifier, Story, Told};
use gdstar::nn::{Parameter, Parameters, Role, models};
use gdstar::paper::reading::Prunable;
use gdstar::scalar::Scalar;
use gdstar::train::{Config, History, Observer, Run, Sgd, State};
use gdstar::weights::Weights;
use ndarray::{ArrayD, arr1};
use std::sync::atomic::AtomicBool;

pub static GO_ON: AtomicBool = AtomicBool::new(false);

/// Twelve batches of eight.
pub fn digits() -> Dataset {
    super::small::digits(96, 32)
}

/// Those that LeNet can be trained with in moments; layers and channels are dropped elsewhere.
pub fn methods() -> impl Iterator<Item = Method> {
    METHODS.iter().copied().filter(|method| !matches!(method, Method::LayerDrop | Method::Amc))
}

pub fn name(name: &str) -> Value {
    Value::Name(name.to_string())
}

/// LeNet-300-100, twelve steps an epoch, with what the method has no default for, and updates often
/// enough for some to be seen.
pub fn config(method: Method, epochs: usize) -> Config {
    let mut config = Config::new("lenet300", Source::Digits, method);
    (config.hyper.epochs, config.optimizer.batch_size) = (epochs, 8);
    (config.hyper.eps, config.hyper.lambda) = (1e-2, 0.5);
    let has = |key: &str| method.entry().options.iter().any(|option| option.key == key);
    let values = [
        ("sparsity", Value::Real(0.9)),
        ("final_sparsity", Value::Real(0.9)),
        ("forward_sparsity", Value::Real(0.9)),
        ("backward_sparsity", Value::Real(0.75)),
        ("rewind_epoch", Value::Count(1)),
        ("update_every", Value::Count(4)),
        ("episodes", Value::Count(4)),
        ("random_episodes", Value::Count(2)),
        ("hidden", Value::Count(8)),
        ("channel_round", Value::Count(4)),
    ];
    values.into_iter().filter(|(key, _)| has(key)).for_each(|(key, value)| config.options.set(key, value));
    config
}

/// The methods whose steps are recorded. (LayerDrop needs another network, and has its own tests.)
pub fn recorded() -> impl Iterator<Item = Method> {
    METHODS.iter().copied().filter(|method| method.entry().records_steps && *method != Method::LayerDrop)
}

pub fn with(mut config: Config, options: &[(&str, Value)]) -> Config {
    options.iter().for_each(|(key, value)| config.options.set(key, value.clone()));
    config
}

pub fn train<S: Scalar>(config: &Config, dataset: &Dataset, observer: &mut dyn Observer<S>) -> (State<S>, History) {
    let run = Run::new(config, dataset, &GO_ON).unwrap();
    let mut state = run.start::<S>().unwrap();
    let mut history = History::default();
    run.train(&mut state, &mut [&mut history, observer]).unwrap();
    (state, history)
}

/// The records without what a clock decides.
pub fn timeless(history: &History) -> Vec<String> {
    let untimed = history.0.iter().cloned().map(|mut record| {
        (record.seconds, record.bytes, record.effective_flops) = (0.0, None, None);
        record
    });
    untimed.map(|record| serde_json::to_string(&record).unwrap()).collect()
}

/// What is told of a quantity.
pub fn flags(story: &Story<f64>, quantity: &Quantity) -> Vec<usize> {
    match story.get(quantity) {
        Some(Told::Flags(flags)) => (0..flags.len()).filter(|&j| flags[j]).collect(),
        told => panic!("{told:?}"),
    }
}

pub fn number(story: &Story<f64>, quantity: &Quantity) -> f64 {
    match story.get(quantity) {
        Some(Told::Number(x)) => *x,
        told => panic!("{told:?}"),
    }
}

pub fn counts(story: &Story<f64>, quantity: &Quantity) -> Vec<usize> {
    match story.get(quantity) {
        Some(Told::Counts(counts)) => counts.clone(),
        told => panic!("{told:?}"),
    }
}

pub fn numbers(story: &Story<f64>, quantity: &Quantity) -> Vec<f64> {
    match story.get(quantity) {
        Some(Told::Numbers(numbers) | Told::PerWeight(numbers)) => numbers.clone(),
        told => panic!("{told:?}"),
    }
}

/// Steps of one layer of weights, without weight decay: the loop of a run in small.
pub struct ByHand {
    pub weights: Weights<f64>,
    pub method: Box<dyn Sparsifier<f64>>,
    config: Config,
    pub steps: usize,
}

impl ByHand {
    /// A learning rate of 1 and no momentum, unless `momentum` says otherwise; a run of ten epochs of ten steps.
    pub fn new(method: Method, first: &[f64], momentum: f64, options: &[(&str, Value)]) -> Self {
        let parameter = Parameter::new("w", Role::Weight, arr1(first).into_dyn());
        let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
        let mut config = with(Config::new("lenet300", Source::Digits, method), options);
        config.hyper.epochs = 10;
        config.optimizer.learning_rate = 1.0;
        config.optimizer.momentum = momentum;
        config.optimizer.weight_decay = 0.0;
        config.validate().unwrap();
        let network = models::find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
        let method = method.start(&config.setup(&network, 10), &mut weights).unwrap();
        Self { weights, method, config, steps: 0 }
    }

    /// What the method does before training.
    pub fn begin(&mut self, lab: &dyn Lab<f64>) -> Story<f64> {
        let mut story = Story::new(true);
        self.method.begin(lab, &mut self.weights, &mut story).unwrap();
        story
    }

    /// Makes these the living weights.
    pub fn set(&mut self, mask: &[bool], values: &[f64]) {
        self.weights.mask_mut().copy_from_slice(mask);
        for layer in self.weights.layers() {
            let entries = layer.values.iter_mut().zip(values).zip(mask);
            entries.for_each(|((w, &value), &active)| *w = if active { value } else { 0.0 });
        }
    }

    pub fn step(&mut self, gradient: &[f64]) -> Story<f64> {
        let at = |steps| At { epoch: 0, steps, learning_rate: 1.0, recorded: true };
        let (mine, mut story) = (self.method.step_needs(self.steps), Story::new(true));
        if mine.before {
            self.method.update_first(at(self.steps), &mut self.weights, &mut story).unwrap();
        }
        let gradient = [Some(ArrayD::from_shape_vec(vec![gradient.len()], gradient.to_vec()).unwrap())];
        let gradients = Gradients { parameters: &self.weights.parameters, stored: &gradient };
        self.method.after_backward(at(self.steps), gradients, &self.weights);
        if !mine.skips_step {
            let sgd = Sgd::new(&self.config.optimizer, self.config.reading.decayed);
            let needs = self.method.needs();
            assert_eq!(sgd.step(Kernel::Literal, &mut self.weights, &gradient, 1.0, &needs), None);
        }
        self.steps += 1;
        if mine.after {
            self.method.after_step(at(self.steps), &mut self.weights, &mut story).unwrap();
        }
        story
    }

    pub fn mask(&mut self) -> Vec<usize> {
        let mask = self.weights.mask_mut();
        (0..mask.len()).filter(|&j| mask[j]).collect()
    }

    pub fn momentum(&self) -> Vec<f64> {
        self.weights.momentum[0].iter().copied().collect()
    }
}

/// What the network would say, given.
pub struct Given {
    pub gradient: Vec<f64>,
    pub hessian_gradient: Vec<f64>,
}

impl Lab<f64> for Given {
    fn samples(&self) -> Vec<(usize, usize)> {
        vec![(0, 0), (1, 1)]
    }
    fn gradient(&self, _: &Weights<f64>, _: &[usize]) -> Result<Vec<f64>> {
        Ok(self.gradient.clone())
    }
    fn fresh(&self, _: &Weights<f64>) -> Vec<f64> {
        vec![7.0; self.gradient.len()]
    }
    fn hessian_gradient(&self, _: &Weights<f64>, _: &[usize], _: f64) -> Result<Vec<f64>> {
        Ok(self.hessian_gradient.clone())
    }
}
