//! What GDSTAR and its relatives tell of an epoch, in the order of the equations.

use crate::method::Quantity;
use crate::method::quantity::{Axis, Column, Format, Kind, Remark, Scale};

pub static S_ABS: Quantity = Quantity::traced("S_abs", Kind::Real, "Eq. 1");
pub static G: Quantity = Quantity::traced("G", Kind::PerWeight, "Eq. 2");
pub static S_SQ: Quantity = Quantity::traced("S_sq", Kind::Real, "Eq. 3");
pub static S_F: Quantity = Quantity {
    key: Some("frobenius"),
    column: Some(Column { heading: "S_F", width: 8, format: Format::Scientific(3) }),
    axis: Some(Axis { label: "S_F", scale: Scale::Linear, minima: true }),
    ..Quantity::traced("S_F", Kind::Real, "Eq. 4")
};
/// Of Alg. 4 alone.
pub static MIN_BEFORE: Quantity = Quantity::traced("min_before", Kind::Real, "Alg. 4");
/// Of random rewind alone.
pub static DRAW: Quantity = Quantity::traced("draw", Kind::Real, "Section A.7");
pub static TAU: Quantity = Quantity {
    key: Some("tau"),
    column: Some(Column { heading: "tau", width: 9, format: Format::Scientific(3) }),
    axis: Some(Axis { label: "tau", scale: Scale::Logarithmic, minima: false }),
    ..Quantity::traced("tau", Kind::Real, "Eq. 7")
};
pub static CHUNK_QUANTILES: Quantity = Quantity::traced("chunk_quantiles", Kind::Reals, "Eq. 6");
pub static SELECTED: Quantity = Quantity::traced("selected", Kind::Flags, "Eq. 5");
pub static MASK_BEFORE: Quantity = Quantity::traced("mask_before", Kind::Flags, "Alg. 6");
pub static MASK: Quantity = Quantity::traced("mask", Kind::Flags, "Alg. 6");
pub static REWIND: Quantity = Quantity::traced("rewind", Kind::PerWeight, "Alg. 4");
pub static K_STAR: Quantity = Quantity {
    key: Some("k_star"),
    column: Some(Column { heading: "k*", width: 4, format: Format::Integer }),
    axis: Some(Axis { label: "k*", scale: Scale::Linear, minima: false }),
    remark: Some(Remark::Moved("rewind point k*")),
    ..Quantity::traced("k_star", Kind::Count, "Alg. 4")
};
pub static T: Quantity = Quantity {
    key: Some("t"),
    column: Some(Column { heading: "t", width: 4, format: Format::Integer }),
    axis: Some(Axis { label: "t", scale: Scale::Linear, minima: false }),
    ..Quantity::traced("t", Kind::Count, "Eq. 9")
};
pub static ALPHA: Quantity = Quantity {
    key: Some("alpha"),
    column: Some(Column { heading: "alpha", width: 5, format: Format::Decimals(3) }),
    axis: Some(Axis { label: "alpha", scale: Scale::Linear, minima: false }),
    ..Quantity::traced("alpha", Kind::Real, "Eq. 8")
};
pub static SELECTED_COUNT: Quantity = Quantity {
    column: Some(Column { heading: "selected", width: 8, format: Format::Integer }),
    axis: Some(Axis { label: "weights selected", scale: Scale::Linear, minima: false }),
    remark: Some(Remark::Ceased {
        so: "no weight was selected",
        because: (
            &TAU,
            "more than alpha_k of the G are exactly 0, so tau = 0 and the strict < of Eq. 5 holds for none (open point 5)",
        ),
    }),
    ..Quantity::measured("selected", Kind::Count, "Eq. 5")
};
