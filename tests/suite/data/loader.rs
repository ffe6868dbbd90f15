//! Batches prepared on another thread: the same bits as one after the other, and no thread left behind.

use gdstar::data::{
    Augmentation, Batch, Dataset, Images, Loader, Normalisation, Order, Source, Split, epoch_order, load, numbered,
};
use gdstar::error::{Error, Result};
use gdstar::method::Method;
use gdstar::paper::reading::LastBatch;
use gdstar::random::{Purpose, stream};
use gdstar::scalar::Scalar;
use gdstar::train::{BatchEvent, Config, EpochEvent, History, Observer, Run};
use rand::RngCore;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Images of random bytes with an augmentation, in the shape of a data set.
fn noise(shape: [usize; 3], count: usize, padding: usize) -> Dataset {
    let mut rng = stream(1, Purpose::Initialisation, 0);
    let mut images = |count: usize| {
        let mut pixels = vec![0; count * shape.iter().product::<usize>()];
        rng.fill_bytes(&mut pixels);
        Images { shape, pixels, labels: (0..count).map(|i| (i % 7) as u16).collect() }
    };
    let (train, test) = (images(count), images(count / 2));
    let normalisation = Normalisation::of(&train, 255.0);
    Dataset {
        name: "noise",
        train,
        test,
        classes: numbered(7),
        normalisation,
        augmentation: Some(Augmentation { padding }),
    }
}

/// A data set of every shape that there is: digits, MNIST's, CIFAR-10's, an image folder's.
fn datasets() -> Vec<Dataset> {
    let digits = load(Source::Digits, None).unwrap();
    vec![digits, noise([1, 28, 28], 50, 3), noise([3, 32, 32], 70, 4), noise([3, 24, 16], 33, 2)]
}

fn loader(dataset: &Dataset, split: Split, batch_size: usize) -> Loader<'_> {
    let order = Order::Shuffled { seed: 3, epoch: 1 };
    let augmentation = (split == Split::Train).then(|| stream(3, Purpose::Augmentation, 1));
    Loader { dataset, split, order, batch_size, last_batch: LastBatch::Keep, augmentation }
}

/// The definition: one batch after the other.
fn plain<S: Scalar>(dataset: &Dataset, split: Split, size: usize) -> Vec<Batch<S>> {
    let mut augmentation = loader(dataset, split, size).augmentation;
    let order = epoch_order(dataset.images(split).len(), 3, 1);
    let batch = |indices: &[usize]| {
        let (x, labels) = dataset.batch(split, indices, augmentation.as_mut());
        Batch { indices: indices.to_vec(), x, labels }
    };
    order.chunks(size).map(batch).collect()
}

fn assert_same<S: Scalar>() {
    for dataset in datasets() {
        for (split, size) in [(Split::Train, 16), (Split::Train, 1000), (Split::Test, 10)] {
            let expected = plain::<S>(&dataset, split, size);
            let loader = || loader(&dataset, split, size);
            assert!(loader().in_turn::<S>().eq(expected.iter().cloned()), "{} in turn", dataset.name);
            for waiting in [0, 1, 2, 100] {
                let found: Vec<_> = thread::scope(|scope| loader().ahead::<S>(scope, waiting).unwrap().collect());
                assert!(found == expected, "{} with {waiting} waiting", dataset.name);
            }
        }
    }
}

#[test]
fn batches_prepared_ahead_are_the_same_bits() {
    assert_same::<f32>();
    assert_same::<f64>();
}

