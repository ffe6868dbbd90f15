//! Known mistakes in Eq. 8.

use super::{COARSEST_RATE, Candidates, reading};
use crate::oracle::check::{Carry, Epoch, exact_rate};
use crate::paper::reading::EpochOrigin;
use crate::scalar::Scalar;

pub(super) fn causes(epoch: &Epoch, carry: &Carry, got: f64) -> Vec<String> {
    let hyper = &epoch.trace.header.hyper;
    let (k, epochs) = (epoch.k as f64, hyper.epochs as f64);
    let (from, to) = (hyper.alpha_0, hyper.alpha_end);
    let line = |progress: f64| from + progress * (to - from);
    let rate = |k: usize| exact_rate(k, hyper.epochs, from, to).to_f64();
    let correct = rate(epoch.k);
    let mut c = Candidates::default();
    match epoch.reading().epoch_origin {
        EpochOrigin::Zero => c.add(format!("computed with k+1: {}", reading("epoch_origin", "1")), rate(epoch.k + 1)),
        EpochOrigin::One => {
            c.add(format!("computed with k-1: {}", reading("epoch_origin", "0")), rate(epoch.k.saturating_sub(1)));
        }
    }
    c.add("alpha_k was computed with k-1", line((k - 1.0) / epochs));
    c.add("alpha_k was computed with k+1", line((k + 1.0) / epochs));
    c.add("K-1 in the denominator", line(k / (epochs - 1.0)));
    c.add("K+1 in the denominator", line(k / (epochs + 1.0)));
    c.add("k-1 and K-1: progress (k-1)/(K-1)", line((k - 1.0) / (epochs - 1.0)));
    c.add("alpha_0 and alpha_K are swapped", to + k / epochs * (from - to));
    c.add("the sign of alpha_K - alpha_0 is wrong", from - k / epochs * (to - from));
    c.add("constant: alpha_0 in every epoch (or an integer division k / K)", from);
    c.add("constant: alpha_K in every epoch", to);
    c.add("alpha_0 is not added", k / epochs * (to - from));
    c.add("rounded to f32 (as torch.quantile does with its q)", f64::from(correct as f32));
    c.add("1 - alpha_k", 1.0 - correct);
    c.add("in percent", 100.0 * correct);
    c.add(
        "a cosine schedule instead of the line",
        to + (from - to) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * k / epochs)),
    );
    c.add("an exponential schedule instead of the line", from * libm::pow(to / from, k / epochs));
    c.add(
        "a cubic schedule (gradual magnitude pruning) instead of the line",
        to + (from - to) * libm::pow(1.0 - k / epochs, 3.0),
    );
    c.add("(k / K)^2 for k / K", line(k / epochs * k / epochs));
    c.add_known("the previous epoch's alpha", carry.previous.as_ref().and_then(|p| p.0.alpha));
    // As many roundings as Eq. 8's own bound allows, of numbers no larger than 1.
    c.matching(got, epoch.arithmetic.prune_rate(epoch.k, 1.0).min(COARSEST_RATE))
}
