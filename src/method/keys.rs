//! The options that more than one method has, each declared once.

use super::options::{Domain, MethodOption, OptionValue, Part};
use crate::choice::Choice;
use crate::select::count::{Count, Minimum};
use crate::select::cut::{Cut, Ties};
use crate::select::distribution::{Distribution, ErkBudget};
use crate::select::schedule::{Clock, LastUpdate, UpdateGrid};
use crate::select::update::{
    GrowFrom, GrownMomentum, GrownWeights, InactiveMomentum, Regrown, StartingWeights, UpdateOrder,
};

/// A hyper-parameter without a default.
pub(super) const fn hyper(key: &'static str, domain: Domain, help: &'static str) -> MethodOption {
    MethodOption { key, help, part: Part::Hyper, domain, default: None }
}

/// What only a run has.
pub(super) const fn run(key: &'static str, domain: Domain, help: &'static str) -> MethodOption {
    MethodOption { key, help, part: Part::Run, domain, default: None }
}

/// A choice that sources make differently.
pub(super) const fn reading<C: Choice>(help: &'static str) -> MethodOption {
    MethodOption { key: C::KEY, help, part: Part::Reading, domain: Domain::Choice(C::NAMES), default: None }
}

pub(super) const SHARE: Domain = Domain::Share { zero: true };
pub(super) const POSITIVE_SHARE: Domain = Domain::Share { zero: false };
pub(super) const STEP: Domain = Domain::Steps { from: 0 };
pub(super) const PERIOD: Domain = Domain::Steps { from: 1 };

pub(super) const SPARSITY: MethodOption = hyper("sparsity", SHARE, "S: the share of W that goes");
pub(super) const SPARSITIES: MethodOption =
    hyper("sparsities", Domain::Shares, "A sparsity a parameter of W, for --distribution given");
pub(super) const UPDATE_START: MethodOption =
    hyper("update_start", STEP, "t_0: from when on updates are due [default: --update-every]");
pub(super) const UPDATE_EVERY: MethodOption =
    hyper("update_every", PERIOD, "D: steps from update to update").or(OptionValue::Count(100));
pub(super) const UPDATE_END: MethodOption = hyper("update_end", STEP, "t_1: up to when updates are due");

pub(super) const CUT: MethodOption = reading::<Cut>("How a selection of k cuts");
pub(super) const TIES: MethodOption = reading::<Ties>("Which of equal keys is kept");
pub(super) const MINIMUM: MethodOption = reading::<Minimum>("The least count that a share comes to");
pub(super) const COUNT: MethodOption = reading::<Count>("How a count is rounded");
pub(super) const DISTRIBUTION: MethodOption = reading::<Distribution>("How the sparsity is shared out among layers");
pub(super) const ERK_BUDGET: MethodOption = reading::<ErkBudget>("What ERK budgets");
pub(super) const CLOCK: MethodOption = reading::<Clock>("What schedules count");
pub(super) const UPDATE_GRID: MethodOption = reading::<UpdateGrid>("Which steps are on the grid of updates");
pub(super) const LAST_UPDATE: MethodOption = reading::<LastUpdate>("Whether t_1 itself is still within");
pub(super) const UPDATE_ORDER: MethodOption = reading::<UpdateOrder>("The order of step and update");
pub(super) const INACTIVE_MOMENTUM: MethodOption = reading::<InactiveMomentum>("The momentum of inactive weights");
pub(super) const GROWN_MOMENTUM: MethodOption = reading::<GrownMomentum>("The momentum of newly grown weights");
pub(super) const GROWN_WEIGHTS: MethodOption = reading::<GrownWeights>("The value of newly grown weights");
pub(super) const REGROWN: MethodOption = reading::<Regrown>("A weight dropped and grown in one update");
pub(super) const GROW_FROM: MethodOption = reading::<GrowFrom>("Which weights may be grown");
pub(super) const STARTING_WEIGHTS: MethodOption =
    reading::<StartingWeights>("What training starts from after the selection");

pub(super) const EXCLUSIVE: OptionValue = OptionValue::Name("exclusive");
pub(super) const REMOVE_FLOOR: OptionValue = OptionValue::Name("remove-floor");
pub(super) const REMOVE_CEIL: OptionValue = OptionValue::Name("remove-ceil");

pub(super) const GLOBAL_OR_UNIFORM: &[&str] = &["global", "uniform"];
pub(super) const UNIFORM_OR_GLOBAL: &[&str] = &["uniform", "global"];
/// Of methods that prune once, before training.
pub(super) const GLOBAL_FIRST: &[&str] = &["global", "uniform", "erk", "er", "given"];

/// The paper's settings that a method heeds whose mask holds weights at 0.
pub(super) const MASKED: &[&str] = &["execution", "prunable"];
