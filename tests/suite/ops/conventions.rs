//! The conventions where a derivative is a choice, each at the exact point where it is made.

use gdstar::kernel::Kernel;
use gdstar::op::{Evaluation, Op, evaluate};
use gdstar::ops::{AvgPool2d, BatchNorm, CrossEntropy, Dropout, MaxPool2d, Relu, Relu6, Sigmoid, Silu};
use gdstar::scalar::Scalar;
use ndarray::{Array, ArrayD, array};

/// Forward and backward in f64 with every upstream gradient 1.
fn with_ones<O: Op>(op: &O, inputs: &[ArrayD<f64>]) -> Evaluation<f64> {
    let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
    let shapes: Vec<_> = inputs.iter().map(|x| x.shape()).collect();
    let ones: Vec<_> = op.out_shapes(&shapes).unwrap().iter().map(|shape| ArrayD::ones(shape.as_slice())).collect();
    let upstream: Vec<_> = ones.iter().map(|dy| Some(dy.view())).collect();
    evaluate(op, Kernel::Literal, &views, &upstream, &vec![true; inputs.len()]).unwrap()
}

fn values<S: Scalar>(x: &ArrayD<S>) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

fn input_gradient(result: &Evaluation<f64>) -> Vec<f64> {
    values(result.gradients[0].as_ref().unwrap())
}

#[test]
fn relu_has_derivative_0_at_0_and_passes_nan() {
    let result = with_ones(&Relu, &[array![0.0, -0.0, f64::MIN_POSITIVE, -f64::MIN_POSITIVE, f64::NAN].into_dyn()]);
    assert_eq!(input_gradient(&result), [0.0, 0.0, 1.0, 0.0, 1.0]);
    assert!(result.outputs[0][4].is_nan());
}

#[test]
fn relu6_has_derivative_0_at_0_and_at_6_and_passes_nan() {
    let below = f64::from_bits(6f64.to_bits() - 1);
    let result = with_ones(&Relu6, &[array![0.0, f64::MIN_POSITIVE, below, 6.0, f64::NAN].into_dyn()]);
    assert_eq!(input_gradient(&result), [0.0, 1.0, 1.0, 0.0, 1.0]);
    assert_eq!(result.outputs[0][2], below);
    assert!(result.outputs[0][4].is_nan());
}

#[test]
fn sigmoid_and_silu_are_smooth_at_0() {
    assert_eq!(input_gradient(&with_ones(&Sigmoid, &[array![0.0, -0.0].into_dyn()])), [0.25, 0.25]);
    assert_eq!(input_gradient(&with_ones(&Silu, &[array![0.0, -0.0].into_dyn()])), [0.5, 0.5]);
}

const PAIRS: MaxPool2d = MaxPool2d { kernel: [1, 2], stride: [1, 1], padding: [0, 0] };

