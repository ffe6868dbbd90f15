//! Alg. 4.

use crate::common::equations::finite;
use gdstar::paper::reading::RewindCopy;
use gdstar::paper::rewind::RewindPoint;
use ndarray::{ArrayD, arr1, arr2};
use proptest::prelude::*;

/// Two parameters whose values tell the epoch.
fn weights(k: usize) -> [ArrayD<f64>; 2] {
    let k = k as f64;
    [arr2(&[[k, k + 0.25], [k + 0.5, -k]]).into_dyn(), arr1(&[k]).into_dyn()]
}

proptest! {
    #[test]
    fn running_minimum_and_k_star_agree(
        norms in prop::collection::vec(finite().prop_map(f64::abs), 1..40),
        first in 0usize..=1,
    ) {
        let mut point = RewindPoint::new(RewindCopy::Copy, &weights(999).each_ref().map(|w| w.view()));
        for (i, &norm) in norms.iter().enumerate() {
            let moved = point.observe(first + i, norm, &weights(first + i).each_ref().map(|w| w.view())).unwrap();
            let seen = &norms[..=i];
            let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
            let earliest = seen.iter().position(|&norm| norm == least).unwrap();
            prop_assert_eq!((point.minimum(), point.k_star()), (least, first + earliest));
            prop_assert_eq!(moved, earliest == i);
            prop_assert_eq!(point.weights(), Some(&weights(point.k_star())[..]));
        }
    }

    #[test]
    fn a_run_continued_from_a_restored_rewind_point_is_the_same(
        norms in prop::collection::vec(0.0..9.0f64, 2..20),
        at in any::<prop::sample::Index>(),
    ) {
        let fresh = RewindPoint::new(RewindCopy::Copy, &weights(0).each_ref().map(|w| w.view()));
        let run = |mut point: RewindPoint<f64>, epochs: std::ops::Range<usize>| {
            for k in epochs {
                point.observe(k, norms[k], &weights(k).each_ref().map(|w| w.view())).unwrap();
            }
            point
        };
        let half = run(fresh.clone(), 0..at.index(norms.len()));
        let stored = half.weights().map(<[_]>::to_vec);
        let restored = RewindPoint::restore(half.minimum(), half.k_star(), stored).unwrap();
        let resumed = run(restored, at.index(norms.len())..norms.len());
        prop_assert_eq!(resumed, run(fresh, 0..norms.len()));
    }
}
