//! The optimizer's step in all its forms, Top-KAST's, and sums of squares.

use super::draw::{ALL, Numbers, Trial, same};
use gdstar::kernel::cuda::{self, Following};
use gdstar::kernel::{self, Descent, Followed, Kernel, Penalty};
use gdstar::scalar::Scalar;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        for len in [0, 1, 1100] {
            (0..32).for_each(|options| {
                sgd_step::<S>(trial, numbers, if options % 31 == 0 { len } else { len.min(99) }, options)
            });
            (0..4).for_each(|options| drawn_step::<S>(trial, numbers, len.min(600), options));
            let (mut sums, g) = (trial.slice::<S>(numbers, len), trial.slice::<S>(numbers, len));
            let mut on_sums = trial.list(&sums);
            let made = cuda::accumulate_squares(trial.device, &mut on_sums, &trial.list(&g)).unwrap();
            assert_eq!(kernel::accumulate_squares(Kernel::Literal, &mut sums, &g), made);
            same("accumulate_squares", &sums, &on_sums.elements(trial.device).unwrap());
        }
    }
}

fn rule<S: Scalar>(nesterov: bool) -> Descent<S> {
    let [learning_rate, momentum, weight_decay] = [0.05, 0.9, 0.01].map(S::from_f64);
    Descent { learning_rate, momentum, weight_decay, nesterov }
}

fn sgd_step<S: Scalar>(trial: &mut Trial, numbers: Numbers, len: usize, options: usize) {
    let [nesterov, has_squares, has_mask, with_decay, dead_momentum] =
        [0, 1, 2, 3, 4].map(|bit| options >> bit & 1 == 1);
    let (mut w, mut b, mut squares) =
        (trial.slice::<S>(numbers, len), trial.slice(numbers, len), trial.slice(numbers, len));
    let (g, alive) = (trial.slice::<S>(numbers, len), trial.flags(len));
    let (mut on_w, mut on_b, mut on_squares) = (trial.list(&w), trial.list(&b), trial.list(&squares));
    let (on_g, on_alive) = (trial.list(&g), trial.marks(&alive));
    let following = Following {
        squares: has_squares.then_some(&mut on_squares),
        with_decay,
        mask: has_mask.then_some(&on_alive),
        dead_momentum,
    };
    let made = cuda::sgd_step(trial.device, rule(nesterov), (&mut on_w, &mut on_b), &on_g, following).unwrap();
    let squared = has_squares.then_some(&mut squares[..]);
    let followed = Followed { squares: squared, with_decay, mask: has_mask.then_some(&alive[..]), dead_momentum };
    let literal = kernel::sgd_step(Kernel::Literal, rule(nesterov), (&mut w, &mut b), &g, followed);
    assert_eq!(literal, made, "sgd_step {options}: whether all is finite");
    for (literal, made) in [(w, on_w), (b, on_b), (squares, on_squares)] {
        same(&format!("sgd_step {options}"), &literal, &made.elements(trial.device).unwrap());
    }
}

fn drawn_step<S: Scalar>(trial: &mut Trial, numbers: Numbers, len: usize, options: usize) {
    let (rule, by_sign) = (rule::<S>(options & 1 == 1), options & 2 == 2);
    let penalty = Penalty { by_sign, strengths: [0.125, 0.5].map(S::from_f64) };
    let (mut w, mut v, mut computed) =
        (trial.slice::<S>(numbers, len), trial.slice(numbers, len), trial.slice(numbers, len));
    let (g, mask, moves) = (trial.slice::<S>(numbers, len), trial.flags(len), trial.flags(len));
    let (mut on_w, mut on_v, mut on_computed) = (trial.list(&w), trial.list(&v), trial.list(&computed));
    let on_flags = (&trial.marks(&mask), &trial.marks(&moves));
    let moving = (&mut on_w, &mut on_v, &mut on_computed);
    let made = cuda::drawn_step(trial.device, rule, penalty, moving, &trial.list(&g), on_flags).unwrap();
    let moving = (&mut w[..], &mut v[..], &mut computed[..]);
    let literal = kernel::drawn_step(Kernel::Literal, rule, penalty, moving, &g, (&mask, &moves));
    assert_eq!(literal, made, "drawn_step {options}: whether all is finite");
    for (literal, made) in [(w, on_w), (v, on_v), (computed, on_computed)] {
        same(&format!("drawn_step {options}"), &literal, &made.elements(trial.device).unwrap());
    }
}
