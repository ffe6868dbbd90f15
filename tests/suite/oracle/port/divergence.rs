//! Where a faulty run first leaves the correct one, quantity by quantity in the trace format's order: the fault's own
//! equation, found without any checker.

use super::record::{Epoch, Trace};

/// The first quantity of a faulty run that the correct run has otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    pub epoch: usize,
    pub equation: &'static str,
    /// The largest relative distance; infinite for decisions.
    pub distance: f64,
}

fn distance(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b).abs() / f64::max(a.abs(), b.abs()) }
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let distances = a.iter().zip(b).map(|(&a, &b)| distance(a, b));
    // A NaN is as far as can be: infinity less infinity, for one.
    distances.fold(0.0, |most, d| {
        if d <= most {
            most
        } else if d.is_nan() {
            f64::INFINITY
        } else {
            d
        }
    })
}

fn decided<T: PartialEq>(a: &T, b: &T) -> f64 {
    if a == b { 0.0 } else { f64::INFINITY }
}

/// An eliminated weight that is not 0 is a matter of Alg. 6, any other of Alg. 1.
fn steps(flat: &dyn Fn(&[Vec<f64>]) -> Vec<f64>, a: &Epoch, b: &Epoch) -> [(&'static str, f64); 2] {
    let (all_a, all_b) = (a.weights_before.concat(), b.weights_before.concat());
    let revived = flat(&b.weights_before).iter().zip(&b.mask_before).any(|(&w, &alive)| !alive && w != 0.0);
    if revived {
        return [("alg6", f64::INFINITY), ("alg1", 0.0)];
    }
    [("alg6", 0.0), ("alg1", furthest(&all_a, &all_b))]
}

/// The first divergence of `faulty` from `correct` by a relative distance of more than `roundings`; `flat` flattens
/// what belongs to W.
pub fn first_divergence(
    flat: &dyn Fn(&[Vec<f64>]) -> Vec<f64>,
    correct: &Trace,
    faulty: &Trace,
    roundings: f64,
) -> Option<Divergence> {
    for (a, b) in correct.epochs.iter().zip(&faulty.epochs) {
        let quantities = [
            ("eq1", distance(a.s_abs, b.s_abs)),
            ("eq2", furthest(&a.g, &b.g)),
            ("eq3", distance(a.s_sq, b.s_sq)),
            ("eq4", distance(a.s_f, b.s_f)),
            ("alg4", if a.draw.is_none() { decided(&a.min_before, &b.min_before) } else { 0.0 }),
            ("alg4", decided(&a.k_star, &b.k_star)),
            ("alg4", furthest(&a.rewind.concat(), &b.rewind.concat())),
            ("eq8", distance(a.alpha, b.alpha)),
            ("eq6", furthest(&a.chunk_quantiles, &b.chunk_quantiles)),
            ("eq7", distance(a.tau, b.tau)),
            ("eq5", decided(&a.selected, &b.selected)),
            ("alg6", decided(&a.t, &b.t)),
            ("eq9", furthest(&a.weights_after.concat(), &b.weights_after.concat())),
            ("alg6", decided(&a.mask, &b.mask)),
        ];
        let all =
            [("alg6", decided(&a.mask_before, &b.mask_before))].into_iter().chain(steps(flat, a, b)).chain(quantities);
        if let Some((equation, distance)) = all.into_iter().find(|&(_, distance)| distance > roundings) {
            return Some(Divergence { epoch: b.k, equation, distance });
        }
    }
    None
}
