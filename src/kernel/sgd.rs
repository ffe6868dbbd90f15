//! [`sgd_step`]: a step of stochastic gradient descent, and in the same pass what a method has done with each entry.

use super::accumulate::plus_square;
use super::elementwise::{Elementwise, elementwise};
use crate::kernel::{Kernel, or_on_device};
use crate::scalar::Scalar;

/// The numbers of the update rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descent<S> {
    pub learning_rate: S,
    pub momentum: S,
    pub weight_decay: S,
    /// Whether weights move by what the momentum will be a step later (Nesterov's), and not by what it is.
    pub nesterov: bool,
}

/// What a method adds to a step, in the same pass.
#[derive(Debug, Default)]
pub struct Followed<'a, S> {
    /// Sums that grow by the square of each entry's gradient.
    pub squares: Option<&'a mut [S]>,
    /// Whether the gradient that is squared has weight decay in it.
    pub with_decay: bool,
    /// False where an entry is held at 0; `None` where all live.
    pub mask: Option<&'a [bool]>,
    /// Whether the momentum of an entry that is held at 0 goes on; if not, it is 0 too.
    pub dead_momentum: bool,
}

/// Steps the entries `w` and their momentum `b` by the gradient `g`, all of one length: `g <- g + weight_decay w`, then
/// [`descend`]; what `followed` says is done with each entry before the next. Returns whether all of `g` is finite. There is
/// one form only: each entry by itself.
pub fn sgd_step<S: Scalar>(
    kernel: Kernel,
    rule: Descent<S>,
    (w, b): (&mut [S], &mut [S]),
    g: &[S],
    followed: Followed<S>,
) -> bool {
    #[cfg(feature = "cuda")]
    let mut followed = followed;
    or_on_device!(kernel, sgd_step(rule, (&mut *w, &mut *b), g, &mut followed));
    let (len, entries) = (w.len(), (w, b, g));
    let Followed { with_decay, dead_momentum, .. } = followed;
    let follow = Follow { rule, with_decay, dead_momentum };
    match (followed.squares, followed.mask) {
        (None, None) => elementwise(kernel, len, entries, rule),
        (None, Some(mask)) => elementwise(kernel, len, (entries, mask), follow),
        (Some(squares), None) => elementwise(kernel, len, (entries, squares), follow),
        (Some(squares), Some(mask)) => elementwise(kernel, len, (entries, (squares, mask)), follow),
    }
}

/// What [`sgd_step`] does with an entry `w` and its momentum `b`; `g` is the gradient with weight decay in it. Which momentum
/// it is moved by is selected rather than branched on, for without branches the loop around is vectorised.
#[inline(always)]
pub fn descend<S: Scalar>((w, b): (&mut S, &mut S), g: S, rule: &Descent<S>) {
    *b = rule.momentum * *b + g;
    *w -= rule.learning_rate * if rule.nesterov { g + rule.momentum * *b } else { *b };
}

impl<S: Scalar> Descent<S> {
    #[inline(always)]
    fn decayed(&self, g: S, w: S) -> S {
        g + self.weight_decay * w
    }
}

/// Entries that no method follows.
impl<S: Scalar> Elementwise<(&mut [S], &mut [S], &[S])> for Descent<S> {
    #[inline(always)]
    fn run(self, (w, b, g): (&mut [S], &mut [S], &[S])) -> bool {
        let mut finite = true;
        for ((w, b), &g) in w.iter_mut().zip(b).zip(g) {
            finite &= g.is_finite();
            let g = self.decayed(g, *w);
            descend((w, b), g, &self);
        }
        finite
    }
}

/// A pass in which a method takes part.
#[derive(Clone, Copy)]
struct Follow<S> {
    rule: Descent<S>,
    with_decay: bool,
    dead_momentum: bool,
}

impl<S: Scalar> Follow<S> {
    #[inline(always)]
    fn entry(&self, (w, b): (&mut S, &mut S), loss: S, square: &mut S) {
        let g = self.rule.decayed(loss, *w);
        *square = plus_square(*square, if self.with_decay { g } else { loss });
        descend((w, b), g, &self.rule);
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

/// The same without sums of squares.
impl<S: Scalar> Elementwise<((&mut [S], &mut [S], &[S]), &[bool])> for Follow<S> {
    #[inline(always)]
    fn run(self, ((w, b, g), mask): ((&mut [S], &mut [S], &[S]), &[bool])) -> bool {
        let mut finite = true;
        for (((w, b), &g), &alive) in w.iter_mut().zip(b).zip(g).zip(mask) {
            finite &= g.is_finite();
            let g = self.rule.decayed(g, *w);
            descend((w, b), g, &self.rule);
            self.hold((w, b), alive);
        }
        finite
    }
}
