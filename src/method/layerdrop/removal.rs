//! What becomes of a layer that goes for good.

use crate::nn::ResidualLayer;
use crate::scalar::Scalar;
use crate::weights::{Weights, row_major_mut};

/// Sets all that is trained of a layer to 0.
pub fn remove<S: Scalar>(w: &mut Weights<S>, layer: &ResidualLayer) {
    for i in layer.parameters.clone() {
        if !w.parameters[i].role.is_trained() {
            continue;
        }
        row_major_mut(&mut w.parameters[i].value).fill(S::ZERO);
        row_major_mut(&mut w.momentum[i]).fill(S::ZERO);
    }
    let of_w = w.set().segments().iter().filter(|segment| layer.parameters.contains(&segment.parameter));
    let ranges: Vec<_> = of_w.map(|segment| segment.range.clone()).collect();
    ranges.into_iter().for_each(|range| w.mask_mut()[range].fill(false));
}
