//! [`Channels`]: what one layer makes and one other layer alone takes, so that a network without it is a smaller network; and
//! a network of other widths.

use super::Network;
use super::layer::{Layer, descend};
use crate::error::{Error, Result};

/// The channels between two linear or convolution layers, if nothing else takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels {
    /// How many.
    pub count: usize,
    /// The parameters that have an entry of their first axis for each channel: the weight that makes it with its bias, and
    /// those of batch norms and depthwise convolutions behind it.
    pub made_by: Vec<usize>,
    /// The weight that takes them, `features` consecutive entries of its second axis a channel (the pixels that flattening
    /// makes of it).
    pub taken_by: usize,
    pub features: usize,
}

/// Channels whose taker is not found yet.
struct Open {
    count: usize,
    made_by: Vec<usize>,
}

/// A walk through the layers, in the order of the parameters.
#[derive(Default)]
struct Walk {
    parameter: usize,
    open: Option<Open>,
    found: Vec<Channels>,
}

impl Walk {
    /// The next `count` parameters.
    fn pass(&mut self, count: usize) -> std::ops::Range<usize> {
        self.parameter += count;
        self.parameter - count..self.parameter
    }

    /// Layers that change channels one by one leave them as they are, but for the parameters that they have of each.
    fn through(&mut self, count: usize) {
        let parameters = self.pass(count);
        self.open.iter_mut().for_each(|open| open.made_by.extend(parameters.clone()));
    }

    /// A layer that takes all channels and makes others.
    fn mix(&mut self, inputs: usize, outputs: usize, count: usize) {
        let parameters = self.pass(count);
        let fits = |open: &Open| inputs.is_multiple_of(open.count);
        if let Some(Open { count, made_by }) = self.open.take().filter(fits) {
            self.found.push(Channels { count, made_by, taken_by: parameters.start, features: inputs / count });
        }
        self.open = Some(Open { count: outputs, made_by: parameters.collect() });
    }

    fn walk(&mut self, layer: &Layer) {
        let parameters = layer.own_parameters();
        match layer {
            Layer::Linear { inputs, outputs } => self.mix(*inputs, *outputs, parameters),
            Layer::Conv2d { inputs, outputs, window, .. } if window.groups == 1 => {
                self.mix(*inputs, *outputs, parameters)
            }
            Layer::Conv2d { inputs, outputs, window, .. } if [*inputs, *outputs] == [window.groups; 2] => {
                self.through(parameters);
            }
            Layer::Sequence(layers) => layers.iter().for_each(|(_, layer)| self.walk(layer)),
            Layer::BatchNorm { .. }
            | Layer::Relu
            | Layer::Silu
            | Layer::Sigmoid
            | Layer::MaxPool { .. }
            | Layer::AvgPool { .. }
            | Layer::GlobalAveragePool
            | Layer::Flatten
            | Layer::Dropout { .. }
            | Layer::StochasticDepth { .. }
            | Layer::Identity => self.through(parameters),
            // What goes into branches, and what comes of them, others take too.
            Layer::Branches { branches, .. } => {
                for (_, branch) in branches {
                    self.open = None;
                    self.walk(branch);
                }
                self.open = None;
            }
            Layer::Conv2d { .. } | Layer::ZeroPaddedShortcut { .. } | Layer::ChannelShuffle { .. } => {
                self.pass(parameters);
                self.open = None;
            }
        }
    }
}

impl Network {
    /// The channels that one layer makes and one other alone takes, in the order of the takers.
    pub fn channels(&self) -> Vec<Channels> {
        let mut walk = Walk::default();
        walk.walk(&self.layer);
        walk.found
    }

    /// The network with layers as wide as the parameters of these shapes are; `shape` is asked by name.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the parameter whose shape is not of its layer's kind, or if layers do not fit each other then.
    pub fn of_widths(&self, shape: &dyn Fn(&str) -> Option<Vec<usize>>) -> Result<Self> {
        let mut layer = self.layer.clone();
        widen(&mut layer, &mut String::new(), shape)?;
        let network = Self { layer, ..self.clone() };
        let unfit = |error| Error::domain("widths", format!("those of a {}", self.name), error);
        // Two samples, so that batch norm has something to average even where one pixel is left.
        network.summary::<f32>(2).map_err(unfit)?;
        Ok(network)
    }
}

/// Gives a layer and those within the extents of their parameters.
fn widen(layer: &mut Layer, path: &mut String, shape: &dyn Fn(&str) -> Option<Vec<usize>>) -> Result<()> {
    let outside = descend(path, "weight");
    let own = shape(path);
    let unfit = |expected: &str| Error::domain(format!("the shape of `{path}`"), expected, format!("{own:?}"));
    if own.as_ref().is_some_and(|shape| shape.contains(&0)) {
        return Err(unfit("at least 1 of each extent"));
    }
    match (&mut *layer, own.as_deref()) {
        (Layer::Linear { inputs, outputs }, Some(&[o, i])) => (*inputs, *outputs) = (i, o),
        (Layer::Linear { .. }, _) => return Err(unfit("shape [out, in]")),
        (Layer::Conv2d { inputs, outputs, window, .. }, Some(&[o, _, _, _]))
            if [*inputs, *outputs] == [window.groups; 2] =>
        {
            (*inputs, *outputs, window.groups) = (o, o, o);
        }
        (Layer::Conv2d { inputs, outputs, window, .. }, Some(&[o, i, _, _])) => {
            (*inputs, *outputs) = (i.saturating_mul(window.groups), o);
        }
        (Layer::Conv2d { .. }, _) => return Err(unfit("shape [out, in, height, width]")),
        (Layer::BatchNorm { channels, .. }, Some(&[c])) => *channels = c,
        (Layer::BatchNorm { .. }, _) => return Err(unfit("shape [channels]")),
        _ => {}
    }
    path.truncate(outside);
    for (name, child) in layer.children_mut() {
        let outside = descend(path, name);
        widen(child, path, shape)?;
        path.truncate(outside);
    }
    Ok(())
}
