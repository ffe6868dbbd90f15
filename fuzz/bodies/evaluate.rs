//! Evaluation: a checkpoint that is accepted is a network that can be evaluated, whose masks and weights agree.

use super::checkpoint::{Fixture, fixture};
use super::input::changed;
use super::{accepted, folder};
use gdstar::Result;
use gdstar::data::Split;
use gdstar::kernel::Kernel;
use gdstar::train::{Evaluation, SavedFile, SavedNetwork, evaluate};

/// Reads `data` as changes to a good checkpoint ([`changed`]), and evaluates it on a few digits.
pub fn run(data: &[u8]) -> bool {
    let path = folder::file("checkpoint.safetensors", &changed(&fixture().checkpoint, data));
    let read = || -> Result<SavedNetwork<f32>> {
        let file = SavedFile::open(&path)?;
        file.read(file.network()?)
    };
    accepted(read().and_then(|saved| Ok((evaluated(&saved)?, saved))), |(evaluation, saved)| {
        assert_eq!(evaluation.samples, 3);
        assert!((0.0..=1.0).contains(&evaluation.accuracy), "{}", evaluation.accuracy);
        assert!((0.0..=1.0).contains(&saved.sparsity()), "{}", saved.sparsity());
        assert_eq!(saved.alive.len(), saved.weights.len());
    })
}

/// On the training digits of the fixture, which are few.
fn evaluated(saved: &SavedNetwork<f32>) -> Result<Evaluation> {
    let Fixture { dataset, .. } = fixture();
    evaluate(&saved.network, Kernel::Fast, &saved.parameters, (dataset, Split::Train), 2)
}
