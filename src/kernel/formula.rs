//! Formulas of one number or of two, worked out element by element. Each is a kernel of its own, named as its formula
//! is: [`formula_values`] and [`formula_gradients`] are called with a type, which a back end can tell from others.

use super::broadcast::{self, broadcast_sum};
use super::{Argument, Kernel, List, flat, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};

/// y = f(x), or y = f(a, b), and its derivative.
///
/// Both functions must be marked `#[inline(always)]`: they are compiled into loops for the CPU's widest vectors.
pub trait Formula: Copy + Send + Sync + 'static {
    /// What the kernel is called.
    const NAME: &'static str;
    /// [`One`] number or [`Two`].
    type Inputs: Inputs;

    /// y. With two inputs, x is `(a, b)`.
    fn value<S: Scalar>(self, x: Of<Self, S>) -> S;

    /// dx, the derivative applied to dy: one number for each input. `read` is what the derivative is told of: the
    /// inputs, or y in the place of each, or any numbers at all, as the op says that has the formula.
    fn gradient<S: Scalar>(self, read: Of<Self, S>, dy: S) -> Of<Self, S>;
}

/// A `T` for each input of a formula: `T` or `(T, T)`.
pub type Of<F, T> = <<F as Formula>::Inputs as Inputs>::Of<T>;

/// How many inputs a formula has.
pub trait Inputs: 'static {
    const COUNT: usize;
    /// A `T` for each.
    type Of<T: Copy>: Copy;

    /// What `f` gives for each.
    fn from_fn<T: Copy>(f: impl FnMut(usize) -> T) -> Self::Of<T>;

    /// As [`formula_values`].
    fn values<F: Formula<Inputs = Self>, S: Scalar>(kernel: Kernel, f: F, inputs: &mut [Argument<S>]) -> ArrayD<S>;

    /// As [`formula_gradients`].
    fn gradients<F: Formula<Inputs = Self>, S: Scalar>(
        kernel: Kernel,
        f: F,
        shapes: &[&[usize]],
        read: &[ArrayViewD<S>],
        dy: &mut Argument<S>,
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>>;
}

/// y for every element of the inputs, which broadcast against each other: over the first input, where that can be.
pub fn formula_values<F: Formula, S: Scalar>(kernel: Kernel, f: F, inputs: &mut [Argument<S>]) -> ArrayD<S> {
    F::Inputs::values(kernel, f, inputs)
}

/// The gradient of each input that is `wanted`, of these shapes: dx summed over the axes that were repeated for it (the
/// first axis first, each in increasing index, in [`Scalar::Wide`], rounded once). The last may be written over dy.
///
/// `read` holds what the derivative is told of, one array an input; or is empty, if it looks at none.
pub fn formula_gradients<F: Formula, S: Scalar>(
    kernel: Kernel,
    f: F,
    shapes: &[&[usize]],
    read: &[ArrayViewD<S>],
    dy: &mut Argument<S>,
    wanted: &[bool],
) -> List<Option<ArrayD<S>>> {
    F::Inputs::gradients(kernel, f, shapes, read, dy, wanted)
}

/// One input: x.
#[derive(Debug, Clone, Copy)]
pub struct One;

impl Inputs for One {
    const COUNT: usize = 1;
    type Of<T: Copy> = T;

    fn from_fn<T: Copy>(mut f: impl FnMut(usize) -> T) -> T {
        f(0)
    }

    fn values<F: Formula<Inputs = Self>, S: Scalar>(kernel: Kernel, f: F, inputs: &mut [Argument<S>]) -> ArrayD<S> {
        flat::zip(kernel, std::mem::take(&mut inputs[0]), [], |x, []| f.value(x))
    }

