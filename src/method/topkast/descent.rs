//! [`DenseDescent`]: SGD on the dense weights, with a penalty, where they are trained.

use super::DENSE;
use crate::error::{Error, Result};
use crate::kernel::{Descent, Kernel, Penalty, drawn_step};
use crate::method::Setup;
use crate::paper::reading::Decayed;
use crate::scalar::Scalar;
use crate::select::update::PenaltyRule;
use crate::weights::{Segment, Weights};
use std::ops::Range;

#[derive(Debug)]
pub struct DenseDescent {
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    decayed: Decayed,
    by_sign: bool,
    /// Inside A and outside.
    penalties: [f64; 2],
}

impl DenseDescent {
    /// Outside A the penalty is divided by the share D of the weights that is inside.
    pub fn of(setup: &Setup, inside: f64) -> Result<Self> {
        let penalty = setup.options.real("penalty").unwrap_or_default();
        Ok(Self {
            momentum: setup.momentum,
            nesterov: setup.nesterov,
            weight_decay: setup.weight_decay,
            decayed: setup.reading.decayed,
            by_sign: setup.options.choice::<PenaltyRule>()? == PenaltyRule::L1,
            penalties: [penalty, penalty / inside],
        })
    }

    /// A step by g at A w, which is 0 outside B.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the first gradient in B that is not finite.
    pub fn step<S: Scalar>(
        &self,
        learning_rate: f64,
        w: &mut Weights<S>,
        gradient: &[S],
        backward: &[bool],
    ) -> Result<()> {
        let penalty = Penalty { by_sign: self.by_sign, strengths: self.penalties.map(S::from_f64) };
        let decays = |segment: &Segment| w.parameters[segment.parameter].role.is_decayed(self.decayed);
        let decays: Vec<bool> = w.set().segments().iter().map(decays).collect();
        for (mut layer, decays) in w.layers().zip(decays) {
            let rule = Descent {
                learning_rate: S::from_f64(learning_rate),
                momentum: S::from_f64(self.momentum),
                weight_decay: S::from_f64(if decays { self.weight_decay } else { 0.0 }),
                nesterov: self.nesterov,
            };
            let range = layer.range.clone();
            let (gradient, backward) = (&gradient[range.clone()], &backward[range.clone()]);
            let moving = (layer.slots.named(DENSE), layer.momentum, layer.values);
            if !drawn_step(Kernel::any(), rule, penalty, moving, gradient, (layer.mask, backward)) {
                return Err(first_not_finite(range, gradient, backward));
            }
        }
        Ok(())
    }
}

/// Names the first gradient that is not finite where weights move, of those in this part of W.
fn first_not_finite<S: Scalar>(range: Range<usize>, gradient: &[S], backward: &[bool]) -> Error {
    let mut entries = range.zip(gradient).zip(backward);
    let spoilt = entries.find_map(|((j, g), &moves)| (moves && !g.is_finite()).then_some((j, g.to_f64())));
    let (j, g) = spoilt.unwrap_or_default();
    Error::domain(format!("the gradient of weight {j}"), "a finite number", g)
}
