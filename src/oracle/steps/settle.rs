//! The second part of a step: what an update makes of the weights and momentum that the first part left.

use super::descend::First;
use super::desk::Desk;
use super::left::Operands;
use super::near::{Arrays, Known, Masks, Near, Reals};
use super::slips::Slip;
use crate::error::Result;
use crate::select::update::{GrownMomentum, GrownWeights, InactiveMomentum, Regrown};

/// What an update decided of W; the mask before where nothing was.
pub(crate) struct Update {
    pub(crate) mask: Masks,
    /// What the drop kept; `None` of methods that grow nothing.
    pub(crate) kept: Option<Masks>,
}

/// What an update does to a weight.
#[derive(Clone, Copy)]
enum Fate {
    /// It was active and is.
    Stays,
    Grown,
    Inactive,
}

impl Desk<'_> {
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
                    _ if self.differs(fate) => Near::ANY,
                    Fate::Stays if self.rules.has(Slip::SurvivorsBefore) => {
                        before.as_ref().map_err(Clone::clone)?.at(j)
                    }
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
            _ if self.differs(fate) => Near::ANY,
            Fate::Stays => v.at(j),
            Fate::Grown if keeps_grown => v.at(j),
            Fate::Inactive if !clears => v.at(j),
            Fate::Grown | Fate::Inactive => Near::ZERO,
        };
        Ok(fates.into_iter().enumerate().map(value).collect())
    }

    /// Whether nothing is said of such weights.
    fn differs(&self, fate: Fate) -> bool {
        self.rules.has(match fate {
            Fate::Stays => Slip::SurvivorsDiffer,
            Fate::Grown => Slip::GrownDiffer,
            Fate::Inactive => Slip::InactiveDiffer,
        })
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
