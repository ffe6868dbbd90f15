//! The first part of a step: SGD, under a mask or of all weights; and what an update makes of its results.

use super::desk::{Arrays, Desk, Known, Masks};
use super::left::Operands;
use super::near::{Flags, Near, Reals};
use super::slips::Slip;
use crate::error::Result;
use crate::select::update::{GrownMomentum, GrownWeights, InactiveMomentum, Regrown};

/// What the first part left.
pub(crate) struct First {
    pub(crate) between: Arrays,
    /// v, of all weights.
    pub(crate) momentum: Arrays,
}

/// What an update decided of W; the mask before where nothing was.
pub(crate) struct Update {
    pub(crate) mask: Masks,
    /// What the drop kept; `None` of methods that grow nothing.
    pub(crate) kept: Option<Masks>,
}

/// An entry in a step.
#[derive(Clone, Copy)]
struct Entry {
    w: Near,
    v: Near,
    g: Near,
    /// A penalty's share of the gradient.
    r: Near,
    active: bool,
}

impl Desk<'_> {
    /// The learning rate of the step.
    pub(crate) fn rate(&mut self) -> Result<Known<Near>> {
        let recorded = self.number("lr")?;
        let header = self.rules.lr.map(Near::exact);
        Ok(recorded.or_else(|reason| header.ok_or(format!("{reason} (or `lr` in `hyper`)"))))
    }

    /// A parameter's gradient, as the port may have used it.
    pub(crate) fn gradient(&mut self, p: usize) -> Result<Known<Reals>> {
        let u_in = self.rules.arithmetic.u_in;
        let given = self.operand("grad", p)?;
        Ok(given.map(|g| if u_in > 0.0 { g.iter().map(|g| g.give(u_in * g.size())).collect() } else { g }))
    }

    /// `v <- mu v + m (g + wd w)`, `w <- m (w - eta v)`; without a mask, of all weights. What is `skipped` stays as it is.
    /// The weights are the result `quantity` of label `label`.
    pub(crate) fn descend(
        &mut self,
        (label, quantity): (&str, &str),
        operands: &Operands,
        mask: Option<&[Known<Flags>]>,
        skipped: bool,
    ) -> Result<First> {
        let rate = self.rate()?;
        let mut first = First { between: Vec::new(), momentum: Vec::new() };
        for p in 0..self.parameters().len() {
            let active = mask.and_then(|mask| mask.get(p));
            let (weights, momentum) = if skipped {
                (operands.weights[p].clone(), operands.momentum[p].clone())
            } else {
                match self.followed(p, operands, active, &rate)? {
                    Ok((weights, momentum)) => (weights, momentum),
                    Err(reason) => (Err(reason.clone()), Err(reason)),
                }
            };
            first.between.push(self.real(label, quantity, p, None, weights)?);
            first.momentum.push(momentum);
        }
        Ok(first)
    }

    /// A parameter's weights and momentum after SGD.
    fn followed(
        &mut self,
        p: usize,
        operands: &Operands,
        mask: Option<&Known<Flags>>,
        rate: &Known<Near>,
    ) -> Result<Known<(Known<Reals>, Known<Reals>)>> {
        let g = self.gradient(p)?;
        let decay = self.rules.decay(&self.parameters()[p].name);
        let known = || -> Known<(Known<Reals>, Known<Reals>)> {
            self.rules.descends.clone()?;
            let (w, g) = (operands.weights[p].clone()?, g?);
            let mask = mask.cloned().transpose()?;
            let entry = |j: usize, v: Near| Entry {
                w: w.at(j),
                v,
                g: g.at(j),
                r: Near::ZERO,
                active: mask.as_ref().is_none_or(|mask| mask[j]),
            };
            let v = self.velocity(p, operands)?;
            let step = |j: usize, v: Near| self.entry_step(entry(j, v), decay, rate.as_ref().ok().copied());
            let momentum: Reals = (0..w.len()).map(|j| step(j, v.at(j)).1).collect();
            let weights = match rate {
                Ok(_) => Ok((0..w.len()).map(|j| step(j, v.at(j)).0).collect()),
                Err(reason) => Err(reason.clone()),
            };
            Ok((weights, Ok(momentum)))
        };
        Ok(known())
    }

    /// The momentum before a step; where it has no part in it, any.
    fn velocity(&self, p: usize, operands: &Operands) -> Known<Reals> {
        match operands.momentum[p].clone() {
            Err(_) if self.rules.momentum == 0.0 => Ok(Reals::all(0.0, self.parameters()[p].range.len())),
            known => known,
        }
    }

    /// Weight and momentum of one entry after SGD.
    ///
    /// Bounds (section 9): 9 u (|w| + eta (mu |v| + |g| + wd |w| + 2 |r|)) of the weight, 7 u of the momentum's part of it,
    /// and one underflow for each of their at most eight operations.
    fn entry_step(&self, Entry { w, v, g, r, active }: Entry, decay: f64, rate: Option<Near>) -> (Near, Near) {
        let (u, underflow) = (self.rules.arithmetic.u(), self.rules.arithmetic.underflow());
        let mu = self.rules.momentum;
        let decayed = if self.rules.has(Slip::DecoupledDecay) { Near::ZERO } else { w.scaled(decay) };
        let pull = if active || self.rules.has(Slip::UnmaskedStep) { g.plus(decayed).plus(r) } else { Near::ZERO };
        let damped = if self.rules.has(Slip::Dampened) { pull.scaled(1.0 - mu) } else { pull };
        let v_next = v.scaled(mu).plus(damped);
        let size = mu * v.size() + g.size() + decay * w.size() + 2.0 * r.size();
        let eta = rate.unwrap_or(Near::ZERO);
        let direction = if self.rules.has(Slip::Nesterov) { v_next.scaled(mu).plus(pull) } else { v_next };
        let mut moved = w.minus(direction.times(eta));
        if self.rules.has(Slip::DecoupledDecay) {
            moved = moved.minus(w.scaled(decay).times(eta));
        }
        let error = 9.0 * u * (w.size() + eta.size() * size) + 8.0 * underflow * (1.0 + eta.size());
        let w_next = if active || self.rules.has(Slip::UnmaskedStep) { moved.give(error) } else { Near::ZERO };
        let error = 7.0 * u * size + 8.0 * underflow;
        let v_next = match (active, self.rules.choice::<InactiveMomentum>()) {
            (true, _) => v_next.give(error),
            (false, InactiveMomentum::Zero) => Near::ZERO,
            (false, InactiveMomentum::Decay) => v.scaled(mu).give(error),
            (false, InactiveMomentum::Dense) => v.scaled(mu).plus(g).give(error),
        };
        (w_next, v_next)
    }

    /// SGD with a penalty where `moves`, nothing elsewhere: weights stay, momentum is 0.
    pub(crate) fn descend_within(
        &mut self,
        p: usize,
        operands: &Operands,
        rate: &Known<Near>,
        penalty: &dyn Fn(usize, Near) -> Near,
        moves: &dyn Fn(usize) -> bool,
    ) -> Result<Known<(Reals, Reals)>> {
        let g = self.gradient(p)?;
        let decay = self.rules.decay(&self.parameters()[p].name);
        let known = || -> Known<(Reals, Reals)> {
            self.rules.descends.clone()?;
            let (w, v, g) = (operands.weights[p].clone()?, self.velocity(p, operands)?, g?);
            let rate = rate.clone()?;
            let step = |j: usize| {
                if !moves(j) {
                    return (w.at(j), Near::ZERO);
                }
                let entry = Entry { w: w.at(j), v: v.at(j), g: g.at(j), r: penalty(j, w.at(j)), active: true };
                self.entry_step(entry, decay, Some(rate))
            };
            let (weights, momentum): (Vec<Near>, Vec<Near>) = (0..w.len()).map(step).unzip();
            Ok((Reals::from_iter(weights), Reals::from_iter(momentum)))
        };
        Ok(known())
    }

    /// After an update under a mask: labels `weights` and `momentum`.
    pub(crate) fn settle(&mut self, operands: &Operands, first: &First, update: &Update) -> Result<(Arrays, Arrays)> {
        let prunable = self.prunable().len();
        let (mut weights, mut momentum) = (Vec::new(), Vec::new());
        for p in 0..self.parameters().len() {
            if p >= prunable {
                weights.push(self.real("weights", "weights_after", p, None, first.between[p].clone())?);
                continue;
            }
            let fresh = match self.rules.choice::<GrownWeights>() {
                GrownWeights::Zero => Err(String::new()),
                GrownWeights::Draw => self.operand("fresh", p)?,
            };
            let (expected, at) = self.weights_after(p, operands, first, update, &fresh);
            let found = self.real("weights", "weights_after", p, at.as_deref(), expected)?;
            let is_whole = at.is_none() || found.as_ref().is_ok_and(Reals::is_recorded);
            weights.push(if is_whole { found } else { Err(format!("needs `{}`", self.name_of("fresh", p))) });
        }
        for p in 0..self.parameters().len() {
            let expected =
                if p >= prunable { first.momentum[p].clone() } else { self.momentum_after(p, operands, first, update) };
            momentum.push(self.real("momentum", "momentum", p, None, expected)?);
        }
        Ok((weights, momentum))
    }

    /// The weights after an update, and which of them are known, where not all are: what is drawn may not be recorded.
    fn weights_after(
        &self,
        p: usize,
        operands: &Operands,
        first: &First,
        update: &Update,
        fresh: &Known<Reals>,
    ) -> (Known<Reals>, Option<Vec<bool>>) {
        let draws = self.rules.choice::<GrownWeights>() == GrownWeights::Draw;
        let mut at = None;
        let mut known = || -> Known<Reals> {
            let (between, fates) = (first.between[p].clone()?, self.fates(p, operands, update)?);
            let before = operands.weights[p].clone();
            if draws && fresh.is_err() && fates.iter().any(|fate| matches!(fate, Fate::Grown)) {
                at = Some(fates.iter().map(|fate| !matches!(fate, Fate::Grown)).collect());
            }
            let value = |(j, fate): (usize, Fate)| -> Known<Near> {
                Ok(match fate {
                    Fate::Stays => between.at(j),
                    Fate::Inactive if self.rules.has(Slip::DroppedKeepsWeight) => between.at(j),
                    Fate::Inactive => Near::ZERO,
                    Fate::Grown if self.rules.has(Slip::GrownKeepsOldWeight) => {
                        before.as_ref().map_err(Clone::clone)?.at(j)
                    }
                    Fate::Grown if draws => fresh.as_ref().map_or(Near::ZERO, |fresh| fresh.at(j)),
                    Fate::Grown => Near::ZERO,
                })
            };
            fates.into_iter().enumerate().map(value).collect::<Known<Vec<Near>>>().map(Reals::from_iter)
        };
        let expected = known();
        (expected, at)
    }

    fn momentum_after(&self, p: usize, operands: &Operands, first: &First, update: &Update) -> Known<Reals> {
        let v = first.momentum[p].clone()?;
        let fates = self.fates(p, operands, update)?;
        let keeps_grown = self.rules.choice::<GrownMomentum>() == GrownMomentum::Keep;
        let clears = self.rules.choice::<InactiveMomentum>() == InactiveMomentum::Zero
            && !self.rules.has(Slip::DroppedKeepsMomentum);
        let value = |(j, fate): (usize, Fate)| match fate {
            Fate::Stays => v.at(j),
            Fate::Grown if keeps_grown => v.at(j),
            Fate::Inactive if !clears => v.at(j),
            Fate::Grown | Fate::Inactive => Near::ZERO,
        };
        Ok(fates.into_iter().enumerate().map(value).collect())
    }

    /// What becomes of every weight of a parameter.
    fn fates(&self, p: usize, operands: &Operands, update: &Update) -> Known<Vec<Fate>> {
        let (before, now) = (operands.mask[p].clone()?, update.mask[p].clone()?);
        let as_grown = self.rules.choice::<Regrown>() == Regrown::AsGrown;
        // Whether a weight that stays active was dropped on the way matters only where it is then treated as new.
        let kept = match &update.kept {
            Some(kept) if as_grown => Some(kept[p].clone()?),
            _ => None,
        };
        let fate = |j: usize| match (before[j], now[j]) {
            (_, false) => Fate::Inactive,
            (false, true) => Fate::Grown,
            (true, true) if kept.as_ref().is_some_and(|kept| !kept[j]) => Fate::Grown,
            (true, true) => Fate::Stays,
        };
        Ok((0..now.len()).map(fate).collect())
    }
}

/// What an update does to a weight.
#[derive(Clone, Copy)]
enum Fate {
    /// It was active and is.
    Stays,
    Grown,
    Inactive,
}
