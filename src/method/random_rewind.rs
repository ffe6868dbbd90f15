//! "Random rewind" (section A.7): GDSTAR with the rewind point moved at random (open point 18).

use super::choices::Choices;
use super::gdstar::{self, Gdstar, Rewinding};
use super::{Entry, Setup, Sparsifier, Story, Told};
use crate::error::Result;
use crate::paper::rewind::{REWIND_PROBABILITY, RewindPoint};
use crate::random::{Purpose, stream, unit};
use crate::scalar::Scalar;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    name: "random-rewind",
    summary: "GDSTAR with k* moved at random, in one epoch of ten",
    source: "Section A.7; open point 18",
    choices: Choices { update: "as gdstar, k* moved at random", ..gdstar::ENTRY_OF_THE_FAMILY.choices },
    rewinds_at_first: false,
    ..gdstar::ENTRY_OF_THE_FAMILY
};

/// The epoch's draw. Each comes from its own stream, so that a resumed run draws the same.
struct Random {
    seed: u64,
}

impl<S: Scalar> Rewinding<S> for Random {
    fn moves(&self, point: &mut RewindPoint<S>, k: usize, _: S, story: &mut Story<S>) -> Result<bool> {
        let draw = unit(&mut stream(self.seed, Purpose::RandomRewind, k));
        story.record(&gdstar::DRAW, || Told::Real(draw));
        if draw < REWIND_PROBABILITY {
            point.move_to(k, &[])?;
        }
        Ok(draw < REWIND_PROBABILITY)
    }
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    Ok(Box::new(Gdstar::new(setup, w, Random { seed: setup.seed })))
}
