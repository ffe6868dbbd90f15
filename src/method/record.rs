//! What methods tell of their steps and epochs under names that several of them share: the tensors of traces and the keys of
//! metrics.

use super::Quantity;
use super::quantity::{Axis, Column, Format, Kind, Scale};

const fn traced(tensor: &'static str, kind: Kind) -> Quantity {
    Quantity::traced(tensor, kind, "the method's own step")
}

const fn counted(key: &'static str, heading: &'static str, label: &'static str) -> Quantity {
    Quantity {
        column: Some(Column { heading, width: 8, format: Format::Integer }),
        axis: Some(Axis { label, scale: Scale::FromZero, minima: false }),
        ..Quantity::measured(key, Kind::Count, "the epoch's updates")
    }
}

const fn share(key: &'static str, label: &'static str) -> Quantity {
    Quantity {
        axis: Some(Axis { label, scale: Scale::FromZero, minima: false }),
        ..Quantity::measured(key, Kind::Real, "the epoch's masks")
    }
}

/// The share that goes at an update; of Procrustes what first values are multiplied by.
pub static RATE: Quantity = Quantity { tensor: Some("rate"), ..share("rate", "rate of the last update") };
/// The share of active weights that an update drops.
pub static FRACTION: Quantity =
    Quantity { tensor: Some("fraction"), ..share("fraction", "share dropped in the last update") };
pub static UPDATES: Quantity = Quantity { column: None, ..counted("updates", "updates", "updates in an epoch") };
pub static DROPPED: Quantity = counted("dropped", "dropped", "weights dropped in an epoch");
pub static GROWN: Quantity = counted("grown", "grown", "weights grown in an epoch");
pub static ACTIVE: Quantity = counted("active", "active", "active weights");
pub static MASK_DISTANCE: Quantity = share("mask_distance", "share of W whose mask has changed");
pub static EXPLORED: Quantity = share("explored", "share of W that ever was active");
pub static TRACKED: Quantity = counted("tracked", "tracked", "weights tracked");
pub static DECAY: Quantity = Quantity { tensor: Some("rate"), ..share("decay", "what first weights are decayed to") };
pub static BACKWARD_SPARSITY: Quantity = share("backward_sparsity", "share of W that is not trained");
pub static PHASE: Quantity = Quantity {
    column: Some(Column { heading: "phase", width: 6, format: Format::Name }),
    ..Quantity::measured("phase", Kind::Name(PHASES), "Peste et al. 2021, Alg. 1")
};
/// The values of [`PHASE`].
pub const PHASES: &[&str] = &["dense", "sparse"];

pub static SPARSITY: Quantity = traced("sparsity", Kind::Reals);
pub static INIT_DRAW: Quantity = traced("init_draw", Kind::PerWeight);
pub static INIT_MASK: Quantity = traced("init_mask", Kind::Flags);
/// Those that a trace has once, and not of a step.
pub static OF_A_RUN: [&Quantity; 3] = [&SPARSITY, &INIT_DRAW, &INIT_MASK];

pub static KEEP: Quantity = traced("keep", Kind::Counts);
pub static KEEP_BACKWARD: Quantity = traced("keep_backward", Kind::Counts);
pub static DROP: Quantity = traced("drop", Kind::Counts);
pub static SCORE: Quantity = traced("score", Kind::PerWeight);
pub static QUANTILE: Quantity = traced("quantile", Kind::Reals);
pub static PRUNED: Quantity = traced("pruned", Kind::Flags);
pub static KEPT: Quantity = traced("kept", Kind::Flags);
pub static MASK_BEFORE: Quantity = traced("mask_before", Kind::Flags);
pub static MASK: Quantity = traced("mask", Kind::Flags);
pub static BACKWARD: Quantity = traced("backward", Kind::Flags);
pub static DRAW: Quantity = traced("draw", Kind::PerWeight);
pub static FRESH: Quantity = traced("fresh", Kind::PerWeight);
pub static HESSIAN_GRADIENT: Quantity = traced("hessian_gradient", Kind::PerWeight);
pub static GRADIENT: Quantity = traced("grad", Kind::PerWeight);
pub static ACCUMULATED_BEFORE: Quantity = traced("accumulated_before", Kind::PerWeight);
pub static ACCUMULATED: Quantity = traced("accumulated", Kind::PerWeight);
