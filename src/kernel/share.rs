//! How work is split over threads: here, and nowhere else.
//!
//! Work is cut into units whose boundaries depend on shapes alone, every output belongs to one of them, and a unit computes
//! the same bits wherever it runs: so results are the same for any number of threads. What little work there is, is not
//! shared at all. Whichever thread a unit runs on, its memory comes from the [`Pool`] of the thread that shares it out.

use super::pool::Pool;
use rayon::prelude::*;

/// Operations (multiplications, or what takes as long) below which handing a part of them to another thread costs more than it
/// gains: some tens of microseconds of work.
pub const SHARED: usize = 1 << 17;

/// Operations that are handed over at the least: some microseconds of work.
const PART: usize = 1 << 14;

/// Of work that is shared out however little it seems: files to be read, a judge's calls.
pub const ALWAYS: usize = usize::MAX;

/// Whether there is a thread to share with: WebAssembly has none, and holds no code for any.
const THREADS: bool = !cfg!(target_family = "wasm");

/// How many threads there are to share with.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Whether so many operations are worth sharing out.
pub fn is_worth(operations: usize) -> bool {
    THREADS && operations >= SHARED
}

/// `run(i, chunk i)` for consecutive chunks of `size` elements (the last one may be shorter), side by side if the
/// `operations` in all of them are worth it.
pub fn chunks<T: Send>(elements: &mut [T], size: usize, operations: usize, run: impl Fn(usize, &mut [T]) + Sync) {
    chunks_with(elements, size, operations, || (), |(), i, chunk| run(i, chunk));
}

/// [`chunks`] with scratch, which a thread makes once for those that it runs one after another.
pub fn chunks_with<T: Send, C>(
    elements: &mut [T],
    size: usize,
    operations: usize,
    scratch: impl Fn() -> C + Sync,
    run: impl Fn(&mut C, usize, &mut [T]) + Sync,
) {
    let size = size.max(1);
    let count = elements.len().div_ceil(size);
    if count < 2 || !is_worth(operations) {
        let mut scratch = scratch();
        return elements.chunks_mut(size).enumerate().for_each(|(i, chunk)| run(&mut scratch, i, chunk));
    }
    let pool = Pool::current();
    let with_pool = || {
        let entered = Pool::enter(&pool);
        (scratch(), entered) // dropped in this order: scratch goes back to the pool
    };
    let chunks = elements.par_chunks_mut(size).with_min_len(least(count, operations)).enumerate();
    chunks.for_each_init(with_pool, |(scratch, _), (i, chunk)| run(scratch, i, chunk));
}

/// [`chunks`] of two arrays together: as many of each.
pub fn pairs_of_chunks<A: Send, B: Send>(
    (a, b): (&mut [A], &mut [B]),
    [of_a, of_b]: [usize; 2],
    operations: usize,
    run: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let (of_a, of_b) = (of_a.max(1), of_b.max(1));
    let count = a.len().div_ceil(of_a);
    if count < 2 || !is_worth(operations) {
        return a.chunks_mut(of_a).zip(b.chunks_mut(of_b)).enumerate().for_each(|(i, (a, b))| run(i, a, b));
    }
    let pool = Pool::current();
    let pairs = a.par_chunks_mut(of_a).zip(b.par_chunks_mut(of_b)).with_min_len(least(count, operations)).enumerate();
    pairs.for_each_init(|| Pool::enter(&pool), |_, (i, (a, b))| run(i, a, b));
}

/// `make(0), make(1), ..`, in order.
pub fn map<T: Send>(count: usize, operations: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if count < 2 || !is_worth(operations) {
        return (0..count).map(make).collect();
    }
    let pool = Pool::current();
    let indices = (0..count).into_par_iter().with_min_len(least(count, operations));
    indices.map_init(|| Pool::enter(&pool), |_, i| make(i)).collect()
}

/// What two pieces of work make, side by side if their `operations` are worth it.
pub fn both<A: Send, B: Send>(operations: usize, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    if !is_worth(operations) {
        return (a(), b());
    }
    let pool = Pool::current();
    let entered = &pool;
    rayon::join(
        || {
            let _entered = Pool::enter(entered);
            a()
        },
        || {
            let _entered = Pool::enter(entered);
            b()
        },
    )
}

/// How many of `count` units are handed over together at the least.
fn least(count: usize, operations: usize) -> usize {
    (count * PART).div_ceil(operations.max(1)).max(1)
}
