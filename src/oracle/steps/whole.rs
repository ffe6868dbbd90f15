//! [`Whole`]: what a trace has beside its steps: the state before the first one, and which weights it starts with.

use super::choose::Choice;
use super::counts::Counts;
use super::desk::Desk;
use super::near::{Known, Masks, Near};
use super::slips::Slip;
use super::state::Whole;
use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::count::{Count, Minimum};
use crate::select::cut::Cut;
use crate::select::distribution::{Distribution, ErkBudget, Share, erk, proportion};
use crate::trace::TracedParameter;
use std::rc::Rc;

/// What a method starts from, as its page says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// The hyper-parameter that is shared out among layers.
    target: Option<&'static str>,
    /// Whether some weights are inactive from the first step on.
    is_sparse: bool,
    /// What `er_epsilon` is where neither it nor a sparsity is given.
    er_epsilon: Option<f64>,
    /// Whether of a target of 0 nothing is shared out: every layer is dense.
    is_dense_at_0: bool,
}

impl Start {
    /// All weights.
    pub(crate) const DENSE: Self = Self { target: None, is_sparse: false, er_epsilon: None, is_dense_at_0: false };

    /// All weights, of which layers lose shares by this hyper-parameter.
    pub(crate) const fn sharing(target: &'static str) -> Self {
        Self { target: Some(target), ..Self::DENSE }
    }

    /// Layers that have lost their shares already.
    pub(crate) const fn sparse(target: &'static str) -> Self {
        Self { is_sparse: true, ..Self::sharing(target) }
    }

    /// The same, or by numbers of weights in the place of shares.
    pub(crate) const fn or_by_number(self, er_epsilon: f64) -> Self {
        Self { er_epsilon: Some(er_epsilon), ..self }
    }

    /// The same, without looking for shares of nothing.
    pub(crate) const fn dense_at_0(self) -> Self {
        Self { is_dense_at_0: true, ..self }
    }
}

