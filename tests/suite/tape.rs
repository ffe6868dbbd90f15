//! The tape: what it keeps, what it forgets, and that forgetting changes nothing.

use gdstar::kernel::Kernel;
use gdstar::op::Op;
use gdstar::ops::{Add, CrossEntropy, Flatten, Linear, Mul, OPS, Relu};
use gdstar::tape::{Tape, Var};
use ndarray::{ArrayD, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The gradients of the sum of an op's outputs, each weighted, with respect to its inputs; the op's inputs are computed
/// values, which are released before backward if `forget` says so.
fn gradients(
    op: &gdstar::ops::AnyOp,
    inputs: &[ArrayD<f64>],
    wanted: &[bool],
    forget: bool,
) -> Vec<Option<ArrayD<f64>>> {
    let mut tape = Tape::new(Kernel::Literal);
    let zero = tape.leaf(ArrayD::from_elem(vec![], 0.0), false);
    let leaves: Vec<Var> = inputs.iter().zip(wanted).map(|(x, &wanted)| tape.leaf(x, wanted)).collect();
    let computed: Vec<Var> = leaves.iter().map(|&x| tape.apply_one(Add, &[x, zero]).unwrap()).collect();
    let outputs = op.apply(&mut tape, &computed).unwrap();
    if forget {
        computed.iter().for_each(|&x| tape.release(x));
    }
    let mut total = zero;
    for output in outputs {
        let shape = tape.value(output).shape().to_vec();
        let mut weight = 0.0;
        let weights = ArrayD::from_shape_simple_fn(shape.clone(), || {
            weight += 1.0;
            weight
        });
        let weights = tape.leaf(weights, false);
        // Through an addition, which does not read the output that is to be forgotten.
        let copied = tape.apply_one(Add, &[output, zero]).unwrap();
        if forget {
            tape.release(output);
        }
        let weighted = tape.apply_one(Mul, &[copied, weights]).unwrap();
        // The sum of all entries, as a product with ones.
        let entries: usize = shape.iter().product();
        let row = match shape.len() {
            0 => tape.apply_one(Add, &[weighted, zero]).unwrap(),
            _ => tape.apply_one(Flatten { start_dim: 0 }, &[weighted]).unwrap(),
        };
        let ones = tape.leaf(ArrayD::from_elem(vec![entries, 1], 1.0), false);
        let matrix = tape.leaf(ArrayD::from_elem(vec![1, 1], 1.0), false);
        let row = tape.apply_one(Mul, &[row, matrix]).unwrap();
        let sum = tape.apply_one(gdstar::ops::Matmul, &[row, ones]).unwrap();
        total = tape.apply_one(Add, &[total, sum]).unwrap();
    }
    let mut found = tape.backward(total).unwrap();
    leaves.iter().map(|&leaf| found.take(leaf)).collect()
}

/// What an op's backward does not declare to read it does not read: with those values gone, every op gives the same bits.
#[test]
fn forgetting_what_backward_does_not_read_changes_no_bit() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for entry in OPS {
        let mut flowed = false;
        for case in (0..12).map(|_| (entry.sample)(&mut rng, 3)) {
            if case.inputs.iter().any(|x| x.is_empty()) {
                continue;
            }
            let kept = gradients(&case.op, &case.inputs, &case.differentiable, false);
            let forgotten = gradients(&case.op, &case.inputs, &case.differentiable, true);
            let bits = |all: &[Option<ArrayD<f64>>]| -> Vec<Option<Vec<u64>>> {
                all.iter().map(|g| g.as_ref().map(|g| g.iter().map(|x| x.to_bits()).collect())).collect()
            };
            assert_eq!(bits(&kept), bits(&forgotten), "{}", entry.name);
            flowed |= kept.iter().flatten().any(|g| g.iter().any(|&x| x != 0.0));
        }
        assert!(flowed, "{}: no gradient flowed", entry.name);
    }
}

/// A released value is kept only where a backward reads it: linear reads its input, relu its output, add nothing.
#[test]
fn a_released_value_stays_only_where_backward_reads_it() {
    let w = array![[1.0_f32, 2.0], [3.0, 4.0]].into_dyn();
    let mut tape = Tape::new(Kernel::Literal);
    let weight = tape.leaf(&w, true);
    let x = tape.leaf(array![[1.0_f32, -1.0]].into_dyn(), false);
    let a = tape.apply_one(Linear, &[x, weight]).unwrap(); // x is read
    let b = tape.apply_one(Relu, &[a]).unwrap(); // a is not, b is
    let c = tape.apply_one(Add, &[b, b]).unwrap(); // nothing is
    let loss = tape.apply_one(CrossEntropy { labels: vec![0] }, &[c]).unwrap(); // c is
    assert_eq!(tape.kept_bytes(), 4 * (2 + 2 + 2 + 2 + 1));
    [a, b].into_iter().for_each(|var| tape.release(var));
    assert_eq!(tape.kept_bytes(), 4 * (2 + 2 + 2 + 1), "only a may go");
    assert_eq!(tape.value(a).iter().copied().collect::<Vec<_>>(), [0.0, 0.0]);
    assert_eq!(tape.value(b), array![[0.0_f32, 0.0]].into_dyn().view());
    let again = tape.apply_one(Relu, &[a]).unwrap_err().to_string();
    assert_eq!(again, "relu: input 0: expected a value in use, found one that was released");
    assert!(tape.backward(loss).unwrap().take(weight).is_some());
}

/// A tape of shapes computes nothing, and has no gradients.
#[test]
fn a_tape_of_shapes_knows_shapes_and_no_values() {
    let mut tape = Tape::<f64>::of_shapes();
    let x = tape.leaf_shape(&[1 << 20, 1 << 9], false);
    let w = tape.leaf_shape(&[1, 1 << 9], true);
    tape.enter("fc");
    let y = tape.apply_one(Linear, &[x, w]).unwrap();
    assert_eq!(tape.value(y).shape(), [1 << 20, 1]);
    let [record] = tape.records() else { panic!("one op ran") };
    assert_eq!((record.layer.as_str(), record.op), ("fc", "linear"));
    assert_eq!(record.cost.multiply_accumulates, 1 << 29);
    assert_eq!(tape.kept_bytes(), 8 * ((1 << 29) + (1 << 20)));
    let one = tape.leaf_shape(&[], true);
    assert!(tape.backward(one).is_err());
}

/// What relu writes over the upstream gradient has the bits of what it returns; where the arrays do not lie alike it gives the
/// upstream gradient back untouched.
#[test]
fn a_gradient_written_in_place_is_the_gradient() {
    let y = ArrayD::from_shape_fn(vec![3, 5000], |i| ((i[0] * 5000 + i[1]) % 7) as f32 - 3.0);
    let y = y.mapv(|x: f32| x.max(0.0));
    let dy = ArrayD::from_shape_fn(vec![3, 5000], |i| if i[1] % 11 == 0 { f32::NAN } else { i[1] as f32 });
    for kernel in [Kernel::Literal, Kernel::Fast] {
        let returned = Relu.backward(kernel, &[y.view()], &[y.view()], &(), &[dy.view()], &[true]).remove(0).unwrap();
        let bits = |array: &ArrayD<f32>| array.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        let in_place = Relu.backward_in_place(kernel, &[y.view()], dy.clone()).unwrap();
        assert_eq!(bits(&returned), bits(&in_place));
        let other_order = y.t().as_standard_layout().into_owned();
        let refused = Relu.backward_in_place(kernel, &[other_order.t()], dy.clone()).unwrap_err();
        assert_eq!(bits(&refused), bits(&dy));
    }
}
