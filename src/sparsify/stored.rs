//! [`Stored`]: in what form a method keeps what it has of each weight while an epoch runs, and [`Following`]: what it has
//! the optimizer do with the weights at every step.

use super::Segment;
use crate::kernel::Pattern;
use crate::paper::reading::GradientOf;
use crate::scalar::Scalar;
use crate::train::Followed;
use std::sync::Arc;

/// Under which pattern something of a segment is stored; `None` where it is stored whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    /// The weights and their momentum.
    pub weights: Option<Arc<Pattern>>,
    /// G, which is whole where eliminated weights have one (open point 7, `dense`).
    pub squares: Option<Arc<Pattern>>,
    /// W_k*, which is whole where it is recorded: a trace has it as it was captured.
    pub rewind: Option<Arc<Pattern>>,
}

impl Stored {
    /// How many entries of G the segment has.
    pub fn squares_of(&self, segment: &Segment) -> usize {
        self.squares.as_ref().map_or(segment.range.len(), |pattern| pattern.nnz())
    }
}

/// The parameters of W as a step follows them, in order: an iterator, so that no step makes a list.
#[derive(Debug)]
pub struct Following<'a, S> {
    segments: std::iter::Zip<std::slice::Iter<'a, Segment>, std::slice::Iter<'a, Stored>>,
    /// G of the segments to come.
    squares: &'a mut [S],
    /// Of every weight; empty where all live.
    alive: &'a [bool],
    gradient: GradientOf,
    keeps_momentum: bool,
}

impl<'a, S> Following<'a, S> {
    pub(super) fn new(
        (segments, stored): (&'a [Segment], &'a [Stored]),
        squares: &'a mut [S],
        alive: &'a [bool],
        gradient: GradientOf,
        keeps_momentum: bool,
    ) -> Self {
        Self { segments: segments.iter().zip(stored), squares, alive, gradient, keeps_momentum }
    }
}

/// No parameter.
impl<S> Default for Following<'_, S> {
    fn default() -> Self {
        Self::new((&[], &[]), &mut [], &[], GradientOf::default(), false)
    }
}

impl<'a, S: Scalar> Iterator for Following<'a, S> {
    type Item = Followed<'a, S>;

    fn next(&mut self) -> Option<Followed<'a, S>> {
        let (segment, stored) = self.segments.next()?;
        let (squares, others) = std::mem::take(&mut self.squares).split_at_mut(stored.squares_of(segment));
        self.squares = others;
        let masked = stored.weights.is_none() && !self.alive.is_empty();
        Some(Followed {
            parameter: segment.parameter,
            squares,
            gradient: self.gradient,
            alive: masked.then(|| &self.alive[segment.range.clone()]),
            keeps_momentum: self.keeps_momentum,
        })
    }
}
