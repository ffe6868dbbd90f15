//! Views by places in memory: `as_strided` and what is written through one.
//!
//! A record has a tensor's numbers in their logical order and not how they lie in memory, which these views ask for. A
//! tensor without gaps lies in one of the orders of its axes: row-major, or another (`channels_last`). A result is right if
//! it is, bit for bit, what one of these gives; it is held against row-major order where none does.

use super::super::expected::{Answer, Claim, Expected};
use super::arguments::Arguments;
use super::moved::sized;
use crate::error::Result;
use ndarray::{ArrayD, IxDyn};

/// The most axes of which every order is tried.
const MOST_AXES: usize = 5;
/// Why a view is not judged.
const BEYOND: &str = "a view that reaches beyond the tensor's own numbers";

/// Places in memory: `size`, `stride` and `storage_offset`.
struct Places {
    shape: Vec<usize>,
    strides: Vec<usize>,
    offset: usize,
}

impl Places {
    fn of(given: &Arguments, first: usize) -> Result<Self> {
        let (shape, strides) = (sized(given, first, "size")?, given.extents(first + 1, "stride")?);
        if shape.len() != strides.len() {
            let found = format!("{} of {} axes", strides.len(), shape.len());
            return Err(given.refused("stride", "a stride an axis", found));
        }
        Ok(Self { shape, strides, offset: given.extent(first + 2, "storage_offset", Some(0))? })
    }

    /// Every element's place, row-major; `None` where one is not below `end`.
    fn all(&self, end: usize) -> Option<Vec<usize>> {
        let mut places = vec![self.offset];
        for (&extent, &stride) in self.shape.iter().zip(&self.strides) {
            let next = |place: usize| (0..extent).map(move |i| i.checked_mul(stride)?.checked_add(place));
            places = places.into_iter().flat_map(next).collect::<Option<_>>()?;
        }
        places.iter().all(|&place| place < end).then_some(places)
    }
}

/// Of each order in which an array of this shape may lie in memory, row-major first: the place in row-major order of each
/// number in memory.
fn orders(shape: &[usize]) -> Vec<Vec<usize>> {
    let elements: usize = shape.iter().product();
    let Ok(places) = ArrayD::from_shape_vec(IxDyn(shape), (0..elements).collect()) else { return Vec::new() };
    let long: Vec<usize> = (0..shape.len()).filter(|&axis| shape[axis] > 1).collect();
    let short = (0..shape.len()).filter(|&axis| shape[axis] <= 1);
    let tried = if long.len() <= MOST_AXES { permutations(&long) } else { vec![long] };
    let order = |axes: Vec<usize>| places.view().permuted_axes([short.clone().collect(), axes].concat());
    tried.into_iter().map(|axes| order(axes).iter().copied().collect()).collect()
}

/// Every order of these, their own first.
fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |i: usize| {
        let rest: Vec<usize> = of.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &axis)| axis).collect();
        permutations(&rest).into_iter().map(move |rest| [vec![of[i]], rest].concat())
    };
    (0..of.len()).flat_map(with_first).collect()
}

/// What `of` gives for the order in memory that the recorded result tells, or else for row-major order; `shape` its shape.
fn told(given: &Arguments, x: &[usize], shape: &[usize], of: impl Fn(&[usize]) -> Vec<f64>) -> Answer {
    let recorded = given.call.results.first().and_then(Option::as_ref);
    let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    let is_recorded = |elements: &Vec<f64>| {
        recorded.is_some_and(|value| value.array.len() == elements.len() && value.array.iter().zip(elements).all(same))
    };
    let all = orders(x);
    let right = all.iter().map(|order| of(order)).find(is_recorded);
    let Some(elements) = right.or_else(|| all.first().map(|order| of(order))) else {
        return Answer::unjudged(1, BEYOND);
    };
    match ArrayD::from_shape_vec(IxDyn(shape), elements) {
        Ok(array) => Answer::of(Expected::exactly(array)),
        Err(_) => Answer { results: vec![Claim::NotJudged(BEYOND.to_string())], writes: Vec::new() },
    }
}

/// `as_strided(self, size, stride, storage_offset=None)`: the numbers at these places in memory.
pub(super) fn view(given: &Arguments) -> Result<Answer> {
    let (x, places) = (given.array(0, "self")?, Places::of(given, 1)?);
    let Some(at) = places.all(x.len()) else { return Ok(Answer::unjudged(1, BEYOND)) };
    let elements: Vec<f64> = x.iter().copied().collect();
    Ok(told(given, x.shape(), &places.shape, |order| at.iter().map(|&place| elements[order[place]]).collect()))
}

/// `as_strided_scatter(self, src, size, stride, storage_offset=None)`: self, with src at these places in memory.
pub(super) fn scatter(given: &Arguments) -> Result<Answer> {
    let (x, src, places) = (given.array(0, "self")?, given.array(1, "src")?, Places::of(given, 2)?);
    if src.shape() != places.shape {
        return Err(given.refused("src", format!("shape {:?}", places.shape), format!("shape {:?}", src.shape())));
    }
    let Some(at) = places.all(x.len()) else { return Ok(Answer::unjudged(1, BEYOND)) };
    Ok(told(given, x.shape(), x.shape(), |order| {
        let mut elements: Vec<f64> = x.iter().copied().collect();
        at.iter().zip(src).for_each(|(&place, &src)| elements[order[place]] = src);
        elements
    }))
}
