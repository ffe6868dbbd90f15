//! Eq. 9 and Alg. 6.

use crate::common::equations::{bounds, finite, moderate, two_to, within_ulps};
use gdstar::paper::decay::*;
use gdstar::paper::reading::Threshold;
use gdstar::scalar::{DoubleDouble, Scalar};
use proptest::prelude::*;
use proptest::sample::select;

fn lambda() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.75), Just(1.0), 0.01..=1.0f64]
}

/// (w, w*, selected) of one weight.
fn weight() -> impl Strategy<Value = (f64, f64, bool)> {
    (moderate(), moderate(), any::<bool>())
}

proptest! {
    #[test]
    fn eq9_at_t_0_is_the_identity_above_the_threshold(
        w_star in finite(),
        lambda in lambda(),
        eps in finite().prop_map(f64::abs),
    ) {
        let w = decayed_weight(w_star, lambda, 0, eps).unwrap();
        if w_star.abs() >= eps {
            prop_assert_eq!(w.to_bits(), w_star.to_bits());
        } else {
            prop_assert_eq!(w, 0.0);
        }
    }

    #[test]
    fn eq9_never_grows_a_weight_or_turns_its_sign(w_star in finite(), lambda in lambda(), t in 0usize..1000) {
        let w = decayed_weight(w_star, lambda, t, 0.0).unwrap();
        prop_assert!(w.abs() <= w_star.abs());
        prop_assert!(w * w_star >= 0.0);
    }

    #[test]
    fn eq9_is_within_one_ulp_of_the_exact_value(w_star in moderate(), lambda in 0.5..=1.0f64, t in 0usize..60) {
        // From 2^-30 to 2^-90 or so: normal in f32.
        let exact = decayed_weight(DoubleDouble::from(w_star), lambda, t, 0.0).unwrap().to_f64();
        let narrow = decayed_weight(w_star as f32, lambda, t, 0.0).unwrap();
        prop_assert!(within_ulps(narrow, exact as f32, bounds::ONE_ULP));
        prop_assert_eq!(decayed_weight(w_star, lambda, t, 0.0).unwrap(), exact);
    }

    #[test]
    fn scaling_w_star_and_eps_by_a_power_of_two_scales_eq9_exactly(
        w_star in moderate(),
        (lambda, t, eps) in (lambda(), 0usize..10, 0.0..4.0f64),
        e in -15i32..=15,
    ) {
        let scale = two_to(e);
        let at = |scale: f64| decayed_weight(w_star * scale, lambda, t, eps * scale).unwrap();
        prop_assert_eq!(at(scale), at(1.0) * scale);
        let at = |scale: f64| decayed_weight((w_star * scale) as f32, lambda, t, eps * scale).unwrap();
        prop_assert_eq!(at(scale), at(1.0) * scale as f32);
    }

    #[test]
    fn the_mask_never_loses_an_entry(
        epochs in prop::collection::vec((prop::collection::vec(weight(), 20), 0usize..8), 1..8),
        (lambda, eps, threshold) in (lambda(), 0.0..10.0f64, select(Threshold::ALL)),
    ) {
        let mut mask = vec![true; 20];
        for (weights, t) in epochs {
            let before = mask.clone();
            // The weights come in as if an optimizer had revived the eliminated ones.
            let mut w: Vec<f64> = weights.iter().map(|weight| weight.0).collect();
            let w_star: Vec<f64> = weights.iter().map(|weight| weight.1).collect();
            let selected: Vec<bool> = weights.iter().map(|weight| weight.2).collect();
            let decay = Decay { lambda, t, eps, threshold };
            let counts = rewind_decay(&mut w, Some(&w_star), &selected, &mut mask, &decay).unwrap();
            for j in 0..20 {
                prop_assert!(before[j] || !mask[j], "an eliminated weight returned");
                prop_assert!(mask[j] || w[j] == 0.0, "an eliminated weight is not 0");
            }
            let alive = |mask: &[bool]| mask.iter().filter(|&&alive| alive).count();
            prop_assert_eq!(counts.eliminated, alive(&before) - alive(&mask));
            prop_assert_eq!(counts.rewound, (0..20).filter(|&j| before[j] && selected[j]).count());
        }
    }

    #[test]
    fn alg6_is_eq9_on_the_selected_and_leaves_the_rest(
        weights in prop::collection::vec(weight(), 1..30),
        (lambda, t, eps) in (lambda(), 0usize..8, 0.0..10.0f64),
    ) {
        let mut w: Vec<f64> = weights.iter().map(|weight| weight.0).collect();
        let w_star: Vec<f64> = weights.iter().map(|weight| weight.1).collect();
        let selected: Vec<bool> = weights.iter().map(|weight| weight.2).collect();
        let mut mask = vec![true; w.len()];
        let decay = Decay { lambda, t, eps, threshold: Threshold::Selected };
        rewind_decay(&mut w, Some(&w_star), &selected, &mut mask, &decay).unwrap();
        for (j, &(before, w_star, selected)) in weights.iter().enumerate() {
            let expected = if selected { decayed_weight(w_star, lambda, t, eps).unwrap() } else { before };
            prop_assert_eq!(w[j], expected);
            prop_assert_eq!(mask[j], !selected || expected != 0.0);
        }
    }

    #[test]
    fn a_threshold_on_all_leaves_no_living_weight_below_eps(
        weights in prop::collection::vec(weight(), 1..30),
        (lambda, t, eps) in (lambda(), 0usize..8, 0.0..10.0f64),
    ) {
        let mut w: Vec<f64> = weights.iter().map(|weight| weight.0).collect();
        let w_star: Vec<f64> = weights.iter().map(|weight| weight.1).collect();
        let selected: Vec<bool> = weights.iter().map(|weight| weight.2).collect();
        let mut mask = vec![true; w.len()];
        let decay = Decay { lambda, t, eps, threshold: Threshold::All };
        rewind_decay(&mut w, Some(&w_star), &selected, &mut mask, &decay).unwrap();
        prop_assert!(w.iter().zip(&mask).all(|(w, &alive)| alive == (w.abs() >= eps && *w != 0.0)));
    }
}
