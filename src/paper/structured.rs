//! Section 3.2, last paragraph: selection of whole blocks, output channels and n:m patterns.
//!
//! The paper aggregates the per-weight statistic G "into a group-level score (e.g., max/mean/norm)" and prunes groups
//! whose score "falls below a threshold". A parameter of any shape is read as its weight matrix `[out, rest]`, rows
//! being output channels and `rest` everything else in row-major order.

mod structure;

pub use structure::{Structure, groups};

use super::gradient_norm::masked_gradient;
use super::reading::{MaskedGradient, Reading};
use super::same_length;
use super::selection::{Selection, threshold};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::kernel::{self, GroupTotal, Kernel, Term};
use crate::scalar::{DoubleDouble, Scalar};

choice! {
    /// How the G of a group's weights become one score.
    GroupScore, "group_score":
    /// The largest.
    Max = "max",
    /// The sum in order, divided by the count.
    Mean = "mean",
    /// The Euclidean norm: the root of the sum of squares in order.
    Norm = "norm",
}

/// The scores of `count` groups over the weights that `counted` lets in; `None` for a group without any.
///
/// `g`, `ids`, `counted`: one entry a weight. Evaluated wide in the order of `g`, rounded once.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ or an id is not below `count`.
///
/// ```
/// use gdstar::paper::structured::{GroupScore, group_scores};
/// let (g, ids, all) = ([3.0, 4.0, 6.0], [0, 0, 1], [true; 3]);
/// assert_eq!(group_scores(&g, &ids, 2, &all, GroupScore::Max)?, [Some(4.0), Some(6.0)]);
/// assert_eq!(group_scores(&g, &ids, 2, &all, GroupScore::Mean)?, [Some(3.5), Some(6.0)]);
/// assert_eq!(group_scores(&g, &ids, 2, &all, GroupScore::Norm)?, [Some(5.0), Some(6.0)]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn group_scores<S: Scalar>(
    g: &[S],
    ids: &[usize],
    count: usize,
    counted: &[bool],
    score: GroupScore,
) -> Result<Vec<Option<S>>> {
    same_length("group_scores", "group ids", g.len(), ids.len())?;
    same_length("group_scores", "counted", g.len(), counted.len())?;
    let is_strange = |&(&id, &counted): &(&usize, &bool)| counted && id >= count;
    if let Some((id, _)) = ids.iter().zip(counted).find(is_strange) {
        return Err(Error::shape("group_scores", "group ids", format!("ids below {count}"), id.to_string()));
    }
    let total = match score {
        GroupScore::Max => GroupTotal::Maximum,
        GroupScore::Mean => GroupTotal::Sum(Term::Value),
        GroupScore::Norm => GroupTotal::Sum(Term::Square),
    };
    let totals = kernel::group_totals(Kernel::any(), total, g, ids, count, counted);
    let finish = |(total, members): (S::Wide, usize)| {
        (members > 0).then(|| match score {
            GroupScore::Max => S::narrow(total),
            GroupScore::Mean => S::narrow(total / S::Wide::from_usize(members)),
            GroupScore::Norm => S::narrow(total.sqrt()),
        })
    };
    Ok(totals.into_iter().map(finish).collect())
}

