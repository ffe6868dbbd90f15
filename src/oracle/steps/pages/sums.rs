//! Sums of gradients: what tracked weights have moved by (DropBack [P], Procrustes Alg. 2).

use crate::error::Result;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::Operands;
use crate::oracle::steps::near::{Arrays, Flags, Known, Near, Reals};
use crate::oracle::steps::slips::Slip;
use crate::select::score::Accumulate;

/// a, before the step.
pub(super) fn sums_before(desk: &mut Desk) -> Result<Arrays> {
    let left = desk.left;
    let consecutive = left.t.map_or(0, |last| last + 1) == desk.step();
    let mut sums = Vec::new();
    for p in 0..desk.prunable().len() {
        let before = consecutive.then(|| left.accumulated[p].clone());
        sums.push(desk.carried("accumulated_before", "accumulated", p, before)?);
    }
    Ok(sums)
}

/// a': `a + eta g` where a weight was tracked, `eta g` elsewhere; and whether the sum itself runs on (`always`).
pub(super) struct Moved {
    pub(super) score: Known<Reals>,
    sum: Known<Reals>,
}

pub(super) fn moves(desk: &mut Desk, operands: &Operands, sums: &[Known<Reals>]) -> Result<Vec<Moved>> {
    let rate = desk.rate()?;
    let arithmetic = desk.rules.arithmetic;
    let mut all = Vec::new();
    for (p, a) in sums.iter().enumerate() {
        let g = desk.gradient(p)?;
        let with = |is_tracked: &dyn Fn(usize) -> bool| -> Known<Reals> {
            let (a, g, eta) = (a.clone()?, g.clone()?, rate.clone()?);
            let eta = if desk.rules.has(Slip::NoRate) { Near::exact(1.0) } else { eta };
            let sum = |j: usize| {
                let before = if is_tracked(j) { a.at(j) } else { Near::ZERO };
                let step = g.at(j).times(eta);
                let error = 5.0 * arithmetic.u() * (before.size() + step.size()) + 2.0 * arithmetic.underflow();
                before.plus(step).give(error)
            };
            Ok((0..g.len()).map(sum).collect())
        };
        let score = match &operands.mask[p] {
            _ if desk.rules.has(Slip::OldSumsScored) => with(&|_| true),
            Ok(mask) => with(&|j| mask[j]),
            Err(reason) => Err(reason.clone()),
        };
        let sum = match desk.rules.choice::<Accumulate>() {
            Accumulate::Tracked => score.clone(),
            Accumulate::Always => with(&|_| true),
        };
        all.push(Moved { score, sum });
    }
    Ok(all)
}

/// Label `accumulate`.
pub(super) fn accumulate(desk: &Desk, moved: &Moved, mask: &Known<Flags>) -> Known<Reals> {
    let sum = moved.sum.clone()?;
    if desk.rules.choice::<Accumulate>() == Accumulate::Always || desk.rules.has(Slip::SumsKept) {
        return Ok(sum);
    }
    let mask = mask.clone()?;
    let inverts = desk.rules.has(Slip::SumsOfUntracked);
    Ok((0..sum.len()).map(|j| if mask[j] != inverts { sum.at(j) } else { Near::ZERO }).collect())
}
