//! The kernels that are sums of products, each in two forms behind one dispatch point.

use super::{Kernel, OnHost, Pattern, Window, fast, literal};
use crate::scalar::Scalar;
use ndarray::{Array1, Array2, Array4, ArrayView1, ArrayView2, ArrayView4, Axis};

/// Images `[n,c,h,w]` from elements in batch-innermost order, (h, w, c, n): what [`Kernel::Fast`] makes, and reads fastest.
///
/// # Panics
/// Unless there are as many elements as the shape holds.
pub fn images<S: Scalar>(shape: [usize; 4], elements: Vec<S>) -> Array4<S> {
    fast::images(shape, elements)
}

/// `a b`: a `[m,k]`, b `[k,n]` -> `[m,n]`; any strides. The inner dimensions must agree (the ops check).
pub fn matmul<S: Scalar>(kernel: Kernel, a: ArrayView2<S>, b: ArrayView2<S>) -> Array2<S> {
    matmul_with_bias(kernel, a, b, None)
}

/// [`matmul`] plus `bias[j]` in every row of column j, inside the same sum: one rounding fewer than adding it after.
pub fn matmul_with_bias<S: Scalar>(
    kernel: Kernel,
    a: ArrayView2<S>,
    b: ArrayView2<S>,
    bias: Option<ArrayView1<S>>,
) -> Array2<S> {
    match kernel.on_host() {
        OnHost::Literal => literal::matmul(a, b, bias),
        OnHost::Fast => fast::matmul(a, b, bias),
    }
}

/// `y = x w^T + b`: x `[n,in]`, w `[out,in]`, b `[out]` -> y `[n,out]`.
pub fn linear<S: Scalar>(kernel: Kernel, x: ArrayView2<S>, w: ArrayView2<S>, bias: Option<ArrayView1<S>>) -> Array2<S> {
    match kernel.on_host() {
        OnHost::Literal => literal::matmul(x, w.t(), bias),
        OnHost::Fast => matrix(fast::conv2d(Window::PLAIN, one_pixel(x), one_pixel(w), bias)),
    }
}

/// The adjoint of [`linear`] in x: dy `[n,out]`, w `[out,in]` -> `[n,in]`.
pub fn linear_input_gradient<S: Scalar>(kernel: Kernel, dy: ArrayView2<S>, w: ArrayView2<S>) -> Array2<S> {
    match kernel.on_host() {
        OnHost::Literal => literal::matmul(dy, w, None),
        OnHost::Fast => {
            let x_shape = [dy.nrows(), w.ncols(), 1, 1];
            matrix(fast::conv2d_input_gradient(Window::PLAIN, one_pixel(dy), one_pixel(w), x_shape))
        }
    }
}

/// The adjoint of [`linear`] in w: x `[n,in]`, dy `[n,out]` -> `[out,in]`.
pub fn linear_weight_gradient<S: Scalar>(kernel: Kernel, x: ArrayView2<S>, dy: ArrayView2<S>) -> Array2<S> {
    match kernel.on_host() {
        OnHost::Literal => literal::matmul(dy.t(), x, None),
        OnHost::Fast => {
            let w_shape = [dy.ncols(), x.ncols(), 1, 1];
            matrix(fast::conv2d_weight_gradient(Window::PLAIN, one_pixel(x), one_pixel(dy), w_shape))
        }
    }
}

