//! Memory for arrays, used again: what one training step frees the next one takes.
//!
//! Fresh memory costs more than most elementwise operations do with it: the system hands it out page by page, zeroed. A
//! training step needs the same arrays as the one before, so after the first it allocates none.

use ndarray::{Array, Dimension};
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Shorter arrays are left to the allocator, which is good at them.
const LEAST_BYTES: usize = 4096;

/// Memory of one element type.
#[derive(Debug)]
struct Shelf<T> {
    /// By capacity.
    free: BTreeMap<usize, Vec<Vec<T>>>,
    /// How many of each capacity are in use. Memory that did not come from here is not kept: nobody would ask for it,
    /// and it would pile up.
    lent: HashMap<usize, usize>,
}

impl<T: Element> Shelf<T> {
    fn new() -> Self {
        Self { free: BTreeMap::new(), lent: HashMap::new() }
    }

    fn take(&mut self, len: usize) -> Vec<T> {
        // Up to twice what is wanted: the last, smaller batch of an epoch shall use what the others left.
        let found = self.free.range_mut(len..=2 * len).find_map(|(_, buffers)| buffers.pop());
        let buffer = match found {
            Some(mut buffer) => {
                buffer.resize(len, T::default());
                buffer
            }
            None => vec![T::default(); len],
        };
        *self.lent.entry(buffer.capacity()).or_default() += 1;
        buffer
    }

    fn put(&mut self, buffer: Vec<T>) {
        let capacity = buffer.capacity();
        if let Some(lent) = self.lent.get_mut(&capacity).filter(|lent| **lent > 0) {
            *lent -= 1;
            self.free.entry(capacity).or_default().push(buffer);
        }
    }
}

/// What arrays hold.
pub trait Element: Copy + Default + Send + 'static {}

impl<T: Copy + Default + Send + 'static> Element for T {}

/// Each element type's [`Shelf`].
static SHELVES: LazyLock<Mutex<HashMap<TypeId, Box<dyn Any + Send>>>> = LazyLock::new(Mutex::default);

/// Runs `visit` on the shelf of `T`.
fn with_shelf<T: Element, R>(visit: impl FnOnce(&mut Shelf<T>) -> R) -> R {
    // A panic elsewhere leaves a shelf as whole as it was.
    let mut shelves = SHELVES.lock().unwrap_or_else(PoisonError::into_inner);
    let shelf = shelves.entry(TypeId::of::<T>()).or_insert_with(|| Box::new(Shelf::<T>::new()));
    match shelf.downcast_mut() {
        Some(shelf) => visit(shelf),
        None => visit(&mut Shelf::new()), // the entry of T is a shelf of T
    }
}

/// `len` elements of whatever values, to be overwritten: those of an array that was recycled, or zeros.
pub fn stale<T: Element>(len: usize) -> Vec<T> {
    if len * size_of::<T>() < LEAST_BYTES {
        return vec![T::default(); len];
    }
    with_shelf(|shelf: &mut Shelf<T>| shelf.take(len))
}

/// `len` zeros.
pub fn zeros<T: Element>(len: usize) -> Vec<T> {
    let mut buffer = stale(len);
    buffer.fill(T::default());
    buffer
}

/// What an iterator gives, as many as it says it will; more are taken too.
pub fn collect<T: Element>(elements: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut elements = elements.into_iter();
    let mut buffer = stale(elements.size_hint().0);
    let filled = buffer.iter_mut().zip(&mut elements).map(|(to, element)| *to = element).count();
    buffer.truncate(filled);
    buffer.extend(elements);
    buffer
}

/// Keeps the memory of an array that nobody needs any more.
pub fn recycle<T: Element, D: Dimension>(array: Array<T, D>) {
    recycle_elements(array.into_raw_vec_and_offset().0);
}

/// As [`recycle`].
pub fn recycle_elements<T: Element>(elements: Vec<T>) {
    if elements.capacity() * size_of::<T>() >= LEAST_BYTES {
        with_shelf(|shelf: &mut Shelf<T>| shelf.put(elements));
    }
}

/// Gives all free memory back to the system.
pub fn clear() {
    SHELVES.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Elements that are recycled when they are dropped: scratch, and what ops save.
#[derive(Debug)]
pub struct Buffer<T: Element>(Vec<T>);

impl<T: Element> Buffer<T> {
    /// As [`stale`].
    pub fn stale(len: usize) -> Self {
        Self(stale(len))
    }

    /// As [`zeros`].
    pub fn zeros(len: usize) -> Self {
        Self(zeros(len))
    }
}

impl<T: Element> FromIterator<T> for Buffer<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(collect(elements))
    }
}

impl<T: Element> Drop for Buffer<T> {
    fn drop(&mut self) {
        recycle_elements(std::mem::take(&mut self.0));
    }
}

impl<T: Element> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Element> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