/// A scope ends only when its threads have: these return at all because the thread that prepares gives up.
#[test]
fn a_consumer_may_stop_early() {
    let dataset = noise([3, 32, 32], 64, 4);
    for waiting in [0, 1, 100] {
        for taken in [0, 1, 3] {
            let seen = thread::scope(|scope| {
                let batches = loader(&dataset, Split::Train, 1).ahead::<f32>(scope, waiting).unwrap();
                batches.take(taken).count()
            });
            assert_eq!(seen, taken);
        }
        let failed: Result<()> = thread::scope(|scope| {
            let mut batches = loader(&dataset, Split::Train, 1).ahead::<f32>(scope, waiting)?;
            batches.try_for_each(|batch| Err(Error::domain("sample", "none", batch.indices[0])))
        });
        assert!(failed.is_err());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                let mut batches = loader(&dataset, Split::Train, 1).ahead::<f32>(scope, waiting).unwrap();
                assert!(batches.next().is_none(), "planted");
            });
        }));
        assert!(panicked.is_err());
    }
}

/// A fault of the thread that prepares is not taken for the end of the epoch.
#[test]
fn a_fault_while_preparing_is_not_an_end() {
    let mut dataset = noise([1, 2, 2], 4, 0);
    dataset.train.labels.push(0); // a label without pixels
    let loader = Loader { order: Order::Stored, ..loader(&dataset, Split::Train, 1) };
    thread::scope(|scope| {
        let mut batches = loader.ahead::<f32>(scope, 1).unwrap();
        assert_eq!(batches.by_ref().take(4).count(), 4);
        assert!(catch_unwind(AssertUnwindSafe(|| batches.next())).is_err(), "the panic comes where the batch was due");
    });
}

/// Open point 19: a short last batch is kept or dropped, and is the only one that may be short; samples come in the
/// stored order where that is asked for.
#[test]
fn a_short_last_batch_is_kept_or_dropped() {
    let dataset = noise([1, 2, 2], 10, 0);
    for (size, last_batch, expected) in [
        (4, LastBatch::Keep, vec![4, 4, 2]),
        (4, LastBatch::Drop, vec![4, 4]),
        (5, LastBatch::Drop, vec![5, 5]),
        (11, LastBatch::Drop, vec![]),
    ] {
        let loader = Loader { last_batch, order: Order::Stored, ..loader(&dataset, Split::Train, size) };
        assert_eq!(loader.batches(), expected.len());
        let batches: Vec<Batch<f32>> = loader.in_turn().collect();
        assert_eq!(batches.iter().map(|batch| batch.labels.len()).collect::<Vec<_>>(), expected);
        assert!(batches.iter().flat_map(|batch| &batch.indices).copied().eq(0..expected.iter().sum()));
    }
}

fn config() -> Config {
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = 3;
    config.optimizer.batch_size = 16;
    config
}

/// A run with augmentation on one thread, which prepares its batches itself, and on two and four.
#[test]
fn a_run_is_the_same_with_batches_prepared_ahead() {
    let (config, go_on) = (config(), AtomicBool::new(false));
    let dataset = noise([3, 12, 12], 100, 2);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let run = Run::new(&config, &dataset, &go_on).unwrap();
            let mut state = run.start::<f32>().unwrap();
            let mut history = History::default();
            run.train(&mut state, &mut [&mut history]).unwrap();
            let numbers = history.0.iter().map(|record| (record.loss.to_bits(), record.test_accuracy.to_bits()));
            (state.weights, numbers.collect::<Vec<_>>())
        })
    };
    let reference = on(1);
    assert!(on(2) == reference && on(4) == reference);
}

/// Raises the flag that Ctrl-C raises, in the middle of an epoch.
struct Interrupt<'a>(&'a AtomicBool);

impl<S: Scalar> Observer<S> for Interrupt<'_> {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        self.0.store(event.batch == 2, Ordering::Relaxed);
        Ok(())
    }
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn an_interrupted_run_ends() {
    let (config, stop) = (config(), AtomicBool::new(false));
    let dataset = noise([3, 12, 12], 100, 2);
    let run = Run::new(&config, &dataset, &stop).unwrap();
    let mut state = run.start::<f32>().unwrap();
    let outcome = run.train(&mut state, &mut [&mut Interrupt(&stop)]);
    assert!(matches!(outcome, Err(Error::Interrupted { .. })));
    assert_eq!(state.steps, 3, "batches 0, 1 and 2");
}
