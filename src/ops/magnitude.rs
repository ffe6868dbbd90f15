//! [`Magnitude`]: the scale of an op's rounding errors.

use crate::error::Result;
use crate::kernel::Kernel;
use crate::op::{Evaluation, Op, evaluate};
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::{ArrayD, Zip};

/// What the size of an element of a result is to be measured by: the size of what is added up to make it. One rounding
/// of relative size u anywhere in the op's formula changes the element by about u times its magnitude.
///
/// The sums inside softmax are of positive terms, and the x - mean of batch norm is a difference of inputs that are
/// given exactly: a careful algorithm loses nothing there, so they do not count. PyTorch's formulas do lose there
/// ([`Care`]).
#[derive(Debug, Clone, Copy)]
pub enum Magnitude<O> {
    /// The op of absolute values, `sum abs(a) abs(b)`: right for sums of products, and for what only moves data.
    OfAbsolutes,
    /// Forward `abs(y)`, backward the op's backward of `abs(dy)`: where only upstream gradients can cancel.
    OfResults,
    /// Forward `abs(y)`, backward `abs(dy)` times this function of x: the absolute terms of the derivative.
    Slope(fn(f64) -> f64),
    /// As this function says.
    Rule(fn(&O, &Example, Care) -> Result<Evaluation<f64>>),
}

/// Whose formulas: they differ in what they round on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// This crate's.
    Ours,
    /// PyTorch's, which round `1 - s` and `p - 1` to the precision of 1 and log-softmax to that of the logits' spread,
    /// and subtract a rounded mean.
    PyTorch,
}

/// What an op is evaluated on: all in f64, which holds f32 exactly.
#[derive(Debug, Clone)]
pub struct Example {
    pub inputs: Vec<ArrayD<f64>>,
    /// One for each output; `None` stands for zeros.
    pub upstream: Vec<Option<ArrayD<f64>>>,
    /// Which inputs' gradients are.
    pub wanted: Vec<bool>,
}

impl<O: Op> Magnitude<O> {
    /// The magnitudes of all outputs and wanted gradients.
    ///
    /// # Errors
    /// Those of [`evaluate`].
    pub fn at(self, op: &O, example: &Example, care: Care) -> Result<Evaluation<f64>> {
        match self {
            Self::OfAbsolutes => example.of_absolutes(op),
            Self::OfResults => example.of_results(op),
            Self::Slope(slope) => {
                let mut results = example.of_results(op)?;
                if let (Some(dx), Some(dy)) = (&mut results.gradients[0], &example.upstream[0]) {
                    Zip::from(dx).and(&example.inputs[0]).and(dy).for_each(|dx, &x, &dy| *dx = dy.abs() * slope(x));
                }
                Ok(results)
            }
            Self::Rule(rule) => rule(op, example, care),
        }
    }
}

impl Example {
    /// [`Magnitude::OfAbsolutes`].
    pub(super) fn of_absolutes<O: Op>(&self, op: &O) -> Result<Evaluation<f64>> {
        let inputs: Vec<ArrayD<f64>> = self.inputs.iter().map(|x| x.mapv(f64::abs)).collect();
        self.of_absolute_upstream(op, &inputs)
    }

    /// [`Magnitude::OfResults`].
    pub(super) fn of_results<O: Op>(&self, op: &O) -> Result<Evaluation<f64>> {
        self.of_absolute_upstream(op, &self.inputs)
    }

    /// Absolute values of the op on these inputs and absolute upstream gradients.
    fn of_absolute_upstream<O: Op>(&self, op: &O, inputs: &[ArrayD<f64>]) -> Result<Evaluation<f64>> {
        let inputs: Vec<ArrayD<DoubleDouble>> = inputs.iter().map(|x| x.mapv(DoubleDouble::from_f64)).collect();
        let absolute = |dy: &ArrayD<f64>| dy.mapv(|dy| DoubleDouble::from_f64(dy.abs()));
        let upstream: Vec<_> = self.upstream.iter().map(|dy| dy.as_ref().map(absolute)).collect();
        let inputs: Vec<_> = inputs.iter().map(|x| x.view()).collect();
        let upstream: Vec<_> = upstream.iter().map(|dy| dy.as_ref().map(|dy| dy.view())).collect();
        let Evaluation { outputs, gradients } = evaluate(op, Kernel::Literal, &inputs, &upstream, &self.wanted)?;
        let absolute = |y: ArrayD<DoubleDouble>| y.mapv(|y| y.to_f64().abs());
        Ok(Evaluation {
            outputs: outputs.into_iter().map(absolute).collect(),
            gradients: gradients.into_iter().map(|g| g.map(absolute)).collect(),
        })
    }
}
