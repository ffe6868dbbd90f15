//! [`Rewiring`]: drop and grow, layer by layer, as SET, RigL and GraNet do it.

use super::record::{DROP, FRESH, KEPT, SCORE};
use super::selection::{Rules, impose, ranges};
use super::sparse_start::fresh;
use super::{Setup, Story, Told};
use crate::error::Result;
use crate::kernel::{Difference, Kernel, Scaled, formula_of_slices, hold};
use crate::scalar::Scalar;
use crate::select::score::magnitudes;
use crate::select::update::{
    DropRule, GrowFrom, GrownMomentum, GrownWeights, InactiveMomentum, Regrown, grow, keep_by_sign,
};
use crate::weights::Weights;

/// How weights are dropped and grown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rewiring {
    pub rules: Rules,
    /// SET's, and by magnitude elsewhere.
    pub drop_rule: DropRule,
    pub grow_from: GrowFrom,
    pub grown_weights: GrownWeights,
    pub grown_momentum: GrownMomentum,
    pub regrown: Regrown,
    pub inactive_momentum: InactiveMomentum,
    pub seed: u64,
}

/// What goes into one update.
pub(super) struct Update<'a, S> {
    /// The step's index.
    pub t: usize,
    /// The share of each layer's active weights that is dropped.
    pub fraction: f64,
    /// Which weights are active when the drop begins.
    pub active: &'a [bool],
    /// What inactive weights are grown by: the largest.
    pub growth: &'a [S],
}

impl Rewiring {
    /// As the options say.
    pub fn of(setup: &Setup, drop_rule: DropRule) -> Result<Self> {
        let options = setup.options;
        Ok(Self {
            rules: Rules::of(options)?,
            drop_rule,
            grow_from: options.choice()?,
            grown_weights: options.choice()?,
            grown_momentum: options.choice()?,
            regrown: options.choice()?,
            inactive_momentum: options.choice()?,
            seed: setup.seed,
        })
    }

    /// Drops and grows; returns the mask, which is then that of the weights.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) if a weight or a growth score is not finite.
    pub fn update<S: Scalar>(&self, update: &Update<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<Vec<bool>> {
        let (before, values, n) = (w.mask_mut().to_vec(), w.values(), w.len());
        let (mut drop, mut kept, mut mask) = (Vec::new(), Vec::with_capacity(n), Vec::with_capacity(n));
        for range in ranges(w) {
            let active = &update.active[range.clone()];
            let (layer, count) = self.keep(&values[range.clone()], active, update.fraction)?;
            let (from, growth) = (self.grow_from, &update.growth[range]);
            mask.extend(grow(active, &layer, growth, from, self.rules.ties)?);
            drop.push(count);
            kept.extend(layer);
        }
        self.apply(update.t, (&before, &kept, &mask), w, story);
        story.record(&DROP, || Told::Counts(drop));
        story.record(&SCORE, || Told::PerWeight(magnitudes(&values)));
        story.record(&KEPT, || Told::Flags(kept));
        Ok(mask)
    }

    /// What a layer keeps of its active weights, and d_l.
    fn keep<S: Scalar>(&self, values: &[S], active: &[bool], fraction: f64) -> Result<(Vec<bool>, usize)> {
        let n = active.iter().filter(|&&active| active).count();
        let k = self.rules.kept(n, fraction);
        match self.drop_rule {
            DropRule::Magnitude => Ok((self.rules.keep(&magnitudes(values), Some(active), k)?, n - k)),
            DropRule::Signed => {
                let kept = keep_by_sign(values, active, |n| self.rules.kept(n, fraction), self.rules.ties)?;
                let stay = kept.iter().filter(|&&kept| kept).count();
                Ok((kept, n - stay))
            }
        }
    }

    /// What becomes of weights and momentum.
    fn apply<S: Scalar>(
        &self,
        t: usize,
        (before, kept, mask): (&[bool], &[bool], &[bool]),
        w: &mut Weights<S>,
        story: &mut Story<S>,
    ) {
        let new = match self.grown_weights {
            GrownWeights::Zero => Vec::new(),
            GrownWeights::Draw => fresh(self.seed, t, w.len()),
        };
        let stays = |j: usize| kept[j] || before[j] && self.regrown == Regrown::Keep;
        let kernel = Kernel::any();
        for layer in w.layers() {
            let grown: Vec<bool> = layer.range.clone().map(|j| mask[j] && !stays(j)).collect();
            let others: Vec<bool> = grown.iter().map(|grown| !grown).collect();
            hold(kernel, layer.values, &others);
            if let Some(new) = new.get(layer.range) {
                // 0 - (-new) of those that are grown, w - 0 of the others.
                let mut minus_new = formula_of_slices(kernel, Scaled(-1.0), [new]);
                hold(kernel, &mut minus_new, &grown);
                layer.values.copy_from_slice(&formula_of_slices(kernel, Difference, [&*layer.values, &minus_new]));
            }
            if self.grown_momentum == GrownMomentum::Zero {
                hold(kernel, layer.momentum, &others);
            }
        }
        impose(mask, self.inactive_momentum, w);
        if self.grown_weights == GrownWeights::Draw {
            story.record(&FRESH, || Told::PerWeight(new));
        }
    }
}
