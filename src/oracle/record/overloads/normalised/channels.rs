//! [`Channels`]: an array by its second axis.

use super::super::super::ball::Ball;
use super::super::super::expected::Expected;
use super::super::super::rounding::Rounding;
use super::super::arguments::Arguments;
use crate::error::Result;
use ndarray::ArrayD;

/// An array `[n, c, ..]` by its channels.
pub(in super::super) struct Channels<'a> {
    array: &'a ArrayD<f64>,
    /// Row-major.
    elements: Vec<f64>,
    channels: usize,
    pixels: usize,
}

impl<'a> Channels<'a> {
    pub fn of(given: &Arguments, array: &'a ArrayD<f64>) -> Result<Self> {
        let (Some(&images), Some(&channels)) = (array.shape().first(), array.shape().get(1)) else {
            return Err(given.refused("input", "shape [n, c, ..]", format!("shape {:?}", array.shape())));
        };
        let pixels: usize = array.shape()[2..].iter().product();
        if images * pixels == 0 {
            return Err(given.refused("input", "at least one value a channel", format!("shape {:?}", array.shape())));
        }
        Ok(Self { array, elements: array.iter().copied().collect(), channels, pixels })
    }

    pub fn count(&self) -> usize {
        self.channels
    }

    pub fn shape(&self) -> &[usize] {
        self.array.shape()
    }

    /// Refuses a parameter that has not one number a channel.
    pub fn check(&self, given: &Arguments, name: &str, parameter: Option<&ArrayD<f64>>) -> Result<()> {
        match parameter {
            Some(p) if p.shape() != [self.channels] => {
                Err(given.refused(name, format!("shape [{}]", self.channels), format!("shape {:?}", p.shape())))
            }
            _ => Ok(()),
        }
    }

    /// The values of channel c.
    pub fn values(&self, c: usize) -> Vec<f64> {
        let planes = self.elements.chunks(self.pixels).skip(c).step_by(self.channels.max(1));
        planes.flatten().copied().collect()
    }

    fn channel_of(&self, at: usize) -> usize {
        at / self.pixels % self.channels
    }

    /// `of(c, x)` of every value.
    pub fn map(&self, rounding: &Rounding, of: impl Fn(usize, f64) -> (Ball, f64)) -> Expected {
        let balls = self.elements.iter().enumerate().map(|(at, &x)| of(self.channel_of(at), x));
        Expected::settled(rounding, self.shape(), balls)
    }

    /// `of(c, x, y)` of every value and that of another array of the same shape.
    pub fn map_with(&self, other: &Self, rounding: &Rounding, of: impl Fn(usize, f64, f64) -> (Ball, f64)) -> Expected {
        let pairs = self.elements.iter().zip(&other.elements).enumerate();
        Expected::settled(rounding, self.shape(), pairs.map(|(at, (&x, &y))| of(self.channel_of(at), x, y)))
    }
}
