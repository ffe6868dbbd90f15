//! AMC (He et al. 2018): an event is an episode, in which an agent's actions choose every layer's share of input channels.

use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::desk::{Desk, Known};
use crate::oracle::steps::left::Left;
use crate::oracle::steps::near::{Flags, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::select::select;
use crate::oracle::steps::slips::Slip;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::cut::Cut;
use crate::select::structure::RewardRule;
use crate::trace::{StepMethod, TracedParameter};

pub(in crate::oracle::steps) static PAGE: Page = Page {
    fits: has_costs,
    begin: |_| Ok(Default::default()),
    results_are_operands: false,
    ..Page::new(
        StepMethod::Amc,
        &["amc.carry", "amc.clip", "amc.count", "amc.score", "amc.channels", "amc.weights", "amc.flops", "amc.reward"],
        step,
    )
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
fn split(flops: &[f64], buffers: &[f64], r: &[DoubleDouble], l: usize) -> (DoubleDouble, DoubleDouble) {
    let (mut other, mut this) = (DoubleDouble::ZERO, DoubleDouble::ZERO);
    for i in 0..flops.len() {
        let (f, b) = (DoubleDouble::from(flops[i]), DoubleDouble::from(buffers[i]));
        match (i == l, i + 1 == l) {
            (true, _) => this += f * r[i + 1] + b,
            (_, true) => {
                this += f * r[i];
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
    for (quantity, found) in [("action", action.as_ref().ok().map(Reals::len))] {
        if let Some(found) = found.filter(|&found| found != count) {
            return Err(desk.trace.bad(&desk.name(quantity), format!("{count} numbers, one a layer"), found));
        }
    }
    for quantity in ["ratio_allowed", "keep"] {
        let name = desk.name(quantity);
        if let Some(shape) = desk.trace.shape(&name).filter(|shape| **shape != [count]) {
            return Err(desk.trace.bad(&name, format!("shape [{count}], one a layer"), format!("{shape:?}")));
        }
    }
    let (ratios, keeps) = walk(desk, &action)?;
    let ratios = ratios.into_iter().collect::<Known<Vec<Near>>>().map(Reals::from_iter);
    desk.real_named("clip", ("ratio_allowed", ""), &[count], None, ratios)?.ok();
    let keeps = desk.counts("count", "keep", keeps)?;
    for (l, layer) in layers.iter().enumerate() {
        channels(desk, l, layer, &keeps[l])?;
    }
    let achieved: Known<Vec<DoubleDouble>> = layers.iter().zip(&keeps).map(|(layer, k)| achieved(layer, k)).collect();
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
    let (flops, buffers) = costs(desk);
    let (lower, preserve, u) = (rules.real("lower"), rules.real("preserve"), rules.arithmetic.u());
    let recorded = |quantity: &str| if desk.is_replay() { Ok(None) } else { desk.trace.floats(&desk.name(quantity)) };
    let own_ratios = recorded("ratio_allowed")?;
    let own_keeps = if desk.is_replay() { None } else { desk.trace.integers(&desk.name("keep"))? };
    let total = flops.iter().chain(&buffers).fold(DoubleDouble::ZERO, |sum, &f| sum + DoubleDouble::from(f));
    let mut r: Vec<Known<DoubleDouble>> = vec![Ok(DoubleDouble::from(lower)); layers.len()];
    r.push(Ok(DoubleDouble::ONE));
    let (mut ratios, mut keeps) = (Vec::new(), Vec::new());
    for (l, layer) in layers.iter().enumerate() {
        let ratio = || -> Known<Near> {
            if l == 0 && !rules.has(Slip::RatioOfFirst) {
                return Ok(Near::exact(1.0));
            }
            let r: Vec<DoubleDouble> = r.iter().cloned().collect::<Known<_>>()?;
            let action = action.clone()?.at(l).interval();
            let (other, this) = split(&flops, &buffers, &r, l);
            let budget = DoubleDouble::from(preserve) * total;
            let bound = Near { centre: (budget - other) / this, radius: 0.0 };
            let error = (6.0 * layers.len() as f64 + 16.0) * u * ((budget + other) / this).abs().to_f64();
            let bound = if rules.has(Slip::RatioUnclipped) { Near::exact(f64::MAX) } else { bound.give(error) };
            Ok(between(action, bound, rules.constant(lower), desk.is_replay()))
        };
        let ratio = ratio();
        // A check goes on from what the port says.
        let own = own_ratios.as_ref().and_then(|ratios| ratios.get(l)).filter(|x| x.is_finite());
        let taken = own.map(|&x| Near::exact(x)).map_or(ratio.clone(), Ok);
        let taken = taken.map(|a| if desk.is_replay() { Near::exact(a.rounded()) } else { a });
        let keep = taken.map(|a| kept(desk, layer.shape[1], a));
        let own = own_keeps.as_ref().and_then(|keeps| keeps.get(l)).and_then(|&k| usize::try_from(k).ok());
        r[l] = achieved(layer, &own.map_or(keep.clone(), |k| Ok(Counts::exact(k))));
        ratios.push(ratio);
        keeps.push(keep);
    }
    Ok((ratios, keeps))
}

/// `max(lower, min(clamp(action, 0, 1), bound))`; `exactly`, of what stands in the middle of each.
fn between(action: Interval, bound: Near, lower: Near, exactly: bool) -> Near {
    let clamped = Interval { low: action.low.clamp(0.0, 1.0), high: action.high.clamp(0.0, 1.0) };
    if exactly {
        let wanted = DoubleDouble::from(clamped.low);
        let least = if bound.centre < wanted { bound } else { Near::exact(clamped.low) };
        return if least.centre < lower.centre { lower } else { least };
    }
    let (bound, lower) = (bound.interval(), lower.interval());
    let low = clamped.low.min(bound.low).max(lower.low);
    let high = clamped.high.min(bound.high).max(lower.high);
    Near::from(Interval { low, high })
}

/// d channels of c.
fn kept(desk: &Desk, c: usize, a: Near) -> Counts {
    let u = desk.rules.arithmetic.u();
    let of = |a: f64| {
        if a == 1.0 {
            return c;
        }
        let step = desk.rules.steps("channel_round").max(1);
        let down = |d: usize| d / step * step;
        let rounded = ((c as f64 * a).round_ties_even() as usize).max(1);
        let d = rounded.div_ceil(step) * step;
        match (d > c, down(c)) {
            (false, _) => d,
            (true, 0) => c,
            (true, below) => below,
        }
    };
    if desk.is_replay() {
        return Counts::exact(of(a.rounded()));
    }
    let spread = a.give(2.0 * u * a.size()).interval();
    let exactly = a.value().map(of);
    let ends = [Some(of(spread.low)), Some(of(spread.high.min(1.0))), exactly];
    let all = ends.into_iter().flatten();
    let (low, high) = all.fold((c, 0), |(low, high), d| (low.min(d), high.max(d)));
    let k = match exactly {
        // A share of exactly 1 is no rounding's.
        Some(d) if a.value() == Some(1.0) => Counts::exact(d),
        _ => Counts { low, high },
    };
    match desk.rules.slip {
        Some(Slip::CountOneMore) => k.plus(1),
        Some(Slip::CountOneFewer) => Counts { low: k.low.saturating_sub(1), high: k.high.saturating_sub(1) },
        Some(Slip::CountOfRemoved) => k.of(c),
        _ => k,
    }
}

/// Labels `score`, `channels` and `weights` of a layer.
fn channels(desk: &mut Desk, l: usize, layer: &TracedParameter, keep: &Known<Counts>) -> Result<()> {
    let (out, c) = (layer.shape[0], layer.shape[1]);
    let inner: usize = layer.shape[2..].iter().product();
    let weights = desk.operand("weights_before", l)?;
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    let slip = desk.rules.slip;
    let importance = weights.clone().map(|w| {
        let of = |channel: usize| {
            let mut sum = Near::ZERO;
            for o in 0..out {
                for i in 0..inner {
                    let w = w.at((o * c + channel) * inner + i);
                    sum = sum.plus(match slip {
                        Some(Slip::Squared) => w.times(w),
                        Some(Slip::Signed) => w,
                        _ => w.abs(),
                    });
                }
            }
            sum.give((out as f64 * inner as f64 + 2.0) * (u * sum.size() + underflow))
        };
        (0..c).map(of).collect::<Reals>()
    });
    let of = format!("/{}", layer.name);
    for quantity in ["importance", "channels"] {
        let name = desk.name(&format!("{quantity}{of}"));
        if let Some(shape) = desk.trace.shape(&name).filter(|shape| **shape != [c]) {
            return Err(desk.trace.bad(&name, format!("shape [{c}], one an input channel"), format!("{shape:?}")));
        }
    }
    let importance = desk.real_named("score", ("importance", &of), &[c], None, importance)?;
    let sign = if desk.rules.has(Slip::Smallest) { -1.0 } else { 1.0 };
    let chosen = || -> Known<_> {
        let keys: Vec<Interval> = importance.clone()?.iter().map(|x| x.scaled(sign).interval()).collect();
        Ok(select(&keys, keep.clone()?, Cut::Exact, desk.ties()))
    };
    let chosen = chosen();
    let decisions = chosen.as_ref().map(|chosen| chosen.decisions.clone()).map_err(Clone::clone);
    let flags = desk.flags("channels", ("channels", &of), &[c], decisions)?;
    if let (Ok(flags), Ok(chosen)) = (&flags, &chosen) {
        desk.number_of_flags("channels", &format!("channels{of}"), flags, chosen.number);
    }
    let after = |flags: Known<Flags>| -> Known<Reals> {
        let (w, flags) = (weights.clone()?, flags?);
        let value = |j: usize| match flags[j / inner.max(1) % c] {
            true => w.at(j),
            false if slip == Some(Slip::DroppedKeepsWeight) => w.at(j),
            false => Near::ZERO,
        };
        Ok((0..w.len()).map(value).collect())
    };
    let expected = after(flags);
    desk.real("weights", "weights_after", l, None, expected).map(|_| ())
}

/// Label `flops`.
fn cost(desk: &mut Desk, r: &Known<Vec<DoubleDouble>>) -> Result<Known<Near>> {
    let (flops, buffers) = costs(desk);
    let u = desk.rules.arithmetic.u();
    let expected = r.clone().map(|mut r| {
        r.push(DoubleDouble::ONE);
        let terms = (0..flops.len())
            .map(|i| DoubleDouble::from(flops[i]) * r[i] * r[i + 1] + DoubleDouble::from(buffers[i]) * r[i]);
        let centre = terms.fold(DoubleDouble::ZERO, |sum, term| sum + term);
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
    let expected = || -> Known<Near> {
        let accuracy = accuracy?;
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
