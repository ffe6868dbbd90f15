//! Ops and steps on the GPU: Literal's bits, in any order of blocks and threads.

use crate::checks;
use crate::common::{SCHEDULES, on_stand_in};
use gdstar::ops::{OPS, find};

/// A test an op: random cases that cover every attribute and branch, in both number systems.
macro_rules! ops {
    ($($op:ident)*) => {
        $(#[test]
        fn $op() {
            for schedule in SCHEDULES {
                on_stand_in(concat!(module_path!(), "::", stringify!($op)), schedule, || {
                    let entry = find(stringify!($op)).unwrap();
                    (0..12).for_each(|seed| checks::case(entry, seed, 1 + seed as usize % 3).unwrap());
                });
            }
        })*

        #[test]
        fn every_op_has_its_test() {
            assert_eq!([$(stringify!($op)),*].as_slice(), OPS.iter().map(|entry| entry.name).collect::<Vec<_>>());
        }
    };
}

ops! {
    adaptive_avg_pool2d add avg_pool2d batch_norm channel_shuffle concat conv2d cross_entropy dropout flatten global_mean
    linear matmul max_pool2d mul pad relu relu6 sigmoid silu split strided_slice
}

/// Ops that no file holds: on compressed weights, and with a gradient that is pruned on the way.
#[test]
fn sparse_ops_and_pruned_gradients_have_literals_bits() {
    on_stand_in(concat!(module_path!(), "::sparse_ops_and_pruned_gradients_have_literals_bits"), SCHEDULES[2], || {
        checks::unlisted().unwrap();
    });
}

#[test]
fn a_step_of_lenet300_and_of_lenet_has_literals_bits() {
    on_stand_in(concat!(module_path!(), "::a_step_of_lenet300_and_of_lenet_has_literals_bits"), &[], || {
        checks::step::<f32>("lenet300", 3).unwrap();
        checks::step::<f64>("lenet300", 2).unwrap();
        checks::step::<f32>("lenet", 2).unwrap();
    });
}
