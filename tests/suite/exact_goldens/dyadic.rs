//! The arithmetic without rounding that derives the exact lane.

use gdstar::oracle::exact::dyadic::{Dyadic, Format};

fn exact(x: f64) -> Dyadic {
    Dyadic::new(x).unwrap()
}

/// A number alone is itself, whatever its size.
#[test]
fn numbers_come_back() {
    for x in [1.0, -1.5, 0.1, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1), -f64::from_bits(3), 0.0] {
        assert_eq!(exact(x).rounded(Format::F64), x);
        assert_eq!(exact(x).quotient(1, Format::F64), x);
        assert_eq!(exact(x).rounded(Format::F32), f64::from(x as f32), "{x:e}");
    }
}

/// Halfway cases go to the even neighbour, and to the other side as soon as anything at all says so.
#[test]
fn ties_are_settled_by_the_last_bit() {
    let half_ulp = exact(f64::EPSILON / 2.0);
    let tie = exact(1.0).plus(&half_ulp);
    assert_eq!(tie.rounded(Format::F64), 1.0);
    assert_eq!(tie.plus(&exact(f64::from_bits(1))).rounded(Format::F64), 1.0 + f64::EPSILON);
    assert_eq!(exact(1.0 + f64::EPSILON).plus(&half_ulp).rounded(Format::F64), 1.0 + 2.0 * f64::EPSILON);
    let least = exact(f64::from_bits(1));
    assert_eq!(least.times(&exact(0.5)).rounded(Format::F64), 0.0);
    assert_eq!(least.times(&exact(0.75)).rounded(Format::F64), f64::from_bits(1));
    assert_eq!(exact(f64::MAX).plus(&exact(f64::MAX)).rounded(Format::F64), f64::INFINITY);
}

/// Sums and products agree with integer arithmetic.
#[test]
fn small_numbers_agree_with_integers() {
    for a in -20i32..=20 {
        for b in -20i32..=20 {
            let (x, y) = (exact(f64::from(a)), exact(f64::from(b)));
            assert_eq!(x.plus(&y).rounded(Format::F64), f64::from(a + b));
            assert_eq!(x.minus(&y).rounded(Format::F64), f64::from(a - b));
            assert_eq!(x.times(&y).rounded(Format::F64), f64::from(a * b));
            assert_eq!(x.compare(&y), a.cmp(&b));
            if b > 0 {
                assert_eq!(x.quotient(b as u64, Format::F64), f64::from(a) / f64::from(b));
                assert_eq!(x.quotient(b as u64, Format::F32), f64::from(a as f32 / b as f32));
            }
        }
    }
    assert_eq!(exact(7.5).floor(), Some(7));
    assert_eq!(exact(1.5).power(3).rounded(Format::F64), 3.375);
}
