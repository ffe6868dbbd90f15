//! [`Arithmetic`]: in what arithmetic a trace's producer computed, as the header declares it.

use crate::scalar::{Dtype, power_of_two};

/// The header's `arithmetic`, every value with its default filled in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arithmetic {
    /// The number system in which the port computed.
    pub dtype: Dtype,
    /// Relative distance of the gradients used from those recorded.
    pub u_in: f64,
    /// Unit roundoff of each operation of a sum.
    pub u_acc: f64,
    /// Unit roundoff of each stored result.
    pub u_out: f64,
    /// Subnormal inputs and results may be 0.
    pub ftz: bool,
    /// Nothing rounds: every result must be the exact one.
    pub exact: bool,
}

impl Arithmetic {
    /// What a port of this dtype does that declares nothing.
    pub fn of(dtype: Dtype) -> Self {
        let u = dtype.unit_roundoff();
        Self { dtype, u_in: 0.0, u_acc: u, u_out: u, ftz: false, exact: false }
    }

    /// The arithmetic of a case in which every quantity is a number of the dtype: whatever the order, nothing rounds.
    pub fn exactly(self) -> Self {
        Self { u_in: 0.0, u_acc: 0.0, u_out: 0.0, ftz: false, exact: true, ..self }
    }

    /// The unit roundoff of a single operation that is no sum's: of the dtype, or of stored results where that is larger.
    pub fn u(&self) -> f64 {
        let dtype = if self.exact { 0.0 } else { self.dtype.unit_roundoff() };
        self.u_out.max(dtype)
    }

    /// The smallest normal number of the dtype: what `ftz` flushes lies below.
    pub fn smallest_normal(&self) -> f64 {
        self.dtype.smallest_normal()
    }

    /// What one operation's result can be off by near 0, on top of its relative error: half the smallest subnormal
    /// number (the whole one here, which is representable), or, flushed, anything below the smallest normal one.
    pub fn underflow(&self) -> f64 {
        match (self.exact, self.ftz) {
            (true, _) => 0.0,
            (false, true) => self.smallest_normal(),
            (false, false) => self.dtype.smallest_subnormal(),
        }
    }

    /// The number of bits that every number of the port's sums has.
    pub fn precision(&self) -> i32 {
        let u = self.u().max(self.u_acc).max(self.dtype.unit_roundoff());
        (0..=53).take_while(|&p| power_of_two(-p) >= u).last().unwrap_or(0)
    }
}
