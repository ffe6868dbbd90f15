//! The names of a trace's tensors by steps: what each one is, and which dtype and shape it must have.

use super::StepHeader;
use crate::error::{Error, Result};
use crate::scalar::Dtype;
use crate::tensor_file::TensorFile;
use crate::trace::StepMethod;
use crate::trace::layout::count;
use safetensors::Dtype as Stored;
use std::collections::{BTreeMap, BTreeSet};

/// What a tensor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// F32 or F64.
    Float,
    /// F16 and BF16 too.
    Gradient,
    /// U8, 0 or 1.
    Flag,
    /// I64.
    Integer,
}

/// Which shape it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `[1]`.
    One,
    /// `[params]`.
    Params,
    /// `[1]` or `[params]`.
    OneOrParams,
    /// `[n]`, of a length that the method gives.
    List,
    /// A parameter's, whose name follows.
    Parameter,
    /// A parameter of W's.
    Weight,
    /// A list for a parameter of W.
    WeightList,
    /// That of a layer's or a parameter's own, whose name follows.
    Member,
}

use Holds::{Flag, Float, Gradient, Integer};
use Shape::{List, Member, One, OneOrParams, Parameter, Params, Weight, WeightList};

type Quantity = (&'static str, Holds, Shape);

/// Of methods that step weights.
const OF_WEIGHTS: &[Quantity] = &[
    ("weights_before", Float, Parameter),
    ("mask_before", Flag, Weight),
    ("momentum_before", Float, Parameter),
    ("accumulated_before", Float, Weight),
    ("grad", Gradient, Parameter),
    ("lr", Float, One),
    ("draw", Float, Weight),
    ("fresh", Float, Parameter),
    ("hessian_gradient", Float, Weight),
    ("updated", Flag, One),
    ("between", Float, Parameter),
    ("rate", Float, One),
    ("fraction", Float, One),
    ("keep", Integer, OneOrParams),
    ("keep_backward", Integer, OneOrParams),
    ("drop", Integer, Params),
    ("score", Float, Weight),
    ("quantile", Float, List),
    ("pruned", Flag, Weight),
    ("kept", Flag, Weight),
    ("mask", Flag, Weight),
    ("backward", Flag, Weight),
    ("weights_after", Float, Parameter),
    ("momentum", Float, Parameter),
    ("accumulated", Float, Weight),
];
const OF_LMC: &[Quantity] = &[
    ("theta_1", Float, Parameter),
    ("theta_2", Float, Parameter),
    ("alpha", Float, List),
    ("loss", Float, List),
    ("error", Float, List),
    ("score", Float, One),
    ("barrier", Float, One),
];
const OF_SDGP: &[Quantity] = &[
    ("grad_output", Gradient, Member),
    ("draw", Float, Member),
    ("pruned", Float, Member),
    ("input", Float, Member),
    ("weight", Float, Member),
    ("grad_weight", Float, Member),
    ("grad_input", Float, Member),
];
const OF_LAYERDROP: &[Quantity] = &[("draw", Float, List), ("active", Flag, List)];
const OF_AMC: &[Quantity] = &[
    ("action", Float, List),
    ("weights_before", Float, Parameter),
    ("accuracy", Float, One),
    ("ratio_allowed", Float, List),
    ("keep", Integer, List),
    ("importance", Float, WeightList),
    ("channels", Flag, WeightList),
    ("weights_after", Float, Parameter),
    ("flops", Float, One),
    ("reward", Float, One),
];

/// Beside the steps.
fn of_the_whole(method: StepMethod) -> &'static [Quantity] {
    match method {
        StepMethod::Lmc => &[("k_star", Integer, One), ("k_stable", Integer, One)],
        StepMethod::LayerDrop => &[("kept_layers", Flag, List)],
        StepMethod::Sdgp => &[],
        StepMethod::Amc => &[("init", Float, Parameter)],
        _ => &[
            ("init", Float, Parameter),
            ("init_draw", Float, Weight),
            ("rewind", Float, Parameter),
            ("sparsity", Float, Params),
            ("init_mask", Flag, Weight),
        ],
    }
}

fn of_a_step(method: StepMethod) -> &'static [Quantity] {
    match method {
        StepMethod::Lmc => OF_LMC,
        StepMethod::Sdgp => OF_SDGP,
        StepMethod::LayerDrop => OF_LAYERDROP,
        StepMethod::Amc => OF_AMC,
        _ => OF_WEIGHTS,
    }
}

