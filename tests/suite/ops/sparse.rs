//! The sparse forms of linear and conv2d: every proof that an op must pass, and the dense op's results on the weight's
//! dense form.

use crate::common::op_checks::{
    Drawn, Single, adjoint_identity, close_to_truth, layouts_agree, shapes_agree, wanted_is_respected,
    zero_upstream_gives_zero,
};
use gdstar::kernel::{Kernel, Pattern};
use gdstar::op::{List, Op, Shape, evaluate, list};
use gdstar::ops::{Case, Catalogued, Conv2d, Filters, Linear, Sparse, WeightGradient};
use gdstar::scalar::Scalar;
use ndarray::{Array1, ArrayD};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// A dense case of the op with a share of its weight dead, and the same in sparse form.
fn drawn<O: Catalogued + Filters>(rng: &mut ChaCha8Rng, size: usize) -> (Case<O>, Case<Sparse<O>>) {
    let mut dense = O::sample(rng, size);
    let living = [0.0, 0.1, 0.5, 1.0][rng.random_range(0..4)];
    let alive: Vec<bool> = dense.inputs[1].iter().map(|_| rng.random_bool(living)).collect();
    let pattern = Arc::new(Pattern::new(dense.inputs[1].shape(), &alive).unwrap());
    let values = pattern.gather(dense.inputs[1].as_slice().unwrap());
    dense.inputs[1] = pattern.scatter(&values);
    let mut inputs = dense.inputs.clone();
    inputs[1] = Array1::from(values).into_dyn();
    let op = Sparse { op: dense.op.clone(), pattern, gradient: WeightGradient::Living };
    (dense, Case::new(op, inputs))
}

fn check_all<O: Catalogued + Filters>(seed: u64, size: usize) -> Result<(), String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (_, sparse) = drawn::<O>(&mut rng, size);
    let case = Drawn::new(sparse.map(Single), &mut rng)?;
    shapes_agree(&case)?;
    adjoint_identity::<f64, _>(&case, -20)?;
    close_to_truth::<f32, _>(&case, Kernel::Literal)?;
    close_to_truth::<f64, _>(&case, Kernel::Literal)?;
    layouts_agree::<f32, _>(&case, Kernel::Literal)?;
    layouts_agree::<f64, _>(&case, Kernel::Fast)?;
    wanted_is_respected(&case)?;
    zero_upstream_gives_zero(&case)
}

fn bits<S: Scalar>(array: &ArrayD<S>) -> (Vec<usize>, Vec<u64>) {
    (array.shape().to_vec(), array.iter().map(|x| x.to_f64().to_bits()).collect())
}

