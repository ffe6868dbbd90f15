//! Exact rationals of another implementation ([`dashu_ratio`]), and what it means to be rounded correctly.

use dashu_ratio::Relaxed;

/// A finite `f64`, exactly.
pub fn rational(x: f64) -> Relaxed {
    Relaxed::try_from(x).unwrap_or_else(|e| panic!("{x} as a rational: {e:?}"))
}

pub fn count(n: usize) -> Relaxed {
    Relaxed::from(n as u64)
}

pub fn zero() -> Relaxed {
    Relaxed::from(0_u8)
}

/// The sum, by halves, so that the numbers stay short for long.
pub fn sum(terms: &[Relaxed]) -> Relaxed {
    match terms {
        [] => zero(),
        [one] => one.clone(),
        more => {
            let (a, b) = more.split_at(more.len() / 2);
            sum(a) + sum(b)
        }
    }
}

/// A number's neighbours and whether its last bit is 0, in one format.
pub trait Neighbours: Copy + Into<f64> {
    fn down(self) -> Self;
    fn up(self) -> Self;
    fn is_even(self) -> bool;
}

macro_rules! neighbours {
    ($($S:ty),+) => { $(
        impl Neighbours for $S {
            fn down(self) -> Self {
                self.next_down()
            }
            fn up(self) -> Self {
                self.next_up()
            }
            fn is_even(self) -> bool {
                self.to_bits().is_multiple_of(2)
            }
        }
    )+ };
}
neighbours!(f32, f64);

/// Whether `rounded` is the number of its format nearest to `exact`, of two the even one: `exact` lies between the
/// middles to the neighbours, and on a middle only if `rounded` is even.
pub fn is_rounded<T: Neighbours>(rounded: T, exact: &Relaxed) -> bool {
    let x: f64 = rounded.into();
    if !x.is_finite() {
        return false;
    }
    let middle = |neighbour: f64| (rational(x) + rational(neighbour)) / Relaxed::from(2_u8);
    let (low, high) = (middle(rounded.down().into()), middle(rounded.up().into()));
    (low < *exact && *exact < high) || (rounded.is_even() && (low == *exact || *exact == high))
}

/// Whether `x` is within `ulps` units in the last place of `exact`: no further than that neighbour.
pub fn is_within(x: f64, exact: &Relaxed, ulps: u32) -> bool {
    let (mut low, mut high) = (x, x);
    for _ in 0..ulps {
        (low, high) = (low.next_down(), high.next_up());
    }
    x.is_finite() && rational(low) <= *exact && *exact <= rational(high)
}

/// The definition has teeth: a neighbour is not the rounded number, and neither is an odd one at a tie.
#[test]
fn rounding_is_told_from_its_neighbours() {
    let third = count(1) / count(3);
    assert!(is_rounded(1.0_f64 / 3.0, &third) && is_rounded(1.0_f32 / 3.0, &third));
    assert!(!is_rounded((1.0_f64 / 3.0).next_up(), &third) && !is_rounded((1.0_f64 / 3.0).next_down(), &third));
    let tie = rational(1.0) + rational(f64::EPSILON) / count(2);
    assert!(is_rounded(1.0, &tie) && !is_rounded(1.0 + f64::EPSILON, &tie));
    assert!(!is_rounded(f64::NAN, &tie) && !is_within(f64::NAN, &tie, 1));
    let half_of_smallest = rational(f64::from_bits(1)) / count(2);
    assert!(is_rounded(0.0, &half_of_smallest) && !is_rounded(f64::from_bits(1), &half_of_smallest));
}
