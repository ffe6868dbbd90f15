//! The trace of linear mode connectivity: of every candidate the line between two children.

use super::{Curve, Line};
use crate::error::Result;
use crate::method::options::Length;
use crate::method::{MethodOption, Options, lmc};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorSink, TensorStream};
use crate::train::{Config, step_metadata};
use std::path::Path;

/// The trace on its way: complete at its place, or not there.
pub(super) struct LineTrace(TensorStream);

impl LineTrace {
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn begin(path: &Path) -> Result<Self> {
        Ok(Self(TensorStream::temporary(path)?))
    }

    /// What is seen of candidate `k`; between which two networks, where they are wanted.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn candidate<S: Scalar + Element>(
        &mut self,
        k: usize,
        line: &Line,
        curve: &Curve,
        ends: Option<[&Parameters<S>; 2]>,
    ) -> Result<()> {
        let numbers = |numbers: &[f64]| Tensor::from_slice(&[numbers.len()], numbers);
        self.0.put(&format!("step/{k}/alpha"), &numbers(&curve.alpha))?;
        self.0.put(&format!("step/{k}/loss"), &numbers(&curve.loss))?;
        self.0.put(&format!("step/{k}/error"), &numbers(&curve.error))?;
        self.0.put(&format!("step/{k}/score"), &numbers(&[curve.score()]))?;
        self.0.put(&format!("step/{k}/barrier"), &numbers(&[line.barrier(curve)]))?;
        let Some([one, two]) = ends else { return Ok(()) };
        self.network(&format!("step/{k}/theta_1"), one)?;
        self.network(&format!("step/{k}/theta_2"), two)?;
        for (i, &alpha) in curve.alpha.iter().enumerate() {
            self.network(&format!("step/{k}/theta/{i}"), &line.interpolate(one, two, alpha))?;
        }
        Ok(())
    }

    fn network<S: Scalar + Element>(&mut self, group: &str, parameters: &Parameters<S>) -> Result<()> {
        for parameter in parameters.iter().filter(|parameter| parameter.role.is_trained()) {
            self.0.put(&format!("{group}/{}", parameter.name), &Tensor::from_array(&parameter.value.view()))?;
        }
        Ok(())
    }

    /// With what the candidates come to, where they were compared.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io).
    pub fn finish<S: Scalar>(
        mut self,
        chosen: Option<(usize, Option<usize>)>,
        options: &Options,
        (config, length): (&Config, Length),
    ) -> Result<()> {
        if let Some((k_star, k_stable)) = chosen {
            self.0.put("k_star", &Tensor::scalar(k_star as i64))?;
            self.0.put("k_stable", &Tensor::scalar(k_stable.map_or(-1, |k| k as i64)))?;
        }
        let value = |option: &MethodOption| Some(options.get(option.key)?.in_steps(length));
        self.0.finish(&step_metadata::<S>(&lmc::ENTRY, value, config, None)?)
    }
}
