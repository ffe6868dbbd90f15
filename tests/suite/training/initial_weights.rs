//! W_0 under either reading of open point 21.

use gdstar::nn::{Init, Parameters, Role, models};
use gdstar::paper::reading::InitialWeights;
use gdstar::random::{Purpose, normal, stream, unit};
use ndarray::ArrayD;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;

/// The first two draws of a stream make its first normal number, by Box and Muller's formula.
#[test]
fn a_normal_number_is_two_uniform_ones() {
    for epoch in 0..1000 {
        let rng = || stream(3, Purpose::Initialisation, epoch);
        let mut draws = rng();
        let (u, v) = (unit(&mut draws), unit(&mut draws));
        let expected = (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        // The system's logarithm and cosine are within an ulp of exact ones, as libm's are, and so the root and the
        // product of either within a few units of the radius.
        let bound = 8.0 * f64::EPSILON * (-2.0 * (1.0 - u).ln()).sqrt().max(1.0);
        let found = normal(&mut rng());
        assert!((found - expected).abs() <= bound, "{found} for {expected}");
    }
}

/// N(0, 2 / fan_in): mean, variance and the share within one sigma of every large weight are those of that distribution
/// within five standard deviations of each estimate. Biases and batch norm are as under `uniform`.
#[test]
fn normal_weights_have_the_printed_distribution() {
    for name in ["lenet300", "resnet20"] {
        let model = models::find(name).unwrap();
        let network = model.network(model.input, model.classes).unwrap();
        let parameters: Parameters<f64> = network.first_parameters_from(11, InitialWeights::Normal);
        let mut seen = 0;
        for (parameter, spec) in parameters.iter().zip(network.specs()) {
            if parameter.role != Role::Weight {
                // Of batch norm 0 or 1; a bias within 1 / sqrt(fan_in), fan_in at least 10.
                assert!(parameter.value.iter().all(|x| [0.0, 1.0].contains(x) || x.abs() < 0.32), "{}", spec.name);
                continue;
            }
            let n = parameter.value.len() as f64;
            let fan_in: usize = parameter.value.shape().iter().skip(1).product();
            let sigma = (2.0 / fan_in as f64).sqrt();
            let z: Vec<f64> = parameter.value.iter().map(|w| w / sigma).collect();
            if z.len() < 1000 {
                continue;
            }
            seen += 1;
            let mean = z.iter().sum::<f64>() / n;
            let variance = z.iter().map(|z| z * z).sum::<f64>() / n;
            let share = z.iter().filter(|z| z.abs() < 1.0).count() as f64 / n;
            // Of n draws: the mean deviates by 1 / sqrt(n), the mean square by sqrt(2 / n), a share p by sqrt(p (1 - p) / n).
            const WITHIN_ONE_SIGMA: f64 = 0.682_689_492_137_085_9;
            assert!(mean.abs() <= 5.0 / n.sqrt(), "{}: mean {mean}", spec.name);
            assert!((variance - 1.0).abs() <= 5.0 * (2.0 / n).sqrt(), "{}: variance {variance}", spec.name);
            let deviation = (WITHIN_ONE_SIGMA * (1.0 - WITHIN_ONE_SIGMA) / n).sqrt();
            assert!((share - WITHIN_ONE_SIGMA).abs() <= 5.0 * deviation, "{}: {share} within sigma", spec.name);
        }
        assert!(seen > 1, "{name}");
    }
}

/// Every uniform value is what `ndarray-rand` fills an array with from the stream of the initial weights, parameter by
/// parameter: another program with that crate starts from the same bits.
#[test]
fn uniform_weights_are_those_of_ndarray_rand() {
    let network = models::find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let parameters: Parameters<f64> = network.first_parameters(4);
    let mut rng = stream(4, Purpose::Initialisation, 0);
    for (parameter, spec) in parameters.iter().zip(network.specs()) {
        let Init::Uniform { bound } = spec.init else { panic!("{} is drawn", spec.name) };
        let uniform = Uniform::new_inclusive(-bound, bound).unwrap();
        assert!(parameter.value == ArrayD::random_using(spec.shape, uniform, &mut rng), "{}", spec.name);
    }
}

/// The default draws what it always did.
#[test]
fn the_default_is_uniform() {
    let network = models::find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let default: Parameters<f32> = network.first_parameters(4);
    assert!(default == network.first_parameters_from(4, InitialWeights::Uniform));
    assert!(default != network.first_parameters_from(4, InitialWeights::Normal));
    let fc1 = &default[0].value;
    assert!(fc1.iter().all(|w| w.abs() <= 0.125), "within 1 / sqrt(64)");
}