/// A matrix as images of one pixel: a linear layer is a convolution of these.
fn one_pixel<S: Scalar>(matrix: ArrayView2<'_, S>) -> ArrayView4<'_, S> {
    matrix.insert_axis(Axis(2)).insert_axis(Axis(3))
}

/// Images of one pixel as a matrix.
fn matrix<S: Scalar>(images: Array4<S>) -> Array2<S> {
    images.remove_axis(Axis(3)).remove_axis(Axis(2))
}

/// Whether a convolution is a linear layer. Literal's sums are the same then, product by product, and [`linear`]'s loops run over
/// many of them where a plane has one.
fn is_linear(window: Window, x: (usize, usize, usize, usize), w: (usize, usize, usize, usize)) -> bool {
    (x.2, x.3, w.2, w.3) == (1, 1, 1, 1) && window.padding == [0, 0] && window.groups == 1
}

/// The first pixel of every image.
fn pixel<S: Scalar>(images: ArrayView4<'_, S>) -> ArrayView2<'_, S> {
    images.index_axis_move(Axis(3), 0).index_axis_move(Axis(2), 0)
}

/// A matrix as images of one pixel.
fn one_pixel_each<S: Scalar>(matrix: Array2<S>) -> Array4<S> {
    matrix.insert_axis(Axis(2)).insert_axis(Axis(3))
}

/// Convolution (cross-correlation, as in every framework): x `[n,c,h,w]`, w `[o,c/groups,kh,kw]` -> `[n,o,oh,ow]`.
/// The shapes must fit each other and the window (the ops check).
pub fn conv2d<S: Scalar>(kernel: Kernel, window: Window, x: ArrayView4<S>, w: ArrayView4<S>) -> Array4<S> {
    conv2d_with_bias(kernel, window, x, w, None)
}

/// [`conv2d`] plus `bias[o]` in every pixel of channel o, inside the same sum.
pub fn conv2d_with_bias<S: Scalar>(
    kernel: Kernel,
    window: Window,
    x: ArrayView4<S>,
    w: ArrayView4<S>,
    bias: Option<ArrayView1<S>>,
) -> Array4<S> {
    match kernel.on_host() {
        OnHost::Literal if is_linear(window, x.dim(), w.dim()) => {
            one_pixel_each(linear(kernel, pixel(x), pixel(w), bias))
        }
        OnHost::Literal => literal::conv2d(window, x, w, bias),
        OnHost::Fast => fast::conv2d(window, x, w, bias),
    }
}

/// The adjoint of [`conv2d`] in x: dy `[n,o,oh,ow]`, w `[o,c/groups,kh,kw]` -> `[n,c,h,w]` of `x_shape`.
pub fn conv2d_input_gradient<S: Scalar>(
    kernel: Kernel,
    window: Window,
    dy: ArrayView4<S>,
    w: ArrayView4<S>,
    x_shape: [usize; 4],
) -> Array4<S> {
    match kernel.on_host() {
        OnHost::Literal if is_linear(window, x_shape.into(), w.dim()) => {
            one_pixel_each(linear_input_gradient(kernel, pixel(dy), pixel(w)))
        }
        OnHost::Literal => literal::conv2d_input_gradient(window, dy, w, x_shape),
        OnHost::Fast => fast::conv2d_input_gradient(window, dy, w, x_shape),
    }
}

/// The adjoint of [`conv2d`] in w: x `[n,c,h,w]`, dy `[n,o,oh,ow]` -> `[o,c/groups,kh,kw]` of `w_shape`.
pub fn conv2d_weight_gradient<S: Scalar>(
    kernel: Kernel,
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    w_shape: [usize; 4],
) -> Array4<S> {
    match kernel.on_host() {
        OnHost::Literal if is_linear(window, x.dim(), w_shape.into()) => {
            one_pixel_each(linear_weight_gradient(kernel, pixel(x), pixel(dy)))
        }
        OnHost::Literal => literal::conv2d_weight_gradient(window, x, dy, w_shape),
        OnHost::Fast => fast::conv2d_weight_gradient(window, x, dy, w_shape),
    }
}

/// The gradient of a bias that is added per channel: dy `[n,o,oh,ow]` -> db `[o]`,
/// `db_o = sum_n sum_y sum_x dy[n,o,y,x]`, in the accumulator.
pub fn channel_sums<S: Scalar>(kernel: Kernel, dy: ArrayView4<S>) -> Array1<S> {
    match kernel.on_host() {
        OnHost::Literal => literal::channel_sums(dy),
        OnHost::Fast => fast::channel_sums(dy),
    }
}

/// [`conv2d_with_bias`] with a weight of which only the entries of a pattern live, w = (pattern, values `[nnz]`):
/// x `[n,c,h,w]` -> `[n,o,oh,ow]`. By definition the product with the weight's dense form.
pub fn sparse_conv2d<S: Scalar>(
    kernel: Kernel,
    window: Window,
    x: ArrayView4<S>,
    w: (&Pattern, &[S]),
    bias: Option<ArrayView1<S>>,
) -> Array4<S> {
    let by_definition = || conv2d_with_bias(kernel, window, x, dense(w).view(), bias);
    match kernel.on_host() {
        OnHost::Literal => by_definition(),
        OnHost::Fast => fast::sparse_conv2d(window, x, w, bias).unwrap_or_else(by_definition),
    }
}

/// The adjoint of [`sparse_conv2d`] in x: dy `[n,o,oh,ow]`, w = (pattern, values `[nnz]`) -> `[n,c,h,w]` of `x_shape`.
/// By definition [`conv2d_input_gradient`] with the weight's dense form.
pub fn sparse_conv2d_input_gradient<S: Scalar>(
    kernel: Kernel,
    window: Window,
    dy: ArrayView4<S>,
    w: (&Pattern, &[S]),
    x_shape: [usize; 4],
) -> Array4<S> {
    let by_definition = || conv2d_input_gradient(kernel, window, dy, dense(w).view(), x_shape);
    match kernel.on_host() {
        OnHost::Literal => by_definition(),
        OnHost::Fast => fast::sparse_conv2d_input_gradient(window, dy, w, x_shape).unwrap_or_else(by_definition),
    }
}

/// The adjoint of [`sparse_conv2d`] in the values: x `[n,c,h,w]`, dy `[n,o,oh,ow]` -> `[nnz]`. By definition
/// [`conv2d_weight_gradient`], sampled at the living entries.
pub fn sparse_conv2d_weight_gradient<S: Scalar>(
    kernel: Kernel,
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    pattern: &Pattern,
) -> Array1<S> {
    let by_definition = || {
        let dw = conv2d_weight_gradient(kernel, window, x, dy, pattern.filters());
        let dw = dw.as_standard_layout();
        pattern.gather(dw.as_slice().unwrap_or_default()).into()
    };
    match kernel.on_host() {
        OnHost::Literal => by_definition(),
        OnHost::Fast => fast::sparse_conv2d_weight_gradient(window, x, dy, pattern).unwrap_or_else(by_definition),
    }
}

/// The weight `[o,c,kh,kw]` with these values.
fn dense<S: Scalar>((pattern, values): (&Pattern, &[S])) -> Array4<S> {
    let w = pattern.scatter(values);
    w.into_shape_with_order(pattern.filters()).expect("a pattern's weight has two or four extents")
}
