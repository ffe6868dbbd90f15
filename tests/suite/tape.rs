//! The tape: what it keeps, what it forgets, and that forgetting changes nothing.

use gdstar::kernel::Kernel;
use gdstar::op::Op;
use gdstar::ops::{Add, CrossEntropy, Flatten, Linear, Mul, OPS, Relu};
use gdstar::tape::{Tape, Var};
use ndarray::{ArrayD, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What becomes of an op's inputs, which are computed values, and of its outputs.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Kept,
    /// Released before backward.
    Forgotten,
    /// The same, and the op may write over the first input.
    WrittenOver,
}

/// An op's outputs, and the gradients of the sum of all their entries, each weighted, with respect to its inputs.
fn outputs_and_gradients(
    op: &gdstar::ops::AnyOp,
    kernel: Kernel,
    inputs: &[ArrayD<f64>],
    wanted: &[bool],
    fate: Fate,
) -> (Vec<ArrayD<f64>>, Vec<Option<ArrayD<f64>>>) {
    let mut tape = Tape::new(kernel);
    let zero = tape.leaf(ArrayD::from_elem(vec![], 0.0), false);
    let leaves: Vec<Var> = inputs.iter().zip(wanted).map(|(x, &wanted)| tape.leaf(x, wanted)).collect();
    let computed: Vec<Var> = leaves.iter().map(|&x| tape.apply_one(Add, &[x, zero]).unwrap()).collect();
    let outputs = match fate {
        Fate::WrittenOver => op.apply_over(&mut tape, &computed).unwrap(),
        _ => op.apply(&mut tape, &computed).unwrap(),
    };
    if !matches!(fate, Fate::Kept) {
        computed.iter().for_each(|&x| tape.release(x));
    }
    let mut total = zero;
    let mut values = Vec::new();
    for output in outputs {
        values.push(tape.value(output).to_owned());
        let shape = tape.value(output).shape().to_vec();
        let weights = tape.leaf(weights(&shape), false);
        // Through an addition, which does not read the output that is to be forgotten.
        let copied = tape.apply_one(Add, &[output, zero]).unwrap();
        if !matches!(fate, Fate::Kept) {
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
    (values, leaves.iter().map(|&leaf| found.take(leaf)).collect())
}

/// The upstream gradient of an output of this shape: 1, 2, 3, ..
fn weights(shape: &[usize]) -> ArrayD<f64> {
    let mut weight = 0.0;
    ArrayD::from_shape_simple_fn(shape, || {
        weight += 1.0;
        weight
    })
}

/// The same array with its first axis innermost in memory.
fn batch_innermost(x: &ArrayD<f64>) -> ArrayD<f64> {
    let mut axes: Vec<usize> = (0..x.ndim()).collect();
    axes.rotate_left(1.min(x.ndim()));
    let mut back: Vec<usize> = (0..x.ndim()).collect();
    back.rotate_right(1.min(x.ndim()));
    x.view().permuted_axes(axes).as_standard_layout().into_owned().permuted_axes(back)
}

/// What an op's backward does not declare to read it does not read, and what it writes over nobody needs: with those
/// values gone, every op has the bits of [`evaluate`](gdstar::op::evaluate), in either order of memory.
#[test]
fn forgetting_what_backward_does_not_read_and_writing_over_it_change_no_bit() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let bits = |x: &ArrayD<f64>| x.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
    for (entry, kernel) in OPS.iter().flat_map(|entry| [Kernel::Literal, Kernel::Fast].map(|kernel| (entry, kernel))) {
        let mut flowed = false;
        for case in (0..12).map(|_| (entry.sample)(&mut rng, 3)) {
            if case.inputs.iter().any(|x| x.is_empty()) {
                continue;
            }
            let turned: Vec<ArrayD<f64>> = case.inputs.iter().map(batch_innermost).collect();
            for inputs in [&case.inputs, &turned] {
                let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
                let shapes: Vec<&[usize]> = inputs.iter().map(|x| x.shape()).collect();
                let upstream: Vec<_> = case.op.out_shapes(&shapes).unwrap().iter().map(|s| weights(s)).collect();
                let upstream: Vec<_> = upstream.iter().map(|dy| Some(dy.view())).collect();
                let by_itself = case.op.evaluate(kernel, &views, &upstream, &case.differentiable).unwrap();
                for fate in [Fate::Kept, Fate::Forgotten, Fate::WrittenOver] {
                    let (outputs, gradients) =
                        outputs_and_gradients(&case.op, kernel, inputs, &case.differentiable, fate);
                    let name = format!("{} {kernel} {fate:?}", entry.name);
                    assert!(outputs.iter().map(bits).eq(by_itself.outputs.iter().map(bits)), "{name}: outputs");
                    for i in (0..inputs.len()).filter(|&i| case.differentiable[i]) {
                        let [found, expected] = [&gradients[i], &by_itself.gradients[i]].map(|g| g.as_ref().map(bits));
                        assert!(found == expected, "{name}: gradient {i}");
                    }
                    flowed |= gradients.iter().flatten().any(|g| g.iter().any(|&x| x != 0.0));
                }
            }
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
    let loss = tape.apply_one(CrossEntropy::new(vec![0]), &[c]).unwrap(); // c is not: its exponentials are saved
    let saved = 8 * (2 + 2);
    assert_eq!(tape.kept_bytes(), 4 * (2 + 2 + 2 + 2 + 1) + saved);
    [a, b].into_iter().for_each(|var| tape.release(var));
    assert_eq!(tape.kept_bytes(), 4 * (2 + 2 + 2 + 1) + saved, "only a may go");
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
    assert_eq!((tape.layer(record), record.op), ("fc", "linear"));
    assert_eq!(record.cost.multiply_accumulates, 1 << 29);
    assert_eq!(tape.kept_bytes(), 8 * ((1 << 29) + (1 << 20)));
    let one = tape.leaf_shape(&[], true);
    assert!(tape.backward(one).is_err());
}

/// The memory of a value that is released with an op is the output's, and that of an upstream gradient the gradient's: arrays
/// are handed on where nothing stands in the way.
#[test]
fn relu_and_addition_write_over_what_nobody_takes() {
    let x = ArrayD::from_shape_fn(vec![3, 5000], |i| ((i[0] * 5000 + i[1]) % 7) as f32 - 3.0);
    let place = |tape: &Tape<f32>, var: Var| tape.value(var).as_ptr();
    for kernel in [Kernel::Literal, Kernel::Fast] {
        let mut tape = Tape::new(kernel);
        let leaf = tape.leaf(&x, true);
        let a = tape.apply_one(Add, &[leaf, leaf]).unwrap();
        let memory = place(&tape, a);
        let b = tape.apply_over(Relu, &[a]).unwrap()[0];
        assert_eq!(place(&tape, b), memory, "relu");
        let c = tape.apply_one(Relu, &[b]).unwrap();
        let d = tape.apply_over(Add, &[c, leaf]).unwrap()[0];
        assert_ne!(place(&tape, d), memory, "c, the output that relu reads, must stay");
        let memory = place(&tape, d);
        let e = tape.apply_over(Add, &[d, leaf]).unwrap()[0];
        assert_eq!(place(&tape, e), memory, "add");
        let expected = x.mapv(|x| (2.0 * x).max(0.0) + 2.0 * x);
        assert_eq!(tape.value(e), expected.view());
        let kept = tape.apply_over(Add, &[leaf, e]).unwrap()[0];
        assert_ne!(place(&tape, kept), x.as_ptr(), "a leaf is the caller's");
        let given = || ArrayD::from_elem(vec![3, 5000], 2.0_f32);
        let (dy, memory) = (given(), |dy: &ArrayD<f32>| dy.as_ptr());
        let place = memory(&dy);
        let dx = Relu.backward(kernel, &[x.view()], &[x.view()], &(), &mut [dy.into()], &[true]).remove(0).unwrap();
        assert_eq!(memory(&dx), place, "relu's gradient");
        assert_eq!(dx, x.mapv(|y| if y > 0.0 { 2.0 } else { 0.0 }), "relu");
        let (dy, two) = (given(), [x.view(), x.view()]);
        let place = memory(&dy);
        let both = Add.backward(kernel, &two, &[x.view()], &(), &mut [dy.into()], &[true, true]);
        assert!(both.iter().flatten().any(|gradient| memory(gradient) == place), "add's gradients");
        assert_eq!(both[0], both[1]);
        let lent = given();
        let dx = Relu.backward(kernel, &[x.view()], &[x.view()], &(), &mut [lent.view().into()], &[true]);
        assert_ne!(memory(dx[0].as_ref().unwrap()), memory(&lent), "what is lent stays");
        assert_eq!(lent, given(), "and holds what it held");
    }
}
