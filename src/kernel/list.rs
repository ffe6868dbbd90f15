//! Short lists that take no memory of their own.

use smallvec::SmallVec;

pub use smallvec::smallvec as list;

/// A short list, such as an op's inputs or outputs: up to six lie where the list does, and take no memory of their own
/// (batch norm has five inputs). [`list!`] makes one.
pub type List<T> = SmallVec<[T; 6]>;

/// The extents of an array, the slowest axis first.
pub type Shape = List<usize>;
