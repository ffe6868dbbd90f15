//! Every kernel of the table on the GPU against Literal, bit for bit: ordinary numbers and wild ones, shapes at the edges of
//! tiles and of grids, and none at all.
//!
//! A family of kernels is a test, which runs under each schedule. What is tried is held against the table, and against what
//! is compiled: a kernel without a trial is found, and one that nothing launches.

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

use crate::common::{SCHEDULES, on_stand_in};
use draw::Trial;
use gdstar::kernel::KERNELS;
use gdstar::kernel::cuda::{self, Device};
use std::collections::BTreeSet;

/// Some kernels of the table, and what tries them.
struct Family {
    kernels: &'static [&'static str],
    f32: fn(&mut Trial),
    f64: fn(&mut Trial),
}

/// A test for each family, and the list of them.
macro_rules! families {
    ($($family:ident: $($kernel:literal)*;)*) => {
        const FAMILIES: &[Family] = &[$(Family {
            kernels: &[$($kernel),*],
            f32: $family::try_all::<f32>,
            f64: $family::try_all::<f64>,
        }),*];

        $(#[test]
        fn $family() {
            for schedule in SCHEDULES {
                on_stand_in(concat!(module_path!(), "::", stringify!($family)), schedule, || {
                    $family::try_all::<f32>(&mut Trial::new());
                    $family::try_all::<f64>(&mut Trial::new());
                });
            }
        })*
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

#[test]
fn every_kernel_of_the_table_is_tried_and_every_compiled_one_launched() {
    let name = concat!(module_path!(), "::every_kernel_of_the_table_is_tried_and_every_compiled_one_launched");
    on_stand_in(name, &[], || {
        let mut tried = BTreeSet::new();
        for family in FAMILIES {
            (family.f32)(&mut Trial::new());
            (family.f64)(&mut Trial::new());
            family.kernels.iter().for_each(|kernel| assert!(tried.insert(*kernel), "{kernel} is tried twice"));
        }
        assert_eq!(tried, KERNELS.iter().map(|kernel| kernel.name).collect());
        let launched: BTreeSet<_> = Device::get().unwrap().launches().into_keys().collect();
        let compiled = |names: Vec<&'static str>| names.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(launched, compiled(cuda::kernels::<f32>()));
        assert_eq!(launched, compiled(cuda::kernels::<f64>()));
    });
}

/// Products and sums that are rounded as they stand, none of them fused by the driver; nothing approximate, no float that is
/// added to by whoever comes first, no subnormal that is flushed.
#[test]
fn the_compiled_text_leaves_no_rounding_open() {
    for text in
        [include_str!("../../src/kernel/cuda/kernels_f32.ptx"), include_str!("../../src/kernel/cuda/kernels_f64.ptx")]
    {
        let instructions = text.lines().filter_map(|line| line.split_whitespace().find(|word| !word.starts_with('@')));
        let mut rounded = 0;
        for instruction in instructions.filter(|word| word.contains(".f32") || word.contains(".f64")) {
            let parts: Vec<&str> = instruction.split('.').collect();
            assert!(!parts.contains(&"approx") && !parts.contains(&"ftz"), "{instruction}");
            assert!(!["atom", "red"].contains(&parts[0]), "{instruction}");
            if ["add", "sub", "mul", "fma", "div", "sqrt", "rcp"].contains(&parts[0]) {
                assert!(parts.contains(&"rn"), "{instruction}");
                rounded += 1;
            }
        }
        assert!(rounded > 100, "{rounded} operations");
    }
}
