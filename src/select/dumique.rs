//! DUMIQUE, as Procrustes uses it (Yang et al. 2020): a running estimate of a quantile in place of a sort.

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

choice! {
    /// How the weights to track are found.
    Select, "select":
    /// The k largest scores.
    Sort = "sort",
    /// Those above a running estimate of the quantile.
    Dumique = "dumique",
}

choice! {
    /// In which order the estimate passes over W.
    DumiqueOrder, "dumique_order":
    LastToFirst = "last-to-first",
    FirstToLast = "first-to-last",
}

choice! {
    /// Where the estimate stands when a step begins.
    DumiqueCarry, "dumique_carry":
    /// At its first value, in every step.
    Restart = "restart",
    /// Where the step before left it.
    Carry = "carry",
}

/// The estimate's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dumique {
    /// q: the share of scores that should lie below the quantile.
    pub q: f64,
    /// rho.
    pub rate: f64,
    pub order: DumiqueOrder,
}

impl Dumique {
    /// One pass over the scores with the estimate `quantile`, which it moves: a score above it is tracked, and
    /// `Q <- Q (1 + rho q)`; else `Q <- Q (1 - rho (1 - q))`.
    ///
    /// ```
    /// use gdstar::select::dumique::{Dumique, DumiqueOrder};
    /// let (mut quantile, settings) = (2.0, Dumique { q: 0.5, rate: 0.5, order: DumiqueOrder::FirstToLast });
    /// // 3 > 2: 2.5; 1 <= 2.5: 1.875; 2 > 1.875: 2.34375.
    /// assert_eq!(settings.pass(&[3.0, 1.0, 2.0], &mut quantile)?, [true, false, true]);
    /// assert_eq!(quantile, 2.34375);
    /// # Ok::<(), gdstar::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Domain`] naming a score that is not finite.
    pub fn pass<S: Scalar>(&self, scores: &[S], quantile: &mut S) -> Result<Vec<bool>> {
        if let Some(j) = scores.iter().position(|score| !score.is_finite()) {
            return Err(Error::domain(format!("the score of weight {j}"), "a finite number", scores[j].to_f64()));
        }
        let (q, rate) = (S::from_f64(self.q), S::from_f64(self.rate));
        let (up, down) = (S::ONE + rate * q, S::ONE - rate * (S::ONE - q));
        let mut tracked = vec![false; scores.len()];
        let mut visit = |j: usize| {
            tracked[j] = *quantile < scores[j];
            *quantile *= if tracked[j] { up } else { down };
        };
        match self.order {
            DumiqueOrder::LastToFirst => (0..scores.len()).rev().for_each(&mut visit),
            DumiqueOrder::FirstToLast => (0..scores.len()).for_each(&mut visit),
        }
        Ok(tracked)
    }
}
