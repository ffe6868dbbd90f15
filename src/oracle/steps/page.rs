//! [`Page`]: a method in the oracle: its labels, its schedule, and what follows from what in a step.

use super::desk::Desk;
use super::left::Left;
use super::pages;
use super::rules::Rules;
use super::whole::Whole;
use crate::error::Result;
use crate::trace::StepMethod;

/// All that the oracle knows of a method. A check and a replay read the same page: see [`Desk`].
pub(crate) struct Page {
    pub(crate) method: StepMethod,
    /// What its results are called in findings, in the order of findings within a step.
    pub(crate) labels: &'static [&'static str],
    /// Whether the hyper-parameters and the trace's shapes fit each other, as far as a header's values by themselves do not
    /// say it.
    pub(crate) fits: fn(&Desk) -> Result<()>,
    /// Before the first step.
    pub(crate) begin: fn(&mut Desk) -> Result<Whole>,
    /// A step; what it leaves.
    pub(crate) step: fn(&mut Desk) -> Result<Left>,
    /// After the last step.
    pub(crate) end: fn(&mut Desk) -> Result<()>,
    /// Whether an update is due at a step.
    pub(crate) due: fn(&Rules, usize) -> bool,
    /// Whether `update_end` bounds what is due.
    pub(crate) has_last_update: bool,
    /// Whether what a step leaves is what the next one finds, nothing between them.
    pub(crate) results_are_operands: bool,
}

impl Page {
    /// What most methods have; the labels of [`Desk::operands`] and of the whole go before the method's own.
    pub(crate) const fn new(
        method: StepMethod,
        labels: &'static [&'static str],
        step: fn(&mut Desk) -> Result<Left>,
    ) -> Self {
        Self {
            method,
            labels,
            fits: |_| Ok(()),
            begin: |desk| desk.whole(None, false),
            step,
            end: |_| Ok(()),
            due: |_, _| true,
            has_last_update: true,
            results_are_operands: true,
        }
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.method.name())
    }
}

/// The page of a method.
pub(crate) fn page(method: StepMethod) -> &'static Page {
    match method {
        StepMethod::DropBack => &pages::tracking::DROPBACK,
        StepMethod::Procrustes => &pages::tracking::PROCRUSTES,
        StepMethod::Lth => &pages::lth::PAGE,
        StepMethod::Lmc => &pages::lmc::PAGE,
        StepMethod::Snip => &pages::once::SNIP,
        StepMethod::Grasp => &pages::once::GRASP,
        StepMethod::Gmp => &pages::gmp::PAGE,
        StepMethod::Set => &pages::growing::SET,
        StepMethod::RigL => &pages::growing::RIGL,
        StepMethod::GraNet => &pages::granet::PAGE,
        StepMethod::AcDc => &pages::acdc::PAGE,
        StepMethod::TopKast => &pages::topkast::PAGE,
        StepMethod::Sdgp => &pages::sdgp::PAGE,
        StepMethod::LayerDrop => &pages::layerdrop::PAGE,
        StepMethod::Amc => &pages::amc::PAGE,
    }
}
