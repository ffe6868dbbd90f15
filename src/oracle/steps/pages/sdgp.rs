//! SDGP (McDanel et al. 2022): what a layer's output hands back is pruned in groups before it is handed on.

use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::{Known, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::select::select;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::select::cut::Cut;
use crate::select::groups::{Groups, Remainder};
use crate::select::structure::{Pick, Rescale};
use crate::trace::{StepMethod, unflatten};

pub(super) static PAGE: Page = Page {
    fits: |desk| {
        let (keep, group) = (desk.rules.steps("keep"), desk.rules.steps("group"));
        if keep <= group {
            return Ok(());
        }
        Err(desk.trace.bad_header("hyper: keep", format!("at most `group` = {group}"), keep))
    },
    begin: |_| Ok(Default::default()),
    ..Page::new(
        StepMethod::Sdgp,
        &["sdgp.carry", "sdgp.select", "sdgp.scale", "sdgp.weight_gradient", "sdgp.data_gradient"],
        step,
    )
    .of_events()
    .without_w()
};

fn step(desk: &mut Desk) -> Result<Left> {
    let layers: Vec<String> = desk.trace.members(desk.step()).map(str::to_string).collect();
    for layer in &layers {
        judge(desk, layer)?;
    }
    Ok(Left { t: desk.t, ..desk.left.clone() })
}

/// Rounding of a layer's gradient before it was used.
fn used(desk: &Desk, x: Reals) -> Reals {
    let u_in = desk.rules.arithmetic.u_in;
    if u_in > 0.0 { x.iter().map(|x| x.give(u_in * x.size())).collect() } else { x }
}

fn judge(desk: &mut Desk, layer: &str) -> Result<()> {
    let name = desk.name(&format!("grad_output/{layer}"));
    let Some(shape) = desk.trace.shape(&name).map(<[usize]>::to_vec) else {
        desk.leave_out("select", format!("needs `{name}`"));
        return Ok(());
    };
    if shape.len() != 2 && shape.len() != 4 {
        return Err(desk.trace.bad(&name, "shape [b, c] or [b, c, h, w]", format!("{shape:?}")));
    }
    for quantity in ["draw", "pruned"] {
        let other = desk.name(&format!("{quantity}/{layer}"));
        if desk.trace.shape(&other).is_some_and(|found| found != shape) {
            return Err(desk.trace.bad(&other, format!("shape {shape:?}, as `{name}` has"), "another"));
        }
    }
    let Some(x) = desk.floats(&name)? else { return Ok(()) };
    let x = used(desk, x);
    let draw = desk.list(&format!("draw/{layer}"))?;
    let decisions = decide(desk, &shape, &x, &draw);
    let y = pruned(desk, layer, &shape, &x, decisions)?;
    if shape.len() == 2 {
        super::gradients::products(desk, layer, &shape, &x, y)?;
    }
    Ok(())
}

/// The groups of a gradient of this shape: the places of their entries.
fn groups(desk: &Desk, shape: &[usize]) -> Vec<Vec<usize>> {
    let n = desk.rules.steps("group").max(1);
    let (len, b) = (shape.iter().product::<usize>(), shape[0]);
    match desk.rules.slip(&[Slip::AcrossBatch, Slip::WholeLayer]) {
        Some(Slip::AcrossBatch) => {
            let rest = len / b.max(1);
            let across: Vec<usize> = (0..rest).flat_map(|i| (0..b).map(move |sample| sample * rest + i)).collect();
            return across.chunks(n).map(<[usize]>::to_vec).collect();
        }
        Some(_) => return vec![(0..len).collect()],
        None => {}
    }
    let runs = runs(desk, shape);
    let strided = |run: Vec<usize>| -> Vec<usize> {
        let parts = run.len().div_ceil(n);
        (0..parts).flat_map(|i| run.iter().copied().skip(i).step_by(parts).collect::<Vec<_>>()).collect()
    };
    let is_strided = desk.rules.has(Slip::Strided);
    let runs = runs.into_iter().map(|run| if is_strided { strided(run) } else { run });
    runs.flat_map(|run| run.chunks(n).map(<[usize]>::to_vec).collect::<Vec<_>>()).collect()
}

/// What groups are cut from, one after the other: the channels at each place, or all entries as they lie in memory.
fn runs(desk: &Desk, shape: &[usize]) -> Vec<Vec<usize>> {
    if desk.rules.choice::<Groups>() == Groups::Memory {
        return vec![(0..shape.iter().product()).collect()];
    }
    let (b, c) = (shape[0], shape[1]);
    let plane: usize = shape[2..].iter().product();
    let mut all = Vec::new();
    for sample in 0..b {
        for place in 0..plane {
            all.push((0..c).map(|channel| (sample * c + channel) * plane + place).collect());
        }
    }
    all
}

/// Which entries stay, and of each group with a decision that is open how many.
type Decided = (Vec<Decision>, Vec<(Vec<usize>, Counts)>);

fn decide(desk: &Desk, shape: &[usize], x: &Reals, draw: &Known<Reals>) -> Known<Decided> {
    let (m, n) = (desk.rules.steps("keep"), desk.rules.steps("group"));
    let m = match desk.rules.slip(&[Slip::OneMore, Slip::OneFewer, Slip::KeptForDropped, Slip::WholeLayer]) {
        Some(Slip::OneMore) => m + 1,
        Some(Slip::OneFewer) => m.saturating_sub(1),
        Some(Slip::KeptForDropped) => n.saturating_sub(m),
        Some(_) => x.len() * m / n.max(1),
        None => m,
    };
    let slip = desk.rules.slip(&[Slip::Signed, Slip::Smallest, Slip::OtherKey]);
    let mut decisions = vec![Decision::No; x.len()];
    let mut open = Vec::new();
    for group in groups(desk, shape) {
        let is_short = group.len() < n;
        let k = match desk.rules.choice::<Remainder>() {
            Remainder::Zero if is_short => 0,
            Remainder::Dense if is_short => group.len(),
            Remainder::Keep | Remainder::Zero | Remainder::Dense => m.min(group.len()),
        };
        let key = |&j: &usize| -> Known<Interval> {
            Ok(match (desk.rules.choice::<Pick>(), slip) {
                (_, Some(Slip::OtherKey)) => Interval { low: 0.0, high: 1.0 },
                (Pick::Random, _) => draw.as_ref().map_err(Clone::clone)?.at(j).interval(),
                (_, Some(Slip::Signed)) => x.at(j).interval(),
                (_, Some(Slip::Smallest)) => x.at(j).abs().scaled(-1.0).interval(),
                _ => x.at(j).abs().interval(),
            })
        };
        let keys: Vec<Interval> = group.iter().map(key).collect::<Known<_>>()?;
        let chosen = select(&keys, Counts::exact(k), Cut::Exact, desk.ties());
        if chosen.decisions.contains(&Decision::Either) {
            open.push((group.clone(), chosen.number));
        }
        for (j, decision) in group.into_iter().zip(chosen.decisions) {
            decisions[j] = decision;
        }
    }
    Ok((decisions, open))
}

/// Labels `select`, which entries of `pruned` are not 0, and `scale`, what they are.
fn pruned(desk: &mut Desk, layer: &str, shape: &[usize], x: &Reals, decided: Known<Decided>) -> Result<Known<Reals>> {
    let name = desk.name(&format!("pruned/{layer}"));
    let of = format!("/{layer}");
    let recorded = if desk.is_replay() { None } else { desk.trace.floats(&name)? };
    let decisions = decided.as_ref().map(|(decisions, _)| decisions.clone()).map_err(Clone::clone);
    let Some(recorded) = recorded else {
        let certain = |decisions: Vec<Decision>| match decisions.contains(&Decision::Either) {
            true => Err(format!("needs `{name}`, of which rounding may decide")),
            false => Ok(decisions.iter().map(|&decision| decision == Decision::Yes).collect::<Vec<bool>>()),
        };
        let expected = decisions.and_then(certain).map(|kept| scaled(desk, shape, x, &kept));
        if !desk.is_replay() {
            return Ok(expected);
        }
        return desk.real_named("scale", ("pruned", &of), shape, None, expected);
    };
    let kept: Vec<bool> = recorded.iter().map(|&y| y != 0.0).collect();
    let all_kept: Vec<bool> = match &decided {
        // Entries that are 0 but stay count as kept.
        Ok((decisions, _)) => kept.iter().zip(decisions).map(|(&kept, &d)| kept || d == Decision::Yes).collect(),
        Err(_) => kept.clone(),
    };
    let expected = scaled(desk, shape, x, &all_kept);
    // An entry that stays may be 0 because it was, or because it underflowed.
    let may_vanish = |j: usize| {
        let flushed = desk.rules.arithmetic.underflow();
        x.at(j).interval().contains(0.0)
            || x.at(j).size() <= flushed
            || expected.at(j).give(flushed).interval().contains(0.0)
    };
    let vanishing: Vec<bool> = (0..kept.len()).map(may_vanish).collect();
    match &decided {
        Err(reason) => desk.leave_out("select", format!("`pruned` {reason}")),
        Ok((decisions, open)) => {
            let place = desk.place(&name);
            if let Some(outcome) = desk.outcome("select") {
                for (j, &decision) in decisions.iter().enumerate() {
                    outcome.compared += 1;
                    outcome.decide(decision);
                    if !decision.allows(kept[j]) && (kept[j] || !vanishing[j]) {
                        let expected = match decision {
                            Decision::No => Interval::exact(0.0),
                            _ => x.at(j).interval(),
                        };
                        outcome.diverges_at(&place, unflatten(j, shape), recorded[j], expected);
                    }
                }
                for (group, number) in open {
                    let set = group.iter().filter(|&&j| kept[j]).count();
                    let zeros = group.iter().filter(|&&j| !kept[j] && vanishing[j]).count();
                    outcome.compared += 1;
                    if set > number.high || set + zeros < number.low {
                        outcome.diverges_at(&place, unflatten(group[0], shape), set as f64, number.interval());
                    }
                }
            }
        }
    }
    desk.real_named("scale", ("pruned", &of), shape, Some(&kept), Ok(expected))
}

/// y: x where it stays, under `maxnorm` scaled to the size that the channel's plane had, to (2 h w + 8) u.
fn scaled(desk: &Desk, shape: &[usize], x: &Reals, kept: &[bool]) -> Reals {
    const AMONG: [Slip; 4] = [Slip::ScaleInverted, Slip::ScaleSigned, Slip::ScaleOfSquares, Slip::NoEpsilon];
    let rules = desk.rules;
    let plane: usize = shape[if rules.has(Slip::OverChannels) { 1 } else { 2 }..].iter().product();
    let (u, underflow) = (rules.arithmetic.u(), rules.arithmetic.underflow());
    let rescales = rules.choice::<Rescale>() == Rescale::Maxnorm;
    let slip = rules.slip(&AMONG);
    let own = match rules.slip(&[Slip::ScaledByShare, Slip::Halved]) {
        Some(Slip::ScaledByShare) => rules.steps("group") as f64 / rules.steps("keep").max(1) as f64,
        Some(_) => 0.5,
        None => 1.0,
    };
    let mut y = Vec::with_capacity(x.len());
    for start in (0..x.len()).step_by(plane.max(1)) {
        let places = start..start + plane.max(1);
        let sum = |only_kept: bool| {
            let of = places.clone().filter(|&j| !only_kept || kept[j]);
            of.fold(Near::ZERO, |sum, j| {
                sum.plus(match slip {
                    Some(Slip::ScaleSigned) if !only_kept => x.at(j),
                    Some(Slip::ScaleOfSquares) if !only_kept => x.at(j).times(x.at(j)),
                    _ => x.at(j).abs(),
                })
            })
        };
        let (all, stays) = (sum(false), sum(true));
        let (all, stays) = if slip == Some(Slip::ScaleInverted) { (stays, all) } else { (all, stays) };
        let small = if slip == Some(Slip::NoEpsilon) { f64::MIN_POSITIVE } else { MAXNORM_EPS };
        let factor = all.over(stays.plus(Near::exact(small)), 0.0);
        for j in places {
            y.push(match (kept[j], rescales) {
                (false, _) => Near::ZERO,
                (true, false) if own == 1.0 => x.at(j),
                (true, false) => x.at(j).scaled(own).give(4.0 * u * x.at(j).size() * own + underflow),
                (true, true) => {
                    let y = x.at(j).times(factor).scaled(own);
                    y.give((2.0 * plane as f64 + 8.0) * u * y.size() + 4.0 * underflow)
                }
            });
        }
    }
    Reals::from_iter(y)
}

/// What keeps the rescaling from dividing by 0.
const MAXNORM_EPS: f64 = 1e-4;
