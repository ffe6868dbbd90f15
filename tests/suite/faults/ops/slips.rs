//! Slips that any op can have, whatever it computes.

use super::all_checks;
use crate::common::op_checks::{Drawn, Subject};
use gdstar::Result;
use gdstar::kernel::Kernel;
use gdstar::op::{Evaluation, List, Shape};
use gdstar::ops::*;
use gdstar::scalar::Scalar;
use ndarray::ArrayViewD;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A fault that any op can have, whatever it computes.
#[derive(Debug, Clone, Copy)]
enum Slip {
    /// The output is off in the twelfth digit.
    OutputOff,
    /// The gradient is: no finite difference sees it.
    GradientOff,
    /// The gradient has the other sign.
    GradientTurned,
    /// The gradient's last element that is not 0 is lost.
    ElementLost,
}

/// Any op with a slip in one of its outputs or gradients.
#[derive(Debug, Clone)]
struct Slipped {
    real: AnyOp,
    slip: Slip,
    /// Which output, or the gradient of which input.
    of: usize,
}

impl Subject for Slipped {
    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        self.real.out_shapes(inputs)
    }

    fn evaluate<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        upstream: &[Option<ArrayViewD<S>>],
        wanted: &[bool],
    ) -> Result<Evaluation<S>> {
        let mut results = self.real.evaluate(kernel, inputs, upstream, wanted)?;
        let off = |x: S| x + x * S::from_f64(1.0 / (1_u64 << 40) as f64);
        let array = match self.slip {
            Slip::OutputOff => results.outputs.get_mut(self.of),
            _ => results.gradients.get_mut(self.of).and_then(Option::as_mut),
        };
        match (array, self.slip) {
            (None, _) => {}
            (Some(x), Slip::OutputOff | Slip::GradientOff) => x.mapv_inplace(off),
            (Some(dx), Slip::GradientTurned) => dx.mapv_inplace(|dx| -dx),
            (Some(dx), Slip::ElementLost) => {
                if let Some(last) = dx.iter_mut().filter(|dx| **dx != S::ZERO).last() {
                    *last = S::ZERO;
                }
            }
        }
        Ok(results)
    }
}

/// As many random cases as one proof draws, each with the generator that drew it.
fn drawn(entry: &Entry) -> impl Iterator<Item = (Case<AnyOp>, ChaCha8Rng)> {
    (0..96).map(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        ((entry.sample)(&mut rng, 1 + seed as usize % 4), rng)
    })
}

/// How many outputs the op has at the most, or inputs.
fn places(entry: &Entry, slip: Slip) -> usize {
    let count = |(case, _): (Case<AnyOp>, _)| match slip {
        Slip::OutputOff => {
            let shapes: Vec<&[usize]> = case.inputs.iter().map(|x| x.shape()).collect();
            case.op.out_shapes(&shapes).unwrap().len()
        }
        Slip::GradientOff | Slip::GradientTurned | Slip::ElementLost => case.inputs.len(),
    };
    drawn(entry).map(count).max().unwrap()
}

/// No op can slip unnoticed: in no output, and in the gradient of no input.
#[test]
fn a_slip_of_any_op_is_caught() {
    for entry in OPS {
        for slip in [Slip::OutputOff, Slip::GradientOff, Slip::GradientTurned, Slip::ElementLost] {
            for of in 0..places(entry, slip) {
                let is_caught = |(case, mut rng): (Case<AnyOp>, ChaCha8Rng)| {
                    let definition = case.op.clone();
                    let slipped = Drawn::new(case.map(|real| Slipped { real, slip, of }), &mut rng).unwrap();
                    all_checks(&slipped, &definition).is_err()
                };
                assert!(drawn(entry).any(is_caught), "{}: {slip:?} of {of} passed every check", entry.name);
            }
        }
    }
}
