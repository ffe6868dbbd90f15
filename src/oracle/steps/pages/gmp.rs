//! Gradual magnitude pruning (Zhu & Gupta 2017).

use crate::error::Result;
use crate::oracle::steps::descend::Update;
use crate::oracle::steps::desk::{Choice, Desk, Known};
use crate::oracle::steps::left::{Left, Operands};
use crate::oracle::steps::near::Reals;
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::{active, intervals};
use crate::select::distribution::Distribution;
use crate::trace::StepMethod;

pub(in crate::oracle::steps) static PAGE: Page = Page {
    fits: |desk| {
        desk.required(&["final_sparsity", "update_end"])?;
        desk.ends_after_its_start()
    },
    due: |rules, t| rules.due().is_at(rules.clock(t).0),
    ..Page::new(
        StepMethod::Gmp,
        &[
            "gmp.carry",
            "gmp.when",
            "gmp.step",
            "gmp.schedule",
            "gmp.count",
            "gmp.score",
            "gmp.mask",
            "gmp.weights",
            "gmp.momentum",
        ],
        step,
    )
};

fn step(desk: &mut Desk) -> Result<Left> {
    let operands = desk.operands()?;
    let updated = desk.updated()?;
    let first = desk.descend(("step", "between"), &operands, Some(&operands.mask), false)?;
    let update = if updated { prune(desk, &operands, &first.between)? } else { desk.unchanged(&operands)? };
    desk.leave_masked(&operands, &first, update)
}

fn prune(desk: &mut Desk, operands: &Operands, between: &[Known<Reals>]) -> Result<Update> {
    let rules = desk.rules;
    let due = rules.due();
    let ends = (rules.real("initial_sparsity"), rules.real("final_sparsity"));
    let course = rules.cubic(ends, rules.clock(desk.step()).1, (due.start, due.end.unwrap_or_default()));
    let rate = desk.real_number("schedule", "rate", Ok(course))?;
    let groups = desk.groups(rules.choice::<Distribution>() == Distribution::Global);
    let counts = desk.shares_kept(&groups, &operands.mask, &rate, true);
    let counts = desk.counts("count", "keep", counts)?;
    let scores = desk.sizes(between, &operands.mask, operands)?;
    let keys = intervals(&scores);
    let candidates = active(&operands.mask);
    let choice = Choice {
        keys: &keys,
        candidates: &candidates,
        base: None,
        groups: &groups,
        counts: &counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    Ok(Update { mask: desk.chosen("mask", "mask", &choice)?, kept: None })
}
