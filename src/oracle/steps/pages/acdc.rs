//! AC/DC (Peste et al. 2021, Alg. 1): compressed and dense phases in turn; the update precedes the step.

use crate::error::Result;
use crate::oracle::interval::Decision;
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::{Operands, masked};
use crate::oracle::steps::near::{Flags, Known, Masks, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::{everything, intervals};
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::select::distribution::Distribution;
use crate::select::update::DecompressMomentum;
use crate::trace::StepMethod;
use std::rc::Rc;

pub(super) static PAGE: Page = Page {
    fits: in_turn,
    ..Page::new(
        StepMethod::AcDc,
        &[
            "acdc.carry",
            "acdc.when",
            "acdc.count",
            "acdc.score",
            "acdc.mask",
            "acdc.weights",
            "acdc.step",
            "acdc.momentum",
        ],
        step,
    )
    .due(|rules, t| {
        let is_in = |key: &str, t: usize| rules.options.counts(key).contains(&t);
        let again = rules.has(Slip::CompressesAgain) && t.checked_sub(1).is_some_and(|t| is_in("compress_at", t));
        let decompresses = is_in("decompress_at", t) && !rules.has(Slip::NeverDecompresses);
        is_in("compress_at", t) || decompresses || again
    })
};

/// Compressions and decompressions ascend, and follow each other.
fn in_turn(desk: &Desk) -> Result<()> {
    desk.required(&["sparsity", "compress_at"])?;
    let (down, up) = (desk.rules.options.counts("compress_at"), desk.rules.options.counts("decompress_at"));
    let alternates = (0..down.len().max(up.len())).all(|i| {
        let follows = |a: Option<&usize>, b: Option<&usize>| match (a, b) {
            (Some(a), Some(b)) => a < b,
            (None, Some(_)) => false,
            _ => true,
        };
        follows(down.get(i), up.get(i)) && follows(up.get(i), down.get(i + 1))
    });
    if alternates {
        return Ok(());
    }
    let expected = "ascending steps, a compression first and then in turn with those of `decompress_at`";
    Err(desk.trace.bad_header("hyper: compress_at", expected, format!("{down:?} and {up:?}")))
}

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let found = desk.operands()?;
    let updated = desk.updated()?;
    let compresses = rules.options.counts("compress_at").contains(&desk.step());
    let decompresses = updated && !compresses;
    let mask = match (updated, compresses) {
        (false, _) => desk.unchanged(&found)?.mask,
        (true, true) => compress(desk, &found)?,
        (true, false) => decompress(desk, &found)?,
    };
    let mut between = Vec::new();
    for (p, w) in found.weights.iter().enumerate() {
        let expected = match mask.get(p) {
            Some(_) if rules.has(Slip::DroppedKeepsWeight) => w.clone(),
            Some(mask) => restored(desk, w, mask, &found.mask[p]),
            None => w.clone(),
        };
        between.push(desk.real("weights", "between", p, None, expected)?);
    }
    let clears = decompresses && rules.choice::<DecompressMomentum>() == DecompressMomentum::Zero
        || updated && compresses && rules.has(Slip::ClearedAtCompression);
    let clears = |p: usize| clears && (p < mask.len() || !rules.has(Slip::OthersKeepMomentum));
    let zero = |v: &Known<Reals>| v.as_ref().map(|v| Reals::all(0.0, v.len())).map_err(Clone::clone);
    let zeros = |p: usize| Ok(Reals::all(0.0, desk.parameters()[p].range.len()));
    let momentum = found.momentum.iter().enumerate().map(|(p, v)| match clears(p) {
        true => zero(v).or_else(|_: String| zeros(p)),
        false => v.clone(),
    });
    let momentum = momentum.collect();
    let under = if rules.has(Slip::StepUnderOldMask) { found.mask } else { mask.clone() };
    let operands = Operands { momentum, weights: between, mask };
    let first = desk.descend(("step", "weights_after"), &operands, Some(&under), rules.has(Slip::NoStep))?;
    let mut momentum = Vec::new();
    for (p, v) in first.momentum.into_iter().enumerate() {
        momentum.push(desk.real("momentum", "momentum", p, None, v)?);
    }
    Ok(Left { t: desk.t, weights: first.between, momentum, mask: operands.mask, ..desk.left.clone() })
}

/// m w: what was inactive starts at 0.
fn restored(desk: &Desk, w: &Known<Reals>, mask: &Known<Flags>, before: &Known<Flags>) -> Known<Reals> {
    let (w, mask) = (w.as_ref().map_err(Clone::clone)?, mask.as_ref().map_err(Clone::clone)?);
    if !desk.rules.has(Slip::RestoredOld) {
        return Ok(masked(w, mask));
    }
    let before = before.as_ref().map_err(Clone::clone)?;
    Ok((0..w.len()).map(|j| if before[j] { w.at(j) } else { Near::ANY }).collect())
}

fn compress(desk: &mut Desk, operands: &Operands) -> Result<Masks> {
    let rules = desk.rules;
    let groups = desk.groups(rules.choice::<Distribution>() == Distribution::Global);
    let all = everything(desk);
    let counts = desk.shares_kept(&groups, &all, &Ok(Near::exact(rules.real("sparsity"))), true);
    let counts = desk.counts("count", "keep", counts)?;
    let scores = desk.sizes(&operands.weights, &all, operands)?;
    let keys = intervals(&scores);
    let choice = Choice {
        keys: &keys,
        candidates: &all,
        base: None,
        groups: &groups,
        counts: &counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    desk.chosen("mask", "mask", &choice)
}

fn decompress(desk: &mut Desk, found: &Operands) -> Result<Masks> {
    if desk.rules.has(Slip::StaysMasked) {
        return desk.same("mask", "mask", &found.mask);
    }
    let mut mask = Vec::new();
    for parameter in desk.prunable() {
        let of = format!("/{}", parameter.name);
        let all = Ok(vec![Decision::Yes; parameter.range.len()]);
        let flags = desk.flags("mask", ("mask", &of), &parameter.shape, all)?;
        mask.push(flags.or_else(|_| Ok(Rc::new(vec![true; parameter.range.len()]))));
    }
    Ok(mask)
}
