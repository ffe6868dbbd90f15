//! Numbers of a call that a port took for others.

use super::Found;
use crate::oracle::record::{Arg, Call, Carried, Value};

/// Where normalisations have their eps.
const EPS: &[(&str, usize)] = &[
    ("aten.native_batch_norm.default", 7),
    ("aten._native_batch_norm_legit.default", 7),
    ("aten.cudnn_batch_norm.default", 7),
    ("aten.native_layer_norm.default", 4),
    ("aten.native_group_norm.default", 7),
];
/// What frameworks take for eps where nothing is said.
const USUAL: &[f64] = &[1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12];

/// Another eps than the call's, of those that are usual.
pub(super) fn another_eps(found: &Found) -> Option<String> {
    let &(_, position) = EPS.iter().find(|(op, _)| *op == found.call.op)?;
    let Carried::Aten(aten) = &found.call.carried else { return None };
    let eps = aten.args.get(position)?.number()?;
    let with = |other: f64| -> Call<Value> {
        let mut aten = aten.clone();
        aten.args[position] = Arg::Real(other);
        Call { carried: Carried::Aten(aten), ..found.call.clone() }
    };
    let explains = |&&other: &&f64| other != eps && found.altered(&with(other), None).is_some_and(|a| found.is(&a));
    let other = USUAL.iter().find(explains)?;
    Some(format!("eps is {other:e}, and not {eps:e}"))
}
