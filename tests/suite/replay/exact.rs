//! Every equation in exact rationals, on the operands that a trace records.

use crate::common::traces::{Tensors, floats, scalar};
use crate::method_goldens::{count, is_within, quantile, rational, sizes, sum, zero};
use dashu_ratio::Relaxed;
use gdstar::paper::reading::*;
use gdstar::trace::Trace;

/// How far a real quantity may be from its exact value.
const ULPS: u32 = 1;

/// One epoch of a trace.
struct Epoch<'a> {
    who: String,
    trace: &'a Trace,
    all: &'a Tensors,
    k: usize,
}

/// What an epoch leaves to the next.
struct Left {
    minimum: f64,
    k_star: usize,
    rewind: Vec<f64>,
    alive: Vec<f64>,
    steps: usize,
}

/// Asserts every quantity of a full trace.
pub fn verify(who: &str, trace: &Trace, all: &Tensors) {
    let n = trace.weights();
    let init = trace.prunable().iter().flat_map(|p| floats(all, &format!("init/{}", p.name))).collect();
    let mut left = Left { minimum: f64::INFINITY, k_star: 0, rewind: init, alive: vec![1.0; n], steps: 0 };
    for k in trace.epochs() {
        let epoch = Epoch { who: format!("{who}, epoch {k}"), trace, all, k };
        left.steps += trace.batches(k);
        epoch.norms(&left.alive);
        epoch.selection(&left.alive);
        epoch.rewinding_and_decay(&mut left);
    }
}

