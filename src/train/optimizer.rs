//! Stochastic gradient descent with momentum and weight decay, as PyTorch's `torch.optim.SGD` defines it.

use crate::kernel::{Elementwise, Kernel, Pattern, accumulate_squares, elementwise, plus_square};
use crate::nn::{Parameter, Parameters};
use crate::paper::reading::{Decayed, GradientOf};
use crate::scalar::Scalar;
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

/// The optimizer's state: one momentum buffer per parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Sgd<S> {
    pub momentum: f64,
    pub weight_decay: f64,
    /// Which parameters weight decay acts on (open point 22).
    pub decayed: Decayed,
    /// In the order of [`Parameters`], stored as they are; empty arrays for buffers, which are not trained.
    pub buffers: Vec<ArrayD<S>>,
}

/// What a sparse training method adds to the step of one parameter, in the same pass.
#[derive(Debug)]
pub struct Followed<'a, S> {
    /// The parameter's position in [`Parameters`].
    pub parameter: usize,
    /// G (Eq. 2), to which the squared gradient is added: an entry for each of the parameter's, or of its gradient's.
    pub squares: &'a mut [S],
    /// Which gradient that is (open point 14).
    pub gradient: GradientOf,
    /// False where a weight is held at 0; `None` where all that are stored live.
    pub alive: Option<&'a [bool]>,
    /// Whether the momentum of a weight that is held at 0 is kept (open point 13); if not, it is 0 too.
    pub keeps_momentum: bool,
}

impl<S: Scalar> Sgd<S> {
    /// A fresh optimizer, all buffers 0.
    pub fn new(settings: &SgdSettings, parameters: &Parameters<S>) -> Self {
        let buffer = |trained: bool, shape: &[usize]| {
            if trained { ArrayD::from_elem(shape, S::ZERO) } else { ArrayD::from_elem(vec![0], S::ZERO) }
        };
        Self {
            momentum: settings.momentum,
            weight_decay: settings.weight_decay,
            decayed: Decayed::default(),
            buffers: parameters.iter().map(|p| buffer(p.role.is_trained(), p.value.shape())).collect(),
        }
    }

    /// One step for every parameter that has a gradient, in this order of operations per entry:
    ///
    /// ```text
    /// g <- g + weight_decay * w
    /// b <- momentum * b + g
    /// w <- w - learning_rate * b
    /// ```
    ///
    /// With `b = 0` before the first step this is PyTorch's `b = g` there. Where a method follows a parameter, G grows
    /// by the square of g as it was before the first line or after it, and what is held at 0 becomes 0 again.
    ///
    /// `gradients` are in the order of `parameters`, of the shapes in which they are stored, or, where all gradients of
    /// a compressed weight were wanted, of its own; `followed` are in that order too. Returns the first parameter with
    /// a gradient that is not finite: the step has then spoilt it.
    pub fn step<'a>(
        &mut self,
        kernel: Kernel,
        parameters: &mut Parameters<S>,
        gradients: &[Option<ArrayD<S>>],
        learning_rate: f64,
        followed: impl IntoIterator<Item = Followed<'a, S>>,
    ) -> Option<usize> {
        let rule = Rule {
            learning_rate: S::from_f64(learning_rate),
            momentum: S::from_f64(self.momentum),
            weight_decay: S::from_f64(self.weight_decay),
        };
        let mut followed = followed.into_iter().peekable();
        let mut spoilt = None;
        for (i, ((parameter, gradient), b)) in parameters.iter_mut().zip(gradients).zip(&mut self.buffers).enumerate() {
            let followed = followed.next_if(|followed| followed.parameter == i);
            let Some(gradient) = gradient else { continue };
            let is_decayed = parameter.role.is_decayed(self.decayed);
            let rule = if is_decayed { rule } else { Rule { weight_decay: S::ZERO, ..rule } };
            if !rule.step(kernel, parameter, b, gradient, followed) {
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

impl<S: Scalar> Rule<S> {
    /// One parameter's step; false if its gradient is not finite.
    fn step(
        &self,
        kernel: Kernel,
        parameter: &mut Parameter<S>,
        b: &mut ArrayD<S>,
        gradient: &ArrayD<S>,
        followed: Option<Followed<S>>,
    ) -> bool {
        let gradient = gradient.as_standard_layout();
        let g = gradient.as_slice().unwrap_or_default();
        let pattern = parameter.pattern().cloned();
        let (w, b) = (as_slice(&mut parameter.value), as_slice(b));
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
        followed: Option<Followed<S>>,
    ) -> bool {
        let living = pattern.gather(g);
        match followed {
            Some(Followed { squares, parameter, gradient, alive, keeps_momentum }) if squares.len() == g.len() => {
                // G of all entries: of the dead, whose weight decay is 0, here; of the living with their step.
                let mut of_living = pattern.gather(squares);
                let finite = accumulate_squares(kernel, squares, g);
                let followed = Followed { parameter, squares: &mut of_living, gradient, alive, keeps_momentum };
                self.pass(kernel, w_and_b, &living, Some(followed));
                pattern.scatter_into(&of_living, squares);
                finite
            }
            followed => self.pass(kernel, w_and_b, &living, followed),
        }
    }

    /// One pass over entries that lie side by side.
    fn pass(&self, kernel: Kernel, (w, b): (&mut [S], &mut [S]), g: &[S], followed: Option<Followed<S>>) -> bool {
        let (len, rule) = (w.len(), *self);
        match followed {
            None => elementwise(kernel, len, (w, b, g), rule),
            Some(Followed { squares, gradient, alive, keeps_momentum, .. }) => {
                let follow = Follow { rule, with_decay: gradient == GradientOf::LossAndDecay, keeps_momentum };
                match alive {
                    None => elementwise(kernel, len, ((w, b, g), squares), follow),
                    Some(alive) => elementwise(kernel, len, ((w, b, g), (squares, alive)), follow),
                }
            }
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
    keeps_momentum: bool,
}

impl<S: Scalar> Follow<S> {
    #[inline(always)]
    fn entry(&self, (w, b): (&mut S, &mut S), loss: S, square: &mut S) {
        let g = self.rule.decayed(loss, *w);
        *square = plus_square(*square, if self.with_decay { g } else { loss });
        descend((w, b), g, self.rule.momentum, self.rule.learning_rate);
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
            // Selected rather than skipped: without branches the loop is vectorised.
            *w = if alive { *w } else { S::ZERO };
            *b = if alive | self.keeps_momentum { *b } else { S::ZERO };
        }
        finite
    }
}

/// The entries of `array` row-major; the array is brought into standard layout first if it is not.
fn as_slice<S: Scalar>(array: &mut ArrayD<S>) -> &mut [S] {
    if !array.is_standard_layout() {
        *array = array.as_standard_layout().into_owned();
    }
    array.as_slice_mut().unwrap_or_default()
}
