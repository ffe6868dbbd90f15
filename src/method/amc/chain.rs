//! [`Chain`]: layers one after another, of each of which a share of the input channels is kept: what that costs, and how
//! much of a layer may be kept so that the budget holds (He et al. 2018, Alg. 1).
//!
//! r_l: the share kept of layer l's input channels, r_L = 1 the network's output. Multiply-accumulates:
//!
//! ```text
//! cost = sum over l of F_l r_l r_(l+1) + B_l r_l
//! ```

/// What each layer takes, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// F_l: multiply-accumulates of a sample.
    pub flops: Vec<f64>,
    /// B_l: those that layer l's share alone multiplies (of depthwise layers before it, say); B_0 is what never changes.
    pub buffer_flops: Vec<f64>,
}

/// What must hold of the shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// The share of the whole network's cost that is preserved.
    pub preserve: f64,
    /// The least share of a layer.
    pub lower: f64,
}

impl Chain {
    /// L.
    pub fn len(&self) -> usize {
        self.flops.len()
    }

    pub fn is_empty(&self) -> bool {
        self.flops.is_empty()
    }

    /// The multiply-accumulates where these shares are kept; 1 of every layer that none is given of.
    ///
    /// ```
    /// use gdstar::method::amc::Chain;
    /// let chain = Chain { flops: vec![100.0, 200.0], buffer_flops: vec![0.0, 10.0] };
    /// assert_eq!((chain.cost(&[]), chain.cost(&[1.0, 0.5])), (310.0, 50.0 + 100.0 + 5.0));
    /// ```
    pub fn cost(&self, shares: &[f64]) -> f64 {
        let r = |l: usize| shares.get(l).copied().unwrap_or(1.0);
        (0..self.len()).map(|l| self.flops[l] * r(l) * r(l + 1) + self.buffer_flops[l] * r(l)).sum()
    }

    /// The share that layer `kept.len()` may keep for this action, where `kept` of the layers before are decided and all to
    /// come keep the least: 1 of the first layer, whose input is the image.
    ///
    /// ```
    /// use gdstar::method::amc::{Budget, Chain};
    /// let chain = Chain { flops: vec![100.0, 200.0, 100.0], buffer_flops: vec![0.0; 3] };
    /// let budget = Budget { preserve: 0.25, lower: 0.25 };
    /// assert_eq!(chain.allowed(0.3, &[], &budget), 1.0);
    /// // 100 a + 200 a / 4 + 100 / 4 = 100
    /// assert_eq!(chain.allowed(1.7, &[1.0], &budget), 0.5);
    /// assert_eq!(chain.allowed(0.1, &[1.0], &budget), 0.25);
    /// ```
    pub fn allowed(&self, action: f64, kept: &[f64], budget: &Budget) -> f64 {
        let Some(before) = kept.len().checked_sub(1) else { return 1.0 };
        let l = kept.len();
        let shares: Vec<f64> = (0..self.len()).map(|i| kept.get(i).copied().unwrap_or(budget.lower)).collect();
        let after = shares.get(l + 1).copied().unwrap_or(1.0);
        let this = self.flops[before] * shares[before] + self.flops[l] * after + self.buffer_flops[l];
        let most = (budget.preserve * self.cost(&[]) - self.cost_of_others(l, &shares)) / this;
        budget.lower.max(action.clamp(0.0, 1.0).min(most))
    }

    /// What of the cost layer l's share has no part in.
    fn cost_of_others(&self, l: usize, shares: &[f64]) -> f64 {
        let r = |l: usize| shares.get(l).copied().unwrap_or(1.0);
        let products = (0..self.len()).filter(|&i| i != l && i + 1 != l).map(|i| self.flops[i] * r(i) * r(i + 1));
        let buffers = (0..self.len()).filter(|&i| i != l).map(|i| self.buffer_flops[i] * r(i));
        products.chain(buffers).sum()
    }
}

/// How many of c channels are kept where the share `a` is allowed: all for 1; else c a, to nearest with halves to even, at
/// least one, up to a multiple of `round`, or down from c where that is more than c.
///
/// ```
/// use gdstar::method::amc::kept_channels;
/// assert_eq!([1.0, 0.3, 0.01, 0.9].map(|a| kept_channels(20, a, 8)), [20, 8, 8, 16]);
/// assert_eq!(kept_channels(6, 0.5, 8), 6); // no multiple of 8 fits
/// ```
pub fn kept_channels(c: usize, a: f64, round: usize) -> usize {
    if a == 1.0 {
        return c;
    }
    let round = round.max(1);
    let up = ((c as f64 * a).round_ties_even() as usize).max(1).next_multiple_of(round);
    match c / round * round {
        _ if up <= c => up,
        0 => c,
        down => down,
    }
}
