//! A linear layer is a convolution of images of one pixel, and Literal takes it for one: each sum has the products, the order and
//! the bits of its pixel in a larger image.

use gdstar::kernel::{Kernel, Window, conv2d_input_gradient, conv2d_weight_gradient, conv2d_with_bias};
use gdstar::scalar::Scalar;
use ndarray::{Array1, Array4, ArrayView4, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn bits<S: Scalar>(array: ArrayView4<S>) -> Vec<u64> {
    array.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn is_one_pixel_of_two<S: Scalar>() {
    const LITERAL: Kernel = Kernel::Literal;
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut drawn = || S::from_f64(rng.random_range(-1.0..1.0));
    let (n, c, o) = (5, 7, 3);
    let x = Array4::from_shape_simple_fn([n, c, 1, 2], &mut drawn);
    let w = Array4::from_shape_simple_fn([o, c, 1, 1], &mut drawn);
    let bias = Array1::from_shape_simple_fn(o, &mut drawn);
    let mut dy = Array4::from_shape_simple_fn([n, o, 1, 2], &mut drawn);
    dy.slice_mut(s![.., .., .., 1]).fill(S::ZERO);
    let first = s![.., .., .., ..1];

    let y = conv2d_with_bias(LITERAL, Window::PLAIN, x.view(), w.view(), Some(bias.view()));
    let y_1 = conv2d_with_bias(LITERAL, Window::PLAIN, x.slice(first), w.view(), Some(bias.view()));
    assert_eq!(bits(y.slice(first)), bits(y_1.view()), "y in {}", S::NAME);
    let dx = conv2d_input_gradient(LITERAL, Window::PLAIN, dy.view(), w.view(), [n, c, 1, 2]);
    let dx_1 = conv2d_input_gradient(LITERAL, Window::PLAIN, dy.slice(first), w.view(), [n, c, 1, 1]);
    assert_eq!(bits(dx.slice(first)), bits(dx_1.view()), "dx in {}", S::NAME);
    let dw = conv2d_weight_gradient(LITERAL, Window::PLAIN, x.view(), dy.view(), [o, c, 1, 1]);
    let dw_1 = conv2d_weight_gradient(LITERAL, Window::PLAIN, x.slice(first), dy.slice(first), [o, c, 1, 1]);
    assert_eq!(bits(dw.view()), bits(dw_1.view()), "dw in {}", S::NAME);
}

#[test]
fn a_linear_layer_has_the_bits_of_a_convolution() {
    is_one_pixel_of_two::<f32>();
    is_one_pixel_of_two::<f64>();
}
