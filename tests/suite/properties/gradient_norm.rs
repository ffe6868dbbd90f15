//! Eq. 1 to 4.

use crate::common::equations::{bounds, cast, moderate, two_to, within_ulps};
use gdstar::kernel::Kernel;
use gdstar::paper::gradient_norm::*;
use gdstar::scalar::{DoubleDouble, Scalar};
use proptest::prelude::*;

/// One to five batches of the same 1 to 30 weights.
fn batches() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1usize..30).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(moderate(), n), 1..6))
}

fn slices<S>(batches: &[Vec<S>]) -> Vec<&[S]> {
    batches.iter().map(Vec::as_slice).collect()
}

/// `S_F^2 = S_sq (1 + d)` with |d| within the bound.
fn squares_back<S: Scalar>(batches: &[Vec<f64>]) -> bool {
    let batches: Vec<Vec<S>> = batches.iter().map(|gradient| cast(gradient)).collect();
    let s_sq = sum_of_squares(&accumulated_squares(&slices(&batches)).unwrap());
    let s_f = DoubleDouble::from(frobenius_norm(s_sq).unwrap().to_f64());
    let s_sq = DoubleDouble::from(s_sq.to_f64());
    // The product of an f32 or f64 with itself is exact in double-double, and so is the difference's leading part.
    (s_f * s_f - s_sq).abs().to_f64() <= bounds::squared_root::<S>() * s_sq.to_f64()
}

proptest! {
    #[test]
    fn s_f_squared_equals_the_sum_of_g(batches in batches()) {
        prop_assert!(squares_back::<f32>(&batches));
        prop_assert!(squares_back::<f64>(&batches));
    }

    #[test]
    fn s_f_of_a_perfect_square_is_exact(root in 0u32..1 << 26) {
        let square = f64::from(root) * f64::from(root);
        prop_assert_eq!(frobenius_norm(square).unwrap(), f64::from(root));
        let root = root >> 14; // 12 bits: the square is exact in f32
        prop_assert_eq!(frobenius_norm((root * root) as f32).unwrap(), root as f32);
    }

    #[test]
    fn eq3_is_the_sum_over_batches_of_squared_norms(
        batches in prop::collection::vec(prop::collection::vec(-9i8..=9, 7), 1..6),
    ) {
        // Integers: both sides are exact, so they are equal and equal to the integer sum.
        let exact: i32 = batches.iter().flatten().map(|&g| i32::from(g) * i32::from(g)).sum();
        let batches: Vec<Vec<f64>> = batches.iter().map(|b| b.iter().map(|&g| f64::from(g)).collect()).collect();
        let g = accumulated_squares(&slices(&batches)).unwrap();
        prop_assert_eq!(sum_of_squares(&g), f64::from(exact));
        prop_assert_eq!(sum_of_squared_norms(&slices(&batches)), f64::from(exact));
    }

    #[test]
    fn g_batch_by_batch_stays_within_the_bound_of_eq2(batches in batches()) {
        let exact = accumulated_squares(&slices(&batches)).unwrap();
        for kernel in [Kernel::Literal, Kernel::Fast] {
            let mut g = vec![0f32; exact.len()];
            batches.iter().for_each(|batch| accumulate_squares(kernel, &mut g, &cast::<f32>(batch)).unwrap());
            for (&got, &exact) in g.iter().zip(&exact) {
                prop_assert!((f64::from(got) - exact).abs() <= bounds::accumulated::<f32>(batches.len()) * exact);
            }
        }
    }

    #[test]
    fn the_sums_are_within_one_ulp_of_the_exact_value(batches in batches()) {
        let narrow: Vec<Vec<f32>> = batches.iter().map(|gradient| cast(gradient)).collect();
        let wide: Vec<Vec<DoubleDouble>> = batches.iter().map(|gradient| cast(gradient)).collect();
        let s_abs = sum_of_l1_norms(&slices(&wide));
        let s_sq = sum_of_squared_norms(&slices(&wide));
        prop_assert!(within_ulps(sum_of_l1_norms(&slices(&narrow)), s_abs.to_f64() as f32, bounds::ONE_ULP));
        prop_assert!(within_ulps(sum_of_squared_norms(&slices(&narrow)), s_sq.to_f64() as f32, bounds::ONE_ULP));
        // f64 computes as double-double does and rounds it once.
        prop_assert_eq!(sum_of_l1_norms(&slices(&batches)), s_abs.to_f64());
        prop_assert_eq!(sum_of_squared_norms(&slices(&batches)), s_sq.to_f64());
    }

    #[test]
    fn scaling_the_gradients_by_a_power_of_two_scales_eq1_to_4_exactly(batches in batches(), e in -15i32..=15) {
        fn quantities<S: Scalar>(batches: &[Vec<f64>], scale: f64) -> (f64, Vec<f64>, f64, f64) {
            let scaled = |g: &Vec<f64>| g.iter().map(|&g| S::from_f64(g * scale)).collect::<Vec<_>>();
            let batches: Vec<Vec<S>> = batches.iter().map(scaled).collect();
            let g = accumulated_squares(&slices(&batches)).unwrap();
            let s_sq = sum_of_squares(&g);
            let s_f = frobenius_norm(s_sq).unwrap().to_f64();
            let g = g.iter().map(|g| g.to_f64()).collect();
            (sum_of_l1_norms(&slices(&batches)).to_f64(), g, s_sq.to_f64(), s_f)
        }
        fn scaled<S: Scalar>(batches: &[Vec<f64>], scale: f64) -> bool {
            let (s_abs, g, s_sq, s_f) = quantities::<S>(batches, 1.0);
            let g = g.iter().map(|g| g * scale * scale).collect();
            quantities::<S>(batches, scale) == (s_abs * scale, g, s_sq * scale * scale, s_f * scale)
        }
        prop_assert!(scaled::<f32>(&batches, two_to(e)));
        prop_assert!(scaled::<f64>(&batches, two_to(e)));
    }
}
