//! SNIP (Lee et al. 2019) and GraSP (Wang et al. 2020): weights are chosen once, before training.

use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::masked;
use crate::oracle::steps::near::{Arrays, Known, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::{everything, intervals};
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::oracle::steps::whole::Start;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::distribution::Distribution;
use crate::select::update::StartingWeights;
use crate::trace::StepMethod;

pub(super) static SNIP: Page = Page {
    fits: has_target,
    begin: |desk| desk.whole(Start::sharing("sparsity")),
    ..Page::new(
        StepMethod::Snip,
        &["snip.distribution", "snip.carry", "snip.count", "snip.score", "snip.mask", "snip.weights"],
        step,
    )
};

pub(super) static GRASP: Page = Page {
    fits: has_target,
    begin: |desk| desk.whole(Start::sharing("sparsity")),
    ..Page::new(
        StepMethod::Grasp,
        &["grasp.distribution", "grasp.carry", "grasp.count", "grasp.score", "grasp.mask", "grasp.weights"],
        step,
    )
};

fn has_target(desk: &Desk) -> Result<()> {
    match desk.rules.choice::<Distribution>() {
        Distribution::Given => Ok(()),
        _ => desk.required(&["sparsity"]),
    }
}

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let params = desk.prunable();
    let is_snip = rules.method() == StepMethod::Snip;
    let mut weights = Vec::new();
    for p in 0..params.len() {
        let before = desk.left.t.is_none().then(|| desk.whole.init[p].clone());
        weights.push(desk.carried("weights_before", "weights_after", p, before)?);
    }
    let is_global = rules.choice::<Distribution>() == Distribution::Global;
    let groups = desk.groups(is_global);
    let all = everything(desk);
    let counts = if is_global || desk.whole.sparsity.is_empty() {
        desk.shares_kept(&groups, &all, &Ok(Near::exact(rules.real("sparsity"))), true)
    } else {
        let of_layer = |p: usize| desk.shares_kept(&[vec![p]], &all, &desk.whole.sparsity[p], true).remove(0);
        (0..params.len()).map(of_layer).collect()
    };
    let counts = desk.counts("count", "keep", counts)?;
    let scores = if is_snip { saliencies(desk, &weights)? } else { flows(desk, &weights)? };
    let mut keys = intervals(&scores);
    // GraSP removes the largest.
    if !is_snip {
        keys = keys.into_iter().map(|of| of.map(|of| of.into_iter().map(Interval::negated).collect())).collect();
    }
    let choice = Choice {
        keys: &keys,
        candidates: &all,
        base: None,
        groups: &groups,
        counts: &counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    let mask = desk.chosen("mask", "mask", &choice)?;
    let mut left = Left { t: desk.t, mask: mask.clone(), ..desk.left.clone() };
    for (p, mask) in mask.iter().enumerate() {
        let from = match rules.choice::<StartingWeights>() {
            StartingWeights::Fresh if is_snip => desk.operand("fresh", p)?,
            _ => weights[p].clone(),
        };
        let unmasked = rules.has(Slip::DroppedKeepsWeight);
        // What goes is 0, whatever else was drawn anew.
        let gone: Option<Vec<bool>> = match (&from, mask) {
            (Err(_), Ok(mask)) if !desk.is_replay() => Some(mask.iter().map(|kept| !kept).collect()),
            _ => None,
        };
        let expected = || -> Known<Reals> {
            match &gone {
                Some(gone) => Ok(Reals::all(0.0, gone.len())),
                None if unmasked => from,
                None => Ok(masked(&from?, &mask.clone()?)),
            }
        };
        let expected = expected();
        let found = desk.real("weights", "weights_after", p, gone.as_deref(), expected)?;
        let is_whole = gone.is_none() || found.as_ref().is_ok_and(Reals::is_recorded);
        left.weights[p] = if is_whole { found } else { Err("needs the weights".to_string()) };
    }
    Ok(left)
}

/// SNIP's `|g w|`, or that divided by its sum: the decisions are the same.
fn saliencies(desk: &mut Desk, weights: &[Known<Reals>]) -> Result<Arrays> {
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    let mut products: Vec<Known<Vec<Near>>> = Vec::new();
    for (p, w) in weights.iter().enumerate() {
        let g = desk.gradient(p)?;
        let among = [Slip::ScoreOfWeight, Slip::ScoreOfGradient, Slip::ScoreOfGradientSquared, Slip::Signed];
        let slip = desk.rules.slip(&among);
        let product = |(w, g): (Near, Near)| {
            let x = match slip {
                Some(Slip::ScoreOfWeight) => w,
                Some(Slip::ScoreOfGradient) => g,
                Some(Slip::ScoreOfGradientSquared) => w.times(g).times(g),
                _ => w.times(g),
            };
            let x = x.give(2.0 * u * x.size() + underflow);
            if slip == Some(Slip::Signed) { x } else { x.abs() }
        };
        let known = || -> Known<Vec<Near>> { Ok(w.clone()?.iter().zip(g?.iter()).map(product).collect()) };
        products.push(known());
    }
    let total = || -> Known<Near> {
        let mut sum = Near::ZERO;
        let mut n = 0.0;
        for of in &products {
            for x in of.as_ref().map_err(Clone::clone)? {
                sum = sum.plus(*x);
                n += 1.0;
            }
        }
        Ok(sum.give(n * (u * sum.size() + underflow)))
    };
    // The largest recorded score says which form it is; where the sum is not known, by how much it was divided.
    let divided = match (desk.is_replay(), total()) {
        (false, Ok(total)) if total.size() > 0.0 => is_divided(desk, &products, total)?.then_some(total),
        (false, Err(_)) => common_divisor(desk, &products)?,
        _ => None,
    };
    let mut scores = Vec::new();
    for (p, of) in products.into_iter().enumerate() {
        let quotient = |x: Near| match divided {
            None => x,
            Some(total) => x.over(total, u).give(underflow),
        };
        let expected = of.map(|of| of.into_iter().map(quotient).collect());
        scores.push(desk.real("score", "score", p, None, expected)?);
    }
    Ok(scores)
}

/// Whether the recorded scores are nearer to the divided ones.
fn is_divided(desk: &Desk, products: &[Known<Vec<Near>>], total: Near) -> Result<bool> {
    let Some((x, recorded)) = largest(desk, products)? else { return Ok(false) };
    Ok((recorded - x.rounded() / total.rounded()).abs() < (recorded - x.rounded()).abs())
}

/// What the largest recorded score was divided by, if it is another number than 1; it may have been rounded as often as the
/// largest score that follows from the operands.
fn common_divisor(desk: &Desk, products: &[Known<Vec<Near>>]) -> Result<Option<Near>> {
    let Some((x, recorded)) = largest(desk, products)?.filter(|(x, recorded)| x.rounded() > 0.0 && *recorded > 0.0)
    else {
        return Ok(None);
    };
    if x.interval().contains(recorded) {
        return Ok(None);
    }
    let centre = x.centre / DoubleDouble::from(recorded);
    let u = desk.rules.arithmetic.u();
    Ok(Some(Near { centre, radius: (x.radius / recorded) + 4.0 * u * centre.abs().to_f64() }))
}

/// The largest recorded score, and what it should be.
fn largest(desk: &Desk, products: &[Known<Vec<Near>>]) -> Result<Option<(Near, f64)>> {
    let mut largest: Option<(Near, f64)> = None;
    for (p, of) in products.iter().enumerate() {
        let (Ok(of), Some(recorded)) = (of, desk.trace.floats(&desk.name_of("score", p))?) else { continue };
        for (x, recorded) in of.iter().zip(recorded) {
            if largest.is_none_or(|(_, most)| recorded > most) {
                largest = Some((*x, recorded));
            }
        }
    }
    Ok(largest)
}

/// GraSP's `-w (H g)`.
fn flows(desk: &mut Desk, weights: &[Known<Reals>]) -> Result<Arrays> {
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    let mut scores = Vec::new();
    for (p, w) in weights.iter().enumerate() {
        let hg = desk.operand("hessian_gradient", p)?;
        let among =
            [Slip::ScoreOfWeight, Slip::ScoreOfGradient, Slip::ScoreOfGradientSquared, Slip::ScoreOfWeightSquared];
        let slip = desk.rules.slip(&among);
        let product = |(w, hg): (Near, Near)| {
            let x = match slip {
                Some(Slip::ScoreOfWeight) => return w.abs(),
                Some(Slip::ScoreOfGradient) => return hg.negated(),
                Some(Slip::ScoreOfGradientSquared) => w.times(hg).times(hg),
                Some(Slip::ScoreOfWeightSquared) => w.times(hg).times(w),
                _ => w.times(hg),
            };
            x.negated().give(2.0 * u * x.size() + underflow)
        };
        let known = || -> Known<Reals> { Ok(w.clone()?.iter().zip(hg?.iter()).map(product).collect()) };
        let expected = known();
        scores.push(desk.real("score", "score", p, None, expected)?);
    }
    Ok(scores)
}
