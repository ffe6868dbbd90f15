//! Method goldens: the correctly rounded exact results of stored inputs, one file an equation.
//!
//! The metadata key [`KEY`] holds a JSON object `{"format": "gdstar-method/1", "equation": "eq2", "cases": [{"name",
//! "reading"}, ..]}`; `reading` names the choices that are not the default ones.
//!
//! | tensor | meaning |
//! |---|---|
//! | `<case>/in/<name>` | F64, I64 or U8 inputs |
//! | `<case>/expected/<name>` | the exact result rounded to F64 (ties to even), or integers I64, or flags U8 |
//! | `<case>/expected_f32/<name>` | the exact result rounded to F32, where every input is a number of F32 |

use super::{Comparison, DERIVATIONS, Mismatch};
use crate::error::{Error, Result};
use crate::oracle::exact::case::{Case, Input, Reals, Results, Value};
use crate::paper::reading::Reading;
use crate::tensor_file::{Element, Tensor, TensorFile};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The key of the file's metadata that describes the cases.
pub const KEY: &str = "gdstar-method";
/// The format's name and version.
pub const FORMAT: &str = "gdstar-method/1";

/// What the metadata says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    pub equation: String,
    pub cases: Vec<CaseHeader>,
}

/// A case's name and reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseHeader {
    pub name: String,
    #[serde(default)]
    pub reading: Reading,
}

/// The case's results, as the file's equation derives them.
///
/// # Errors
/// [`Error::Domain`] for an unknown equation, a missing input, or one out of the equation's domain.
pub fn derive(case: &Case, equation: &str) -> Result<Results> {
    match DERIVATIONS.iter().find(|(name, _)| *name == equation) {
        Some((_, derive)) => derive(case),
        None => Err(Error::domain("equation", "one of the method's", equation)),
    }
}

/// A file's header and cases.
///
/// # Errors
/// [`Error::File`] if it is not of the format.
pub fn read(file: &TensorFile) -> Result<(String, Vec<Case>)> {
    let place = format!("metadata `{KEY}`");
    let Some(text) = file.metadata(KEY) else {
        return Err(Error::file(file.path(), place, format!("a JSON object of {FORMAT}"), "nothing"));
    };
    let header: Header = serde_json::from_str(text)
        .map_err(|e| Error::file(file.path(), place.clone(), format!("a JSON object of {FORMAT}"), e))?;
    if header.format != FORMAT {
        return Err(Error::file(file.path(), format!("{place}: format"), FORMAT, header.format));
    }
    let cases = header.cases.into_iter().map(|case| read_case(file, case)).collect::<Result<_>>()?;
    Ok((header.equation, cases))
}

fn read_case(file: &TensorFile, CaseHeader { name, reading }: CaseHeader) -> Result<Case> {
    let prefix = format!("{name}/in/");
    let mut inputs = BTreeMap::new();
    for tensor in file.names().filter(|tensor| tensor.starts_with(&prefix)) {
        let input = match file.describe(tensor) {
            Some((Dtype::I64, _)) => Input::Integers(file.read(tensor, None)?.into_raw_vec_and_offset().0),
            Some((Dtype::U8, _)) => Input::Flags(file.read::<u8>(tensor, None)?.iter().map(|&bit| bit != 0).collect()),
            _ => Input::Floats(file.read_floats(tensor, None)?),
        };
        inputs.insert(tensor[prefix.len()..].to_string(), input);
    }
    Ok(Case { name, reading, inputs })
}

/// A file's metadata and tensors.
pub type Content = (HashMap<String, String>, Vec<(String, Tensor)>);

