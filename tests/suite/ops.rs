//! The proofs about ops: each walks [`OPS`], so an op cannot be added unproved.

mod conventions;
mod errors;
mod extremes;
mod finite_difference;
mod sparse;
mod threads;

use crate::common::op_checks::{
    self as checks, Drawn, Layout, Verdict, adjoint_identity, close_to_truth, kernels_agree, layouts_agree,
    matches_definition, same_in_layouts,
};
use gdstar::kernel::Kernel;
use gdstar::op::ArrayNames;
use gdstar::ops::{AnyOp, Case, Entry, OPS, Summation};
use gdstar::scalar::DoubleDouble;
use ndarray::ArrayD;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A random case of `entry`, the same for the same seed.
fn drawn(entry: &Entry, seed: u64, size: usize) -> Result<Drawn<AnyOp>, String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let case = (entry.sample)(&mut rng, size);
    Drawn::new(case, &mut rng)
}

/// `check` on one random case of every op; the failure names the op and shows its case.
fn every_op(seed: u64, size: usize, check: impl Fn(&Entry, &Drawn<AnyOp>) -> Verdict) -> Result<(), TestCaseError> {
    for entry in OPS {
        let case = drawn(entry, seed, size).map_err(TestCaseError::fail)?;
        check(entry, &case).map_err(|seen| {
            TestCaseError::fail(format!("{} (seed {seed}, size {size}): {seen}\n{case:?}", entry.name))
        })?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// (a) Backward is the exact adjoint of forward, in f64 to rounding.
    #[test]
    fn adjoint_identity_in_f64(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| adjoint_identity::<f64, _>(case, -20))?;
    }

    /// (a) The same in 31 digits.
    #[test]
    fn adjoint_identity_in_double_double(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| adjoint_identity::<DoubleDouble, _>(case, -70))?;
    }

    /// (b) f32 is within its own rounding of the 31-digit result.
    #[test]
    fn f32_close_to_truth(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| close_to_truth::<f32, _>(case, Kernel::Literal))?;
    }

    /// (b) f64 is within its own rounding of the 31-digit result.
    #[test]
    fn f64_close_to_truth(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| close_to_truth::<f64, _>(case, Kernel::Literal))?;
    }

    /// Forward computes the op's definition, and not something else with a matching backward.
    #[test]
    fn forward_matches_definition(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| matches_definition(case, &case.op))?;
    }

    /// The shapes promised before any work are the shapes returned.
    #[test]
    fn shapes_agree(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| checks::shapes_agree(case))?;
    }

    /// Non-contiguous, transposed and reversed views give the bits of contiguous arrays.
    #[test]
    fn strides_change_no_bit(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| {
            layouts_agree::<f32, _>(case, Kernel::Literal)?;
            layouts_agree::<f32, _>(case, Kernel::Fast)?;
            layouts_agree::<f64, _>(case, Kernel::Fast)
        })?;
    }

    /// Batch-innermost arrays give the bits of row-major ones, under both kernels.
    #[test]
    fn batch_innermost_changes_no_bit(seed: u64, size in 1usize..=5) {
        every_op(seed, size, |entry, case| match entry.sums {
            Summation::Accumulator => Ok(()), // Fast may sum in another order (`kernels_agree.rs` has the bound)
            Summation::None | Summation::Wide | Summation::WideReordered => {
                same_in_layouts::<f32, _>(case, Kernel::Literal, &[Layout::BatchInnermost])?;
                same_in_layouts::<f32, _>(case, Kernel::Fast, &[Layout::BatchInnermost])?;
                same_in_layouts::<f64, _>(case, Kernel::Fast, &[Layout::BatchInnermost])
            }
        })?;
    }

    /// Fast's own order of sums in the wide type keeps within its own rounding of the 31-digit result.
    #[test]
    fn fast_wide_sums_close_to_truth(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |entry, case| match entry.sums {
            Summation::WideReordered => {
                close_to_truth::<f32, _>(case, Kernel::Fast).and_then(|()| close_to_truth::<f64, _>(case, Kernel::Fast))
            }
            Summation::None | Summation::Wide | Summation::Accumulator => Ok(()),
        })?;
    }

    /// Gradients that are not wanted may be left out, and change nothing else.
    #[test]
    fn wanted_is_respected(seed: u64, size in 1usize..=3) {
        every_op(seed, size, |_, case| checks::wanted_is_respected(case))?;
    }

    /// Nothing flows back from nothing.
    #[test]
    fn zero_upstream_gives_zero(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |_, case| checks::zero_upstream_gives_zero(case))?;
    }

    /// Ops that add up in the same order under both kernels, or not at all, give the same bits.
    #[test]
    fn kernels_agree_bit_for_bit(seed: u64, size in 1usize..=4) {
        every_op(seed, size, |entry, case| match entry.sums {
            Summation::Accumulator | Summation::WideReordered => Ok(()),
            Summation::None | Summation::Wide => {
                kernels_agree::<f32, _>(case)?;
                kernels_agree::<f64, _>(case)
            }
        })?;
    }
}

/// Two images, or an image and one number for each sample and channel.
fn two_images(op: AnyOp, seed: u64) -> Drawn<AnyOp> {
    let image = |shape: [usize; 4]| ArrayD::from_elem(shape.as_slice(), 1.5);
    let second = if seed.is_multiple_of(2) { [3, 4, 5, 2] } else { [3, 4, 1, 1] };
    let case = Case::new(op, vec![image([3, 4, 5, 2]), image(second)]);
    Drawn::new(case, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
}

/// Fast keeps activations batch-innermost: an op that takes them so gives them back so, and their gradients.
#[test]
fn batch_innermost_arrays_stay_so() {
    // The order of a convolution's results is its kernel's affair.
    for entry in OPS.iter().filter(|entry| entry.sums != Summation::Accumulator) {
        let broadcasts = entry.inputs == ArrayNames::Each(&["a", "b"]);
        let cases: Vec<Drawn<AnyOp>> = (0..64)
            .map(|seed| match drawn(entry, seed, 5).unwrap() {
                case if broadcasts => two_images(case.op, seed), // samples seldom have two images
                case => case,
            })
            .collect();
        let seen = cases.iter().map(|case| {
            checks::batch_innermost_stays(case).unwrap_or_else(|seen| panic!("{}: {seen}\n{case:?}", entry.name))
        });
        let seen: usize = seen.sum();
        // An op of matrices alone has no images to give back.
        let takes_images = cases.iter().any(|case| case.inputs.iter().any(|x| x.ndim() == 4));
        assert_eq!(seen > 0, takes_images, "{} was tried on {seen} arrays", entry.name);
    }
}
