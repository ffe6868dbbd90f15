//! Structured selection, section 3.2's last paragraph.

use gdstar::paper::reading::{MaskedGradient, Reading};
use gdstar::paper::structured::*;

const BLOCKS: Structure = Structure::Blocks { height: 2, width: 2 };

fn selected(g: &[f64], mask: &[bool], shape: &[usize], structure: Structure, reading: &Reading) -> Vec<bool> {
    select_structured(g, mask, &[shape], (structure, GroupScore::Mean), 0.5, 1, reading).unwrap().selected
}

#[test]
fn groups_are_rows_blocks_and_runs_of_inputs() {
    assert_eq!(groups(&[2, 3], Structure::OutputChannels).unwrap(), (vec![0, 0, 0, 1, 1, 1], 2));
    assert_eq!(groups(&[3, 3], BLOCKS).unwrap(), (vec![0, 0, 1, 0, 0, 1, 2, 2, 3], 4));
    let pattern = Structure::Pattern { keep: 1, of: 2 };
    assert_eq!(groups(&[2, 3], pattern).unwrap(), (vec![0, 0, 1, 2, 2, 3], 4));
    // a convolution [1, 4, 1, 2]: each of the two taps groups its own inputs
    assert_eq!(groups(&[1, 4, 1, 2], pattern).unwrap(), (vec![0, 1, 0, 1, 2, 3, 2, 3], 4));
    assert_eq!(groups(&[3], pattern).unwrap(), (vec![0, 1, 2], 3), "no input axis");
    assert_eq!(groups(&[0, 3], BLOCKS).unwrap(), (vec![], 0), "no weights");
}

#[test]
fn a_channel_goes_when_its_score_is_strictly_below_the_median_score() {
    let g = [1.0, 5.0, 4.0, 4.0, 0.0, 0.0]; // means 3 4 0, maxima 5 4 0, squared norms 26 32 0
    let run = |score| {
        let how = (Structure::OutputChannels, score);
        let selection = select_structured(&g, &[true; 6], &[&[3, 2]], how, 0.5, 1, &Reading::default()).unwrap();
        (selection.tau, selection.selected)
    };
    assert_eq!(run(GroupScore::Mean), (3.0, vec![false, false, false, false, true, true]));
    assert_eq!(run(GroupScore::Max), (4.0, vec![false, false, false, false, true, true]));
    assert_eq!(run(GroupScore::Norm), (26f64.sqrt(), vec![false, false, false, false, true, true]));
}

#[test]
fn groups_of_several_parameters_share_one_threshold() {
    let (g, shapes): (_, [&[usize]; 2]) = ([1.0, 2.0, 3.0, 4.0], [&[2, 1], &[1, 2]]); // channels 1, 2 and 3.5
    let how = (Structure::OutputChannels, GroupScore::Mean);
    let selection = select_structured(&g, &[true; 4], &shapes, how, 0.5, 1, &Reading::default()).unwrap();
    assert_eq!((selection.tau, selection.selected), (2.0, vec![true, false, false, false]));
}

#[test]
fn a_pattern_selects_the_least_of_each_run_and_among_equals_the_earlier() {
    let pattern = Structure::Pattern { keep: 2, of: 4 };
    let g = [3.0, 1.0, 1.0, 1.0, 0.0, 9.0]; // the last run has two inputs and keeps both
    let expected = [false, true, true, false, false, false];
    assert_eq!(selected(&g, &[true; 6], &[1, 6], pattern, &Reading::default()), expected);
    // an eliminated weight takes a place first, whatever its gradient
    let mask = [false, true, true, true, true, true];
    let expected = [true, true, false, false, false, false];
    assert_eq!(selected(&g, &mask, &[1, 6], pattern, &Reading::default()), expected);
    let excluded = Reading { masked_gradient: MaskedGradient::Excluded, ..Reading::default() };
    let expected = [false, true, false, false, false, false];
    assert_eq!(selected(&g, &mask, &[1, 6], pattern, &excluded), expected);
}

#[test]
fn a_group_without_living_weights_leaves_the_set_under_excluded() {
    let reading = |masked_gradient| Reading { masked_gradient, ..Reading::default() };
    let (g, mask) = ([9.0, 9.0, 2.0, 4.0, 6.0, 6.0], [false, false, true, false, true, true]);
    let channels = Structure::OutputChannels;
    let run = |treatment| selected(&g, &mask, &[3, 2], channels, &reading(treatment));
    // dense: scores 9 3 6, tau 6; zero: 0 1 6, tau 1; excluded: - 2 6, tau 4, living weights only
    assert_eq!(run(MaskedGradient::Dense), [false, false, true, true, false, false]);
    assert_eq!(run(MaskedGradient::Zero), [true, true, false, false, false, false]);
    assert_eq!(run(MaskedGradient::Excluded), [false, false, true, false, false, false]);
    assert_eq!(selected(&g, &[false; 6], &[3, 2], channels, &reading(MaskedGradient::Excluded)), [false; 6]);
}

#[test]
fn structures_are_read_back_from_their_names() {
    for (text, structure) in
        [("channels", Structure::OutputChannels), ("2x2", BLOCKS), ("2:4", Structure::Pattern { keep: 2, of: 4 })]
    {
        assert_eq!(text.parse::<Structure>().unwrap(), structure);
        assert_eq!(structure.to_string(), text);
        assert_eq!(serde_json::to_string(&structure).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Structure>(&format!("\"{text}\"")).unwrap(), structure);
    }
    for wrong in ["", "rows", "0x4", "4x", "4:2", "0:2", "1:2:3"] {
        assert!(wrong.parse::<Structure>().is_err(), "`{wrong}`");
    }
}

#[test]
fn impossible_structures_and_shapes_are_errors() {
    let all = [true; 4];
    let run = |g: &[f64], shape: &[usize], structure, chunks| {
        let how = (structure, GroupScore::Max);
        select_structured(g, &all[..g.len()], &[shape], how, 0.5, chunks, &Reading::default())
    };
    let pattern = Structure::Pattern { keep: 1, of: 2 };
    assert!(run(&[1.0; 4], &[2, 2], BLOCKS, 1).is_ok());
    assert!(run(&[1.0; 3], &[2, 2], BLOCKS, 1).is_err());
    assert!(run(&[1.0; 4], &[2, 2], BLOCKS, 2).is_err(), "more chunks than groups");
    assert!(run(&[1.0; 4], &[2, 2], Structure::Blocks { height: 0, width: 2 }, 1).is_err());
    assert!(run(&[1.0; 4], &[2, 2], Structure::Pattern { keep: 0, of: 2 }, 1).is_err());
    assert!(run(&[f64::NAN; 4], &[2, 2], pattern, 1).is_err());
    assert!(run(&[f64::NAN; 4], &[2, 2], BLOCKS, 1).is_err());
    assert!(group_scores(&[1.0], &[3], 2, &[true], GroupScore::Max).is_err());
}
