//! How wide the enclosure is.

use super::Case;
use gdstar::oracle::arithmetic::Arithmetic;
use gdstar::oracle::step::Enclosure;
use gdstar::train::Precision;

/// Half the width of every interval of one gradient, relative to the gradient's root mean square: (median, largest).
fn relative(low: &ndarray::ArrayD<f64>, high: &ndarray::ArrayD<f64>) -> (f64, f64) {
    let centres = low.iter().zip(high).map(|(l, h)| (l + h) / 2.0);
    let rms = (centres.map(|c| c * c).sum::<f64>() / low.len() as f64).sqrt();
    let mut widths: Vec<f64> = low.iter().zip(high).map(|(l, h)| (h - l) / 2.0 / rms).collect();
    widths.sort_by(f64::total_cmp);
    (widths[widths.len() / 2], widths[widths.len() - 1])
}

fn report(what: &str, enclosure: &Enclosure) -> (f64, f64) {
    let (low, high) = enclosure.loss;
    println!(
        "{what}: loss {low:.7} +- {:.1e}, {} of {} decisions ambiguous",
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
    let case = Case::lenet300(1, &(0..128).collect::<Vec<i64>>());
    for (precision, cap) in [(Precision::F32, 1e-1), (Precision::F64, 1e-9)] {
        let started = std::time::Instant::now();
        let enclosure = case.enclose(&Arithmetic::of(precision));
        let worst = report(&format!("lenet300, digits, 128, {precision}, {:?}", started.elapsed()), &enclosure);
        assert!(worst.1 <= cap, "{worst:?}");
    }
}
