//! The dense baseline: no weight is ever touched. Of G, which Fig. 2 and 3 show of such runs, it sums what it is asked to measure.

use super::choices::Choices;
use super::measures::{Histogram, Laps, Measured, Measures, Parts};
use super::{At, Entry, Needs, Setup, Sparsifier, Squares, Story, Told, gdstar};
use crate::error::Result;
use crate::paper::gradient_norm::{frobenius_norm, sum_of_squares};
use crate::paper::reading::GradientOf;
use crate::scalar::Scalar;
use crate::weights::{Dead, Lasts, Slot, Weights};

pub static ENTRY: Entry = Entry {
    name: "dense",
    summary: "No pruning: the baseline",
    source: "Table 2",
    choices: Choices { score: "-", schedule: "never", distribution: "-", structure: "-", update: "SGD alone" },
    heeds: &[],
    options: &[],
    labels: &[],
    quantities: &[],
    is_traced: false,
    records_steps: false,
    tells_itself: false,
    layers: |_| Ok(Vec::new()),
    of_run: |_| Ok(Vec::new()),
    rewinds_at_first: false,
    check: |_, _| Ok(()),
};

/// Leaves every weight to the optimizer, and measures G where it is asked to.
struct Dense {
    measures: Measures,
    with_decay: bool,
}

pub(super) fn start<S: Scalar>(setup: &Setup, _: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    let with_decay = setup.reading.gradient == GradientOf::LossAndDecay;
    Ok(Box::new(Dense { measures: setup.measures, with_decay }))
}

impl<S: Scalar> Sparsifier<S> for Dense {
    fn needs(&self) -> Needs {
        let squares = Squares { slot: gdstar::SQUARES, with_decay: self.with_decay };
        Needs { squares: self.measures.take_g().then_some(squares), ..Needs::default() }
    }

    fn begin_epoch(&mut self, _: At, w: &mut Weights<S>) {
        if self.measures.take_g() {
            w.keep(Slot {
                name: gdstar::SQUARES,
                lasts: Lasts::Epoch,
                dead: Dead::Kept,
                values: vec![S::ZERO; w.len()],
            });
        }
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        if !self.measures.take_g() {
            return Ok(());
        }
        let mut laps = Laps::start(self.measures.clock);
        let g = w.take(gdstar::SQUARES); // Eq. 2
        let s_f = frobenius_norm(sum_of_squares(&g))?; // Eq. 3, 4
        let parts = Parts { s_f: laps.lap(), ..Parts::default() };
        story.tell(&gdstar::S_F, Told::Number(s_f));
        story.measured = Measured {
            histogram: self.measures.histogram.then(|| Histogram::of(&g)),
            parts: self.measures.clock.map(|_| parts),
            peak_memory: None,
        };
        Ok(())
    }
}
