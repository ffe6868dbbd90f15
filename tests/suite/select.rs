//! What methods select by, against its definition: the i-th largest key, with +inf before the first and -inf after the last.

use gdstar::select::count::Count;
use gdstar::select::cut::{Cut, Ties, keep_largest};
use proptest::prelude::*;

/// x_(i) from the sorted keys.
fn x(keys: &[f64], i: usize) -> f64 {
    let mut sorted = keys.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    match i {
        0 => f64::INFINITY,
        i => sorted.get(i - 1).copied().unwrap_or(f64::NEG_INFINITY),
    }
}

/// The selection in the words of each cut's definition.
fn by_definition(keys: &[f64], k: usize, cut: Cut, ties: Ties) -> Vec<bool> {
    let precedes = |i: usize, j: usize| match (keys[i] == keys[j], ties) {
        (false, _) => keys[i] > keys[j],
        (true, Ties::LowerIndex | Ties::Any) => i < j,
        (true, Ties::HigherIndex) => i > j,
    };
    let kept = |j: usize| match cut {
        Cut::Exact => (0..keys.len()).filter(|&i| precedes(i, j)).count() < k,
        Cut::AboveKth => keys[j] > x(keys, k),
        Cut::FromKth => keys[j] >= x(keys, k),
        Cut::AboveNext => keys[j] > x(keys, k + 1),
        Cut::FromNext => keys[j] >= x(keys, k + 1),
    };
    (0..keys.len()).map(kept).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every cut and tie rule, on keys of few values, so that they tie, and for every count from none to more than there
    /// are; the exact cut keeps min(k, n), and scaling by a power of two changes nothing.
    #[test]
    fn cuts_are_their_definitions(
        keys in proptest::collection::vec(-3i8..4, 0..12),
        k in 0usize..14,
        cut in proptest::sample::select(Cut::ALL),
        ties in proptest::sample::select(Ties::ALL),
    ) {
        let keys: Vec<f64> = keys.into_iter().map(f64::from).collect();
        let kept = keep_largest(&keys, k, cut, ties).unwrap();
        prop_assert_eq!(&kept, &by_definition(&keys, k, cut, ties));
        if cut == Cut::Exact {
            prop_assert_eq!(kept.iter().filter(|kept| **kept).count(), k.min(keys.len()));
        }
        let scaled: Vec<f64> = keys.iter().map(|key| 8.0 * key).collect();
        prop_assert_eq!(kept, keep_largest(&scaled, k, cut, ties).unwrap());
    }

    /// What is kept and what goes add up, to the nearest whole number.
    #[test]
    fn the_kept_share_is_rounded_to_nearest(n in 0usize..10_000, s in 0.0f64..1.0) {
        let k = Count::KeepRound.kept(n, s);
        prop_assert!(k <= n && (k as f64 - n as f64 * (1.0 - s)).abs() <= 0.5);
    }
}

/// A score that is not a number is no smallest and no largest one.
#[test]
fn a_score_that_is_not_finite_is_refused() {
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let told = keep_largest(&[1.0, wrong], 1, Cut::Exact, Ties::LowerIndex).unwrap_err().to_string();
        assert!(told.contains("weight 1"), "{told}");
    }
}
