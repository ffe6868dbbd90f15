//! Arrays large enough to be shared out: Fast gives the bits of Literal, for any number of threads.

use crate::common::op_checks::numbers;
use crate::common::threads::is_invariant;
use gdstar::kernel::Kernel;
use gdstar::ops::*;
use ndarray::ArrayD;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every op that shares work out by itself, with the shapes of its inputs.
fn large() -> Vec<(AnyOp, Vec<Vec<usize>>)> {
    let image = vec![vec![6, 8, 24, 20]];
    let many_planes = vec![vec![128, 130, 2, 2]];
    let (kernel, stride, padding) = ([3, 3], [1, 2], [1, 1]);
    vec![
        (Relu.into(), image.clone()),
        (Relu6.into(), image.clone()),
        (Sigmoid.into(), image.clone()),
        (Silu.into(), image.clone()),
        (Add.into(), [image.clone(), image.clone()].concat()),
        (Mul.into(), [image.clone(), image.clone()].concat()),
        (BatchNorm { training: true, eps: 1e-5, momentum: 0.1 }.into(), [image.clone(), vec![vec![8]; 4]].concat()),
        (MaxPool2d { kernel, stride, padding }.into(), image.clone()),
        (AvgPool2d { kernel, stride, padding, count_include_pad: false }.into(), image.clone()),
        (ChannelShuffle { groups: 4 }.into(), image),
        (GlobalMean.into(), many_planes.clone()),
        (AdaptiveAvgPool2d.into(), many_planes),
        (CrossEntropy { labels: (0..2000).map(|i| i % 10).collect() }.into(), vec![vec![2000, 10]]),
    ]
}

#[test]
fn ops_do_not_depend_on_the_number_of_threads_or_the_kernel() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut draw = |shape: &Vec<usize>| {
        ArrayD::from_shape_simple_fn(shape.as_slice(), || f64::from(rng.random_range(0.0f32..4.0)))
    };
    for (op, shapes) in large() {
        let inputs: Vec<ArrayD<f32>> = numbers(&shapes.iter().map(&mut draw).collect::<Vec<_>>());
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let upstream: Vec<ArrayD<f32>> =
            numbers(&op.out_shapes(&shapes).unwrap().iter().map(&mut draw).collect::<Vec<_>>());
        let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
        let flowing: Vec<_> = upstream.iter().map(|dy| Some(dy.view())).collect();
        let values = |kernel: Kernel| -> Vec<f32> {
            let result = op.evaluate(kernel, &views, &flowing, &vec![true; views.len()]).unwrap();
            result.outputs.into_iter().chain(result.gradients.into_iter().flatten()).flatten().collect()
        };
        assert!(is_invariant(|| values(Kernel::Fast)), "{}", op.name());
        let bits = |kernel| values(kernel).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        assert!(bits(Kernel::Literal) == bits(Kernel::Fast), "{}", op.name());
    }
}
