//! Formulas of every op that has one, dropout, and sums over steps.

use super::draw::{ALL, Numbers, Trial};
use gdstar::kernel::{self, Formula, Inputs, Kernel, One, Two, cuda};
use gdstar::ops::{Add, Mul, Relu, Relu6, Sigmoid, Silu};
use gdstar::scalar::Scalar;
use ndarray::ArrayD;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        of_one::<_, S>(trial, numbers, Relu);
        of_one::<_, S>(trial, numbers, Relu6);
        of_one::<_, S>(trial, numbers, Sigmoid);
        of_one::<_, S>(trial, numbers, Silu);
        of_two::<_, S>(trial, numbers, Add, false);
        of_two::<_, S>(trial, numbers, Mul, true);
        dropout::<S>(trial, numbers);
        add_to::<S>(trial, numbers);
    }
    near_the_ends_of_exponentials::<S>(trial);
}

/// More than a grid has threads, on the stand-in's one multiprocessor.
const MORE_THAN_A_GRID: usize = 512 + 300;

fn of_one<F: Formula<Inputs = One>, S: Scalar>(trial: &mut Trial, numbers: Numbers, f: F) {
    for shape in [&[0][..], &[], &[257], &[3, 4, 5], &[MORE_THAN_A_GRID]] {
        let (x, dy) = (trial.array::<S>(numbers, shape), trial.array::<S>(numbers, shape));
        one_array(trial, f, &x, &dy);
    }
}

fn one_array<F: Formula<Inputs = One>, S: Scalar>(trial: &Trial, f: F, x: &ArrayD<S>, dy: &ArrayD<S>) {
    let (on_x, on_dy) = (trial.on_device(x), trial.on_device(dy));
    let y = kernel::formula_values(Kernel::Literal, f, &mut [x.view().into()]);
    trial.same(F::NAME, &y.view(), &cuda::formula_values(trial.device, F::NAME, &[&on_x]).unwrap());
    let (shapes, read) = ([x.shape()], [x.view()]);
    let literal = kernel::formula_gradients(Kernel::Literal, f, &shapes, &read, &mut dy.view().into(), &[true]);
    let made = cuda::formula_gradients(trial.device, F::NAME, &shapes, &[&on_x], &on_dy, &[true]).unwrap();
    trial.same(F::NAME, &literal[0].as_ref().unwrap().view(), made[0].as_ref().unwrap());
}

/// Where exponentials vanish or overflow, and where their argument is reduced in another way.
fn near_the_ends_of_exponentials<S: Scalar>(trial: &mut Trial) {
    let ends =
        [0.1, 0.3465, 0.35, 1.0397, 1.04, 36.0, 37.5, 88.0, 104.0, 708.0, 745.0, 746.0, 1416.7, 1490.0, 2e-9, 1e-20];
    let numbers = ends.iter().flat_map(|&x| [x, -x, x * 1.001, -x * 1.001, 2.0 * x]).map(S::from_f64);
    let x = numbers.collect::<ndarray::Array1<S>>().into_dyn();
    let dy = trial.array(Numbers::Ordinary, x.shape());
    one_array(trial, Sigmoid, &x, &dy);
    one_array(trial, Silu, &x, &dy);
}

fn of_two<F: Formula<Inputs = Two>, S: Scalar>(trial: &mut Trial, numbers: Numbers, f: F, reads: bool) {
    let pairs: [(&[usize], &[usize]); 12] = [
        (&[3, 4], &[3, 4]),
        (&[2, 3, 4], &[4]),
        (&[3, 1, 5], &[4, 1]),
        (&[2, 3, 2, 2], &[3, 1, 1]),
        (&[], &[2, 3]),
        (&[1], &[1, 1]),
        (&[0, 3], &[1, 3]),
        (&[2, 1, 2, 1, 3, 1], &[1, 3, 1, 2, 1, 2]),
        (&[15, 61], &[61]),
        (&[2, 600], &[600]),
        // Of as many axes as a sum has levels.
        (&[], &[2, 2, 3, 2, 2, 2, 2, 2]),
        (&[2, 1, 1, 1, 1, 1, 1, 1], &[2, 2, 2, 2, 2, 2, 2, 2]),
    ];
    for (of_a, of_b) in pairs {
        let (a, b) = (trial.array::<S>(numbers, of_a), trial.array::<S>(numbers, of_b));
        let (on_a, on_b) = (trial.on_device(&a), trial.on_device(&b));
        let y = kernel::formula_values(Kernel::Literal, f, &mut [a.view().into(), b.view().into()]);
        trial.same(F::NAME, &y.view(), &cuda::formula_values(trial.device, F::NAME, &[&on_a, &on_b]).unwrap());
        let dy = trial.array::<S>(numbers, y.shape());
        let (shapes, read) = ([of_a, of_b], if reads { vec![a.view(), b.view()] } else { vec![] });
        let on_read = if reads { vec![&on_a, &on_b] } else { vec![] };
        let on_dy = trial.on_device(&dy);
        for wanted in [[true, true], [false, true], [true, false]] {
            let literal = kernel::formula_gradients(Kernel::Literal, f, &shapes, &read, &mut dy.view().into(), &wanted);
            let made = cuda::formula_gradients(trial.device, F::NAME, &shapes, &on_read, &on_dy, &wanted).unwrap();
            assert_eq!(F::Inputs::COUNT, made.len());
            for (literal, made) in literal.iter().zip(&made) {
                let what = format!("{} of {of_a:?} and {of_b:?}", F::NAME);
                assert_eq!(literal.is_some(), made.is_some(), "{what}");
                literal.iter().zip(made).for_each(|(literal, made)| trial.same(&what, &literal.view(), made));
            }
        }
    }
}

fn dropout<S: Scalar>(trial: &mut Trial, numbers: Numbers) {
    for len in [0, 1, MORE_THAN_A_GRID] {
        let (x, mask) = (trial.array::<S>(numbers, &[len]), trial.flags(len));
        // A probability that is wide: no double.
        let keep = S::Wide::ONE / S::Wide::from_f64(3.0);
        let of_mask = ndarray::Array1::from(mask.clone()).into_dyn();
        let y = kernel::dropout(Kernel::Literal, x.view().into(), &of_mask.view(), keep);
        let made = cuda::dropout(trial.device, &trial.on_device(&x), &trial.marks(&mask), keep).unwrap();
        trial.same("dropout", &y.view(), &made);
    }
}

fn add_to<S: Scalar>(trial: &mut Trial, numbers: Numbers) {
    for len in [0, 1, MORE_THAN_A_GRID] {
        let (mut sum, term) = (trial.array::<S>(numbers, &[len]), trial.array::<S>(numbers, &[len]));
        let mut on_sum = trial.on_device(&sum);
        cuda::add_to(trial.device, &mut on_sum, &trial.on_device(&term)).unwrap();
        kernel::add_to(Kernel::Literal, &mut sum, &term);
        trial.same("add_to", &sum.view(), &on_sum);
    }
}
