//! What is said of a trained network: accuracy, loss, sparsity by layer, multiply-accumulates.

use crate::state_dict::{network, parameters};
use gdstar::data::{self, Source, Split};
use gdstar::kernel::Kernel;
use gdstar::nn::{Parameter, Parameters, Spec, models};
use gdstar::paper::reading::Prunable;
use gdstar::report::layer_sparsity;
use gdstar::train::{SavedNetwork, evaluate};
use gdstar::weights::WeightSet;
use ndarray::ArrayD;

/// Equal logits: the first class is guessed, and each sample's loss is ln 10, whatever the batch size.
#[test]
fn equal_logits_guess_the_first_class_at_ln_10() {
    let digits = data::load(Source::Digits, None).unwrap();
    let network = models::find("lenet300").unwrap().network(digits.train.shape, 10).unwrap();
    let mut zeros: Parameters<f64> = network.initialise(&mut rand::SeedableRng::seed_from_u64(0));
    zeros.iter_mut().for_each(|parameter| parameter.value.fill(0.0));
    for split in [Split::Train, Split::Test] {
        let labels = &digits.images(split).labels;
        let zeros_among_labels = labels.iter().filter(|&&label| label == 0).count();
        for batch in [7, 100, 10_000] {
            let found = evaluate(&network, Kernel::Literal, &zeros, (&digits, split), batch).unwrap();
            assert_eq!(found.samples, labels.len());
            assert_eq!(found.accuracy, zeros_among_labels as f64 / labels.len() as f64);
            // Roundings, each of half an ulp, u relative: ln 10 itself, a batch's mean, its product with the batch's
            // size, the sums of as many positive terms as there are batches, the quotient.
            let roundings = 4 + labels.len().div_ceil(batch);
            let bound = roundings as f64 * (f64::EPSILON / 2.0) * std::f64::consts::LN_10;
            let error = (found.loss - std::f64::consts::LN_10).abs();
            assert!(error <= bound, "{split}, batches of {batch}: {error:e} above {bound:e}");
        }
    }
}

/// One logit decides: a network that always says 3 is right where the label is 3.
#[test]
fn the_largest_logit_is_the_guess() {
    let digits = data::load(Source::Digits, None).unwrap();
    let network = models::find("lenet300").unwrap().network(digits.train.shape, 10).unwrap();
    let mut parameters: Parameters<f32> = network.initialise(&mut rand::SeedableRng::seed_from_u64(0));
    parameters.iter_mut().for_each(|parameter| parameter.value.fill(0.0));
    let mut guess = |logit: f32| {
        parameters.iter_mut().find(|p| p.name == "fc3.bias").unwrap().value[[3]] = logit;
        evaluate(&network, Kernel::Fast, &parameters, (&digits, Split::Test), 100).unwrap()
    };
    let threes = digits.test.labels.iter().filter(|&&label| label == 3).count();
    assert_eq!(guess(1.0).accuracy, threes as f64 / digits.test.len() as f64);
    let lost = guess(f32::NAN);
    assert!(lost.accuracy == 0.0 && lost.loss.is_nan(), "NaN is no guess: {lost:?}");
}

/// By hand: `conv1` [3,1,3,3] and `conv2` [3,3,3,3] on 4x4 pixels use each weight 16 times, `linear` [2,3] once.
#[test]
fn living_weights_are_counted_layer_by_layer() {
    let parameters = parameters();
    let weights = WeightSet::new(&parameters, Prunable::WeightsAndBiases);
    // 27 of conv1, 81 of conv2, 6 of linear and its 2 biases.
    assert_eq!(weights.len(), 116);
    let alive = (0..116).map(|i| !(5..30).contains(&i) && i != 115).collect();
    let saved =
        SavedNetwork { network: network(), parameters, weights, alive, has_masks: true, batches: 0, encoding: None };
    let (rows, total) = layer_sparsity(&saved).unwrap();
    let told: Vec<_> = rows.iter().map(|r| (r.name.as_str(), r.total, r.alive, r.macs, r.effective_macs)).collect();
    let expected = [
        ("conv1.weight", 27, 5, 432, 80),
        ("conv2.weight", 81, 78, 1296, 1248),
        ("linear.weight", 6, 6, 6, 6),
        ("linear.bias", 2, 1, 0, 0),
    ];
    assert_eq!(told, expected);
    assert_eq!((total.total, total.alive, total.macs, total.effective_macs), (116, 90, 1734, 1334));
    assert_eq!((rows[3].sparsity(), total.sparsity(), saved.sparsity()), (0.5, 26.0 / 116.0, 26.0 / 116.0));
}

/// Every network's multiply-accumulates are found at its prunable weights, each of which takes part in equally many.
#[test]
fn every_networks_macs_belong_to_its_weights() {
    for entry in models::MODELS {
        let network = entry.network(entry.input, entry.classes).unwrap();
        let macs: usize = network.summary::<f32>(2).unwrap().macs;
        let value = |spec: Spec| Parameter::new(spec.name, spec.role, ArrayD::zeros(spec.shape));
        let parameters: Parameters<f32> = Parameters::new(network.specs().into_iter().map(value).collect());
        let weights = WeightSet::new(&parameters, Prunable::Weights);
        let alive = vec![true; weights.len()];
        let saved = SavedNetwork { network, parameters, weights, alive, has_masks: true, batches: 0, encoding: None };
        let (rows, total) = layer_sparsity(&saved).unwrap();
        for row in rows {
            assert!(row.macs > 0 && row.effective_macs == row.macs, "{}: {row:?}", entry.name);
        }
        assert_eq!(total.macs, macs, "{}", entry.name);
    }
}
