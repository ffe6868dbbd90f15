//! What is selected, what lives, and rewinding.

use super::draw::{ALL, Numbers, Trial, same, same_wide};
use gdstar::kernel::{self, DecayRule, Kernel, Term, cuda};
use gdstar::scalar::Scalar;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        for len in [0, 1, 255, 1200] {
            // Sums in order take as many steps as there are terms.
            sum::<S>(trial, numbers, len.min(600));
            flags::<S>(trial, numbers, len);
            let values = [(); 2].map(|()| trial.slice::<S>(numbers, len.min(600)));
            decay(trial, &values[0], &values[1], 1e-3);
            let values = [(); 2].map(|()| trial.slice::<S>(numbers, len));
            first_not_finite(trial, &values);
        }
    }
    // Behind the first block, and behind the first turn of a grid; in what is rewound to, or in the weights.
    for place in [400, 650] {
        for of in [0, 1] {
            let mut values = [(); 2].map(|()| trial.slice::<S>(Numbers::Ordinary, 700));
            values[of][place] = S::from_f64(f64::NAN);
            first_not_finite(trial, &values);
        }
    }
    sums_of_one::<S>(trial);
    let (x, star) = (trial.of_every_size::<S>(), trial.of_every_size::<S>());
    decay(trial, &x, &star, 0.0);
    const MANY: usize = 600 * 256 + 7;
    // More stretches than a tile holds, or a grid has threads.
    let (x, alive) = (trial.slice::<S>(Numbers::Ordinary, MANY), trial.flags(MANY));
    living(trial, &x, &alive);
}

fn sum<S: Scalar>(trial: &mut Trial, numbers: Numbers, len: usize) {
    let x = trial.slice::<S>(numbers, len);
    for term in [Term::Value, Term::Magnitude, Term::Square] {
        for start in [S::Wide::ZERO, -S::Wide::ZERO, S::Wide::ONE / S::Wide::from_f64(3.0)] {
            let literal = kernel::sum(Kernel::Literal, term, start, &x);
            let made = cuda::sum(trial.device, term, start, &trial.list(&x)).unwrap();
            same_wide(&format!("sum of {len} {term:?}"), literal, made);
        }
    }
}

/// Squares of single numbers, exactly.
fn sums_of_one<S: Scalar>(trial: &mut Trial) {
    let sizes = (-1074..=1023).step_by(63).chain((0..6).flat_map(|_| -512..=-506));
    for exponent in sizes {
        let x = [trial.of_size::<S>(exponent)];
        let literal = kernel::sum(Kernel::Literal, Term::Square, S::Wide::ZERO, &x);
        let made = cuda::sum(trial.device, Term::Square, S::Wide::ZERO, &trial.list(&x)).unwrap();
        same_wide(&format!("the square of {x:?}"), literal, made);
    }
}

fn flags<S: Scalar>(trial: &mut Trial, numbers: Numbers, len: usize) {
    let (x, alive, marked) = (trial.slice::<S>(numbers, len), trial.flags(len), trial.flags(len));
    let (on_x, on_alive) = (trial.list(&x), trial.marks(&alive));
    for threshold in [0.25, -0.0].map(S::from_f64) {
        let literal = kernel::below(Kernel::Literal, &x, threshold);
        trial.same_flags("below", &literal, &cuda::below(trial.device, &on_x, threshold).unwrap());
    }
    let (mut held, mut on_held) = (x.clone(), trial.list(&x));
    kernel::hold(Kernel::Literal, &mut held, &alive);
    cuda::hold(trial.device, &mut on_held, &on_alive).unwrap();
    same("hold", &held, &on_held.elements(trial.device).unwrap());
    let (mut held, mut on_held) = (marked.clone(), trial.marks(&marked));
    kernel::hold(Kernel::Literal, &mut held, &alive);
    cuda::hold_flags(trial.device, &mut on_held, &on_alive).unwrap();
    trial.same_flags("hold", &held, &on_held);
    living(trial, &x, &alive);
    living(trial, &x, &vec![false; len]);
}

fn living<S: Scalar>(trial: &Trial, x: &[S], alive: &[bool]) {
    let made = cuda::living(trial.device, &trial.list(x), &trial.marks(alive)).unwrap();
    same("living", &kernel::living(Kernel::Literal, x, alive), &made.elements(trial.device).unwrap());
}

fn decay<S: Scalar>(trial: &mut Trial, x: &[S], star: &[S], eps: f64) {
    let (selected, alive) = (trial.flags(x.len()), trial.flags(x.len()));
    // Factors that are wide: no doubles.
    let factors = [3.0, 7.0, 11.0].map(|x| S::Wide::ONE / S::Wide::from_f64(x));
    for of_all in [true, false] {
        for rewind in [Some(star), None] {
            let rule = DecayRule { factors, eps, of_all };
            let (mut w, mut mask) = (x.to_vec(), alive.clone());
            let (mut on_w, mut on_mask, on_star) = (trial.list(&w), trial.marks(&mask), rewind.map(|w| trial.list(w)));
            let on_selected = trial.marks(&selected);
            let counts =
                cuda::rewind_decay(trial.device, &mut on_w, on_star.as_ref(), &on_selected, &mut on_mask, &rule);
            let literal = kernel::rewind_decay(Kernel::Literal, &mut w, rewind, &selected, &mut mask, &rule);
            assert_eq!(literal, counts.unwrap(), "rewind_decay");
            same("rewind_decay", &w, &on_w.elements(trial.device).unwrap());
            trial.same_flags("rewind_decay", &mask, &on_mask);
        }
    }
}

/// Of weights, and of what they are rewound to.
fn first_not_finite<S: Scalar>(trial: &mut Trial, [x, star]: &[Vec<S>; 2]) {
    let [some, others, alive] = [(); 3].map(|()| trial.flags(x.len()));
    let all = vec![true; x.len()];
    for (selected, alive) in [(&some, &alive), (&all, &all), (&some, &all), (&others, &some)] {
        for rewind in [Some(star), None] {
            let literal = kernel::first_not_finite(Kernel::Literal, x, rewind.map(|w| &w[..]), selected, alive);
            let (on_x, on_star) = (trial.list(x), rewind.map(|w| trial.list(w)));
            let (on_selected, on_alive) = (trial.marks(selected), trial.marks(alive));
            let made = cuda::first_not_finite(trial.device, &on_x, on_star.as_ref(), &on_selected, &on_alive);
            assert_eq!(literal.map(|(place, _)| place), made.unwrap(), "first_not_finite");
        }
    }
}
