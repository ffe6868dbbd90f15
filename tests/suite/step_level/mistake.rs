//! Mistakes in a training step, planted in the test's port.

use super::Case;
use super::port::{Truth, array, flat};
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// An enum, and the list of all its values.
macro_rules! listed {
    ($(#[$doc:meta])* $name:ident, $all:ident: $($value:ident,)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum $name { $($value,)* }
        pub const $all: &[$name] = &[$($name::$value,)*];
    };
}

listed! {
    /// A mistake in the step.
    Mistake, MISTAKES:
    SummedLoss,
    SummedLossValueOnly,
    DividedByClasses,
    DividedByFullBatch,
    LabelNotSubtracted,
    NextLabels,
    NextClass,
    LastSampleDropped,
    SoftmaxOverBatch,
    LabelSmoothing,
    Temperature,
    BinaryLogarithm,
    SquaredError,
    BiasGradientZero,
    BiasGradientMean,
    BiasNotAdded,
    WeightTransposedInBackward,
    WeightGradientTransposed,
    ReluPassesAtZero,
    ReluNotDifferentiated,
    ReluLeaks,
    ReluMaskInverted,
    WeightDecayAdded,
    GradientClipped,
    GradientNotReset,
    StaleWeights,
    BackwardAfterUpdate,
    HiddenLayerDetached,
    ImagesTransposed,
    InputNotNormalised,
    Dropout,
    LastLayerOnly,
}

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
