//! What an optimizer step is made of: the buffer, and what becomes of a gradient before it.

/// The optimizer's buffer of one parameter, each number within a radius of the port's.
#[derive(Debug, Clone)]
pub(crate) struct Momentum {
    pub(crate) centre: Vec<f64>,
    pub(crate) radius: Vec<f64>,
}

impl Momentum {
    /// Before the first step.
    pub(crate) fn zero(len: usize) -> Self {
        Self { centre: vec![0.0; len], radius: vec![0.0; len] }
    }
}

/// What PyTorch adds to a norm before it divides by it.
const NORM_EPS: f64 = 1e-6;

/// What becomes of a gradient before a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Clipping {
    /// It is taken as it is.
    None,
    /// Multiplied by a factor, which a port may have with this relative error.
    Scaled { factor: f64, error: f64 },
    /// Clamped to this size, which a port may have with this relative error.
    Clamped { bound: f64, error: f64 },
}

impl Clipping {
    /// The gradient of a step, and how far from it a port's may be that used `g` within `u_in` and rounds by `u`.
    pub(crate) fn apply(self, g: f64, u_in: f64, u: f64) -> (f64, f64) {
        match self {
            Self::None => (g, u_in * g.abs()),
            Self::Scaled { factor, error } => {
                let scaled = factor * g;
                // The factor's error, the gradient's and the product's, and a fourth for their products.
                (scaled, (error + u_in + u) * (1.0 + error + u_in + u) * scaled.abs())
            }
            Self::Clamped { bound, error: of_bound } => {
                let error = u_in * g.abs();
                // Clamping brings two numbers no further apart; the bound itself may be rounded.
                let of_bound = u + of_bound;
                let clamps = g.abs() + error >= bound * (1.0 - of_bound);
                (g.clamp(-bound, bound), if clamps { error.min(2.0 * bound) + of_bound * bound } else { error })
            }
        }
    }

    /// What norm clipping at `bound` does to gradients of this norm, which a port may have with the error `tolerance`.
    pub(crate) fn of_norm(bound: f64, norm: f64, relative: f64, absolute: f64, u: f64) -> Self {
        // With and without the small number in the denominator, and the bound rounded.
        let least = bound * (1.0 - u) / (norm * (1.0 + relative) + absolute + NORM_EPS);
        let most = bound * (1.0 + u) / (norm * (1.0 - relative) - absolute).max(0.0);
        let (least, most) = (least.min(1.0), most.min(1.0));
        let factor = 0.5 * (least + most);
        // Sum and quotient round.
        Self::Scaled { factor, error: if least < 1.0 { (most - factor) / factor + 4.0 * u } else { 0.0 } }
    }
}