/// Literal gives the dense op's bits, under both kinds of weight gradient.
fn check_against_dense<O: Catalogued + Filters, S: Scalar>(seed: u64, size: usize) -> Result<(), TestCaseError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (dense, sparse) = drawn::<O>(&mut rng, size);
    let shapes: Vec<&[usize]> = dense.inputs.iter().map(ArrayD::shape).collect();
    let y_shape = dense.op.out_shapes(&shapes).unwrap().remove(0);
    let dy =
        ArrayD::from_shape_simple_fn(y_shape.as_slice(), || S::from_f64(f64::from(rng.random_range(-1.0f32..1.0))));
    let evaluated = |op: &dyn Fn(&[ndarray::ArrayViewD<S>]) -> gdstar::op::Evaluation<S>, inputs: &[ArrayD<f64>]| {
        let inputs: Vec<ArrayD<S>> = inputs.iter().map(|x| x.mapv(S::from_f64)).collect();
        op(&inputs.iter().map(|x| x.view()).collect::<Vec<_>>())
    };
    let wanted = vec![true; dense.inputs.len()];
    let upstream = [Some(dy.view())];
    let of_dense = evaluated(&|x| evaluate(&dense.op, Kernel::Literal, x, &upstream, &wanted).unwrap(), &dense.inputs);
    let pattern = &sparse.op.pattern;
    for gradient in [WeightGradient::Living, WeightGradient::All] {
        let op = Sparse { gradient, ..sparse.op.clone() };
        let found = evaluated(&|x| evaluate(&op, Kernel::Literal, x, &upstream, &wanted).unwrap(), &sparse.inputs);
        prop_assert_eq!(bits(&found.outputs[0]), bits(&of_dense.outputs[0]));
        for (i, (found, dense)) in found.gradients.iter().zip(&of_dense.gradients).enumerate() {
            let (found, dense) = (found.as_ref().unwrap(), dense.as_ref().unwrap());
            let expected = if i == 1 && gradient == WeightGradient::Living {
                Array1::from(pattern.gather(dense.as_standard_layout().as_slice().unwrap())).into_dyn()
            } else {
                dense.clone()
            };
            prop_assert_eq!(bits(found), bits(&expected), "gradient {} under {:?}", i, gradient);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sparse_ops_pass_what_every_op_must(seed: u64, size in 1usize..=4) {
        check_all::<Linear>(seed, size).and_then(|()| check_all::<Conv2d>(seed, size)).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn literal_gives_the_bits_of_the_dense_op(seed: u64, size in 1usize..=4) {
        check_against_dense::<Linear, f32>(seed, size)?;
        check_against_dense::<Linear, f64>(seed, size)?;
        check_against_dense::<Conv2d, f32>(seed, size)?;
        check_against_dense::<Conv2d, f64>(seed, size)?;
    }
}

/// Only what a living weight takes part in is counted: of a convolution with 2 outputs, 3 x 3 taps on 2 channels and
/// 4 x 5 pixels out, for 7 samples.
#[test]
fn living_weights_alone_cost() {
    let alive: Vec<bool> = (0..36).map(|i| i % 9 == 0).collect();
    let pattern = Arc::new(Pattern::new(&[2, 2, 3, 3], &alive).unwrap());
    let op = Conv2d { window: gdstar::kernel::Window { padding: [1, 1], ..gdstar::kernel::Window::PLAIN } };
    let (x, bias): (&[usize], &[usize]) = (&[7, 2, 4, 5], &[2]);
    for (gradient, of_weight) in [(WeightGradient::Living, 4), (WeightGradient::All, 36)] {
        let sparse = Sparse { op, pattern: pattern.clone(), gradient };
        let outputs = sparse.out_shapes(&[x, &[4], bias]).unwrap();
        assert_eq!((outputs.len(), &outputs[0][..]), (1, &[7, 2, 4, 5][..]));
        let cost = sparse.cost(&[x, &[4], bias], &outputs);
        assert_eq!((cost.multiply_accumulates, cost.weight_gradient), (7 * 20 * 4, 7 * 20 * of_weight));
    }
    let dense = op.cost(&[x, &[2, 2, 3, 3], bias], &[list![7, 2, 4, 5]]);
    assert_eq!((dense.multiply_accumulates, dense.weight_gradient), (7 * 20 * 36, 7 * 20 * 36));
}

/// Values that do not fit the pattern, or a pattern that does not fit x, are errors.
#[test]
fn misfits_are_named() {
    let pattern = Arc::new(Pattern::new(&[2, 3], &[true, false, true, true, false, false]).unwrap());
    let op = Sparse { op: Linear, pattern, gradient: WeightGradient::Living };
    let told = |shapes: &[&[usize]]| op.out_shapes(shapes).unwrap_err().to_string();
    assert!(told(&[&[5, 3], &[2]]).contains("values"), "{}", told(&[&[5, 3], &[2]]));
    assert!(told(&[&[5, 4], &[3]]).contains("columns in"), "{}", told(&[&[5, 4], &[3]]));
    assert!(told(&[&[5, 3]]).contains("inputs"), "{}", told(&[&[5, 3]]));
}

/// The proofs see what is wrong: an op that gathers its gradient from other places than it scatters its values to.
#[test]
fn a_misplaced_gradient_is_caught() {
    let caught = (0..64).any(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (_, sparse) = drawn::<Linear>(&mut rng, 3);
        let case = Drawn::new(sparse.map(Misplaced), &mut rng).unwrap();
        adjoint_identity::<f64, _>(&case, -20).is_err()
    });
    assert!(caught);
}

/// The sparse op with the gradient of the values in reverse order.
#[derive(Debug, Clone)]
struct Misplaced(Sparse<Linear>);

impl crate::common::op_checks::Subject for Misplaced {
    fn out_shapes(&self, inputs: &[&[usize]]) -> gdstar::Result<List<Shape>> {
        self.0.out_shapes(inputs)
    }
    fn evaluate<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ndarray::ArrayViewD<S>],
        upstream: &[Option<ndarray::ArrayViewD<S>>],
        wanted: &[bool],
    ) -> gdstar::Result<gdstar::op::Evaluation<S>> {
        let mut result = evaluate(&self.0, kernel, inputs, upstream, wanted)?;
        if let Some(gradient) = &mut result.gradients[1] {
            gradient.invert_axis(ndarray::Axis(0));
        }
        Ok(result)
    }
}
