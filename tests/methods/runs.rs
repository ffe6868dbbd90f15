//! What every method promises of a run: resumed, in parts, on any number of threads, sparse or dense, it is the same.

use super::common::{GO_ON, config, digits, methods, timeless, train, with};
use gdstar::error::{Error, Result};
use gdstar::kernel::Kernel;
use gdstar::method::Method;
use gdstar::method::options::Value;
use gdstar::scalar::Scalar;
use gdstar::train::{BatchEvent, Checkpointer, EpochEvent, Execution, History, Observer, Run, RunFolder, State};
use rayon::ThreadPoolBuilder;

struct Nothing;

impl<S: Scalar> Observer<S> for Nothing {
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}

/// All that a state holds.
fn told<S: Scalar>(state: &State<S>, history: &History) -> String {
    format!("{:?} {:?} {:?}", timeless(history), state.weights, state.sparsifier.save())
}

/// Masks that move within an epoch are computed with as sparsely as others, and change no bit of what plain loops give.
#[test]
fn sparse_execution_equals_dense() {
    let dataset = digits();
    for method in methods() {
        let run = |execution| {
            let mut config = config(method, 3);
            (config.kernel, config.execution) = (Kernel::Literal, execution);
            let (state, history) = train::<f32>(&config, &dataset, &mut Nothing);
            told(&state, &history)
        };
        assert!(run(Execution::Sparse) == run(Execution::Dense), "{method}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let dataset = digits();
    for method in methods() {
        let run = |threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let (state, history) = train::<f32>(&config(method, 2), &dataset, &mut Nothing);
                told(&state, &history)
            })
        };
        assert!(run(1) == run(3), "{method}");
    }
}

/// Stops in the middle of an epoch, as a crash would.
struct StopIn(usize);

impl<S: Scalar> Observer<S> for StopIn {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        match event.epoch == self.0 && event.batch == 6 {
            true => Err(Error::domain("test", "to go on", "the planned stop")),
            false => Ok(()),
        }
    }
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}

/// Stopped in the first and in a later epoch, a run goes on as if nothing had happened.
#[test]
fn a_resumed_run_is_the_same_bit_for_bit() {
    let dataset = digits();
    for method in methods() {
        let config = config(method, 4);
        let temporary = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(&temporary.path().join("run"), &config).unwrap();
        let attempt = |stop| {
            let run = Run::new(&config, &dataset, &GO_ON).unwrap();
            let (mut state, _) = folder.state::<f32>(&run).unwrap();
            let mut history = History::default();
            let mut checkpointer = Checkpointer::new(&folder, &run, None);
            let trained = run.train(&mut state, &mut [&mut history, &mut checkpointer, &mut StopIn(stop)]);
            assert_eq!(trained.is_err(), stop < 4, "{method}");
            (state, history)
        };
        attempt(0);
        attempt(2);
        let (state, history) = attempt(4);
        let (whole, all) = train::<f32>(&config, &dataset, &mut Nothing);
        assert!(told(&state, &history) == told(&whole, &History(all.0[2..].to_vec())), "{method}");
    }
}

/// Holds a run to what its method says of its mask.
struct Masks {
    method: Method,
    before: Vec<bool>,
    moved: bool,
}

impl<S: Scalar> Observer<S> for Masks {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let (weights, record) = (&event.state.weights, event.record);
        let mask = weights.mask().unwrap();
        let active = mask.iter().filter(|&&active| active).count();
        assert_eq!(record.numbers.count("active"), Some(active), "{}", self.method);
        for (j, (&w, &active)) in weights.values().iter().zip(mask).enumerate() {
            assert!(active || w == S::ZERO, "{}: weight {j} is inactive but not 0", self.method);
        }
        let is_monotone = matches!(self.method, Method::Gmp | Method::Snip | Method::Grasp);
        if is_monotone && !self.before.is_empty() {
            let revived = self.before.iter().zip(mask).any(|(&before, &now)| now && !before);
            assert!(!revived, "{}: a pruned weight came back", self.method);
        }
        if matches!(self.method, Method::Set | Method::Rigl) && !self.before.is_empty() {
            let before = self.before.iter().filter(|&&active| active).count();
            assert_eq!(before, active, "{}: as many are grown as went", self.method);
            assert_eq!(record.numbers.count("dropped"), record.numbers.count("grown"));
        }
        self.moved |= !self.before.is_empty() && self.before != mask;
        self.before = mask.to_vec();
        Ok(())
    }
}

#[test]
fn masks_keep_their_methods_promises() {
    let dataset = digits();
    for method in [
        Method::Snip,
        Method::Grasp,
        Method::Gmp,
        Method::Set,
        Method::Rigl,
        Method::Granet,
        Method::Acdc,
        Method::Topkast,
    ] {
        let mut masks = Masks { method, before: Vec::new(), moved: false };
        let (_, history) = train::<f32>(&config(method, 6), &dataset, &mut masks);
        assert_eq!(masks.moved, !matches!(method, Method::Snip | Method::Grasp), "{method}");
        let last = history.0.last().unwrap();
        // Of so short a run AC/DC spends most with weights that have just been pruned or have just come back.
        assert!(method == Method::Acdc || last.loss < history.0[0].loss, "{method} does not learn: {}", last.loss);
        if method != Method::Set {
            assert!((last.sparsity - 0.9).abs() < 0.01, "{method}: {}", last.sparsity);
        }
    }
}

/// Every choice that a method has can be trained with.
#[test]
fn every_choice_of_every_method_trains() {
    use gdstar::method::options::Domain;
    let dataset = super::small::digits(48, 8);
    for method in methods() {
        for option in method.entry().options {
            let Domain::Choice(names) = option.domain else { continue };
            let default = option.default();
            let is_other = |choice: &&&str| **choice != "any" && default != Some(Value::Name(choice.to_string()));
            for &choice in names.iter().filter(is_other) {
                let mut options = vec![(option.key, Value::Name(choice.to_string()))];
                if choice == "given" {
                    options.push(("sparsities", Value::List([0.9, 0.9, 0.5].map(Value::Real).to_vec())));
                }
                let steps = |steps: &[usize]| Value::List(steps.iter().map(|&step| Value::Count(step)).collect());
                let of_so_short_a_run =
                    [("update_end", Value::Count(6)), ("compress_at", steps(&[1, 4])), ("decompress_at", steps(&[2]))];
                let has = |key: &str| method.entry().options.iter().any(|option| option.key == key);
                options.extend(of_so_short_a_run.into_iter().filter(|(key, _)| has(key)));
                train::<f32>(&with(config(method, 1), &options), &dataset, &mut Nothing);
            }
        }
    }
}
