//! [`Declared`]: in what arithmetic a call was computed, as its record declares it.

use crate::choice::choice;

choice! {
    /// How products of matrices and convolutions are formed.
    Algorithm, "algorithm":
    /// Sums of products, in any order.
    Direct = "direct",
    /// Winograd's minimal filtering, of tiles 2x2 to 6x6.
    Winograd = "winograd",
    /// Products of transforms.
    Fft = "fft",
    /// Any of these.
    Any = "any",
}

choice! {
    /// How the variance of a batch is formed.
    BatchNormForm, "batch_norm":
    /// The mean first, then the squares of the distances from it.
    TwoPass = "two-pass",
    /// The mean of the squares less the square of the mean.
    OnePass = "one-pass",
    /// Mean and squared distances updated from sample to sample or block to block.
    Welford = "welford",
}

/// The `arithmetic` of a call: what the record says, and `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Declared {
    /// Relative distance of the operands used from those recorded.
    pub u_in: Option<f64>,
    /// Unit roundoff of each operation of a sum.
    pub u_acc: Option<f64>,
    /// Unit roundoff of each stored result.
    pub u_out: Option<f64>,
    /// Products and their sums are fused; every bound holds with and without.
    pub fma: Option<bool>,
    /// Subnormal operands and results may be 0.
    pub ftz: bool,
    /// Operands of products are rounded to 11 significant binary digits.
    pub tf32: bool,
    pub algorithm: Algorithm,
    pub batch_norm: Option<BatchNormForm>,
    /// The largest error of `exp` and `log`, in units in the last place.
    pub exp_ulps: f64,
}

impl Default for Declared {
    fn default() -> Self {
        Self {
            u_in: None,
            u_acc: None,
            u_out: None,
            fma: None,
            ftz: false,
            tf32: false,
            algorithm: Algorithm::Direct,
            batch_norm: None,
            exp_ulps: 4.0,
        }
    }
}
