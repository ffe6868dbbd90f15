//! Section 3.3: Eq. 9 and Alg. 6.

use super::arithmetic::Precision;
use super::fault::Fault;
use super::method::Port;
use super::record::Epoch;
use super::settings::{EpsOf, PowerForm, Width};

impl Port<'_> {
    /// Alg. 6 on W: weights, mask and momentum.
    pub fn prune(&mut self, epoch: &Epoch) {
        let live = self.config.flat(&self.weights);
        let mut w = live.clone();
        let mut mask = self.mask.clone();
        let sources = self.sources();
        let factor = self.decay_factor(epoch.t);
        let everything = self.config.reading.is("threshold", "all");
        let (_, last_start, _) = self.last_segment();
        for j in 0..w.len() {
            if !epoch.mask_before[j] {
                w[j] = 0.0;
                mask[j] = self.fault == Fault::MaskResurrected && !epoch.selected[j];
                continue;
            }
            let selected = match self.fault {
                Fault::DecaysUnselectedToo => true,
                Fault::DecaysUnselectedInstead => !epoch.selected[j],
                _ => epoch.selected[j],
            };
            let keeps = if selected {
                let (decayed, keeps) = self.decayed(sources[j], live[j], factor, epoch.t);
                w[j] = decayed;
                keeps
            } else {
                !everything || self.reaches_eps(w[j], w[j])
            };
            mask[j] = keeps;
            if !keeps && self.fault != Fault::EliminatedNotZeroed {
                w[j] = 0.0;
            }
            match self.fault {
                Fault::MaskIsNotSelected => mask[j] = self.mask[j] && !epoch.selected[j],
                Fault::MaskOfNonzeros => mask[j] = w[j] != 0.0,
                Fault::MaskNotUpdated => mask[j] = true,
                Fault::MaskMissesParameter if j >= last_start => mask[j] = true,
                Fault::MaskIgnoresUnselected if !epoch.selected[j] => mask[j] = true,
                _ => {}
            }
        }
        if self.fault == Fault::MaskInverted {
            mask.iter_mut().for_each(|alive| *alive = !*alive);
        }
        self.config.unflatten(&w, &mut self.weights);
        self.mask = mask;
        if self.fault == Fault::DecaysBiases {
            self.decay_biases(factor);
        }
        if !self.config.reading.is("momentum_on_prune", "keep") {
            let selected = self.config.reading.is("momentum_on_prune", "zero-selected");
            self.zero_momentum(|j| selected && epoch.selected[j]);
        }
    }

    /// What Eq. 9 takes as w*: flat over W.
    fn sources(&self) -> Vec<f64> {
        let source = match (self.fault, &self.previous) {
            (Fault::DecaysLiveWeight, _) => &self.weights,
            (Fault::DecaysStartOfEpoch, _) => &self.start_of_epoch,
            (Fault::DecaysStaleRewind, Some(previous)) => &previous.rewind,
            _ if self.config.reading.is("rewind_copy", "alias") => &self.weights,
            _ => &self.rewind,
        };
        self.config.flat(source)
    }

    /// `lambda^t`.
    fn decay_factor(&self, t: i64) -> f64 {
        let forms = &self.config.forms;
        let unit = self.config.arithmetic.width(forms.power_width);
        let lambda = self.decimal(forms.power_width, self.config.hyper.lambda);
        match self.fault {
            Fault::FactorTimesT => return lambda * t as f64,
            Fault::FactorPowerPlusOne => return libm::pow(lambda, t as f64 + 1.0),
            Fault::FactorPowerHalf => return libm::pow(lambda, t as f64 / 2.0),
            Fault::FactorPowerTwice => return libm::pow(lambda, 2.0 * t as f64),
            Fault::FactorExponential => return libm::exp(-lambda * t as f64),
            Fault::FactorLinear => return 1.0 - (1.0 - lambda) * t as f64,
            _ => {}
        }
        let repeated = |t: i64| (0..t).fold(1.0, |power, _| unit.mul(power, lambda));
        match forms.power {
            PowerForm::OnWeight => 1.0,
            PowerForm::Repeated => repeated(t),
            PowerForm::Squaring => {
                let (mut power, mut square, mut rest) = (1.0, lambda, t);
                while rest > 0 {
                    if rest % 2 == 1 {
                        power = unit.mul(power, square);
                    }
                    (square, rest) = (unit.mul(square, square), rest / 2);
                }
                power
            }
            PowerForm::Powf if forms.power_width == Width::Dtype && self.config.arithmetic.dtype == Precision::F32 => {
                f64::from((lambda as f32).powf(t as f32))
            }
            PowerForm::Powf => lambda.powf(t as f64),
        }
    }

    /// `w* lambda^t` rounded, and whether it is at least eps in size.
    fn decayed(&self, w_star: f64, live: f64, factor: f64, t: i64) -> (f64, bool) {
        let forms = &self.config.forms;
        let wide = self.config.arithmetic.width(forms.power_width);
        let lambda = self.decimal(forms.power_width, self.config.hyper.lambda);
        let unrounded = match (self.fault, forms.power) {
            (Fault::HardRewind, _) => w_star,
            (Fault::HardPrune, _) => 0.0,
            (Fault::SignLost, _) => wide.mul(w_star, factor).abs(),
            (Fault::KeepsAverage, _) => 0.5 * (wide.mul(w_star, factor) + live),
            (_, PowerForm::OnWeight) => (0..t).fold(w_star, |w, _| wide.mul(w, lambda)),
            _ => wide.mul(w_star, factor),
        };
        let w = self.config.arithmetic.unit().round(unrounded);
        let keeps = match self.fault {
            Fault::EpsBeforeDecay => self.reaches_eps(w_star, w_star),
            _ => self.reaches_eps(w, unrounded),
        };
        (w, keeps)
    }

    /// `|w| >= eps`.
    fn reaches_eps(&self, w: f64, unrounded: f64) -> bool {
        let (eps, unit) = (self.config.hyper.eps, self.config.arithmetic.unit());
        let (w, eps) = match self.config.forms.eps {
            EpsOf::Rounded => (w, unit.round(eps)),
            EpsOf::Decimal => (w, eps),
            EpsOf::DecimalAgainstUnrounded => (unrounded, eps),
        };
        match self.fault {
            Fault::EpsSigned => w >= eps,
            Fault::EpsStrict => w.abs() > eps,
            _ => w.abs() >= eps,
        }
    }

    fn decay_biases(&mut self, factor: f64) {
        let unit = self.config.arithmetic.unit();
        for (_, w) in self.config.parameters.iter().zip(&mut self.weights).filter(|(p, _)| !p.prunable) {
            w.iter_mut().for_each(|w| *w = unit.mul(*w, 0.5 * factor));
        }
    }

    /// Of eliminated weights, and of those for which `rewound` says so.
    fn zero_momentum(&mut self, rewound: impl Fn(usize) -> bool) {
        for (position, start, end) in self.config.segments() {
            for (b, j) in self.buffers[position].iter_mut().zip(start..end) {
                *b = if self.mask[j] && !rewound(j) { *b } else { 0.0 };
            }
        }
    }
}
