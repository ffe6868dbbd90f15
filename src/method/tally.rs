//! [`Tally`]: what an epoch's updates have done to the mask, for the metrics.

use super::record::{ACTIVE, DROPPED, EXPLORED, FRACTION, GROWN, MASK_DISTANCE, RATE, UPDATES};
use super::{Field, Fields, Story, Told};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::weights::Weights;

/// The quantities of a method whose mask moves: those that are tallied, and its own.
macro_rules! tallied {
    ($($own:ident),*) => {
        &[
            &super::record::RATE,
            &super::record::FRACTION,
            &super::record::UPDATES,
            &super::record::DROPPED,
            &super::record::GROWN,
            &super::record::ACTIVE,
            &super::record::MASK_DISTANCE,
            &super::record::EXPLORED,
            $(&super::record::$own),*
        ]
    };
}
pub(super) use tallied;

/// Those of a method's hooks, by their names, that do nothing but hand on to its `tally`.
macro_rules! handed_to_tally {
    ($($hook:ident),+) => { $(handed_to_tally!(@$hook);)+ };
    (@begin_epoch) => {
        fn begin_epoch(&mut self, _: At, w: &mut Weights<S>) {
            self.tally.begin_epoch(w);
        }
    };
    (@end_of_epoch) => {
        fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
            self.tally.tell(w, story);
            Ok(())
        }
    };
    (@save) => {
        fn save(&self) -> Fields<S> {
            self.tally.save()
        }
    };
    (@restore) => {
        fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
            self.tally.restore(fields)
        }
    };
}
pub(super) use handed_to_tally;

/// What updates have done to the mask.
#[derive(Debug, Clone)]
pub(super) struct Tally<S> {
    /// Of the last update of the run; infinite before the first.
    pub rate: S,
    pub fraction: S,
    updates: usize,
    dropped: usize,
    grown: usize,
    /// Which weights ever were active.
    explored: Vec<bool>,
    /// The mask when the epoch began.
    mask: Vec<bool>,
}

impl<S: Scalar> Tally<S> {
    /// Of n weights, none of which was active yet.
    pub fn new(n: usize) -> Self {
        let none = S::from_f64(f64::INFINITY);
        let explored = vec![false; n];
        Self { rate: none, fraction: none, updates: 0, dropped: 0, grown: 0, explored, mask: Vec::new() }
    }

    /// Before an epoch's first step.
    pub fn begin_epoch(&mut self, w: &mut Weights<S>) {
        (self.updates, self.dropped, self.grown) = (0, 0, 0);
        self.mask = w.mask_mut().to_vec();
        self.explored.iter_mut().zip(&self.mask).for_each(|(explored, &active)| *explored |= active);
    }

    /// After an update.
    pub fn update(&mut self, before: &[bool], after: &[bool]) {
        self.updates += 1;
        let (mut dropped, mut grown) = (0_u32, 0_u32);
        for ((explored, &before), &after) in self.explored.iter_mut().zip(before).zip(after) {
            dropped += u32::from(before & !after);
            grown += u32::from(!before & after);
            *explored |= after;
        }
        self.dropped += dropped as usize;
        self.grown += grown as usize;
    }

    /// At an epoch's end.
    pub fn tell(&self, w: &Weights<S>, story: &mut Story<S>) {
        let mask = w.mask().unwrap_or_default();
        let share = |count: usize| Told::Real(count as f64 / mask.len().max(1) as f64);
        for (quantity, value) in [(&RATE, self.rate), (&FRACTION, self.fraction)] {
            if value.is_finite() {
                story.tell(quantity, Told::Number(value));
            }
        }
        story.tell(&UPDATES, Told::Count(self.updates));
        story.tell(&DROPPED, Told::Count(self.dropped));
        story.tell(&GROWN, Told::Count(self.grown));
        story.tell(&ACTIVE, Told::Count(mask.iter().filter(|&&active| active).count()));
        story.tell(&MASK_DISTANCE, share(self.mask.iter().zip(mask).filter(|(before, now)| before != now).count()));
        story.tell(&EXPLORED, share(self.explored.iter().filter(|&&explored| explored).count()));
    }

    /// What checkpoints hold.
    pub fn save(&self) -> Fields<S> {
        Fields::default()
            .with("rate", Field::Number(self.rate))
            .with("fraction", Field::Number(self.fraction))
            .with("explored", Field::Flags(self.explored.clone()))
    }

    /// Goes on from what was saved.
    pub fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.rate = fields.number("rate")?;
        self.fraction = fields.number("fraction")?;
        self.explored = fields.flags("explored", self.explored.len())?.to_vec();
        Ok(())
    }
}
