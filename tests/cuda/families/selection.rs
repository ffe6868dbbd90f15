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
            decay::<S>(trial, numbers, len.min(600));
            first_not_finite::<S>(trial, numbers, len);
        }
    }
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

fn decay<S: Scalar>(trial: &mut Trial, numbers: Numbers, len: usize) {
    let (x, star, selected) = (trial.slice::<S>(numbers, len), trial.slice::<S>(numbers, len), trial.flags(len));
    let alive = trial.flags(len);
    // Factors that are wide: no doubles.
    let factors = [3.0, 7.0, 11.0].map(|x| S::Wide::ONE / S::Wide::from_f64(x));
    for of_all in [true, false] {
        for rewind in [Some(&star), None] {
            let rule = DecayRule { factors, eps: 1e-3, of_all };
            let (mut w, mut mask) = (x.clone(), alive.clone());
            let (mut on_w, mut on_mask, on_star) = (trial.list(&w), trial.marks(&mask), rewind.map(|w| trial.list(w)));
            let on_selected = trial.marks(&selected);
            let counts =
                cuda::rewind_decay(trial.device, &mut on_w, on_star.as_ref(), &on_selected, &mut on_mask, &rule);
            let rewind = rewind.map(|w| &w[..]);
            let literal = kernel::rewind_decay(Kernel::Literal, &mut w, rewind, &selected, &mut mask, &rule);
            assert_eq!(literal, counts.unwrap(), "rewind_decay");
            same("rewind_decay", &w, &on_w.elements(trial.device).unwrap());
            trial.same_flags("rewind_decay", &mask, &on_mask);
        }
    }
}

fn first_not_finite<S: Scalar>(trial: &mut Trial, numbers: Numbers, len: usize) {
    let (x, star, selected) = (trial.slice::<S>(numbers, len), trial.slice::<S>(numbers, len), trial.flags(len));
    let alive = trial.flags(len);
    for rewind in [Some(&star), None] {
        let literal = kernel::first_not_finite(Kernel::Literal, &x, rewind.map(|w| &w[..]), &selected, &alive);
        let on_star = rewind.map(|w| trial.list(w));
        let flags = (trial.marks(&selected), trial.marks(&alive));
        let made = cuda::first_not_finite(trial.device, &trial.list(&x), on_star.as_ref(), &flags.0, &flags.1).unwrap();
        assert_eq!(literal.map(|(place, _)| place), made, "first_not_finite");
    }
}
