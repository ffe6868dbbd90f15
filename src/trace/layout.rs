//! The names of a trace's tensors: what each one is, and which dtype and shape it must have.

mod place;

pub(super) use place::count;

use super::{Header, MaskForm, TracedMethod};
use crate::error::{Error, Result};
use crate::ops;
use crate::scalar::Dtype;
use crate::tensor_file::TensorFile;
use place::Place;
use safetensors::Dtype as Stored;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What the names of a file's tensors say together.
pub(super) struct Layout {
    /// The shape of every parameter that has a tensor.
    pub(super) shapes: BTreeMap<String, Vec<usize>>,
    /// Every epoch that has a tensor, and its number of batches.
    pub(super) epochs: BTreeMap<usize, usize>,
    /// The epoch and the number of every batch that records weights.
    pub(super) within: BTreeSet<(usize, usize)>,
    pub(super) unknown: Vec<String>,
    /// Tensors of epochs that `epochs` and `epoch_origin` do not have.
    pub(super) beyond: Vec<String>,
}

/// Reads the names, and checks every tensor's dtype and shape.
pub(super) fn read(file: &TensorFile, header: &Header) -> Result<Layout> {
    let mut layout = Layout {
        shapes: BTreeMap::new(),
        epochs: BTreeMap::new(),
        within: BTreeSet::new(),
        unknown: Vec::new(),
        beyond: Vec::new(),
    };
    let declared = header.epochs();
    let mut batches: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut gradients: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut packed: Vec<(&str, &str, Place)> = Vec::new();
    let prunable: HashSet<&str> = header.params.iter().map(String::as_str).collect();
    for name in file.names() {
        let Some((dtype, shape)) = file.describe(name) else { continue };
        let bad = |expected: &str, found: String| Error::file(file.path(), format!("tensor `{name}`"), expected, found);
        let place = Place::of(name).filter(|place| {
            let draws = header.method == TracedMethod::RandomRewind;
            let samples = header.kept.sample.is_some();
            (draws || !matches!(place, Place::Draw { .. }))
                && (samples || !matches!(place, Place::Coordinates { .. }))
                && place.parameter().is_none_or(|(parameter, of_w)| !of_w || prunable.contains(parameter))
        });
        let Some(place) = place else {
            // Beside a record of single ops the tensors that the format does not have are that record's.
            if file.metadata(ops::cases::KEY).is_none() {
                layout.unknown.push(name.to_string());
            }
            continue;
        };
        check_dtype(place, dtype, header).map_err(|expected| bad(expected, format!("{dtype:?}")))?;
        if let Some(k) = place.epoch() {
            layout.epochs.entry(k).or_insert(0);
            if !declared.contains(&k) {
                layout.beyond.push(name.to_string());
            }
        }
        match place {
            Place::Indices { k, i } | Place::Loss { k, i } => batches.entry(k).or_default().push(i),
            Place::Gradient { k, i, parameter } => {
                batches.entry(k).or_default().push(i);
                *gradients.entry((k, parameter)).or_insert(0) += 1;
            }
            Place::Within { k, i, .. } => {
                layout.within.insert((k, i));
            }
            _ => {}
        }
        if let Some((parameter, _)) = place.parameter() {
            // Packed masks do not show a parameter's shape, which other tensors of it do.
            if matches!(place, Place::Flags { .. }) && header.kept.masks == MaskForm::Packed {
                packed.push((name, parameter, place));
            } else {
                let known = layout
                    .shapes
                    .entry(parameter.to_string())
                    .or_insert_with(|| header.kept.shapes.get(parameter).map_or_else(|| shape.to_vec(), Clone::clone));
                check_shape(file, header, (name, parameter), place, known)?;
            }
        } else if matches!(place, Place::Input { .. }) {
            if shape.len() < 2 {
                return Err(bad("shape [b, ..]", format!("shape {shape:?}")));
            }
        } else if matches!(place, Place::Indices { .. } | Place::Labels { .. } | Place::Quantiles { .. }) {
            if shape.len() != 1 {
                return Err(bad("one axis", format!("shape {shape:?}")));
            }
        } else if shape != [1] {
            return Err(bad("shape [1]", format!("shape {shape:?}")));
        }
    }
    for (name, parameter, place) in packed {
        let Some(known) = layout.shapes.get(parameter).or_else(|| header.kept.shapes.get(parameter)) else {
            let expected = format!("`{parameter}` in the header's `shapes`, or a tensor of it that shows its shape");
            return Err(Error::file(file.path(), format!("tensor `{name}`"), expected, "masks in bits alone"));
        };
        check_shape(file, header, (name, parameter), place, known)?;
        let known = known.clone();
        layout.shapes.entry(parameter.to_string()).or_insert(known);
    }
    for (k, mut numbers) in batches {
        numbers.sort_unstable();
        numbers.dedup();
        let missing = numbers.iter().enumerate().find(|(i, number)| i != *number);
        if let Some((i, _)) = missing {
            let place = format!("tensors `epoch/{k}/batch/{i}/..`");
            return Err(Error::file(file.path(), place, "all batches of an epoch, from 0 on", "nothing"));
        }
        layout.epochs.insert(k, numbers.len());
    }
    for ((k, parameter), found) in gradients {
        let expected = layout.epochs.get(&k).copied().unwrap_or(0);
        if found != expected {
            let place = format!("tensors `epoch/{k}/batch/../grad/{parameter}`");
            let expected = format!("one for each of the epoch's {expected} batches, or none");
            return Err(Error::file(file.path(), place, expected, found));
        }
    }
    Ok(layout)
}

