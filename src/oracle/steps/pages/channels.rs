//! AMC's pruning of a layer: how many input channels stay, which, and what becomes of the weights.

use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::{Flags, Known, Near, Reals};
use crate::oracle::steps::select::select;
use crate::oracle::steps::slips::Slip;
use crate::select::cut::Cut;
use crate::trace::TracedParameter;

/// How many channels of c a share `a` keeps; where its product may be rounded either way, all between both.
pub(super) fn kept(desk: &Desk, c: usize, a: Near) -> Counts {
    if desk.is_replay() {
        return Counts::exact(channels_kept(desk, c, a.rounded()));
    }
    let of = |a: f64| Counts::exact(channels_kept(desk, c, a));
    // A share of exactly 1 is no rounding's.
    let k = match a.value() {
        Some(1.0) => of(1.0),
        exactly => {
            let spread = a.give(2.0 * desk.rules.arithmetic.u() * a.size()).interval();
            let ends = of(spread.low).or(of(spread.high.min(1.0)));
            exactly.map_or(ends, |a| ends.or(of(a)))
        }
    };
    match desk.rules.slip(&[Slip::CountOneMore, Slip::CountOneFewer, Slip::ShareForRest]) {
        Some(Slip::CountOneMore) => k.plus(1).or(k.plus(1).at_most(c)),
        Some(Slip::CountOneFewer) => Counts { low: k.low.saturating_sub(1), high: k.high.saturating_sub(1).max(1) },
        Some(_) => k.of(c),
        None => k,
    }
}

/// d of c: to the nearest number of channels, then up to a multiple; down where that is more than there are.
fn channels_kept(desk: &Desk, c: usize, a: f64) -> usize {
    const AMONG: [Slip; 9] = [
        Slip::WholeRounded,
        Slip::RoundedUp,
        Slip::RoundedDown,
        Slip::MultipleDown,
        Slip::MultipleNearest,
        Slip::NoMultiple,
        Slip::AboveAll,
        Slip::WholeForDown,
        Slip::NoneKept,
    ];
    let slip = desk.rules.slip(&AMONG);
    if a == 1.0 && slip != Some(Slip::WholeRounded) {
        return c;
    }
    let step = desk.rules.steps("channel_round").max(1);
    let share = c as f64 * a;
    let rounded = match slip {
        Some(Slip::RoundedUp) => share.ceil(),
        Some(Slip::RoundedDown) => share.floor(),
        _ => share.round_ties_even(),
    };
    let rounded = (rounded as usize).max(1);
    let d = match slip {
        Some(Slip::MultipleDown) => (rounded / step * step).max(1),
        Some(Slip::MultipleNearest) => ((rounded as f64 / step as f64).round_ties_even() as usize * step).max(1),
        Some(Slip::NoMultiple) => rounded,
        _ => rounded.div_ceil(step) * step,
    };
    let below = c / step * step;
    match slip {
        _ if d <= c => d,
        Some(Slip::AboveAll) => d,
        Some(Slip::WholeForDown) => c,
        Some(Slip::NoneKept) => below,
        _ if below == 0 => c,
        _ => below,
    }
}

