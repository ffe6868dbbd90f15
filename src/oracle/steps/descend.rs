//! The first part of a step: SGD, under a mask or of all weights.

use super::desk::Desk;
use super::left::Operands;
use super::near::{Arrays, Flags, Known, Near, Reals};
use super::slips::Slip;
use crate::error::Result;
use crate::select::update::InactiveMomentum;

/// What the first part left.
pub(crate) struct First {
    pub(crate) between: Arrays,
    /// v, of all weights.
    pub(crate) momentum: Arrays,
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
            let stays = p >= self.prunable().len() && self.rules.has(Slip::OthersStay);
            let (weights, momentum) = if skipped || stays {
                (operands.weights[p].clone(), operands.momentum[p].clone())
            } else {
                match self.followed(p, quantity, operands, active, &rate)? {
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
        quantity: &str,
        operands: &Operands,
        mask: Option<&Known<Flags>>,
        rate: &Known<Near>,
    ) -> Result<Known<(Known<Reals>, Known<Reals>)>> {
        let g = self.gradient(p)?;
        let recorded = match self.rules.has(Slip::OtherRate) {
            true => self.trace.floats(&self.name_of(quantity, p))?,
            false => None,
        };
        let decay = self.decay(p);
        let known = || -> Known<(Known<Reals>, Known<Reals>)> {
            self.rules.descends.clone()?;
            let (w, g) = (operands.weights[p].clone()?, g?);
            let mask = mask.cloned().transpose()?;
            let v = self.velocity(p, operands)?;
            let entry = |j: usize| Entry {
                w: w.at(j),
                v: v.at(j),
                g: g.at(j),
                r: Near::ZERO,
                active: mask.as_ref().is_none_or(|mask| mask[j]),
            };
            let step = |j: usize, rate: Option<Near>| self.entry_step(entry(j), decay, rate);
            let momentum: Reals = (0..w.len()).map(|j| step(j, rate.as_ref().ok().copied()).1).collect();
            let rate = match recorded {
                Some(recorded) => {
                    let is_active = |j: usize| mask.as_ref().is_none_or(|mask| mask[j]);
                    let ways = (0..w.len()).map(|j| self.unscaled_way(entry(j), decay)).collect();
                    Ok(self.fitted_rate(&w, &ways, &recorded, &is_active))
                }
                None => rate.clone(),
            };
            let weights = rate.map(|rate| (0..w.len()).map(|j| step(j, Some(rate)).0).collect());
            Ok((weights, Ok(momentum)))
        };
        Ok(known())
    }

    /// The learning rate by which the weight went that has the longest way.
    fn fitted_rate(&self, w: &Reals, ways: &Reals, moved: &[f64], is_active: &dyn Fn(usize) -> bool) -> Near {
        let u = self.rules.arithmetic.u();
        let all = (0..moved.len()).filter(|&j| is_active(j));
        let Some(j) = all.max_by(|&i, &j| ways.at(i).size().total_cmp(&ways.at(j).size())) else { return Near::ZERO };
        let way = w.at(j).minus(Near::exact(moved[j]));
        way.give(2.0 * u * (w.at(j).size() + way.size())).over(ways.at(j), u)
    }

    /// Weight decay of a parameter.
    fn decay(&self, p: usize) -> f64 {
        self.rules.decay(&self.parameters()[p].name, p < self.prunable().len())
    }

    /// The momentum before a step; where it has no part in it, any.
    fn velocity(&self, p: usize, operands: &Operands) -> Known<Reals> {
        match operands.momentum[p].clone() {
            Err(_) if self.rules.momentum() == 0.0 => Ok(Reals::all(0.0, self.parameters()[p].range.len())),
            known => known,
        }
    }

    /// Weight and momentum of one entry after SGD.
    ///
    /// Bounds (section 9): 9 u (|w| + eta (mu |v| + |g| + wd |w| + 2 |r|)) of the weight, 7 u of the momentum's part of it,
    /// and one underflow for each of their at most eight operations. Nesterov's way, d = (g + wd w + r) + mu v' with v' the new
    /// momentum, is off by 5 u of its first summand, by 7 u of v' and 2 u for mu and the product of the second, and by a
    /// rounding of their sum: with S for what stands behind 9 u eta, at most (5 + 9 mu + 1 + mu) u S <= 8 u (1 + mu) S. Then
    /// come eta, the product and the subtraction: 11 u (|w| + eta (1 + mu) S), of ten operations.
    fn entry_step(&self, Entry { w, v, g, r, active }: Entry, decay: f64, rate: Option<Near>) -> (Near, Near) {
        let rules = self.rules;
        let (u, underflow, mu) = (rules.arithmetic.u(), rules.arithmetic.underflow(), rules.momentum());
        let eta = rate.unwrap_or(Near::ZERO);
        let size = mu * v.size() + g.size() + decay * w.size() + 2.0 * r.size();
        let (roundings, operations, way) =
            if rules.nesterov() { (11.0, 10.0, (1.0 + mu) * size) } else { (9.0, 8.0, size) };
        let (of_weight, of_momentum) = (
            roundings * u * (w.size() + eta.size() * way) + operations * underflow * (1.0 + eta.size()),
            7.0 * u * size + 8.0 * underflow,
        );
        if !active && !rules.has(Slip::UnmaskedStep) {
            let v_next = match rules.choice::<InactiveMomentum>() {
                _ if rules.has(Slip::InactiveDiffer) => return (Near::ANY, Near::ANY),
                InactiveMomentum::Zero => Near::ZERO,
                InactiveMomentum::Decay => v.scaled(mu).give(of_momentum),
                InactiveMomentum::Dense => v.scaled(mu).plus(g).give(of_momentum),
            };
            return (Near::ZERO, v_next);
        }
        let (step, v_next) = self.way(Entry { w, v, g, r, active }, decay, eta);
        (w.minus(step).give(of_weight), v_next.give(of_momentum))
    }

    /// What the learning rate multiplies, as a port may have it: its momentum, or 2 u of a rate fewer than
    /// [`Desk::entry_step`] has of Nesterov's way.
    fn unscaled_way(&self, entry: Entry, decay: f64) -> Near {
        let (mu, Entry { w, v, g, r, .. }) = (self.rules.momentum(), entry);
        let size = mu * v.size() + g.size() + decay * w.size() + 2.0 * r.size();
        let u = self.rules.arithmetic.u();
        let error = if self.rules.nesterov() { 8.0 * u * (1.0 + mu) * size } else { 7.0 * u * size };
        self.way(entry, decay, Near::exact(1.0)).0.give(error + 8.0 * self.rules.arithmetic.underflow())
    }

    /// What is subtracted from a weight that moves, and its momentum.
    fn way(&self, Entry { w, v, g, r, .. }: Entry, decay: f64, eta: Near) -> (Near, Near) {
        let mu = self.rules.momentum();
        let decayed = w.scaled(decay);
        let among = [Slip::DecoupledDecay, Slip::Dampened, Slip::DampenedGradient, Slip::Ascent, Slip::RateInVelocity];
        let slip = self.rules.slip(&among);
        let pull = match slip {
            Some(Slip::DecoupledDecay) => g.plus(r),
            Some(Slip::Dampened) => g.plus(decayed).plus(r).scaled(1.0 - mu),
            Some(Slip::DampenedGradient) => g.scaled(1.0 - mu).plus(decayed).plus(r),
            Some(Slip::Ascent) => g.negated().plus(decayed).plus(r),
            Some(Slip::RateInVelocity) => g.plus(decayed).plus(r).times(eta),
            _ => g.plus(decayed).plus(r),
        };
        let v_next = v.scaled(mu).plus(pull);
        let ahead = if self.rules.nesterov() { v_next.scaled(mu).plus(pull) } else { v_next };
        let step = match slip {
            Some(Slip::DecoupledDecay) => ahead.plus(decayed).times(eta),
            Some(Slip::RateInVelocity) => ahead,
            _ => ahead.times(eta),
        };
        (step, v_next)
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
        if p >= self.prunable().len() && self.rules.has(Slip::OthersStay) {
            let (w, v) = (operands.weights[p].clone(), operands.momentum[p].clone());
            return Ok(w.and_then(|w| v.map(|v| (w, v))));
        }
        let g = self.gradient(p)?;
        let recorded = match self.rules.has(Slip::OtherRate) {
            true => self.trace.floats(&self.name_of("weights_after", p))?,
            false => None,
        };
        let decay = self.decay(p);
        let known = || -> Known<(Reals, Reals)> {
            self.rules.descends.clone()?;
            let (w, v, g) = (operands.weights[p].clone()?, self.velocity(p, operands)?, g?);
            let entry = |j: usize| Entry { w: w.at(j), v: v.at(j), g: g.at(j), r: penalty(j, w.at(j)), active: true };
            let step = |j: usize, rate: Near| match moves(j) {
                true => self.entry_step(entry(j), decay, Some(rate)),
                false => self.outside(w.at(j), v.at(j)),
            };
            let rate = rate.clone()?;
            let (weights, momentum): (Vec<Near>, Vec<Near>) = (0..w.len()).map(|j| step(j, rate)).unzip();
            let momentum = Reals::from_iter(momentum);
            let weights = match recorded {
                Some(recorded) => {
                    let ways = (0..w.len()).map(|j| self.unscaled_way(entry(j), decay)).collect();
                    let rate = self.fitted_rate(&w, &ways, &recorded, moves);
                    (0..w.len()).map(|j| step(j, rate).0).collect()
                }
                None => weights,
            };
            Ok((Reals::from_iter(weights), momentum))
        };
        Ok(known())
    }

    /// Outside B: the weight stays, without momentum.
    fn outside(&self, w: Near, v: Near) -> (Near, Near) {
        let among =
            [Slip::OutsideCleared, Slip::OutsideKeepsMomentum, Slip::OutsideDecaysMomentum, Slip::InactiveDiffer];
        match self.rules.slip(&among) {
            Some(Slip::OutsideCleared) => (Near::ZERO, Near::ZERO),
            Some(Slip::OutsideKeepsMomentum) => (w, v),
            Some(Slip::OutsideDecaysMomentum) => {
                let (u, v) = (self.rules.arithmetic.u(), v.scaled(self.rules.momentum()));
                (w, v.give(2.0 * u * v.size() + self.rules.arithmetic.underflow()))
            }
            Some(_) => (Near::ANY, Near::ANY),
            None => (w, Near::ZERO),
        }
    }
}
