//! [`evaluate`] and [`predict`]: a network's accuracy and loss on one part of a data set, and what it says of each sample.

use crate::data::{Batch, Dataset, Loader, Order, Split};
use crate::error::Result;
use crate::kernel::{Kernel, Pool};
use crate::nn::{Mode, Network, Parameters};
use crate::ops::CrossEntropy;
use crate::paper::reading::LastBatch;
use crate::scalar::Scalar;
use crate::tape::Tape;
use std::thread::{self, Scope};

/// Samples per forward pass of an evaluation (section 4: 100 for testing).
pub const TEST_BATCH: usize = 100;

/// How well a network does on some samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    pub samples: usize,
    /// The share of samples whose largest logit is their label's, 0 to 1; the first of equal logits counts, and a
    /// sample with a NaN among its logits is not classified rightly.
    pub accuracy: f64,
    /// The mean cross-entropy of the samples.
    pub loss: f64,
}

/// What a network says of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prediction {
    pub label: usize,
    /// The class of the largest logit, the first among equals; none if a logit is NaN.
    pub predicted: Option<usize>,
}

impl Prediction {
    /// Whether the sample is classified rightly.
    pub fn is_correct(&self) -> bool {
        self.predicted == Some(self.label)
    }
}

/// Runs `network` with running statistics over one part of `dataset`, `batch` samples at a time.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the parameters, the images or the labels do not fit the network.
pub fn evaluate<S: Scalar>(
    network: &Network,
    kernel: Kernel,
    parameters: &Parameters<S>,
    (dataset, split): (&Dataset, Split),
    batch: usize,
) -> Result<Evaluation> {
    Ok(predict(network, kernel, parameters, (dataset, split), batch)?.0)
}

/// [`evaluate`], and a prediction for each sample, in the data's order.
///
/// # Errors
/// As [`evaluate`].
pub fn predict<S: Scalar>(
    network: &Network,
    kernel: Kernel,
    parameters: &Parameters<S>,
    (dataset, split): (&Dataset, Split),
    batch: usize,
) -> Result<(Evaluation, Vec<Prediction>)> {
    let (order, batch_size, last_batch) = (Order::Stored, batch.max(1), LastBatch::Keep);
    predict_in_order(
        Loader { dataset, split, order, batch_size, last_batch, augmentation: None },
        network,
        kernel,
        parameters,
    )
}

/// [`predict`] on the batches of `loader`.
pub(super) fn predict_in_order<S: Scalar>(
    loader: Loader,
    network: &Network,
    kernel: Kernel,
    parameters: &Parameters<S>,
) -> Result<(Evaluation, Vec<Prediction>)> {
    kernel.open()?;
    let pool = Pool::current().unwrap_or_default();
    pool.install(|| thread::scope(|scope| predict_on(loader, scope, network, kernel, parameters)))
}

/// [`predict`] on the batches of `loader`, which a thread of `scope` prepares.
fn predict_on<'scope, S: Scalar>(
    loader: Loader<'scope>,
    scope: &'scope Scope<'scope, '_>,
    network: &Network,
    kernel: Kernel,
    parameters: &Parameters<S>,
) -> Result<(Evaluation, Vec<Prediction>)> {
    let (mut predictions, mut loss_sum) = (Vec::new(), 0.0);
    for Batch { indices, x, labels } in loader.start::<S>(scope)? {
        let mut tape = Tape::new(kernel);
        let logits = network.forward(&mut tape, parameters, x, Mode::Evaluation, None)?.logits;
        let rows = tape.value(logits);
        let said = rows.outer_iter().zip(&labels);
        predictions.extend(said.map(|(row, &label)| Prediction { label, predicted: argmax(row.iter()) }));
        let loss = tape.apply_one(CrossEntropy::new(labels), &[logits])?;
        let mean = tape.value(loss).first().map_or(f64::NAN, |loss| loss.to_f64());
        loss_sum += mean * indices.len() as f64;
    }
    let (samples, correct) = (predictions.len(), predictions.iter().filter(|said| said.is_correct()).count());
    kernel.check()?;
    let share = |sum: f64| sum / samples.max(1) as f64;
    Ok((Evaluation { samples, accuracy: share(correct as f64), loss: share(loss_sum) }, predictions))
}

/// The position of the largest value, the first among equals; `None` if there is none or one is NaN.
fn argmax<'a, S: Scalar>(values: impl Iterator<Item = &'a S>) -> Option<usize> {
    let mut best: Option<(usize, S)> = None;
    for (i, &x) in values.enumerate() {
        if x.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, largest)| x > largest) {
            best = Some((i, x));
        }
    }
    best.map(|(i, _)| i)
}
