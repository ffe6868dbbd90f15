//! Writing traces (format `gdstar-trace/1`): what a run did, epoch by epoch, in the paper's own quantities.
//!
//! A trace can be larger than memory: it is a [`TensorStream`], which a resumed run cuts back to where its checkpoint
//! was.

use super::trace_file::TraceFile;
use super::trace_header::{header, kept};
use super::{BatchEvent, EpochEvent, Observer, StepEvent, TraceSize, step_trace};
use crate::error::Result;
use crate::method::{Entry, Story};
use crate::output;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, StreamExtent, Tensor, TensorStream};
use crate::train::{Outputs, Run, State};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

/// Writes one trace file.
pub struct TraceWriter<S> {
    number: PhantomData<S>,
    file: TraceFile,
    /// The stream's extent at the end of the last epoch, for the checkpoint.
    written: Rc<Cell<StreamExtent>>,
    header: Map<String, Value>,
    /// What is recorded.
    outputs: Outputs,
    method: &'static Entry,
}

impl<S: Scalar + Element> TraceWriter<S> {
    /// Records a run in `state`, from its beginning or from where `stream` was when that state was saved.
    ///
    /// # Errors
    /// As [`check_traceable`](super::check_traceable); [`Error::Io`](crate::Error::Io).
    pub fn new(stream: TensorStream, run: &Run, state: &State<S>) -> Result<Self> {
        let header = header(run, state)?;
        let extent = stream.extent();
        let mut writer = Self {
            number: PhantomData,
            file: TraceFile::new(stream, &state.weights, kept(run.config, state)),
            written: Rc::new(Cell::new(extent)),
            header,
            outputs: run.config.outputs.clone(),
            method: run.config.method.entry(),
        };
        if extent.tensors == 0 && !writer.method.tells_itself {
            writer.file.put_beginning(&state.weights)?;
        }
        Ok(writer)
    }

    /// What the trace of the whole run will take.
    ///
    /// # Errors
    /// As [`TraceWriter::new`].
    pub fn size(&self, run: &Run, state: &State<S>) -> Result<TraceSize> {
        let (size, extent) = (TraceSize::of(run, state)?, self.file.stream.extent());
        let is_copied = extent.room == 0;
        let copy = if is_copied { size.whole() } else { 0 };
        let to_come = size.whole().saturating_sub(extent.bytes).saturating_add(copy);
        let missing = output::free_bytes(self.file.stream.path()).map_or(0, |free| to_come.saturating_sub(free));
        Ok(TraceSize { is_copied, missing, ..size })
    }

    /// How much is safely written, shared with the checkpoint's writer.
    pub fn written(&self) -> Rc<Cell<StreamExtent>> {
        Rc::clone(&self.written)
    }
}

impl<S: Scalar + Element> Observer<S> for TraceWriter<S> {
    fn wants_tensors(&self) -> bool {
        self.method.is_traced
    }

    fn wants_step(&self, t: usize, is_update: bool) -> bool {
        self.method.records_steps && self.outputs.trace_steps.has(t, is_update)
    }

    fn on_begin(&mut self, event: &StepEvent<S>) -> Result<()> {
        step_trace::put_beginning(&mut self.file, self.method, event)
    }

    fn on_step(&mut self, event: &StepEvent<S>) -> Result<()> {
        match (self.method.acts_once(), self.method.tells_itself) {
            (true, _) => Ok(()),
            (_, true) => self.on_told(event.t, event.story),
            _ => step_trace::put_step(&mut self.file, self.method, event),
        }
    }

    fn on_told(&mut self, t: usize, story: &Story<S>) -> Result<()> {
        step_trace::put_story(&mut self.file, self.method, &format!("step/{t}/"), story, &[])
    }

    /// The format takes the gradients of eliminated weights raw or masked; raw ones say more, and are the same under
    /// either [`Execution`](crate::train::Execution).
    fn wants_gradients(&self) -> bool {
        self.outputs.trace_gradients
    }

    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        if !self.outputs.has_gradients(event.epoch) {
            return Ok(());
        }
        let batch = format!("epoch/{}/batch/{}", event.epoch, event.batch);
        let indices: Vec<i64> = event.indices.iter().map(|&i| i as i64).collect();
        self.file.put(format!("{batch}/indices"), &Tensor::from_slice(&[indices.len()], &indices))?;
        self.file.put(format!("{batch}/loss"), &Tensor::scalar(event.loss))?;
        for i in 0..event.gradients.parameters.len() {
            if let Some(gradient) = event.gradients.of(i) {
                self.file.put_parameter(&format!("{batch}/grad"), i, &gradient.view())?;
            }
        }
        Ok(())
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        if self.method.records_steps {
            if self.method.tells_itself {
                step_trace::put_story(&mut self.file, self.method, "", event.story, &[])?;
            }
            self.written.set(self.file.stream.sync()?);
            return Ok(());
        }
        let k = event.record.epoch;
        let parameters = &event.state.weights.parameters;
        let shapes: Vec<Vec<usize>> = event.state.weights.shapes().into_iter().map(<[usize]>::to_vec).collect();
        if let Some(before) = event.weights_before {
            for (p, parameter) in before.iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
                self.file.put_parameter(&format!("epoch/{k}/weights_before"), p, &parameter.value.view())?;
            }
        }
        for quantity in self.method.quantities {
            if let (Some(tensor), Some(told)) = (quantity.tensor, event.story.get(quantity)) {
                self.file.put_told(&format!("epoch/{k}/{tensor}"), told, &shapes)?;
            }
        }
        for (p, parameter) in parameters.iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
            self.file.put_parameter(&format!("epoch/{k}/weights_after"), p, &parameter.value.view())?;
        }
        self.written.set(self.file.stream.sync()?);
        Ok(())
    }

    fn on_end(&mut self) -> Result<()> {
        self.file.stream.finish(&self.header)
    }
}
