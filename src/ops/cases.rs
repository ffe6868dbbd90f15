//! Op-case files: single ops evaluated from a file, forward and backward, for porters who validate one kernel at a
//! time. `gdstar op` is the command; the golden files of the ops are such files too.
//!
//! The metadata key [`KEY`] holds a JSON object: `{"format": "gdstar-ops/1", "op": NAME, "cases": [{"name", "attrs",
//! "inputs", "upstream", "diff", "outputs"}, ..]}`. `inputs` and `outputs` name tensors in the op's order, `upstream`
//! the outputs with an upstream gradient, `diff` the inputs whose gradient is wanted.
//!
//! | tensor | meaning |
//! |---|---|
//! | `<case>/in/<input>` | F32 or F64, converted to the precision; `labels` and `mask` integers of any type |
//! | `<case>/dy/<output>` | upstream gradient |
//! | `<case>/out/<output>` | written |
//! | `<case>/grad/<input>` | written: the gradient of `sum(dy * out)` |
//!
//! A single number (the loss) may have shape `[]` or `[1]`; it is written in the shape of its upstream gradient.

mod read;

pub(crate) use read::{check_names, is_integer, positions};

use super::{AnyOp, OPS, find};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::op::{Evaluation, List, Shape};
use crate::output;
use crate::scalar::{DoubleDouble, Scalar};
use crate::tensor_file::{self, Tensor, TensorFile};
use ndarray::{ArrayD, ArrayViewD};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The key of the file's metadata that describes the cases.
pub const KEY: &str = "gdstar-ops";
/// The format's name and version.
pub const FORMAT: &str = "gdstar-ops/1";

choice! {
    /// The number system that cases are evaluated in.
    Precision, "precision":
    /// Inputs widened to f64; results are written as F64.
    F64 = "f64",
    /// Inputs rounded to f32; results are written as F32.
    F32 = "f32",
    /// DoubleDouble, about 31 digits; results are rounded once and written as F64.
    DoubleDouble = "dd",
}

/// An op-case file in memory, every case checked: names, attributes, dtypes and shapes fit the op.
pub struct CaseFile {
    file: TensorFile,
    header: Value,
    /// In the file's order.
    pub cases: Vec<OpCase>,
}

/// One case, ready to be evaluated. Floats are held in f64, which is exact for F32 tensors.
#[derive(Debug, Clone)]
pub struct OpCase {
    pub name: String,
    pub op: AnyOp,
    /// The floating-point inputs by name, in the op's order; labels and masks are part of `op`.
    pub inputs: Vec<(String, ArrayD<f64>)>,
    /// The names of the outputs that are wanted: the op's first ones, in its order.
    pub outputs: Vec<String>,
    /// One upstream gradient per output of the op; `None` stands for zeros.
    pub upstream: Vec<Option<ArrayD<f64>>>,
    /// Whether the gradient of each of `inputs` is wanted.
    pub wanted: Vec<bool>,
    /// Shapes of the wanted outputs in files.
    out_shapes: List<Shape>,
}

/// What [`evaluate_file`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Results alone.
    Results,
    /// A record that the oracle judges: what was given too, as it was rounded to the precision.
    Record,
}

/// Evaluates every case of the file `input` and writes all results to the file `output`, atomically.
///
/// # Errors
/// Those of [`CaseFile::open`]; [`Error::File`] naming the case if an input is not differentiable;
/// those of [`output::check`]; what a GPU cannot do; [`Error::Io`] if it cannot be written.
pub fn evaluate_file(
    input: &Path,
    output: &Path,
    precision: Precision,
    kernel: Kernel,
    written: Written,
) -> Result<()> {
    output::check("--out", output, &[input])?;
    if kernel.is_on_device() && precision == Precision::DoubleDouble {
        return Err(Error::domain("--precision with --kernel cuda", "f64 | f32", precision));
    }
    kernel.open()?;
    let cases = CaseFile::open(input)?;
    let tensors = match precision {
        Precision::F32 => cases.tensors::<f32>(kernel, written, |y| Tensor::from_array(&y.view())),
        Precision::F64 => cases.tensors::<f64>(kernel, written, |y| Tensor::from_array(&y.view())),
        Precision::DoubleDouble => {
            cases.tensors::<DoubleDouble>(kernel, written, |y| Tensor::from_array(&y.mapv(Scalar::to_f64).view()))
        }
    }?;
    let mut header = cases.header;
    header["precision"] = json!(precision);
    header["kernel"] = json!(kernel);
    let metadata = HashMap::from([(KEY.to_string(), header.to_string())]);
    tensor_file::write(output, metadata, &tensors.into_iter().collect::<Vec<_>>())
}

