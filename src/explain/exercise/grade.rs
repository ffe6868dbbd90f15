//! [`grade`]: a student's function on a real run's operands, judged by the oracle.

use super::{Exercise, Given, MARK, Wanted, find};
use crate::data::{self, Source};
use crate::error::{Error, Result, quoted};
use crate::input::{self, Kind};
use crate::method::Method;
use crate::oracle::{CheckOptions, Finding, check_trace};
use crate::output::NewFolder;
use crate::scalar::Dtype;
use crate::tensor_file::{self, Tensor, TensorFile};
use crate::trace::{KEY, Trace};
use crate::train::{Config, Session};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Epochs of the run whose operands are given, and of one in which k* moves.
const EPOCHS: usize = 3;
const EPOCHS_OF_HISTORY: usize = 20;
/// How long a function may take: what is asked of it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the oracle says of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    pub exercise: &'static str,
    /// How many numbers of it were compared.
    pub compared: usize,
    /// The first number that no correct function returns, if there is any; its cause, where it is a known mistake.
    pub wrong: Option<Finding>,
    /// How many such numbers there are.
    pub total: usize,
}

/// Runs the function in a file that was handed out, by `python`, and has the oracle judge what it returns.
///
/// # Errors
/// [`Error::File`] naming the file and its line where it is no exercise, does not run, takes longer than a minute, or returns
/// something of another shape than is asked for.
pub fn grade(file: &Path, python: &str) -> Result<Grade> {
    let exercise = of_file(file)?;
    // Never completed: what is in it is gone with it, however the process ends.
    let desk = NewFolder::beside(&std::env::temp_dir().join("exercise"))?;
    let desk = |name: &str| desk.path().join(name);
    let trace = desk("run.safetensors");
    train(exercise, &trace)?;
    let run = Trace::open(&trace)?;
    let raw = TensorFile::open(&trace)?;
    let (given, returned) = (desk("given.safetensors"), desk("returned.safetensors"));
    lay_out(exercise, &run, &raw, &given)?;
    call(file, python, [&given, &returned], &desk("said.txt"))?;
    let graded = desk("graded.safetensors");
    put_back(exercise, &run, &raw, (file, &returned), &graded)?;
    let report = check_trace(&Trace::open(&graded)?, &CheckOptions::default())?;
    // What follows from a wrong result is another equation's, and not this function's.
    let own: Vec<&Finding> = report.findings.iter().filter(|finding| finding.equation == exercise.name).collect();
    Ok(Grade {
        exercise: exercise.name,
        compared: report.compared,
        wrong: own.first().map(|&finding| finding.clone()),
        total: report.findings_by_equation.get(exercise.name).copied().unwrap_or(0),
    })
}

/// The exercise that a file's first line names.
fn of_file(file: &Path) -> Result<&'static Exercise> {
    let text = input::read_text(file, Kind::List)?;
    let first = text.lines().next().unwrap_or_default();
    let Some(name) = first.strip_prefix(MARK) else {
        let expected = "`# gdstar exercise NAME`, as `gdstar exercise NAME` writes it";
        return Err(Error::file(file, "line 1", expected, quoted(first)));
    };
    find(name.trim())
}

/// A run in f64, NumPy's own numbers, in which weights are eliminated and chunks are several.
fn train(exercise: &Exercise, trace: &Path) -> Result<()> {
    let takes = |wanted: fn(&Given) -> bool| exercise.takes.iter().any(|(_, given)| wanted(given));
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    let has_history = takes(|given| matches!(given, Given::History(_)));
    config.hyper.epochs = if has_history { EPOCHS_OF_HISTORY } else { EPOCHS };
    config.hyper.eps = 0.01;
    config.hyper.chunks = 3;
    config.precision = Dtype::F64;
    config.outputs.trace = Some(trace.to_path_buf());
    config.outputs.trace_gradients = takes(|given| *given == Given::Gradients);
    Session::new(config)?.train(&data::load(Source::Digits, None)?).map(drop)
}

/// Writes what the function is given.
fn lay_out(exercise: &Exercise, run: &Trace, raw: &TensorFile, path: &Path) -> Result<()> {
    let epochs: Vec<usize> = run.epochs().collect();
    let mut tensors = Vec::new();
    for &k in &epochs {
        for (name, given) in exercise.takes {
            tensors.push((format!("{k}/{name}"), argument(*given, run, raw, k)?));
        }
    }
    let names: Vec<&str> = exercise.takes.iter().map(|(name, _)| *name).collect();
    let order = json!({"epochs": epochs, "takes": names}).to_string();
    tensor_file::write(path, HashMap::from([("exercise".to_string(), order)]), &tensors)
}

