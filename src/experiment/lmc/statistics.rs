//! What batch norm's running statistics are of a network that no training step made.

use crate::choice::choice;
use crate::data::{Batch, Dataset, Loader, Order, Split};
use crate::error::Result;
use crate::kernel::{Kernel, Pool, add_to};
use crate::nn::{BATCH_NORM_MOMENTUM, Mode, Network, Parameters};
use crate::scalar::Scalar;
use crate::tape::Tape;
use crate::train::Config;
use std::thread;

choice! {
    /// Batch norm's running statistics on the line between two networks.
    BatchNorm, "batch_norm":
    /// Interpolated as parameters are.
    Interpolate = "interpolate",
    /// Measured on the training set.
    Recompute = "recompute",
}

/// Sets running means and variances to the means of what the batches of the training set have, images as they are and in their
/// own order, every batch counting as much (PyTorch's `update_bn`).
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the images do not fit the network.
pub fn measure_statistics<S: Scalar>(
    network: &Network,
    parameters: &mut Parameters<S>,
    (config, dataset): (&Config, &Dataset),
) -> Result<()> {
    if parameters.iter().all(|parameter| parameter.role.is_trained()) {
        return Ok(());
    }
    let batch_size = config.optimizer.batch_size;
    let (split, order, last_batch) = (Split::Train, Order::Stored, config.reading.last_batch);
    let loader = Loader { dataset, split, order, batch_size, last_batch, augmentation: None };
    let batches = loader.batches().max(1);
    // What a batch moves a statistic of 0 to is its own, times the momentum.
    for statistic in parameters.iter_mut().filter(|parameter| !parameter.role.is_trained()) {
        statistic.value.fill(S::ZERO);
    }
    let mut sums = parameters.clone();
    let pool = Pool::current().unwrap_or_default();
    pool.install(|| {
        thread::scope(|scope| -> Result<()> {
            for Batch { x, .. } in loader.start::<S>(scope)? {
                add(network, config.kernel, parameters, x, &mut sums)?;
            }
            Ok(())
        })
    })?;
    let scale = S::from_f64(BATCH_NORM_MOMENTUM) * S::from_usize(batches);
    for (statistic, sum) in parameters.iter_mut().zip(sums.iter()).filter(|(p, _)| !p.role.is_trained()) {
        statistic.value.zip_mut_with(&sum.value, |statistic, &sum| *statistic = sum / scale);
    }
    Ok(())
}

/// Adds what one batch moves each statistic of 0 to.
fn add<S: Scalar>(
    network: &Network,
    kernel: Kernel,
    parameters: &Parameters<S>,
    x: ndarray::ArrayD<S>,
    sums: &mut Parameters<S>,
) -> Result<()> {
    let mut tape = Tape::new(kernel);
    let pass = network.forward(&mut tape, parameters, x, Mode::Training, None)?;
    for (sum, moved) in sums.iter_mut().zip(pass.buffers.iter()) {
        if let Some(moved) = moved {
            add_to(kernel, &mut sum.value, &tape.take(*moved));
        }
    }
    kernel.check()
}
