//! Writing traces (format `gdstar-trace/1`): what a run did, epoch by epoch, in the paper's own quantities.
//!
//! A trace can be larger than memory: it is a [`TensorStream`], which a resumed run cuts back to where its checkpoint
//! was.

use super::trace_header::header;
use super::{BatchEvent, EpochEvent, Observer, TraceSize};
use crate::error::Result;
use crate::method::{Quantity, Told};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, StreamExtent, Tensor, TensorSink, TensorStream};
use crate::train::{Run, State};
use crate::weights::WeightSet;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

/// Writes one trace file.
pub struct TraceWriter<S> {
    number: PhantomData<S>,
    stream: TensorStream,
    /// The stream's extent at the end of the last epoch, for the checkpoint.
    written: Rc<Cell<StreamExtent>>,
    header: Map<String, Value>,
    /// Whether every batch's gradients are recorded.
    gradients: bool,
    quantities: &'static [&'static Quantity],
    weights: WeightSet,
    names: Vec<String>,
}

impl<S: Scalar + Element> TraceWriter<S> {
    /// Records a run in `state`, from its beginning or from where `stream` was when that state was saved.
    ///
    /// # Errors
    /// As [`check_traceable`](super::check_traceable); [`Error::Io`](crate::Error::Io).
    pub fn new(stream: TensorStream, run: &Run, state: &State<S>) -> Result<Self> {
        let names: Vec<String> = state.weights.parameters.iter().map(|p| p.name.clone()).collect();
        let weights = state.weights.set().clone();
        let header = header(run.config, state)?;
        let extent = stream.extent();
        let mut writer = Self {
            number: PhantomData,
            stream,
            written: Rc::new(Cell::new(extent)),
            header,
            gradients: run.config.outputs.trace_gradients,
            quantities: run.config.method.entry().quantities,
            weights,
            names,
        };
        if extent.tensors == 0 {
            for parameter in state.weights.parameters.iter().filter(|p| p.role.is_trained()) {
                writer.put(format!("init/{}", parameter.name), &Tensor::from_array(&parameter.value.view()))?;
            }
        }
        Ok(writer)
    }

    /// What the trace of the whole run will take.
    ///
    /// # Errors
    /// As [`TraceWriter::new`].
    pub fn size(&self, run: &Run, state: &State<S>) -> Result<TraceSize> {
        Ok(TraceSize { is_copied: self.stream.extent().room == 0, ..TraceSize::of(run, state)? })
    }

    /// How much is safely written, shared with the checkpoint's writer.
    pub fn written(&self) -> Rc<Cell<StreamExtent>> {
        Rc::clone(&self.written)
    }

    fn put(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        self.stream.put(&name, tensor)
    }

    /// One tensor per parameter of W, from an array over W.
    fn put_flat<T: Element>(&mut self, epoch: usize, quantity: &str, shapes: &[Vec<usize>], flat: &[T]) -> Result<()> {
        for (segment, shape) in self.weights.segments().to_vec().iter().zip(shapes) {
            let name = format!("epoch/{epoch}/{quantity}/{}", self.names[segment.parameter]);
            self.put(name, &Tensor::from_slice(shape, &flat[segment.range.clone()]))?;
        }
        Ok(())
    }

    /// A quantity of the method.
    fn put_told(&mut self, epoch: usize, quantity: &str, told: &Told<S>, shapes: &[Vec<usize>]) -> Result<()> {
        let name = || format!("epoch/{epoch}/{quantity}");
        match told {
            Told::Count(n) => self.put(name(), &Tensor::scalar(*n as i64)),
            Told::Real(x) => self.put(name(), &Tensor::scalar(*x)),
            Told::Number(x) => self.put(name(), &Tensor::scalar(*x)),
            Told::Numbers(numbers) => self.put(name(), &Tensor::from_slice(&[numbers.len()], numbers)),
            Told::PerWeight(values) => self.put_flat(epoch, quantity, shapes, values),
            Told::Flags(flags) => {
                let bytes: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
                self.put_flat(epoch, quantity, shapes, &bytes)
            }
        }
    }
}

impl<S: Scalar + Element> Observer<S> for TraceWriter<S> {
    fn wants_tensors(&self) -> bool {
        true
    }

    /// The format takes the gradients of eliminated weights raw or masked; raw ones say more, and are the same under
    /// either [`Execution`](crate::train::Execution).
    fn wants_gradients(&self) -> bool {
        self.gradients
    }

    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        if !self.gradients {
            return Ok(());
        }
        let batch = format!("epoch/{}/batch/{}", event.epoch, event.batch);
        let indices: Vec<i64> = event.indices.iter().map(|&i| i as i64).collect();
        self.put(format!("{batch}/indices"), &Tensor::from_slice(&[indices.len()], &indices))?;
        self.put(format!("{batch}/loss"), &Tensor::scalar(event.loss))?;
        for (i, parameter) in event.gradients.parameters.iter().enumerate() {
            if let Some(gradient) = event.gradients.of(i) {
                self.put(format!("{batch}/grad/{}", parameter.name), &Tensor::from_array(&gradient.view()))?;
            }
        }
        Ok(())
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let k = event.record.epoch;
        let parameters = &event.state.weights.parameters;
        let shapes: Vec<Vec<usize>> = event.state.weights.shapes().into_iter().map(<[usize]>::to_vec).collect();
        for parameter in event.weights_before.into_iter().flat_map(|before| before.iter()) {
            if parameter.role.is_trained() {
                let name = format!("epoch/{k}/weights_before/{}", parameter.name);
                self.put(name, &Tensor::from_array(&parameter.value.view()))?;
            }
        }
        for quantity in self.quantities {
            if let (Some(tensor), Some(told)) = (quantity.tensor, event.story.get(quantity)) {
                self.put_told(k, tensor, told, &shapes)?;
            }
        }
        for parameter in parameters.iter().filter(|p| p.role.is_trained()) {
            let name = format!("epoch/{k}/weights_after/{}", parameter.name);
            self.put(name, &Tensor::from_array(&parameter.value.view()))?;
        }
        self.written.set(self.stream.sync()?);
        Ok(())
    }

    fn on_end(&mut self) -> Result<()> {
        self.stream.finish(&self.header)
    }
}
