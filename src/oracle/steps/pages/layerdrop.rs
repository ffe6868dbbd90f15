//! LayerDrop (Fan et al. 2020): layers are left out at random in training, and some for good afterwards.

use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::desk::{Desk, Known};
use crate::oracle::steps::left::Left;
use crate::oracle::steps::near::Reals;
use crate::oracle::steps::page::Page;
use crate::oracle::steps::slips::Slip;
use crate::select::structure::DepthOrigin;
use crate::trace::StepMethod;

pub(in crate::oracle::steps) static PAGE: Page = Page {
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
    results_are_operands: false,
    ..Page::new(StepMethod::LayerDrop, &["layerdrop.carry", "layerdrop.active", "layerdrop.kept_layers"], step)
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
    let p = desk.rules.arithmetic.threshold(desk.rules.real("p"));
    let p = if desk.is_replay() { Interval::exact(desk.rules.real("p")) } else { p };
    let active: Known<Vec<Decision>> = draw.map(|draw| {
        let decide = |(i, may): (usize, &bool)| match desk.rules.slip {
            Some(Slip::Smallest) if *may => draw.at(i).interval().less_than(p),
            Some(Slip::AmongAll) => p.less_than(draw.at(i).interval()),
            _ if !may => Decision::Yes,
            _ => p.less_than(draw.at(i).interval()),
        };
        droppable.iter().enumerate().map(decide).collect()
    });
    desk.flags("active", ("active", ""), &[droppable.len()], active)?.ok();
    Ok(Left { t: desk.t, ..desk.left.clone() })
}

/// After training: a droppable layer of depth d goes iff d mod floor(1 / prune_rate) = 0.
fn prune(desk: &mut Desk) -> Result<()> {
    let droppable = droppable(desk);
    let expected: Known<Vec<Decision>> = match desk.rules.options.real("prune_rate") {
        None => Err("needs `prune_rate` in `hyper`".to_string()),
        Some(rate) => {
            let every = ((1.0 / rate).floor() as usize).max(1);
            let first = match desk.rules.choice::<DepthOrigin>() {
                DepthOrigin::One => 1,
                DepthOrigin::Zero => 0,
            };
            let kept = |(i, may): (usize, &bool)| {
                let goes = (i + first).is_multiple_of(every) != desk.rules.has(Slip::Smallest);
                Decision::of(!(goes && (*may || desk.rules.has(Slip::AmongAll))))
            };
            Ok(droppable.iter().enumerate().map(kept).collect())
        }
    };
    if desk.is_replay() && expected.is_err() {
        return Ok(());
    }
    desk.flags("kept_layers", ("kept_layers", ""), &[droppable.len()], expected).map(|_| ())
}
