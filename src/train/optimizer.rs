//! Stochastic gradient descent with momentum and weight decay, as PyTorch's `torch.optim.SGD` defines it.

use crate::kernel::{Elementwise, Kernel, Pattern, accumulate_squares, elementwise, plus_square};
use crate::method::Needs;
use crate::nn::Parameter;
use crate::paper::reading::Decayed;
use crate::scalar::Scalar;
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
    pub batch_size: usize,
}

impl Default for SgdSettings {
    fn default() -> Self {
        Self { learning_rate: 0.05, momentum: 0.9, weight_decay: 5e-4, batch_size: 128 }
    }
}

/// The optimizer; its momentum lies with the weights ([`Weights::momentum`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    pub momentum: f64,
    pub weight_decay: f64,
    /// Which parameters weight decay acts on (open point 22).
    pub decayed: Decayed,
}

impl Sgd {
    /// With these settings.
    pub fn new(settings: &SgdSettings, decayed: Decayed) -> Self {
        Self { momentum: settings.momentum, weight_decay: settings.weight_decay, decayed }
    }

    /// One step for every parameter that has a gradient, in this order of operations per entry:
    ///
    /// ```text
    /// g <- g + weight_decay * w
    /// b <- momentum * b + g
    /// w <- w - learning_rate * b
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
        let rule = Rule {
            learning_rate: S::from_f64(learning_rate),
            momentum: S::from_f64(self.momentum),
            weight_decay: S::from_f64(self.weight_decay),
        };
        let (parameters, momentum, mut followed) = weights.for_a_step(needs.squares.map(|squares| squares.slot));
        let mut spoilt = None;
        for (i, ((parameter, gradient), b)) in parameters.iter_mut().zip(gradients).zip(momentum).enumerate() {
            let followed = followed.next(i, parameter).map(|parameter| Followed::new(parameter, needs));
            let Some(gradient) = gradient else { continue };
            let is_decayed = parameter.role.is_decayed(self.decayed);
            let rule = if is_decayed { rule } else { Rule { weight_decay: S::ZERO, ..rule } };
            if !rule.step(kernel, parameter, b, gradient, followed.unwrap_or_default()) {
                spoilt = spoilt.or(Some(i));
            }
        }
        spoilt
    }
}

/// What [`Sgd::step`] does with an entry `w` and its buffer `b`; `g` is the gradient with weight decay in it.
#[inline(always)]
pub fn descend<S: Scalar>((w, b): (&mut S, &mut S), g: S, momentum: S, learning_rate: S) {
    *b = momentum * *b + g;
    *w -= learning_rate * *b;
}

/// The numbers of the update rule.
#[derive(Clone, Copy)]
struct Rule<S> {
    learning_rate: S,
    momentum: S,
    weight_decay: S,
}

/// What a method adds to the step of one parameter of W, in the same pass.
#[derive(Default)]
struct Followed<'a, S> {
    /// An entry for each of the parameter's, or of its gradient's.
    squares: Option<&'a mut [S]>,
    with_decay: bool,
    /// False where a weight is held at 0; `None` where all that are stored live.
    mask: Option<&'a [bool]>,
    /// Whether the momentum of a weight that is held at 0 goes on; if not, it is 0 too.
    dead_momentum: bool,
}

impl<'a, S: Scalar> Followed<'a, S> {
    fn new(parameter: FollowedParameter<'a, S>, needs: &Needs) -> Self {
        Self {
            squares: parameter.slot,
            with_decay: needs.squares.is_some_and(|squares| squares.with_decay),
            mask: parameter.mask,
            dead_momentum: needs.dead_momentum,
        }
    }
}

