//! A lottery's trace: of every level what it began with, and what it made of it.

use super::Pruned;
use crate::error::Result;
use crate::method::options::Length;
use crate::method::{MethodOption, Options, lth};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorSink, TensorStream};
use crate::train::{Config, step_metadata};
use crate::weights::Weights;
use std::path::Path;

/// The trace on its way: complete at its place, or not there.
pub(super) struct LotteryTrace<S: Scalar> {
    stream: TensorStream,
    /// W_k.
    rewind: Weights<S>,
}

impl<S: Scalar + Element> LotteryTrace<S> {
    /// Begins with `rewind/<p>`.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn begin(path: &Path, rewind: Weights<S>) -> Result<Self> {
        let mut trace = Self { stream: TensorStream::temporary(path)?, rewind };
        let rewind = trace.rewind.parameters.clone();
        trace.put_trained("rewind", &rewind)?;
        Ok(trace)
    }

    /// Level `t`: the end of level t - 1, what lived there, and what is kept of it.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn level(&mut self, t: usize, before: &Parameters<S>, alive: &[bool], pruned: &Pruned<S>) -> Result<()> {
        let flags = |mask: &[bool]| -> Vec<u8> { mask.iter().map(|&alive| alive.into()).collect() };
        self.put_trained(&format!("step/{t}/weights_before"), before)?;
        self.put_flat(&format!("step/{t}/mask_before"), &flags(alive))?;
        let keep: Vec<i64> = pruned.keep.iter().map(|&k| k as i64).collect();
        self.stream.put(&format!("step/{t}/keep"), &Tensor::from_slice(&[keep.len()], &keep))?;
        self.put_flat(&format!("step/{t}/score"), &pruned.score)?;
        self.put_flat(&format!("step/{t}/mask"), &flags(&pruned.mask))?;
        let mut after = self.rewind.clone();
        after.hold(&pruned.mask);
        self.put_trained(&format!("step/{t}/weights_after"), &after.parameters)?;
        after.parameters.iter_mut().for_each(|parameter| parameter.value.fill(S::ZERO));
        self.put_trained(&format!("step/{t}/momentum"), &after.parameters)
    }

    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn finish(mut self, options: &Options, (config, length): (&Config, Length)) -> Result<()> {
        let value = |option: &MethodOption| Some(options.get(option.key)?.in_steps(length));
        self.stream.finish(&step_metadata(&lth::ENTRY, value, config, Some((&self.rewind, &[])))?)
    }

    fn put_trained(&mut self, group: &str, parameters: &Parameters<S>) -> Result<()> {
        for parameter in parameters.iter().filter(|parameter| parameter.role.is_trained()) {
            self.stream.put(&format!("{group}/{}", parameter.name), &Tensor::from_array(&parameter.value.view()))?;
        }
        Ok(())
    }

    /// One tensor a parameter of W.
    fn put_flat<T: Element>(&mut self, group: &str, flat: &[T]) -> Result<()> {
        for segment in self.rewind.set().segments() {
            let parameter = &self.rewind.parameters[segment.parameter];
            let tensor = Tensor::from_slice(parameter.value.shape(), &flat[segment.range.clone()]);
            self.stream.put(&format!("{group}/{}", parameter.name), &tensor)?;
        }
        Ok(())
    }
}
