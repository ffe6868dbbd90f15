//! Alg. 4.

use crate::common::equations::same;
use gdstar::paper::reading::RewindCopy;
use gdstar::paper::rewind::RewindPoint;
use ndarray::{ArrayD, arr0, arr1};

/// One epoch's end as Alg. 4 sees it, with one weight: its norm, and the weight before and after the epoch's pruning.
pub struct Epoch {
    pub norm: f64,
    pub before: f64,
    pub after: f64,
}

/// m, k*, W_k* after each epoch, from k = 0 and W_0 = -1.
pub type States = Vec<(f64, usize, f64)>;

pub fn check_alg4(run: impl Fn(&[Epoch]) -> States) -> Result<(), String> {
    let epoch = |(k, norm): (usize, f64)| Epoch { norm, before: k as f64, after: 100.0 + k as f64 };
    let epochs = |norms: &[f64]| norms.iter().copied().enumerate().map(epoch).collect::<Vec<_>>();
    let expected = vec![(5.0, 0, 0.0), (5.0, 0, 0.0), (3.0, 2, 2.0), (3.0, 2, 2.0), (1.0, 4, 4.0)];
    same("norms 5 7 3 3 1", run(&epochs(&[5.0, 7.0, 3.0, 3.0, 1.0])), expected)?;
    same("an increasing norm keeps epoch 0", run(&epochs(&[1.0, 2.0])), vec![(1.0, 0, 0.0), (1.0, 0, 0.0)])
}

pub fn weight(x: f64) -> ArrayD<f64> {
    arr1(&[x]).into_dyn()
}

pub fn run(epochs: &[Epoch]) -> States {
    let mut point = RewindPoint::new(RewindCopy::Copy, &[weight(-1.0).view()]);
    let state = |(k, epoch): (usize, &Epoch)| {
        point.observe(k, epoch.norm, &[weight(epoch.before).view()]).unwrap();
        (point.minimum(), point.k_star(), point.weights().unwrap()[0][0])
    };
    epochs.iter().enumerate().map(state).collect()
}

#[test]
fn alg4_observes_strict_new_minima_and_keeps_their_weights() {
    check_alg4(run).unwrap();
}

#[test]
fn alg4_starts_at_infinity_epoch_0_and_w_0() {
    let point = RewindPoint::new(RewindCopy::Copy, &[weight(-1.0).view()]);
    assert_eq!((point.minimum(), point.k_star()), (f64::INFINITY, 0));
    assert_eq!(point.weights(), Some(&[weight(-1.0)][..]));
}

#[test]
fn alg4_an_alias_stores_nothing_and_still_moves() {
    let mut point = RewindPoint::new(RewindCopy::Alias, &[weight(-1.0).view()]);
    assert!(point.observe(3, 2.0, &[weight(1.0).view()]).unwrap());
    assert_eq!((point.minimum(), point.k_star(), point.weights()), (2.0, 3, None));
}

#[test]
fn random_rewind_moves_the_point_and_not_the_minimum() {
    let mut point = RewindPoint::new(RewindCopy::Copy, &[weight(-1.0).view()]);
    point.move_to(4, &[weight(9.0).view()]).unwrap();
    assert_eq!((point.minimum(), point.k_star()), (f64::INFINITY, 4));
    assert_eq!(point.weights(), Some(&[weight(9.0)][..]));
}

#[test]
fn alg4_rejects_norms_that_are_none_and_weights_that_do_not_fit_and_stays_as_it_was() {
    let mut point = RewindPoint::new(RewindCopy::Copy, &[weight(-1.0).view()]);
    let before = point.clone();
    for wrong in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(point.observe(1, wrong, &[weight(0.0).view()]).is_err(), "norm {wrong}");
    }
    assert!(point.observe(1, 1.0, &[]).is_err());
    assert!(point.observe(1, 1.0, &[arr0(0.0).into_dyn().view()]).is_err());
    assert_eq!(point, before);
}

#[test]
fn a_restored_rewind_point_is_the_one_that_was_stored() {
    let mut point = RewindPoint::new(RewindCopy::Copy, &[weight(-1.0).view()]);
    for copy in [RewindCopy::Copy, RewindCopy::Alias] {
        let fresh = RewindPoint::new(copy, &[weight(-1.0).view()]);
        for point in [&point, &fresh] {
            let weights = point.weights().map(<[_]>::to_vec);
            assert_eq!(&RewindPoint::restore(point.minimum(), point.k_star(), weights).unwrap(), point);
        }
        point.observe(2, 3.0, &[weight(7.0).view()]).unwrap();
    }
    assert!(RewindPoint::<f64>::restore(f64::NAN, 0, None).is_err());
}
