//! What kernels are tried on, and how results are held against Literal's.

use gdstar::kernel::cuda::{Device, DeviceTensor};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers as they come, or with a share of those at which arithmetic is special.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Numbers {
    Ordinary,
    /// Finite, but of any size: sums overflow, products vanish.
    Extreme,
    /// NaN and infinities too.
    Wild,
    /// A few times the smallest there is: a mean of them is rounded to a multiple of it.
    Subnormal,
}

pub const ALL: [Numbers; 3] = [Numbers::Ordinary, Numbers::Extreme, Numbers::Wild];

/// A device, and numbers for it; the same each time.
pub struct Trial {
    pub device: &'static Device,
    pub rng: ChaCha8Rng,
}

impl Trial {
    pub fn new() -> Self {
        Self { device: Device::get().unwrap(), rng: ChaCha8Rng::seed_from_u64(20) }
    }

    pub fn number<S: Scalar>(&mut self, numbers: Numbers) -> S {
        let (largest, smallest) = match S::NAME {
            "f32" => (f64::from(f32::MAX), f64::from(f32::from_bits(1))),
            _ => (f64::MAX, f64::from_bits(1)),
        };
        let special = [0.0, -0.0, 1.0, -1.0, 6.0, smallest, -3.0 * smallest, largest, -largest, largest / 3.0, 1e-30];
        let beyond = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        S::from_f64(match (numbers, self.rng.random_range(0..16)) {
            (Numbers::Subnormal, times) => (f64::from(times) - 8.0) * smallest,
            (Numbers::Extreme | Numbers::Wild, 0..5) => special[self.rng.random_range(0..special.len())],
            (Numbers::Wild, 5) => beyond[self.rng.random_range(0..beyond.len())],
            _ => self.rng.random_range(-2.0..2.0) * 2_f64.powi(self.rng.random_range(-8..4)),
        })
    }

    /// A number of this size: at least 2^exponent, below 2^(exponent + 1), of either sign.
    pub fn of_size<S: Scalar>(&mut self, exponent: i32) -> S {
        let number = self.rng.random_range(1.0..2.0) * if self.rng.random_bool(0.5) { 1.0 } else { -1.0 };
        S::from_f64(number * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2))
    }

    /// Numbers of every size that a double has, and more of those whose product, or square, is hardly one that a double has.
    pub fn of_every_size<S: Scalar>(&mut self) -> Vec<S> {
        let ends = (0..12).flat_map(|_| (-1024..=-1016).chain(-514..=-506));
        (-1074..=1023).chain(ends).map(|exponent| self.of_size(exponent)).collect()
    }

    pub fn slice<S: Scalar>(&mut self, numbers: Numbers, len: usize) -> Vec<S> {
        (0..len).map(|_| self.number(numbers)).collect()
    }

    pub fn array<S: Scalar>(&mut self, numbers: Numbers, shape: &[usize]) -> ArrayD<S> {
        let elements = self.slice(numbers, shape.iter().product());
        ArrayD::from_shape_vec(shape, elements).unwrap()
    }

    pub fn flags(&mut self, len: usize) -> Vec<bool> {
        (0..len).map(|_| self.rng.random_bool(0.6)).collect()
    }

    pub fn on_device<S: Scalar>(&self, array: &ArrayD<S>) -> DeviceTensor<S> {
        DeviceTensor::upload(self.device, &array.view()).unwrap()
    }

    pub fn list<S: Scalar>(&self, elements: &[S]) -> DeviceTensor<S> {
        DeviceTensor::of_slice(self.device, &[elements.len()], elements).unwrap()
    }

    /// Flags, as the device has them.
    pub fn marks(&self, flags: &[bool]) -> DeviceTensor<u8> {
        let bytes: Vec<u8> = flags.iter().map(|&flag| u8::from(flag)).collect();
        DeviceTensor::of_slice(self.device, &[bytes.len()], &bytes).unwrap()
    }

    /// Whether the device's array has the shape and the bits of Literal's.
    #[track_caller]
    pub fn same<S: Scalar>(&self, what: &str, literal: &ArrayViewD<S>, device: &DeviceTensor<S>) {
        assert_eq!(literal.shape(), device.shape(), "{what}");
        let literal: Vec<S> = literal.iter().copied().collect();
        same(what, &literal, &device.elements(self.device).unwrap());
    }

    #[track_caller]
    pub fn same_flags(&self, what: &str, literal: &[bool], device: &DeviceTensor<u8>) {
        let literal: Vec<u8> = literal.iter().map(|&flag| u8::from(flag)).collect();
        assert_eq!(literal, device.elements(self.device).unwrap(), "{what}");
    }
}

/// Whether these are the same bits; of a NaN any.
#[track_caller]
pub fn same<S: Scalar>(what: &str, literal: &[S], device: &[S]) {
    assert_eq!(literal.len(), device.len(), "{what}");
    for (i, (l, d)) in literal.iter().zip(device).enumerate() {
        let is_same = (l.is_nan() && d.is_nan()) || l.to_f64().to_bits() == d.to_f64().to_bits();
        assert!(is_same, "{what} in {}, element {i} of {}: {l:?} and {d:?}", S::NAME, literal.len());
    }
}

/// Whether two wide numbers are the same, to the last bit of what they leave of their leading double.
#[track_caller]
pub fn same_wide<W: Scalar>(what: &str, literal: W, device: W) {
    same(what, &[literal], &[device]);
    let rest = |x: W| (x - W::from_f64(x.to_f64())).to_f64();
    assert!(!literal.is_finite() || rest(literal) == rest(device), "{what}: {literal:?} and {device:?}");
}
