//! The aten overloads that are judged, a page a family: what a correct port may hold for each result, from the operands
//! that it recorded.
//!
//! [`OVERLOADS`] lists them; a test walks the list: each accepts results that were formed in another order and precision,
//! and refuses planted faults.

mod algorithms;
mod arguments;
mod bent;
mod cases;
mod chosen;
mod convolution;
mod drawn;
mod filled;
mod gelu;
mod losses;
mod moved;
mod normalised;
mod piecewise;
mod pointwise;
mod pooling;
mod powers;
mod products;
mod reductions;
mod regression;
mod slips;
mod smooth;
mod softmax;
mod strided;
mod sums;

pub(super) use arguments::Arguments;
pub(super) use cases::answer_case;
pub(super) use slips::{SLIPS, Slip};

use normalised::{batch, batch_backward, rows, rows_backward};

use super::expected::Answer;
use super::{AtenCall, Declared, Value, unit_roundoff};
use crate::error::Result;
use crate::scalar::power_of_two;

/// One overload.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// `aten.<name>.<overload>`.
    pub name: &'static str,
    /// What a correct port may be off by, in a line.
    pub bound: &'static str,
    judge: fn(&Arguments) -> Result<Answer>,
    /// Whether the result is the first argument, changed.
    in_place: bool,
}

/// Formulas of few steps, which ports in F16 and BF16 may well form in that type, step by step; sums of many terms are
/// not such, and a port that forms them so declares its u_acc.
const FEW_STEPS: &[&str] = &[
    "add",
    "sub",
    "mul",
    "div",
    "sigmoid",
    "silu",
    "pool2d",
    "_log_softmax",
    "nll_loss",
    "native_dropout",
    "elu",
    "tanh",
    "softplus",
    "hardswish",
    "loss_backward",
    "pow",
    "xlogy",
    "rsqrt",
];
/// What has to be declared for it.
const OWN_TYPE: &str = "`u_acc`: steps in the result's own type";

impl Overload {
    /// Whether it is one of [`FEW_STEPS`].
    fn has_few_steps(&self) -> bool {
        !self.name.contains("addmm") && FEW_STEPS.iter().any(|steps| self.name.contains(steps))
    }

    /// Whether the result is the first argument, changed.
    pub fn works_in_place(&self) -> bool {
        self.in_place
    }

    /// What a correct port may hold for each result of a call.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) naming the argument that the overload cannot work on.
    pub fn answer(&'static self, call: &AtenCall<Value>, declared: &Declared) -> Result<Answer> {
        self.answer_with(call, declared, None)
    }

    /// The same of a port that makes a mistake.
    pub(super) fn answer_with(
        &'static self,
        call: &AtenCall<Value>,
        declared: &Declared,
        slip: Option<Slip>,
    ) -> Result<Answer> {
        let of = |declared: &Declared| (self.judge)(&Arguments { overload: self.name, call, declared, slip });
        let mut answer = of(declared)?;
        let roundoffs = call.results.iter().flatten().filter_map(|value| unit_roundoff(value.dtype));
        let coarsest = roundoffs.fold(0.0, f64::max);
        if self.has_few_steps() && declared.u_acc.is_none() && coarsest > power_of_two(-24) {
            let own = Declared { u_acc: Some(coarsest), ..*declared };
            answer = answer.unless_declared(of(&own)?, OWN_TYPE);
        }
        Ok(if self.in_place { answer.in_place() } else { answer })
    }
}

/// The overload of this name.
pub fn find(name: &str) -> Option<&'static Overload> {
    OVERLOADS.iter().find(|overload| overload.name == name)
}

macro_rules! overloads {
    ($($bound:literal: $($page:ident::$judge:ident: $($name:literal)* $(; in place $($changed:literal)*)?),+;)*) => {
        /// Every overload that is judged, family by family.
        pub const OVERLOADS: &[Overload] = &[$($(
            $(Overload { name: concat!("aten.", $name), bound: $bound, judge: $page::$judge, in_place: false },)*
            $($(Overload { name: concat!("aten.", $changed), bound: $bound, judge: $page::$judge, in_place: true },)*)?
        )+)*];
    };
}

