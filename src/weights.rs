//! [`Weights`]: W and all that is kept beside it: values, masks, momentum and a method's own arrays; and in what form.
//!
//! Section 3.3: eliminated weights "do not participate in any computations during forward or backward propagation". While
//! steps are taken ([`Weights::stepping`]), a parameter that is sparse enough is compressed: it, its gradient, its
//! momentum, and what a method keeps of it ([`Slot`]) hold living entries only. Outside, and whenever a method acts,
//! everything lies in its own shape, and a method sees plain slices.

mod flags;
mod set;
mod slot;
mod stepping;

pub use flags::read_flags;
pub use set::{Segment, WeightSet};
pub(crate) use set::{append_row_major, row_major_mut};
pub use slot::{Dead, Lasts, Slot};
pub use stepping::{Form, Stepping};

use crate::kernel::{self, Kernel};
use crate::nn::{Parameter, Parameters};
use crate::op::List;
use crate::ops::WeightGradient;
use crate::paper::reading::Prunable;
use crate::scalar::Scalar;
use ndarray::ArrayD;
use std::collections::BTreeMap;
use std::ops::Range;

/// The weights of a network in training.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights<S: Scalar> {
    /// Every parameter and buffer of the network, as it is stored now.
    pub parameters: Parameters<S>,
    /// The optimizer's v, one array a parameter, stored as the parameter is; empty for what is not trained.
    pub momentum: Vec<ArrayD<S>>,
    set: WeightSet,
    /// Of every weight, false where it is eliminated; empty while steps are taken with all alive. `None` if the method
    /// eliminates nothing.
    mask: Option<Vec<bool>>,
    slots: Vec<Slot<S>>,
}

/// One parameter of W, as a method works on it. All slices are row-major and of one length.
#[derive(Debug)]
pub struct Layer<'a, S> {
    /// Its entries' places in W.
    pub range: Range<usize>,
    pub values: &'a mut [S],
    pub momentum: &'a mut [S],
    /// False where a weight is eliminated; empty if the method eliminates nothing.
    pub mask: &'a mut [bool],
    pub slots: LayerSlots<'a, S>,
}

/// What a method keeps of a parameter's weights.
#[derive(Debug)]
pub struct LayerSlots<'a, S>(List<(&'static str, &'a mut [S])>);

impl<S> LayerSlots<'_, S> {
    /// What is kept under this name; empty if nothing is.
    pub fn named(&mut self, name: &str) -> &mut [S] {
        self.0.iter_mut().find(|(slot, _)| *slot == name).map_or(&mut [], |(_, values)| values)
    }
}

impl<S: Scalar> Weights<S> {
    /// These parameters, all momentum 0; W is those that `prunable` names (open point 6).
    pub fn new(parameters: Parameters<S>, prunable: Prunable) -> Self {
        Self::without(parameters, prunable, &[])
    }

    /// The same, with the parameters of these names left out of W.
    pub fn without(parameters: Parameters<S>, prunable: Prunable, names: &[String]) -> Self {
        let buffer = |parameter: &Parameter<S>| match parameter.role.is_trained() {
            true => ArrayD::from_elem(parameter.value.shape(), S::ZERO),
            false => ArrayD::from_elem(vec![0], S::ZERO),
        };
        Self {
            momentum: parameters.iter().map(buffer).collect(),
            set: WeightSet::without(&parameters, prunable, names),
            mask: None,
            slots: Vec::new(),
            parameters,
        }
    }

    /// N, the number of weights.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Which parameters W consists of, and where each lies in it.
    pub fn set(&self) -> &WeightSet {
        &self.set
    }

    /// W itself, flattened.
    pub fn values(&self) -> Vec<S> {
        self.set.gather(&self.parameters)
    }

    /// The shapes of W's parameters, in order.
    pub fn shapes(&self) -> Vec<&[usize]> {
        self.set.segments().iter().map(|segment| self.parameters[segment.parameter].value.shape()).collect()
    }

    /// Which weights live, flattened; `None` if the method eliminates nothing. Between epochs.
    pub fn mask(&self) -> Option<&[bool]> {
        self.mask.as_deref()
    }

    /// The same, of a method that eliminates weights; all live if none was so far.
    pub fn mask_mut(&mut self) -> &mut [bool] {
        let n = self.set.len();
        self.mask.get_or_insert_with(|| vec![true; n])
    }

    /// What is kept of every weight under this name.
    pub fn slot(&self, name: &str) -> Option<&Slot<S>> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    /// The same, to change.
    pub fn slot_mut(&mut self, name: &str) -> Option<&mut Slot<S>> {
        self.slots.iter_mut().find(|slot| slot.name == name)
    }

    /// Everything that is kept of every weight beside momentum and mask.
    pub fn slots(&self) -> &[Slot<S>] {
        &self.slots
    }

    /// Keeps something more of every weight; what was kept under the slot's name is replaced.
    pub fn keep(&mut self, slot: Slot<S>) {
        self.take(slot.name);
        self.slots.push(slot);
    }

    /// Keeps it no longer; what was kept of every weight, flattened, and nothing if nothing was.
    pub fn take(&mut self, name: &str) -> Vec<S> {
        let at = self.slots.iter().position(|slot| slot.name == name);
        at.map(|at| self.slots.remove(at).values).unwrap_or_default()
    }

