//! The operations, one file each: formula, derivative, conventions, forward, backward.
//!
//! [`OPS`] lists them all; tests walk the list, so an op cannot be added untested.

mod attributes;
pub mod cases;
mod definition;
mod magnitude;
mod operands;
mod pointwise;
mod pooling;
mod pruned_gradient;
mod sample;
mod shape;
mod sparse;

pub use attributes::Attributes;
pub use magnitude::{Care, Example, Magnitude};
pub use pointwise::Pointwise;
pub use pruned_gradient::{GradientPruning, Keys, Logged, Pruned, PrunedGradient, PruningLog};
pub use shape::MAX_ELEMENTS;
pub use sparse::{Filters, Sparse, WeightGradient};

use crate::error::Result;
use crate::kernel::Kernel;
use crate::op::{ArrayNames, Evaluation, List, Op, Shape, evaluate};
use crate::scalar::Scalar;
use crate::tape::{Tape, Var};
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// What an op adds to [`Op`] to be listed in [`OPS`]: all that readers of files and proofs have to know of it.
pub trait Catalogued: Op {
    /// One line for listings: the formula.
    const SUMMARY: &'static str;
    /// What is added up to make one element of an output or of a gradient.
    const SUMS: Summation;

    /// The outputs once more, written as the op is defined: one expression an element, with no thought for speed or
    /// cancellation. In 31 digits it is what [`Op::forward`] is held against. For inputs that [`Op::out_shapes`]
    /// accepts.
    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>>;

    /// What rounding errors of the op are measured by.
    fn magnitude(&self, care: Care) -> Magnitude<Self>;

    /// The op from named attributes, as `gdstar op` reads them. Takes what it knows out of `attributes`; what is
    /// left is reported as unknown by the caller.
    fn from_attributes(attributes: &mut Attributes) -> Result<Self>;

    /// A random well-formed case, larger with `size` (1 is tiny, 4 ordinary), that covers every attribute and
    /// every branch of the op over many draws.
    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self>;
}

/// How an op adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summation {
    /// Not at all: every element of a result is made of one element of each input.
    None,
    /// In [`Scalar::Wide`], rounded once, in the same order under both kernels and for every order of memory.
    Wide,
    /// In [`Scalar::Wide`], rounded once; [`Kernel::Fast`] in an order of its own, the same for every order of memory.
    WideReordered,
    /// In [`Scalar::Accumulator`]; [`Kernel::Fast`] in an order of its own.
    Accumulator,
}

/// An op together with inputs it accepts.
#[derive(Debug, Clone)]
pub struct Case<O> {
    pub op: O,
    /// Inputs in the op's order. Values are exact in `f32`.
    pub inputs: Vec<ArrayD<f64>>,
    /// Which inputs the op differentiates.
    pub differentiable: Vec<bool>,
}

impl<O> Case<O> {
    /// A case in which every input is differentiated.
    pub fn new(op: O, inputs: Vec<ArrayD<f64>>) -> Self {
        let differentiable = vec![true; inputs.len()];
        Self { op, inputs, differentiable }
    }

    /// The same inputs for another form of the op.
    pub fn map<P>(self, f: impl FnOnce(O) -> P) -> Case<P> {
        Case { op: f(self.op), inputs: self.inputs, differentiable: self.differentiable }
    }
}

/// One line of [`OPS`].
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// [`Op::NAME`].
    pub name: &'static str,
    /// [`Catalogued::SUMMARY`].
    pub summary: &'static str,
    /// [`Op::INPUTS`].
    pub inputs: ArrayNames,
    /// [`Op::OUTPUTS`].
    pub outputs: ArrayNames,
    /// [`Catalogued::SUMS`].
    pub sums: Summation,
    /// [`Catalogued::from_attributes`].
    pub from_attributes: fn(&mut Attributes) -> Result<AnyOp>,
    /// [`Catalogued::sample`].
    pub sample: fn(&mut ChaCha8Rng, usize) -> Case<AnyOp>,
}

/// The entry of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    OPS.iter().find(|entry| entry.name == name)
}

