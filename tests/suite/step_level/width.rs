//! How wide the enclosure is.

use super::Case;
use gdstar::oracle::Interval;
use gdstar::oracle::step::Enclosure;
use gdstar::scalar::Dtype;
use gdstar::trace::Arithmetic;
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

/// The widest gradient's median and the widest entry of all, as measured (x86-64, Literal's and Fast's centres agree to
/// all digits printed), times 2 for other machines' training. A bound that got wider would hide mistakes.
fn assert_narrow(what: &str, enclosure: &Enclosure, (median, largest): (f64, f64)) {
    let worst = report(what, enclosure);
    assert!(worst.0 <= 2.0 * median && worst.1 <= 2.0 * largest, "{what}: {worst:?}");
}

#[test]
fn lenet300_is_narrow() {
    let indices: Vec<i64> = (0..128).collect();
    for (steps, precision, measured) in [
        (0, Dtype::F32, (9.0e-3, 4.8e-2)),
        (0, Dtype::F64, (3.1e-11, 7.9e-11)),
        (60, Dtype::F32, (7.8e-2, 1.8e-1)),
        (300, Dtype::F32, (4.0e-1, 2.3)), // a loss of 0.01: gradients cancel, the bound does not
    ] {
        let case = Case::lenet300(1, &indices).trained(steps);
        let enclosure = case.enclose(&Arithmetic::of(precision));
        assert_narrow(&format!("lenet300, 128 digits, {steps} steps, {precision}"), &enclosure, measured);
        // One decision in a thousand.
        assert!(enclosure.ambiguous * 1000 <= enclosure.decisions);
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
    Case { labels: (0..n).map(|i| i % 10).collect(), label_smoothing: 0.0, network, parameters, x }
}

#[test]
fn lenet300_is_narrow_on_images_of_mnists_size() {
    let enclosure = random_images("lenet300", 32).enclose(&Arithmetic::of(Dtype::F32));
    assert_narrow("lenet300, 32 random images", &enclosure, (4.9e-1, 1.2));
}

/// Through five layers, 150 to 400 terms each, only the loss and the last layers' gradients are held.
#[test]
fn lenet_is_narrow_at_its_end() {
    let mut enclosure = random_images("lenet", 32).enclose(&Arithmetic::of(Dtype::F32));
    let Interval { low, high } = enclosure.loss;
    assert!(high - low <= 2.0 * 2.4e-2, "{low}, {high}");
    report("lenet, 32 random images", &enclosure);
    enclosure.gradients.retain(|bounds| bounds.name.starts_with("fc3"));
    assert_narrow("lenet's last layer", &enclosure, (2.2e-1, 6.3e-1));
}
