//! The kernels that work on weights, one after the other: what a step and the end of an epoch do with them.

use super::Values;
use gdstar::kernel::{self, DecayRule, Descent, Followed, GroupTotal, Kernel, Penalty, Term};
use gdstar::scalar::Scalar;
use ndarray::{Array1, ArrayD};

/// More than one thread takes.
const N: usize = 100_000;
/// Groups of neighbours and of strangers.
const GROUPS: usize = 777;

/// Flags as numbers.
fn ones<S: Scalar>(flags: &[bool]) -> ArrayD<S> {
    flags.iter().map(|&flag| if flag { S::ONE } else { S::ZERO }).collect::<Array1<S>>().into_dyn()
}

fn array<S: Scalar>(values: Vec<S>) -> ArrayD<S> {
    Array1::from(values).into_dyn()
}

/// Wide numbers, rounded: what they are used for.
fn rounded<S: Scalar>(wide: impl IntoIterator<Item = S::Wide>) -> ArrayD<S> {
    array(wide.into_iter().map(S::narrow).collect())
}

/// What the kernel of this name makes of drawn weights, bit for bit the same in both forms; `None` if it is none of these.
pub fn results<S: Scalar>(name: &str, kernel: Kernel, values: Values) -> Option<Vec<ArrayD<S>>> {
    let draw = |seed: u64| values.array::<S>(seed, &[N]).into_raw_vec_and_offset().0;
    let flags = |seed: u64| draw(seed).iter().map(|x| x.abs() > S::from_f64(0.01)).collect::<Vec<bool>>();
    let (x, alive, selected) = (draw(1), flags(2), flags(3));
    let ids: Vec<usize> = (0..N).map(|j| if j % 2 == 0 { j / 2 % GROUPS } else { j * GROUPS / N }).collect();
    Some(match name {
        "accumulate_squares" => {
            let mut sums = x;
            assert!(kernel::accumulate_squares(kernel, &mut sums, &draw(4)));
            vec![array(sums)]
        }
        "sgd_step" => {
            let [learning_rate, momentum, weight_decay] = [0.05, 0.9, 0.01].map(S::from_f64);
            let classical = Descent { learning_rate, momentum, weight_decay, nesterov: false };
            let mut made = Vec::new();
            for (has_squares, has_mask, with_decay, dead_momentum, nesterov) in [
                (false, false, false, false, false),
                (false, false, false, false, true),
                (false, true, false, true, false),
                (true, false, true, false, true),
                (true, true, false, false, false),
                (true, true, true, true, true),
            ] {
                let rule = Descent { nesterov, ..classical };
                let (mut w, mut b, mut squares) = (x.clone(), draw(4), draw(5));
                let (squared, mask) = (has_squares.then_some(&mut squares[..]), has_mask.then_some(&alive[..]));
                let followed = Followed { squares: squared, with_decay, mask, dead_momentum };
                assert!(kernel::sgd_step(kernel, rule, (&mut w, &mut b), &draw(6), followed));
                made.extend([w, b, squares].map(array));
            }
            made
        }
        "drawn_step" => {
            let [learning_rate, momentum, weight_decay] = [0.05, 0.9, 0.01].map(S::from_f64);
            let rule = Descent { learning_rate, momentum, weight_decay, nesterov: false };
            let strengths = [0.125, 0.5].map(S::from_f64);
            let mut made = Vec::new();
            for is_other in [false, true] {
                let (rule, penalty) =
                    (Descent { nesterov: is_other, ..rule }, Penalty { by_sign: is_other, strengths });
                let (mut w, mut v, mut computed) = (x.clone(), draw(4), draw(5));
                let (moving, flags) = ((&mut w[..], &mut v[..], &mut computed[..]), (&alive[..], &selected[..]));
                assert!(kernel::drawn_step(kernel, rule, penalty, moving, &draw(6), flags));
                made.extend([w, v, computed].map(array));
            }
            made
        }
        "sum" => {
            let of = |term| kernel::sum(kernel, term, S::Wide::ONE, &x);
            vec![rounded([Term::Value, Term::Magnitude, Term::Square].map(of))]
        }
        "order_statistics" => {
            let zeros = |x: S, alive: bool| if alive { x } else { S::ZERO };
            let many_zeros: Vec<S> = x.iter().zip(&alive).map(|(&x, &alive)| zeros(x, alive)).collect();
            let mut made = Vec::new();
            for values in [&x[..], &many_zeros, &x[..5], &x[..1]] {
                let n = values.len();
                for rank in [0, n / 100, n / 2, n - n / 3 - 1, n - 1] {
                    for next in [false, true] {
                        let (value, following) = kernel::order_statistics(kernel, values, rank, next).unwrap();
                        assert_eq!(following.is_some(), next && rank + 1 < n);
                        made.extend([Some(value), following].into_iter().flatten());
                    }
                }
            }
            let infinite = [&x[..], &[S::from_f64(f64::INFINITY)]].concat();
            assert_eq!(kernel::order_statistics(kernel, &infinite, 0, true), Err(N));
            vec![array(made)]
        }
        "below" => vec![ones(&kernel::below(kernel, &x, S::from_f64(0.001)))],
        "hold" => {
            let (mut x, mut selected) = (x, selected);
            kernel::hold(kernel, &mut x, &alive);
            kernel::hold(kernel, &mut selected, &alive);
            vec![array(x), ones(&selected)]
        }
        "living" => {
            let (none, all) = (vec![false; N], vec![true; N]);
            [alive, none, all].map(|alive| array(kernel::living(kernel, &x, &alive))).into()
        }
        "group_totals" => {
            let sums = [Term::Value, Term::Magnitude, Term::Square].map(GroupTotal::Sum);
            let of = |total| {
                let totals = kernel::group_totals(kernel, total, &x, &ids, GROUPS + 1, &alive);
                let members = totals.iter().map(|&(_, members)| S::Wide::from_usize(members));
                [rounded(totals.iter().map(|&(total, _)| total)), rounded(members)]
            };
            sums.into_iter().chain([GroupTotal::Maximum]).flat_map(of).collect()
        }
        "flags_of_groups" => vec![ones(&kernel::flags_of_groups(kernel, &selected[..GROUPS], &ids))],
        "least_of_groups" => vec![ones(&kernel::least_of_groups(kernel, &x, &alive, &ids, GROUPS, 50))],
        "rewind_decay" => {
            let factors = [0.5, 1.0, 1.0].map(S::Wide::from_f64);
            let mut made = Vec::new();
            for (of_all, w_star) in [(false, Some(draw(4))), (true, Some(draw(4))), (true, None)] {
                let rule = DecayRule { factors, eps: 0.002, of_all };
                let (mut w, mut mask) = (x.clone(), alive.clone());
                let counts = kernel::rewind_decay(kernel, &mut w, w_star.as_deref(), &selected, &mut mask, &rule);
                let counts = [counts.rewound, counts.eliminated].map(S::Wide::from_usize);
                made.extend([array(w), ones(&mask), rounded(counts)]);
            }
            made
        }
        "first_not_finite" => {
            let mut w_star = draw(4);
            let place = (N / 2..N).find(|&j| alive[j] && selected[j])?;
            (w_star[place], w_star[N - 1]) = (S::from_f64(f64::NEG_INFINITY), S::from_f64(f64::NAN));
            let found = kernel::first_not_finite(kernel, &x, Some(&w_star), &selected, &alive);
            assert_eq!(found.map(|(j, _)| j), Some(place));
            assert!(kernel::first_not_finite(kernel, &x, None, &selected, &alive).is_none());
            vec![rounded([S::Wide::from_usize(place)])]
        }
        _ => return None,
    })
}
