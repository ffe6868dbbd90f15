//! [`Tracking`]: some weights are trained, and all others set back, as DropBack and Procrustes do it.

use super::record::{ACCUMULATED, ACCUMULATED_BEFORE, KEEP, MASK, MASK_BEFORE};
use super::selection::Rules;
use super::{At, Field, Fields, Gradients, Setup, Story, Told};
use crate::error::{Error, Result};
use crate::kernel::{DecayRule, Difference, Kernel, Scaled, formula_of_slices, hold, rewind_decay};
use crate::ops::Add;
use crate::scalar::Scalar;
use crate::select::score::{Accumulate, Score, magnitudes};
use crate::weights::{Dead, Lasts, Slot, Weights};

/// The slots of w0 and of the sums.
const FIRST: &str = "initial";
const SUMS: &str = "accumulated";

/// k, of n weights.
///
/// # Errors
/// [`Error::Domain`] unless it is given one way.
pub(super) fn tracked_count(setup: &Setup, n: usize) -> Result<usize> {
    match (setup.options.count("tracked"), setup.options.real("sparsity")) {
        (Some(k), None) if k <= n => Ok(k),
        (Some(k), None) => Err(Error::domain("--tracked", format!("at most N = {n}"), k)),
        (None, Some(sparsity)) => Ok(Rules::of(setup.options)?.kept(n, sparsity)),
        (Some(_), Some(_)) => Err(Error::domain("--tracked", "k, or --sparsity in its place", "both")),
        (None, None) => Err(Error::domain("--tracked", "k, or --sparsity in its place", "neither")),
    }
}

/// Which weights are tracked, and by what.
pub(super) struct Tracking<S> {
    pub k: usize,
    pub rules: Rules,
    score: Score,
    accumulate: Accumulate,
    /// m.
    pub tracked: Vec<bool>,
    /// eta g of the step under way, where it is summed.
    moves: Vec<S>,
}

impl<S: Scalar> Tracking<S> {
    /// All tracked, at W_0.
    pub fn new(setup: &Setup, w: &mut Weights<S>) -> Result<Self> {
        let score = setup.options.choice()?;
        let first = w.values();
        if score == Score::Accumulated {
            let values = vec![S::ZERO; w.len()];
            w.keep(Slot { name: SUMS, lasts: Lasts::Run, dead: Dead::Kept, values });
        }
        w.keep(Slot { name: FIRST, lasts: Lasts::Run, dead: Dead::Kept, values: first });
        Ok(Self {
            k: tracked_count(setup, w.len())?,
            rules: Rules::of(setup.options)?,
            score,
            accumulate: setup.options.choice()?,
            tracked: vec![true; w.len()],
            moves: Vec::new(),
        })
    }

    /// After the backward pass.
    pub fn observe(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        if self.score == Score::Accumulated {
            gradients.write_over(w, &mut self.moves);
            self.moves = formula_of_slices(Kernel::any(), Scaled(at.learning_rate), [&self.moves]);
        }
    }

    /// The scores, where w0 has decayed by `decay`.
    pub fn scores(&self, decay: S::Wide, w: &mut Weights<S>) -> Vec<S> {
        let mut scores = Vec::with_capacity(w.len());
        for mut layer in w.layers() {
            let compared = match self.score {
                Score::Distance => {
                    let first = layer.slots.named(FIRST);
                    let mut decayed = first.to_vec();
                    set_back(&mut decayed, first, decay, &vec![true; first.len()]);
                    formula_of_slices(Kernel::any(), Difference, [&*layer.values, &decayed])
                }
                Score::Accumulated => {
                    let (moves, tracked) = (&self.moves[layer.range.clone()], &self.tracked[layer.range]);
                    moved_on(layer.slots.named(SUMS), tracked, moves)
                }
            };
            scores.extend(magnitudes(&compared));
        }
        scores
    }

    /// Goes on with these tracked: all others become w0 times `decay`, and sums go on.
    pub fn track(&mut self, tracked: Vec<bool>, decay: S::Wide, w: &mut Weights<S>, story: &mut Story<S>) {
        let before = std::mem::replace(&mut self.tracked, tracked);
        if let Some(sums) = w.slot(SUMS) {
            story.record(&ACCUMULATED_BEFORE, || Told::PerWeight(sums.values.clone()));
        }
        self.sum_up(&before, w);
        for mut layer in w.layers() {
            let others: Vec<bool> = self.tracked[layer.range].iter().map(|tracked| !tracked).collect();
            set_back(layer.values, layer.slots.named(FIRST), decay, &others);
        }
        story.record(&KEEP, || Told::Counts(vec![self.k]));
        story.record(&MASK_BEFORE, || Told::Flags(before));
        story.record(&MASK, || Told::Flags(self.tracked.clone()));
        if let Some(sums) = w.slot(SUMS) {
            story.record(&ACCUMULATED, || Told::PerWeight(sums.values.clone()));
        }
    }

    /// a' for the next step; `before`: what was tracked before this one.
    fn sum_up(&self, before: &[bool], w: &mut Weights<S>) {
        let Some(sums) = w.slot_mut(SUMS) else { return };
        match self.accumulate {
            Accumulate::Always => sums.values = formula_of_slices(Kernel::any(), Add, [&sums.values, &self.moves]),
            Accumulate::Tracked => {
                sums.values = moved_on(&sums.values, before, &self.moves);
                hold(Kernel::any(), &mut sums.values, &self.tracked);
            }
        }
    }

    /// The k largest scores.
    pub fn largest(&self, scores: &[S]) -> Result<Vec<bool>> {
        self.rules.keep(scores, None, self.k)
    }

    /// At an epoch's end: the share of W that is 0 is what others call sparsity.
    pub fn tell(&self, w: &Weights<S>, story: &mut Story<S>) {
        let zeros = w.values().iter().filter(|w| **w == S::ZERO).count();
        story.sparsity = Some(zeros as f64 / w.len().max(1) as f64);
        let tracked = self.tracked.iter().filter(|tracked| **tracked).count();
        story.tell(&super::record::TRACKED, Told::Count(tracked));
    }

    /// What checkpoints hold beside the slots.
    pub fn save(&self) -> Fields<S> {
        Fields::default().with("tracked", Field::Flags(self.tracked.clone()))
    }

    /// Goes on from what was saved.
    pub fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.tracked = fields.flags("tracked", self.tracked.len())?.to_vec();
        Ok(())
    }
}

/// Sets the weights of which it `is_set` back to w0 times `decay`: Alg. 6 where no value is too small.
fn set_back<S: Scalar>(w: &mut [S], w0: &[S], decay: S::Wide, is_set: &[bool]) {
    let rule = DecayRule { factors: [decay, S::Wide::ONE, S::Wide::ONE], eps: 0.0, of_all: false };
    let mut alive = vec![true; w.len()];
    rewind_decay(Kernel::any(), w, Some(w0), is_set, &mut alive, &rule);
}

/// a + step of those that were tracked, the step alone of the others: the step less -a, or less 0, which keeps its sign.
fn moved_on<S: Scalar>(a: &[S], tracked: &[bool], step: &[S]) -> Vec<S> {
    let mut minus_a = formula_of_slices(Kernel::any(), Scaled(-1.0), [a]);
    hold(Kernel::any(), &mut minus_a, tracked);
    formula_of_slices(Kernel::any(), Difference, [step, &minus_a])
}
