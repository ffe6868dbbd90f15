//! The registered networks.

use gdstar::kernel::Kernel;
use gdstar::method::Needs;
use gdstar::nn::models::{self, Entry};
use gdstar::nn::{Feed, Join, Layer, Mode, Network, Parameters, Role};
use gdstar::paper::reading::{Decayed, Prunable};
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::{Sgd, SgdSettings, Step};
use gdstar::weights::Weights;
use ndarray::ArrayD;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The registered models have the parameter counts of the literature, at 10 classes.
#[test]
fn models_have_the_counts_of_the_literature() {
    let expected = [
        ("lenet300", 266_610),
        ("lenet", 62_006),
        ("vgg16", 14_728_266),
        ("vgg19bn", 20_040_522),
        ("inceptionv3", 21_806_058),
        ("resnet18", 11_173_962),
        ("resnet34", 21_282_122),
        ("resnet50", 23_520_842),
        ("resnet20", 269_722),
        ("shufflenetv2", 1_263_854),
        ("efficientnetb0", 3_598_598),
        ("mobilenetv2", 2_296_922),
        ("densenetc", 1_000_618),
        ("densenet121", 6_956_298),
    ];
    assert_eq!(expected.len(), models::MODELS.len(), "a model was added without its count");
    for (name, count) in expected {
        let entry = models::find(name).unwrap();
        let network = entry.network(entry.input, entry.classes).unwrap();
        let summary = network.summary::<f32>(2).unwrap();
        assert_eq!(summary.parameters, count, "{name}");
        let listed: usize = summary.layers.iter().map(|layer| layer.parameters).sum();
        assert_eq!(listed, count, "{name}: the layers listed");
        let specs = network.specs();
        let weights = specs.iter().filter(|spec| spec.role == Role::Weight).map(|spec| spec.entries());
        assert_eq!(summary.prunable, weights.sum::<usize>(), "{name}: conv and linear weights");
        assert!(specs.iter().all(|spec| (spec.role == Role::Weight) == (spec.shape.len() > 1)), "{name}: roles");
    }
}

/// Networks take the images and classes they are asked for: 64x64 and 200 classes are Tiny ImageNet, which the paper
/// trains ResNet-50 on; 75x75 is the smallest image for Inception's published stem.
#[test]
fn networks_adapt_to_images_and_classes() {
    for entry in models::MODELS {
        let network = entry.network([entry.input[0], 64, 64], 200).unwrap();
        let summary = network.summary::<f32>(2).unwrap();
        assert_eq!(summary.layers.last().unwrap().output, [200], "{}", entry.name);
        let grey = entry.network([1, 32, 32], 2).unwrap();
        assert_eq!(grey.summary::<f32>(2).unwrap().layers.last().unwrap().output, [2], "{}", entry.name);
    }
    let inception = models::find("inceptionv3").unwrap();
    let first =
        |side: usize| inception.network([3, side, side], 10).unwrap().summary::<f32>(2).unwrap().layers[0].clone();
    assert_eq!(first(74).output, [32, 74, 74]);
    assert_eq!(first(75).output, [32, 37, 37]);
    assert_eq!(first(299).output, [32, 149, 149]);
    let too_small = models::find("lenet").unwrap().network([3, 8, 8], 10).unwrap_err().to_string();
    assert!(too_small.contains("conv2d"), "{too_small}");
    for entry in models::MODELS {
        let refused = |input: [usize; 3], classes: usize| entry.network(input, classes).unwrap_err().to_string();
        for input in [[0, 32, 32], [3, 0, 32], [3, usize::MAX, 2], [1 << 22, 2, 1]] {
            assert!(
                refused(input, 10).starts_with("image (--input, --image-size): expected"),
                "{} {input:?}",
                entry.name
            );
        }
        for classes in [0, usize::MAX] {
            assert!(refused(entry.input, classes).starts_with("--classes: expected"), "{} {classes}", entry.name);
        }
    }
}

/// Too few parameters, and branches that do not share out the channels, are errors and no panic.
#[test]
fn parameters_and_branches_that_do_not_fit_are_errors() {
    let entry = models::find("lenet300").unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let whole = network.first_parameters::<f32>(0);
    let cut = Parameters::new(whole.iter().take(3).cloned().collect());
    let x = ArrayD::from_elem(vec![2, 1, 28, 28], 0.5);
    let step = Step::compute(&network, Kernel::Fast, &cut, x, vec![0, 1], Mode::Training, None);
    let told = step.unwrap_err().to_string();
    assert_eq!(told, "linear: the network's parameters: expected at least 4, found 3");
    let branches = vec![(String::new(), Layer::Identity)];
    let layer = Layer::Branches { feed: Feed::Split(vec![1, 1]), branches, join: Join::Concat };
    let told = Network::new("split", [2, 1, 1], 2, layer).summary::<f32>(2).unwrap_err().to_string();
    assert!(told.contains("expected 1 parts, one a branch, found 2"), "{told}");
}

/// A batch of eight images with eight labels.
fn batch(entry: &Entry, rng: &mut ChaCha8Rng) -> (ArrayD<f32>, Vec<usize>) {
    let [c, h, w] = entry.input;
    let x = ArrayD::from_shape_simple_fn(vec![8, c, h, w], || 4.0 * unit(rng) as f32 - 2.0);
    (x, (0..8).map(|i| i % entry.classes).collect())
}

