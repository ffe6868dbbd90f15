//! DropBack: its steps by hand, and what it promises of a run.

use super::{GO_ON, StopAfter, digits, lenet300, timeless};
use crate::cli::assert_fails;
use gdstar::data::Source;
use gdstar::error::Result;
use gdstar::kernel::Kernel;
use gdstar::method::options::Value;
use gdstar::method::{At, Field, Gradients, Method, Sparsifier, Story};
use gdstar::nn::{Parameter, Parameters, Role};
use gdstar::paper::reading::{Decayed, Prunable};
use gdstar::train::{
    Checkpoint, Checkpointer, Config, EpochEvent, History, Observer, Run, RunFolder, Sgd, SgdSettings, State,
};
use gdstar::weights::Weights;
use ndarray::{ArrayD, arr1};

/// A run of LeNet-300-100 on the digits with these options.
fn config(options: &[(&str, Value)]) -> Config {
    let mut config = Config::new("lenet300", Source::Digits, Method::DropBack);
    config.hyper.epochs = 3;
    options.iter().for_each(|(key, value)| config.options.set(key, value.clone()));
    config
}

fn name(name: &str) -> Value {
    Value::Name(name.to_string())
}

/// Steps of ten weights under a learning rate of 1 without momentum: a gradient is how far a weight moves down.
struct ByHand {
    weights: Weights<f64>,
    method: Box<dyn Sparsifier<f64>>,
    steps: usize,
}

impl ByHand {
    fn new(options: &[(&str, Value)]) -> Self {
        let first = arr1(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]).into_dyn();
        let parameter = Parameter::new("w", Role::Weight, first);
        let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
        let config = config(options);
        let method = Method::DropBack.start(&config.setup(&lenet300(), 1), &mut weights).unwrap();
        Self { weights, method, steps: 0 }
    }

    /// What a step leaves of the weights' distances from their first values, and which are tracked.
    fn step(&mut self, gradient: [f64; 10]) -> ([f64; 10], Vec<usize>) {
        let settings =
            SgdSettings { learning_rate: 1.0, momentum: 0.0, weight_decay: 0.0, nesterov: false, batch_size: 1 };
        let gradient = [Some(ArrayD::from_shape_vec(vec![10], gradient.to_vec()).unwrap())];
        let at = |steps| At { epoch: 0, steps, learning_rate: 1.0, recorded: false };
        let gradients = Gradients { parameters: &self.weights.parameters, stored: &gradient };
        self.method.after_backward(at(self.steps), gradients, &self.weights);
        let needs = self.method.needs();
        let sgd = Sgd::new(&settings, Decayed::All);
        assert_eq!(sgd.step(Kernel::Literal, &mut self.weights, &gradient, 1.0, &needs), None);
        self.steps += 1;
        self.method.after_step(at(self.steps), &mut self.weights, &mut Story::new(false)).unwrap();
        let values = self.weights.values();
        let distances = std::array::from_fn(|j| values[j] - (j + 1) as f64);
        let fields = self.method.save();
        let Some(Field::Flags(tracked)) = fields.get("tracked") else { panic!("flags") };
        (distances, (0..10).filter(|&j| tracked[j]).collect())
    }
}

