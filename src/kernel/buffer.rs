//! Arrays and lists whose memory is used again: taken from the [`Pool`] of the work under way, and given back to it.

pub use super::pool::Element;
use super::pool::{Pool, Shelf};
use ndarray::{Array, ArrayD, ArrayView, Dimension};
use std::ops::{Deref, DerefMut};

/// `len` elements of whatever values, to be overwritten: those of an array that was recycled, or zeros.
pub fn stale<T: Element>(len: usize) -> Vec<T> {
    if len == 0 {
        return Vec::new();
    }
    match Pool::visit(|shelf: &mut Shelf<T>| shelf.take(len)) {
        Some(mut buffer) => {
            buffer.resize(len, T::default());
            buffer
        }
        None => vec![T::default(); len],
    }
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
        Pool::visit(|shelf: &mut Shelf<T>| shelf.put(elements));
    }
}

/// What was given to [`keep`] last, or a new one: for lists that grow, of anything.
pub fn reuse<T: Default + Send + 'static>() -> T {
    Pool::visit(|kept: &mut Vec<T>| kept.pop()).flatten().unwrap_or_default()
}

/// Keeps what came from [`reuse`], emptied, for the memory that it holds.
pub fn keep<T: Send + 'static>(emptied: T) {
    Pool::visit(|kept: &mut Vec<T>| kept.push(emptied));
}

/// Gives all idle memory of the current pool back to the system.
pub fn clear() {
    if let Some(pool) = Pool::current() {
        pool.clear();
    }
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
