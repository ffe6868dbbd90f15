//! f32 rounded in every direction: held against the exact result, of which f64 has more than enough bits.

use standin::alu::round::{add, divide, fma, multiply, narrow, root, Mode};
use standin::random::Random;

const MODES: [Mode; 4] = [Mode::Nearest, Mode::Zero, Mode::Down, Mode::Up];

/// `x` lies on the right side of the exact value, of which `compare` tells on what side of a given f64 it is, and is the
/// nearest f32 on that side.
fn holds(mode: Mode, x: f32, above: impl Fn(f64) -> bool, below: impl Fn(f64) -> bool) -> bool {
    // above(y): the exact value is greater than y.
    let up = !above(f64::from(x)) && above(f64::from(x.next_down()));
    let down = !below(f64::from(x)) && below(f64::from(x.next_up()));
    let exact = !above(f64::from(x)) && !below(f64::from(x));
    match mode {
        _ if exact => true,
        Mode::Nearest => up || down,
        Mode::Down => down,
        Mode::Up => up,
        Mode::Zero if x > 0.0 || x == 0.0 && x.is_sign_positive() => down,
        Mode::Zero => up,
    }
}

/// Numbers of all sizes, subnormals among them, and near each other.
fn draw(random: &mut Random) -> f32 {
    let bits = random.draw();
    let exponent = [127, 127, 128, 1, 0, 254, 100, 150][(bits >> 40) as usize % 8];
    f32::from_bits((bits as u32 & 0x807f_ffff) | (exponent << 23))
}

#[test]
fn every_direction_is_kept() {
    let mut random = Random::new(1);
    for _ in 0..200_000 {
        let (a, b, c) = (draw(&mut random), draw(&mut random), draw(&mut random));
        let (x, y) = (f64::from(a), f64::from(b));
        for mode in MODES {
            let product = multiply(mode, a, b);
            assert!(holds(mode, product, |z| x * y > z, |z| x * y < z), "{a:e} * {b:e} by {mode:?}: {product:e}");
            // a + b against z: a - z is compared with -b, both exact where they are close.
            let sum = add(mode, a, b);
            let (above, below) = (|z: f64| exceeds(x, y, z), |z: f64| exceeds(-x, -y, -z));
            assert!(holds(mode, sum, above, below), "{a:e} + {b:e} by {mode:?}: {sum:e}");
            let fused = fma(mode, a, b, c);
            let z = f64::from(c);
            let (above, below) = (|w: f64| exceeds(x * y, z, w), |w: f64| exceeds(-(x * y), -z, -w));
            assert!(holds(mode, fused, above, below), "{a:e} * {b:e} + {c:e} by {mode:?}: {fused:e}");
            if b != 0.0 {
                let quotient = divide(mode, a, b);
                let s = y.signum();
                let (above, below) = (|z: f64| s * x > s * y * z, |z: f64| s * x < s * y * z);
                assert!(holds(mode, quotient, above, below), "{a:e} / {b:e} by {mode:?}: {quotient:e}");
            }
            let square = root(mode, a.abs());
            let (above, below) = (|z: f64| z < 0.0 || x.abs() > z * z, |z: f64| z >= 0.0 && x.abs() < z * z);
            assert!(holds(mode, square, above, below), "root of {a:e} by {mode:?}: {square:e}");
            let cut = narrow(mode, x * y);
            assert_eq!(cut.to_bits(), product.to_bits());
        }
    }
}

/// a + b > z exactly.
fn exceeds(a: f64, b: f64, z: f64) -> bool {
    let s = a + b;
    let part = s - a;
    let e = (a - (s - part)) + (b - part);
    s > z || s == z && e > 0.0
}