/// The shape that a parameter's tensor must have, given the parameter's own.
fn check_shape(
    file: &TensorFile,
    header: &Header,
    (name, parameter): (&str, &str),
    place: Place,
    whole: &[usize],
) -> Result<()> {
    let found = file.describe(name).map(|(_, shape)| shape).unwrap_or_default();
    let bad = |expected: String| {
        Err(Error::file(file.path(), format!("tensor `{name}`"), expected, format!("shape {found:?}")))
    };
    let kept = &header.kept;
    let mut coordinates = 0;
    if kept.sample.is_some() {
        if !kept.shapes.contains_key(parameter) {
            return bad(format!(
                "`{parameter}` in the header's `shapes`, as of every parameter that a sample is kept of"
            ));
        }
        let list = coordinates_of(parameter);
        match file.describe(&list).map(|(_, shape)| shape) {
            Some([count]) => coordinates = *count,
            Some(shape) => {
                return Err(Error::file(
                    file.path(),
                    format!("tensor `{list}`"),
                    "one axis",
                    format!("shape {shape:?}"),
                ));
            }
            None => return bad(format!("beside it a tensor `{list}`, the coordinates that the sample has")),
        }
    }
    let expected = match place {
        Place::Coordinates { .. } => vec![coordinates],
        Place::Flags { .. } => kept.flags_shape(whole, coordinates),
        _ => kept.floats_shape(whole, coordinates),
    };
    match expected == found {
        true => Ok(()),
        false if expected == whole => bad(format!("shape {whole:?}, as other tensors of `{parameter}` have")),
        false => bad(format!(
            "shape {expected:?}, of `{parameter}` of shape {whole:?} as the header's `masks` and `sample` keep it"
        )),
    }
}

/// The tensor of a parameter's coordinates.
pub(super) fn coordinates_of(parameter: &str) -> String {
    format!("sample/{parameter}")
}

/// The dtype that a tensor must have; the error says which.
fn check_dtype(place: Place, dtype: Stored, header: &Header) -> std::result::Result<(), &'static str> {
    let is_float = |narrow_too: bool| {
        let narrow = match (header.arithmetic.dtype, dtype) {
            (_, Stored::F64) | (Dtype::F32, Stored::F32) => false,
            (Dtype::F64, Stored::F32) => true,
            (_, Stored::F16 | Stored::BF16) if narrow_too => true,
            _ if narrow_too => return Err("F64, F32, F16 or BF16"),
            _ => return Err("F32 or F64"),
        };
        if narrow && !header.declares_rounding {
            return Err("at least the header's dtype (or `u_in` or `u_out` declared in `arithmetic`)");
        }
        Ok(())
    };
    match place {
        Place::Gradient { .. } => is_float(true),
        Place::Initial { .. }
        | Place::Within { .. }
        | Place::Input { .. }
        | Place::Loss { .. }
        | Place::Parameter { .. }
        | Place::ScalarFloat { .. }
        | Place::Draw { .. }
        | Place::Quantiles { .. } => is_float(false),
        Place::Flags { .. } if dtype == Stored::U8 => Ok(()),
        Place::Flags { .. } => Err("U8"),
        Place::Indices { .. } | Place::Labels { .. } | Place::ScalarInteger { .. } | Place::Coordinates { .. } => {
            if dtype == Stored::I64 {
                Ok(())
            } else {
                Err("I64")
            }
        }
    }
}
