//! [`shrink`]: a network without the channels that nothing uses any more.
//!
//! Of the channels that one layer makes and one other alone takes ([`Channels`]), those go whose entries of the taking weight
//! are all 0: with them their entries of that weight, the outputs of the layer that makes them, their biases, and what batch
//! norms and depthwise convolutions in between have of them. What the network says stays the same: every number that is gone
//! was multiplied by 0.

use crate::error::{Error, Result};
use crate::nn::{Channels, Parameters, Role};
use crate::scalar::Scalar;
use crate::train::SavedNetwork;
use crate::weights::Segment;
use ndarray::{ArrayD, Axis};
use std::collections::BTreeMap;
use std::fmt;

/// The channels that a weight takes, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The weight's name.
    pub parameter: String,
    pub before: usize,
    pub after: usize,
}

impl fmt::Display for Narrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} of `{}`", self.before - self.after, self.before, self.parameter)
    }
}

/// A network that was shrunk.
pub struct Shrunk<S> {
    pub saved: SavedNetwork<S>,
    /// What became narrower.
    pub narrowed: Vec<Narrowed>,
    /// What has input channels that are 0 and stay, for not this weight alone takes them: how many there are of how many.
    pub held: Vec<Narrowed>,
}

/// `saved` without the channels that nothing uses.
///
/// # Errors
/// [`Error::Domain`] if there are none that can go, naming weights with input channels that are 0 and have to stay.
pub fn shrink<S: Scalar>(mut saved: SavedNetwork<S>) -> Result<Shrunk<S>> {
    let channels = saved.network.channels();
    let held = held(&saved.parameters, &channels);
    // What is used is seen before anything goes.
    let used: Vec<Vec<bool>> = channels.iter().map(|channels| used(&saved.parameters, channels)).collect();
    let mut alive = masks(&saved);
    let mut narrowed = Vec::new();
    for (channels, used) in channels.iter().zip(used).filter(|(_, used)| used.contains(&false)) {
        let parameter = saved.parameters[channels.taken_by].name.clone();
        let after = used.iter().filter(|used| **used).count();
        narrowed.push(Narrowed { parameter, before: channels.count, after });
        let features: Vec<bool> = used.iter().flat_map(|&used| std::iter::repeat_n(used, channels.features)).collect();
        let makers = channels.made_by.iter().map(|&i| (i, Axis(0), &used));
        for (i, axis, kept) in makers.chain([(channels.taken_by, Axis(1), &features)]) {
            keep(&mut saved.parameters[i].value, axis, kept);
            alive.get_mut(&i).into_iter().for_each(|alive| keep(alive, axis, kept));
        }
    }
    if narrowed.is_empty() {
        let told: Vec<String> = held.iter().map(ToString::to_string).collect();
        let found = if told.is_empty() { "none".to_string() } else { format!("none but {}", told.join(", ")) };
        let expected = "a network with input channels that are all 0, of layers which alone take another one's output";
        return Err(Error::domain("--shrink", expected, found));
    }
    let shape = |name: &str| saved.parameters.get(name).map(|parameter| parameter.value.shape().to_vec());
    saved.network = saved.network.of_widths(&shape)?;
    saved.weights = saved.weights.resized(&saved.parameters);
    saved.alive = alive.into_values().flatten().collect();
    Ok(Shrunk { saved, narrowed, held })
}

/// Of each parameter of W, by its position, which entries live.
fn masks<S: Scalar>(saved: &SavedNetwork<S>) -> BTreeMap<usize, ArrayD<bool>> {
    let mask = |segment: &Segment| {
        let mut alive = saved.alive[segment.range.clone()].iter().copied();
        let shape = saved.parameters[segment.parameter].value.shape();
        (segment.parameter, ArrayD::from_shape_simple_fn(shape, || alive.next().unwrap_or(true)))
    };
    saved.weights.segments().iter().map(mask).collect()
}

/// Which channels have an entry of the taking weight that is not 0; the first, where none has, since a layer without outputs
/// is none.
fn used<S: Scalar>(parameters: &Parameters<S>, channels: &Channels) -> Vec<bool> {
    let lives = live_inputs(&parameters[channels.taken_by].value);
    let mut used: Vec<bool> = lives.chunks(channels.features).map(|features| features.contains(&true)).collect();
    if !used.contains(&true) {
        used.iter_mut().take(1).for_each(|first| *first = true);
    }
    used
}

/// Of each entry of a weight's second axis, whether anything is not 0 there.
fn live_inputs<S: Scalar>(weight: &ArrayD<S>) -> Vec<bool> {
    weight.axis_iter(Axis(1)).map(|input| input.iter().any(|w| *w != S::ZERO)).collect()
}

/// The weights that have inputs which are 0 but do not take channels alone.
fn held<S: Scalar>(parameters: &Parameters<S>, channels: &[Channels]) -> Vec<Narrowed> {
    let takes = |i: usize| channels.iter().any(|channels| channels.taken_by == i);
    let weights =
        parameters.iter().enumerate().filter(|(i, p)| p.role == Role::Weight && p.value.ndim() > 1 && !takes(*i));
    let counted = weights.map(|(_, parameter)| {
        let lives = live_inputs(&parameter.value);
        let after = lives.iter().filter(|lives| **lives).count();
        Narrowed { parameter: parameter.name.clone(), before: lives.len(), after }
    });
    counted.filter(|held| held.after < held.before).collect()
}

/// Leaves of an axis what is kept.
fn keep<T: Clone>(array: &mut ArrayD<T>, axis: Axis, kept: &[bool]) {
    let indices: Vec<usize> = kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(i, _)| i).collect();
    *array = array.select(axis, &indices);
}
