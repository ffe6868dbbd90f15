//! Dense steps on one batch that stays the same, as [`Run`](gdstar::train::Run) takes them: forward, backward,
//! the optimizer, in whose pass the method takes part. `step/` with the method *dense*; `overhead/` with GDSTAR before any
//! weight is eliminated, by turns with dense in one process, so that the difference is what the method costs.

use crate::Options;
use crate::case::{Case, Meter};
use crate::method::{config, random_pixels};
use gdstar::data::Source;
use gdstar::kernel::{Kernel, images};
use gdstar::method::{At, Method, Needs};
use gdstar::nn::models::{Entry, MODELS};
use gdstar::nn::{Mode, Network};
use gdstar::random::{Purpose, stream};
use gdstar::train::{Sgd, Step};
use gdstar::weights::{Stepping, Weights};
use gdstar::{Error, Result};
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;

/// With a learning rate of 0 every step does the arithmetic of a step, on the same weights: no measurement drifts into
/// the denormal numbers of a batch learned by heart.
const LEARNING_RATE: f64 = 0.0;

/// The networks whose steps have goals; the others are measured where they are asked for by name.
const GOALS: [&str; 6] = ["lenet300", "lenet", "resnet20", "resnet18", "mobilenetv2", "vgg16"];

pub fn cases(options: &Options) -> Result<Vec<Case>> {
    let batch_size = options.batch_size;
    let mut cases = Vec::new();
    for entry in MODELS {
        // Forward is one product of as many multiply-accumulates, backward two. (The first layer's input needs no
        // gradient; that is not subtracted.)
        let macs = 3 * entry.network(entry.input, entry.classes)?.summary::<f32>(batch_size.max(2))?.macs * batch_size;
        let dense = move |meter: &mut Meter| {
            let mut trainee = Trainee::new(entry, Method::Dense, batch_size)?;
            // A step takes its batch; the copy is the data loader's work.
            let batch = trainee.batch.clone();
            meter.repeat(|| batch.clone(), |(x, labels)| trainee.step(x, labels))
        };
        let overhead = move |meter: &mut Meter| {
            let mut dense = Trainee::new(entry, Method::Dense, batch_size)?;
            let mut gdstar = Trainee::new(entry, Method::Gdstar, batch_size)?;
            let batch = dense.batch.clone();
            meter.by_turns(|| batch.clone(), |(x, labels)| gdstar.step(x, labels), |(x, labels)| dense.step(x, labels))
        };
        for case in
            [Case::new(format!("step/{}", entry.name), dense), Case::new(format!("overhead/{}", entry.name), overhead)]
        {
            cases.push(case.with_macs(macs as f64).on_demand(!GOALS.contains(&entry.name)));
        }
    }
    Ok(cases)
}

/// A network in training.
struct Trainee {
    network: Network,
    /// As in the middle of an epoch.
    weights: Stepping<'static, f32>,
    optimizer: Sgd,
    needs: Needs,
    noise: ChaCha8Rng,
    batch: (ArrayD<f32>, Vec<usize>),
}

impl Trainee {
    fn new(entry: &Entry, method: Method, batch_size: usize) -> Result<Self> {
        let config = config(entry.name, Source::Digits, method);
        let network = entry.network(entry.input, entry.classes)?;
        let mut weights = Weights::new(network.first_parameters(config.seed), config.reading.prunable);
        let [c, h, w] = entry.input;
        let pixels = random_pixels(batch_size * c * h * w).into_iter().map(|byte| f32::from(byte) / 128.0 - 1.0);
        // As the data loader lays a batch out.
        let x = images([batch_size, c, h, w], pixels.collect()).into_dyn();
        let mut sparsifier = method.start(&config.setup(&network, 1), &mut weights)?;
        sparsifier.begin_epoch(At { epoch: 0, steps: 0, learning_rate: 0.0, recorded: false }, &mut weights);
        // For as long as the process measures.
        let mut weights = Box::leak(Box::new(weights)).stepping(None);
        weights.store(false)?;
        Ok(Self {
            optimizer: Sgd::new(&config.optimizer, config.reading.decayed),
            needs: sparsifier.needs(),
            noise: stream(config.seed, Purpose::Dropout, 0),
            batch: (x, (0..batch_size).map(|i| i % entry.classes).collect()),
            network,
            weights,
        })
    }

    fn step(&mut self, x: ArrayD<f32>, labels: Vec<usize>) -> Result<()> {
        let (mode, noise) = (Mode::Training, Some(&mut self.noise));
        let weights = &mut self.weights;
        let mut step = Step::compute(&self.network, Kernel::Fast, &weights.parameters, x, labels, mode, noise)?;
        let spoilt = self.optimizer.step(Kernel::Fast, weights, &step.gradients, LEARNING_RATE, &self.needs);
        if spoilt.is_some() || !step.loss.is_finite() {
            return Err(Error::domain("a step", "finite losses and gradients", step.loss));
        }
        step.move_buffers(&mut weights.parameters);
        step.recycle();
        Ok(())
    }
}
