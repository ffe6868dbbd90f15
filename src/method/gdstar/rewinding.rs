//! [`Rewinding`]: what moves the rewind point; everything else of the method is the same for its relatives.

use super::quantities::MIN_BEFORE;
use crate::error::Result;
use crate::method::{Story, Told};
use crate::paper::rewind::RewindPoint;
use crate::scalar::Scalar;

/// What moves the rewind point.
pub trait Rewinding<S: Scalar>: Send {
    /// Moves `point` to epoch `k`, whose norm is `s_f`, or leaves it; whether it moved.
    ///
    /// # Errors
    /// As [`RewindPoint::observe`].
    fn moves(&self, point: &mut RewindPoint<S>, k: usize, s_f: S, story: &mut Story<S>) -> Result<bool>;

    /// After how many steps of the run W_k* is captured besides, within the epoch.
    fn captures_after(&self) -> Option<usize> {
        None
    }
}

/// Alg. 4: at a new minimum of the Frobenius norm.
pub struct Adaptive;

impl<S: Scalar> Rewinding<S> for Adaptive {
    fn moves(&self, point: &mut RewindPoint<S>, k: usize, s_f: S, story: &mut Story<S>) -> Result<bool> {
        story.record(&MIN_BEFORE, || Told::Number(point.minimum()));
        point.observe(k, s_f, &[])
    }
}
