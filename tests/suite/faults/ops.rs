//! Faults in ops. Each is the real op with one line wrong, and goes through the very functions that `ops.rs` calls on
//! the real ones; on the same cases the real op must pass. Those that any op can have are tried on every op of [`OPS`].

mod functions;
mod layers;
mod moves;
mod pooling;
mod slips;

use crate::common::op_checks::{Drawn, Single, Subject, Verdict, adjoint_identity, layouts_agree, matches_definition};
use gdstar::Result;
use gdstar::kernel::Kernel;
use gdstar::op::{Argument, ArrayNames, List, Op, Reads, Shape};
use gdstar::ops::*;
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::fmt::Debug;
use std::marker::PhantomData;

/// One line that is wrong, in the attributes that forward or backward uses, or in what they return.
trait Fault: Debug + Clone + Send + Sync + 'static {
    type Real: Op + Catalogued + Into<AnyOp>;

    fn forward_as(real: &Self::Real) -> Self::Real {
        real.clone()
    }
    fn backward_as(real: &Self::Real) -> Self::Real {
        real.clone()
    }
    fn outputs<S: Scalar>(_: &Self::Real, _inputs: &[ArrayViewD<S>], _outputs: &mut [ArrayD<S>]) {}
    fn gradients<S: Scalar>(_: &Self::Real, _inputs: &[ArrayViewD<S>], _dy: &ArrayViewD<S>, _: &mut Gradients<S>) {}
}

type Gradients<S> = List<Option<ArrayD<S>>>;

/// The real op with the fault in it.
#[derive(Debug, Clone)]
struct Faulty<F: Fault> {
    real: F::Real,
    fault: PhantomData<F>,
}

impl<F: Fault> Op for Faulty<F> {
    const NAME: &'static str = F::Real::NAME;
    const INPUTS: ArrayNames = F::Real::INPUTS;
    const OUTPUTS: ArrayNames = F::Real::OUTPUTS;
    const READS: Reads = F::Real::READS;
    type Saved<S: Scalar> = <F::Real as Op>::Saved<S>;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        self.real.out_shapes(inputs)
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, Self::Saved<S>) {
        let kept: Vec<ArrayD<S>> = inputs.iter().map(|x| x.to_owned()).collect();
        let (mut outputs, saved) = F::forward_as(&self.real).forward(kernel, inputs);
        F::outputs(&self.real, &kept.iter().map(|x| x.view()).collect::<Vec<_>>(), &mut outputs);
        (outputs, saved)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        saved: &Self::Saved<S>,
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> Gradients<S> {
        let dy = upstream[0].to_owned();
        let mut gradients = F::backward_as(&self.real).backward(kernel, inputs, outputs, saved, upstream, wanted);
        F::gradients(&self.real, inputs, &dy.view(), &mut gradients);
        gradients
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(
        &self,
        device: &gdstar::kernel::cuda::Device,
        inputs: &[&gdstar::kernel::cuda::DeviceTensor<S>],
    ) -> gdstar::op::DeviceResult<gdstar::op::Seated<S>> {
        self.real.on_device(device, inputs)
    }
}

fn all_checks<O: Subject>(case: &Drawn<O>, definition: &AnyOp) -> Verdict {
    layouts_agree::<f32, _>(case, Kernel::Literal)?;
    adjoint_identity::<f64, _>(case, -20)?;
    matches_definition(case, definition)
}

/// The fault is caught within as many random cases as one proof draws, and the real op passes on all of them.
fn caught<F: Fault>() {
    let mut findings = Vec::new();
    for seed in 0..96 {
        let size = 1 + seed as usize % 4;
        let rng = || ChaCha8Rng::seed_from_u64(seed);
        let case = F::Real::sample(&mut rng(), size);
        let definition: AnyOp = case.op.clone().into();
        let faulty = Faulty::<F> { real: case.op.clone(), fault: PhantomData };
        let real = Drawn::new(case.clone().map(Single), &mut rng()).unwrap();
        all_checks(&real, &definition).unwrap();
        let drawn = Drawn::new(case.map(|_| Single(faulty)), &mut rng()).unwrap();
        findings.extend(all_checks(&drawn, &definition).err());
    }
    assert!(!findings.is_empty(), "the fault passed every check");
}

/// Declares each fault as a type with a test that it is caught.
macro_rules! planted {
    ($($(#[doc = $line:literal])* $fault:ident in $real:ty { $($body:tt)* })*) => {$(
        $(#[doc = $line])*
        #[derive(Debug, Clone)]
        struct $fault;

        impl Fault for $fault {
            type Real = $real;
            $($body)*
        }
    )*

        #[allow(non_snake_case)]
        mod caught_in_the_act {
            $(#[test]
            fn $fault() {
                $crate::faults::ops::caught::<super::$fault>();
            })*
        }

        /// Their names.
        pub const FAULTS: &[&str] = &[$(stringify!($fault)),*];
    };
}
use planted;

/// A gradient that the op must have computed, since all are wanted.
fn at<S>(gradients: &mut Gradients<S>, i: usize) -> &mut ArrayD<S> {
    gradients[i].as_mut().unwrap()
}

fn number<S: Scalar>(n: usize) -> S {
    S::from_usize(n)
}

#[test]
fn there_are_enough_faults() {
    let faults = [functions::FAULTS, layers::FAULTS, moves::FAULTS, pooling::FAULTS].concat();
    assert!(faults.len() >= 12, "{faults:?}");
}
