//! Where GDSTAR and its relatives stop, if they are asked to: pruning at a sparsity ([`Target`]), k* after an epoch. The paper
//! compares methods "under the same sparsity ratios" and does not say how it came by them.

use super::super::keys::{SHARE, run};
use super::super::options::{Domain, MethodOption};
use super::super::{Options, Setup};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::paper::decay::{Decay, decayed_weight};
use crate::paper::reading::Threshold;
use crate::scalar::Scalar;
use crate::select::count::Count;

/// When pruning ends.
pub const TARGET_SPARSITY: MethodOption =
    run("target_sparsity", SHARE, "Pruning stops where this share of W is gone [default: it does not]");
/// When k* stays where it is.
pub const FREEZE_K_STAR: MethodOption =
    run("freeze_k_star", Domain::Count { from: 0 }, "The last epoch that can become k* [default: all can]");

/// Both, by which a run departs from what a trace of it would be judged by.
pub const STOPS: [MethodOption; 2] = [TARGET_SPARSITY, FREEZE_K_STAR];

/// The share of W that goes.
///
/// At the end of the epoch in which more weights would fall under eps than may still go, those go whose decayed values
/// `|w* lambda^t|` are the smallest, of equal ones those that come first in W. The others keep the values and the momentum that
/// they had, as if they were not selected. From the next epoch on the mask is fixed and no weight is rewound or decayed: what is left
/// is trained. Eq. 1 to 8 and Alg. 4 are computed and recorded as before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target(f64);

impl Target {
    /// Of a run that is asked for one.
    pub fn of(options: &Options) -> Option<Self> {
        options.real(TARGET_SPARSITY.key).map(Self)
    }

    /// # Errors
    /// [`Error::Domain`] for settings by which other weights than the selected ones go, or some that stand or fall together.
    pub fn check(setup: &Setup) -> Result<()> {
        if Self::of(setup.options).is_none() {
            return Ok(());
        }
        let option = |other: &str| format!("{} with --{other}", TARGET_SPARSITY.option());
        if let Some((structure, _)) = setup.structure {
            let expected = "no groups, which a stop would cut in two";
            return Err(Error::domain(option("structure"), expected, structure));
        }
        if setup.reading.threshold != Threshold::Selected {
            let (expected, found) = (Threshold::Selected.name(), setup.reading.threshold);
            return Err(Error::domain(option(Threshold::KEY), expected, found));
        }
        Ok(())
    }

    /// How many of a mask's weights may still go; as many go in all as of methods that have a sparsity for an option.
    pub fn left(self, mask: &[bool]) -> usize {
        let alive = mask.iter().filter(|&&alive| alive).count();
        alive.saturating_sub(Count::KeepRound.kept(mask.len(), self.0))
    }

    /// Takes from `selected` the weights that would fall under eps and may not go, where `w_star` is what selected weights go
    /// back to.
    ///
    /// # Errors
    /// As [`decayed_weight`].
    pub fn spare<S: Scalar>(self, selected: &mut [bool], mask: &[bool], w_star: &[S], decay: &Decay) -> Result<()> {
        let mut falling = Vec::new();
        for j in (0..mask.len()).filter(|&j| selected[j] && mask[j]) {
            let size = decayed_weight(w_star[j], decay.lambda, decay.t, 0.0)?.abs();
            if size.to_f64() < decay.eps {
                falling.push((size, j));
            }
        }
        falling.sort_by(|(a, i), (b, j)| a.total_order(b).then(i.cmp(j)));
        falling.iter().skip(self.left(mask)).for_each(|&(_, j)| selected[j] = false);
        Ok(())
    }
}
