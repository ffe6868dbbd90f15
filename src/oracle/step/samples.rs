//! [`Samples`]: a network and one batch for it.

use super::{Balls, Comparison, Recorded, Refusal, Task, enclose};
use crate::kernel::Targets;
use crate::nn::{Network, models};
use crate::trace::Arithmetic;
use ndarray::{ArrayD, IxDyn};

/// A network, and the inputs and labels of one batch.
#[derive(Debug)]
pub struct Samples {
    pub network: Network,
    /// `[n,c,h,w]`.
    x: Balls,
    labels: Vec<usize>,
}

impl Task {
    /// The samples at `indices`, as [`Task::batch`] has them.
    ///
    /// # Errors
    /// [`Refusal::Index`].
    pub fn samples(&self, indices: &[i64], arithmetic: &Arithmetic) -> Result<Samples, Refusal> {
        let (x, labels) = self.batch(indices, arithmetic)?;
        Ok(Samples { network: self.network.clone(), x, labels })
    }

    /// Checks one batch of the samples at `indices`, of which `weights` gives the parameters at its start by name.
    ///
    /// # Errors
    /// The reason why nothing can be said.
    pub fn check(
        &self,
        weights: impl Fn(&str) -> Option<Balls>,
        indices: &[i64],
        recorded: &Recorded,
        arithmetic: &Arithmetic,
    ) -> Result<Comparison, Refusal> {
        self.samples(indices, arithmetic)?.check(weights, recorded, arithmetic)
    }
}

impl Samples {
    /// A batch that a trace itself holds: `input` `[n,c,h,w]` or `[n,inputs]`, exactly what the port trained on, and its
    /// `labels` `[n]`. `extent` gives the first extent of a parameter, of which the last tells the number of classes.
    ///
    /// # Errors
    /// The reason why no network takes it.
    pub fn recorded(
        model: Option<&str>,
        input: ArrayD<f64>,
        labels: &[i64],
        extent: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<Self, Refusal> {
        let model = model.ok_or(Refusal::Unnamed { what: "model" })?;
        let unknown = || Refusal::Unknown { what: "model", name: model.to_string() };
        let entry = models::find(model).map_err(|_| unknown())?;
        let image = match *input.shape() {
            [_, c, h, w] => [c, h, w],
            [_, inputs] => [1, 1, inputs],
            _ => return Err(Refusal::Unnamed { what: "input of shape [n, c, h, w] or [n, inputs]" }),
        };
        let named = entry.network(image, entry.classes)?;
        let last = named.specs().pop().ok_or_else(unknown)?.name;
        let classes = extent(&last).ok_or(Refusal::Missing { name: last })?;
        let label = |&label: &i64| {
            let found = usize::try_from(label).ok().filter(|&label| label < classes);
            found.ok_or(Refusal::Label { label, classes })
        };
        let labels = labels.iter().map(label).collect::<Result<_, _>>()?;
        let shape = [&[input.shape()[0]], &image[..]].concat();
        let x = input.into_shape_with_order(IxDyn(&shape)).map_err(|_| unknown())?;
        Ok(Self { network: entry.network(image, classes)?, x: Balls::exact(x), labels })
    }

    /// Checks the batch, of which `weights` gives the parameters at its start by name.
    ///
    /// # Errors
    /// The reason why nothing can be said.
    pub fn check(
        self,
        weights: impl Fn(&str) -> Option<Balls>,
        recorded: &Recorded,
        arithmetic: &Arithmetic,
    ) -> Result<Comparison, Refusal> {
        let named = |name: String| weights(&name).ok_or(Refusal::Missing { name });
        let weights = self.network.specs().into_iter().map(|spec| named(spec.name)).collect::<Result<_, _>>()?;
        let targets = Targets { labels: &self.labels, smoothing: recorded.label_smoothing };
        enclose(&self.network, weights, self.x, targets, arithmetic)?.compare(recorded)
    }
}