impl CaseFile {
    /// Reads a file and checks every case of it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, or as [`CaseFile::new`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(TensorFile::open(path)?)
    }

    /// Checks every case of a file.
    ///
    /// # Errors
    /// [`Error::File`] naming the case: an unknown format, op, attribute or name, two cases of one name, a missing
    /// tensor, a wrong dtype, a shape that does not fit, a label out of range, a mask above 1.
    pub fn new(file: TensorFile) -> Result<Self> {
        let path = file.path();
        let (header, read::Header { op, cases }) = read::header(&file)?;
        let Some(entry) = find(&op) else {
            let known: Vec<&str> = OPS.iter().map(|entry| entry.name).collect();
            return Err(Error::file(path, "op", format!("one of {}", known.join(", ")), format!("`{op}`")));
        };
        if let Some(twice) = read::first_duplicate(cases.iter().map(|case| case.name.as_str())) {
            return Err(Error::file(path, "cases", "different names", format!("`{twice}` twice")));
        }
        let cases = cases
            .into_iter()
            .map(|case| {
                let name = case.name.clone();
                read::case(&file, entry, case).map_err(|error| in_case(path, &name, error))
            })
            .collect::<Result<_>>()?;
        Ok(Self { file, header, cases })
    }

    /// A floating-point tensor of the file, F32 or F64, in f64.
    ///
    /// # Errors
    /// [`Error::File`] if it is missing or of another dtype.
    pub fn floats(&self, name: &str) -> Result<ArrayD<f64>> {
        self.file.read_floats(name, None)
    }

    /// What is written, by tensor name.
    fn tensors<S: Scalar>(
        &self,
        kernel: Kernel,
        written: Written,
        to_tensor: impl Fn(ArrayD<S>) -> Tensor,
    ) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors = BTreeMap::new();
        for case in &self.cases {
            if written == Written::Record {
                case.given(&self.file, &to_tensor, &mut tensors)?;
            }
            case.results(kernel, &to_tensor, &mut tensors)
                .map_err(|error| in_case(self.file.path(), &case.name, error))?;
        }
        Ok(tensors)
    }
}

impl OpCase {
    /// Evaluates the case in the number system `S`, inputs and upstream gradients rounded to it.
    ///
    /// # Errors
    /// Those of [`crate::op::evaluate`]; none for a case from a file, whose shapes have been checked.
    pub fn evaluate<S: Scalar>(&self, kernel: Kernel) -> Result<Evaluation<S>> {
        let to = |array: &ArrayD<f64>| array.mapv(S::from_f64);
        let inputs: Vec<ArrayD<S>> = self.inputs.iter().map(|(_, array)| to(array)).collect();
        let upstream: List<Option<ArrayD<S>>> = self.upstream.iter().map(|dy| dy.as_ref().map(to)).collect();
        let inputs: Vec<ArrayViewD<S>> = inputs.iter().map(|array| array.view()).collect();
        let upstream: Vec<_> = upstream.iter().map(|dy| dy.as_ref().map(|array| array.view())).collect();
        self.op.evaluate(kernel, &inputs, &upstream, &self.wanted)
    }

    /// The wanted results of an evaluation, by their names in files: `out/<output>`, `grad/<input>`.
    pub fn named<T>(&self, Evaluation { outputs, gradients }: Evaluation<T>) -> Vec<(String, ArrayD<T>)> {
        let outputs = self.outputs.iter().zip(outputs).map(|(name, y)| (format!("out/{name}"), y));
        let wanted = self.inputs.iter().zip(gradients).zip(&self.wanted).filter(|(_, wanted)| **wanted);
        let gradients = wanted.filter_map(|(((name, _), dx), _)| Some((format!("grad/{name}"), dx?)));
        outputs.chain(gradients).collect()
    }

    /// What the case is given, in the number system `S`; labels and masks as the file has them.
    fn given<S: Scalar>(
        &self,
        file: &TensorFile,
        to_tensor: &impl Fn(ArrayD<S>) -> Tensor,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> Result<()> {
        let inputs = self.inputs.iter().map(|(name, array)| (format!("in/{name}"), array));
        let upstream = self.outputs.iter().zip(&self.upstream);
        let upstream = upstream.filter_map(|(name, dy)| Some((format!("dy/{name}"), dy.as_ref()?)));
        for (name, array) in inputs.chain(upstream) {
            tensors.insert(format!("{}/{name}", self.name), to_tensor(array.mapv(S::from_f64)));
        }
        for name in read::INTEGERS.map(|name| format!("{}/in/{name}", self.name)) {
            if let Some((dtype, shape)) = file.describe(&name) {
                let tensor = Tensor { dtype, shape: shape.to_vec(), bytes: file.raw(&name)?.into_owned() };
                tensors.insert(name, tensor);
            }
        }
        Ok(())
    }

    fn results<S: Scalar>(
        &self,
        kernel: Kernel,
        to_tensor: &impl Fn(ArrayD<S>) -> Tensor,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> Result<()> {
        let mut put = |name: String, tensor: Tensor| match tensors.insert(name.clone(), tensor) {
            None => Ok(()),
            Some(_) => Err(Error::domain("names", "one result for each tensor", format!("two for `{name}`"))),
        };
        let Evaluation { outputs, gradients } = self.evaluate(kernel)?;
        for ((name, y), shape) in self.outputs.iter().zip(outputs).zip(&self.out_shapes) {
            put(format!("{}/out/{name}", self.name), Tensor { shape: shape.to_vec(), ..to_tensor(y) })?;
        }
        for (((name, _), gradient), wanted) in self.inputs.iter().zip(gradients).zip(&self.wanted) {
            match (wanted, gradient) {
                (false, _) => {}
                (true, Some(gradient)) => put(format!("{}/grad/{name}", self.name), to_tensor(gradient))?,
                (true, None) => {
                    return Err(Error::domain("diff", "inputs that the op differentiates", format!("`{name}`")));
                }
            }
        }
        Ok(())
    }
}

/// An op's error, placed in the file and the case.
pub(crate) fn in_case(path: &Path, case: &str, error: Error) -> Error {
    let (place, expected, found) = match error {
        Error::Shape { op, place, expected, found } => (format!("{op}: {place}"), expected, found),
        Error::Domain { name, expected, found } => (name, expected, found),
        Error::File { place, expected, found, .. } => (place, expected, found),
        other => return other,
    };
    Error::file(path, format!("case `{case}`: {place}"), expected, found)
}
