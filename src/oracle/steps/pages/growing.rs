//! SET (Mocanu et al. 2018, Alg. 1) and RigL (Evci et al. 2020, Alg. 1): sparse from the start, dropping and growing.

use crate::error::Result;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::grow::DropAndGrow;
use crate::oracle::steps::near::Near;
use crate::oracle::steps::page::Page;
use crate::oracle::steps::rules::Rules;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::oracle::steps::whole::Start;
use crate::select::distribution::Distribution;
use crate::select::schedule::DropSchedule;
use crate::select::update::{DropRule, UpdateOrder};
use crate::trace::StepMethod;

/// What SET has where neither `er_epsilon` nor a sparsity is given.
const ER_EPSILON: f64 = 20.0;

pub(super) static SET: Page = Page {
    fits: |desk| {
        desk.required(&["update_every", "update_end"])?;
        desk.ends_after_its_start()
    },
    begin: |desk| desk.whole(Start::sparse("sparsity").or_by_number(ER_EPSILON)),
    ..Page::new(
        StepMethod::Set,
        &[
            "set.distribution",
            "set.init",
            "set.carry",
            "set.when",
            "set.step",
            "set.schedule",
            "set.count",
            "set.score",
            "set.drop",
            "set.grow",
            "set.weights",
            "set.momentum",
        ],
        step,
    )
    .due(Rules::is_on_grid)
};

pub(super) static RIGL: Page = Page {
    fits: |desk| {
        if desk.rules.choice::<Distribution>() != Distribution::Given {
            desk.required(&["sparsity"])?;
        }
        desk.required(&["update_end"])?;
        desk.ends_after_its_start()
    },
    begin: |desk| desk.whole(Start::sparse("sparsity")),
    ..Page::new(
        StepMethod::RigL,
        &[
            "rigl.distribution",
            "rigl.init",
            "rigl.carry",
            "rigl.when",
            "rigl.step",
            "rigl.schedule",
            "rigl.count",
            "rigl.score",
            "rigl.drop",
            "rigl.grow",
            "rigl.weights",
            "rigl.momentum",
        ],
        step,
    )
    .due(Rules::is_on_grid)
};

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let operands = desk.operands()?;
    let updated = desk.updated()?;
    let skips = rules.choice::<UpdateOrder>() == UpdateOrder::InsteadOfStep;
    let skipped = updated && (skips && !rules.has(Slip::UnskippedStep) || rules.has(Slip::NoStep));
    let first = desk.descend(("step", "between"), &operands, Some(&operands.mask), skipped)?;
    let update = if updated {
        let fraction = desk.real_number("schedule", "fraction", Ok(fraction(desk)))?;
        let is_set = rules.method() == StepMethod::Set;
        let rule = DropAndGrow { signed: is_set && rules.choice::<DropRule>() == DropRule::Signed, by_draw: is_set };
        desk.drop_and_grow(&operands, &first, &operands.mask, &fraction, &rule)?
    } else {
        desk.unchanged(&operands)?
    };
    desk.leave_masked(&operands, &first, update)
}

/// The share of a layer's active weights that an update drops.
fn fraction(desk: &Desk) -> Near {
    let rules = desk.rules;
    if rules.method() == StepMethod::Set {
        return rules.constant_share(rules.real("zeta"));
    }
    let (alpha, end, c) = (rules.real("alpha"), rules.steps("update_end"), rules.clock(desk.step()).1);
    match rules.choice::<DropSchedule>() {
        DropSchedule::Constant => rules.constant_share(alpha),
        DropSchedule::Cosine => rules.cosine((alpha, 0.0), c, end, rules.due().start),
        DropSchedule::Power => rules.power(alpha, c, end, rules.real("drop_power")),
    }
}
