//! Samples put in order, read and augmented on a second thread while the first one works on those before.

use super::{Dataset, Split, epoch_order, held_out};
use crate::error::{Error, Result};
use crate::kernel::{Pool, share};
use crate::paper::reading::LastBatch;
use crate::scalar::Scalar;
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;
use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Batches that wait, at most: one would do if every batch took the same time; a second evens out what does not.
const AHEAD: usize = 2;

/// A batch, ready for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<S> {
    /// `[n]`: the samples' positions in their part of the data set.
    pub indices: Vec<usize>,
    /// `[n,c,h,w]`, normalised.
    pub x: ArrayD<S>,
    /// `[n]`.
    pub labels: Vec<usize>,
}

/// The order in which samples come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As the data set has them.
    Stored,
    /// [`epoch_order`] of a run's seed and epoch.
    Shuffled { seed: u64, epoch: usize },
    /// The same without those that are held out.
    Remaining { seed: u64, epoch: usize, out: Out },
    /// Those that are held out, as the data set has them.
    HeldOut(Out),
}

/// The samples that a run with this seed [holds out](held_out), so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Out {
    pub seed: u64,
    pub count: usize,
}

/// The batches of one pass over a part of a data set.
///
/// All that is random is drawn by one generator each for the order and the augmentation, the latter batch by batch
/// ([`Dataset::batch`]), so the batches are the same bit for bit however they are prepared.
#[derive(Debug, Clone)]
pub struct Loader<'a> {
    pub dataset: &'a Dataset,
    pub split: Split,
    pub order: Order,
    /// Samples a batch, at least 1; the last batch has what is left over.
    pub batch_size: usize,
    /// What becomes of a last batch that is short (open point 19).
    pub last_batch: LastBatch,
    /// Draws the augmentation; `None` for images as they are.
    pub augmentation: Option<ChaCha8Rng>,
}

impl<'a> Loader<'a> {
    /// How many samples take part.
    pub fn samples(&self) -> usize {
        let all = match (self.dataset.images(self.split).len(), self.order) {
            (all, Order::Stored | Order::Shuffled { .. }) => all,
            (all, Order::Remaining { out, .. }) => all.saturating_sub(out.count),
            (all, Order::HeldOut(out)) => out.count.min(all),
        };
        match self.last_batch {
            LastBatch::Keep => all,
            LastBatch::Drop => all - all % self.batch_size,
        }
    }

    /// How many batches there are.
    pub fn batches(&self) -> usize {
        self.samples().div_ceil(self.batch_size)
    }

    /// The batches in their order, each prepared when it is asked for; the samples are put in order when the first is.
    pub fn in_turn<S: Scalar>(self) -> impl Iterator<Item = Batch<S>> + Send + 'a {
        let samples = self.samples();
        let Self { dataset, split, order, batch_size, mut augmentation, .. } = self;
        let ordered = move || {
            let all = dataset.images(split).len();
            match order {
                Order::Stored => (0..all).collect(),
                Order::Shuffled { seed, epoch } => epoch_order(all, seed, epoch),
                Order::Remaining { seed, epoch, out } => {
                    let out = held_out(all, out.count, out.seed);
                    epoch_order(all, seed, epoch).into_iter().filter(|i| out.binary_search(i).is_err()).collect()
                }
                Order::HeldOut(out) => held_out(all, out.count, out.seed),
            }
        };
        let batches = std::iter::once_with(ordered).flat_map(move |indices: Vec<usize>| {
            indices[..samples].chunks(batch_size).map(<[usize]>::to_vec).collect::<Vec<_>>()
        });
        batches.map(move |indices| {
            let (x, labels) = dataset.batch(split, &indices, augmentation.as_mut());
            Batch { indices, x, labels }
        })
    }

    /// The same batches, prepared on a thread of `scope` while the caller uses those before; up to `waiting` wait for
    /// it (0: each is handed over). The thread ends when the iterator is used up or dropped.
    ///
    /// # Errors
    /// [`Error::Domain`] if the machine cannot start a thread.
    pub fn ahead<'scope, S: Scalar>(
        self,
        scope: &'scope Scope<'scope, '_>,
        waiting: usize,
    ) -> Result<impl Iterator<Item = Batch<S>> + use<'scope, S>>
    where
        'a: 'scope,
    {
        let (sender, receiver) = sync_channel(waiting);
        let batches = self.in_turn();
        // What is made there is given back here.
        let pool = Pool::current();
        let prepare = move || {
            let _entered = Pool::enter(&pool);
            for batch in batches {
                // It fails once the receiver is dropped: nobody wants the rest.
                if sender.send(batch).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new()
            .name("batches".into())
            .spawn_scoped(scope, prepare)
            .map_err(|error| Error::domain("batches", "a thread that prepares them", error))?;
        let mut thread = Some(thread);
        Ok(std::iter::from_fn(move || {
            let batch = receiver.recv().ok();
            // A thread that panicked also sends no more: its panic must not be taken for the end of the epoch.
            if batch.is_none()
                && let Some(Err(panic)) = thread.take().map(ScopedJoinHandle::join)
            {
                resume_unwind(panic);
            }
            batch
        }))
    }

    /// The batches for a training loop: [`Loader::ahead`], or [`Loader::in_turn`] where the current rayon pool is of
    /// one thread, as `--threads 1` asks for.
    ///
    /// # Errors
    /// Those of [`Loader::ahead`].
    pub fn start<'scope, S: Scalar>(
        self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Box<dyn Iterator<Item = Batch<S>> + 'scope>>
    where
        'a: 'scope,
    {
        if share::threads() == 1 {
            return Ok(Box::new(self.in_turn()));
        }
        Ok(Box::new(self.ahead(scope, AHEAD)?))
    }
}
