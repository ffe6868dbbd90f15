//! [`TraceFile`]: the tensors of a trace, by the names of parameters.

use crate::error::Result;
use crate::method::Told;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor, TensorSink, TensorStream};
use crate::weights::WeightSet;
use ndarray::ArrayD;

/// A trace that is being written.
pub(super) struct TraceFile {
    pub stream: TensorStream,
    /// W.
    pub weights: WeightSet,
    /// Of all parameters.
    pub names: Vec<String>,
}

impl TraceFile {
    pub fn put(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        self.stream.put(&name, tensor)
    }

    /// One tensor per parameter of W, from an array over W: `<name>/<p>`.
    pub fn put_flat<T: Element>(&mut self, name: &str, shapes: &[Vec<usize>], flat: &[T]) -> Result<()> {
        for (segment, shape) in self.weights.segments().to_vec().iter().zip(shapes) {
            let name = format!("{name}/{}", self.names[segment.parameter]);
            self.put(name, &Tensor::from_slice(shape, &flat[segment.range.clone()]))?;
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

    /// Flags over W.
    pub fn put_flags(&mut self, name: &str, shapes: &[Vec<usize>], flags: &[bool]) -> Result<()> {
        let bytes: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
        self.put_flat(name, shapes, &bytes)
    }
}
