//! The methods, a page each: sections 5 and 6 of their specification, label by label.

mod acdc;
mod amc;
mod channels;
mod dumique;
mod gmp;
mod gradients;
mod granet;
mod growing;
mod layerdrop;
mod lmc;
mod lth;
mod once;
mod sdgp;
mod sums;
mod topkast;
mod tracking;

use super::page::Page;
use crate::trace::StepMethod;

/// The page of a method.
pub(super) fn page(method: StepMethod) -> &'static Page {
    match method {
        StepMethod::DropBack => &tracking::DROPBACK,
        StepMethod::Procrustes => &tracking::PROCRUSTES,
        StepMethod::Lth => &lth::PAGE,
        StepMethod::Lmc => &lmc::PAGE,
        StepMethod::Snip => &once::SNIP,
        StepMethod::Grasp => &once::GRASP,
        StepMethod::Gmp => &gmp::PAGE,
        StepMethod::Set => &growing::SET,
        StepMethod::RigL => &growing::RIGL,
        StepMethod::GraNet => &granet::PAGE,
        StepMethod::AcDc => &acdc::PAGE,
        StepMethod::TopKast => &topkast::PAGE,
        StepMethod::Sdgp => &sdgp::PAGE,
        StepMethod::LayerDrop => &layerdrop::PAGE,
        StepMethod::Amc => &amc::PAGE,
    }
}
