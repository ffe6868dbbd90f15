//! DropBack (Golub, Lemieux, Lis 2019, Alg. 1): the k weights that training has moved furthest are tracked; all others are
//! set back to their first values after every step.
//!
//! Of step t, with w0 the first weights:
//!
//! ```text
//! between = SGD of w                    all weights, tracked or not
//! score   = |between - w0|              or, `accumulated`: |a + eta g| of tracked weights, |eta g| of the others
//! m       = the k largest scores of W   from step `freeze_step` on: m as before
//! w       = between where m, w0 elsewhere
//! ```
//!
//! No weight is ever 0 for it: what others call sparsity is the share of weights that are not tracked, which need no
//! memory, since w0 can be drawn again. The two scores are equal in exact arithmetic while momentum and weight decay are 0.

use super::keys::{COUNT, CUT, DISTRIBUTION, MINIMUM, SPARSITY, STEP, TIES, hyper, reading};
use super::options::Domain;
use super::quantity::{Axis, Column, Format, Kind, Scale};
use super::{At, Entry, Field, Fields, Gradients, Needs, Quantity, Setup, Sparsifier, Story, Told};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::select::count::{Count, Minimum};
use crate::select::cut::{Cut, Ties, keep_largest};
use crate::select::score::{Accumulate, Score};
use crate::weights::{Dead, Lasts, Slot, Weights};

const SOURCE: &str = "Golub, Lemieux, Lis 2019, Alg. 1";

pub static ENTRY: Entry = Entry {
    options: &[
        hyper("tracked", Domain::Count { from: 0 }, "k: how many weights are tracked"),
        SPARSITY,
        hyper("freeze_step", STEP, "The step from which on k stay the same"),
        reading::<Score>("By what weights are tracked"),
        reading::<Accumulate>("Whose sums of gradients run on"),
        DISTRIBUTION.among(&["global"]),
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["step", "count", "score", "track", "reset", "momentum", "accumulate"],
    quantities: &[&TRACKED],
    check: |setup, shapes| k(setup, shapes.iter().map(|shape| shape.iter().product::<usize>()).sum()).map(|_| ()),
    ..Entry::new(
        "dropback",
        "The k weights that have moved furthest are trained, all others set back to W_0 after every step",
        SOURCE,
    )
};

static TRACKED: Quantity = Quantity {
    column: Some(Column { heading: "tracked", width: 8, format: Format::Integer }),
    axis: Some(Axis { label: "weights tracked", scale: Scale::FromZero, minima: false }),
    ..Quantity::measured("tracked", Kind::Count, SOURCE)
};

/// The slots of w0 and of the sums.
const FIRST: &str = "initial";
const SUMS: &str = "accumulated";

/// k, of n weights.
fn k(setup: &Setup, n: usize) -> Result<usize> {
    match (setup.options.count("tracked"), setup.options.real("sparsity")) {
        (Some(k), None) if k <= n => Ok(k),
        (Some(k), None) => Err(Error::domain("--tracked", format!("at most N = {n}"), k)),
        (None, Some(sparsity)) => {
            let count: Count = setup.options.name(Count::KEY).parse()?;
            let minimum: Minimum = setup.options.name(Minimum::KEY).parse()?;
            Ok(minimum.of(count.kept(n, sparsity), n))
        }
        (Some(_), Some(_)) => Err(Error::domain("--tracked", "k, or --sparsity in its place", "both")),
        (None, None) => Err(Error::domain("--tracked", "k, or --sparsity in its place", "neither")),
    }
}

struct DropBack<S> {
    k: usize,
    freeze_step: usize,
    score: Score,
    accumulate: Accumulate,
    cut: Cut,
    ties: Ties,
    /// m.
    tracked: Vec<bool>,
    /// eta g of the step under way, where it is summed.
    moves: Vec<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    let options = setup.options;
    let first = w.values();
    let score = options.name("score").parse()?;
    if score == Score::Accumulated {
        let values = vec![S::ZERO; w.len()];
        w.keep(Slot { name: SUMS, lasts: Lasts::Run, dead: Dead::Kept, values });
    }
    w.keep(Slot { name: FIRST, lasts: Lasts::Run, dead: Dead::Kept, values: first });
    Ok(Box::new(DropBack {
        k: k(setup, w.len())?,
        freeze_step: options.step("freeze_step", setup.length).unwrap_or(usize::MAX),
        score,
        accumulate: options.name("accumulate").parse()?,
        cut: options.name(Cut::KEY).parse()?,
        ties: options.name(Ties::KEY).parse()?,
        tracked: vec![true; w.len()],
        moves: Vec::<S>::new(),
    }))
}

impl<S: Scalar> DropBack<S> {
    /// How far each weight has come.
    fn scores(&self, w: &mut Weights<S>) -> Vec<S> {
        let mut scores = Vec::with_capacity(w.len());
        for mut layer in w.layers() {
            let of = |(between, w0): (&S, &S)| (*between - *w0).abs();
            let sum = |(j, (a, step)): (usize, (&S, &S))| if self.tracked[j] { (*a + *step).abs() } else { step.abs() };
            match self.score {
                Score::Distance => scores.extend(layer.values.iter().zip(layer.slots.named(FIRST).iter()).map(of)),
                Score::Accumulated => {
                    let sums = layer.slots.named(SUMS).iter().zip(&self.moves[layer.range.clone()]);
                    scores.extend(layer.range.clone().zip(sums).map(sum));
                }
            }
        }
        scores
    }

    /// a' for the next step; `before`: what was tracked before this one.
    fn sum_up(&self, before: &[bool], w: &mut Weights<S>) {
        let Some(sums) = w.slot_mut(SUMS) else { return };
        for (j, (a, &step)) in sums.values.iter_mut().zip(&self.moves).enumerate() {
            *a = match self.accumulate {
                Accumulate::Always => *a + step,
                Accumulate::Tracked if !self.tracked[j] => S::ZERO,
                Accumulate::Tracked if before[j] => *a + step,
                Accumulate::Tracked => step,
            };
        }
    }
}

impl<S: Scalar> Sparsifier<S> for DropBack<S> {
    fn needs(&self) -> Needs {
        Needs { after_step: true, ..Needs::default() }
    }

    fn after_backward(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        if self.score == Score::Accumulated {
            let eta = S::from_f64(at.learning_rate);
            let segments = w.set().segments().iter();
            let of_segment = segments.filter_map(|segment| gradients.of(segment.parameter));
            self.moves = of_segment.flat_map(|g| g.iter().map(|&g| eta * g).collect::<Vec<_>>()).collect();
        }
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>) -> Result<()> {
        let before = self.tracked.clone();
        if at.steps <= self.freeze_step {
            self.tracked = keep_largest(&self.scores(w), self.k, self.cut, self.ties)?;
        }
        self.sum_up(&before, w);
        for mut layer in w.layers() {
            let tracked = &self.tracked[layer.range.clone()];
            let first = layer.slots.named(FIRST);
            for ((w, w0), _) in layer.values.iter_mut().zip(first).zip(tracked).filter(|(_, tracked)| !**tracked) {
                *w = *w0;
            }
        }
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let zeros = w.values().iter().filter(|w| **w == S::ZERO).count();
        story.sparsity = Some(zeros as f64 / w.len().max(1) as f64);
        story.tell(&TRACKED, Told::Count(self.tracked.iter().filter(|tracked| **tracked).count()));
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        Fields::default().with("tracked", Field::Flags(self.tracked.clone()))
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.tracked = fields.flags("tracked", self.tracked.len())?.to_vec();
        Ok(())
    }
}
