//! Structured selection.

use crate::common::equations::{accumulated, rate};
use gdstar::paper::reading::{MaskedGradient, Reading};
use gdstar::paper::selection::select_weights;
use gdstar::paper::structured::*;
use proptest::prelude::*;
use proptest::sample::select;

/// Blocks and channels; a block of one weight among them.
fn whole() -> impl Strategy<Value = Structure> {
    prop_oneof![
        Just(Structure::OutputChannels),
        (1usize..4, 1usize..4).prop_map(|(height, width)| Structure::Blocks { height, width }),
    ]
}

fn pattern() -> impl Strategy<Value = Structure> {
    (1usize..6).prop_flat_map(|of| (1..=of, Just(of))).prop_map(|(keep, of)| Structure::Pattern { keep, of })
}

/// A parameter's shape (bias, matrix or convolution) with G and a mask.
fn parameter() -> impl Strategy<Value = (Vec<usize>, Vec<f64>, Vec<bool>)> {
    prop_oneof![
        prop::collection::vec(1usize..8, 1..=2),
        (1usize..4, 1usize..7, 1usize..3, 1usize..3).prop_map(|(o, i, h, w)| vec![o, i, h, w]),
    ]
    .prop_flat_map(|shape| {
        let n: usize = shape.iter().product();
        (Just(shape), prop::collection::vec(accumulated(), n), prop::collection::vec(any::<bool>(), n))
    })
}

fn run(
    (shape, g, mask): &(Vec<usize>, Vec<f64>, Vec<bool>),
    structure: Structure,
    score: GroupScore,
    alpha: f64,
    reading: &Reading,
) -> Vec<bool> {
    select_structured(g, mask, &[shape], (structure, score), alpha, 1, reading).unwrap().selected
}

proptest! {
    #[test]
    fn every_weight_is_in_one_group_and_every_group_has_a_weight(
        (shape, g, _) in parameter(),
        structure in prop_oneof![whole(), pattern()],
    ) {
        let (ids, count) = groups(&shape, structure).unwrap();
        prop_assert_eq!(ids.len(), g.len());
        prop_assert!((0..count).all(|group| ids.contains(&group)));
        prop_assert!(ids.iter().all(|&id| id < count));
    }

    #[test]
    fn every_block_and_channel_is_selected_as_a_whole(
        parameter in parameter(),
        structure in whole(),
        (score, alpha) in (select(GroupScore::ALL), rate()),
    ) {
        let selected = run(&parameter, structure, score, alpha, &Reading::default());
        let (ids, count) = groups(&parameter.0, structure).unwrap();
        for group in 0..count {
            let flags: Vec<bool> = ids.iter().zip(&selected).filter(|&(&id, _)| id == group).map(|(_, &s)| s).collect();
            prop_assert!(flags.iter().all(|&s| s == flags[0]), "group {group} of {structure}: {flags:?}");
        }
    }

    #[test]
    fn a_pattern_keeps_exactly_n_of_m_and_selects_the_least(parameter in parameter(), structure in pattern()) {
        let Structure::Pattern { keep, .. } = structure else { unreachable!("a pattern") };
        let selected = run(&parameter, structure, GroupScore::Max, 0.5, &Reading::default());
        let (ids, count) = groups(&parameter.0, structure).unwrap();
        for group in 0..count {
            let members: Vec<usize> = (0..ids.len()).filter(|&j| ids[j] == group).collect();
            let kept: Vec<usize> = members.iter().copied().filter(|&j| !selected[j]).collect();
            prop_assert_eq!(kept.len(), keep.min(members.len()));
            // An eliminated weight goes before any living one, then the lesser G before the greater.
            let rank = |j: usize| (parameter.2[j], parameter.1[j]);
            prop_assert!(members.iter().filter(|&&j| selected[j]).all(|&j| kept.iter().all(|&k| rank(j) <= rank(k))));
        }
    }

    #[test]
    fn blocks_of_one_weight_select_as_unstructured_selection_does(
        parameter in parameter(),
        (score, alpha) in (select(GroupScore::ALL), rate()),
        masked_gradient in select(MaskedGradient::ALL),
    ) {
        let reading = Reading { masked_gradient, ..Reading::default() };
        let single = Structure::Blocks { height: 1, width: 1 };
        // The root of a square that is exact in double-double is exact, so all three scores are G itself.
        let unstructured = select_weights(&parameter.1, &parameter.2, alpha, 1, &reading).unwrap().selected;
        prop_assert_eq!(run(&parameter, single, score, alpha, &reading), unstructured);
    }

    #[test]
    fn an_eliminated_weight_is_never_selected_under_excluded(
        parameter in parameter(),
        structure in prop_oneof![whole(), pattern()],
        (score, alpha) in (select(GroupScore::ALL), rate()),
    ) {
        let reading = Reading { masked_gradient: MaskedGradient::Excluded, ..Reading::default() };
        let selected = run(&parameter, structure, score, alpha, &reading);
        prop_assert!(selected.iter().zip(&parameter.2).all(|(&selected, &alive)| alive || !selected));
    }
}
