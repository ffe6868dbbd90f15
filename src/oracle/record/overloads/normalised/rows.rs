//! Normalisation of layers and of groups of channels, forward: rows of values that have statistics of their own.

use super::super::super::BatchNormForm;
use super::super::super::ball::{Ball, Steps};
use super::super::super::expected::{Answer, Claim, Expected};
use super::super::arguments::Arguments;
use super::statistics::{Affine, Statistics, UNDECLARED, applied, forms};
use crate::error::Result;
use ndarray::ArrayD;

/// An array by its rows of m values, and which weight and bias each value has.
pub(super) struct Rows<'a> {
    array: &'a ArrayD<f64>,
    /// Row-major.
    elements: Vec<f64>,
    /// Values of a row.
    m: usize,
    /// How many values side by side have the same weight.
    run: usize,
    /// The shape of weight and bias.
    pub affine: Vec<usize>,
    /// The shape of what there is one of a row.
    pub statistics: Vec<usize>,
}

impl<'a> Rows<'a> {
    /// Of layers: the last axes, which `normalized_shape` names.
    pub fn of_layers(given: &Arguments, x: &'a ArrayD<f64>, position: usize) -> Result<Self> {
        let normalized = given.extents(position, "normalized_shape")?;
        let shape = x.shape();
        let m: usize = normalized.iter().product();
        if !shape.ends_with(&normalized) || m == 0 {
            return Err(given.refused(
                "normalized_shape",
                format!("the last axes of {shape:?}"),
                format!("{normalized:?}"),
            ));
        }
        let outer = shape[..shape.len() - normalized.len()].iter().copied();
        let statistics = outer.chain(normalized.iter().map(|_| 1)).collect();
        Ok(Self { array: x, elements: x.iter().copied().collect(), m, run: 1, affine: normalized, statistics })
    }

    /// Of groups of channels: N, C, HxW and group from `first` on.
    pub fn of_groups(given: &Arguments, x: &'a ArrayD<f64>, first: usize) -> Result<Self> {
        let extent = |i: usize, name| given.extent(first + i, name, None);
        let [n, c, pixels, groups] = [extent(0, "N")?, extent(1, "C")?, extent(2, "HxW")?, extent(3, "group")?];
        let is_whole = groups > 0 && c % groups == 0 && c * pixels > 0;
        if !is_whole || n.checked_mul(c * pixels) != Some(x.len()) {
            let expected = format!("whole groups of channels of {:?}", x.shape());
            return Err(given.refused("group", expected, format!("N {n}, C {c}, HxW {pixels}, group {groups}")));
        }
        let m = c / groups * pixels;
        let elements = x.iter().copied().collect();
        Ok(Self { array: x, elements, m, run: pixels, affine: vec![c], statistics: vec![n, groups] })
    }

    pub fn shape(&self) -> &[usize] {
        self.array.shape()
    }

    /// The rows' values.
    pub fn each(&self) -> std::slice::Chunks<'_, f64> {
        self.elements.chunks(self.m)
    }

    /// Of every value, row-major: the value, its row, and the place of its weight.
    pub fn values(&self) -> impl Iterator<Item = (f64, usize, usize)> + '_ {
        let parameters: usize = self.affine.iter().product();
        self.elements.iter().enumerate().map(move |(at, &x)| (x, at / self.m, at / self.run % parameters))
    }

    /// A parameter's numbers, row-major; `otherwise` for each where there is none.
    pub fn parameter(&self, given: &Arguments, (position, name): (usize, &str), otherwise: f64) -> Result<Vec<f64>> {
        let count: usize = self.affine.iter().product();
        match given.optional(position, name)? {
            None => Ok(vec![otherwise; count]),
            Some(array) if array.shape() == self.affine => Ok(array.iter().copied().collect()),
            Some(array) => {
                Err(given.refused(name, format!("shape {:?}", self.affine), format!("shape {:?}", array.shape())))
            }
        }
    }
}

/// `native_layer_norm(input, normalized_shape, weight, bias, eps)`: y, mean and 1 / sqrt(variance + eps).
pub(in super::super) fn layers(given: &Arguments) -> Result<Answer> {
    let rows = Rows::of_layers(given, given.array(0, "input")?, 1)?;
    forward(given, &rows, 2, given.number(4, "eps", None)?)
}

/// `native_group_norm(input, weight, bias, N, C, HxW, group, eps)`: the same three.
pub(in super::super) fn groups(given: &Arguments) -> Result<Answer> {
    let rows = Rows::of_groups(given, given.array(0, "input")?, 3)?;
    forward(given, &rows, 1, given.number(7, "eps", None)?)
}

/// `parameters`: the position of the weight, behind which the bias stands.
fn forward(given: &Arguments, rows: &Rows, parameters: usize, eps: f64) -> Result<Answer> {
    let weight = rows.parameter(given, (parameters, "weight"), 1.0)?;
    let bias = rows.parameter(given, (parameters + 1, "bias"), 0.0)?;
    let roundings = [given.rounding(0), given.rounding(1)];
    let of_form = |form: BatchNormForm| {
        let steps = Steps(&roundings[1]);
        let statistics: Vec<Statistics> =
            rows.each().map(|row| Statistics::of(steps, row, eps, form, given.slip)).collect();
        let normalising: Vec<Statistics> = statistics.iter().map(|of| of.stored(&roundings[1])).collect();
        let y = rows.values().map(|(x, row, at)| {
            let affine = Affine { weight: weight[at], bias: bias[at] };
            applied(Steps(&roundings[0]), &normalising[row], affine, x)
        });
        let each = |of: fn(&Statistics) -> (Ball, f64)| {
            Expected::settled(&roundings[1], &rows.statistics, statistics.iter().map(of))
        };
        [
            Expected::settled(&roundings[0], rows.shape(), y),
            each(|of| (of.mean, of.size)),
            each(|of| (of.reciprocal, of.reciprocal.size())),
        ]
    };
    let [narrow, wide] = forms(given.declared.batch_norm);
    let results = of_form(narrow);
    let results = match narrow == wide {
        true => results.to_vec(),
        false => {
            let wide = of_form(wide);
            results.into_iter().zip(wide).map(|(narrow, wide)| narrow.unless_declared(wide, UNDECLARED)).collect()
        }
    };
    Ok(Answer { results: results.into_iter().map(Claim::Values).collect(), writes: Vec::new() })
}