fn argument(given: Given, run: &Trace, raw: &TensorFile, k: usize) -> Result<Tensor> {
    let scalar = |name: &str, k: usize| -> Result<f64> {
        let name = format!("epoch/{k}/{name}");
        let is_count = raw.describe(&name).is_some_and(|(dtype, _)| dtype == safetensors::Dtype::I64);
        let all =
            if is_count { raw.read_integers(&name, None)?.mapv(|x| x as f64) } else { raw.read_floats(&name, None)? };
        Ok(all.iter().copied().next().unwrap_or_default())
    };
    let flat = |prefix: &str| -> Result<Vec<f64>> {
        let mut all = Vec::with_capacity(run.weights());
        for parameter in run.prunable() {
            all.extend(raw.read_floats(&format!("{prefix}/{}", parameter.name), None)?);
        }
        Ok(all)
    };
    let hyper = &run.header.hyper;
    Ok(match given {
        Given::PerWeight(name) => Tensor::from_slice(&[run.weights()], &flat(&format!("epoch/{k}/{name}"))?),
        Given::Flags(name) => {
            let mut all = Vec::with_capacity(run.weights());
            for parameter in run.prunable() {
                all.extend(raw.read::<u8>(&format!("epoch/{k}/{name}/{}", parameter.name), None)?);
            }
            Tensor::from_slice(&[run.weights()], &all)
        }
        Given::Number(name) => Tensor::from_slice(&[], &[scalar(name, k)?]),
        Given::Numbers(name) => {
            let all: Vec<f64> = raw.read_floats(&format!("epoch/{k}/{name}"), None)?.into_iter().collect();
            Tensor::from_slice(&[all.len()], &all)
        }
        Given::History(name) => {
            let all: Vec<f64> = run.epochs().filter(|&e| e <= k).map(|e| scalar(name, e)).collect::<Result<_>>()?;
            Tensor::from_slice(&[all.len()], &all)
        }
        Given::Gradients => {
            let batches = run.batches(k);
            let rows: Vec<Vec<f64>> =
                (0..batches).map(|i| flat(&format!("epoch/{k}/batch/{i}/grad"))).collect::<Result<_>>()?;
            Tensor::from_slice(&[batches, run.weights()], &rows.concat())
        }
        Given::Epoch => Tensor::from_slice(&[], &[k as f64]),
        Given::Hyper(key) => {
            let value = match key {
                "epochs" => hyper.epochs as f64,
                "alpha_0" => hyper.alpha_0,
                "alpha_K" => hyper.alpha_end,
                "lambda" => hyper.lambda,
                "eps" => hyper.eps,
                _ => hyper.chunks as f64,
            };
            Tensor::from_slice(&[], &[value])
        }
    })
}

/// Runs the file; what it says on standard error goes to `said`, which no amount of it fills as a pipe is filled.
fn call(file: &Path, python: &str, arguments: [&Path; 2], said: &Path) -> Result<()> {
    let stderr = File::create(said).map_err(Error::io(said, "create"))?;
    let mut command = Command::new(python);
    command.arg(file).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let mut child = command.spawn().map_err(|error| {
        Error::domain("--python", "a Python 3 with NumPy that can be started", format!("`{python}` ({error})"))
    })?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Error::io(file, "run"))? {
            break status;
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::file(file, "function", "to return within a minute", "that it still runs"));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(());
    }
    let told = input::read_text(said, Kind::List).unwrap_or_default();
    let last = told.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing on standard error");
    Err(Error::file(file, "function", "to return its results", quoted(last)))
}

/// The run's trace with what the function returned in the place of the run's own results.
fn put_back(exercise: &Exercise, run: &Trace, raw: &TensorFile, from: (&Path, &Path), path: &Path) -> Result<()> {
    let (file, returned) = from;
    let results = TensorFile::open(returned)?;
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    for name in raw.names() {
        if let Some((dtype, shape)) = raw.describe(name) {
            tensors
                .insert(name.to_string(), Tensor { dtype, shape: shape.to_vec(), bytes: raw.raw(name)?.into_owned() });
        }
    }
    for k in run.epochs() {
        for (i, wanted) in exercise.gives.iter().enumerate() {
            let key = format!("{k}/{i}");
            if results.describe(&key).is_none() {
                let expected = format!("{} values", exercise.gives.len());
                return Err(Error::file(file, "what the function returns", expected, i));
            }
            let values: Vec<f64> = results.read_floats(&key, None)?.into_iter().collect();
            let length = match wanted {
                Wanted::PerWeight(_) | Wanted::Flags(_) => run.weights(),
                Wanted::Number(_) | Wanted::Count(_) => 1,
                Wanted::Numbers(_) => run.header.hyper.chunks,
            };
            if values.len() != length {
                let place = format!("what the function returns, value {}", i + 1);
                return Err(Error::file(file, place, format!("{length} numbers"), values.len()));
            }
            put(*wanted, k, run, &values, &mut tensors);
        }
    }
    let header = raw.metadata(KEY).unwrap_or_default().to_string();
    tensor_file::write(path, HashMap::from([(KEY.to_string(), header)]), &tensors.into_iter().collect::<Vec<_>>())
}

fn put(wanted: Wanted, k: usize, run: &Trace, values: &[f64], tensors: &mut BTreeMap<String, Tensor>) {
    let mut whole = |name: &str, tensor| tensors.insert(format!("epoch/{k}/{name}"), tensor);
    match wanted {
        Wanted::Number(name) | Wanted::Numbers(name) => {
            whole(name, Tensor::from_slice(&[values.len()], values));
        }
        // A count that is no whole number stays wrong as one.
        Wanted::Count(name) => {
            whole(name, Tensor::from_slice(&[1], &values.iter().map(|&x| x as i64).collect::<Vec<_>>()));
        }
        Wanted::PerWeight(name) => {
            for parameter in run.prunable() {
                let part = &values[parameter.range.clone()];
                tensors
                    .insert(format!("epoch/{k}/{name}/{}", parameter.name), Tensor::from_slice(&parameter.shape, part));
            }
        }
        Wanted::Flags(name) => {
            for parameter in run.prunable() {
                let part: Vec<u8> = values[parameter.range.clone()].iter().map(|&x| u8::from(x != 0.0)).collect();
                tensors.insert(
                    format!("epoch/{k}/{name}/{}", parameter.name),
                    Tensor::from_slice(&parameter.shape, &part),
                );
            }
        }
    }
}
