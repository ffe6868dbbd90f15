//! GDSTAR (section 3): every epoch, find the rewind point, select weights, pull them towards it and prune.

use super::stored::{Following, Stored};
use super::weights::with_slice;
use super::{Details, EpochEnd, EpochStory, Sparsifier, SparsifierState, WeightSet, mismatch};
use crate::error::Result;
use crate::nn::{Parameters, compress, expand};
use crate::paper::Hyperparameters;
use crate::paper::decay::{Decay, decay_step, rewind_decay};
use crate::paper::gradient_norm::{frobenius_norm, mask_gradient, sum_of_squares};
use crate::paper::reading::{MaskedGradient, MomentumOnPrune, Reading, RewindUpdate};
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
    rewinding: Rewinding,
    weights: WeightSet,
    /// G of the epoch under way (Eq. 2), segment by segment as [`Stored`] says; empty between epochs.
    accumulated: Vec<S>,
    /// Of every weight; empty during an epoch in which all live.
    alive: Vec<bool>,
    rewind: RewindPoint<S>,
    /// One a segment of W.
    stored: Vec<Stored>,
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
            rewinding,
            accumulated: Vec::new(),
            alive: vec![true; weights.len()],
            rewind: RewindPoint::new(config.reading.rewind_copy, &views(&weights, parameters)),
            stored: vec![Stored::default(); weights.segments().len()],
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
        let rewind = self.rewind.weights();
        let mut outcome = Ok(());
        for (i, segment) in self.weights.segments().iter().enumerate() {
            let (selected, alive) = (&selected[segment.range.clone()], &mut self.alive[segment.range.clone()]);
            let w_star = rewind.map(|rewind| rewind[i].as_slice().unwrap_or_default());
            with_slice(&mut parameters[segment.parameter].value, |w| {
                let counts = rewind_decay(w, w_star, selected, alive, &decay);
                outcome = std::mem::replace(&mut outcome, Ok(())).and(counts.map(|_| ()));
            });
            with_slice(&mut optimizer.buffers[segment.parameter], |b| {
                if self.reading.momentum_on_prune != MomentumOnPrune::Keep {
                    zero_where(b, alive, false);
                }
                if self.reading.momentum_on_prune == MomentumOnPrune::ZeroSelected {
                    zero_where(b, selected, true);
                }
            });
        }
        outcome
    }

    /// Sets W_k* to 0 where a weight is eliminated: no equation reads it there again, and nothing of it need be stored.
    fn forget_eliminated(&mut self) {
        let segments = self.weights.segments();
        for (segment, w_star) in segments.iter().zip(self.rewind.weights_mut().unwrap_or_default()) {
            with_slice(w_star, |w_star| zero_where(w_star, &self.alive[segment.range.clone()], false));
        }
    }

    fn sparsity(&self) -> f64 {
        let eliminated = self.alive.iter().filter(|&&alive| !alive).count();
        eliminated as f64 / self.alive.len().max(1) as f64
    }
}

impl<S: Scalar> Sparsifier<S> for Gdstar<S> {
    fn begin_epoch(&mut self, parameters: &Parameters<S>, recorded: bool) {
        let whole_squares = self.reading.masked_gradient == MaskedGradient::Dense;
        for (segment, stored) in self.weights.segments().iter().zip(&mut self.stored) {
            let pattern = parameters[segment.parameter].pattern().cloned();
            *stored = Stored {
                squares: pattern.clone().filter(|_| !whole_squares),
                rewind: pattern.clone().filter(|_| !recorded),
                weights: pattern,
            };
        }
        for (w_star, stored) in self.rewind.weights_mut().unwrap_or_default().iter_mut().zip(&self.stored) {
            if let Some(pattern) = &stored.rewind {
                compress(w_star, pattern);
            }
        }
        let segments = self.weights.segments().iter().zip(&self.stored);
        let entries = segments.map(|(segment, stored)| stored.squares_of(segment)).sum();
        self.accumulated = vec![S::ZERO; entries];
        if self.alive.iter().all(|&alive| alive) {
            self.alive = Vec::new();
        }
    }

    fn followed(&mut self) -> Following<'_, S> {
        let keeps_momentum = self.reading.momentum_on_prune == MomentumOnPrune::Keep;
        let segments = (self.weights.segments(), &self.stored[..]);
        Following::new(segments, &mut self.accumulated, &self.alive, self.reading.gradient, keeps_momentum)
    }

    fn expand(&mut self) {
        if self.alive.is_empty() {
            self.alive = vec![true; self.weights.len()];
        }
        if self.stored.iter().any(|stored| stored.squares.is_some()) {
            let compressed = std::mem::replace(&mut self.accumulated, vec![S::ZERO; self.weights.len()]);
            let mut rest = &compressed[..];
            for (segment, stored) in self.weights.segments().iter().zip(&self.stored) {
                let whole = &mut self.accumulated[segment.range.clone()];
                let (squares, others) = rest.split_at(stored.squares_of(segment));
                match &stored.squares {
                    Some(pattern) => pattern.scatter_into(squares, whole),
                    None => whole.copy_from_slice(squares),
                }
                rest = others;
            }
        }
        for (w_star, stored) in self.rewind.weights_mut().unwrap_or_default().iter_mut().zip(&self.stored) {
            if let Some(pattern) = &stored.rewind {
                expand(w_star, pattern);
            }
        }
        self.stored.fill(Stored::default());
    }

    fn alive(&self) -> Option<&[bool]> {
        Some(&self.alive)
    }

    fn bytes(&self) -> usize {
        let rewind: usize = self.rewind.weights().into_iter().flatten().map(|w_star| w_star.len()).sum();
        (self.accumulated.len() + rewind) * size_of::<S>() + self.alive.len()
    }

    fn end_of_epoch(
        &mut self,
        end: EpochEnd,
        parameters: &mut Parameters<S>,
        optimizer: &mut Sgd<S>,
    ) -> Result<EpochStory<S>> {
        let EpochEnd { k, steps, recorded } = end;
        let mut accumulated = std::mem::take(&mut self.accumulated);
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
        let alive_before = recorded.then(|| self.alive.clone());
        self.prune(t, &selection.selected, parameters, optimizer)?; // Alg. 6
        if self.reading.rewind_update == RewindUpdate::AfterPruning {
            self.update_rewind(k, s_f, parameters)?;
        }
        if !recorded {
            self.forget_eliminated();
        }
        Ok(EpochStory {
            sparsity: self.sparsity(),
            frobenius: Some(s_f.to_f64()),
            k_star: Some(self.rewind.k_star()),
            t: Some(t),
            alpha: Some(alpha),
            tau: Some(selection.tau.to_f64()),
            selected: Some(selection.count()),
            details: alive_before.map(|alive_before| Details {
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
