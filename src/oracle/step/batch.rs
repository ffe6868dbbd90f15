//! [`Task`]: the network and the data that a trace's header names, and its batches.

use super::rounding::{OWN_ROUNDOFF, Rounding, gamma, up};
use super::{Balls, Refusal};
use crate::data::{self, Dataset, Source};
use crate::nn::{Network, models};
use crate::trace::Arithmetic;
use ndarray::ArrayD;

/// What a port trained, and on which samples.
#[derive(Debug)]
pub struct Task {
    pub network: Network,
    dataset: Dataset,
}

impl Task {
    /// The header's `model` and `dataset`. Only the digits are part of the program.
    ///
    /// # Errors
    /// The reason why the inputs of a batch, or what is done with them, cannot be known.
    pub fn find(model: Option<&str>, dataset: Option<&str>) -> Result<Self, Refusal> {
        let model = model.ok_or(Refusal::Unnamed { what: "model" })?;
        let name = dataset.ok_or(Refusal::Unnamed { what: "dataset" })?;
        let unknown = |what, name: &str| Refusal::Unknown { what, name: name.to_string() };
        let entry = models::find(model).map_err(|_| unknown("model", model))?;
        if name != Source::Digits.name() {
            return Err(unknown("dataset", name));
        }
        let dataset = data::load(Source::Digits, None)?;
        if dataset.augmentation.is_some() {
            return Err(Refusal::Augmented { dataset: name.to_string() });
        }
        let network = entry.network(dataset.train.shape, dataset.classes.len())?;
        Ok(Self { network, dataset })
    }

    /// The inputs `[n,c,h,w]` and labels `[n]` of the samples at `indices`, which are positions in the training split.
    ///
    /// A port may normalise a pixel v as `(v / scale - mean) / std` or as `a v + b`, with constants rounded to its own
    /// precision: a constant has at most three roundings, and four operations follow, so either way it is within
    /// `gamma_8(u) (v / scale + |mean|) / std`.
    ///
    /// # Errors
    /// [`Refusal::Index`].
    pub fn batch(&self, indices: &[i64], arithmetic: &Arithmetic) -> Result<(Balls, Vec<usize>), Refusal> {
        let images = &self.dataset.train;
        let position = |&index: &i64| {
            let found = usize::try_from(index).ok().filter(|&i| i < images.len());
            found.ok_or(Refusal::Index { index, len: images.len() })
        };
        let positions: Vec<usize> = indices.iter().map(position).collect::<Result<_, _>>()?;
        let normalisation = &self.dataset.normalisation;
        let bound = gamma(8.0, Rounding::of(arithmetic).stored) + gamma(8.0, OWN_ROUNDOFF);
        let [c, h, w] = images.shape;
        let mut centre = ArrayD::zeros(vec![positions.len(), c, h, w]);
        let mut radius = centre.clone();
        for ((mut x, mut r), &i) in centre.outer_iter_mut().zip(radius.outer_iter_mut()).zip(&positions) {
            let pixels = images.image(i).iter().enumerate();
            for ((x, r), (at, &pixel)) in x.iter_mut().zip(r.iter_mut()).zip(pixels) {
                let (mean, std) = (normalisation.mean[at / (h * w)], normalisation.std[at / (h * w)]);
                let scaled = f64::from(pixel) / normalisation.scale;
                *x = (scaled - mean) / std;
                *r = up(bound * (scaled + mean.abs()) / std);
            }
        }
        let labels = positions.iter().map(|&i| usize::from(images.labels[i])).collect();
        Ok((Balls::new(centre, radius)?, labels))
    }
}