#[test]
fn max_pool_tie_goes_to_the_first_in_row_major_order() {
    let op = MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    let all_equal = with_ones(&op, &[ArrayD::zeros(vec![1, 1, 2, 2])]);
    assert_eq!(input_gradient(&all_equal), [1.0, 0.0, 0.0, 0.0]);
    let row_before_column = with_ones(&op, &[array![[[[0.0, 5.0], [5.0, 0.0]]]].into_dyn()]);
    assert_eq!(input_gradient(&row_before_column), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn max_pool_sums_where_windows_overlap() {
    assert_eq!(input_gradient(&with_ones(&PAIRS, &[array![[[[1.0, 9.0, 2.0]]]].into_dyn()])), [0.0, 2.0, 0.0]);
}

#[test]
fn max_pool_propagates_nan_wherever_it_stands() {
    for at in 0..2 {
        let mut x = ArrayD::from_elem(vec![1, 1, 1, 2], 7.0);
        x[[0, 0, 0, at]] = f64::NAN;
        let result = with_ones(&PAIRS, &[x]);
        assert!(result.outputs[0][[0, 0, 0, 0]].is_nan());
        assert_eq!(input_gradient(&result)[at], 1.0);
    }
}

#[test]
fn max_pool_pads_with_minus_infinity() {
    let op = MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [1, 1] };
    let result = with_ones(&op, &[array![[[[-3.0]]]].into_dyn()]);
    assert_eq!(values(&result.outputs[0]), [-3.0]);
    let lowest = with_ones(&op, &[array![[[[f64::NEG_INFINITY]]]].into_dyn()]);
    assert_eq!((values(&lowest.outputs[0]), input_gradient(&lowest)), (vec![f64::NEG_INFINITY], vec![1.0]));
}

#[test]
fn avg_pool_counts_the_padding_if_told_to() {
    for (count_include_pad, y, dx) in [(true, 2.0, 0.25), (false, 8.0, 1.0)] {
        let op = AvgPool2d { kernel: [2, 2], stride: [2, 2], padding: [1, 1], count_include_pad };
        let result = with_ones(&op, &[array![[[[8.0]]]].into_dyn()]);
        assert_eq!((values(&result.outputs[0]), input_gradient(&result)), (vec![y], vec![dx]));
    }
}

#[test]
fn pooling_leaves_out_windows_that_do_not_fit() {
    let op = MaxPool2d { kernel: [1, 2], stride: [1, 2], padding: [0, 0] };
    assert_eq!(values(&with_ones(&op, &[array![[[[1.0, 2.0, 9.0]]]].into_dyn()]).outputs[0]), [2.0]);
}

#[test]
fn cross_entropy_takes_minus_infinity_as_probability_0() {
    let x = array![[0.0, f64::NEG_INFINITY, 0.0]].into_dyn();
    let result = with_ones(&CrossEntropy::new(vec![0]), std::slice::from_ref(&x));
    assert_eq!(values(&result.outputs[0]), [std::f64::consts::LN_2]);
    assert_eq!(input_gradient(&result), [-0.5, 0.0, 0.5]);
    let impossible = with_ones(&CrossEntropy::new(vec![1]), &[x]);
    assert_eq!(values(&impossible.outputs[0]), [f64::INFINITY]);
    assert_eq!(input_gradient(&impossible), [0.5, -1.0, 0.5]);
}

#[test]
fn cross_entropy_of_what_has_no_softmax_is_nan() {
    for row in [[f64::INFINITY, 0.0], [f64::NAN, 0.0], [0.0, f64::NAN], [f64::NEG_INFINITY; 2]] {
        let x = Array::from_iter(row).into_shape_with_order(vec![1, 2]).unwrap();
        let result = with_ones(&CrossEntropy::new(vec![1]), &[x]);
        assert!(result.outputs[0].iter().all(|loss| loss.is_nan()), "{row:?}");
        assert!(input_gradient(&result).iter().all(|dx| dx.is_nan()), "{row:?}");
    }
}

#[test]
fn dropout_drops_nan() {
    let op = Dropout { p: 0.5, mask: array![false, true].into_dyn() };
    let result = with_ones(&op, &[array![f64::NAN, 3.0].into_dyn()]);
    assert_eq!((values(&result.outputs[0]), input_gradient(&result)), (vec![0.0, 6.0], vec![0.0, 2.0]));
}

/// momentum is the weight of the new statistics (PyTorch's), and the running variance is the unbiased one.
#[test]
fn batch_norm_moves_its_statistics_as_pytorch_does() {
    let op = BatchNorm { training: true, eps: 1.0, momentum: 0.25 };
    let x = array![[0.0], [0.0], [6.0]].into_dyn(); // mean 2, sum of squares 24, unbiased variance 12
    let [one, zero] = [1.0, 0.0].map(|value| array![value].into_dyn());
    let [mean, var] = [10.0, 4.0].map(|value| array![value].into_dyn());
    let result = with_ones(&op, &[x, one, zero, mean, var]);
    assert_eq!(values(&result.outputs[1]), [0.75 * 10.0 + 0.25 * 2.0]);
    assert_eq!(values(&result.outputs[2]), [0.75 * 4.0 + 0.25 * 12.0]);
}

#[test]
fn batch_norm_of_a_constant_channel_is_its_bias() {
    let op = BatchNorm { training: true, eps: 1e-5, momentum: 0.1 };
    let x = ArrayD::from_elem(vec![3, 1, 1, 1], 0.1);
    let [one, bias] = [1.0, 7.0].map(|value| array![value].into_dyn());
    let result = with_ones(&op, &[x, one.clone(), bias, one.clone(), one]);
    assert_eq!(values(&result.outputs[0]), [7.0; 3]);
}