/// Alg. 5 over groups: what [`select_weights`](super::selection::select_weights) does over weights.
///
/// `g`, `mask` `[N]`: the parameters one after the other, of `shapes`; no group spans two parameters.
///
/// - Blocks and channels: tau is the chunked quantile (C from 1 to the number of groups) of the group scores, in
///   order, and a group is selected as a whole if its score is strictly below tau.
/// - Patterns: the pattern itself says how many weights go, so alpha, C and the score play no part and no threshold
///   is taken. In every run the `of - keep` weights of least G are selected. The paper is silent on ties and on
///   eliminated weights; we let eliminated weights fill those places first, so that a run that already has the
///   pattern loses nothing, and among equal G the earlier input goes first.
///
/// Eliminated weights count as open point 7 says. Under `excluded` scores are taken over living weights only, a
/// group without any leaves the set, and an eliminated weight is never marked as selected.
///
/// # Errors
/// [`Error::Shape`] if lengths and shapes differ; [`Error::Domain`] for an impossible structure, alpha or C, or a G
/// that is not finite.
///
/// ```
/// use gdstar::paper::{reading::Reading, structured::*};
/// let (g, alive, shape) = ([1.0, 5.0, 4.0, 4.0, 0.0, 0.0], [true; 6], [3, 2]);
/// let channels = (Structure::OutputChannels, GroupScore::Mean); // scores 3, 4, 0: the median is 3
/// let selection = select_structured(&g, &alive, &[&shape], channels, 0.5, 1, &Reading::default())?;
/// assert_eq!(selection.selected, [false, false, false, false, true, true]);
/// let pattern = (Structure::Pattern { keep: 1, of: 2 }, GroupScore::Max);
/// let selection = select_structured(&g, &alive, &[&shape], pattern, 0.5, 1, &Reading::default())?;
/// assert_eq!(selection.selected, [true, false, true, false, true, false]);
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn select_structured<S: Scalar>(
    g: &[S],
    mask: &[bool],
    shapes: &[&[usize]],
    (structure, score): (Structure, GroupScore),
    alpha: impl Into<DoubleDouble>,
    chunks: usize,
    reading: &Reading,
) -> Result<Selection<S>> {
    let (ids, count) = groups_of_all(shapes, structure)?;
    same_length("select_structured", "G", ids.len(), g.len())?;
    same_length("select_structured", "mask", ids.len(), mask.len())?;
    let g = masked_gradient(g, mask, reading.masked_gradient)?;
    let excluded = reading.masked_gradient == MaskedGradient::Excluded;
    let mut selection = match structure {
        Structure::Pattern { keep, .. } => {
            Selection { selected: outside_pattern(&g, mask, &ids, count, keep)?, ..Selection::nothing(0) }
        }
        Structure::OutputChannels | Structure::Blocks { .. } => {
            let counted: Vec<bool> = mask.iter().map(|&alive| alive || !excluded).collect();
            let scores = group_scores(&g, &ids, count, &counted, score)?;
            let set: Vec<S> = scores.iter().flatten().copied().collect();
            match threshold(&set, count, alpha.into(), chunks, reading)? {
                None => Selection::nothing(g.len()),
                Some((chunk_quantiles, tau)) => {
                    let below: Vec<bool> = scores.iter().map(|score| score.is_some_and(|score| score < tau)).collect();
                    Selection { chunk_quantiles, tau, selected: kernel::flags_of_groups(Kernel::any(), &below, &ids) }
                }
            }
        }
    };
    if excluded {
        kernel::hold(Kernel::any(), &mut selection.selected, mask);
    }
    Ok(selection)
}

/// [`groups`] of several parameters, numbered on from one to the next.
fn groups_of_all(shapes: &[&[usize]], structure: Structure) -> Result<(Vec<usize>, usize)> {
    let (mut ids, mut count) = (Vec::new(), 0);
    for shape in shapes {
        let (here, groups) = groups(shape, structure)?;
        ids.extend(here.into_iter().map(|id| id + count));
        count += groups;
    }
    Ok((ids, count))
}

/// All but `keep` weights of every group, those of least G, eliminated ones first, the earlier first among equals.
fn outside_pattern<S: Scalar>(g: &[S], mask: &[bool], ids: &[usize], count: usize, keep: usize) -> Result<Vec<bool>> {
    if let Some(j) = g.iter().position(|g_j| !g_j.is_finite()) {
        return Err(Error::domain(format!("G of weight {j}"), "a finite number", g[j].to_f64()));
    }
    Ok(kernel::least_of_groups(Kernel::any(), g, mask, ids, count, keep))
}