impl<S: Scalar> Rule<S> {
    /// One parameter's step; false if its gradient is not finite.
    fn step(
        &self,
        kernel: Kernel,
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
            Some(pattern) if g.len() != w.len() => self.step_living(kernel, &pattern, (w, b), g, followed),
            _ => self.pass(kernel, (w, b), g, followed),
        }
    }

    /// The step of a compressed weight whose gradient `g` is dense.
    fn step_living(
        &self,
        kernel: Kernel,
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
                self.pass(kernel, w_and_b, &living, followed);
                pattern.scatter_into(&of_living, squares);
                finite
            }
            squares => self.pass(kernel, w_and_b, &living, Followed { squares, ..followed }),
        }
    }

    /// One pass over entries that lie side by side.
    fn pass(&self, kernel: Kernel, (w, b): (&mut [S], &mut [S]), g: &[S], followed: Followed<S>) -> bool {
        let (len, rule, entries) = (w.len(), *self, (w, b, g));
        let Followed { with_decay, dead_momentum, .. } = followed;
        let follow = Follow { rule, with_decay, dead_momentum };
        match (followed.squares, followed.mask) {
            (None, None) => elementwise(kernel, len, entries, rule),
            (None, Some(mask)) => elementwise(kernel, len, (entries, mask), follow),
            (Some(squares), None) => elementwise(kernel, len, (entries, squares), follow),
            (Some(squares), Some(mask)) => elementwise(kernel, len, (entries, (squares, mask)), follow),
        }
    }

    #[inline(always)]
    fn decayed(&self, g: S, w: S) -> S {
        g + self.weight_decay * w
    }
}

/// Entries that no method follows.
impl<S: Scalar> Elementwise<(&mut [S], &mut [S], &[S])> for Rule<S> {
    #[inline(always)]
    fn run(self, (w, b, g): (&mut [S], &mut [S], &[S])) -> bool {
        let mut finite = true;
        for ((w, b), &g) in w.iter_mut().zip(b).zip(g) {
            finite &= g.is_finite();
            let g = self.decayed(g, *w);
            descend((w, b), g, self.momentum, self.learning_rate);
        }
        finite
    }
}

/// A pass in which a method takes part.
#[derive(Clone, Copy)]
struct Follow<S> {
    rule: Rule<S>,
    with_decay: bool,
    dead_momentum: bool,
}

impl<S: Scalar> Follow<S> {
    #[inline(always)]
    fn entry(&self, (w, b): (&mut S, &mut S), loss: S, square: &mut S) {
        let g = self.rule.decayed(loss, *w);
        *square = plus_square(*square, if self.with_decay { g } else { loss });
        descend((w, b), g, self.rule.momentum, self.rule.learning_rate);
    }

    /// Holds at 0 what does not live: selected rather than skipped, for without branches the loop is vectorised.
    #[inline(always)]
    fn hold(&self, (w, b): (&mut S, &mut S), alive: bool) {
        *w = if alive { *w } else { S::ZERO };
        *b = if alive | self.dead_momentum { *b } else { S::ZERO };
    }
}

/// Entries that all live.
impl<S: Scalar> Elementwise<((&mut [S], &mut [S], &[S]), &mut [S])> for Follow<S> {
    #[inline(always)]
    fn run(self, ((w, b, g), squares): ((&mut [S], &mut [S], &[S]), &mut [S])) -> bool {
        let mut finite = true;
        for (((w, b), &g), square) in w.iter_mut().zip(b).zip(g).zip(squares) {
            finite &= g.is_finite();
            self.entry((w, b), g, square);
        }
        finite
    }
}

/// Entries that live where `alive` says so, and are 0 elsewhere.
impl<S: Scalar> Elementwise<((&mut [S], &mut [S], &[S]), (&mut [S], &[bool]))> for Follow<S> {
    #[inline(always)]
    fn run(self, ((w, b, g), (squares, alive)): ((&mut [S], &mut [S], &[S]), (&mut [S], &[bool]))) -> bool {
        let mut finite = true;
        for ((((w, b), &g), square), &alive) in w.iter_mut().zip(b).zip(g).zip(squares).zip(alive) {
            finite &= g.is_finite();
            self.entry((w, b), g, square);
            self.hold((w, b), alive);
        }
        finite
    }
}

/// The same without G.
impl<S: Scalar> Elementwise<((&mut [S], &mut [S], &[S]), &[bool])> for Follow<S> {
    #[inline(always)]
    fn run(self, ((w, b, g), mask): ((&mut [S], &mut [S], &[S]), &[bool])) -> bool {
        let mut finite = true;
        for (((w, b), &g), &alive) in w.iter_mut().zip(b).zip(g).zip(mask) {
            finite &= g.is_finite();
            let g = self.rule.decayed(g, *w);
            descend((w, b), g, self.rule.momentum, self.rule.learning_rate);
            self.hold((w, b), alive);
        }
        finite
    }
}
