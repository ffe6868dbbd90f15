//! [`Rule`]: what a level prunes.

use crate::error::Result;
use crate::method::Options;
use crate::scalar::Scalar;
use crate::select::count::{Count, Minimum};
use crate::select::cut::{Cut, Ties, keep_largest};
use crate::select::distribution::Distribution;
use crate::select::score::magnitudes;
use std::ops::Range;

/// How a level prunes: of the weights that live, those of smallest magnitude go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// The share of the living weights that goes.
    pub fraction: f64,
    /// One selection over W, or one a parameter.
    pub distribution: Distribution,
    pub count: Count,
    pub minimum: Minimum,
    pub cut: Cut,
    pub ties: Ties,
}

/// What a level keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Pruned<S> {
    /// k of each selection.
    pub keep: Vec<usize>,
    /// |w|, flat over W.
    pub score: Vec<S>,
    /// True where a weight lives on, flat over W.
    pub mask: Vec<bool>,
}

impl Rule {
    /// As options of [`lth`](crate::method::lth) say.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) naming a choice that is none.
    pub fn of(options: &Options) -> Result<Self> {
        Ok(Self {
            fraction: options.real("fraction").unwrap_or_default(),
            distribution: options.name("distribution").parse()?,
            count: options.name("count").parse()?,
            minimum: options.name("minimum").parse()?,
            cut: options.name("cut").parse()?,
            ties: options.name("ties").parse()?,
        })
    }

    /// Of weights `w` that live where `alive`, flat over W, whose parameters are `layers`: what lives on. What is pruned
    /// stays pruned.
    ///
    /// ```
    /// use gdstar::experiment::lottery::Rule;
    /// use gdstar::method::{Options, lth};
    ///
    /// // Of four living weights 0.3 go: ceil(1.2), two.
    /// let mut options = Options::of(&lth::ENTRY);
    /// options.set("fraction", gdstar::method::options::Value::Real(0.3));
    /// let pruned = Rule::of(&options)?.prune(&[3.0, 0.0, -4.0, 1.0, -2.0], &[true, false, true, true, true], &[0..5])?;
    /// assert_eq!((pruned.keep, pruned.mask), (vec![2], vec![true, false, true, false, false]));
    /// # Ok::<(), gdstar::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`keep_largest`].
    pub fn prune<S: Scalar>(&self, w: &[S], alive: &[bool], layers: &[Range<usize>]) -> Result<Pruned<S>> {
        let score = magnitudes(w);
        let mut pruned = Pruned { keep: Vec::new(), mask: vec![false; w.len()], score };
        let whole = 0..w.len();
        let parts = if self.distribution == Distribution::Global { std::slice::from_ref(&whole) } else { layers };
        for part in parts {
            let candidates: Vec<usize> = part.clone().filter(|&j| alive[j]).collect();
            let keys: Vec<S> = candidates.iter().map(|&j| pruned.score[j]).collect();
            let k = self.minimum.of(self.count.kept(keys.len(), self.fraction), keys.len());
            for (&j, kept) in candidates.iter().zip(keep_largest(&keys, k, self.cut, self.ties)?) {
                pruned.mask[j] = kept;
            }
            pruned.keep.push(k);
        }
        Ok(pruned)
    }
}
