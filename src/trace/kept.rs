//! [`Kept`]: what a trace keeps of its parameters' tensors, and how: whole or a sample, masks in bytes or in bits.

use super::Sample;
use super::object::Object;
use crate::choice::{Choice, choice};
use crate::error::Result;
use crate::tensor_file::{Element, Tensor};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

choice! {
    /// How masks are stored.
    MaskForm, "masks":
    /// A byte each, 0 or 1.
    Bytes = "bytes",
    /// Eight in a byte, row-major, the first in the lowest bit; the bits after the last are 0.
    Packed = "packed",
}

/// What is kept of parameters' tensors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kept {
    pub masks: MaskForm,
    /// Which coordinates; `None`: all.
    pub sample: Option<Sample>,
    /// The parameters' shapes, where their tensors need not show them.
    pub shapes: BTreeMap<String, Vec<usize>>,
}

/// The most entries of all parameters together: whole numbers that an `f64` holds.
const MOST_ENTRIES: u64 = 1 << 53;

impl Kept {
    /// Takes the keys `masks`, `sample` and `shapes` out of a header.
    pub(super) fn take(header: &mut Object) -> Result<Self> {
        let (masks, shapes) = (header.choice()?, shapes(header)?);
        let sample = match header.object("sample")? {
            None => None,
            Some(mut object) => {
                let expected = format!("a number from {} to {}", Sample::SHARES.start(), Sample::SHARES.end());
                let share = object.required_number("share", &expected, |x| Sample::SHARES.contains(&x))?;
                let is_count = |x: f64| x >= 0.0 && x <= (1_u64 << 53) as f64 && x.fract() == 0.0;
                let least = object.number("least", "a whole number from 0 to 2^53", is_count)?.unwrap_or(0.0) as usize;
                let has_whole_masks = match object.entries.remove(MaskForm::KEY) {
                    None => true,
                    Some(Value::String(name)) if name == "whole" || name == "sampled" => name == "whole",
                    Some(other) => return Err(object.bad(MaskForm::KEY, "\"whole\" or \"sampled\"", &other)),
                };
                object.nothing_else("share, least, masks")?;
                Some(Sample { share, least, has_whole_masks })
            }
        };
        Ok(Self { masks, sample, shapes })
    }

    /// Writes what is not the default.
    pub(super) fn put(&self, header: &mut Value) {
        if self.masks != MaskForm::default() {
            header[MaskForm::KEY] = json!(self.masks);
        }
        if let Some(sample) = &self.sample {
            header["sample"] = json!({ "share": sample.share, "least": sample.least });
            if !sample.has_whole_masks {
                header["sample"][MaskForm::KEY] = json!("sampled");
            }
        }
        if !self.shapes.is_empty() {
            header["shapes"] = json!(self.shapes);
        }
    }

    /// The tensor of a parameter's floats, of which `coordinates` are kept.
    pub fn floats<T: Element>(&self, shape: &[usize], values: &[T], coordinates: &[usize]) -> Tensor {
        match self.sample {
            None => Tensor::from_slice(shape, values),
            Some(_) => {
                let kept: Vec<T> = coordinates.iter().map(|&j| values[j]).collect();
                Tensor::from_slice(&[kept.len()], &kept)
            }
        }
    }

    /// The tensor of a parameter's flags, the same way.
    pub fn flags(&self, shape: &[usize], flags: &[bool], coordinates: &[usize]) -> Tensor {
        let is_thinned = self.sample.is_some_and(|sample| !sample.has_whole_masks);
        let thinned: Vec<bool> =
            if is_thinned { coordinates.iter().map(|&j| flags[j]).collect() } else { flags.to_vec() };
        let bytes = match self.masks {
            MaskForm::Packed => packed(&thinned),
            MaskForm::Bytes => thinned.iter().map(|&flag| flag.into()).collect(),
        };
        Tensor::from_slice(&self.flags_shape(shape, coordinates.len()), &bytes)
    }

    /// The shape of a parameter's tensor of floats, of which so many coordinates are kept.
    pub fn floats_shape(&self, shape: &[usize], kept: usize) -> Vec<usize> {
        if self.sample.is_some() { vec![kept] } else { shape.to_vec() }
    }

    /// The shape of a parameter's tensor of flags.
    pub fn flags_shape(&self, shape: &[usize], kept: usize) -> Vec<usize> {
        let whole = || shape.iter().product::<usize>();
        match (self.masks, self.sample.filter(|sample| !sample.has_whole_masks)) {
            (MaskForm::Bytes, None) => shape.to_vec(),
            (MaskForm::Bytes, Some(_)) => vec![kept],
            (MaskForm::Packed, None) => vec![whole().div_ceil(BITS)],
            (MaskForm::Packed, Some(_)) => vec![kept.div_ceil(BITS)],
        }
    }
}

const BITS: usize = u8::BITS as usize;

/// Flags in bits.
fn packed(flags: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| eight.iter().rev().fold(0, |byte, &flag| byte << 1 | u8::from(flag));
    flags.chunks(BITS).map(byte).collect()
}

/// So many flags out of their bits; the place of the first bit after them that is set is the error.
pub(super) fn unpacked(bytes: &[u8], len: usize) -> std::result::Result<Vec<bool>, usize> {
    let bit = |j: usize| bytes.get(j / BITS).is_some_and(|byte| byte >> (j % BITS) & 1 == 1);
    match (len..bytes.len() * BITS).find(|&j| bit(j)) {
        None => Ok((0..len).map(bit).collect()),
        Some(beyond) => Err(beyond),
    }
}

fn shapes(header: &mut Object) -> Result<BTreeMap<String, Vec<usize>>> {
    let Some(value) = header.entries.remove("shapes") else { return Ok(BTreeMap::new()) };
    let expected = "an object from parameters' names to their shapes, of at most 2^53 entries in all";
    let read = value.as_object().and_then(read_shapes);
    read.ok_or_else(|| header.bad("shapes", expected, &value))
}

fn read_shapes(entries: &Map<String, Value>) -> Option<BTreeMap<String, Vec<usize>>> {
    let (mut shapes, mut total) = (BTreeMap::new(), 0_usize);
    for (name, value) in entries {
        let extent = |value: &Value| usize::try_from(value.as_u64()?).ok();
        let shape: Vec<usize> = value.as_array()?.iter().map(extent).collect::<Option<_>>()?;
        let len = shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent))?;
        total = total.checked_add(len).filter(|&total| total as u64 <= MOST_ENTRIES)?;
        shapes.insert(name.clone(), shape);
    }
    Some(shapes)
}