/// Three of ten weights, by the distance from W_0; a weight that is set back starts from there again.
#[test]
fn three_steps_by_hand() {
    let mut run = ByHand::new(&[("tracked", Value::Count(3))]);
    // Moved by -1, -5, .., the three furthest stay: 1, 4 and 9.
    let (moved, tracked) = run.step([1.0, 5.0, 0.0, 2.0, -6.0, 0.0, 0.0, 3.0, 0.0, 4.0]);
    assert_eq!(tracked, [1, 4, 9]);
    assert_eq!(moved, [0.0, -5.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, -4.0]);
    // Weight 1 comes back to 1 away, weight 7 moves 3 in one step from W_0: it takes the place.
    let (moved, tracked) = run.step([0.0, -4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
    assert_eq!(tracked, [4, 7, 9]);
    assert_eq!(moved, [0.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0, -3.0, 0.0, -4.0]);
    // A tie of 3 between weights 0 and 7: the lower index stays.
    let (moved, tracked) = run.step([3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(tracked, [0, 4, 9]);
    assert_eq!(moved, [-3.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, -4.0]);
}

/// The same steps under the other readings: ties to the higher index, a share for a count, frozen from a step on, and sums
/// of gradients, which are distances here; where they run on for all, a weight that was not tracked is still scored by the
/// step alone.
#[test]
fn readings_by_hand() {
    let first = [1.0, 5.0, 0.0, 2.0, -6.0, 0.0, 0.0, 3.0, 0.0, 4.0];
    let zeros_but = |j: usize, g: f64| std::array::from_fn(|i| if i == j { g } else { 0.0 });
    let mut higher = ByHand::new(&[("sparsity", Value::Real(0.7)), ("ties", name("higher-index"))]);
    higher.step(first);
    assert_eq!(higher.step(zeros_but(3, 4.0)).1, [1, 4, 9], "a tie of 4 between weights 3 and 9");
    let mut frozen = ByHand::new(&[("tracked", Value::Count(3)), ("freeze_step", Value::Count(1))]);
    frozen.step(first);
    assert_eq!(frozen.step(zeros_but(0, 100.0)), ([0.0, -5.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, -4.0], vec![1, 4, 9]));
    // Set back, a weight starts again; or its sum runs on, and counts once the weight is tracked again.
    for (accumulate, tracked, sums_of_7_and_9) in
        [("tracked", [1, 4, 9], [0.0, 5.5]), ("always", [4, 7, 9], [7.5, 9.5])]
    {
        let options = [("tracked", Value::Count(3)), ("score", name("accumulated")), ("accumulate", name(accumulate))];
        let mut sums = ByHand::new(&options);
        assert_eq!(sums.step(first).1, [1, 4, 9]);
        assert_eq!(sums.step(zeros_but(7, 4.5)).1, [1, 4, 7], "{accumulate}");
        assert_eq!(sums.step(zeros_but(9, 5.5)).1, tracked, "{accumulate}");
        let values = &sums.weights.slot("accumulated").unwrap().values;
        assert_eq!([values[7], values[9]], sums_of_7_and_9, "{accumulate}");
    }
}

/// Holds a run to its promise: exactly k weights differ from W_0, or fewer where one has not moved.
struct Budget {
    first: Vec<f32>,
    k: usize,
    epochs: usize,
}

impl Observer<f32> for Budget {
    fn on_epoch(&mut self, event: &EpochEvent<f32>) -> Result<()> {
        let values = event.state.weights.values();
        let moved = values.iter().zip(&self.first).filter(|(w, w0)| w.to_bits() != w0.to_bits()).count();
        assert!(moved <= self.k && 2 * moved > self.k, "{moved} weights moved, {} are tracked", self.k);
        assert_eq!(event.record.numbers.count("tracked"), Some(self.k));
        self.epochs += 1;
        Ok(())
    }
}

/// Tracked weights learn; all others keep the bits of W_0, in every epoch.
#[test]
fn what_is_not_tracked_stays_at_its_first_value() {
    let (dataset, config) = (digits(), config(&[("tracked", Value::Count(2000))]));
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let mut state = run.start::<f32>().unwrap();
    let mut budget = Budget { first: state.weights.values(), k: 2000, epochs: 0 };
    let mut history = History::default();
    run.train(&mut state, &mut [&mut budget, &mut history]).unwrap();
    assert_eq!(budget.epochs, 3);
    assert!(history.0[2].loss < history.0[0].loss, "nothing was learned");
}

/// Stopped in the middle of an epoch and resumed from its checkpoint, a run has the bits of one that was not, with what it
/// sums and what it tracks; under every score.
#[test]
fn a_resumed_run_has_the_same_bits() {
    for score in ["distance", "accumulated"] {
        let options = [("sparsity", Value::Real(0.95)), ("score", name(score)), ("freeze_step", Value::Count(20))];
        let (dataset, config) = (digits(), config(&options));
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        let whole = |state: &mut State<f32>| {
            let mut history = History::default();
            run.train(state, &mut [&mut history]).unwrap();
            timeless(&history)
        };
        let mut uninterrupted = run.start().unwrap();
        let told = whole(&mut uninterrupted);
        let base = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&base.path().join("run"), &config).unwrap();
        let mut checkpointer = Checkpointer::new(&folder, &run, None);
        run.train(&mut run.start::<f32>().unwrap(), &mut [&mut checkpointer, &mut StopAfter(1)]).unwrap_err();
        let (_, mut resumed) = Checkpoint::read::<f32>(&folder.checkpoint(), &run).unwrap();
        assert_eq!(resumed.epochs, 1);
        assert_eq!(whole(&mut resumed)[..], told[1..]);
        assert!(
            resumed.weights == uninterrupted.weights && resumed.sparsifier.save() == uninterrupted.sparsifier.save()
        );
    }
}

/// An option that is not the method's, a count that no selection can make, and neither count nor share are refused by name.
#[test]
fn impossible_options_are_refused() {
    let dataset = digits();
    let told = |options: &[(&str, Value)]| {
        let config = config(options);
        let refused = config.validate().and_then(|()| Run::new(&config, &dataset, &GO_ON).map(|_| ()));
        refused.unwrap_err().to_string()
    };
    assert_eq!(told(&[]), "--tracked: expected k, or --sparsity in its place, found neither");
    let both = [("tracked", Value::Count(1)), ("sparsity", Value::Real(0.5))];
    assert_eq!(told(&both), "--tracked: expected k, or --sparsity in its place, found both");
    assert_eq!(told(&[("tracked", Value::Count(50_201))]), "--tracked: expected at most N = 50200, found 50201");
    assert_eq!(told(&[("sparsity", Value::Real(1.5))]), "--sparsity: expected a number in [0, 1], found 1.5");
    let train = ["train", "--model", "lenet300", "--data", "digits", "--tracked"];
    assert_fails(&[&train[..], &["5"]].concat(), 2, &["--tracked", "--method dropback", "--method gdstar"]);
    assert_fails(&[&train[..], &["x", "--method", "dropback"]].concat(), 2, &["--tracked", "a whole number", "`x`"]);
    let told = Config { method: Method::Gdstar, ..config(&[]) }.validate().unwrap_err().to_string();
    assert!(told.contains("expected an option of --method gdstar, found one of --method dropback"), "{told}");
}
