//! GraNet (Liu et al. 2021, Alg. 1): gradual pruning, and at every update some weights more dropped and grown.

use crate::error::Result;
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::grow::DropAndGrow;
use crate::oracle::steps::left::Operands;
use crate::oracle::steps::near::{Arrays, Known, Masks, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::intervals;
use crate::oracle::steps::rules::Rules;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::oracle::steps::whole::Start;
use crate::select::schedule::LastUpdate;
use crate::select::update::Gradual;
use crate::trace::StepMethod;

pub(super) static PAGE: Page = Page {
    fits: |desk| {
        desk.required(&["final_sparsity", "total_steps", "update_end"])?;
        desk.ends_after_its_start()
    },
    begin: |desk| desk.whole(Start::sparse("initial_sparsity").dense_at_0()),
    ..Page::new(
        StepMethod::GraNet,
        &[
            "granet.distribution",
            "granet.init",
            "granet.carry",
            "granet.when",
            "granet.step",
            "granet.schedule",
            "granet.prune",
            "granet.count",
            "granet.score",
            "granet.drop",
            "granet.grow",
            "granet.weights",
            "granet.momentum",
        ],
        step,
    )
    .due(Rules::is_on_grid)
    .without_last_update()
};

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let operands = desk.operands()?;
    let updated = desk.updated()?;
    let skipped = updated && rules.has(Slip::NoStep);
    let first = desk.descend(("step", "between"), &operands, Some(&operands.mask), skipped)?;
    if !updated {
        let update = desk.unchanged(&operands)?;
        return desk.leave_masked(&operands, &first, update);
    }
    let (due, c) = rules.clock(desk.step());
    let goes_on = rules.choice::<LastUpdate>().is_within(due, rules.steps("update_end"));
    let pruned = if goes_on || rules.has(Slip::NeverEnds) {
        prune(desk, &operands, &first.between, c)?
    } else {
        as_before(desk, &operands)?
    };
    let ends = (rules.real("regrow"), rules.real("regrow_min"));
    let course = rules.cosine(ends, c, rules.steps("total_steps"), rules.due().start);
    let fraction = desk.real_number("schedule", "fraction", Ok(course))?;
    let rule = DropAndGrow { signed: false, by_draw: false };
    let update = desk.drop_and_grow(&operands, &first, &pruned, &fraction, &rule)?;
    desk.leave_masked(&operands, &first, update)
}

/// The gradual pruning: labels `schedule` and `prune`.
fn prune(desk: &mut Desk, operands: &Operands, between: &[Known<Reals>], c: usize) -> Result<Masks> {
    let rules = desk.rules;
    let groups = desk.groups(rules.choice::<Gradual>() == Gradual::Global);
    let span = (rules.due().start, rules.steps("update_end"));
    let counts = desk.gradually_kept("prune", operands, &groups, c, span)?;
    let sizes: Arrays = between[..desk.prunable().len()]
        .iter()
        .map(|of| of.as_ref().map(|of| of.iter().map(Near::abs).collect()).map_err(Clone::clone))
        .collect();
    let keys = intervals(&sizes);
    let choice = Choice {
        keys: &keys,
        candidates: &operands.mask,
        base: None,
        groups: &groups,
        counts: &counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    desk.chosen("prune", "pruned", &choice)
}

/// After t_1 nothing is pruned: a count, where there is one, is of all that are active.
fn as_before(desk: &mut Desk, operands: &Operands) -> Result<Masks> {
    if !desk.is_replay() {
        let groups = desk.groups(desk.rules.choice::<Gradual>() == Gradual::Global);
        let counts = desk.shares_kept(&groups, &operands.mask, &Ok(Near::ZERO), true);
        desk.counts("prune", "keep", counts)?;
    }
    desk.same("prune", "pruned", &operands.mask)
}
