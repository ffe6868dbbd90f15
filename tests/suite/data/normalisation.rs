//! The mean and standard deviation of a data set's own pixels, exact.

use dashu_ratio::RBig;
use gdstar::data::{Images, Normalisation};
use proptest::prelude::*;

fn images(shape: [usize; 3], pixels: Vec<u8>) -> Images {
    let labels = vec![0; pixels.len() / shape.iter().product::<usize>()];
    Images { shape, pixels, labels }
}

#[test]
fn moments_are_per_channel_and_of_the_population() {
    // Two images of two channels of two pixels: 0, 255, 0, 255 and 51, 51, 102, 102.
    let two = images([2, 1, 2], vec![0, 255, 51, 51, 0, 255, 102, 102]);
    let Normalisation { scale, mean, std } = Normalisation::of(&two, 255.0);
    assert_eq!((scale, mean, std), (255.0, vec![0.5, 0.3], vec![0.5, 0.1]));
}

/// A channel of one value has no deviation to divide by: it becomes 0 where it has that value, and finite elsewhere.
#[test]
fn a_constant_channel_is_not_divided_by_zero() {
    let grey = images([2, 1, 2], vec![51, 51, 0, 255]);
    let normalisation = Normalisation::of(&grey, 255.0);
    assert_eq!((&normalisation.mean, &normalisation.std), (&vec![0.2, 0.5], &vec![1.0, 0.5]));
    let tables = normalisation.tables::<f64>();
    assert_eq!((tables[0][51], tables[0][255]), (0.0, 1.0 - 0.2));
    assert!(tables.iter().flatten().all(|x| x.is_finite()));
}

proptest! {
    /// Against exact rationals. A mean has one rounding in each of two divisions (its sum is below 2^53): relative
    /// error below 2 u + u^2 with u = 2^-53, so below 3 u. A deviation has that of an integer made a double, halved by
    /// the root, the root's and two divisions': 3.5 u and products, so below 4 u; its square below 9 u.
    #[test]
    fn moments_are_those_of_the_pixels(pixels in prop::collection::vec(any::<u8>(), 1..500)) {
        let exact = |x: f64| RBig::try_from(x).unwrap();
        let ulps = |n: u32| RBig::from(n) / RBig::from(1_u64 << 53);
        let scale = RBig::from(255);
        let n = RBig::from(pixels.len());
        let mean = pixels.iter().map(|&p| RBig::from(p)).fold(RBig::ZERO, |a, b| a + b) / &n / &scale;
        let square = |p: u8| (RBig::from(p) / &scale - &mean).sqr();
        let variance = pixels.iter().map(|&p| square(p)).fold(RBig::ZERO, |a, b| a + b) / &n;
        let found = Normalisation::of(&images([1, 1, 1], pixels.clone()), 255.0);
        let distance = |a: RBig, b: &RBig| if a > *b { a - b } else { b - a };
        prop_assert!(distance(exact(found.mean[0]), &mean) <= ulps(3) * &mean);
        if variance.is_zero() {
            prop_assert_eq!(found.std[0], 1.0);
        } else {
            prop_assert!(distance(exact(found.std[0]).sqr(), &variance) <= ulps(9) * &variance);
        }
    }
}
