//! Every kernel of the table on the stand-in: each family is a test, which runs under each schedule.
//!
//! What is tried is held against the table, and against what is compiled: a kernel without a trial is found, and one that nothing
//! launches.

use crate::common::{SCHEDULES, on_stand_in};
use crate::families::FAMILIES;
use gdstar::kernel::KERNELS;
use gdstar::kernel::cuda::{self, Device, DeviceTensor};
use std::collections::BTreeSet;

/// A test for each family of these names.
macro_rules! tests {
    ($($family:ident)*) => {
        const TESTS: &[&str] = &[$(stringify!($family)),*];

        $(#[test]
        fn $family() {
            let family = FAMILIES.iter().find(|family| family.name == stringify!($family)).unwrap();
            let name = concat!(module_path!(), "::", stringify!($family));
            SCHEDULES.iter().for_each(|schedule| on_stand_in(name, schedule, || family.try_all()));
        })*
    };
}

tests! {
    pointwise moves products conv batch_norm pooling rows descent selection groups order_statistics
}

#[test]
fn every_kernel_of_the_table_is_tried_and_every_compiled_one_launched() {
    let name = concat!(module_path!(), "::every_kernel_of_the_table_is_tried_and_every_compiled_one_launched");
    on_stand_in(name, &[], || {
        assert_eq!(FAMILIES.iter().map(|family| family.name).collect::<Vec<_>>(), TESTS);
        let mut tried = BTreeSet::new();
        for family in FAMILIES {
            family.try_all();
            family.kernels.iter().for_each(|kernel| assert!(tried.insert(*kernel), "{kernel} is tried twice"));
        }
        assert_eq!(tried, KERNELS.iter().map(|kernel| kernel.name).collect());
        let launched: BTreeSet<_> = Device::get().unwrap().launches().into_keys().collect();
        let compiled = |names: Vec<&'static str>| names.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(launched, compiled([cuda::kernels::<f32>(), cuda::kernels::<f64>()].concat()));
    });
}

/// A launch is held against what the kernel declares before it starts: no driver could say that an argument is missing.
#[test]
fn arguments_that_a_kernel_does_not_declare_are_named() {
    on_stand_in(concat!(module_path!(), "::arguments_that_a_kernel_does_not_declare_are_named"), &[], || {
        let device = Device::get().unwrap();
        let x = DeviceTensor::of_slice(device, &[2], &[1.0f32, 2.0]).unwrap();
        let launch = |name: &str, inputs: &[&DeviceTensor<f32>]| {
            cuda::formula_values(device, name, inputs).unwrap_err().to_string()
        };
        // A formula of one number for two, and of two for one: as many bytes, or arguments, too many or too few.
        for (name, inputs, expected, found) in [
            ("relu", &[&x, &x][..], "[8, 8, 8]", "[256, 8, 8, 8, 8]"),
            ("add", &[&x], "[256, 8, 8, 8, 8]", "[8, 8, 8]"),
        ] {
            let told = launch(name, inputs);
            assert!(
                [&format!("kernel {name}_values"), expected, found].iter().all(|part| told.contains(*part)),
                "{told}"
            );
        }
        let told = launch("tanh", &[&x]);
        assert!(told.contains("kernel tanh_values") && told.contains("none of this name"), "{told}");
        assert!(device.launches().is_empty());
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
