//! AMC (He et al. 2018): an event is an episode, in which an agent's actions choose every layer's share of input channels.

use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::{Known, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::structure::RewardRule;
use crate::trace::{StepMethod, TracedParameter};

pub(super) static PAGE: Page = Page {
    fits: has_costs,
    begin: |_| Ok(Default::default()),
    ..Page::new(
        StepMethod::Amc,
        &["amc.carry", "amc.clip", "amc.count", "amc.score", "amc.channels", "amc.weights", "amc.flops", "amc.reward"],
        step,
    )
    .of_events()
    .without_w()
};

fn has_costs(desk: &Desk) -> Result<()> {
    desk.required(&["flops"])?;
    let layers = desk.prunable();
    for key in ["flops", "buffer_flops"] {
        let found = desk.rules.options.counts(key).len();
        if found != layers.len() && !(key == "buffer_flops" && found == 0) {
            let expected = format!("{} whole numbers, one a layer of `params`", layers.len());
            return Err(desk.trace.bad_header(&format!("hyper: {key}"), expected, found));
        }
    }
    match layers.iter().find(|layer| layer.shape.len() < 2) {
        None => Ok(()),
        Some(layer) => {
            let expected = format!("`{}` of shape [out, in, ..]", layer.name);
            Err(desk.trace.bad_header("params", expected, format!("{:?}", layer.shape)))
        }
    }
}

/// F_l and B_l.
fn costs(desk: &Desk) -> (Vec<f64>, Vec<f64>) {
    let numbers = |key: &str| -> Vec<f64> { desk.rules.options.counts(key).into_iter().map(|n| n as f64).collect() };
    let flops = numbers("flops");
    let buffers = numbers("buffer_flops");
    let buffers = if buffers.is_empty() { vec![0.0; flops.len()] } else { buffers };
    (flops, buffers)
}

/// The sum over i of `F_i r_i r_(i+1) + B_i r_i`, of all terms but those with r_l; and what multiplies r_l.
fn split(desk: &Desk, r: &[DoubleDouble], l: usize) -> (DoubleDouble, DoubleDouble) {
    let (flops, buffers) = costs(desk);
    let slip = desk.rules.slip(&[Slip::OneSide, Slip::BuffersForgotten]);
    let (mut other, mut this) = (DoubleDouble::ZERO, DoubleDouble::ZERO);
    for i in 0..flops.len() {
        let (f, b) = (DoubleDouble::from(flops[i]), DoubleDouble::from(buffers[i]));
        match (i == l, i + 1 == l) {
            (true, _) => {
                this += f * r[i + 1] + if slip == Some(Slip::BuffersForgotten) { DoubleDouble::ZERO } else { b }
            }
            (_, true) => {
                this += if slip == Some(Slip::OneSide) { DoubleDouble::ZERO } else { f * r[i] };
                other += b * r[i];
            }
            _ => other += f * r[i] * r[i + 1] + b * r[i],
        }
    }
    (other, this)
}

fn step(desk: &mut Desk) -> Result<Left> {
    let layers = desk.prunable();
    let count = layers.len();
    let action = desk.list("action")?;
    if let Some(found) = action.as_ref().ok().map(Reals::len).filter(|&found| found != count) {
        return Err(desk.trace.bad(&desk.name("action"), format!("{count} numbers, one a layer"), found));
    }
    for quantity in ["ratio_allowed", "keep"] {
        let name = desk.name(quantity);
        if let Some(shape) = desk.trace.shape(&name).filter(|shape| **shape != [count]) {
            return Err(desk.trace.bad(&name, format!("shape [{count}], one a layer"), format!("{shape:?}")));
        }
    }
    let (ratios, keeps) = walk(desk, &action)?;
    let ratios = ratios.into_iter().collect::<Known<Vec<Near>>>().map(Reals::from_iter);
    let ratios = desk.real_named("clip", ("ratio_allowed", ""), &[count], None, ratios)?;
    let keeps = desk.counts("count", "keep", keeps)?;
    for (l, layer) in layers.iter().enumerate() {
        super::channels::channels(desk, l, layer, &keeps[l])?;
    }
    let achieved: Known<Vec<DoubleDouble>> = layers.iter().zip(&keeps).map(|(layer, k)| achieved(layer, k)).collect();
    let allowed = ratios.map(|ratios| ratios.iter().map(|a| a.centre).collect());
    let achieved = if desk.rules.has(Slip::RatioAsAllowed) { allowed } else { achieved };
    let flops = cost(desk, &achieved)?;
    reward(desk, &flops)?;
    Ok(Left { t: desk.t, ..desk.left.clone() })
}

/// d / c, of a layer whose count is known.
fn achieved(layer: &TracedParameter, keep: &Known<Counts>) -> Known<DoubleDouble> {
    let keep = keep.clone()?.value().ok_or("needs `keep`, which rounding may turn")?;
    Ok(DoubleDouble::from_usize(keep) / DoubleDouble::from_usize(layer.shape[1]))
}

/// Every layer's share, and its count.
type Walked = (Vec<Known<Near>>, Vec<Known<Counts>>);

/// What every layer is allowed, and how many channels that keeps, as layer after layer is decided.
fn walk(desk: &Desk, action: &Known<Reals>) -> Result<Walked> {
    let rules = desk.rules;
    let layers = desk.prunable();
    let recorded = |quantity: &str| if desk.is_replay() { Ok(None) } else { desk.trace.floats(&desk.name(quantity)) };
    let own_ratios = recorded("ratio_allowed")?;
    let own_keeps = if desk.is_replay() { None } else { desk.trace.integers(&desk.name("keep"))? };
    let later = if rules.has(Slip::LaterWhole) { 1.0 } else { rules.real("lower") };
    let output = if rules.has(Slip::OutputAtLower) { rules.real("lower") } else { 1.0 };
    let mut r: Vec<Known<DoubleDouble>> = vec![Ok(DoubleDouble::from(later)); layers.len()];
    r.push(Ok(DoubleDouble::from(output)));
    let (mut ratios, mut keeps) = (Vec::new(), Vec::new());
    for (l, layer) in layers.iter().enumerate() {
        let ratio = allowed(desk, action, &r, l);
        // A check goes on from what the port says.
        let own = own_ratios.as_ref().and_then(|ratios| ratios.get(l)).filter(|x| x.is_finite());
        let taken = own.map(|&x| Near::exact(x)).map_or(ratio.clone(), Ok);
        let taken = taken.map(|a| if desk.is_replay() { Near::exact(a.rounded()) } else { a });
        let keep = taken.clone().map(|a| super::channels::kept(desk, layer.shape[1], a));
        let own = own_keeps.as_ref().and_then(|keeps| keeps.get(l)).and_then(|&k| usize::try_from(k).ok());
        r[l] = match rules.has(Slip::RatioAsAllowed) {
            true => taken.map(|a| a.centre),
            false => achieved(layer, &own.map_or(keep.clone(), |k| Ok(Counts::exact(k)))),
        };
        ratios.push(ratio);
        keeps.push(keep);
    }
    Ok((ratios, keeps))
}

/// What layer l is allowed, to (6L + 16) u (preserve sum(F + B) + other) / this.
fn allowed(desk: &Desk, action: &Known<Reals>, r: &[Known<DoubleDouble>], l: usize) -> Known<Near> {
    let rules = desk.rules;
    if l == 0 && !rules.has(Slip::RatioOfFirst) {
        return Ok(Near::exact(1.0));
    }
    let r: Vec<DoubleDouble> = r.iter().cloned().collect::<Known<_>>()?;
    // A replay forms the number itself; what a port's may be off by is nothing to it.
    let of_port = |near: Near| if desk.is_replay() { Near { radius: 0.0, ..near } } else { near };
    let action = of_port(action.clone()?.at(l)).interval();
    let among = [Slip::BudgetWithoutBuffers, Slip::RatioUnclipped, Slip::LowerFirst, Slip::NoLower];
    let slip = rules.slip(&among);
    let (flops, buffers) = costs(desk);
    let buffers = if slip == Some(Slip::BudgetWithoutBuffers) { Vec::new() } else { buffers };
    let total = flops.iter().chain(&buffers).fold(DoubleDouble::ZERO, |sum, &f| sum + DoubleDouble::from(f));
    let (other, this) = split(desk, &r, l);
    let preserve = DoubleDouble::from(rules.real("preserve"));
    let budget = total * if rules.has(Slip::ShareForRest) { DoubleDouble::ONE - preserve } else { preserve };
    let error = (6.0 * flops.len() as f64 + 16.0) * rules.arithmetic.u() * ((budget + other) / this).abs().to_f64();
    let bound = of_port(Near { centre: (budget - other) / this, radius: 0.0 }.give(error));
    let lower = of_port(rules.constant(rules.real("lower")));
    Ok(match slip {
        Some(Slip::RatioUnclipped) => between(action, Near::exact(f64::MAX), lower),
        Some(Slip::NoLower) => between(action, bound, Near::ZERO),
        Some(Slip::LowerFirst) => {
            let raised = between(action, Near::exact(f64::MAX), lower).interval();
            let bound = bound.interval();
            Near::from(Interval { low: raised.low.min(bound.low), high: raised.high.min(bound.high) })
        }
        _ => between(action, bound, lower),
    })
}

/// `max(lower, min(clamp(action, 0, 1), bound))`.
fn between(action: Interval, bound: Near, lower: Near) -> Near {
    let clamped = Interval { low: action.low.clamp(0.0, 1.0), high: action.high.clamp(0.0, 1.0) };
    if clamped.is_exact() && bound.radius == 0.0 && lower.radius == 0.0 {
        let wanted = DoubleDouble::from(clamped.low);
        let least = if bound.centre < wanted { bound } else { Near::exact(clamped.low) };
        return if least.centre < lower.centre { lower } else { least };
    }
    let (bound, lower) = (bound.interval(), lower.interval());
    let low = clamped.low.min(bound.low).max(lower.low);
    let high = clamped.high.min(bound.high).max(lower.high);
    Near::from(Interval { low, high })
}

/// Label `flops`: the cost, to (3L + 8) u.
fn cost(desk: &mut Desk, r: &Known<Vec<DoubleDouble>>) -> Result<Known<Near>> {
    let (flops, buffers) = costs(desk);
    let slip = desk.rules.slip(&[Slip::CostOfInputs, Slip::CostWithoutBuffers, Slip::CostDense]);
    let u = desk.rules.arithmetic.u();
    let expected = r.clone().map(|mut r| {
        r.push(DoubleDouble::ONE);
        let term = |i: usize| {
            let (f, b) = (DoubleDouble::from(flops[i]), DoubleDouble::from(buffers[i]));
            match slip {
                Some(Slip::CostOfInputs) => f * r[i] + b * r[i],
                Some(Slip::CostWithoutBuffers) => f * r[i] * r[i + 1],
                Some(_) => f + b,
                None => f * r[i] * r[i + 1] + b * r[i],
            }
        };
        let centre = (0..flops.len()).map(term).fold(DoubleDouble::ZERO, |sum, term| sum + term);
        let radius = (3.0 * flops.len() as f64 + 8.0) * u * centre.abs().to_f64();
        Near { centre, radius }
    });
    desk.real_number("flops", "flops", expected)
}

/// Label `reward`.
fn reward(desk: &mut Desk, flops: &Known<Near>) -> Result<()> {
    let accuracy = desk.number("accuracy")?;
    let u = desk.rules.arithmetic.u();
    let sign = if desk.rules.has(Slip::RewardFlipped) { -1.0 } else { 1.0 };
    let of_error = desk.rules.has(Slip::RewardOfError);
    let expected = || -> Known<Near> {
        let accuracy = accuracy?;
        if of_error {
            return Ok(accuracy.minus(Near::exact(1.0)).give(8.0 * u));
        }
        if desk.rules.choice::<RewardRule>() == RewardRule::Accuracy {
            return Ok(accuracy.scaled(sign).give(8.0 * u * accuracy.size()));
        }
        let flops = flops.clone()?;
        let wrong = Near::exact(1.0).minus(accuracy);
        let ln = Near { centre: flops.centre.ln(), radius: flops.radius / flops.centre.abs().to_f64() };
        let reward = wrong.times(ln).scaled(-sign);
        Ok(reward.give(8.0 * u * (reward.size() + 1.0)))
    };
    let expected = expected();
    if desk.is_replay() && expected.is_err() {
        desk.leave_out("reward", "needs `accuracy`");
        return Ok(());
    }
    desk.real_number("reward", "reward", expected).map(|_| ())
}
