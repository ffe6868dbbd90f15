//! [`Pruning`]: Alg. 6 on W, up to a target where there is one, and what becomes of momentum and W_k*.

use super::stop::Target;
use crate::error::Result;
use crate::kernel::{Kernel, hold};
use crate::method::Setup;
use crate::paper::decay::{Decay, rewind_decay};
use crate::paper::reading::{MomentumOnPrune, Reading, RewindCopy};
use crate::scalar::Scalar;
use crate::weights::Weights;

/// The slot of W_k*.
pub const W_STAR: &str = "rewind";

/// How selected weights go.
#[derive(Debug)]
pub struct Pruning {
    lambda: f64,
    eps: f64,
    reading: Reading,
    /// Where pruning ends, if it does.
    target: Option<Target>,
}

impl Pruning {
    pub fn of(setup: &Setup) -> Self {
        let (hyper, target) = (setup.hyper, Target::of(setup.options));
        Self { lambda: hyper.lambda, eps: hyper.eps, reading: *setup.reading, target }
    }

    /// Alg. 6 on every parameter of W, and what becomes of their momentum (open point 13).
    ///
    /// # Errors
    /// As [`rewind_decay`].
    pub fn prune<S: Scalar>(&self, t: usize, selected: &[bool], w: &mut Weights<S>) -> Result<()> {
        let decay = Decay { lambda: self.lambda, t, eps: self.eps, threshold: self.reading.threshold };
        let is_copy = self.reading.rewind_copy == RewindCopy::Copy;
        let within = self.target.map(|target| within(target, selected, w, &decay)).transpose()?;
        let Some(selected) = within.as_ref().map_or(Some(selected), |within| within.as_deref()) else {
            return Ok(());
        };
        let mut outcome = Ok(());
        for mut layer in w.layers() {
            let selected = &selected[layer.range.clone()];
            let w_star = is_copy.then(|| layer.slots.named(W_STAR));
            let counts = rewind_decay(layer.values, w_star.as_deref(), selected, layer.mask, &decay);
            outcome = outcome.and(counts.map(|_| ()));
            if self.reading.momentum_on_prune != MomentumOnPrune::Keep {
                hold(Kernel::any(), layer.momentum, layer.mask);
            }
            if self.reading.momentum_on_prune == MomentumOnPrune::ZeroSelected {
                let others: Vec<bool> = selected.iter().map(|selected| !selected).collect();
                hold(Kernel::any(), layer.momentum, &others);
            }
        }
        outcome
    }
}

/// What of `selected` is pruned on the way to a target; `None` once it is reached.
fn within<S: Scalar>(
    target: Target,
    selected: &[bool],
    w: &mut Weights<S>,
    decay: &Decay,
) -> Result<Option<Vec<bool>>> {
    if target.left(w.mask_mut()) == 0 {
        return Ok(None);
    }
    let w_star = w.slot(W_STAR).map_or_else(|| w.values(), |slot| slot.values.clone());
    let mut selected = selected.to_vec();
    target.spare(&mut selected, w.mask_mut(), &w_star, decay)?;
    Ok(Some(selected))
}

/// Sets W_k* to 0 where a weight is eliminated: no equation reads it there again, and nothing of it need be stored.
pub fn forget_eliminated<S: Scalar>(w: &mut Weights<S>) {
    if w.slot(W_STAR).is_none() {
        return;
    }
    for mut layer in w.layers() {
        hold(Kernel::any(), layer.slots.named(W_STAR), layer.mask);
    }
}
