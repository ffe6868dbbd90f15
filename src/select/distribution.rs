//! [`Distribution`]: how a target sparsity is shared out among layers; ERK and ER (Mocanu et al. 2018; Evci et al. 2020).

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

choice! {
    /// From a target sparsity S to each layer's s_l.
    Distribution, "distribution":
    /// One selection over W.
    Global = "global",
    /// s_l = S.
    Uniform = "uniform",
    /// Erdos-Renyi-Kernel: density in proportion to (the sum of the shape's axes) / (their product).
    Erk = "erk",
    /// Erdos-Renyi: the same of the first two axes.
    Er = "er",
    /// As the options say, one a parameter.
    Given = "given",
}

choice! {
    /// What ERK budgets.
    ErkBudget, "erk_budget":
    /// floor(S n_l) zeros in a layer of n_l.
    Floor = "floor",
    /// S n_l.
    Real = "real",
}

/// What a density is in proportion to: p_l.
///
/// ```
/// use gdstar::select::distribution::{Distribution, proportion};
/// assert_eq!(proportion::<f64>(Distribution::Erk, &[2, 4, 3, 3]), 12.0 / 72.0);
/// assert_eq!(proportion::<f64>(Distribution::Er, &[2, 4, 3, 3]), 6.0 / 8.0);
/// assert_eq!(proportion::<f64>(Distribution::Er, &[5]), 6.0 / 5.0);
/// ```
pub fn proportion<S: Scalar>(distribution: Distribution, shape: &[usize]) -> S {
    let (sum, product) = match (distribution, shape) {
        (Distribution::Er, [out]) => (out + 1, *out),
        (Distribution::Er, [out, input, ..]) => (out + input, out * input),
        _ => (shape.iter().sum(), shape.iter().product()),
    };
    S::from_usize(sum) / S::from_usize(product)
}

/// The zeros that a layer of n weights counts with in the budget.
pub fn zeros<S: Scalar>(budget: ErkBudget, n: usize, sparsity: f64) -> S {
    match budget {
        ErkBudget::Floor => S::from_usize((n as f64 * sparsity).floor() as usize),
        ErkBudget::Real => S::from_f64(sparsity) * S::from_usize(n),
    }
}

/// One layer in ERK's budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share<S> {
    /// p_l.
    pub proportion: S,
    /// n_l.
    pub n: S,
    /// zeros_l.
    pub zeros: S,
}

/// s_l of every layer: 1 - e p_l with one e for all, but 0 for layers that this would make more than dense.
///
/// Begins with no layer dense. e is what is left of the ones that the budget has for all layers: the ones of the others
/// less the zeros of the dense, over the sum of p_l n_l of the others; while e p_l > 1 for the largest p_l, every layer with
/// that p_l becomes dense.
///
/// ```
/// use gdstar::select::distribution::{Share, erk};
/// // 20 of 40 weights: with e = 20 / (2 x 20 + 1 x 20) = 1/3 the layers have 2/3 and 1/3 of theirs.
/// let shares = [2.0, 1.0].map(|proportion| Share { proportion, n: 20.0, zeros: 10.0 });
/// assert_eq!(erk(&shares)?, [1.0 - 20.0 / 60.0 * 2.0, 1.0 - 20.0 / 60.0]);
/// // e = 30 / (8 x 20 + 20) = 1/6 would make the first more than dense: the other bears its 5 zeros, e = (15 - 5) / 20.
/// assert_eq!(erk(&[8.0, 1.0].map(|proportion| Share { proportion, n: 20.0, zeros: 5.0 }))?, [0.0, 0.5]);
/// assert!(erk(&[8.0, 1.0].map(|proportion| Share { proportion, n: 20.0, zeros: 20.0 })).is_err());
/// # Ok::<(), gdstar::Error>(())
/// ```
///
/// # Errors
/// [`Error::Domain`] where nothing is left for the layers that are not dense, or all are.
pub fn erk<S: Scalar>(layers: &[Share<S>]) -> Result<Vec<S>> {
    let mut dense = vec![false; layers.len()];
    let full = S::ONE + S::from_f64(8.0 * layers.len() as f64 * S::UNIT_ROUNDOFF);
    loop {
        let (mut left, mut sum, mut largest) = (S::ZERO, S::ZERO, S::ZERO);
        for (layer, &dense) in layers.iter().zip(&dense) {
            if dense {
                left -= layer.zeros;
            } else {
                left += layer.n - layer.zeros;
                sum += layer.proportion * layer.n;
                largest = largest.maximum(layer.proportion);
            }
        }
        let e = left / sum;
        let has_solution = left > S::ZERO && sum > S::ZERO && e > S::ZERO;
        if !has_solution {
            let expected = "a sparsity at which layers are left that are not dense, and weights for them";
            let found = format!("{} of {} layers dense", dense.iter().filter(|&&dense| dense).count(), layers.len());
            return Err(Error::domain("erk", expected, found));
        }
        // The last layers of S = 0 have all of their weights: e p = 1 but for what is rounded, in two sums of L terms, their
        // products, a quotient, p and e p: fewer than 2 L + 6 roundings, which are no more than 8 L.
        if e * largest > full {
            for (layer, dense) in layers.iter().zip(&mut dense) {
                *dense |= layer.proportion == largest;
            }
            continue;
        }
        let s = |(layer, &dense): (&Share<S>, &bool)| {
            if dense { S::ZERO } else { (S::ONE - e * layer.proportion).maximum(S::ZERO) }
        };
        return Ok(layers.iter().zip(&dense).map(s).collect());
    }
}

/// s_l of layers of these shapes; `given` is for [`Distribution::Given`]. `None` where the selection is over all of W.
///
/// # Errors
/// [`Error::Domain`] as [`erk`], or where other than one sparsity a layer is given.
pub fn layer_sparsities<S: Scalar>(
    distribution: Distribution,
    budget: ErkBudget,
    shapes: &[&[usize]],
    sparsity: f64,
    given: &[f64],
) -> Result<Option<Vec<S>>> {
    Ok(Some(match distribution {
        Distribution::Global => return Ok(None),
        Distribution::Uniform => vec![S::from_f64(sparsity); shapes.len()],
        Distribution::Given if given.len() == shapes.len() => given.iter().map(|&s| S::from_f64(s)).collect(),
        Distribution::Given => {
            let expected = format!("{} sparsities, one a parameter of W", shapes.len());
            return Err(Error::domain("--sparsities", expected, given.len()));
        }
        Distribution::Erk | Distribution::Er => {
            let share = |shape: &&[usize]| {
                let n = shape.iter().product();
                Share {
                    proportion: proportion(distribution, shape),
                    n: S::from_usize(n),
                    zeros: zeros(budget, n, sparsity),
                }
            };
            erk(&shapes.iter().map(share).collect::<Vec<_>>())
                .map_err(|error| unsolvable(error, distribution, sparsity))?
        }
    }))
}

/// The error in the words of options.
fn unsolvable(error: Error, distribution: Distribution, sparsity: f64) -> Error {
    match error {
        Error::Domain { expected, found, .. } => {
            Error::domain(format!("--distribution {distribution}"), expected, format!("{found}, at {sparsity}"))
        }
        other => other,
    }
}