    /// The parameters of W, one after the other, as slices that can be changed together.
    pub fn layers(&mut self) -> impl Iterator<Item = Layer<'_, S>> {
        let mut mask = self.mask.as_deref_mut().unwrap_or_default();
        let mut slots: List<(&'static str, &mut [S])> =
            self.slots.iter_mut().map(|slot| (slot.name, &mut slot.values[..])).collect();
        let mut segments = self.set.segments().iter().peekable();
        let arrays = self.parameters.iter_mut().zip(&mut self.momentum).enumerate();
        arrays.filter_map(move |(i, (parameter, momentum))| {
            let segment = segments.next_if(|segment| segment.parameter == i)?;
            let n = segment.range.len();
            let own = slots.iter_mut().map(|(name, rest)| (*name, front(rest, n)));
            Some(Layer {
                range: segment.range.clone(),
                values: row_major_mut(&mut parameter.value),
                momentum: row_major_mut(momentum),
                mask: front(&mut mask, n),
                slots: LayerSlots(own.collect()),
            })
        })
    }

    /// Has these weights live, flat over W, and no others: what is eliminated is 0, and so is its momentum.
    pub fn hold(&mut self, alive: &[bool]) {
        self.mask_mut().copy_from_slice(alive);
        for layer in self.layers() {
            kernel::hold(Kernel::any(), layer.values, layer.mask);
            kernel::hold(Kernel::any(), layer.momentum, layer.mask);
        }
    }

    /// Gives living weights these values, flattened; the others are 0.
    pub fn set_living(&mut self, values: &[S]) {
        for layer in self.layers() {
            layer.values.copy_from_slice(&values[layer.range]);
            if !layer.mask.is_empty() {
                kernel::hold(Kernel::any(), layer.values, layer.mask);
            }
        }
    }

    /// Copies W into a slot.
    pub fn copy_values_to(&mut self, name: &str) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.name == name) else { return };
        for segment in self.set.segments() {
            let values = &self.parameters[segment.parameter].value;
            slot.values[segment.range.clone()].iter_mut().zip(values).for_each(|(to, &w)| *to = w);
        }
    }

    /// The share of W that is eliminated, 0 to 1.
    pub fn sparsity(&self) -> f64 {
        share_of_dead(self.mask().unwrap_or_default(), self.len())
    }

    /// By the name of each parameter of W, the share of its weights that are eliminated.
    pub fn layer_sparsities(&self) -> BTreeMap<String, f64> {
        let share = |range: &Range<usize>| {
            let own = self.mask().and_then(|mask| mask.get(range.clone())).unwrap_or_default();
            share_of_dead(own, range.len())
        };
        let segments = self.set.segments().iter();
        segments.map(|segment| (self.parameters[segment.parameter].name.clone(), share(&segment.range))).collect()
    }

    /// Bytes of parameters (with the indices of compressed ones), gradients, momentum, masks and slots, as they are
    /// stored now.
    pub fn bytes(&self) -> usize {
        let gradient = |parameter: &Parameter<S>| match &parameter.compression {
            _ if !parameter.role.is_trained() => 0,
            Some(compression) if compression.gradient == WeightGradient::All => compression.pattern.dense_len(),
            _ => parameter.value.len(),
        };
        let numbers: usize = self.parameters.iter().map(|p| p.value.len() + gradient(p)).sum();
        let momentum: usize = self.momentum.iter().map(|buffer| buffer.len()).sum();
        let slots: usize = self.slots.iter().map(|slot| slot.values.len()).sum();
        let indices: usize = self.parameters.iter().filter_map(Parameter::pattern).map(|pattern| pattern.bytes()).sum();
        (numbers + momentum + slots) * size_of::<S>() + indices + self.mask().map_or(0, <[bool]>::len)
    }

    /// What a step works on: the parameters, their momentum, and, of those of W, the mask and the slot of this name.
    pub(crate) fn for_a_step(&mut self, slot: Option<&str>) -> (&mut Parameters<S>, &mut [ArrayD<S>], Followed<'_, S>) {
        let slot = self.slots.iter_mut().find(|kept| Some(kept.name) == slot);
        let followed = Followed {
            segments: self.set.segments().iter().peekable(),
            mask: self.mask.as_deref().unwrap_or_default(),
            slot: slot.map(|slot| (&mut slot.values[..], slot.dead)),
        };
        (&mut self.parameters, &mut self.momentum, followed)
    }
}

/// The parameters of W as a step comes to them, in order; no step makes a list.
pub(crate) struct Followed<'a, S> {
    segments: std::iter::Peekable<std::slice::Iter<'a, Segment>>,
    mask: &'a [bool],
    /// The entries of the segments to come.
    slot: Option<(&'a mut [S], Dead)>,
}

/// A parameter of W in a step.
pub(crate) struct FollowedParameter<'a, S> {
    /// False where a weight is held at 0; `None` where all that are stored live.
    pub mask: Option<&'a [bool]>,
    /// An entry for each of the parameter's, or of its gradient's.
    pub slot: Option<&'a mut [S]>,
}

impl<'a, S: Scalar> Followed<'a, S> {
    /// The `i`-th parameter, if it is of W; to be asked for in order.
    pub fn next(&mut self, i: usize, parameter: &Parameter<S>) -> Option<FollowedParameter<'a, S>> {
        let segment = self.segments.next_if(|segment| segment.parameter == i)?;
        let pattern = parameter.pattern();
        let mask = (pattern.is_none() && !self.mask.is_empty()).then(|| &self.mask[segment.range.clone()]);
        let slot = self.slot.as_mut().map(|(rest, dead)| front(rest, dead.stored(segment.range.len(), pattern)));
        Some(FollowedParameter { mask, slot })
    }
}

/// Cuts the first `n` entries off a slice, or all if it has fewer.
fn front<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let whole = std::mem::take(rest);
    let (front, others) = whole.split_at_mut(n.min(whole.len()));
    *rest = others;
    front
}

fn share_of_dead(mask: &[bool], n: usize) -> f64 {
    mask.iter().filter(|&&alive| !alive).count() as f64 / n.max(1) as f64
}
