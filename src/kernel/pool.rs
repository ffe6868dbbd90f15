//! [`Pool`]: memory for arrays, used again. What one training step frees the next one takes.
//!
//! Fresh memory costs more than most elementwise operations do with it: the system hands it out page by page, zeroed. A
//! training step needs the same memory as the one before, so after the first few it allocates none. That holds for short
//! arrays too: one lock and one look at a list of capacities cost no more than the allocator does.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

/// Memory that lies idle until it is wanted again. A run owns one, and two runs never see each other's.
///
/// It is not handed from function to function: [`install`](Self::install) has a piece of work, on all threads that it is
/// shared out to, take its arrays from the pool and give them back to it ([`buffer`](super::buffer)). Work without one
/// takes fresh memory. The memory goes back to the system with the last handle of the pool.
#[derive(Debug, Clone, Default)]
pub struct Pool(Arc<Mutex<Kept>>);

/// Of each type one collection: a [`Shelf`] of elements, or a `Vec` of lists that grow.
type Kept = BTreeMap<TypeId, Box<dyn Any + Send>>;

thread_local! {
    /// The pool of the work under way on this thread.
    static CURRENT: RefCell<Option<Pool>> = const { RefCell::new(None) };
}

impl Pool {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pool of the work under way on this thread.
    pub fn current() -> Option<Self> {
        // A thread that ends has none any more.
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Runs `work`, which takes its memory from this pool.
    pub fn install<R>(&self, work: impl FnOnce() -> R) -> R {
        let this = Some(self.clone());
        let _entered = Self::enter(&this);
        work()
    }

    /// Makes `pool` the one of the work on this thread, until the result is dropped.
    pub(crate) fn enter(pool: &Option<Self>) -> Entered {
        let replace = |current: &RefCell<Option<Self>>| {
            let mut current = current.borrow_mut();
            let is_this = match (&*current, pool) {
                (Some(current), Some(pool)) => Arc::ptr_eq(&current.0, &pool.0),
                (None, None) => true,
                _ => false,
            };
            if is_this { None } else { Some(std::mem::replace(&mut *current, pool.clone())) }
        };
        Entered { before: CURRENT.try_with(replace).ok().flatten(), _on_this_thread: PhantomData }
    }

    /// Gives all idle memory back to the system.
    pub fn clear(&self) {
        // Dropped when the lock is open again: what is kept may hold a buffer.
        let kept = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(kept);
    }

    /// Runs `visit` on the one `C` that the current pool keeps; `None` without a pool.
    pub(super) fn visit<C: Default + Send + 'static, R>(visit: impl FnOnce(&mut C) -> R) -> Option<R> {
        let visit = |current: &RefCell<Option<Self>>| {
            let current = current.borrow();
            // A panic elsewhere leaves a collection as whole as it was.
            let mut kept = current.as_ref()?.0.lock().unwrap_or_else(PoisonError::into_inner);
            let collection = kept.entry(TypeId::of::<C>()).or_insert_with(|| Box::new(C::default()));
            collection.downcast_mut().map(visit) // the entry of C is a C
        };
        CURRENT.try_with(visit).ok().flatten()
    }
}

/// While it lives, the work on its thread has a pool ([`Pool::enter`]).
#[must_use]
pub(crate) struct Entered {
    /// What to go back to; `None` where nothing was changed.
    before: Option<Option<Pool>>,
    /// Not `Send`.
    _on_this_thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            // The pool that is left may be the last handle of it, whose memory must not be freed within the borrow.
            let left = CURRENT.try_with(|current| current.replace(before));
            drop(left);
        }
    }
}

/// What arrays hold.
pub trait Element: Copy + Default + Send + 'static {}

impl<T: Copy + Default + Send + 'static> Element for T {}

/// Memory of one element type, in the order of its capacity. (A list, not a tree: a network has few sizes, and the code of
/// a tree would be compiled for each of dozens of element types.)
#[derive(Debug)]
pub(super) struct Shelf<T>(Vec<Slot<T>>);

/// Memory of one capacity.
#[derive(Debug)]
struct Slot<T> {
    capacity: usize,
    free: Vec<Vec<T>>,
    /// How many are in use. Memory that did not come from here is not kept: nobody would ask for it, and it would pile up.
    lent: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Element> Shelf<T> {
    /// Memory that holds `len` elements, whatever its own length is.
    pub fn take(&mut self, len: usize) -> Vec<T> {
        // Up to twice what is wanted: the last, smaller batch of an epoch shall use what the others left.
        let least = self.0.partition_point(|slot| slot.capacity < len);
        let mut large_enough = self.0[least..].iter_mut().take_while(|slot| slot.capacity <= 2 * len);
        let found = large_enough.find_map(|slot| slot.free.pop().inspect(|_| slot.lent += 1));
        found.unwrap_or_else(|| {
            let buffer = vec![T::default(); len];
            let capacity = buffer.capacity();
            match self.slot(capacity) {
                Ok(at) => self.0[at].lent += 1,
                Err(at) => self.0.insert(at, Slot { capacity, free: Vec::new(), lent: 1 }),
            }
            buffer
        })
    }

    pub fn put(&mut self, buffer: Vec<T>) {
        if let Ok(at) = self.slot(buffer.capacity())
            && self.0[at].lent > 0
        {
            self.0[at].lent -= 1;
            self.0[at].free.push(buffer);
        }
    }

    /// Where the slot of a capacity is, or would have to be.
    fn slot(&self, capacity: usize) -> Result<usize, usize> {
        self.0.binary_search_by_key(&capacity, |slot| slot.capacity)
    }
}
