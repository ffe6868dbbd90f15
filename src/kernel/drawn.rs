//! [`drawn_step`]: Top-KAST's step, in which weights that move are drawn to 0.

use super::elementwise::{Elementwise, elementwise};
use super::sgd::descend;
use super::{Descent, Kernel, or_on_device};
use crate::scalar::Scalar;

/// What draws weights to 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Penalty<S> {
    /// Whether in proportion to a weight's sign (L1), and not to the weight (L2).
    pub by_sign: bool,
    /// Of weights that are computed with, and of others.
    pub strengths: [S; 2],
}

impl<S: Scalar> Penalty<S> {
    /// r, of a weight.
    #[inline(always)]
    fn of(&self, w: S, is_computed_with: bool) -> S {
        let [inside, outside] = self.strengths;
        let size = match self.by_sign {
            false => w,
            true if w > S::ZERO => S::ONE,
            true if w < S::ZERO => -S::ONE,
            true => S::ZERO,
        };
        (if is_computed_with { inside } else { outside }) * size
    }
}

/// Steps the dense weights `w` that `moves` names and their momentum `v` by the gradient `g` and what draws them to 0, all
/// slices of one length: `v <- mu v + (g + weight_decay w + r)`, `w <- w - eta v` or as Nesterov's; the others stay, without momentum. What is
/// then `w` where `mask` holds is what the network computes with. Returns whether `g` is finite wherever weights move. There is
/// one form only: each entry by itself.
pub fn drawn_step<S: Scalar>(
    kernel: Kernel,
    rule: Descent<S>,
    penalty: Penalty<S>,
    (w, v, computed): (&mut [S], &mut [S], &mut [S]),
    g: &[S],
    (mask, moves): (&[bool], &[bool]),
) -> bool {
    or_on_device!(kernel, drawn_step(rule, penalty, (&mut *w, &mut *v, &mut *computed), g, (mask, moves)));
    elementwise(kernel, w.len(), ((w, v, computed), (g, mask, moves)), Drawn { rule, penalty })
}

#[derive(Clone, Copy)]
struct Drawn<S> {
    rule: Descent<S>,
    penalty: Penalty<S>,
}

impl<S: Scalar> Elementwise<((&mut [S], &mut [S], &mut [S]), (&[S], &[bool], &[bool]))> for Drawn<S> {
    /// Selected rather than skipped, for without branches the loop is vectorised.
    #[inline(always)]
    fn run(self, ((ws, vs, computed), (g, mask, moves)): (Moving<S>, (&[S], &[bool], &[bool]))) -> bool {
        let mut finite = true;
        let entries = ws.iter_mut().zip(vs).zip(computed).zip(g).zip(mask).zip(moves);
        for (((((w, v), computed), &g), &is_computed_with), &moves) in entries {
            finite &= g.is_finite() | !moves;
            let pull = g + self.rule.weight_decay * *w + self.penalty.of(*w, is_computed_with);
            let (mut next_w, mut next_v) = (*w, *v);
            descend((&mut next_w, &mut next_v), pull, &self.rule);
            *w = if moves { next_w } else { *w };
            *v = if moves { next_v } else { S::ZERO };
            *computed = if is_computed_with { *w } else { *computed };
        }
        finite
    }
}

/// w, v and what the network computes with.
type Moving<'a, S> = (&'a mut [S], &'a mut [S], &'a mut [S]);
