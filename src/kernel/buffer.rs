//! Memory for arrays, used again: what one training step frees the next one takes.
//!
//! Fresh memory costs more than most elementwise operations do with it: the system hands it out page by page, zeroed. A
//! training step needs the same memory as the one before, so after the first few it allocates none. That holds for short
//! arrays too: one lock and one look at a list of capacities cost no more than the allocator does.

use ndarray::{Array, ArrayD, ArrayView, Dimension};
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Memory of one element type, in the order of its capacity. (A list, not a tree: a network has few sizes, and the code of
/// a tree would be compiled for each of dozens of element types.)
#[derive(Debug)]
struct Shelf<T>(Vec<Slot<T>>);

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
    fn take(&mut self, len: usize) -> Vec<T> {
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

    fn put(&mut self, buffer: Vec<T>) {
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

/// What arrays hold.
pub trait Element: Copy + Default + Send + 'static {}

impl<T: Copy + Default + Send + 'static> Element for T {}

/// What is kept: of each type one collection, a [`Shelf`] of elements or a `Vec` of what [`keep`] was given.
static KEPT: Mutex<BTreeMap<TypeId, Box<dyn Any + Send>>> = Mutex::new(BTreeMap::new());

/// Runs `visit` on the one `C` that is kept.
fn with_kept<C: Default + Send + 'static, R>(visit: impl FnOnce(&mut C) -> R) -> R {
    // A panic elsewhere leaves a collection as whole as it was.
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let collection = kept.entry(TypeId::of::<C>()).or_insert_with(|| Box::new(C::default()));
    match collection.downcast_mut() {
        Some(collection) => visit(collection),
        None => visit(&mut C::default()), // the entry of C is a C
    }
}

/// `len` elements of whatever values, to be overwritten: those of an array that was recycled, or zeros.
pub fn stale<T: Element>(len: usize) -> Vec<T> {
    if len == 0 {
        return Vec::new();
    }
    let mut buffer = with_kept(|shelf: &mut Shelf<T>| shelf.take(len));
    buffer.resize(len, T::default());
    buffer
}

/// `len` zeros.
pub fn zeros<T: Element>(len: usize) -> Vec<T> {
    let mut buffer = stale(len);
    buffer.fill(T::default());
    buffer
}

/// An array of this shape, row-major, whose elements are all `value`.
pub fn filled<T: Element>(shape: &[usize], value: T) -> ArrayD<T> {
    let mut elements = stale(shape.iter().product());
    elements.fill(value);
    ArrayD::from_shape_vec(shape, elements).expect("as many elements as the shape holds")
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
    if elements.capacity() > 0 {
        with_kept(|shelf: &mut Shelf<T>| shelf.put(elements));
    }
}

/// What was given to [`keep`] last, or a new one: for lists that grow, of anything.
pub fn reuse<T: Default + Send + 'static>() -> T {
    with_kept(|kept: &mut Vec<T>| kept.pop()).unwrap_or_default()
}

/// Keeps what came from [`reuse`], emptied, for the memory that it holds.
pub fn keep<T: Send + 'static>(emptied: T) {
    with_kept(|kept: &mut Vec<T>| kept.push(emptied));
}

/// Gives all free memory back to the system.
pub fn clear() {
    // Dropped when the lock is open again: what is kept may hold a buffer.
    let kept = std::mem::take(&mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner));
    drop(kept);
}

/// Elements that are recycled when they are dropped: scratch, and what ops save.
#[derive(Debug, Default)]
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

    /// An empty list with room for `len` elements.
    pub fn with_room(len: usize) -> Self {
        let mut list = Self::stale(len);
        list.0.clear();
        list
    }

    /// Adds an element at the end. Beyond the room there was, the memory is another, and will not be recycled.
    pub fn push(&mut self, element: T) {
        self.0.push(element);
    }

    /// Keeps the first `len` elements.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

impl<T: Element> From<Vec<T>> for Buffer<T> {
    fn from(elements: Vec<T>) -> Self {
        Self(elements)
    }
}

impl<T: Element> Extend<T> for Buffer<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        self.0.extend(elements);
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

/// Elements that lie side by side: borrowed, or copied there.
#[derive(Debug)]
pub enum Elements<'a, T: Element> {
    Borrowed(&'a [T]),
    Copied(Buffer<T>),
}

impl<'a, T: Element> Elements<'a, T> {
    /// Those of `array`, row-major.
    pub fn of<D: Dimension>(array: ArrayView<'a, T, D>) -> Self {
        let copied = || Self::Copied(array.iter().copied().collect());
        array.to_slice().map_or_else(copied, Self::Borrowed)
    }
}

impl<T: Element> Deref for Elements<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Borrowed(elements) => elements,
            Self::Copied(elements) => elements,
        }
    }
}
