//! Faults in ops. Each is the real op with one line wrong, and goes through the very functions that `ops.rs` calls on
//! the real ones; on the same cases the real op must pass. Those that any op can have are tried on every op of [`OPS`].

use crate::common::op_checks::{Drawn, Single, Subject, Verdict, adjoint_identity, layouts_agree, matches_definition};
use gdstar::Result;
use gdstar::kernel::Kernel;
use gdstar::op::{Argument, ArrayNames, Evaluation, List, Op, Reads, Shape};
use gdstar::ops::*;
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};
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
}

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
                super::caught::<super::$fault>();
            })*
        }

        #[test]
        fn there_are_enough_faults() {
            assert!([$(stringify!($fault)),*].len() >= 12);
        }
    };
}

/// A gradient that the op must have computed, since all are wanted.
fn at<S>(gradients: &mut Gradients<S>, i: usize) -> &mut ArrayD<S> {
    gradients[i].as_mut().unwrap()
}

fn number<S: Scalar>(n: usize) -> S {
    S::from_usize(n)
}

planted! {
    /// relu'(0) = 1.
    ReluPassesAtZero in Relu {
        fn gradients<S: Scalar>(_: &Relu, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            ndarray::Zip::from(at(dx, 0)).and(&x[0]).and(dy).for_each(|dx, &x, &dy| if x == S::ZERO { *dx = dy });
        }
    }
    /// relu6'(6) = 1.
    Relu6PassesAtSix in Relu6 {
        fn gradients<S: Scalar>(_: &Relu6, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            ndarray::Zip::from(at(dx, 0)).and(&x[0]).and(dy).for_each(|dx, &x, &dy| if x == number(6) { *dx = dy });
        }
    }
    /// dx = dy s in place of dy s (1 - s).
    SigmoidDerivativeOfWrongS in Sigmoid {
        fn gradients<S: Scalar>(_: &Sigmoid, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            *at(dx, 0) = dy / &x[0].mapv(|x| S::ONE + (-x).exp());
        }
    }
    /// dx = dy s, without the term x s (1 - s).
    SiluDerivativeMissesATerm in Silu {
        fn gradients<S: Scalar>(_: &Silu, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            *at(dx, 0) = dy / &x[0].mapv(|x| S::ONE + (-x).exp());
        }
    }
    /// silu'(x) off by 2^-40 of itself: no finite difference sees it.
    SiluDerivativeOffInTheTwelfthDigit in Silu {
        fn gradients<S: Scalar>(_: &Silu, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).mapv_inplace(|dx| dx + dx * S::from_f64(1.0 / (1_u64 << 40) as f64));
        }
    }
    /// A tie goes to the last pixel.
    MaxPoolTieGoesToTheLast in MaxPool2d {
        fn gradients<S: Scalar>(op: &MaxPool2d, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).fill(S::ZERO);
            let extent = |axis: usize| x[0].shape()[2 + axis];
            for (place, &dy) in dy.indexed_iter() {
                let place = [place[0], place[1], place[2], place[3]];
                let tap = |axis: usize| {
                    let start = place[2 + axis] * op.stride[axis];
                    start.saturating_sub(op.padding[axis])..(start + op.kernel[axis] - op.padding[axis]).min(extent(axis))
                };
                let columns = tap(1);
                let pixels = tap(0).flat_map(|i| columns.clone().map(move |j| [place[0], place[1], i, j]));
                let last = pixels.reduce(|best, pixel| if x[0][pixel] >= x[0][best] { pixel } else { best });
                at(dx, 0)[last.unwrap()] += dy;
            }
        }
    }
    /// The padding is 0 and not -inf.
    MaxPoolPadsWithZero in MaxPool2d {
        fn outputs<S: Scalar>(op: &MaxPool2d, _: &[ArrayViewD<S>], y: &mut [ArrayD<S>]) {
            if op.padding[0] > 0 {
                y[0].index_axis_mut(Axis(2), 0).mapv_inplace(|y| y.maximum(S::ZERO));
            }
        }
    }
    /// The divisor is the whole kernel, whatever `count_include_pad` says.
    AvgPoolIgnoresCountIncludePad in AvgPool2d {
        fn forward_as(op: &AvgPool2d) -> AvgPool2d {
            AvgPool2d { count_include_pad: true, ..*op }
        }
        fn backward_as(op: &AvgPool2d) -> AvgPool2d {
            AvgPool2d { count_include_pad: true, ..*op }
        }
    }
    /// The mean is over h alone, forward and backward alike.
    GlobalMeanDividesByHeight in GlobalMean {
        fn outputs<S: Scalar>(_: &GlobalMean, x: &[ArrayViewD<S>], y: &mut [ArrayD<S>]) {
            y[0].mapv_inplace(|y| y * number(x[0].shape()[3]));
        }
        fn gradients<S: Scalar>(_: &GlobalMean, x: &[ArrayViewD<S>], _: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).mapv_inplace(|dx| dx * number(x[0].shape()[3]));
        }
    }
    /// The gradient is spread without the division.
    AdaptiveAvgPoolGradientNotDivided in AdaptiveAvgPool2d {
        fn gradients<S: Scalar>(_: &AdaptiveAvgPool2d, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            *at(dx, 0) = dy.broadcast(x[0].raw_dim()).unwrap().to_owned();
        }
    }
    /// The sum over the batch, forward and backward alike.
    CrossEntropySumsTheBatch in CrossEntropy {
        fn outputs<S: Scalar>(op: &CrossEntropy, _: &[ArrayViewD<S>], loss: &mut [ArrayD<S>]) {
            loss[0].mapv_inplace(|loss| loss * number(op.labels.len()));
        }
        fn gradients<S: Scalar>(op: &CrossEntropy, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).mapv_inplace(|dx| dx * number(op.labels.len()));
        }
    }
    /// dx = p, without the 1 that is taken off at the label.
    CrossEntropyGradientIsTheSoftmax in CrossEntropy {
        fn gradients<S: Scalar>(op: &CrossEntropy, _: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            let share = dy.iter().fold(S::ZERO, |_, &dy| dy / number(op.labels.len()));
            op.labels.iter().enumerate().for_each(|(i, &label)| at(dx, 0)[[i, label]] += share);
        }
    }
    /// The bias gradient misses the first sample.
    LinearBiasGradientMissesASample in Linear {
        fn gradients<S: Scalar>(_: &Linear, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            if inputs.len() == 3 {
                *at(gradients, 2) = dy.slice_axis(Axis(0), Slice::from(1..)).fold_axis(Axis(0), S::ZERO, |&a, &b| a + b);
            }
        }
    }
    /// The weight gradient of the last tap column is lost.
    ConvWeightGradientMissesATap in Conv2d {
        fn gradients<S: Scalar>(_: &Conv2d, inputs: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 1).index_axis_mut(Axis(3), inputs[1].shape()[3] - 1).fill(S::ZERO);
        }
    }
    /// da and db exchanged where their shapes allow it.
    MatmulGradientsTransposed in Matmul {
        fn gradients<S: Scalar>(_: &Matmul, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let da = at(gradients, 0);
            if da.shape()[0] == da.shape()[1] {
                *da = da.t().to_owned();
            }
        }
    }
    /// The running variance moves towards the biased variance.
    BatchNormRunningVarianceBiased in BatchNorm {
        fn outputs<S: Scalar>(op: &BatchNorm, inputs: &[ArrayViewD<S>], outputs: &mut [ArrayD<S>]) {
            let [m, kept] = [number::<S>(inputs[0].len() / inputs[1].len()), S::ONE - S::from_f64(op.momentum)];
            if let Some(variance) = outputs.get_mut(2) {
                ndarray::Zip::from(variance).and(&inputs[4]).for_each(|new, &old| {
                    *new = kept * old + (*new - kept * old) * ((m - S::ONE) / m);
                });
            }
        }
    }
    /// momentum weighs the old statistics.
    BatchNormMomentumWeighsTheOld in BatchNorm {
        fn forward_as(op: &BatchNorm) -> BatchNorm {
            BatchNorm { momentum: 1.0 - op.momentum, ..*op }
        }
        fn backward_as(op: &BatchNorm) -> BatchNorm {
            BatchNorm { momentum: 1.0 - op.momentum, ..*op }
        }
    }
    /// dx without the term mean(dy).
    BatchNormGradientMissesTheMean in BatchNorm {
        fn gradients<S: Scalar>(op: &BatchNorm, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let m = number::<S>(inputs[0].len() / inputs[1].len());
            let sum = |x: ArrayViewD<S>, f: &dyn Fn(S) -> S| x.iter().fold(S::ZERO, |sum, &x| sum + f(x));
            for c in 0..inputs[1].len() * usize::from(op.training) {
                let x = inputs[0].index_axis(Axis(1), c);
                let mean = sum(x.view(), &|x| x) / m;
                let variance = sum(x.view(), &|x| (x - mean) * (x - mean)) / m;
                let scale = inputs[1][[c]] / (variance + S::from_f64(op.eps)).sqrt();
                let missing = scale * sum(dy.index_axis(Axis(1), c), &|dy| dy) / m;
                at(gradients, 0).index_axis_mut(Axis(1), c).mapv_inplace(|dx| dx + missing);
            }
        }
    }
    /// The second piece of the gradient starts where the first does.
    ConcatGradientOffsetNotAdvanced in Concat {
        fn gradients<S: Scalar>(op: &Concat, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            if let Some(x) = inputs.get(1) {
                *at(gradients, 1) = dy.slice_axis(Axis(op.axis), Slice::from(..x.shape()[op.axis])).to_owned();
            }
        }
    }
    /// The first piece's gradient is dropped.
    SplitGradientDropsAPiece in Split {
        fn gradients<S: Scalar>(op: &Split, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 0).slice_axis_mut(Axis(op.axis), Slice::from(..op.sizes[0])).fill(S::ZERO);
        }
    }
    /// The gradient goes through the shuffle itself and not its inverse.
    ChannelShuffleInverseWrong in ChannelShuffle {
        fn gradients<S: Scalar>(op: &ChannelShuffle, _: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            *at(gradients, 0) = op.forward(Kernel::Literal, &mut [dy.view().into()]).0.swap_remove(0);
        }
    }
    /// The gradient of a broadcast operand takes the first repetition and not their sum.
    MulGradientNotSummed in Mul {
        fn gradients<S: Scalar>(_: &Mul, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let mut terms = dy * &inputs[1];
            while terms.ndim() > inputs[0].ndim() {
                terms = terms.index_axis_move(Axis(0), 0);
            }
            for axis in 0..terms.ndim() {
                terms = terms.slice_axis(Axis(axis), Slice::from(..inputs[0].shape()[axis])).to_owned();
            }
            *at(gradients, 0) = terms;
        }
    }
    /// db = -dy: the sign of another op.
    AddGradientSubtracts in Add {
        fn gradients<S: Scalar>(_: &Add, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 1).mapv_inplace(|db| -db);
        }
    }
    /// The elements are joined in column-major order.
    FlattenInColumnMajorOrder in Flatten {
        fn outputs<S: Scalar>(_: &Flatten, inputs: &[ArrayViewD<S>], y: &mut [ArrayD<S>]) {
            let columns = inputs[0].t().iter().copied().collect();
            y[0] = ArrayD::from_shape_vec(y[0].shape(), columns).unwrap();
        }
    }
    /// The gradient is cut off at the start, as if nothing were padded before.
    PadGradientIgnoresBefore in Pad {
        fn gradients<S: Scalar>(_: &Pad, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let inside = |axis: ndarray::AxisDescription| Slice::from(..inputs[0].shape()[axis.axis.index()]);
            *at(gradients, 0) = dy.slice_each_axis(inside).to_owned();
        }
    }
    /// The gradient lands on the last pixel of every step and not the first.
    StridedSliceGradientReversed in StridedSlice {
        fn gradients<S: Scalar>(_: &StridedSlice, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 0).invert_axis(Axis(3));
        }
    }
    /// The gradient is masked but not scaled.
    DropoutGradientNotScaled in Dropout {
        fn backward_as(op: &Dropout) -> Dropout {
            Dropout { p: 0.0, mask: op.mask.clone() }
        }
    }
}