    fn gradients<F: Formula<Inputs = Self>, S: Scalar>(
        kernel: Kernel,
        f: F,
        _: &[&[usize]],
        read: &[ArrayViewD<S>],
        dy: &mut Argument<S>,
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let dx = || match read {
            [] => flat::zip(kernel, std::mem::take(dy), [], |dy, []| f.gradient(S::ZERO, dy)),
            [read, ..] => flat::zip(kernel, std::mem::take(dy), [read.view()], |dy, [read]| f.gradient(read, dy)),
        };
        list![wanted[0].then(dx)]
    }
}

/// Two inputs, a and b, that broadcast against each other.
#[derive(Debug, Clone, Copy)]
pub struct Two;

impl Inputs for Two {
    const COUNT: usize = 2;
    type Of<T: Copy> = (T, T);

    fn from_fn<T: Copy>(mut f: impl FnMut(usize) -> T) -> (T, T) {
        (f(0), f(1))
    }

    fn values<F: Formula<Inputs = Self>, S: Scalar>(kernel: Kernel, f: F, inputs: &mut [Argument<S>]) -> ArrayD<S> {
        let joined = broadcast::joined_shape(inputs.iter().map(|x| x.shape())).unwrap_or_default();
        let (a, b) = inputs.split_at_mut(1);
        let (a, b) = (&mut a[0], b[0].broadcast(joined.as_slice()).expect("shapes that broadcast"));
        if a.shape() == joined.as_slice() {
            return flat::zip(kernel, std::mem::take(a), [b], |a, [b]| f.value((a, b)));
        }
        let a = a.broadcast(joined.as_slice()).expect("shapes that broadcast");
        flat::zip(kernel, a.into(), [b], |a, [b]| f.value((a, b)))
    }

    fn gradients<F: Formula<Inputs = Self>, S: Scalar>(
        kernel: Kernel,
        f: F,
        shapes: &[&[usize]],
        read: &[ArrayViewD<S>],
        dy: &mut Argument<S>,
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let mut gradients = list![None, None];
        let is_dy_long = |i: &usize| wanted[*i] && shapes[*i] == dy.shape();
        let last = (0..Self::COUNT).rev().find(is_dy_long);
        let gradient = |i: usize, dy: Argument<S>| match i {
            0 => gradient::<F, S, 0>(kernel, f, shapes[i], read, dy),
            _ => gradient::<F, S, 1>(kernel, f, shapes[i], read, dy),
        };
        for i in (0..Self::COUNT).filter(|&i| wanted[i] && Some(i) != last) {
            gradients[i] = Some(gradient(i, dy.view().into()));
        }
        if let Some(i) = last {
            gradients[i] = Some(gradient(i, std::mem::take(dy)));
        }
        gradients
    }
}

/// The gradient of input `I` of two, which has this shape. (A constant, so that no loop reads the operand that it does
/// not need.)
fn gradient<F: Formula<Inputs = Two>, S: Scalar, const I: usize>(
    kernel: Kernel,
    f: F,
    shape: &[usize],
    read: &[ArrayViewD<S>],
    dy: Argument<S>,
) -> ArrayD<S> {
    let operands = match read {
        [a, b] => Some([a, b].map(|x| x.broadcast(dy.raw_dim()).expect("shapes that broadcast"))),
        _ => None,
    };
    let of = |(of_a, of_b): (S, S)| if I == 0 { of_a } else { of_b };
    let of_wide = |(of_a, of_b): (S::Wide, S::Wide)| if I == 0 { of_a } else { of_b };
    match operands {
        None if shape == dy.shape() => flat::zip(kernel, dy, [], |dy, []| of(f.gradient((S::ZERO, S::ZERO), dy))),
        Some(ab) if shape == dy.shape() => flat::zip(kernel, dy, ab, |dy, [a, b]| of(f.gradient((a, b), dy))),
        None => broadcast_sum(kernel, shape, dy, [], |dy, []| of_wide(f.gradient((S::Wide::ZERO, S::Wide::ZERO), dy))),
        Some(ab) => broadcast_sum(kernel, shape, dy, ab, |dy, [a, b]| of_wide(f.gradient((a, b), dy))),
    }
}
