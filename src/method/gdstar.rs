//! GDSTAR (section 3): every epoch, find the rewind point, select weights, pull them towards it and prune.

mod chunks;
mod epoch_l1;
mod pruning;
mod quantities;
mod rewinding;
mod stop;

pub use quantities::SELECTED;
pub(super) use quantities::{DRAW, S_F};
pub(super) use rewinding::Rewinding;
pub use stop::{FREEZE_K_STAR, STOPS, TARGET_SPARSITY};

use super::choices::{Choices, GROUPS};
use super::measures::{Histogram, Laps, Measured, Measures, Parts};
use super::{At, Entry, Field, Fields, Gradients, Needs, Setup, Sparsifier, Squares, StepNeeds, Story, Told};
use crate::error::Result;
use crate::paper::Hyperparameters;
use crate::paper::decay::decay_step;
use crate::paper::gradient_norm::{frobenius_norm, mask_gradient, sum_of_squares};
use crate::paper::reading::{GradientOf, MaskedGradient, MomentumOnPrune, Reading, RewindCopy, RewindUpdate};
use crate::paper::rewind::RewindPoint;
use crate::paper::schedule::prune_rate;
use crate::paper::selection::{Selection, select_weights};
use crate::paper::structured::{GroupScore, Structure, select_structured};
use crate::scalar::Scalar;
use crate::select::update::InactiveMomentum;
use crate::weights::{Dead, Lasts, Slot, Weights};
use chunks::check_chunks;
use epoch_l1::EpochL1;
use pruning::{Pruning, W_STAR, forget_eliminated};
use quantities::{
    ALPHA, CHUNK_QUANTILES, G, K_STAR, MASK, MASK_BEFORE, MIN_BEFORE, REWIND, S_ABS, S_SQ, SELECTED_COUNT, T, TAU,
};
use rewinding::Adaptive;
use stop::Target;

pub static ENTRY: Entry = ENTRY_OF_THE_FAMILY;

/// The method's, and what is other of its relatives in Table 2's and Table 4's columns they say.
pub(super) const ENTRY_OF_THE_FAMILY: Entry = Entry {
    name: "gdstar",
    summary: "Gradient-based dynamic sparse training with adaptive rewinding: the paper's method",
    source: "Section 3",
    choices: Choices {
        score: "G, the epoch's sum of g^2",
        schedule: "every epoch, alpha_k linear",
        distribution: "global, in C chunks",
        structure: GROUPS,
        update: "rewound to W_k* and decayed; 0 for good below eps",
    },
    heeds: HEEDS,
    options: &STOPS,
    labels: &[],
    quantities: &[
        &S_F,
        &K_STAR,
        &T,
        &ALPHA,
        &TAU,
        &SELECTED_COUNT,
        &S_ABS,
        &G,
        &S_SQ,
        &MIN_BEFORE,
        &DRAW,
        &CHUNK_QUANTILES,
        &SELECTED,
        &MASK_BEFORE,
        &MASK,
        &REWIND,
    ],
    is_traced: true,
    records_steps: false,
    tells_itself: false,
    layers: |_| Ok(Vec::new()),
    of_run: |_| Ok(Vec::new()),
    // m is infinite before the first epoch.
    rewinds_at_first: true,
    check,
};

/// The settings that the method heeds; the last one says when W_k* is captured.
const HEEDS: &[&str] = &[
    "alpha_0",
    "alpha_K",
    "lambda",
    "eps",
    "chunks",
    "structure",
    "group_score",
    "execution",
    "quantile",
    "chunking",
    "prunable",
    "masked_gradient",
    "rewind_copy",
    "decay_step",
    "threshold",
    "momentum_on_prune",
    "gradient",
    "rewind_update",
];

/// Those of a relative that captures it once.
pub(super) const HEEDS_BUT_REWIND_UPDATE: &[&str] = match HEEDS.split_last() {
    Some((_, others)) => others,
    None => &[],
};

/// The slot of G while an epoch runs.
pub(super) const SQUARES: &str = "G";

/// The method's state; G (Eq. 2) and W_k* are slots of the weights.
pub(super) struct Gdstar<S: Scalar, R> {
    hyper: Hyperparameters,
    reading: Reading,
    structure: Option<(Structure, GroupScore)>,
    pruning: Pruning,
    /// The last epoch that can become k*.
    last_k_star: Option<usize>,
    measures: Measures,
    rewinding: R,
    /// m and k* of Alg. 4.
    point: RewindPoint<S>,
    /// Eq. 1, of an epoch that is recorded.
    s_abs: EpochL1<S>,
}

/// The method set up for these weights, all of them alive.
///
/// # Errors
/// None; [`Entry::check`] finds what it cannot work with.
pub fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    Ok(Box::new(Gdstar::new(setup, w, Adaptive)))
}

impl<S: Scalar, R: Rewinding<S>> Gdstar<S, R> {
    /// At W_k* = W_0, with all weights alive.
    pub(super) fn new(setup: &Setup, w: &mut Weights<S>, rewinding: R) -> Self {
        w.mask_mut();
        // As an alias W_k* is the live weights, and nothing is kept (open point 9).
        if setup.reading.rewind_copy == RewindCopy::Copy {
            w.keep(Slot { name: W_STAR, lasts: Lasts::Run, dead: Dead::Forgotten, values: w.values() });
        }
        Self {
            hyper: *setup.hyper,
            reading: *setup.reading,
            structure: setup.structure,
            pruning: Pruning::of(setup),
            last_k_star: setup.options.count(FREEZE_K_STAR.key),
            measures: setup.measures,
            rewinding,
            point: RewindPoint::new(RewindCopy::Alias, &[]),
            s_abs: EpochL1::default(),
        }
    }