/// What a tensor's name says: the step, if it is of one, the quantity, and whose it is.
struct Place<'a> {
    t: Option<usize>,
    quantity: &'static str,
    holds: Holds,
    shape: Shape,
    of: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn parse(name: &'a str, header: &StepHeader) -> Option<Self> {
        let (t, rest, known) = match name.strip_prefix("step/") {
            Some(rest) => {
                let (t, rest) = rest.split_once('/')?;
                (Some(count(t)?), rest, of_a_step(header.method))
            }
            None => (None, name, of_the_whole(header.method)),
        };
        if header.method == StepMethod::Lmc
            && let Some(rest) = rest.strip_prefix("theta/")
        {
            let (i, parameter) = rest.split_once('/')?;
            count(i)?;
            let of = Some(parameter).filter(|name| !name.is_empty())?;
            return Some(Self { t: Some(t?), quantity: "theta", holds: Float, shape: Parameter, of: Some(of) });
        }
        let (head, of) = match rest.split_once('/') {
            Some((head, of)) => (head, Some(of).filter(|of| !of.is_empty())),
            None => (rest, None),
        };
        let &(quantity, holds, shape) = known.iter().find(|(known, ..)| *known == head)?;
        let has_owner = matches!(shape, Parameter | Weight | WeightList | Member);
        let of_w = matches!(shape, Weight | WeightList);
        let fits = match of {
            None => !has_owner && !rest.contains('/'),
            Some(name) => has_owner && (!of_w || header.params.iter().any(|known| known == name)),
        };
        fits.then_some(Self { t, quantity, holds, shape, of })
    }
}

/// What the names of a file's tensors say together.
pub(super) struct Layout {
    /// The shape of every parameter that has a tensor.
    pub(super) shapes: BTreeMap<String, Vec<usize>>,
    pub(super) steps: BTreeSet<usize>,
    /// The length of every parameter's lists, where it has some.
    pub(super) lists: BTreeMap<String, usize>,
    /// Of every step, those parameters or layers that belong to it alone.
    pub(super) members: BTreeMap<usize, BTreeSet<String>>,
    pub(super) unknown: Vec<String>,
}

/// Reads the names, and checks every tensor's dtype and shape.
pub(super) fn read(file: &TensorFile, header: &StepHeader) -> Result<Layout> {
    let mut layout = Layout {
        shapes: BTreeMap::new(),
        lists: BTreeMap::new(),
        steps: BTreeSet::new(),
        members: BTreeMap::new(),
        unknown: Vec::new(),
    };
    for name in file.names() {
        let Some((dtype, shape)) = file.describe(name) else { continue };
        let bad =
            |expected: String, found: String| Error::file(file.path(), format!("tensor `{name}`"), expected, found);
        let Some(place) = Place::parse(name, header) else {
            layout.unknown.push(name.to_string());
            continue;
        };
        check_dtype(&place, dtype, header).map_err(|expected| bad(expected.to_string(), format!("{dtype:?}")))?;
        layout.steps.extend(place.t);
        let found = || format!("shape {shape:?}");
        let n = header.params.len();
        match place.shape {
            One if shape != [1] => return Err(bad("shape [1]".to_string(), found())),
            Params if shape != [n] => {
                return Err(bad(format!("shape [{n}], an entry for each of `params`"), found()));
            }
            OneOrParams if shape != [1] && shape != [n] => {
                return Err(bad(format!("shape [1], or [{n}], an entry for each of `params`"), found()));
            }
            List | WeightList if shape.len() != 1 => return Err(bad("one axis".to_string(), found())),
            _ => {}
        }
        if place.quantity == "quantile" && shape != [2] {
            return Err(bad("shape [2]: Q at start and end".to_string(), found()));
        }
        let Some(of) = place.of else { continue };
        if place.shape == WeightList {
            layout.lists.entry(of.to_string()).or_insert(shape[0]);
        }
        if header.method == StepMethod::Lmc || place.shape == Member {
            layout.members.entry(place.t.unwrap_or_default()).or_default().insert(of.to_string());
        }
        if matches!(place.shape, Parameter | Weight) {
            let known = layout.shapes.entry(of.to_string()).or_insert_with(|| shape.to_vec());
            if known != shape {
                return Err(bad(format!("shape {known:?}, as other tensors of `{of}` have"), found()));
            }
        }
    }
    Ok(layout)
}

/// The dtype that a tensor must have; the error says which.
fn check_dtype(place: &Place, dtype: Stored, header: &StepHeader) -> std::result::Result<(), &'static str> {
    let is_narrow = match (place.holds, header.arithmetic.dtype, dtype) {
        (Flag, _, Stored::U8) | (Integer, _, Stored::I64) => return Ok(()),
        (Flag, ..) => return Err("U8"),
        (Integer, ..) => return Err("I64"),
        (_, _, Stored::F64) | (_, Dtype::F32, Stored::F32) => false,
        (_, Dtype::F64, Stored::F32) | (Gradient, _, Stored::F16 | Stored::BF16) => true,
        (Gradient, ..) => return Err("F64, F32, F16 or BF16"),
        (Float, ..) => return Err("F32 or F64"),
    };
    if is_narrow && !header.declares_rounding {
        return Err("at least the header's dtype (or `u_in` or `u_out` declared in `arithmetic`)");
    }
    Ok(())
}
