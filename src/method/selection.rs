//! [`Rules`]: how a method counts and cuts, and [`Shares`]: over what it compares weights.

use super::record::SPARSITY;
use super::{Options, Setup, Story, Told};
use crate::error::{Error, Result};
use crate::kernel::{Kernel, hold};
use crate::scalar::Scalar;
use crate::select::count::{Count, Minimum};
use crate::select::cut::{Cut, Ties, keep_among, keep_largest};
use crate::select::distribution::{Distribution, layer_sparsities};
use crate::select::update::InactiveMomentum;
use crate::weights::Weights;
use std::ops::Range;

/// How a method counts and cuts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub count: Count,
    pub minimum: Minimum,
    pub cut: Cut,
    pub ties: Ties,
}

impl Rules {
    pub fn of(options: &Options) -> Result<Self> {
        Ok(Self {
            count: options.choice()?,
            minimum: options.choice()?,
            cut: options.choice()?,
            ties: options.choice()?,
        })
    }

    /// k of n where the share s goes.
    pub fn kept(&self, n: usize, s: f64) -> usize {
        self.minimum.of(self.count.kept(n, s), n)
    }

    /// Which candidates are among the k of largest key; all are candidates if none are named.
    pub fn keep<S: Scalar>(&self, keys: &[S], candidates: Option<&[bool]>, k: usize) -> Result<Vec<bool>> {
        match candidates {
            Some(candidates) => keep_among(keys, candidates, k, self.cut, self.ties),
            None => keep_largest(keys, k, self.cut, self.ties),
        }
    }
}

/// The share that goes: of W as one, or of each layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shares {
    Global(f64),
    Layers(Vec<f64>),
}

/// What a selection keeps.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// k: one number, or one a layer.
    pub keep: Vec<usize>,
    pub flags: Vec<bool>,
}

impl Shares {
    /// As the options distribute a sparsity among layers of these shapes.
    pub fn of(setup: &Setup, sparsity: f64, shapes: &[&[usize]]) -> Result<Self> {
        let options = setup.options;
        let distribution: Distribution = options.choice()?;
        let given = options.reals("sparsities");
        if distribution != Distribution::Given && !given.is_empty() {
            return Err(Error::domain(
                "--sparsities",
                "--distribution given with it",
                format!("--distribution {distribution}"),
            ));
        }
        let shares = layer_sparsities::<f64>(distribution, options.choice()?, shapes, sparsity, &given)?;
        Ok(shares.map_or(Self::Global(sparsity), Self::Layers))
    }

    /// The same share of W, or of each of so many layers.
    pub fn even(distribution: Distribution, share: f64, layers: usize) -> Self {
        match distribution {
            Distribution::Global => Self::Global(share),
            _ => Self::Layers(vec![share; layers]),
        }
    }

    /// How many of each layer are kept.
    pub fn counts(&self, rules: &Rules, shapes: &[&[usize]]) -> Vec<usize> {
        let share = |i: usize| match self {
            Self::Global(share) => *share,
            Self::Layers(shares) => shares.get(i).copied().unwrap_or_default(),
        };
        shapes.iter().enumerate().map(|(i, shape)| rules.kept(shape.iter().product(), share(i))).collect()
    }

    /// What is told of it.
    pub fn tell<S: Scalar>(&self, story: &mut Story<S>) {
        if let Self::Layers(shares) = self {
            story.record(&SPARSITY, || Told::Numbers(shares.iter().map(|&share| S::from_f64(share)).collect()));
        }
    }

    /// Keeps those of largest key among the candidates (all, if none are named): how many, says the share of all, not of
    /// the candidates alone.
    ///
    /// # Errors
    /// [`Error::Domain`] if a candidate's key is not finite.
    pub fn keep<S: Scalar>(
        &self,
        rules: &Rules,
        ranges: &[Range<usize>],
        keys: &[S],
        candidates: Option<&[bool]>,
    ) -> Result<Kept> {
        let of = |range: &Range<usize>, share: f64| {
            let k = rules.kept(range.len(), share);
            candidates.map_or(k, |all| k.min(all[range.clone()].iter().filter(|&&is| is).count()))
        };
        match self {
            Self::Global(share) => {
                let k = of(&(0..keys.len()), *share);
                Ok(Kept { keep: vec![k], flags: rules.keep(keys, candidates, k)? })
            }
            Self::Layers(shares) => {
                let mut kept = Kept { keep: Vec::new(), flags: Vec::with_capacity(keys.len()) };
                for (range, share) in ranges.iter().zip(shares) {
                    let k = of(range, *share);
                    kept.keep.push(k);
                    kept.flags.extend(rules.keep(
                        &keys[range.clone()],
                        candidates.map(|all| &all[range.clone()]),
                        k,
                    )?);
                }
                Ok(kept)
            }
        }
    }
}

/// Where each layer lies in W.
pub(super) fn ranges<S: Scalar>(w: &Weights<S>) -> Vec<Range<usize>> {
    w.set().segments().iter().map(|segment| segment.range.clone()).collect()
}

/// The sparsity that an option gives, which the method cannot do without.
pub(super) fn required(options: &Options, key: &str) -> Result<f64> {
    let option = format!("--{}", key.replace('_', "-"));
    options.real(key).ok_or_else(|| Error::domain(option, "a share of W", "nothing"))
}

/// Makes `mask` the mask: what it leaves out becomes 0, and its momentum as is chosen.
pub(super) fn impose<S: Scalar>(mask: &[bool], inactive: InactiveMomentum, w: &mut Weights<S>) {
    w.mask_mut().copy_from_slice(mask);
    for layer in w.layers() {
        hold(Kernel::any(), layer.values, layer.mask);
        if inactive == InactiveMomentum::Zero {
            hold(Kernel::any(), layer.momentum, layer.mask);
        }
    }
}
