//! [`TraceFile`]: the tensors of a trace, by the names of parameters.

use crate::error::Result;
use crate::method::Told;
use crate::nn::Parameter;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorSink, TensorStream};
use crate::trace::Kept;
use crate::weights::{WeightSet, Weights};
use ndarray::{ArrayD, ArrayViewD};
use std::ops::Range;

/// A trace that is being written.
pub(super) struct TraceFile {
    pub stream: TensorStream,
    /// W.
    pub weights: WeightSet,
    /// Of all parameters.
    pub names: Vec<String>,
    /// What is kept of their tensors.
    pub kept: Kept,
    /// Of a sample, each parameter's coordinates.
    pub coordinates: Vec<Vec<usize>>,
}

impl TraceFile {
    /// Into a stream, of these parameters.
    pub fn new<S: Scalar>(stream: TensorStream, weights: &Weights<S>, kept: Kept) -> Self {
        let coordinates = coordinates(&kept, weights);
        let names = weights.parameters.iter().map(|p| p.name.clone()).collect();
        Self { stream, weights: weights.set().clone(), names, kept, coordinates }
    }

    /// W_0, and which coordinates the trace keeps.
    pub fn put_beginning<S: Scalar + Element>(&mut self, weights: &Weights<S>) -> Result<()> {
        for (p, parameter) in weights.parameters.iter().enumerate().filter(|(_, p)| p.role.is_trained()) {
            if self.kept.sample.is_some() {
                let list: Vec<i64> = self.coordinates[p].iter().map(|&j| j as i64).collect();
                self.put(format!("sample/{}", parameter.name), &Tensor::from_slice(&[list.len()], &list))?;
            }
            self.put_parameter("init", p, &parameter.value.view())?;
        }
        Ok(())
    }

    /// A parameter's floats, `<name>/<p>`.
    pub fn put_parameter<T: Element>(&mut self, name: &str, p: usize, values: &ArrayViewD<T>) -> Result<()> {
        let (values, coordinates) = (values.as_standard_layout(), self.coordinates.get(p));
        let flat = values.as_slice().unwrap_or_default();
        let tensor = self.kept.floats(values.shape(), flat, coordinates.map(Vec::as_slice).unwrap_or_default());
        self.put(format!("{name}/{}", self.names[p]), &tensor)
    }

    pub fn put(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        self.stream.put(&name, tensor)
    }

    /// One tensor per parameter of W, from an array over W: `<name>/<p>`.
    pub fn put_flat<T: Element>(&mut self, name: &str, shapes: &[Vec<usize>], flat: &[T]) -> Result<()> {
        self.put_segments(name, shapes, |kept, shape, range, coordinates| kept.floats(shape, &flat[range], coordinates))
    }

    /// Flags over W, the same way.
    pub fn put_flags(&mut self, name: &str, shapes: &[Vec<usize>], flags: &[bool]) -> Result<()> {
        self.put_segments(name, shapes, |kept, shape, range, coordinates| kept.flags(shape, &flags[range], coordinates))
    }

    fn put_segments(
        &mut self,
        name: &str,
        shapes: &[Vec<usize>],
        tensor: impl Fn(&Kept, &[usize], Range<usize>, &[usize]) -> Tensor,
    ) -> Result<()> {
        for (segment, shape) in self.weights.segments().to_vec().iter().zip(shapes) {
            let coordinates = self.coordinates.get(segment.parameter).map(Vec::as_slice).unwrap_or_default();
            let tensor = tensor(&self.kept, shape, segment.range.clone(), coordinates);
            self.put(format!("{name}/{}", self.names[segment.parameter]), &tensor)?;
        }
        Ok(())
    }

    /// A quantity of the method.
    pub fn put_told<S: Scalar + Element>(&mut self, name: &str, told: &Told<S>, shapes: &[Vec<usize>]) -> Result<()> {
        match told {
            Told::Count(n) => self.put(name.to_string(), &Tensor::scalar(*n as i64)),
            Told::Real(x) => self.put(name.to_string(), &Tensor::scalar(*x)),
            Told::Number(x) => self.put(name.to_string(), &Tensor::scalar(*x)),
            Told::Numbers(numbers) => self.put(name.to_string(), &Tensor::from_slice(&[numbers.len()], numbers)),
            Told::Counts(counts) => {
                let counts: Vec<i64> = counts.iter().map(|&n| n as i64).collect();
                self.put(name.to_string(), &Tensor::from_slice(&[counts.len()], &counts))
            }
            Told::FlagList(flags) => self.put_flag_list(name.to_string(), flags),
            Told::Arrays(arrays) => {
                let put = |(of, array): &(String, ArrayD<S>)| {
                    self.put(format!("{name}/{of}"), &Tensor::from_array(&array.view()))
                };
                arrays.iter().try_for_each(put)
            }
            Told::FlagLists(lists) => {
                lists.iter().try_for_each(|(of, flags)| self.put_flag_list(format!("{name}/{of}"), flags))
            }
            // Metrics alone have names.
            Told::Name(_) => Ok(()),
            Told::PerWeight(values) => self.put_flat(name, shapes, values),
            Told::Flags(flags) => self.put_flags(name, shapes, flags),
        }
    }

    fn put_flag_list(&mut self, name: String, flags: &[bool]) -> Result<()> {
        let bytes: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
        self.put(name, &Tensor::from_slice(&[bytes.len()], &bytes))
    }
}

/// The coordinates of a sample that are kept of each parameter; of a parameter that is not trained, none.
pub(super) fn coordinates<S: Scalar>(kept: &Kept, weights: &Weights<S>) -> Vec<Vec<usize>> {
    let Some(sample) = kept.sample else { return Vec::new() };
    let of = |p: &Parameter<S>| match p.role.is_trained() {
        true => sample.coordinates(&p.name, p.value.len()),
        false => Vec::new(),
    };
    weights.parameters.iter().map(of).collect()
}
