//! Gradual magnitude pruning (Zhu & Gupta 2017).

use crate::error::Result;
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::Operands;
use crate::oracle::steps::near::{Known, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::intervals;
use crate::oracle::steps::rules::Rules;
use crate::oracle::steps::settle::Update;
use crate::oracle::steps::state::Left;
use crate::select::distribution::Distribution;
use crate::trace::StepMethod;

pub(super) static PAGE: Page = Page {
    fits: |desk| {
        desk.required(&["final_sparsity", "update_end"])?;
        desk.ends_after_its_start()
    },
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
    .due(Rules::is_on_grid)
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
    let groups = desk.groups(rules.choice::<Distribution>() == Distribution::Global);
    let (c, span) = (rules.clock(desk.step()).1, (due.start, due.end.unwrap_or_default()));
    let counts = desk.gradually_kept("count", operands, &groups, c, span)?;
    let scores = desk.sizes(between, &operands.mask, operands)?;
    let keys = intervals(&scores);
    let choice = Choice {
        keys: &keys,
        candidates: &operands.mask,
        base: None,
        groups: &groups,
        counts: &counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    Ok(Update { mask: desk.chosen("mask", "mask", &choice)?, kept: None })
}
