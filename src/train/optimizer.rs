//! Stochastic gradient descent with momentum and weight decay, as PyTorch's `torch.optim.SGD` defines it.

use crate::kernel::{Descent, Followed, Kernel, Pattern, accumulate_squares, hold, sgd_step};
use crate::method::Needs;
use crate::nn::Parameter;
use crate::paper::reading::Decayed;
use crate::scalar::Scalar;
use crate::select::update::InactiveMomentum;
use crate::weights::{FollowedParameter, Weights, row_major_mut};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

/// The optimizer's settings; defaults are the paper's (section 4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SgdSettings {
    /// The base learning rate, at epoch 0 of the cosine schedule.
    pub learning_rate: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    /// Whether the momentum is Nesterov's, as PyTorch defines it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nesterov: bool,
    pub batch_size: usize,
}

impl Default for SgdSettings {
    fn default() -> Self {
        Self { learning_rate: 0.05, momentum: 0.9, weight_decay: 5e-4, nesterov: false, batch_size: 128 }
    }
}

/// The optimizer; its momentum lies with the weights ([`Weights::momentum`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    pub momentum: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
    /// Which parameters weight decay acts on (open point 22).
    pub decayed: Decayed,
}

impl Sgd {
    /// With these settings.
    pub fn new(settings: &SgdSettings, decayed: Decayed) -> Self {
        let SgdSettings { momentum, weight_decay, nesterov, .. } = *settings;
        Self { momentum, weight_decay, nesterov, decayed }
    }

    /// One step for every parameter that has a gradient, in this order of operations per entry:
    ///
    /// ```text
    /// g <- g + weight_decay * w
    /// b <- momentum * b + g
    /// w <- w - learning_rate * b    (Nesterov's: w - learning_rate * (g + momentum * b))
    /// ```
    ///
    /// With `b = 0` before the first step this is PyTorch's `b = g` there. Where a method [needs](Needs) squares of W,
    /// they grow by the square of g as it was before the first line or after it; what a mask holds at 0 becomes 0 again.
    ///
    /// `gradients` are in the order of the parameters, of the shapes in which they are stored, or, where all gradients of
    /// a compressed weight were wanted, of its own. Returns the first parameter with a gradient that is not finite: the
    /// step has then spoilt it.
    pub fn step<S: Scalar>(
        &self,
        kernel: Kernel,
        weights: &mut Weights<S>,
        gradients: &[Option<ArrayD<S>>],
        learning_rate: f64,
        needs: &Needs,
    ) -> Option<usize> {
        let rule = Descent {
            learning_rate: S::from_f64(learning_rate),
            momentum: S::from_f64(self.momentum),
            weight_decay: S::from_f64(self.weight_decay),
            nesterov: self.nesterov,
        };
        let (parameters, momentum, mut followed) = weights.for_a_step(needs.squares.map(|squares| squares.slot));
        let mut spoilt = None;
        for (i, ((parameter, gradient), b)) in parameters.iter_mut().zip(gradients).zip(momentum).enumerate() {
            let followed = followed.next(i, parameter).map(|parameter| follow(parameter, needs));
            let Some(gradient) = gradient else { continue };
            if needs.moves_w && followed.is_some() {
                continue;
            }
            let is_decayed = parameter.role.is_decayed(self.decayed);
            let rule = if is_decayed { rule } else { Descent { weight_decay: S::ZERO, ..rule } };
            let followed = followed.unwrap_or_default();
            let living = match followed.mask {
                Some(mask) if needs.inactive_momentum == InactiveMomentum::Decay => {
                    Some(living(kernel, gradient, mask))
                }
                _ => None,
            };
            if !step(kernel, rule, parameter, b, living.as_ref().unwrap_or(gradient), followed) {
                spoilt = spoilt.or(Some(i));
            }
        }
        spoilt
    }
}

/// What a method adds to the step of a parameter of W: sums and mask with an entry for each of the parameter's, or of its
/// gradient's.
fn follow<'a, S: Scalar>(parameter: FollowedParameter<'a, S>, needs: &Needs) -> Followed<'a, S> {
    Followed {
        squares: parameter.slot,
        with_decay: needs.squares.is_some_and(|squares| squares.with_decay),
        mask: parameter.mask,
        dead_momentum: needs.inactive_momentum != InactiveMomentum::Zero,
    }
}

/// The gradient with 0 where a weight is held at 0, whose momentum then decays.
fn living<S: Scalar>(kernel: Kernel, gradient: &ArrayD<S>, mask: &[bool]) -> ArrayD<S> {
    let mut living = gradient.as_standard_layout().into_owned();
    hold(kernel, row_major_mut(&mut living), mask);
    living
}

/// One parameter's step; false if its gradient is not finite.
fn step<S: Scalar>(
    kernel: Kernel,
    rule: Descent<S>,
    parameter: &mut Parameter<S>,
    b: &mut ArrayD<S>,
    gradient: &ArrayD<S>,
    followed: Followed<S>,
) -> bool {
    let gradient = gradient.as_standard_layout();
    let g = gradient.as_slice().unwrap_or_default();
    let pattern = parameter.pattern().cloned();
    let (w, b) = (row_major_mut(&mut parameter.value), row_major_mut(b));
    match pattern {
        Some(pattern) if g.len() != w.len() => step_living(kernel, rule, &pattern, (w, b), g, followed),
        _ => sgd_step(kernel, rule, (w, b), g, followed),
    }
}

/// The step of a compressed weight whose gradient `g` is dense.
fn step_living<S: Scalar>(
    kernel: Kernel,
    rule: Descent<S>,
    pattern: &Pattern,
    w_and_b: (&mut [S], &mut [S]),
    g: &[S],
    followed: Followed<S>,
) -> bool {
    let living = pattern.gather(g);
    match followed.squares {
        Some(squares) if squares.len() == g.len() => {
            // G of all entries: of the dead, whose weight decay is 0, here; of the living with their step.
            let mut of_living = pattern.gather(squares);
            let finite = accumulate_squares(kernel, squares, g);
            let followed = Followed { squares: Some(&mut of_living), ..followed };
            sgd_step(kernel, rule, w_and_b, &living, followed);
            pattern.scatter_into(&of_living, squares);
            finite
        }
        squares => sgd_step(kernel, rule, w_and_b, &living, Followed { squares, ..followed }),
    }
}
