//! The operations, one file each: formula, derivative, conventions, forward, backward.
//!
//! [`OPS`] lists them all; tests walk the list, so an op cannot be added untested.

pub mod adaptive_avg_pool2d;
pub mod add;
mod attributes;
pub mod avg_pool2d;
pub mod batch_norm;
mod broadcast;
pub mod cases;
pub mod channel_shuffle;
pub mod concat;
pub mod conv2d;
pub mod cross_entropy;
pub mod dropout;
pub mod flatten;
pub mod global_mean;
pub mod linear;
pub mod matmul;
pub mod max_pool2d;
pub mod mul;
mod operands;
pub mod pad;
mod pooling;
pub mod relu;
pub mod relu6;
mod sample;
mod shape;
pub mod sigmoid;
pub mod silu;
mod slicing;
mod sparse;
pub mod split;
pub mod strided_slice;

pub use adaptive_avg_pool2d::AdaptiveAvgPool2d;
pub use add::Add;
pub use attributes::Attributes;
pub use avg_pool2d::AvgPool2d;
pub use batch_norm::BatchNorm;
pub use channel_shuffle::ChannelShuffle;
pub use concat::Concat;
pub use conv2d::Conv2d;
pub use cross_entropy::CrossEntropy;
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use global_mean::GlobalMean;
pub use linear::Linear;
pub use matmul::Matmul;
pub use max_pool2d::MaxPool2d;
pub use mul::Mul;
pub use pad::Pad;
pub use relu::Relu;
pub use relu6::Relu6;
pub use shape::MAX_ELEMENTS;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use sparse::{Filters, Sparse, WeightGradient};
pub use split::Split;
pub use strided_slice::StridedSlice;

use crate::error::Result;
use crate::kernel::Kernel;
use crate::op::{Evaluation, List, Op, Shape, evaluate};
use crate::scalar::Scalar;
use crate::tape::{Tape, Var};
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// What an op adds to [`Op`] to be listed in [`OPS`].
pub trait Catalogued: Op {
    /// One line for listings: the formula.
    const SUMMARY: &'static str;

    /// The op from named attributes, as `gdstar op` reads them. Takes what it knows out of `attributes`; what is
    /// left is reported as unknown by the caller.
    fn from_attributes(attributes: &mut Attributes) -> Result<Self>;

    /// A random well-formed case, larger with `size` (1 is tiny, 4 ordinary), that covers every attribute and
    /// every branch of the op over many draws.
    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self>;
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

    /// A case of one input of any rank, for an op that works element by element.
    fn elementwise(op: O, rng: &mut ChaCha8Rng, size: usize) -> Self {
        let rank = sample::extent(rng, size) - 1;
        let shape = sample::shape(rng, rank, size + 2);
        Self::new(op, vec![sample::array(rng, &shape)])
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
    ($($op:ident)*) => {
        /// Any of the ops, for callers that learn which one at run time.
        #[derive(Debug, Clone)]
        pub enum AnyOp {
            $(#[doc = concat!("See [`", stringify!($op), "`].")] $op($op),)*
        }

        /// Every op, in alphabetical order of the type names.
        pub const OPS: &[Entry] = &[$(Entry {
            name: <$op as Op>::NAME,
            summary: <$op as Catalogued>::SUMMARY,
            from_attributes: |attributes| Ok(AnyOp::$op($op::from_attributes(attributes)?)),
            sample: |rng, size| $op::sample(rng, size).map(AnyOp::$op),
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

registry! {
    AdaptiveAvgPool2d
    Add
    AvgPool2d
    BatchNorm
    ChannelShuffle
    Concat
    Conv2d
    CrossEntropy
    Dropout
    Flatten
    GlobalMean
    Linear
    Matmul
    MaxPool2d
    Mul
    Pad
    Relu
    Relu6
    Sigmoid
    Silu
    Split
    StridedSlice
}
