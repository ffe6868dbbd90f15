//! LayerDrop (Fan et al. 2020): layers are left out at random in training, and some for good afterwards.

use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::Reals;
use crate::oracle::steps::page::Page;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::select::structure::DepthOrigin;
use crate::trace::StepMethod;

pub(super) static PAGE: Page = Page {
    fits: |desk| {
        desk.required(&["layers"])?;
        let (layers, droppable) = (desk.rules.steps("layers"), desk.rules.options.counts("droppable"));
        if droppable.is_empty() || droppable.len() == layers {
            return Ok(());
        }
        let expected = format!("{layers} flags, one a layer");
        Err(desk.trace.bad_header("hyper: droppable", expected, droppable.len()))
    },
    begin: |_| Ok(Default::default()),
    end: prune,
    ..Page::new(StepMethod::LayerDrop, &["layerdrop.carry", "layerdrop.active", "layerdrop.kept_layers"], step)
        .of_events()
        .without_w()
};

/// Which layers may be left out.
fn droppable(desk: &Desk) -> Vec<bool> {
    let given = desk.rules.options.counts("droppable");
    let layers = desk.rules.steps("layers");
    if given.is_empty() { vec![true; layers] } else { given.into_iter().map(|flag| flag == 1).collect() }
}

fn step(desk: &mut Desk) -> Result<Left> {
    let droppable = droppable(desk);
    let draw = desk.list("draw")?;
    if let Ok(found) = draw.as_ref().map(Reals::len)
        && found != droppable.len()
    {
        return Err(desk.trace.bad(&desk.name("draw"), format!("{} numbers, one a layer", droppable.len()), found));
    }
    let active = draw.map(|draw| active(desk, &draw, &droppable));
    desk.flags("active", ("active", ""), &[droppable.len()], active)?.ok();
    Ok(Left { t: desk.t, ..desk.left.clone() })
}

/// Which layers are computed: those with u > p, and those that may not be left out.
fn active(desk: &Desk, draw: &Reals, droppable: &[bool]) -> Vec<Decision> {
    let rules = desk.rules;
    let layers = droppable.len();
    let among = [
        Slip::ShareForRest,
        Slip::DrawBelow,
        Slip::DrawAtBorder,
        Slip::AllDroppable,
        Slip::DroppableInverted,
        Slip::OneDraw,
        Slip::DrawsShifted,
        Slip::RateByDepth,
        Slip::FirstStays,
        Slip::LastStays,
        Slip::NeverDropped,
    ];
    let slip = rules.slip(&among);
    let p = if slip == Some(Slip::ShareForRest) { 1.0 - rules.real("p") } else { rules.real("p") };
    let above = |i: usize| {
        let p = if slip == Some(Slip::RateByDepth) { p * (i + 1) as f64 / layers as f64 } else { p };
        let p = if desk.is_replay() { Interval::exact(p) } else { rules.arithmetic.threshold(p) };
        let u = match slip {
            Some(Slip::OneDraw) => draw.at(0),
            Some(Slip::DrawsShifted) => draw.at((i + layers - 1) % layers),
            _ => draw.at(i),
        };
        match slip {
            Some(Slip::DrawBelow) => u.interval().less_than(p),
            Some(Slip::DrawAtBorder) => u.interval().less_than(p).opposite(),
            _ => p.less_than(u.interval()),
        }
    };
    let decide = |i: usize| {
        let stays = match slip {
            Some(Slip::AllDroppable) => false,
            Some(Slip::DroppableInverted) => droppable[i],
            Some(Slip::FirstStays) => !droppable[i] || i == 0,
            Some(Slip::LastStays) => !droppable[i] || i + 1 == layers,
            Some(Slip::NeverDropped) => true,
            _ => !droppable[i],
        };
        if stays { Decision::Yes } else { above(i) }
    };
    let decisions: Vec<Decision> = (0..layers).map(decide).collect();
    let goes = |i: usize| droppable[i] && decisions[i] == Decision::No;
    let Some(first) = (0..layers).find(|&i| goes(i)) else { return decisions };
    match rules.slip(&[Slip::OneGoes, Slip::RestGoes]) {
        Some(Slip::OneGoes) => (0..layers).map(|i| Decision::of(i != first)).collect(),
        Some(_) => (0..layers).map(|i| Decision::of(i < first || !droppable[i])).collect(),
        None => decisions,
    }
}

/// After training: a droppable layer of depth d goes iff d mod floor(1 / prune_rate) = 0.
fn prune(desk: &mut Desk) -> Result<()> {
    let droppable = droppable(desk);
    let rate = desk.rules.options.real("prune_rate");
    let expected = rate.map(|rate| kept(desk, &droppable, rate));
    if desk.is_replay() && expected.is_none() {
        return Ok(());
    }
    let expected = expected.ok_or_else(|| "needs `prune_rate` in `hyper`".to_string());
    desk.flags("kept_layers", ("kept_layers", ""), &[droppable.len()], expected).map(|_| ())
}

fn kept(desk: &Desk, droppable: &[bool], rate: f64) -> Vec<Decision> {
    let among = [
        Slip::EveryRoundedUp,
        Slip::EveryOneMore,
        Slip::GoesAndKept,
        Slip::LastGo,
        Slip::FirstGo,
        Slip::AllDroppable,
        Slip::DepthOfDroppable,
        Slip::DepthFromTop,
    ];
    let slip = desk.rules.slip(&among);
    let layers = droppable.len();
    let every = match slip {
        Some(Slip::EveryRoundedUp) => (1.0 / rate).ceil() as usize,
        Some(Slip::EveryOneMore) => (1.0 / rate).floor() as usize + 1,
        _ => (1.0 / rate).floor() as usize,
    };
    let origin = match desk.rules.choice::<DepthOrigin>() {
        DepthOrigin::One => 1,
        DepthOrigin::Zero => 0,
    };
    let number = (rate * layers as f64).round_ties_even() as usize;
    let goes = |i: usize| {
        let before = droppable[..i].iter().filter(|&&may| may).count();
        let depth = origin
            + match slip {
                Some(Slip::DepthOfDroppable) => before,
                Some(Slip::DepthFromTop) => layers - 1 - i,
                _ => i,
            };
        match slip {
            Some(Slip::LastGo) => i + number >= layers,
            Some(Slip::FirstGo) => i < number,
            Some(Slip::GoesAndKept) => !depth.is_multiple_of(every.max(1)),
            _ => depth.is_multiple_of(every.max(1)),
        }
    };
    let may = |i: usize| droppable[i] || slip == Some(Slip::AllDroppable);
    (0..layers).map(|i| Decision::of(!(goes(i) && may(i)))).collect()
}