/// The tensors of a file with these cases, inputs and results, and its metadata.
///
/// # Errors
/// As [`derive()`].
pub fn tensors(equation: &str, cases: &[Case]) -> Result<Content> {
    let mut tensors = Vec::new();
    for case in cases {
        for (name, input) in &case.inputs {
            let tensor = match input {
                Input::Floats(values) => Tensor::from_array(&values.view()),
                Input::Integers(values) => Tensor::from_slice(&[values.len()], values),
                Input::Flags(flags) => flags_tensor(flags),
            };
            tensors.push((format!("{}/in/{name}", case.name), tensor));
        }
        for (name, value) in derive(case, equation)? {
            let expected = format!("{}/expected/{name}", case.name);
            match value {
                Value::Integers(values) => tensors.push((expected, Tensor::from_slice(&[values.len()], &values))),
                Value::Flags(flags) => tensors.push((expected, flags_tensor(&flags))),
                Value::Reals(Reals { f64, f32, .. }) => {
                    tensors.push((expected, Tensor::from_slice(&[f64.len()], &f64)));
                    if let (Some(f32), true) = (f32, case.fits_f32()) {
                        let name = format!("{}/expected_f32/{name}", case.name);
                        tensors.push((name, Tensor::from_slice(&[f32.len()], &f32)));
                    }
                }
            }
        }
    }
    let headers = cases.iter().map(|case| CaseHeader { name: case.name.clone(), reading: case.reading });
    let header = Header { format: FORMAT.to_string(), equation: equation.to_string(), cases: headers.collect() };
    let text = serde_json::to_string(&header).map_err(|e| Error::domain("method goldens", "JSON", e))?;
    Ok((HashMap::from([(KEY.to_string(), text)]), tensors))
}

fn flags_tensor(flags: &[bool]) -> Tensor {
    let bytes: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
    Tensor::from_slice(&[bytes.len()], &bytes)
}

/// Derives every result of a file again and compares it, bit for bit; and the reference's, within 1 ulp.
///
/// # Errors
/// As [`read`] and [`derive()`], and [`Error::File`] if a result is missing.
pub(super) fn verify(file: &TensorFile, comparison: &mut Comparison) -> Result<String> {
    let (equation, cases) = read(file)?;
    let mut inputs = 0;
    for case in &cases {
        inputs += case.inputs.len();
        for (name, value) in derive(case, &equation)? {
            let expected = format!("{}/expected/{name}", case.name);
            match value {
                Value::Integers(values) => {
                    bits(file, &expected, &values, comparison, |a, b| a == b)?;
                }
                Value::Flags(flags) => {
                    let bytes: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
                    bits(file, &expected, &bytes, comparison, |a, b| a == b)?;
                }
                Value::Reals(Reals { f64, f32, reference }) => {
                    bits(file, &expected, &f64, comparison, |a, b| a.to_bits() == b.to_bits())?;
                    bits(file, &expected, &reference, comparison, |a, b| within_1_ulp(*a, *b))?;
                    let expected = format!("{}/expected_f32/{name}", case.name);
                    if let (Some(f32), true) = (f32, case.fits_f32()) {
                        bits(file, &expected, &f32, comparison, |a, b| a.to_bits() == b.to_bits())?;
                    }
                }
            }
        }
    }
    let stored = file.names().count();
    if stored != inputs + comparison.tensor_count() {
        let found = format!("{stored} tensors, of which {} were derived", comparison.tensor_count());
        return Err(Error::file(file.path(), "tensors", "inputs and their results alone", found));
    }
    Ok(format!("{} cases re-derived exactly, bit for bit; the reference within 1 ulp", cases.len()))
}

/// Whether two numbers are the same or neighbours; false for NaN.
pub fn within_1_ulp(a: f64, b: f64) -> bool {
    a == b || (a.next_up() == b || a.next_down() == b) && !a.is_nan()
}

/// Compares a stored result.
fn bits<T: Element + ToString>(
    file: &TensorFile,
    name: &str,
    derived: &[T],
    comparison: &mut Comparison,
    same: impl Fn(&T, &T) -> bool,
) -> Result<()> {
    let stored = file.read::<T>(name, Some(&[derived.len()]))?;
    comparison.tensor(name);
    for (j, (stored, derived)) in stored.iter().zip(derived).enumerate() {
        comparison.number(same(stored, derived), || Mismatch::at(name, vec![j], stored, derived));
    }
    Ok(())
}
