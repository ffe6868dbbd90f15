//! [`Operands`]: what a step finds, as recorded or as the step before left it.

use super::desk::Desk;
use super::near::{Arrays, Flags, Known, Masks, Near, Reals};
use super::state::{Left, Whole};
use crate::error::Result;
use crate::oracle::interval::Interval;
use std::rc::Rc;

impl Left {
    /// Before the first step: W_0 under the first mask, no momentum, no sums.
    pub(crate) fn at_start(desk: &Desk) -> Self {
        let whole: &Whole = desk.whole;
        let prunable = desk.prunable().len();
        let weights = whole.init.iter().enumerate().map(|(p, init)| match whole.mask.get(p).filter(|_| p < prunable) {
            Some(mask) => Ok(masked(init.as_ref().map_err(Clone::clone)?, mask.as_ref().map_err(Clone::clone)?)),
            None => init.clone(),
        });
        let zeros = |p: &crate::trace::TracedParameter| Ok(Reals::all(0.0, p.range.len()));
        Self {
            t: None,
            weights: weights.collect(),
            momentum: desk.parameters().iter().map(zeros).collect(),
            mask: whole.mask.clone(),
            accumulated: desk.prunable().iter().map(zeros).collect(),
            backward: Vec::new(),
            quantile: Ok(Near::exact(desk.rules.real("dumique_start"))),
            candidates: Vec::new(),
        }
    }

    /// Whether it is what stands before step `t`.
    fn precedes(&self, t: usize) -> bool {
        match self.t {
            None => t == 0,
            Some(last) => last + 1 == t,
        }
    }
}

/// These numbers where the mask is 1, 0 elsewhere.
pub(crate) fn masked(values: &Reals, mask: &Flags) -> Reals {
    match values {
        Reals::Recorded { values, relative, absolute } => {
            let values = values.iter().zip(mask.iter()).map(|(&x, &active)| if active { x } else { 0.0 }).collect();
            Reals::Recorded { values: Rc::new(values), relative: *relative, absolute: *absolute }
        }
        Reals::Derived(values) => {
            values.iter().zip(mask.iter()).map(|(&x, &active)| if active { x } else { Near::ZERO }).collect()
        }
    }
}

/// What a step finds.
pub(crate) struct Operands {
    pub(crate) weights: Arrays,
    pub(crate) momentum: Arrays,
    pub(crate) mask: Masks,
}

impl Desk<'_> {
    /// Weights, momentum and mask before the step, each as recorded, else as the step before left it; label `carry`.
    pub(crate) fn operands(&mut self) -> Result<Operands> {
        let (left, n) = (self.left, self.parameters().len());
        let consecutive = left.precedes(self.step());
        let mut weights = Vec::with_capacity(n);
        let mut momentum = Vec::with_capacity(n);
        for p in 0..n {
            weights.push(self.carried(
                "weights_before",
                "weights_after",
                p,
                consecutive.then(|| left.weights[p].clone()),
            )?);
            let before = consecutive.then(|| left.momentum[p].clone());
            let found = self.carried("momentum_before", "momentum", p, before)?;
            // Without momentum v has no part in a step; that a port which has it all the same finds 0 is not said.
            let zeros = || Reals::all(0.0, self.parameters()[p].range.len());
            let is_free = self.rules.momentum() == 0.0 && self.is_replay();
            momentum.push(if is_free { Ok(found.unwrap_or_else(|_| zeros())) } else { found });
        }
        Ok(Operands { weights, momentum, mask: self.masks()? })
    }

    /// The step's index; 0 of what belongs to the whole.
    pub(crate) fn step(&self) -> usize {
        self.t.unwrap_or_default()
    }

    /// An operand of a parameter, held to what the step before left where that is recorded.
    pub(crate) fn carried(
        &mut self,
        quantity: &str,
        result: &str,
        p: usize,
        left: Option<Known<Reals>>,
    ) -> Result<Known<Reals>> {
        let recorded = self.operand(quantity, p)?;
        let left = left.unwrap_or_else(|| Err(format!("needs `{}`", self.name_of(quantity, p))));
        let Ok(recorded) = recorded else { return Ok(left) };
        let is_exact = |left: &Reals| left.is_recorded() || left.iter().all(|x| x.value().is_some());
        if let Some(left) = left.as_ref().ok().filter(|left| is_exact(left) && !self.trace.header.replayed) {
            let source = match self.left.t {
                Some(t) => format!("step/{t}/{result}/{}", self.parameters()[p].name),
                None => format!("init/{}", self.parameters()[p].name),
            };
            let name = self.name_of(quantity, p);
            let apart = self.trace.storage_difference(&name, &source);
            self.compare_carry(&name, p, &recorded, |j| left.at(j).interval().widened(apart));
        }
        Ok(Ok(recorded))
    }

    /// The masks before the step: as recorded, else as the last recorded step left them, if nothing was due in between.
    pub(crate) fn masks(&mut self) -> Result<Masks> {
        let from = self.left.t.map_or(0, |t| t + 1);
        let is_left = !(from..self.step()).any(|t| self.rules.is_due(t));
        let mut masks = Vec::new();
        for p in 0..self.prunable().len() {
            let name = self.name_of("mask_before", p);
            let left = match is_left {
                true => self.left.mask[p].clone(),
                false => Err(format!("needs `{name}`")),
            };
            let recorded = self.mask_operand("mask_before", p)?;
            let Some(recorded) = recorded else {
                masks.push(left);
                continue;
            };
            if let Some(left) = left.ok().filter(|_| !self.trace.header.replayed) {
                let numbers = Reals::Recorded {
                    values: Rc::new(recorded.iter().map(|&flag| f64::from(u8::from(flag))).collect()),
                    relative: 0.0,
                    absolute: 0.0,
                };
                self.compare_carry(&name, p, &numbers, |j| Interval::exact(f64::from(u8::from(left[j]))));
            }
            masks.push(Ok(recorded));
        }
        Ok(masks)
    }

    fn compare_carry(&mut self, name: &str, p: usize, found: &Reals, expected: impl Fn(usize) -> Interval) {
        let place = self.place(name);
        let parameter = &self.parameters()[p];
        let Some(outcome) = self.outcome("carry") else { return };
        for j in 0..found.len() {
            outcome.compared += 1;
            let (got, expected) = (found.at(j).rounded(), expected(j));
            if !expected.contains(got) {
                outcome.diverges_at(&place, parameter.index(j), got, expected);
            }
        }
    }
}
