//! How wide the enclosure is.

use super::Case;
use gdstar::oracle::step::Enclosure;
use gdstar::oracle::{Arithmetic, Interval};
use gdstar::train::Precision;
use ndarray::ArrayD;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Half the width of every interval of one gradient, relative to the gradient's root mean square: (median, largest).
fn relative(low: &ArrayD<f64>, high: &ArrayD<f64>) -> (f64, f64) {
    let centres = low.iter().zip(high).map(|(l, h)| (l + h) / 2.0);
    let rms = (centres.map(|c| c * c).sum::<f64>() / low.len() as f64).sqrt();
    let mut widths: Vec<f64> = low.iter().zip(high).map(|(l, h)| (h - l) / 2.0 / rms).collect();
    widths.sort_by(f64::total_cmp);
    (widths[widths.len() / 2], widths[widths.len() - 1])
}

fn report(what: &str, enclosure: &Enclosure) -> (f64, f64) {
    let Interval { low, high } = enclosure.loss;
    println!(
        "{what}: loss {:.7} +- {:.1e}, {} of {} decisions ambiguous",
        (high + low) / 2.0,
        (high - low) / 2.0,
        enclosure.ambiguous,
        enclosure.decisions
    );
    let mut worst = (0.0f64, 0.0f64);
    for bounds in &enclosure.gradients {
        let (median, largest) = relative(&bounds.low, &bounds.high);
        println!("  {:12} median {median:.1e}, largest {largest:.1e}", bounds.name);
        worst = (worst.0.max(median), worst.1.max(largest));
    }
    worst
}

#[test]
fn lenet300_is_narrow() {
    let indices: Vec<i64> = (0..128).collect();
    for (steps, precision, cap) in
        [(0, Precision::F32, 1e-1), (0, Precision::F64, 1e-9), (60, Precision::F32, 1.0), (300, Precision::F32, 10.0)]
    {
        let case = Case::lenet300(1, &indices).trained(steps);
        let started = std::time::Instant::now();
        let enclosure = case.enclose(&Arithmetic::of(precision));
        let worst =
            report(&format!("lenet300, 128 digits, {steps} steps, {precision}, {:?}", started.elapsed()), &enclosure);
        assert!(worst.1 <= cap, "{worst:?}");
    }
}

/// A registered network at initial weights on random images.
fn random_images(model: &str, n: usize) -> Case {
    let entry = gdstar::nn::models::find(model).unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let parameters = super::widened(&network.initialise::<f32>(&mut rng));
    let [c, h, w] = network.input;
    let x = ArrayD::from_shape_simple_fn(vec![n, c, h, w], || f64::from(rng.random_range(-1.5f32..1.5)));
    Case { labels: (0..n).map(|i| i % 10).collect(), network, parameters, x }
}

#[test]
fn mnist_sized_lenet300_and_lenet_are_bounded() {
    for (model, cap) in [("lenet300", 1e1), ("lenet", 1e3)] {
        let case = random_images(model, 32);
        let started = std::time::Instant::now();
        let enclosure = case.enclose(&Arithmetic::of(Precision::F32));
        let worst = report(&format!("{model}, 32, {:?}", started.elapsed()), &enclosure);
        assert!(worst.1 <= cap, "{worst:?}");
    }
}
