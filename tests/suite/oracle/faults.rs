//! The planted faults: what the port does wrong, the equation that must be named first, and the words by which the
//! dictionary must name it.

mod decay;
mod quantile;
mod rewind;
mod selection;
mod statistics;
mod training;

use super::port::{Config, Fault, Precision};

/// One planted fault.
#[derive(Clone)]
pub struct Case {
    /// What the port does.
    pub name: &'static str,
    pub equation: &'static str,
    /// One of these must be in the likely cause, in capitals as here or in small letters. Empty: no dictionary could
    /// know the fault.
    pub causes: &'static [&'static str],
    pub fault: Fault,
    /// Settings under which the fault shows; they are declared.
    pub settings: fn(&mut Config),
    /// What the port does otherwise than its header says.
    pub undeclared: fn(&mut Config),
    pub dtypes: &'static [Precision],
}

/// A slip of the code.
fn slip(equation: &'static str, name: &'static str, fault: Fault, causes: &'static [&'static str]) -> Case {
    let dtypes = &[Precision::F32, Precision::F64];
    Case { name, equation, causes, fault, settings: |_| {}, undeclared: |_| {}, dtypes }
}

/// Settings other than the header's.
fn undeclared(
    equation: &'static str,
    name: &'static str,
    undeclared: fn(&mut Config),
    causes: &'static [&'static str],
) -> Case {
    Case { undeclared, ..slip(equation, name, Fault::None, causes) }
}

impl Case {
    fn with(self, settings: fn(&mut Config)) -> Self {
        Self { settings, ..self }
    }

    /// Shows in this dtype only.
    fn only_in(self, dtypes: &'static [Precision]) -> Self {
        Self { dtypes, ..self }
    }
}

/// All of them.
pub fn all() -> Vec<Case> {
    [statistics::cases(), rewind::cases(), quantile::cases(), selection::cases(), decay::cases(), training::cases()]
        .concat()
}
