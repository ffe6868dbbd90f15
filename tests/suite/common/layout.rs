//! Arrays with the same elements in awkward places: permuted, reversed and stepped axes.

use ndarray::{Array, ArrayBase, ArrayView, Axis, Dimension, IxDyn, RawData, Slice};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// How logical axis `i` lies in memory.
#[derive(Debug, Clone)]
struct Layout {
    /// Memory axis `i` holds logical axis `order[i]`.
    order: Vec<usize>,
    /// Every `step[i]`-th element of memory axis `i`, backwards if negative.
    step: Vec<isize>,
}

impl Layout {
    fn random(rng: &mut ChaCha8Rng, rank: usize) -> Self {
        let mut order: Vec<usize> = (0..rank).collect();
        order.shuffle(rng);
        let step = (0..rank).map(|_| [1, 1, 1, -1, 2, -3][rng.random_range(0..6)]).collect();
        Self { order, step }
    }

    /// The logical array within `memory`.
    fn arrange<S: RawData>(&self, mut memory: ArrayBase<S, IxDyn>) -> ArrayBase<S, IxDyn> {
        for (axis, &step) in self.step.iter().enumerate() {
            memory.slice_axis_inplace(Axis(axis), Slice::new(0, None, step));
        }
        let mut memory_axis = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(memory, &logical)| memory_axis[logical] = memory);
        memory.permuted_axes(memory_axis)
    }
}

/// An array stored in a random layout; the memory between its elements holds `filler`.
#[derive(Debug, Clone)]
pub struct Scattered<T> {
    memory: Array<T, IxDyn>,
    layout: Layout,
}

impl<T: Copy> Scattered<T> {
    pub fn new<D: Dimension>(rng: &mut ChaCha8Rng, elements: &Array<T, D>, filler: T) -> Self {
        Self::stored(Layout::random(rng, elements.ndim()), elements, filler)
    }

    /// Pixels, then channels, then samples: `[h][w][c][n]` for `[n,c,h,w]`, `[c][n]` for `[n,c]`, without gaps.
    pub fn batch_innermost<D: Dimension>(elements: &Array<T, D>, filler: T) -> Self {
        let rank = elements.ndim();
        let order = (2..rank).chain((0..rank.min(2)).rev()).collect();
        Self::stored(Layout { order, step: vec![1; rank] }, elements, filler)
    }

    fn stored<D: Dimension>(layout: Layout, elements: &Array<T, D>, filler: T) -> Self {
        let shape: Vec<usize> = (layout.order.iter().zip(&layout.step))
            .map(|(&axis, step)| elements.len_of(Axis(axis)) * step.unsigned_abs())
            .collect();
        let mut memory = Array::from_elem(shape, filler);
        layout.arrange(memory.view_mut()).assign(&elements.view().into_dyn());
        Self { memory, layout }
    }

    /// The elements, in their own shape.
    pub fn view<D: Dimension>(&self) -> ArrayView<'_, T, D> {
        self.layout.arrange(self.memory.view()).into_dimensionality().expect("the rank it was made with")
    }
}
