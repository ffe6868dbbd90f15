//! The value of a rank: at the ends, among equals, of both zeros, and of what is not finite.

use super::draw::{ALL, Numbers, Trial, same};
use gdstar::kernel::{self, Kernel, cuda};
use gdstar::scalar::Scalar;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        for len in [1, 2, 300, 1200] {
            let x = trial.slice::<S>(numbers, len);
            [0, len / 3, len / 2, len - 1].into_iter().for_each(|rank| one(trial, &x, rank));
        }
    }
    // Behind the first block, and behind the first turn of a grid.
    for place in [400, 650] {
        let mut late = trial.slice::<S>(Numbers::Ordinary, 700);
        late[place] = S::from_f64(f64::NEG_INFINITY);
        one(trial, &late, 3);
    }
    let few = [0.0, -0.0, 1.0, -1.0].map(S::from_f64);
    let equals: Vec<S> = (0..500).map(|i| few[i * i % 7 % 4]).collect();
    (0..500).step_by(31).for_each(|rank| one(trial, &equals, rank));
    let x = trial.slice::<S>(Numbers::Ordinary, 3);
    assert!(cuda::order_statistics(trial.device, &trial.list(&x), 3, false).is_err());
}

fn one<S: Scalar>(trial: &Trial, x: &[S], rank: usize) {
    for next in [true, false] {
        let literal = kernel::order_statistics(Kernel::Literal, x, rank, next);
        let made = cuda::order_statistics(trial.device, &trial.list(x), rank, next).unwrap();
        match (literal, made) {
            (Ok((value, following)), Ok((made, then))) => {
                same("order_statistics", &[value], &[made]);
                same("order_statistics, the next", following.as_slice(), then.as_slice());
            }
            (literal, made) => assert_eq!(literal.err(), made.err(), "order_statistics: what is not finite"),
        }
    }
}