macro_rules! registry {
    ($($module:ident::$op:ident)*) => {
        $(pub mod $module;)*
        $(pub use $module::$op;)*

        /// Any of the ops, for callers that learn which one at run time.
        #[derive(Debug, Clone)]
        pub enum AnyOp {
            $(#[doc = concat!("See [`", stringify!($op), "`].")] $op($op),)*
        }

        /// Every op, in alphabetical order of the type names.
        pub const OPS: &[Entry] = &[$(Entry {
            name: <$op as Op>::NAME,
            summary: <$op as Catalogued>::SUMMARY,
            inputs: <$op as Op>::INPUTS,
            outputs: <$op as Op>::OUTPUTS,
            sums: <$op as Catalogued>::SUMS,
            from_attributes: |attributes| Ok(AnyOp::$op(<$op as Catalogued>::from_attributes(attributes)?)),
            sample: |rng, size| <$op as Catalogued>::sample(rng, size).map(AnyOp::$op),
        },)*];

        $(impl From<$op> for AnyOp {
            fn from(op: $op) -> Self {
                Self::$op(op)
            }
        })*

        impl AnyOp {
            /// [`Op::NAME`].
            pub fn name(&self) -> &'static str {
                match self { $(Self::$op(_) => <$op as Op>::NAME,)* }
            }

            /// [`Catalogued::SUMS`].
            pub fn sums(&self) -> Summation {
                match self { $(Self::$op(_) => <$op as Catalogued>::SUMS,)* }
            }

            /// [`Catalogued::definition`].
            pub fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
                match self { $(Self::$op(op) => Catalogued::definition(op, inputs),)* }
            }

            /// [`Magnitude::at`] of [`Catalogued::magnitude`].
            ///
            /// # Errors
            /// As [`Magnitude::at`].
            pub fn magnitude(&self, example: &Example, care: Care) -> Result<Evaluation<f64>> {
                match self { $(Self::$op(op) => Catalogued::magnitude(op, care).at(op, example, care),)* }
            }

            /// [`Op::out_shapes`].
            pub fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
                match self { $(Self::$op(op) => op.out_shapes(inputs),)* }
            }

            /// [`Tape::apply`].
            ///
            /// # Errors
            /// As [`Tape::apply`].
            pub fn apply<S: Scalar>(&self, tape: &mut Tape<S>, inputs: &[Var]) -> Result<List<Var>> {
                match self { $(Self::$op(op) => tape.apply(op.clone(), inputs),)* }
            }

            /// [`Tape::apply_over`].
            ///
            /// # Errors
            /// As [`Tape::apply`].
            pub fn apply_over<S: Scalar>(&self, tape: &mut Tape<S>, inputs: &[Var]) -> Result<List<Var>> {
                match self { $(Self::$op(op) => tape.apply_over(op.clone(), inputs),)* }
            }

            /// [`evaluate`].
            pub fn evaluate<S: Scalar>(
                &self,
                kernel: Kernel,
                inputs: &[ArrayViewD<S>],
                upstream: &[Option<ArrayViewD<S>>],
                wanted: &[bool],
            ) -> Result<Evaluation<S>> {
                match self { $(Self::$op(op) => evaluate(op, kernel, inputs, upstream, wanted),)* }
            }
        }
    };
}

// Each line: the file, which is named as the op is, and its type.
registry! {
    adaptive_avg_pool2d::AdaptiveAvgPool2d
    add::Add
    avg_pool2d::AvgPool2d
    batch_norm::BatchNorm
    channel_shuffle::ChannelShuffle
    concat::Concat
    conv2d::Conv2d
    cross_entropy::CrossEntropy
    dropout::Dropout
    flatten::Flatten
    global_mean::GlobalMean
    linear::Linear
    matmul::Matmul
    max_pool2d::MaxPool2d
    mul::Mul
    pad::Pad
    relu::Relu
    relu6::Relu6
    sigmoid::Sigmoid
    silu::Silu
    split::Split
    strided_slice::StridedSlice
}
