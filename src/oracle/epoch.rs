//! [`Epoch`]: what a trace records of one epoch, read and never changed.

use super::field::{Field, Flags};
use crate::error::Result;
use crate::trace::{Arithmetic, Trace};

/// What a trace records of an epoch, apart from its batches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    pub(crate) weights_before: Field<f64>,
    pub(crate) mask_before: Flags,
    pub(crate) g: Field<f64>,
    pub(crate) s_abs: Option<f64>,
    pub(crate) s_sq: Option<f64>,
    pub(crate) s_f: Option<f64>,
    pub(crate) min_before: Option<f64>,
    /// What random rewind drew.
    pub(crate) draw: Option<f64>,
    pub(crate) k_star: Option<i64>,
    pub(crate) rewind: Field<f64>,
    pub(crate) alpha: Option<f64>,
    pub(crate) chunk_quantiles: Option<Vec<f64>>,
    pub(crate) tau: Option<f64>,
    pub(crate) selected: Flags,
    pub(crate) t: Option<i64>,
    pub(crate) weights_after: Field<f64>,
    pub(crate) mask: Flags,
}

/// One epoch.
pub(crate) struct Epoch<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) k: usize,
    /// The epoch's number counted from 0, whatever the origin; the learning rate's index.
    pub(crate) index: usize,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) recorded: Recorded,
}

impl<'a> Epoch<'a> {
    /// Reads what is recorded of epoch `k`.
    ///
    /// # Errors
    /// As [`Trace::mask`] and [`Trace::floats`].
    pub(crate) fn load(trace: &'a Trace, k: usize, arithmetic: Arithmetic) -> Result<Self> {
        let (all, prunable) = (trace.parameters(), trace.prunable());
        let field = |quantity: &str, parameters| Field::load(trace, &format!("epoch/{k}/{quantity}"), parameters);
        let flags = |quantity: &str| Flags::load_flags(trace, &format!("epoch/{k}/{quantity}"), prunable);
        let recorded = Recorded {
            weights_before: field("weights_before", all)?,
            mask_before: flags("mask_before")?,
            g: field("G", prunable)?,
            s_abs: trace.scalar(k, "S_abs")?,
            s_sq: trace.scalar(k, "S_sq")?,
            s_f: trace.scalar(k, "S_F")?,
            min_before: trace.scalar(k, "min_before")?,
            draw: trace.scalar(k, "draw")?,
            k_star: trace.integer(k, "k_star")?,
            rewind: field("rewind", all)?,
            alpha: trace.scalar(k, "alpha")?,
            chunk_quantiles: trace.floats(&format!("epoch/{k}/chunk_quantiles"))?,
            tau: trace.scalar(k, "tau")?,
            selected: flags("selected")?,
            t: trace.integer(k, "t")?,
            weights_after: field("weights_after", all)?,
            mask: flags("mask")?,
        };
        let index = k.saturating_sub(trace.header.reading.epoch_origin.first());
        Ok(Self { trace, k, index, arithmetic, recorded })
    }
}