    /// Alg. 4.
    fn update_rewind(&mut self, k: usize, s_f: S, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        if self.last_k_star.is_some_and(|last| k > last) {
            return Ok(());
        }
        if self.rewinding.moves(&mut self.point, k, s_f, story)? {
            w.copy_values_to(W_STAR);
        }
        Ok(())
    }

    /// Alg. 5, over weights or over groups of them.
    fn select(&self, g: &[S], alpha: f64, w: &Weights<S>) -> Result<Selection<S>> {
        let (alive, chunks) = (w.mask().unwrap_or_default(), self.hyper.chunks);
        match self.structure {
            None => select_weights(g, alive, alpha, chunks, &self.reading),
            Some(structure) => select_structured(g, alive, &w.shapes(), structure, alpha, chunks, &self.reading),
        }
    }
}

impl<S: Scalar, R: Rewinding<S>> Sparsifier<S> for Gdstar<S, R> {
    fn needs(&self) -> Needs {
        Needs {
            squares: Some(Squares { slot: SQUARES, with_decay: self.reading.gradient == GradientOf::LossAndDecay }),
            dead_gradients: self.reading.masked_gradient == MaskedGradient::Dense,
            inactive_momentum: match self.reading.momentum_on_prune {
                MomentumOnPrune::Keep => InactiveMomentum::Dense,
                MomentumOnPrune::Zero | MomentumOnPrune::ZeroSelected => InactiveMomentum::Zero,
            },
            ..Needs::default()
        }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        StepNeeds { after: self.rewinding.captures_after() == Some(t + 1), ..StepNeeds::default() }
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, _: &mut Story<S>) -> Result<()> {
        self.point.move_to(at.epoch, &[])?;
        w.copy_values_to(W_STAR);
        Ok(())
    }

    fn begin_epoch(&mut self, at: At, w: &mut Weights<S>) {
        let dead = if self.reading.masked_gradient == MaskedGradient::Dense { Dead::Kept } else { Dead::Forgotten };
        w.keep(Slot { name: SQUARES, lasts: Lasts::Epoch, dead, values: vec![S::ZERO; w.len()] });
        if let Some(w_star) = w.slot_mut(W_STAR) {
            // A trace has W_k* as it was captured, also where weights are eliminated since.
            w_star.dead = if at.recorded { Dead::Kept } else { Dead::Forgotten };
        }
    }

    fn after_backward(&mut self, at: At, gradients: Gradients<S>, w: &Weights<S>) {
        if at.recorded {
            self.s_abs.add(gradients, w, self.reading.masked_gradient); // Eq. 1
        }
    }

    fn end_of_epoch(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let k = at.epoch;
        let s_abs = self.s_abs.take();
        let (mut laps, mut parts) = (Laps::start(self.measures.clock), Parts::default());
        let mut g = w.take(SQUARES); // Eq. 2
        mask_gradient(&mut g, w.mask_mut(), self.reading.masked_gradient)?;
        let s_sq = sum_of_squares(&g); // Eq. 3
        let s_f = frobenius_norm(s_sq)?; // Eq. 4
        story.tell(&S_F, Told::Number(s_f));
        parts.s_f = laps.lap();
        if self.reading.rewind_update == RewindUpdate::BeforePruning {
            self.update_rewind(k, s_f, w, story)?; // Alg. 4
        }
        parts.rewind = laps.lap();
        let alpha = prune_rate(k, self.hyper.epochs, self.hyper.alpha_0, self.hyper.alpha_end)?; // Eq. 8
        let selection = self.select(&g, alpha, w)?; // Eq. 5 to 7
        parts.selection = laps.lap();
        let t = decay_step(self.reading.decay_step, k, self.point.k_star(), at.steps)?;
        story.record(&MASK_BEFORE, || Told::Flags(w.mask_mut().to_vec()));
        self.pruning.prune(t, &selection.selected, w)?; // Alg. 6
        parts.decay = laps.lap();
        if self.reading.rewind_update == RewindUpdate::AfterPruning {
            self.update_rewind(k, s_f, w, story)?;
            parts.rewind += laps.lap();
        }
        story.measured = Measured {
            histogram: self.measures.histogram.then(|| Histogram::of(&g)),
            parts: self.measures.clock.map(|_| parts),
            peak_memory: None,
        };
        story.tell(&K_STAR, Told::Count(self.point.k_star()));
        story.tell(&T, Told::Count(t));
        story.tell(&ALPHA, Told::Real(alpha));
        story.tell(&TAU, Told::Number(selection.tau));
        story.tell(&SELECTED_COUNT, Told::Count(selection.count()));
        if !story.recorded {
            forget_eliminated(w);
            return Ok(());
        }
        story.tell(&S_ABS, Told::Number(s_abs));
        story.tell(&G, Told::PerWeight(g));
        story.tell(&S_SQ, Told::Number(s_sq));
        story.tell(&CHUNK_QUANTILES, Told::Numbers(selection.chunk_quantiles));
        story.tell(&SELECTED, Told::Flags(selection.selected));
        story.tell(&MASK, Told::Flags(w.mask_mut().to_vec()));
        if let Some(w_star) = w.slot(W_STAR) {
            story.tell(&REWIND, Told::PerWeight(w_star.values.clone()));
        }
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        let (minimum, k_star) = (self.point.minimum(), self.point.k_star());
        Fields::default().with("minimum", Field::Number(minimum)).with("k_star", Field::Count(k_star))
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.point = RewindPoint::restore(fields.number("minimum")?, fields.count("k_star")?, None)?;
        Ok(())
    }
}

/// Whether it can work with these settings on a W of parameters of these shapes.
pub(super) fn check(setup: &Setup, shapes: &[&[usize]]) -> Result<()> {
    Target::check(setup)?;
    check_chunks(setup, shapes)
}
