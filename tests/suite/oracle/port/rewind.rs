//! Alg. 4: the running minimum, k* and W_k*; and what other methods have in its place.

use super::fault::Fault;
use super::method::Port;
use super::record::Epoch;
use super::settings::Method;

impl Port<'_> {
    /// What the method does to the rewind point, with `weights` as W.
    pub fn update_rewind(&mut self, epoch: &Epoch, weights: &[Vec<f64>]) {
        match &self.config.method {
            Method::Gdstar => self.alg4(epoch, weights),
            Method::Reset if self.fault == Fault::ResetToFirstNumber => self.k_star = self.config.origin() as i64,
            Method::Reset => {}
            Method::RandomRewind { .. } if self.fault == Fault::DrawIgnored => self.alg4(epoch, weights),
            Method::RandomRewind { .. } if self.fault == Fault::RewindEpochNever => {}
            Method::RandomRewind { probability, .. } => {
                if self.moves_at_random(epoch, *probability) {
                    self.k_star = epoch.k as i64;
                    self.capture(weights);
                }
            }
        }
    }

    /// The draw of an epoch, counted from 0, as the port holds it.
    pub fn draw(&self, index: usize) -> Option<f64> {
        let Method::RandomRewind { draws, .. } = &self.config.method else { return None };
        Some(self.config.arithmetic.unit().round(draws[index % draws.len()]))
    }

    fn moves_at_random(&self, epoch: &Epoch, probability: f64) -> bool {
        let index = epoch.k - self.config.origin();
        let Some(draw) = epoch.draw else { return false };
        match self.fault {
            Fault::DrawGreater => draw > probability,
            Fault::DrawOfOneMinus => 1.0 - draw < probability,
            Fault::DrawOrEqual => draw <= probability,
            Fault::DrawStale => self.draw(index.saturating_sub(1)).is_some_and(|stale| stale < probability),
            _ => draw < probability,
        }
    }

    /// Lines 10 to 14 of Alg. 4.
    fn alg4(&mut self, epoch: &Epoch, weights: &[Vec<f64>]) {
        let k = epoch.k as i64;
        let s_f = match self.fault {
            Fault::MinimumOfSquareSum => epoch.s_sq,
            Fault::MinimumOfAbs => epoch.s_abs,
            _ => epoch.s_f,
        };
        let improves = match self.fault {
            Fault::MinimumOrEqual => s_f <= self.minimum,
            Fault::MinimumGreater => s_f > self.minimum,
            _ => s_f < self.minimum,
        };
        if improves || self.fault == Fault::MinimumIsPrevious {
            self.minimum = if self.fault == Fault::MinimumNotUpdated { self.minimum } else { s_f };
        }
        if improves || self.fault == Fault::RewindEpochAlwaysK {
            self.k_star = match self.fault {
                Fault::RewindEpochMinusOne => (k - 1).max(0),
                Fault::RewindEpochPlusOne => k + 1,
                Fault::RewindEpochNever => self.k_star,
                _ => k,
            };
        }
        if improves {
            self.capture(weights);
        }
    }

    fn capture(&mut self, weights: &[Vec<f64>]) {
        let is_first = self.previous.is_none();
        match self.fault {
            Fault::RewindIsInitial | Fault::RewindEpochNever => {}
            Fault::RewindOnlyFirst if !is_first => {}
            Fault::RewindOfEpochStart => self.rewind.clone_from(&self.start_of_epoch),
            Fault::RewindMissesParameter => {
                let (position, _, _) = self.last_segment();
                let kept = self.rewind[position].clone();
                self.rewind = weights.to_vec();
                self.rewind[position] = kept;
            }
            Fault::RewindNegated => self.rewind = weights.iter().map(|w| w.iter().map(|w| -w).collect()).collect(),
            _ => self.rewind = weights.to_vec(),
        }
    }

    /// Slips that touch W_k* in epochs without a new minimum too, after Alg. 6.
    pub fn spoil_rewind(&mut self) {
        match self.fault {
            Fault::RewindMaskedLater => {
                for (position, start, end) in self.config.segments() {
                    for (w, &alive) in self.rewind[position].iter_mut().zip(&self.mask[start..end]) {
                        *w = if alive { *w } else { 0.0 };
                    }
                }
            }
            Fault::RewindDecayedInPlace => {
                let unit = self.config.arithmetic.unit();
                self.rewind.iter_mut().flatten().for_each(|w| *w = unit.mul(*w, self.config.hyper.lambda));
            }
            _ => {}
        }
    }
}
