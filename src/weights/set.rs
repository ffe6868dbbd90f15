//! [`WeightSet`]: the set W of prunable weights, flattened.

use crate::nn::Parameters;
use crate::paper::reading::Prunable;
use crate::scalar::Scalar;
use ndarray::{ArrayBase, ArrayD, Data, IxDyn};
use std::ops::Range;

/// One parameter of W.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its position in [`Parameters`].
    pub parameter: usize,
    /// Its entries' places in W, row-major.
    pub range: Range<usize>,
}

/// Which parameters belong to W (open point 6), and where each lies when W is flattened: parameters in
/// `state_dict` order, each row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightSet {
    segments: Vec<Segment>,
    len: usize,
}

impl WeightSet {
    /// W of these parameters under this reading.
    pub fn new<S: Scalar>(parameters: &Parameters<S>, reading: Prunable) -> Self {
        Self::without(parameters, reading, &[])
    }

    /// The same without the parameters of these names.
    pub fn without<S: Scalar>(parameters: &Parameters<S>, reading: Prunable, names: &[String]) -> Self {
        let mut len = 0;
        let segment = |parameter: usize| {
            let start = len;
            len += parameters[parameter].value.len();
            Segment { parameter, range: start..len }
        };
        let of_w = parameters.prunable(reading).into_iter().filter(|&i| !names.contains(&parameters[i].name));
        let segments = of_w.map(segment).collect();
        Self { segments, len }
    }

    /// The same parameters where their shapes have changed.
    pub fn resized<S: Scalar>(&self, parameters: &Parameters<S>) -> Self {
        let mut len = 0;
        let segment = |segment: &Segment| {
            let start = len;
            len += parameters[segment.parameter].value.len();
            Segment { range: start..len, ..*segment }
        };
        let segments = self.segments.iter().map(segment).collect();
        Self { segments, len }
    }

    /// N, the number of weights.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The parameters of W, in flattening order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The weights themselves, flattened.
    pub fn gather<S: Scalar>(&self, parameters: &Parameters<S>) -> Vec<S> {
        let mut all = Vec::with_capacity(self.len);
        self.segments.iter().for_each(|segment| append_row_major(&mut all, &parameters[segment.parameter].value));
        all
    }

    /// Calls `visit` with each segment's values in `parameters`, row-major, and its place in W.
    pub fn for_each_mut<S: Scalar>(&self, parameters: &mut Parameters<S>, mut visit: impl FnMut(&Segment, &mut [S])) {
        for segment in &self.segments {
            visit(segment, row_major_mut(&mut parameters[segment.parameter].value));
        }
    }
}

/// Appends the entries of `array`, row-major.
pub(crate) fn append_row_major<S: Scalar, D: Data<Elem = S>>(all: &mut Vec<S>, array: &ArrayBase<D, IxDyn>) {
    all.extend_from_slice(array.as_standard_layout().as_slice().unwrap_or_default());
}

/// The entries of `array` as a row-major slice; the array is brought into standard layout first if it is not.
pub(crate) fn row_major_mut<S: Scalar>(array: &mut ArrayD<S>) -> &mut [S] {
    if !array.is_standard_layout() {
        *array = array.as_standard_layout().into_owned();
    }
    array.as_slice_mut().unwrap_or_default()
}
