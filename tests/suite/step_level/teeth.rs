//! Wrong steps are outside: every [`Mistake`], planted in a port that is otherwise correct.

use super::port::{Mistake, Truth, array, flat};
use super::{Case, outside};
use crate::step_level::port::Port;
use gdstar::oracle::Arithmetic;
use gdstar::train::Precision;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// The labels that a port with this mistake believes in.
pub fn labels_seen(mistake: Option<Mistake>, labels: &[usize], classes: usize) -> Vec<usize> {
    match mistake {
        Some(Mistake::NextLabels) => labels.iter().cycle().skip(1).take(labels.len()).copied().collect(),
        Some(Mistake::NextClass) => labels.iter().map(|label| (label + 1) % classes).collect(),
        _ => labels.to_vec(),
    }
}

/// Mistakes that are made on the finished gradients.
pub fn spoil(
    mistake: Option<Mistake>,
    case: &Case,
    gradients: &mut BTreeMap<String, ArrayD<f64>>,
    plain: &dyn Fn() -> Truth,
) {
    let n = case.labels.len() as f64;
    for (name, gradient) in gradients.iter_mut() {
        let is_bias = name.ends_with("bias");
        let is_last = name.starts_with("fc3");
        match mistake {
            Some(Mistake::BiasGradientZero) if is_bias => gradient.fill(0.0),
            Some(Mistake::BiasGradientMean) if is_bias => *gradient /= n,
            Some(Mistake::WeightGradientTransposed) if gradient.ndim() == 2 => {
                let shape = gradient.shape().to_vec();
                let turned: ArrayD<f64> = gradient.view().reversed_axes().to_owned();
                *gradient = array(&shape, flat(&turned));
            }
            Some(Mistake::WeightDecayAdded) => *gradient += &(&case.parameters.get(name).unwrap().value * 5e-4),
            Some(Mistake::GradientClipped) => gradient.mapv_inplace(|g| g.clamp(-1e-3, 1e-3)),
            Some(Mistake::GradientNotReset) => *gradient += &plain().gradients[name],
            Some(Mistake::HiddenLayerDetached) if name.starts_with("fc1") => gradient.fill(0.0),
            Some(Mistake::LastLayerOnly) if !is_last => gradient.fill(0.0),
            Some(Mistake::Dropout) if !is_last => {
                gradient.iter_mut().enumerate().filter(|(i, _)| i % 2 == 0).for_each(|(_, g)| *g *= 2.0);
            }
            _ => {}
        }
    }
}

const MISTAKES: [Mistake; 32] = [
    Mistake::SummedLoss,
    Mistake::SummedLossValueOnly,
    Mistake::DividedByClasses,
    Mistake::DividedByFullBatch,
    Mistake::LabelNotSubtracted,
    Mistake::NextLabels,
    Mistake::NextClass,
    Mistake::LastSampleDropped,
    Mistake::SoftmaxOverBatch,
    Mistake::LabelSmoothing,
    Mistake::Temperature,
    Mistake::BinaryLogarithm,
    Mistake::SquaredError,
    Mistake::BiasGradientZero,
    Mistake::BiasGradientMean,
    Mistake::BiasNotAdded,
    Mistake::WeightTransposedInBackward,
    Mistake::WeightGradientTransposed,
    Mistake::ReluPassesAtZero,
    Mistake::ReluNotDifferentiated,
    Mistake::ReluLeaks,
    Mistake::ReluMaskInverted,
    Mistake::WeightDecayAdded,
    Mistake::GradientClipped,
    Mistake::GradientNotReset,
    Mistake::StaleWeights,
    Mistake::BackwardAfterUpdate,
    Mistake::HiddenLayerDetached,
    Mistake::ImagesTransposed,
    Mistake::InputNotNormalised,
    Mistake::Dropout,
    Mistake::LastLayerOnly,
];

/// LeNet300 with half of the first layer's units eliminated, as GDSTAR leaves some: their ReLUs see exactly 0.
fn sparse_lenet300(samples: i64) -> Case {
    let mut case = Case::lenet300(3, &(100..100 + samples).collect::<Vec<i64>>());
    for parameter in case.parameters.iter_mut().filter(|p| p.name.starts_with("fc1")) {
        parameter.value.outer_iter_mut().enumerate().filter(|(o, _)| o % 2 == 0).for_each(|(_, mut row)| row.fill(0.0));
    }
    case
}

fn all_mistakes_are_outside(case: &Case) {
    let enclosure = case.enclose(&Arithmetic::of(Precision::F32));
    assert_eq!(outside(&enclosure, &Port::right().run(case)).0, 0, "the port without a mistake");
    for mistake in MISTAKES {
        let (outside, compared) = outside(&enclosure, &Port::wrong(mistake).run(case));
        println!("{mistake:?}: {outside} of {compared} outside");
        assert!(outside > 0, "{mistake:?} is inside");
    }
}

#[test]
fn every_planted_mistake_is_outside() {
    all_mistakes_are_outside(&sparse_lenet300(24));
}

/// With the loss near 0, gradients are small and cancel.
#[test]
fn every_planted_mistake_is_outside_after_training() {
    all_mistakes_are_outside(&sparse_lenet300(16).trained(60));
}

/// One number in one gradient, off by a hundredth of the gradient's root mean square.
#[test]
fn a_single_wrong_entry_is_outside() {
    let case = sparse_lenet300(24);
    let enclosure = case.enclose(&Arithmetic::of(Precision::F32));
    let right = Port::right().run(&case);
    let mut caught = 0;
    let mut planted = 0;
    for (name, gradient) in &right.gradients {
        let rms = (gradient.iter().map(|g| g * g).sum::<f64>() / gradient.len() as f64).sqrt();
        for at in (1..gradient.len()).step_by(gradient.len() / 8 + 1) {
            let mut wrong = flat(gradient);
            wrong[at] += rms;
            let mut gradients = right.gradients.clone();
            gradients.insert(name.clone(), array(gradient.shape(), wrong));
            planted += 1;
            caught += outside(&enclosure, &Truth { loss: right.loss, gradients }).0;
        }
    }
    assert_eq!(caught, planted);
}

#[test]
fn numbers_that_are_not_numbers_are_outside() {
    let case = sparse_lenet300(4);
    let enclosure = case.enclose(&Arithmetic::of(Precision::F32));
    let right = Port::right().run(&case);
    for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut gradients = right.gradients.clone();
        gradients.get_mut("fc2.weight").unwrap()[[1, 2]] = poison;
        assert_eq!(outside(&enclosure, &Truth { loss: poison, gradients }).0, 2);
    }
}
