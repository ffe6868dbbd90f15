//! The memory that a run uses again is its own.

use gdstar::kernel::{self, Kernel, Pool, Window, buffer};
use ndarray::Array4;

/// Long enough that no allocator hands the same memory out by chance while it is held.
const LEN: usize = 1 << 16;

/// Where an array of a pool lies, once it was taken and given back.
fn place(pool: &Pool) -> *const f32 {
    pool.install(|| {
        let array = buffer::stale::<f32>(LEN);
        let place = array.as_ptr();
        buffer::recycle_elements(array);
        place
    })
}

/// What a run gives back it takes again, and no other run does; within one another, too.
#[test]
fn runs_do_not_see_each_others_memory() {
    let (one, other) = (Pool::new(), Pool::new());
    let (first, second) = (place(&one), place(&other));
    assert_ne!(first, second);
    assert_eq!((place(&one), place(&other)), (first, second));
    let inner = one.install(|| place(&other));
    assert_eq!(inner, second);
    one.install(|| {
        assert_eq!(place(&other), second);
        assert_eq!(place(&Pool::current().unwrap()), first);
    });
    assert!(Pool::current().is_none());
}

/// Memory of one pool that is given back to another is not kept there: nobody would ask for it.
#[test]
fn memory_goes_back_where_it_came_from_or_to_the_system() {
    let (one, other) = (Pool::new(), Pool::new());
    let mut array = one.install(|| buffer::stale::<f32>(LEN));
    array.fill(1.0);
    let fresh = other.install(|| {
        buffer::recycle_elements(array);
        buffer::stale::<f32>(LEN)
    });
    assert!(fresh.iter().all(|&x| x == 0.0));
}

/// A panic in the work leaves its thread without the pool.
#[test]
fn a_panic_leaves_the_pool() {
    let pool = Pool::new();
    let panics = || pool.install(|| std::panic::resume_unwind(Box::new(())));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    assert!(Pool::current().is_none());
}

/// Two runs at a time on the same threads: each finds what it left, whichever thread it left it on.
#[test]
fn shared_work_takes_its_memory_from_the_pool_of_its_run() {
    let x = Array4::from_shape_fn((32, 16, 12, 12), |(n, c, y, x)| ((n + 3 * c + 5 * y + 7 * x) % 11) as f32);
    let w = Array4::from_shape_fn((16, 16, 3, 3), |(o, c, y, x)| ((o + c + y + x) % 5) as f32);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let run = |pool: &Pool| {
        pool.install(|| {
            for _ in 0..20 {
                let y = kernel::conv2d(Kernel::Fast, Window::PLAIN, x.view(), w.view());
                let dw =
                    kernel::conv2d_weight_gradient(Kernel::Fast, Window::PLAIN, x.view(), y.view(), [16, 16, 3, 3]);
                buffer::recycle(y);
                buffer::recycle(dw);
                assert!(Pool::current().is_some());
            }
        });
    };
    let pools = [Pool::new(), Pool::new()];
    threads.install(|| rayon::join(|| run(&pools[0]), || run(&pools[1])));
    // Nothing is left on the threads.
    assert!(threads.broadcast(|_| Pool::current().is_none()).into_iter().all(|none| none));
    assert_ne!(place(&pools[0]), place(&pools[1]));
}
