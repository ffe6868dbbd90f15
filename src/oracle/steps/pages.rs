//! The methods, a page each: sections 5 and 6 of their specification, label by label.

pub(super) mod acdc;
pub(super) mod amc;
pub(super) mod gmp;
pub(super) mod granet;
pub(super) mod growing;
pub(super) mod layerdrop;
pub(super) mod lmc;
pub(super) mod lth;
pub(super) mod once;
pub(super) mod sdgp;
pub(super) mod topkast;
pub(super) mod tracking;
