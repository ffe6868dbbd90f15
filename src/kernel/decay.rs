//! [`rewind_decay`]: selected weights go back to earlier values, decayed, and to 0 where those are small (Alg. 6).

use super::elementwise::UNIT;
use super::{Kernel, flat, or_on_device, share, vectorised};
use crate::scalar::Scalar;
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The numbers of Eq. 9, and what they act on.
#[derive(Debug, Clone, Copy)]
pub struct DecayRule<S: Scalar> {
    /// Factors whose product is `lambda^t`.
    pub factors: [S::Wide; 3],
    pub eps: f64,
    /// Whether weights that are not selected are eliminated below eps, too.
    pub of_all: bool,
}

impl<S: Scalar> DecayRule<S> {
    /// `w_j* lambda^t`, rounded once; a product with 1 rounds nothing.
    #[inline(always)]
    pub fn decayed(&self, w_star: S) -> S {
        S::narrow(self.factors.iter().fold(w_star.widen(), |w, &factor| w * factor))
    }

    /// `|w| >= eps`: the indicator of Eq. 9.
    #[inline(always)]
    pub fn reaches(&self, w: S) -> bool {
        w.abs().widen() >= S::Wide::from_f64(self.eps)
    }
}

/// What [`rewind_decay`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecayCounts {
    /// Selected and alive before: set to their decayed rewind values.
    pub rewound: usize,
    /// Set to zero and taken out of the mask.
    pub eliminated: usize,
}

/// Lines 3 to 7 of Alg. 6 on slices of one length: a living weight that is selected becomes `w_j* lambda^t`, what is then
/// below eps becomes 0 and leaves the mask. `rewind`: `w*`, or `None` where it is the weights themselves. There is one form
/// only: each weight by itself.
pub fn rewind_decay<S: Scalar>(
    kernel: Kernel,
    weights: &mut [S],
    rewind: Option<&[S]>,
    selected: &[bool],
    mask: &mut [bool],
    rule: &DecayRule<S>,
) -> DecayCounts {
    or_on_device!(kernel, rewind_decay(weights, rewind, selected, mask, rule));
    let [rewound, eliminated] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let operations = flat::operations(kernel, weights.len());
    share::pairs_of_chunks((weights, mask), [UNIT; 2], operations, |i, weights, mask| {
        let selected = &selected[i * UNIT..][..weights.len()];
        let rewind = match rewind {
            Some(rewind) => Cow::Borrowed(&rewind[i * UNIT..][..weights.len()]),
            None => Cow::Owned(weights.to_vec()),
        };
        let counts = vectorised(
            #[inline(always)]
            || decay_unit(weights, &rewind, selected, mask, rule),
        );
        rewound.fetch_add(counts.rewound, Ordering::Relaxed);
        eliminated.fetch_add(counts.eliminated, Ordering::Relaxed);
    });
    DecayCounts { rewound: rewound.into_inner(), eliminated: eliminated.into_inner() }
}

/// A unit of [`rewind_decay`], without branches: every weight is decayed, and the result taken where it applies.
#[inline(always)]
fn decay_unit<S: Scalar>(
    weights: &mut [S],
    rewind: &[S],
    selected: &[bool],
    mask: &mut [bool],
    &rule: &DecayRule<S>,
) -> DecayCounts {
    let (mut rewound, mut eliminated) = (0u32, 0u32);
    for (((w, alive), &selected), &w_star) in weights.iter_mut().zip(mask).zip(selected).zip(rewind) {
        let decayed = rule.decayed(w_star);
        let becomes = if selected { decayed } else { *w };
        let kept = *alive & (!(selected | rule.of_all) | rule.reaches(becomes));
        rewound += u32::from(*alive & selected);
        eliminated += u32::from(*alive & !kept);
        *w = if kept { becomes } else { S::ZERO };
        *alive = kept;
    }
    DecayCounts { rewound: rewound as usize, eliminated: eliminated as usize }
}

/// The first living weight of which [`rewind_decay`] would read a value that is not finite: its place, and the value.
pub fn first_not_finite<S: Scalar>(
    kernel: Kernel,
    weights: &[S],
    rewind: Option<&[S]>,
    selected: &[bool],
    mask: &[bool],
) -> Option<(usize, S)> {
    or_on_device!(kernel, first_not_finite(weights, rewind, selected, mask));
    let n = weights.len();
    let of_units = share::map(n.div_ceil(UNIT), flat::operations(kernel, n), |i| {
        let unit = i * UNIT..n.min((i + 1) * UNIT);
        let (w, selected, mask) = (&weights[unit.clone()], &selected[unit.clone()], &mask[unit.clone()]);
        let rewind = rewind.map_or(w, |rewind| &rewind[unit.clone()]);
        let read = |j: usize| if selected[j] { rewind[j] } else { w[j] };
        let wrong = |&j: &usize| mask[j] & !read(j).is_finite();
        let mut all = 0..w.len();
        let any = all.clone().fold(false, |any, j| any | wrong(&j));
        if any { all.find(wrong).map(|j| (unit.start + j, read(j))) } else { None }
    });
    of_units.into_iter().flatten().next()
}