fn step(
    network: &Network,
    parameters: &Parameters<f32>,
    (x, labels): &(ArrayD<f32>, Vec<usize>),
    mode: Mode,
    noise: Option<&mut ChaCha8Rng>,
) -> Step<f32> {
    Step::compute(network, Kernel::Fast, parameters, x.clone(), labels.clone(), mode, noise).unwrap()
}

/// Multiply-accumulates of the largest network that is trained in every run of the tests.
const SMALL: usize = 50_000_000;

/// Every small model learns one batch of eight by heart: forward, backward and optimizer work together. Every weight moves.
#[test]
fn every_small_model_overfits_one_batch() {
    overfit_one_batch(|macs| macs <= SMALL);
}

/// The same for the others.
#[test]
#[ignore = "minutes without optimisation"]
fn every_larger_model_overfits_one_batch() {
    overfit_one_batch(|macs| macs > SMALL);
}

/// Looks at the models that take such a count of multiply-accumulates.
fn overfit_one_batch(chosen: fn(usize) -> bool) {
    for entry in models::MODELS {
        let network = entry.network(entry.input, entry.classes).unwrap();
        if !chosen(network.summary::<f32>(2).unwrap().macs) {
            continue;
        }
        let mut rng = stream(3, Purpose::Initialisation, 0);
        let start = network.initialise::<f32>(&mut rng);
        let mut weights = Weights::new(start.clone(), Prunable::Weights);
        let batch = batch(entry, &mut rng);
        // Three times as much overshoots in ResNet-50, whose loss then takes long to come down again.
        let settings = SgdSettings { weight_decay: 0.0, learning_rate: 0.01, ..SgdSettings::default() };
        let sgd = Sgd::new(&settings, Decayed::All);
        let mut losses: Vec<f32> = Vec::new();
        // A constant guess has loss ln(8) > 2; a memorised batch has nearly none.
        while losses.len() < 80 && losses.last().is_none_or(|&loss| loss >= 0.02) {
            let step = step(&network, &weights.parameters, &batch, Mode::Training, None);
            sgd.step(Kernel::Fast, &mut weights, &step.gradients, settings.learning_rate, &Needs::default());
            losses.push(step.loss);
        }
        assert!(losses[0] > 1.5 && *losses.last().unwrap() < 0.02, "{}: {losses:?}", entry.name);
        // Weights alone: the gradient of a bias, scale or shift that a later batch norm undoes is 0.
        let weights = start.iter().zip(weights.parameters.iter()).filter(|(before, _)| before.role == Role::Weight);
        for (before, after) in weights {
            assert!(before.value != after.value, "{}: {} never moved", entry.name, before.name);
        }
    }
}

/// Dropout and stochastic depth act in training alone, and are determined by their generator.
#[test]
fn noise_acts_in_training_alone() {
    let entry = models::find("efficientnetb0").unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let parameters = network.initialise::<f32>(&mut rng);
    let batch = batch(entry, &mut rng);
    let logits = |mode: Mode, seed: Option<u64>| {
        let mut noise = seed.map(|seed| stream(seed, Purpose::Dropout, 0));
        step(&network, &parameters, &batch, mode, noise.as_mut()).logits
    };
    assert_eq!(logits(Mode::Training, Some(1)), logits(Mode::Training, Some(1)));
    assert_ne!(logits(Mode::Training, Some(1)), logits(Mode::Training, Some(2)));
    assert_ne!(logits(Mode::Training, Some(1)), logits(Mode::Training, None));
    assert_eq!(logits(Mode::EvaluationWithGradients, Some(1)), logits(Mode::EvaluationWithGradients, None),);
}

/// A sample that stochastic depth drops is dropped whole; survivors are divided by 1 - p. Dropout draws entry by entry.
#[test]
fn stochastic_depth_drops_samples_and_dropout_entries() {
    let p = 0.5;
    let of = |layer: Layer| {
        let network = Network::new("noise", [4, 3, 3], 36, Layer::sequence([("", layer), ("", Layer::Flatten)]));
        let x = ArrayD::from_elem(vec![64, 4, 3, 3], 1.0);
        let parameters = network.initialise::<f64>(&mut ChaCha8Rng::seed_from_u64(0));
        let mut tape = gdstar::tape::Tape::new(Kernel::Literal);
        let mut noise = stream(9, Purpose::Dropout, 0);
        let pass = network.forward(&mut tape, &parameters, x, Mode::Training, Some(&mut noise)).unwrap();
        tape.value(pass.logits).to_owned()
    };
    let samples = of(Layer::StochasticDepth { p });
    let entries = of(Layer::Dropout { p });
    for y in [&samples, &entries] {
        assert!(y.iter().all(|&y| y == 0.0 || y == 1.0 / (1.0 - p)));
        let kept = y.iter().filter(|&&y| y > 0.0).count() as f64 / y.len() as f64;
        // Of 64 fair draws, all but one in 10^9 seeds keep between 1/8 and 7/8.
        assert!((0.125..=0.875).contains(&kept), "{kept}");
    }
    assert!(samples.outer_iter().all(|row| row.iter().all(|&y| y == row[0])), "each sample as a whole");
    assert!(entries.outer_iter().any(|row| row.iter().any(|&y| y != row[0])), "each entry by itself");
}
