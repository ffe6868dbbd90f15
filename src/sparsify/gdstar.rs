//! GDSTAR (section 3): every epoch, find the rewind point, select weights, pull them towards it and prune.

use super::weights::with_slice;
use super::{Details, EpochEnd, EpochStory, Sparsifier, SparsifierState, WeightSet, mismatch};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::nn::Parameters;
use crate::paper::Hyperparameters;
use crate::paper::decay::{Decay, decay_step, rewind_decay};
use crate::paper::gradient_norm::{accumulate_squares, frobenius_norm, mask_gradient, sum_of_squares};
use crate::paper::reading::{GradientOf, MomentumOnPrune, Reading, RewindUpdate};
use crate::paper::rewind::RewindPoint;
use crate::paper::schedule::prune_rate;
use crate::paper::selection::{Selection, select_weights};
use crate::paper::structured::{GroupScore, Structure, select_structured};
use crate::scalar::Scalar;
use crate::train::{Config, Sgd};
use ndarray::{ArrayD, ArrayViewD};

/// What moves the rewind point; everything else of the method is the same in Table 2's and Table 4's columns.
pub(super) enum Rewinding {
    /// Alg. 4: a new minimum of the Frobenius norm.
    Adaptive,
    /// Never: W_k* = W_0.
    Initial,
    /// The epoch's draw.
    Random(Box<dyn Fn(usize) -> bool + Send>),
}

/// The method's state between batches and epochs; arrays are flat over W.
pub struct Gdstar<S: Scalar> {
    hyper: Hyperparameters,
    reading: Reading,
    /// Selection by groups, where the configuration asks for it.
    structure: Option<(Structure, GroupScore)>,
    weight_decay: f64,
    rewinding: Rewinding,
    weights: WeightSet,
    /// G of the epoch under way (Eq. 2).
    accumulated: Vec<S>,
    alive: Vec<bool>,
    rewind: RewindPoint<S>,
}

impl<S: Scalar> Gdstar<S> {
    /// The paper's method.
    pub fn new(config: &Config, parameters: &Parameters<S>) -> Self {
        Self::with_rewinding(config, parameters, Rewinding::Adaptive)
    }

    pub(super) fn with_rewinding(config: &Config, parameters: &Parameters<S>, rewinding: Rewinding) -> Self {
        let weights = WeightSet::new(parameters, config.reading.prunable);
        Self {
            hyper: config.hyper,
            reading: config.reading,
            structure: config.structure.map(|structure| (structure, config.group_score)),
            weight_decay: config.optimizer.weight_decay,
            rewinding,
            accumulated: vec![S::ZERO; weights.len()],
            alive: vec![true; weights.len()],
            rewind: RewindPoint::new(config.reading.rewind_copy, &views(&weights, parameters)),
            weights,
        }
    }

    /// Alg. 4's update at the end of an epoch.
    fn update_rewind(&mut self, k: usize, frobenius: S, parameters: &Parameters<S>) -> Result<()> {
        let weights = views(&self.weights, parameters);
        match &self.rewinding {
            Rewinding::Adaptive => self.rewind.observe(k, frobenius, &weights).map(|_| ()),
            Rewinding::Initial => Ok(()),
            Rewinding::Random(draw) if draw(k) => self.rewind.move_to(k, &weights),
            Rewinding::Random(_) => Ok(()),
        }
    }

    /// Alg. 5, over weights or over groups of them.
    fn select(&self, accumulated: &[S], alpha: f64, parameters: &Parameters<S>) -> Result<Selection<S>> {
        let chunks = self.hyper.chunks;
        let Some(structure) = self.structure else {
            return select_weights(accumulated, &self.alive, alpha, chunks, &self.reading);
        };
        let shapes: Vec<&[usize]> =
            self.weights.segments().iter().map(|segment| parameters[segment.parameter].value.shape()).collect();
        select_structured(accumulated, &self.alive, &shapes, structure, alpha, chunks, &self.reading)
    }

    /// Alg. 6 on every parameter of W, and what becomes of their momentum (open point 13).
    fn prune(
        &mut self,
        t: usize,
        selected: &[bool],
        parameters: &mut Parameters<S>,
        optimizer: &mut Sgd<S>,
    ) -> Result<()> {
        let Hyperparameters { lambda, eps, .. } = self.hyper;
        let decay = Decay { lambda, t, eps, threshold: self.reading.threshold };
        let rewind: Option<Vec<S>> = self.rewind.weights().map(flatten);
        let mut outcome = Ok(());
        self.weights.for_each_mut(parameters, |segment, w| {
            let range = segment.range.clone();
            let w_star = rewind.as_ref().map(|rewind| &rewind[range.clone()]);
            let counts = rewind_decay(w, w_star, &selected[range.clone()], &mut self.alive[range], &decay);
            if let (Err(error), true) = (counts, outcome.is_ok()) {
                outcome = Err(error);
            }
        });
        outcome?;
        if self.reading.momentum_on_prune == MomentumOnPrune::ZeroSelected {
            for segment in self.weights.segments() {
                let selected = &selected[segment.range.clone()];
                with_slice(&mut optimizer.buffers[segment.parameter], |buffer| zero_where(buffer, selected, true));
            }
        }
        self.enforce(parameters, optimizer);
        Ok(())
    }

    fn sparsity(&self) -> f64 {
        let eliminated = self.alive.iter().filter(|&&alive| !alive).count();
        eliminated as f64 / self.alive.len().max(1) as f64
    }
}