impl Epoch<'_> {
    fn one(&self, quantity: &str) -> f64 {
        scalar(self.all, &format!("epoch/{}/{quantity}", self.k))
    }

    /// Over W.
    fn flat(&self, quantity: &str) -> Vec<f64> {
        let prunable = self.trace.prunable().iter();
        prunable.flat_map(|p| floats(self.all, &format!("epoch/{}/{quantity}/{}", self.k, p.name))).collect()
    }

    fn near(&self, what: &str, got: f64, exact: &Relaxed) {
        assert!(is_within(got, exact, ULPS), "{}: {what} is {got:e}", self.who);
    }

    fn reading(&self) -> &Reading {
        &self.trace.header.reading
    }

    /// Eq. 1 to 4.
    fn norms(&self, alive: &[f64]) {
        assert_eq!(self.flat("mask_before"), alive, "{}: mask_before", self.who);
        let counted = |j: usize| self.reading().masked_gradient == MaskedGradient::Dense || alive[j] == 1.0;
        let batches: Vec<Vec<Relaxed>> = (0..self.trace.batches(self.k))
            .map(|i| self.flat(&format!("batch/{i}/grad")))
            .map(|b| b.iter().enumerate().map(|(j, &g)| if counted(j) { rational(g) } else { zero() }).collect())
            .collect();
        let sizes: Vec<Relaxed> = batches.iter().flatten().map(|g| if *g < zero() { -g } else { g.clone() }).collect();
        self.near("S_abs", self.one("S_abs"), &sum(&sizes));
        let g = self.flat("G");
        if self.reading().gradient == GradientOf::Loss {
            for (j, &g_j) in g.iter().enumerate() {
                let squares: Vec<Relaxed> = batches.iter().map(|batch| &batch[j] * &batch[j]).collect();
                self.near(&format!("G[{j}]"), g_j, &sum(&squares));
            }
        }
        self.near("S_sq", self.one("S_sq"), &sum(&g.iter().map(|&x| rational(x)).collect::<Vec<_>>()));
        let (s_sq, s_f) = (rational(self.one("S_sq")), self.one("S_F"));
        let square = |x: f64| rational(x.max(0.0)) * rational(x.max(0.0));
        assert!(square(s_f.next_down()) <= s_sq && s_sq <= square(s_f.next_up()), "{}: S_F is {s_f:e}", self.who);
    }

    /// Eq. 8, 6, 7 and 5.
    fn selection(&self, alive: &[f64]) {
        let hyper = &self.trace.header.hyper;
        let (start, end) = (rational(hyper.alpha_0), rational(hyper.alpha_end));
        let alpha = &start + count(self.k) / count(hyper.epochs) * (end - &start);
        self.near("alpha", self.one("alpha"), &alpha);
        let excludes = self.reading().masked_gradient == MaskedGradient::Excluded;
        let g = self.flat("G");
        let set: Vec<f64> = g.iter().zip(alive).filter(|(_, a)| !excludes || **a == 1.0).map(|(&g, _)| g).collect();
        let stored = floats(self.all, &format!("epoch/{}/chunk_quantiles", self.k));
        let alpha = rational(self.one("alpha"));
        let mut start = 0;
        let chunks = if set.is_empty() {
            Vec::new()
        } else {
            sizes(set.len(), hyper.chunks.min(set.len()), self.reading().chunking)
        };
        assert_eq!(stored.len(), chunks.len(), "{}: chunks", self.who);
        for (c, size) in chunks.into_iter().enumerate() {
            let exact = quantile(&set[start..start + size], &alpha, self.reading().quantile);
            self.near(&format!("chunk_quantiles[{c}]"), stored[c], &exact);
            start += size;
        }
        let terms: Vec<Relaxed> = stored.iter().map(|&q| rational(q)).collect();
        let tau = if terms.is_empty() { zero() } else { sum(&terms) / count(terms.len()) };
        self.near("tau", self.one("tau"), &tau);
        for (j, (selected, &g)) in self.flat("selected").into_iter().zip(&g).enumerate() {
            let expected = g < self.one("tau") && (!excludes || alive[j] == 1.0);
            assert_eq!(selected == 1.0, expected, "{}: selected[{j}]", self.who);
        }
    }

    /// Alg. 4, Eq. 9 and Alg. 6.
    fn rewinding_and_decay(&self, left: &mut Left) {
        let (reading, hyper) = (self.reading(), &self.trace.header.hyper);
        let (before, after) = (self.flat("weights_before"), self.flat("weights_after"));
        assert_eq!(self.one("min_before"), left.minimum, "{}: min_before", self.who);
        let moves = self.one("S_F") < left.minimum;
        let old = (left.k_star, left.rewind.clone());
        if moves {
            let captured = if reading.rewind_update == RewindUpdate::AfterPruning { &after } else { &before };
            (left.minimum, left.k_star, left.rewind) = (self.one("S_F"), self.k, captured.clone());
        }
        if reading.rewind_copy == RewindCopy::Alias {
            left.rewind = before.clone();
        }
        assert_eq!(self.one("k_star"), left.k_star as f64, "{}: k*", self.who);
        assert_eq!(self.flat("rewind"), left.rewind, "{}: W_k*", self.who);
        let (k_star, w_star) = match reading.rewind_update {
            RewindUpdate::BeforePruning => (left.k_star, &left.rewind),
            RewindUpdate::AfterPruning => (old.0, &old.1),
        };
        let w_star = if reading.rewind_copy == RewindCopy::Alias { &before } else { w_star };
        let t = match reading.decay_step {
            DecayStep::SinceRewind => self.k - k_star,
            DecayStep::Constant => 1,
            DecayStep::Epoch => self.k,
            DecayStep::Iteration => left.steps,
            DecayStep::RewindEpoch => k_star,
        };
        assert_eq!(self.one("t"), t as f64, "{}: t", self.who);
        let factor = rational(hyper.lambda).pow(t);
        let (selected, mask) = (self.flat("selected"), self.flat("mask"));
        for j in 0..before.len() {
            let who = format!("weights_after[{j}]");
            let judged = selected[j] == 1.0 || reading.threshold == Threshold::All;
            let becomes = if selected[j] == 1.0 { rational(w_star[j]) * &factor } else { rational(before[j]) };
            let alive = left.alive[j] == 1.0;
            if mask[j] == 1.0 {
                assert!(alive && (!judged || after[j].abs() >= hyper.eps), "{}: {who}", self.who);
                self.near(&who, after[j], &becomes);
                assert!(selected[j] == 1.0 || after[j] == before[j], "{}: {who}", self.who);
            } else {
                // Eliminated now: what it would have become lies below eps, but for its own rounding.
                let size = if becomes < zero() { -becomes } else { becomes };
                let below = size <= rational(hyper.eps);
                assert!(after[j] == 0.0 && (!alive || (judged && below)), "{}: {who}", self.who);
            }
        }
        left.alive = mask;
    }
}
