//! What each kernel of the table is tried on, on a device, against Literal, bit for bit: ordinary numbers and wild ones, shapes at
//! the edges of tiles and of grids, and none at all.

mod batch_norm;
mod conv;
mod descent;
mod draw;
mod groups;
mod moves;
mod order_statistics;
mod pointwise;
mod pooling;
mod products;
mod rows;
mod selection;

use draw::Trial;

/// Some kernels of the table, and what tries them.
pub struct Family {
    pub name: &'static str,
    pub kernels: &'static [&'static str],
    f32: fn(&mut Trial),
    f64: fn(&mut Trial),
}

impl Family {
    /// Tries the kernels in both number systems.
    ///
    /// # Panics
    /// Where one has other bits.
    pub fn try_all(&self) {
        (self.f32)(&mut Trial::new());
        (self.f64)(&mut Trial::new());
    }
}

macro_rules! families {
    ($($family:ident: $($kernel:literal)*;)*) => {
        /// All kernels of the table, which a test holds against it.
        pub const FAMILIES: &[Family] = &[$(Family {
            name: stringify!($family),
            kernels: &[$($kernel),*],
            f32: $family::try_all::<f32>,
            f64: $family::try_all::<f64>,
        }),*];
    };
}

families! {
    pointwise: "formula_values" "formula_gradients" "dropout" "add_to";
    moves: "assign" "rearrange";
    products: "matmul_with_bias" "linear" "linear_input_gradient" "linear_weight_gradient" "channel_sums";
    conv: "conv2d_with_bias" "conv2d_input_gradient" "conv2d_weight_gradient" "sparse_conv2d" "sparse_conv2d_input_gradient"
        "sparse_conv2d_weight_gradient";
    batch_norm: "batch_norm" "batch_norm_gradient";
    pooling: "max_pool2d" "max_pool2d_gradient" "avg_pool2d" "avg_pool2d_gradient" "plane_means" "plane_means_gradient";
    rows: "cross_entropy" "cross_entropy_gradient";
    descent: "sgd_step" "drawn_step" "accumulate_squares";
    selection: "sum" "below" "hold" "living" "rewind_decay" "first_not_finite";
    groups: "group_totals" "flags_of_groups" "least_of_groups";
    order_statistics: "order_statistics";
}
