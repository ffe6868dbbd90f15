//! An epoch of a replay: Eq. 3 to 9, Alg. 4 and Alg. 6 on what the gradients gave, each from what is written beside it.

use super::OnProgress;
use super::finite::{finite, read_finite};
use super::plan::{Plan, Source, recorded_mask, unknown_mask};
use crate::error::{Error, Result};
use crate::paper::decay::{Decay, decay_step, rewind_decay};
use crate::paper::gradient_norm::{frobenius_norm, sum_of_squares};
use crate::paper::reading::{MaskedGradient, MomentumOnPrune, RewindUpdate};
use crate::paper::rewind::RewindPoint;
use crate::paper::schedule::prune_rate;
use crate::paper::selection::select_weights;
use crate::scalar::{DoubleDouble, Scalar};
use crate::tensor_file::{Tensor, TensorSink};
use crate::trace::names::of_parameter;
use crate::trace::{RewindsAt, Trace, TracedMethod, TracedParameter};
use ndarray::{ArrayD, ArrayViewD};

/// All known weights after Alg. 6, and the mask where it is known.
type Decayed = (Vec<ArrayD<f64>>, Option<Vec<bool>>);

/// The method's state between epochs.
pub(super) struct Replay<'a> {
    pub(super) trace: &'a Trace,
    pub(super) plan: Plan,
    pub(super) sink: &'a mut dyn TensorSink,
    progress: OnProgress<'a>,
    /// Gradients read.
    done: usize,
    /// What each parameter starts the epoch from: its `init`, then the weights that the epoch before left.
    pub(super) weights: Vec<Option<Vec<f64>>>,
    /// The optimizer's momentum, of the parameters that take its steps.
    pub(super) buffers: Vec<Vec<DoubleDouble>>,
    /// Optimizer steps taken.
    pub(super) steps: usize,
    /// What the epoch before left alive, flat over W; `None` where the weights are not known.
    mask: Option<Vec<bool>>,
    /// W_k* of every parameter whose weights are known.
    pub(super) rewind: RewindPoint<f64>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        trace: &'a Trace,
        plan: Plan,
        sink: &'a mut dyn TensorSink,
        progress: OnProgress<'a>,
    ) -> Result<Self> {
        let mut weights = Vec::new();
        for parameter in trace.parameters() {
            let name = format!("init/{}", parameter.name);
            let initial = if trace.has(&name) { Some(read_finite(trace, &name, parameter)?) } else { None };
            if let Some(initial) = &initial {
                sink.put(&name, &Tensor::from_slice(&parameter.shape, initial))?;
            }
            weights.push(initial);
        }
        let known = known(trace, &plan);
        // Without W_0 the start does not matter: the first norm is below +inf, and moves the rewind point.
        let start = |(p, parameter): &(usize, &TracedParameter)| {
            let zeros = || vec![0.0; parameter.range.len()];
            shaped(parameter, &weights[*p].clone().unwrap_or_else(zeros))
        };
        let initial: Vec<ArrayD<f64>> = known.iter().map(start).collect::<Result<_>>()?;
        Ok(Self {
            rewind: RewindPoint::new(trace.header.reading.rewind_copy, &views(&initial)),
            mask: Some(vec![true; trace.weights()]),
            buffers: vec![Vec::new(); trace.parameters().len()],
            steps: 0,
            done: 0,
            trace,
            plan,
            sink,
            progress,
            weights,
        })
    }

    pub(super) fn into_notes(self) -> Vec<String> {
        self.plan.notes
    }

    /// One gradient more is read.
    pub(super) fn advance(&mut self) {
        self.done += 1;
        (self.progress)(self.done, self.plan.gradients);
    }

    /// Replays epoch `k`.
    pub(super) fn epoch(&mut self, k: usize) -> Result<()> {
        let (trace, reading) = (self.trace, self.trace.header.reading);
        let alive = self.alive(k)?;
        if alive.is_none() && reading.masked_gradient != MaskedGradient::Dense {
            return Err(unknown_mask(trace, k, reading.masked_gradient));
        }
        self.copy_batches(k)?;
        let passed = self.pass(k, alive.as_deref())?;
        self.steps += trace.batches(k);
        let before = self.weights_before(k, passed.weights, alive.as_deref())?;

        let hyper = &trace.header.hyper;
        let s_abs = self.settled(k, "S_abs", Ok(passed.s_abs.value()))?; // Eq. 1
        let g = passed.g; // Eq. 2
        let s_sq = self.settled(k, "S_sq", Ok(sum_of_squares(&g)))?; // Eq. 3
        let s_f = self.settled(k, "S_F", frobenius_norm(s_sq))?; // Eq. 4
        let min_before = self.rewind.minimum();
        if reading.rewind_update == RewindUpdate::BeforePruning {
            self.observe(k, s_f, &before)?; // Alg. 4
        }
        let alpha = self.settled(k, "alpha", prune_rate(k, hyper.epochs, hyper.alpha_0, hyper.alpha_end))?; // Eq. 8
        let everything = vec![true; g.len()];
        let set = alive.as_deref().unwrap_or(&everything);
        let selection = select_weights(&g, set, alpha, hyper.chunks, &reading).map_err(|e| self.placed(k, "tau", e))?;
        let t = self.plan.knows_rewind.then(|| self.decay_step(k)).transpose()?;

        for (quantity, value) in [("S_abs", s_abs), ("S_sq", s_sq), ("S_F", s_f)] {
            self.put_scalar(k, quantity, value)?;
        }
        match trace.header.method {
            TracedMethod::Gdstar => self.put_scalar(k, "min_before", min_before)?,
            TracedMethod::Reset | TracedMethod::FixedRewind => {}
            TracedMethod::RandomRewind => self.copy_draw(k)?,
        }
        self.put_flat(k, "G", &g)?;
        self.put_scalar(k, "alpha", alpha)?;
        self.put_selection(k, &selection)?;
        t.map(|t| self.put_scalar(k, "t", t as i64)).transpose()?;
        if let Some(alive) = &alive {
            self.put_flags(k, "mask_before", alive)?;
        }
        let (after, mask) = match t {
            Some(t) => self.decay(k, t, &before, &selection.selected, alive)?, // Eq. 9, Alg. 6
            None => (before.clone(), None),
        };
        self.forget_selected(&selection.selected);
        if reading.rewind_update == RewindUpdate::AfterPruning {
            self.observe(k, s_f, &after)?;
        }
        if self.plan.knows_rewind {
            self.put_scalar(k, "k_star", self.rewind.k_star() as i64)?;
        }
        self.put_weights(k, &before, &after)?;
        if let Some(mask) = &mask {
            self.put_flags(k, "mask", mask)?;
        }
        self.mask = mask;
        Ok(())
    }

    /// Which weights are alive before an epoch, flat over W: as the input says, else as the epoch before left them.
    fn alive(&mut self, k: usize) -> Result<Option<Vec<bool>>> {
        let mut alive = Vec::with_capacity(self.trace.weights());
        let mut differing = 0;
        for parameter in self.trace.prunable() {
            let own = self.mask.as_ref().map(|mask| &mask[parameter.range.clone()]);
            let recorded = recorded_mask(self.trace, k, parameter)?;
            if let (Some(recorded), Some(own)) = (&recorded, own) {
                differing += recorded.iter().zip(own).filter(|(recorded, own)| recorded != own).count();
            }
            match (recorded, own) {
                (Some(recorded), _) => alive.extend(recorded),
                (None, Some(own)) => alive.extend(own),
                (None, None) => return Ok(None),
            }
        }
        if differing > 0 {
            self.plan.notes.push(format!(
                "epoch {k}: the input's mask before it differs in {differing} weight(s) from what this replay left; the \
                 input's is used, and `gdstar check` will find the same (alg6)"
            ));
        }
        Ok(Some(alive))
    }

    /// The effective weights at the epoch's end, of every parameter that has them: 0 where eliminated.
    fn weights_before(
        &mut self,
        k: usize,
        mut stepped: Vec<Option<Vec<f64>>>,
        alive: Option<&[bool]>,
    ) -> Result<Vec<ArrayD<f64>>> {
        let mut revived = 0;
        let mut before = Vec::new();
        for (p, parameter) in known(self.trace, &self.plan) {
            let mut weights = match self.plan.sources[p] {
                Source::Recorded => read_finite(self.trace, &of_parameter(k, "weights_before", parameter), parameter)?,
                _ => stepped[p].take().unwrap_or_default(),
            };
            if let (Some(alive), true) = (alive, p < self.trace.prunable().len()) {
                for (w, _) in weights.iter_mut().zip(&alive[parameter.range.clone()]).filter(|(_, alive)| !**alive) {
                    revived += usize::from(*w != 0.0);
                    *w = 0.0;
                }
            }
            before.push(shaped(parameter, &weights)?);
        }
        if revived > 0 {
            let note =
                format!("epoch {k}: {revived} eliminated weight(s) are not 0 in the input's weights_before; 0 is used");
            self.plan.notes.push(note);
        }
        Ok(before)
    }

    /// Alg. 4, or what the method has in its place.
    fn observe(&mut self, k: usize, s_f: f64, weights: &[ArrayD<f64>]) -> Result<()> {
        let observed = match self.trace.header.method {
            TracedMethod::Gdstar => self.rewind.observe(k, s_f, &views(weights)).map(|_| ()),
            TracedMethod::Reset => Ok(()),
            TracedMethod::FixedRewind => match self.trace.header.rewinds_at {
                Some(RewindsAt::Epoch(at)) if at == k => self.rewind.move_to(k, &views(weights)),
                Some(RewindsAt::Step(step)) if step == self.steps => self.rewind.move_to(k, &views(weights)),
                _ => Ok(()),
            },
            TracedMethod::RandomRewind => match self.draw(k)? {
                Some(draw) if draw < self.trace.header.rewind_probability => self.rewind.move_to(k, &views(weights)),
                _ => Ok(()),
            },
        };
        observed.map_err(|e| self.placed(k, "k_star", e))
    }

    /// What random rewind drew in an epoch, if it is recorded.
    pub(super) fn draw(&self, k: usize) -> Result<Option<f64>> {
        let draw = self.trace.scalar(k, "draw")?;
        draw.map(|draw| self.settled(k, "draw", Ok(draw))).transpose()
    }

    /// Line 2 of Alg. 6.
    fn decay_step(&self, k: usize) -> Result<usize> {
        let reading = self.trace.header.reading.decay_step;
        decay_step(reading, k, self.rewind.k_star(), self.steps).map_err(|e| self.placed(k, "t", e))
    }

    /// Alg. 6 on the weights of W.
    fn decay(
        &self,
        k: usize,
        t: usize,
        before: &[ArrayD<f64>],
        selected: &[bool],
        alive: Option<Vec<bool>>,
    ) -> Result<Decayed> {
        let mut after = before.to_vec();
        let (Some(mut mask), true) = (alive, self.plan.knows_weights()) else { return Ok((after, None)) };
        let (hyper, reading) = (&self.trace.header.hyper, &self.trace.header.reading);
        let decay = Decay { lambda: hyper.lambda, t, eps: hyper.eps, threshold: reading.threshold };
        for (i, (parameter, weights)) in self.trace.prunable().iter().zip(&mut after).enumerate() {
            let range = parameter.range.clone();
            let rewind = self.rewind.weights().and_then(|all| all[i].as_slice());
            let Some(weights) = weights.as_slice_mut() else { continue };
            rewind_decay(weights, rewind, &selected[range.clone()], &mut mask[range], &decay)
                .map_err(|e| self.placed(k, &format!("weights_after/{}", parameter.name), e))?;
            for (j, &w) in weights.iter().enumerate() {
                finite(self.trace, || of_parameter(k, "weights_after", parameter), (parameter, j), w)?;
            }
        }
        Ok((after, Some(mask)))
    }

    /// Open point 13: the momentum of selected weights, where the reading sets it to 0.
    fn forget_selected(&mut self, selected: &[bool]) {
        if self.trace.header.reading.momentum_on_prune != MomentumOnPrune::ZeroSelected {
            return;
        }
        for (parameter, buffer) in self.trace.prunable().iter().zip(&mut self.buffers) {
            let selected = &selected[parameter.range.clone()];
            buffer
                .iter_mut()
                .zip(selected)
                .filter(|(_, selected)| **selected)
                .for_each(|(b, _)| *b = DoubleDouble::ZERO);
        }
    }

    /// A quantity that must be finite, or the error that says where it is not.
    fn settled(&self, k: usize, quantity: &str, value: Result<f64>) -> Result<f64> {
        let value = value.map_err(|e| self.placed(k, quantity, e))?;
        if value.is_finite() {
            return Ok(value);
        }
        let place = format!("tensor `epoch/{k}/{quantity}`");
        Err(Error::file(self.trace.path(), place, "a finite number", value))
    }

    /// An equation's error, placed in the trace.
    fn placed(&self, k: usize, quantity: &str, error: Error) -> Error {
        let (name, expected, found) = match error {
            Error::Domain { name, expected, found } => (name, expected, found),
            Error::Shape { place, expected, found, .. } => (place, expected, found),
            other => return other,
        };
        Error::file(self.trace.path(), format!("tensor `epoch/{k}/{quantity}`: {name}"), expected, found)
    }
}

/// The parameters whose weights are known; those of W first, all of them or none.
pub(super) fn known<'t>(trace: &'t Trace, plan: &Plan) -> Vec<(usize, &'t TracedParameter)> {
    trace.parameters().iter().enumerate().filter(|(p, _)| plan.sources[*p] != Source::Unknown).collect()
}

fn shaped(parameter: &TracedParameter, values: &[f64]) -> Result<ArrayD<f64>> {
    ArrayD::from_shape_vec(parameter.shape.as_slice(), values.to_vec())
        .map_err(|e| Error::domain(&parameter.name, format!("shape {:?}", parameter.shape), e))
}

fn views(arrays: &[ArrayD<f64>]) -> Vec<ArrayViewD<'_, f64>> {
    arrays.iter().map(|array| array.view()).collect()
}