impl Desk<'_> {
    /// What all methods of weights have in common: W_0, and each layer's sparsity where one is shared out.
    pub(crate) fn whole(&mut self, start: Start) -> Result<Whole> {
        let mut init = Vec::new();
        for p in 0..self.parameters().len() {
            init.push(self.operand("init", p)?);
        }
        let all = |p: &TracedParameter| Ok(Rc::new(vec![true; p.range.len()]));
        let mut whole = Whole { init, mask: self.prunable().iter().map(all).collect(), sparsity: Vec::new() };
        let has_share = start.target.is_some_and(|target| self.rules.options.get(target).is_some()) || self.is_given();
        let by_number = self.rules.options.real("er_epsilon").or(start.er_epsilon.filter(|_| !has_share));
        if let Some(target) = start.target.filter(|_| by_number.is_none()) {
            whole.sparsity = self.sparsities(target, start.is_dense_at_0)?;
        }
        if start.is_sparse {
            whole.mask = self.first_mask(&whole, by_number)?;
        }
        Ok(whole)
    }

    fn is_given(&self) -> bool {
        self.rules.choice::<Distribution>() == Distribution::Given
    }

    /// Section 4: label `distribution`.
    fn sparsities(&mut self, target: &str, is_dense_at_0: bool) -> Result<Vec<Known<Near>>> {
        let distribution = self.rules.choice::<Distribution>();
        let n = self.prunable().len();
        let u = self.rules.arithmetic.u();
        let expected: Vec<Near> = match distribution {
            Distribution::Global => return Ok(Vec::new()),
            Distribution::Given => {
                let given = self.rules.options.reals("sparsities");
                if given.len() != n {
                    let expected = format!("{n} numbers in [0, 1], one a parameter of `params`");
                    return Err(self.trace.bad_header("hyper: sparsities", expected, given.len()));
                }
                given.into_iter().map(Near::exact).collect()
            }
            Distribution::Uniform => {
                self.rules.required(self.trace, target)?;
                vec![Near::exact(self.rules.real(target)); n]
            }
            Distribution::Erk | Distribution::Er => {
                self.rules.required(self.trace, target)?;
                let s = self.rules.real(target);
                if s == 0.0 && is_dense_at_0 { vec![Near::ZERO; n] } else { self.erk(distribution, s)? }
            }
        };
        // 32 u absolutely, whatever the sparsity.
        let expected: Vec<Near> = expected.into_iter().map(|s| s.give(32.0 * u)).collect();
        let declared: Vec<f64> = expected.iter().map(|s| s.rounded()).collect();
        let recorded =
            self.real_named("distribution", ("sparsity", ""), &[n], None, Ok(expected.into_iter().collect()))?;
        let is_declared = matches!(distribution, Distribution::Uniform | Distribution::Given);
        let of_layer = |l: usize| -> Known<Near> {
            let s = recorded.as_ref().map_err(Clone::clone)?.at(l);
            // The header's own number, or that rounded to the dtype, is no schedule's.
            let is_own = is_declared && [declared[l], f64::from(declared[l] as f32)].contains(&s.rounded());
            Ok(if is_own { Near::exact(declared[l]) } else { s.give(2.0 * u) })
        };
        Ok((0..n).map(of_layer).collect())
    }

    /// ERK's sparsities. Where a layer's zeros may be formed in two ways there is a solution for each: the one that is nearest
    /// to what is recorded, or, where nothing is, all between them.
    fn erk(&self, distribution: Distribution, s: f64) -> Result<Vec<Near>> {
        let params = self.prunable();
        let zeros: Vec<Counts> = match self.rules.choice::<ErkBudget>() {
            ErkBudget::Real => vec![Counts::exact(0); params.len()],
            ErkBudget::Floor => {
                let of = |n: usize| self.kept(n, Near::exact(s), Count::RemoveFloor, Minimum::Zero).of(n);
                params.iter().map(|p| of(p.range.len())).collect()
            }
        };
        let is_real = self.rules.choice::<ErkBudget>() == ErkBudget::Real;
        let solve = |more: usize| -> Result<Vec<DoubleDouble>> {
            let mut open = 0;
            let share = |(parameter, zeros): (&TracedParameter, &Counts)| {
                let n = parameter.range.len();
                let takes_more = zeros.high > zeros.low && {
                    open += 1;
                    more >> (open - 1) & 1 == 1
                };
                let count = if takes_more { zeros.high } else { zeros.low };
                Share {
                    proportion: proportion(distribution, &parameter.shape),
                    n: DoubleDouble::from_usize(n),
                    zeros: if is_real {
                        DoubleDouble::from_product(n as f64, s)
                    } else {
                        DoubleDouble::from_usize(count)
                    },
                }
            };
            let shares: Vec<Share<DoubleDouble>> = params.iter().zip(&zeros).map(share).collect();
            if self.rules.has(Slip::ErkNotRedistributed) { Ok(once(&shares)) } else { self.solved(&shares, s) }
        };
        let open = zeros.iter().filter(|zeros| zeros.high > zeros.low).count();
        // Of very many, those in which all are formed alike.
        let ways: Vec<usize> = if open <= MOST_OPEN { (0..1 << open).collect() } else { vec![0, usize::MAX] };
        let solutions: Vec<Vec<DoubleDouble>> = ways.into_iter().map(solve).collect::<Result<_>>()?;
        let recorded = if self.is_replay() || open > MOST_OPEN { None } else { self.trace.floats("sparsity")? };
        if let Some(recorded) = recorded {
            let distance = |solution: &Vec<DoubleDouble>| {
                let apart = solution.iter().zip(&recorded).map(|(s, &found)| (s.to_f64() - found).abs());
                apart.fold(0.0, f64::max)
            };
            let nearest = solutions.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            let exact = |&centre: &DoubleDouble| Near { centre, radius: 0.0 };
            return Ok(nearest.map(|solution| solution.iter().map(exact).collect()).unwrap_or_default());
        }
        let hull = |l: usize| {
            let of = || solutions.iter().map(|solution| solution[l]);
            let low = of().fold(solutions[0][l], |low, s| if s < low { s } else { low });
            let high = of().fold(solutions[0][l], |high, s| if s > high { s } else { high });
            Near { centre: (low + high) * DoubleDouble::from(0.5), radius: (high - low).to_f64() }
        };
        Ok((0..params.len()).map(hull).collect())
    }

    fn solved(&self, shares: &[Share<DoubleDouble>], s: f64) -> Result<Vec<DoubleDouble>> {
        erk(shares).map_err(|error| {
            let found = match error {
                crate::Error::Domain { found, .. } => format!("{s}, with {found}"),
                other => other.to_string(),
            };
            let expected = "a sparsity that ERK can share out among these layers (or another `distribution`)";
            self.trace.bad_header("hyper: the sparsity", expected, found)
        })
    }

    /// The masks of methods that start sparse: label `init`.
    fn first_mask(&mut self, whole: &Whole, by_number: Option<f64>) -> Result<Masks> {
        let params = self.prunable();
        let (mut keys, mut candidates, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for (p, parameter) in params.iter().enumerate() {
            let n = parameter.range.len();
            let by_weight = self.rules.has(Slip::InitByWeight);
            let key = if by_weight { whole.init[p].clone() } else { self.operand("init_draw", p)? };
            keys.push(key.map(|key| key.iter().map(|x| x.abs().interval()).collect::<Vec<Interval>>()));
            candidates.push(Ok(Rc::new(vec![true; n])));
            counts.push(match by_number {
                _ if self.rules.has(Slip::StartsDense) => Ok(Counts::exact(n)),
                Some(epsilon) => {
                    let (outputs, inputs) = ends(&parameter.shape);
                    let wanted = (epsilon * (outputs + inputs) as f64).round_ties_even();
                    Ok(Counts::exact((wanted as usize).min(n)))
                }
                None if whole.sparsity.is_empty() => Ok(Counts::exact(n)),
                None => whole.sparsity[p].clone().map(|s| self.share_kept(n, s)),
            });
        }
        // Dense from the start, whatever was drawn.
        if counts.iter().zip(params).all(|(k, p)| k.as_ref().is_ok_and(|k| k.low >= p.range.len())) {
            keys = params.iter().map(|p| Ok(vec![Interval::exact(0.0); p.range.len()])).collect();
        }
        let groups: Vec<Vec<usize>> = (0..params.len()).map(|p| vec![p]).collect();
        let ties = self.ties();
        let choice = Choice {
            keys: &keys,
            candidates: &candidates,
            base: None,
            groups: &groups,
            counts: &counts,
            cut: Cut::Exact,
            ties,
        };
        self.chosen("init", "init_mask", &choice)
    }
}

/// Up to how many layers' zeros may be open for every combination to be tried.
const MOST_OPEN: usize = 8;

/// Outputs and inputs of a weight of this shape.
fn ends(shape: &[usize]) -> (usize, usize) {
    match shape {
        [] => (1, 1),
        [out] => (*out, 1),
        [out, input, ..] => (*out, *input),
    }
}

/// A known mistake: what a layer cannot take is not shared out among the others.
fn once(shares: &[Share<DoubleDouble>]) -> Vec<DoubleDouble> {
    let mut left = DoubleDouble::ZERO;
    let mut sum = DoubleDouble::ZERO;
    for share in shares {
        left += share.n - share.zeros;
        sum += share.proportion * share.n;
    }
    let e = left / sum;
    let s = |share: &Share<DoubleDouble>| (DoubleDouble::ONE - e * share.proportion).maximum(DoubleDouble::ZERO);
    shares.iter().map(s).collect()
}
