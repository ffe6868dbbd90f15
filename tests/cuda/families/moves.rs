//! Moves: boxes, steps and other orders.

use super::draw::{Numbers, Trial};
use gdstar::kernel::cuda::{self, Places};
use gdstar::kernel::{self, Kernel, Order};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, Slice};

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    assign::<S>(trial);
    rearrange::<S>(trial);
    pieces::<S>(trial);
    boxes::<S>(trial);
}

/// An array into one of other strides.
fn assign<S: Scalar>(trial: &mut Trial) {
    for shape in [[2, 3, 4], [1, 0, 5], [9, 4, 60]] {
        let from = trial.array::<S>(Numbers::Wild, &shape);
        let mut to = trial.array::<S>(Numbers::Ordinary, &[shape[2], shape[0], shape[1]]);
        let mut on_to = trial.on_device(&to);
        let into = Places { start: 0, strides: [shape[1], 1, shape[0] * shape[1]].into_iter().collect() };
        cuda::assign(trial.device, &shape, (&mut on_to, &into), (&trial.on_device(&from), &Places::all(&shape)))
            .unwrap();
        let turned = to.view_mut().permuted_axes([1, 2, 0].as_slice());
        kernel::assign(Kernel::Literal, turned, &from.view(), &Order::row_major(3));
        trial.same("assign", &to.view(), &on_to);
    }
}

/// Channels shuffled; and what would lie beyond an array is refused.
fn rearrange<S: Scalar>(trial: &mut Trial) {
    let x = trial.array::<S>(Numbers::Wild, &[3, 6, 2, 5]);
    let on_x = trial.on_device(&x);
    let (order, shape) = (Order::row_major(4), [3, 6, 2, 5]);
    // The channels as [2][3], read as [3][2].
    let literal = kernel::rearrange(Kernel::Literal, &x.view(), (&order, &shape), |of| {
        let channels = of[1].stride;
        let axis = |count, stride| kernel::Extent { count, stride };
        [of[0], axis(3, channels), axis(2, 3 * channels), of[2], of[3]].into_iter().collect()
    });
    trial.same("rearrange", &literal.view(), &cuda::channel_shuffle(trial.device, &on_x, 2).unwrap());
    let small = trial.array::<S>(Numbers::Ordinary, &[5]);
    let mut small = trial.on_device(&small);
    let all = Places::all(&[6]);
    assert!(cuda::assign(trial.device, &[6], (&mut small, &all), (&on_x, &all)).is_err());
}

fn pieces<S: Scalar>(trial: &mut Trial) {
    for axis in 0..3 {
        let x = trial.array::<S>(Numbers::Wild, &[4, 5, 6]);
        let sizes = [1, 0, x.shape()[axis] - 1];
        let literal = kernel::split(Kernel::Literal, &x.view(), axis, &sizes);
        let made = cuda::split(trial.device, &trial.on_device(&x), axis, &sizes).unwrap();
        literal.iter().zip(&made).for_each(|(literal, made)| trial.same("split", &literal.view(), made));
        let pieces: Vec<_> = made.iter().collect();
        trial.same("concat", &x.view(), &cuda::concat(trial.device, &pieces, axis, x.shape()).unwrap());
    }
}

fn boxes<S: Scalar>(trial: &mut Trial) {
    let (shape, starts, steps, counts) = ([7, 9], [1, 2], [2, 3], [3, 2]);
    let within = |axis: usize, _| {
        Slice::new(
            starts[axis] as isize,
            Some((starts[axis] + steps[axis] * counts[axis]).min(shape[axis]) as isize),
            1,
        )
        .step_by(steps[axis] as isize)
    };
    let x: ArrayD<S> = trial.array(Numbers::Wild, &shape);
    let literal = kernel::taken(Kernel::Literal, &x.view(), within);
    let made = cuda::taken(trial.device, &trial.on_device(&x), &counts, &starts, &steps).unwrap();
    trial.same("taken", &literal.view(), &made);
    let value = S::from_f64(0.5);
    let back = kernel::spread(Kernel::Literal, &literal.view(), &Order::row_major(2), &shape, value, within);
    trial.same("spread", &back.view(), &cuda::spread(trial.device, &made, &shape, value, &starts, &steps).unwrap());
}