/// Labels `score`, `channels` and `weights` of a layer.
pub(super) fn channels(desk: &mut Desk, l: usize, layer: &TracedParameter, keep: &Known<Counts>) -> Result<()> {
    let c = layer.shape[1];
    let weights = desk.operand("weights_before", l)?;
    let of = format!("/{}", layer.name);
    for quantity in ["importance", "channels"] {
        let name = desk.name(&format!("{quantity}{of}"));
        if let Some(shape) = desk.trace.shape(&name).filter(|shape| **shape != [c]) {
            return Err(desk.trace.bad(&name, format!("shape [{c}], one an input channel"), format!("{shape:?}")));
        }
    }
    let expected = weights.clone().map(|w| importance(desk, &layer.shape, &w));
    let importance = desk.real_named("score", ("importance", &of), &[c], None, expected)?;
    let slip = desk.rules.slip(&[Slip::OneMore, Slip::OneFewer, Slip::Smallest, Slip::ByIndex]);
    let chosen = || -> Known<_> {
        let key = |x: Near| match slip {
            Some(Slip::Smallest) => x.negated().interval(),
            Some(Slip::ByIndex) => Interval::exact(0.0),
            _ => x.interval(),
        };
        let keys: Vec<Interval> = importance.clone()?.iter().map(key).collect();
        let k = match slip {
            Some(Slip::OneMore) => keep.clone()?.plus(1),
            Some(Slip::OneFewer) => keep.clone()?.fewer(1),
            _ => keep.clone()?,
        };
        Ok(select(&keys, k, Cut::Exact, desk.ties()))
    };
    let chosen = chosen();
    let decisions = chosen.as_ref().map(|chosen| chosen.decisions.clone()).map_err(Clone::clone);
    let flags = desk.flags("channels", ("channels", &of), &[c], decisions)?;
    if let (Ok(flags), Ok(chosen)) = (&flags, &chosen) {
        desk.number_of_flags("channels", &format!("channels{of}"), flags, chosen.number);
    }
    let expected = flags.and_then(|flags| Ok(pruned(desk, &layer.shape, &weights?, &flags)));
    desk.real("weights", "weights_after", l, None, expected).map(|_| ())
}

/// Of each input channel the sum of |w| over all else, to (terms + 2) u.
fn importance(desk: &Desk, shape: &[usize], w: &Reals) -> Reals {
    let (out, c) = (shape[0], shape[1]);
    let inner: usize = shape[2..].iter().product();
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    let among = [
        Slip::SumOfOutputs,
        Slip::SizeOfSum,
        Slip::LargestOfAll,
        Slip::RootOfSquares,
        Slip::FirstTap,
        Slip::ScoreOfWeightSquared,
        Slip::Signed,
    ];
    let slip = desk.rules.slip(&among);
    let of = |channel: usize| {
        let (mut sum, mut size) = (Near::ZERO, 0.0);
        let (outputs, inputs) = match slip {
            Some(Slip::SumOfOutputs) => (channel % out..channel % out + 1, 0..c),
            Some(Slip::FirstTap) => (0..1, channel..channel + 1),
            _ => (0..out, channel..channel + 1),
        };
        for (o, i) in outputs.flat_map(|o| inputs.clone().map(move |i| (o, i))) {
            for tap in 0..inner {
                let w = w.at((o * c + i) * inner + tap);
                let term = match slip {
                    Some(Slip::ScoreOfWeightSquared | Slip::RootOfSquares) => w.times(w),
                    Some(Slip::SizeOfSum | Slip::Signed) => w,
                    _ => w.abs(),
                };
                size += term.size();
                sum = match slip {
                    Some(Slip::LargestOfAll) if sum.centre > term.centre => sum,
                    Some(Slip::LargestOfAll) => term,
                    _ => sum.plus(term),
                };
            }
        }
        let sum = sum.give((out as f64 * inner as f64 + 2.0) * (u * size + underflow));
        match slip {
            Some(Slip::SizeOfSum) => sum.abs(),
            Some(Slip::RootOfSquares) => sum.root(u),
            _ => sum,
        }
    };
    (0..c).map(of).collect()
}

/// The weights, 0 where their channel goes.
fn pruned(desk: &Desk, shape: &[usize], w: &Reals, flags: &Flags) -> Reals {
    let (c, inner) = (shape[1], shape[2..].iter().product::<usize>().max(1));
    let slip = desk.rules.slip(&[Slip::DroppedKeepsWeight, Slip::OutputsMasked]);
    let stays = |j: usize| match slip {
        Some(Slip::DroppedKeepsWeight) => true,
        Some(_) => flags[(j / (inner * c)) % c],
        None => flags[j / inner % c],
    };
    (0..w.len()).map(|j| if stays(j) { w.at(j) } else { Near::ZERO }).collect()
}
