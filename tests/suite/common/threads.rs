//! Results under pools of different sizes.

use gdstar::scalar::Scalar;
use rayon::ThreadPoolBuilder;

/// Whether `compute` gives the same bits for every number of threads.
pub fn is_invariant<S: Scalar>(compute: impl Fn() -> Vec<S> + Sync + Send) -> bool {
    let bits = |threads: usize| -> Vec<u64> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads are available");
        pool.install(&compute).iter().map(|value| value.to_f64().to_bits()).collect()
    };
    let one = bits(1);
    [2, 4, 8].into_iter().all(|threads| bits(threads) == one)
}
