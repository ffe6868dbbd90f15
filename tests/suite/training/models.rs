//! The registered networks.

use gdstar::kernel::Kernel;
use gdstar::nn::models;
use gdstar::train::{Sgd, SgdSettings};
use ndarray::ArrayD;

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
        let x = ArrayD::from_shape_simple_fn(vec![8, c, h, w], || 4.0 * gdstar::random::unit(&mut rng) as f32 - 2.0);
        let labels: Vec<usize> = (0..8).map(|i| i % entry.classes).collect();
        let settings = SgdSettings { weight_decay: 0.0, learning_rate: 0.03, ..SgdSettings::default() };
        let mut sgd = Sgd::new(&settings, &parameters);
        let mut losses = Vec::new();
        for _ in 0..80 {
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
