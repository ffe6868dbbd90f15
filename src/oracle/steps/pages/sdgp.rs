//! SDGP (McDanel et al. 2022): what a layer's output hands back is pruned in groups before it is handed on.

use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::desk::{Desk, Known};
use crate::oracle::steps::left::Left;
use crate::oracle::steps::near::{Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::select::select;
use crate::oracle::steps::slips::Slip;
use crate::scalar::Scalar;
use crate::select::cut::Cut;
use crate::select::groups::{Groups, Remainder};
use crate::select::structure::{Pick, Rescale};
use crate::trace::{StepMethod, unflatten};

pub(in crate::oracle::steps) static PAGE: Page = Page {
    fits: |desk| {
        let (keep, group) = (desk.rules.steps("keep"), desk.rules.steps("group"));
        if keep <= group {
            return Ok(());
        }
        Err(desk.trace.bad_header("hyper: keep", format!("at most `group` = {group}"), keep))
    },
    begin: |_| Ok(Default::default()),
    results_are_operands: false,
    ..Page::new(
        StepMethod::Sdgp,
        &["sdgp.carry", "sdgp.select", "sdgp.scale", "sdgp.weight_gradient", "sdgp.data_gradient"],
        step,
    )
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
        products(desk, layer, &shape, &x, y)?;
    }
    Ok(())
}

/// The groups of a gradient of this shape: the places of their entries.
fn groups(desk: &Desk, shape: &[usize]) -> Vec<Vec<usize>> {
    let n = desk.rules.steps("group").max(1);
    let by_memory = desk.rules.choice::<Groups>() == Groups::Memory;
    let len: usize = shape.iter().product();
    if by_memory {
        return (0..len).collect::<Vec<_>>().chunks(n).map(<[usize]>::to_vec).collect();
    }
    let (b, c) = (shape[0], shape[1]);
    let plane: usize = shape[2..].iter().product();
    let mut all = Vec::new();
    for sample in 0..b {
        for place in 0..plane {
            let channels: Vec<usize> = (0..c).map(|channel| (sample * c + channel) * plane + place).collect();
            all.extend(channels.chunks(n).map(<[usize]>::to_vec));
        }
    }
    all
}

/// Which entries stay, and of each group with a decision that is open how many.
type Decided = (Vec<Decision>, Vec<(Vec<usize>, Counts)>);

fn decide(desk: &Desk, shape: &[usize], x: &Reals, draw: &Known<Reals>) -> Known<Decided> {
    let (m, n) = (desk.rules.steps("keep"), desk.rules.steps("group"));
    let m = match desk.rules.slip {
        Some(Slip::OneMore) => m + 1,
        Some(Slip::OneFewer) => m.saturating_sub(1),
        Some(Slip::CountOfRemoved) => n.saturating_sub(m),
        _ => m,
    };
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
            Ok(match (desk.rules.choice::<Pick>(), desk.rules.slip) {
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

/// y: x where it stays, under `maxnorm` scaled to the size that the channel's plane had.
fn scaled(desk: &Desk, shape: &[usize], x: &Reals, kept: &[bool]) -> Reals {
    let plane: usize = shape[2..].iter().product();
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    let rescales = desk.rules.choice::<Rescale>() == Rescale::Maxnorm;
    let mut y = Vec::with_capacity(x.len());
    for start in (0..x.len()).step_by(plane.max(1)) {
        let places = start..start + plane.max(1);
        let sum = |only_kept: bool| {
            let of = places.clone().filter(|&j| !only_kept || kept[j]);
            of.fold(Near::ZERO, |sum, j| sum.plus(x.at(j).abs()))
        };
        let (all, stays) = (sum(false), sum(true).plus(Near::exact(MAXNORM_EPS)));
        let factor = all.centre / stays.centre;
        let spread = all.radius / stays.size() + factor.abs().to_f64() * stays.radius / stays.centre.abs().to_f64();
        for j in places {
            y.push(match (kept[j], rescales) {
                (false, _) => Near::ZERO,
                (true, false) => x.at(j),
                (true, true) => {
                    let y = x.at(j).times(Near { centre: factor, radius: spread });
                    y.give((2.0 * plane as f64 + 8.0) * u * y.size() + 4.0 * underflow)
                }
            });
        }
    }
    Reals::from_iter(y)
}

/// What keeps the rescaling from dividing by 0.
const MAXNORM_EPS: f64 = 1e-4;

/// Labels `weight_gradient`, from x, and `data_gradient`, from y: of linear layers.
fn products(desk: &mut Desk, layer: &str, shape: &[usize], x: &Reals, y: Known<Reals>) -> Result<()> {
    let (b, o) = (shape[0], shape[1]);
    let of = format!("/{layer}");
    for (operand, result, label) in
        [("input", "grad_weight", "weight_gradient"), ("weight", "grad_input", "data_gradient")]
    {
        let name = desk.name(&format!("{operand}{of}"));
        let Some(found) = desk.trace.shape(&name).map(<[usize]>::to_vec) else {
            if desk.trace.has(&desk.name(&format!("{result}{of}"))) {
                desk.leave_out(label, format!("`{result}` needs `{name}`"));
            }
            continue;
        };
        let is_weight_gradient = operand == "input";
        let rows = if is_weight_gradient { b } else { o };
        if found.len() != 2 || found[0] != rows {
            return Err(desk.trace.bad(&name, format!("shape [{rows}, in]"), format!("{found:?}")));
        }
        let i = found[1];
        let other = desk.list(&format!("{operand}{of}"))?;
        let gradient = match (is_weight_gradient, desk.rules.slip) {
            (true, Some(Slip::PrunedForWeights)) => y.clone(),
            (true, _) | (_, Some(Slip::DenseForData)) => Ok(x.clone()),
            (false, _) => y.clone(),
        };
        let expected = || -> Known<Reals> {
            let (gradient, other) = (gradient?, other?);
            let (outer, terms) = if is_weight_gradient { (o, b) } else { (b, o) };
            let mut results = Vec::with_capacity(outer * i);
            for row in 0..outer {
                for column in 0..i {
                    let term = |n: usize| match is_weight_gradient {
                        true => (gradient.at(n * o + row), other.at(n * i + column)),
                        false => (gradient.at(row * o + n), other.at(n * i + column)),
                    };
                    results.push(product(desk, (0..terms).map(term)));
                }
            }
            Ok(Reals::from_iter(results))
        };
        let expected = expected();
        let shape = if is_weight_gradient { [o, i] } else { [b, i] };
        let stored = desk.name(&format!("{result}{of}"));
        if let Some(found) = desk.trace.shape(&stored).filter(|found| **found != shape) {
            return Err(desk.trace.bad(&stored, format!("shape {shape:?}"), format!("{found:?}")));
        }
        desk.real_named(label, (result, &of), &shape, None, expected)?.ok();
    }
    Ok(())
}

/// A sum of n products: (n + 3) u of their sizes.
fn product(desk: &Desk, terms: impl Iterator<Item = (Near, Near)>) -> Near {
    let (mut sum, mut size, mut n) = (Near::ZERO, 0.0, 0.0);
    for (a, b) in terms {
        let term = a.times(b);
        sum = sum.plus(term);
        size += term.size();
        n += 1.0;
    }
    let (u, underflow) =
        (desk.rules.arithmetic.u().max(desk.rules.arithmetic.u_acc), desk.rules.arithmetic.underflow());
    sum.give((n + 3.0) * u * size + (2.0 * n + 1.0) * underflow)
}