impl<S: Scalar> Sparsifier<S> for Gdstar<S> {
    fn observe(&mut self, kernel: Kernel, parameters: &Parameters<S>, gradients: &[Option<ArrayD<S>>]) {
        let decay = S::from_f64(self.weight_decay);
        for segment in self.weights.segments() {
            let Some(Some(gradient)) = gradients.get(segment.parameter) else { continue };
            let accumulated = &mut self.accumulated[segment.range.clone()];
            let gradient = gradient.as_standard_layout();
            // A gradient has its parameter's shape, so the lengths agree and nothing below can fail.
            let outcome = match self.reading.gradient {
                GradientOf::Loss => gradient.as_slice().map(|g| accumulate_squares(kernel, accumulated, g)),
                GradientOf::LossAndDecay => {
                    let w = &parameters[segment.parameter].value;
                    let decayed: Vec<S> = gradient.iter().zip(w).map(|(&g, &w)| g + decay * w).collect();
                    Some(accumulate_squares(kernel, accumulated, &decayed))
                }
            };
            debug_assert!(matches!(outcome, Some(Ok(()))));
        }
    }

    fn enforce(&self, parameters: &mut Parameters<S>, optimizer: &mut Sgd<S>) {
        self.weights.for_each_mut(parameters, |segment, w| zero_where(w, &self.alive[segment.range.clone()], false));
        if self.reading.momentum_on_prune != MomentumOnPrune::Keep {
            for segment in self.weights.segments() {
                let alive = &self.alive[segment.range.clone()];
                with_slice(&mut optimizer.buffers[segment.parameter], |buffer| zero_where(buffer, alive, false));
            }
        }
    }

    fn end_of_epoch(
        &mut self,
        end: EpochEnd,
        parameters: &mut Parameters<S>,
        optimizer: &mut Sgd<S>,
    ) -> Result<EpochStory<S>> {
        let EpochEnd { k, steps } = end;
        let mut accumulated = std::mem::replace(&mut self.accumulated, vec![S::ZERO; self.weights.len()]);
        mask_gradient(&mut accumulated, &self.alive, self.reading.masked_gradient)?;
        let s_sq = sum_of_squares(&accumulated); // Eq. 3
        let s_f = frobenius_norm(s_sq)?; // Eq. 4
        let min_before = self.rewind.minimum();
        if self.reading.rewind_update == RewindUpdate::BeforePruning {
            self.update_rewind(k, s_f, parameters)?; // Alg. 4
        }
        let alpha = prune_rate(k, self.hyper.epochs, self.hyper.alpha_0, self.hyper.alpha_end)?; // Eq. 8
        let selection = self.select(&accumulated, alpha, parameters)?;
        let t = decay_step(self.reading.decay_step, k, self.rewind.k_star(), steps)?;
        let alive_before = self.alive.clone();
        self.prune(t, &selection.selected, parameters, optimizer)?; // Alg. 6
        if self.reading.rewind_update == RewindUpdate::AfterPruning {
            self.update_rewind(k, s_f, parameters)?;
        }
        Ok(EpochStory {
            sparsity: self.sparsity(),
            frobenius: Some(s_f.to_f64()),
            k_star: Some(self.rewind.k_star()),
            t: Some(t),
            alpha: Some(alpha),
            tau: Some(selection.tau.to_f64()),
            selected: Some(selection.count()),
            details: Some(Details {
                accumulated,
                s_sq,
                s_f,
                min_before,
                chunk_quantiles: selection.chunk_quantiles,
                tau: selection.tau,
                selected: selection.selected,
                alive_before,
            }),
        })
    }

    fn weights(&self) -> &WeightSet {
        &self.weights
    }

    fn save(&self) -> Option<SparsifierState<S>> {
        Some(SparsifierState {
            alive: self.alive.clone(),
            minimum: self.rewind.minimum(),
            k_star: self.rewind.k_star(),
            rewind: self.rewind.weights().map(flatten),
        })
    }

    fn restore(&mut self, state: Option<SparsifierState<S>>) -> Result<()> {
        let state = state.ok_or_else(|| mismatch("masks and a rewind point", "nothing"))?;
        if state.alive.len() != self.weights.len() {
            return Err(mismatch(&format!("masks of {} weights", self.weights.len()), state.alive.len()));
        }
        let arrays = match (self.rewind.weights(), state.rewind) {
            (None, None) => None,
            (Some(shapes), Some(flat)) if flat.len() == self.weights.len() => {
                let mut rest = flat.into_iter();
                // Filled in iteration order, which is row-major.
                Some(shapes.iter().map(|s| s.mapv(|_| rest.next().unwrap_or_default())).collect())
            }
            (expected, _) => {
                let expected = if expected.is_some() { "with W_k*" } else { "without W_k* (it is an alias)" };
                return Err(mismatch(expected, "the contrary"));
            }
        };
        self.rewind = RewindPoint::restore(state.minimum, state.k_star, arrays)?;
        self.alive = state.alive;
        Ok(())
    }
}

/// The parameters of W, in flattening order.
fn views<'a, S: Scalar>(weights: &WeightSet, parameters: &'a Parameters<S>) -> Vec<ArrayViewD<'a, S>> {
    weights.segments().iter().map(|segment| parameters[segment.parameter].value.view()).collect()
}

fn flatten<S: Scalar>(arrays: &[ArrayD<S>]) -> Vec<S> {
    arrays.iter().flat_map(|array| array.iter().copied()).collect()
}

fn zero_where<S: Scalar>(values: &mut [S], flags: &[bool], flag: bool) {
    for (value, _) in values.iter_mut().zip(flags).filter(|&(_, &f)| f == flag) {
        *value = S::ZERO;
    }
}