// What each may be off by, and which they are. k counts the terms that are not 0; u is the unit roundoff of a sum,
// u_out that of a stored result, which is added where it is coarser.
overloads! {
    "gamma_k(u) sum abs(a) abs(b), FAIL; 8 sqrt(k) u sum abs(a) abs(b), SUSPECT; twice u_in of the same where declared":
        products::mm: "mm.default",
        products::bmm: "bmm.default",
        products::addmm: "addmm.default"; in place "addmm_.default",
        products::linear: "linear.default";
    "as products; Winograd's and Fourier's, where declared, of what a tile or a plane mixes":
        convolution::forward: "convolution.default",
        convolution::backward: "convolution_backward.default";
    "mean gamma_(m+8)(u) mean abs(x); variance as its form is declared, two-pass by default; y, dx, dw, db by what these pass on":
        batch::forward: "native_batch_norm.default" "_native_batch_norm_legit.default"
            "_native_batch_norm_legit.no_stats" "_native_batch_norm_legit_no_training.default"
            "_batch_norm_with_update.default" "_batch_norm_no_update.default",
        batch_backward::backward: "native_batch_norm_backward.default";
    "as batch norm, of the m values of a row; sums over rows gamma_n(u) of their terms' sizes":
        rows::layers: "native_layer_norm.default",
        rows_backward::layers: "native_layer_norm_backward.default",
        rows::groups: "native_group_norm.default",
        rows_backward::groups: "native_group_norm_backward.default";
    "one rounding an operation; a number that the type does not hold, one more":
        pointwise::add: "add.Tensor" "add.Scalar"; in place "add_.Tensor" "add_.Scalar",
        pointwise::sub: "sub.Tensor" "sub.Scalar"; in place "sub_.Tensor" "sub_.Scalar",
        pointwise::mul: "mul.Tensor" "mul.Scalar"; in place "mul_.Tensor" "mul_.Scalar",
        pointwise::div: "div.Tensor" "div.Scalar"; in place "div_.Tensor" "div_.Scalar";
    "exact":
        chosen::relu: "relu.default"; in place "relu_.default",
        chosen::clamp: "hardtanh.default" "clamp.default"; in place "hardtanh_.default" "clamp_.default",
        chosen::threshold_backward: "threshold_backward.default",
        chosen::hardtanh_backward: "hardtanh_backward.default",
        chosen::neg: "neg.default",
        chosen::compare: "gt.Scalar" "ge.Scalar" "lt.Scalar" "le.Scalar" "eq.Scalar" "ne.Scalar",
        chosen::choose: "where.self",
        chosen::abs: "abs.default",
        chosen::sign: "sgn.default" "sign.default",
        chosen::bitwise_not: "bitwise_not.default",
        chosen::masked_fill: "masked_fill.Scalar" "masked_fill.Tensor";
            in place "masked_fill_.Scalar" "masked_fill_.Tensor";
    "exp within exp_ulps, times 1 - s, and a rounding an operation; by tanh alone: INCONCLUSIVE":
        smooth::sigmoid: "sigmoid.default"; in place "sigmoid_.default",
        smooth::sigmoid_backward: "sigmoid_backward.default",
        smooth::silu: "silu.default"; in place "silu_.default",
        smooth::silu_backward: "silu_backward.default";
    "an elementary function within exp_ulps of its operand, and a rounding an operation, in any order of the products":
        bent::tanh: "tanh.default"; in place "tanh_.default",
        bent::tanh_backward: "tanh_backward.default",
        bent::elu: "elu.default"; in place "elu_.default",
        bent::elu_backward: "elu_backward.default",
        bent::softplus: "softplus.default",
        bent::softplus_backward: "softplus_backward.default",
        gelu::gelu: "gelu.default",
        gelu::gelu_backward: "gelu_backward.default",
        powers::power: "pow.Tensor_Scalar",
        powers::exp: "exp.default",
        powers::log: "log.default",
        powers::root: "sqrt.default",
        powers::reciprocal_root: "rsqrt.default",
        powers::reciprocal: "reciprocal.default",
        powers::times_logarithm: "xlogy.Tensor";
    "a rounding an operation, a division by a reciprocal one more; exact where a piece is the operand or 0":
        piecewise::leaky: "leaky_relu.default"; in place "leaky_relu_.default",
        piecewise::leaky_backward: "leaky_relu_backward.default",
        piecewise::hard_sigmoid: "hardsigmoid.default"; in place "hardsigmoid_.default",
        piecewise::hard_sigmoid_backward: "hardsigmoid_backward.default",
        piecewise::hard_swish: "hardswish.default"; in place "hardswish_.default",
        piecewise::hard_swish_backward: "hardswish_backward.default";
    "maxima and their places exact, a tie to the first in row-major order; gradients gamma_(k-1)(u) of what meets in a pixel":
        pooling::max: "max_pool2d_with_indices.default",
        pooling::max_backward: "max_pool2d_with_indices_backward.default";
    "gamma_(k-1)(u) of the sum of the sizes, likely 8 sqrt(k) u; a mean, the quotient's rounding or two":
        pooling::average: "avg_pool2d.default",
        pooling::average_backward: "avg_pool2d_backward.default",
        pooling::adaptive_average: "_adaptive_avg_pool2d.default",
        pooling::adaptive_average_backward: "_adaptive_avg_pool2d_backward.default",
        reductions::sum: "sum.default" "sum.dim_IntList",
        reductions::mean: "mean.default" "mean.dim";
    "any shift, any order, exp and log within exp_ulps: what they pass on, in a row of its spread and size":
        softmax::log_softmax: "_log_softmax.default",
        softmax::log_softmax_backward: "_log_softmax_backward_data.default",
        softmax::softmax: "_softmax.default",
        softmax::softmax_backward: "_softmax_backward_data.default";
    "gamma_(n-1)(u) of the rows' losses, and the quotient; gradients a rounding or two, exactly 0 off the label":
        losses::nll: "nll_loss_forward.default" "nll_loss2d_forward.default",
        losses::nll_backward: "nll_loss_backward.default" "nll_loss2d_backward.default";
    "gamma_(n-1)(u) of the elements' losses, each a rounding an operation, and the quotient; gradients a rounding an operation":
        regression::squares: "mse_loss.default",
        regression::squares_backward: "mse_loss_backward.default",
        regression::smooth: "smooth_l1_loss.default",
        regression::smooth_backward: "smooth_l1_loss_backward.default",
        regression::of_logits: "binary_cross_entropy_with_logits.default";
    "three roundings, exactly 0 where the mask is; the mask as what is drawn":
        drawn::dropout: "native_dropout.default",
        drawn::dropout_backward: "native_dropout_backward.default";
    "any numbers of the range that is drawn from; a mean that 2 exp(-32) of all draws have is SUSPECT":
        drawn::flags: ; in place "bernoulli_.float",
        drawn::uniform: "rand.default" "rand_like.default"; in place "uniform_.default";
    "exact; to a type of fewer digits, one rounding":
        moved::same: "clone.default" "detach.default" "alias.default" "lift_fresh.default" "_to_copy.default"
            "contiguous.default"; in place "detach_.default",
        moved::reshape: "view.default" "_unsafe_view.default" "reshape.default" "_reshape_alias.default"
            "unsqueeze.default" "squeeze.default" "squeeze.dim" "squeeze.dims" "flatten.using_ints";
            in place "unsqueeze_.default" "squeeze_.default" "squeeze_.dim" "squeeze_.dims",
        moved::permute: "t.default" "transpose.int" "permute.default"; in place "t_.default" "transpose_.default",
        moved::expand: "expand.default",
        moved::cat: "cat.default",
        moved::stack: "stack.default",
        moved::split: "split.Tensor" "split_with_sizes.default" "chunk.default" "unbind.int" "unsafe_split.Tensor"
            "unsafe_split_with_sizes.default" "unsafe_chunk.default",
        moved::slice: "slice.Tensor",
        moved::slice_backward: "slice_backward.default",
        moved::select: "select.int",
        moved::select_backward: "select_backward.default",
        moved::pad: "constant_pad_nd.default",
        moved::copy: ; in place "copy_.default",
        strided::view: "as_strided.default"; in place "as_strided_.default",
        strided::scatter: "as_strided_scatter.default",
        filled::zeros: "zeros.default" "zeros_like.default" "new_zeros.default"; in place "zero_.default",
        filled::ones: "ones.default" "ones_like.default",
        filled::full: "full.default" "full_like.default" "scalar_tensor.default";
            in place "fill_.Scalar" "fill_.Tensor";
    "anything: memory that is not written yet":
        filled::empty: "empty.memory_format" "empty_like.default" "empty_strided.default" "new_empty.default"
            "new_empty_strided.default";
}
