//! One step of a long sum of `f64` products, which is written without branches: it has the bits of the operators, and where
//! something is zero or not finite, what the plain sum has.

use super::{Verdict, assert_caught, assert_sound, power_of_two};
use gdstar::scalar::{Bounded, DoubleDouble, Dual, Scalar};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Step = fn(DoubleDouble, f64, f64) -> DoubleDouble;

fn bits(x: DoubleDouble) -> [u64; 2] {
    [x.hi(), x.lo()].map(f64::to_bits)
}

/// Sums of either sign and product of magnitudes that may cancel or be far apart.
fn ordinary(step: Step) -> Verdict {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut draw = |most: i32| rng.random_range(-1.0..1.0) * power_of_two(rng.random_range(-most..=most));
    for _ in 0..20_000 {
        let (a, b, high, low) = (draw(20), draw(20), draw(40), draw(20) * power_of_two(-70));
        // A sum that the product all but cancels, and one that has nothing to do with it.
        for sum in [DoubleDouble::from_sum(-a * b, low), DoubleDouble::from_sum(high, low)] {
            let (got, expected) = (step(sum, a, b), sum + DoubleDouble::from_product(a, b));
            if bits(got) != bits(expected) {
                return Err(format!("{sum:?} + {a:e} {b:e}: {got:?}, not {expected:?}"));
            }
        }
    }
    Ok(())
}

fn extreme(step: Step) -> Verdict {
    let values = [0.0, 1.0, 1.5, 2f64.powi(600), f64::MAX, f64::MIN_POSITIVE, 1e-320, f64::INFINITY, f64::NAN];
    let all: Vec<f64> = values.into_iter().flat_map(|x| [x, -x]).collect();
    for &sum in &all {
        for &a in &all {
            for &b in &all {
                let (got, plain) = (step(DoubleDouble::from(sum), a, b), sum + a * b);
                let is_right = match plain {
                    _ if plain.is_nan() => got.is_nan(),
                    _ if plain == 0.0 || plain.is_infinite() => bits(got) == [plain.to_bits(), 0],
                    _ => (got.hi() - plain).abs() <= f64::EPSILON * plain.abs().max(sum.abs()),
                };
                if !is_right {
                    return Err(format!("{sum:e} + {a:e} {b:e}: {got:?}, plainly {plain:e}"));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_step_has_the_bits_of_the_operators() {
    assert_sound(ordinary(f64::add_product));
    assert_sound(extreme(f64::add_product));
}

#[test]
fn faults_in_a_step_are_caught() {
    assert_caught("the product rounded", ordinary(|sum, a, b| sum + DoubleDouble::from(a * b)));
    assert_caught("the sum rounded", ordinary(|sum, a, b| DoubleDouble::from(f64::add_product(sum, a, b).hi())));
    assert_caught("zeros without a sign", extreme(|sum, a, b| f64::add_product(sum, a, b) + DoubleDouble::ZERO));
    let unguarded = |sum: DoubleDouble, a: f64, b: f64| {
        let (product, error) = (a * b, a.mul_add(b, -(a * b)));
        let hi = sum.hi() + product;
        DoubleDouble::from(hi + (sum.lo() + error))
    };
    assert_caught("infinities that are NaN", extreme(unguarded));
}

/// The other number systems that carry an `f64` compute what it computes.
#[test]
fn a_step_is_the_same_within_other_number_systems() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..1000 {
        let [a, b, sum] = [(); 3].map(|()| rng.random_range(-1.0..1.0));
        let expected = f64::add_product(DoubleDouble::from(sum), a, b);
        let [of_a, of_b, of_sum] = [a, b, sum].map(Bounded::<f64>::exact);
        let bounded = Bounded::<f64>::add_product(of_sum.to_accumulator(), of_a, of_b);
        assert_eq!(bits(bounded.value()), bits(expected));
        // The operators round the product and the sum; the two forms differ by as much at the most.
        let rounded = DoubleDouble::UNIT_ROUNDOFF * ((a * b).abs() + (sum + a * b).abs());
        assert!(bounded.error() <= 2.0 * rounded, "{bounded:?}");
        // (a b)' = a' b + a b', with a' = 1 and b' = 1
        let [of_a, of_b] = [a, b].map(|x| Dual::new(x, 1.0));
        let dual = Dual::<f64>::add_product(Dual::constant(sum).to_accumulator(), of_a, of_b);
        assert_eq!(bits(dual.value()), bits(expected));
        assert_eq!(bits(dual.derivative()), bits(DoubleDouble::from_sum(a, b)));
    }
}
