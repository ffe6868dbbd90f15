//! Arrays large enough to be shared out: Fast gives the same bits for any number of threads and either order of memory,
//! and but for batch statistics, which it adds up in an order of its own, the bits of Literal.

use crate::common::layout::Scattered;
use crate::common::op_checks::numbers;
use crate::common::threads::is_invariant;
use gdstar::kernel::Kernel;
use gdstar::ops::*;
use ndarray::ArrayD;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every op that shares work out by itself, with the shapes of its inputs.
fn large() -> Vec<(AnyOp, Vec<Vec<usize>>)> {
    let image = vec![vec![6, 8, 48, 40]];
    let many_planes = vec![vec![128, 130, 2, 2]];
    let (kernel, stride, padding) = ([3, 3], [1, 2], [1, 1]);
    vec![
        (Relu.into(), image.clone()),
        (Relu6.into(), image.clone()),
        (Sigmoid.into(), image.clone()),
        (Silu.into(), image.clone()),
        (Add.into(), [image.clone(), image.clone()].concat()),
        (Mul.into(), [image.clone(), image.clone()].concat()),
        (Mul.into(), [image.clone(), vec![vec![6, 8, 1, 1]]].concat()),
        (Flatten { start_dim: 1 }.into(), image.clone()),
        (BatchNorm { training: true, eps: 1e-5, momentum: 0.1 }.into(), [image.clone(), vec![vec![8]; 4]].concat()),
        (MaxPool2d { kernel, stride, padding }.into(), image.clone()),
        (AvgPool2d { kernel, stride, padding, count_include_pad: false }.into(), image.clone()),
        (ChannelShuffle { groups: 4 }.into(), image),
        (GlobalMean.into(), many_planes.clone()),
        (AdaptiveAvgPool2d.into(), many_planes),
        (CrossEntropy::new((0..2000).map(|i| i % 40).collect()).into(), vec![vec![2000, 40]]),
    ]
}

#[test]
fn ops_do_not_depend_on_the_number_of_threads_or_the_order_of_memory() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut draw = |shape: &[usize]| ArrayD::from_shape_simple_fn(shape, || f64::from(rng.random_range(0.0f32..4.0)));
    for (op, shapes) in large() {
        let inputs: Vec<ArrayD<f32>> = numbers(&shapes.iter().map(|shape| draw(shape)).collect::<Vec<_>>());
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let upstream: Vec<ArrayD<f32>> =
            numbers(&op.out_shapes(&shapes).unwrap().iter().map(|shape| draw(shape)).collect::<Vec<_>>());
        let stored = [&inputs, &upstream]
            .map(|arrays| arrays.iter().map(|x| Scattered::batch_innermost(x, f32::NAN)).collect::<Vec<_>>());
        let values = |kernel: Kernel, is_row_major: bool| -> Vec<f32> {
            let (inputs, upstream): (Vec<_>, Vec<_>) = match is_row_major {
                true => {
                    (inputs.iter().map(|x| x.view()).collect(), upstream.iter().map(|dy| Some(dy.view())).collect())
                }
                false => {
                    (stored[0].iter().map(|x| x.view()).collect(), stored[1].iter().map(|dy| Some(dy.view())).collect())
                }
            };
            let result = op.evaluate(kernel, &inputs, &upstream, &vec![true; inputs.len()]).unwrap();
            let arrays = result.outputs.into_iter().chain(result.gradients.into_iter().flatten());
            arrays.flatten().collect() // in row-major order, however they lie
        };
        for is_row_major in [true, false] {
            assert!(is_invariant(|| values(Kernel::Fast, is_row_major)), "{}", op.name());
        }
        let bits =
            |kernel, is_row_major| values(kernel, is_row_major).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let fast = bits(Kernel::Fast, true);
        assert!(bits(Kernel::Fast, false) == fast, "{}", op.name());
        assert!(bits(Kernel::Literal, true) == fast || op.sums() == Summation::WideReordered, "{}", op.name());
    }
}
