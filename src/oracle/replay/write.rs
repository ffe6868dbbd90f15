//! What a replay writes of an epoch.

use super::chain::{Replay, known};
use crate::error::Result;
use crate::paper::selection::Selection;
use crate::tensor_file::{Element, Tensor};
use crate::trace::names::of_parameter;
use ndarray::ArrayD;

impl Replay<'_> {
    /// What is only passed on.
    pub(super) fn copy_batches(&mut self, k: usize) -> Result<()> {
        for i in 0..self.trace.batches(k) {
            let (indices, loss) = (format!("epoch/{k}/batch/{i}/indices"), format!("epoch/{k}/batch/{i}/loss"));
            if let Some(values) = self.trace.integers(&indices)? {
                self.sink.put(&indices, &Tensor::from_slice(&[values.len()], &values))?;
            }
            if let Some(values) = self.trace.floats(&loss)? {
                self.sink.put(&loss, &Tensor::from_slice(&[1], &values))?;
            }
        }
        Ok(())
    }

    pub(super) fn copy_draw(&mut self, k: usize) -> Result<()> {
        let draw = self.draw(k)?;
        draw.map_or(Ok(()), |draw| self.put_scalar(k, "draw", draw))
    }

    /// Writes the weights before and after and W_k*, and goes on with those after.
    pub(super) fn put_weights(&mut self, k: usize, before: &[ArrayD<f64>], after: &[ArrayD<f64>]) -> Result<()> {
        let rewind = self.rewind.weights().unwrap_or(before).to_vec();
        for (i, (p, parameter)) in known(self.trace, &self.plan).into_iter().enumerate() {
            let all = [("weights_before", &before[i]), ("rewind", &rewind[i]), ("weights_after", &after[i])];
            for (quantity, values) in all {
                self.sink.put(&of_parameter(k, quantity, parameter), &Tensor::from_array(&values.view()))?;
            }
            self.weights[p] = Some(after[i].iter().copied().collect());
        }
        Ok(())
    }

    pub(super) fn put_selection(&mut self, k: usize, selection: &Selection<f64>) -> Result<()> {
        let quantiles = Tensor::from_slice(&[selection.chunk_quantiles.len()], &selection.chunk_quantiles);
        self.sink.put(&format!("epoch/{k}/chunk_quantiles"), &quantiles)?;
        self.put_scalar(k, "tau", selection.tau)?;
        self.put_flags(k, "selected", &selection.selected)
    }

    pub(super) fn put_scalar<T: Element>(&mut self, k: usize, quantity: &str, value: T) -> Result<()> {
        self.sink.put(&format!("epoch/{k}/{quantity}"), &Tensor::scalar(value))
    }

    /// One tensor for each parameter of W, from an array over W.
    pub(super) fn put_flat<T: Element>(&mut self, k: usize, quantity: &str, flat: &[T]) -> Result<()> {
        for parameter in self.trace.prunable() {
            let values = Tensor::from_slice(&parameter.shape, &flat[parameter.range.clone()]);
            self.sink.put(&of_parameter(k, quantity, parameter), &values)?;
        }
        Ok(())
    }

    pub(super) fn put_flags(&mut self, k: usize, quantity: &str, flags: &[bool]) -> Result<()> {
        let bytes: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
        self.put_flat(k, quantity, &bytes)
    }
}
