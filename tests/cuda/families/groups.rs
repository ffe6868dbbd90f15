//! Groups of weights, of neighbours and of strangers, empty ones among them.

use super::draw::{ALL, Numbers, Trial, same_wide};
use gdstar::kernel::cuda::{self, Groups};
use gdstar::kernel::{self, GroupTotal, Kernel, Term};
use gdstar::scalar::Scalar;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        for (len, count) in [(0, 0), (0, 3), (40, 1), (300, 7), (700, 600)] {
            let ids: Vec<usize> = (0..len).map(|j| if j % 2 == 0 { j * 5 % count } else { j * count / len }).collect();
            let (x, flags, of_groups) = (trial.slice::<S>(numbers, len), trial.flags(len), trial.flags(count));
            let groups = Groups::upload(trial.device, &ids, count).unwrap();
            let (on_x, on_flags) = (trial.list(&x), trial.marks(&flags));
            for total in [
                GroupTotal::Maximum,
                GroupTotal::Sum(Term::Value),
                GroupTotal::Sum(Term::Magnitude),
                GroupTotal::Sum(Term::Square),
            ] {
                let literal = kernel::group_totals(Kernel::Literal, total, &x, &ids, count, &flags);
                let made = cuda::group_totals(trial.device, total, &on_x, &groups, &on_flags).unwrap();
                assert_eq!(literal.len(), made.len());
                for ((literal, members), (made, counted)) in literal.into_iter().zip(made) {
                    same_wide(&format!("group_totals, {total:?}"), literal, made);
                    assert_eq!(members, counted, "group_totals");
                }
            }
            let literal = kernel::flags_of_groups(Kernel::Literal, &of_groups, &ids);
            let made = cuda::flags_of_groups(trial.device, &trial.marks(&of_groups), &groups).unwrap();
            trial.same_flags("flags_of_groups", &literal, &made);
            // NaN is in no order.
            if numbers != Numbers::Wild {
                for keep in [0, 2, len] {
                    let literal = kernel::least_of_groups(Kernel::Literal, &x, &flags, &ids, count, keep);
                    let made = cuda::least_of_groups(trial.device, &on_x, &on_flags, &groups, keep).unwrap();
                    trial.same_flags("least_of_groups", &literal, &made);
                }
            }
        }
    }
    squares_of_every_size::<S>(trial);
    assert!(Groups::upload(trial.device, &[0, 3], 3).is_err());
}

/// A group for each number.
fn squares_of_every_size<S: Scalar>(trial: &mut Trial) {
    let x = trial.of_every_size::<S>();
    let (ids, all, square) = ((0..x.len()).collect::<Vec<_>>(), vec![true; x.len()], GroupTotal::Sum(Term::Square));
    let groups = Groups::upload(trial.device, &ids, x.len()).unwrap();
    let literal = kernel::group_totals(Kernel::Literal, square, &x, &ids, x.len(), &all);
    let made = cuda::group_totals(trial.device, square, &trial.list(&x), &groups, &trial.marks(&all)).unwrap();
    literal.into_iter().zip(made).for_each(|((literal, _), (made, _))| same_wide("a square", literal, made));
}
