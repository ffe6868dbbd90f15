//! The order in which an epoch visits the training samples.

use crate::random::{Purpose, stream, uniform};
use rand_chacha::ChaCha8Rng;

/// `count` of `0..n` that the run with this seed holds out of its training set, ascending: the first of a permutation made as
/// [`epoch_order`]'s, from the ChaCha8 stream number 1 of [`Purpose::Agent`] (the agent itself draws from number 0).
#[must_use]
pub fn held_out(n: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut rng = stream(seed, Purpose::Agent, 0);
    rng.set_stream(1);
    let mut chosen = permutation(n, &mut rng);
    chosen.truncate(count);
    chosen.sort_unstable();
    chosen
}

/// A uniformly random permutation of `0..n` for one epoch of the run with this seed.
///
/// Fisher-Yates (Durstenfeld's form): starting from the identity, for `i = n-1, n-2, .., 1` draw `j` in `0..=i`
/// by [`uniform`] from [`stream`]`(seed, Purpose::Order, epoch)` and swap entries `i` and `j`. Each epoch
/// permutes the identity, not the previous epoch's order, so a resumed run needs no state for it.
///
/// The paper is silent on the order; section 4 says no more than that batches hold 128 samples.
///
/// ```
/// let order = gdstar::data::epoch_order(5, 0, 0);
/// let mut sorted = order.clone();
/// sorted.sort();
/// assert_eq!(sorted, [0, 1, 2, 3, 4]);
/// assert_eq!(order, gdstar::data::epoch_order(5, 0, 0));
/// ```
#[must_use]
pub fn epoch_order(n: usize, seed: u64, epoch: usize) -> Vec<usize> {
    permutation(n, &mut stream(seed, Purpose::Order, epoch))
}

fn permutation(n: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        let j = uniform(rng, i as u64 + 1) as usize; // at most i
        order.swap(i, j);
    }
    order
}
