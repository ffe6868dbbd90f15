//! The products that training consists of: a plain 1024^3 one (`product/1024`), and the three of every convolution of
//! ResNet18 (`convolution/`), as rates and as shares of the plain one's rate.

use crate::Options;
use crate::case::{Case, Meter};
use gdstar::kernel::{self, Kernel, Window};
use gdstar::nn::{Layer, models};
use gdstar::{Error, Result};
use ndarray::{Array2, Array4};
use std::hint::black_box;
use std::sync::Arc;

const PLAIN: &str = "product/1024";
const SIDE: usize = 1024;
const MODEL: &str = "resnet18";

pub fn cases(options: &Options) -> Result<Vec<Case>> {
    let plain = Case::new(PLAIN.into(), |meter| {
        let matrix = |offset: usize| Array2::from_shape_fn((SIDE, SIDE), |(i, j)| value(offset + i * SIDE + j));
        let (a, b) = (matrix(0), matrix(7));
        meter.repeat(|| (), |()| Ok(kernel::matmul(Kernel::Fast, a.view(), b.view())))
    });
    let mut cases = vec![plain.with_macs(SIDE.pow(3) as f64)];
    let shapes = Arc::new(distinct_convolutions(options.batch_size)?);
    for shape in shapes.iter().copied() {
        for pass in PASSES {
            let work = move |meter: &mut Meter| {
                let operands = Operands::new(shape);
                meter.repeat(|| (), |()| Ok(operands.compute(pass)))
            };
            let case = Case::new(format!("convolution/{}/{}", shape.name(), pass.name()), work);
            cases.push(case.against(PLAIN).with_macs(shape.macs()));
        }
    }
    let macs = shapes.iter().map(|shape| 3.0 * shape.macs() * shape.count as f64).sum();
    let all = Case::new(format!("convolutions/{MODEL}"), move |meter| every_convolution(meter, &shapes));
    cases.push(all.against(PLAIN).with_macs(macs));
    Ok(cases)
}

/// The three products of all convolutions of the network, each as often as it has it.
fn every_convolution(meter: &mut Meter, shapes: &[Convolution]) -> Result<()> {
    let operands: Vec<Operands> = shapes.iter().copied().map(Operands::new).collect();
    meter.repeat(
        || (),
        |()| {
            for operands in &operands {
                for _ in 0..operands.shape.count {
                    for pass in PASSES {
                        black_box(operands.compute(pass));
                    }
                }
            }
            Ok(())
        },
    )
}

/// A convolution of a network without its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Convolution {
    /// `[n,c,h,w]`.
    x: [usize; 4],
    /// `[o,c/groups,kh,kw]`.
    w: [usize; 4],
    /// `[n,o,oh,ow]`.
    y: [usize; 4],
    window: Window,
    /// How often the network has it.
    count: usize,
}

impl Convolution {
    /// Of each of the three products; padding counted, as is usual.
    fn macs(&self) -> f64 {
        (self.y.iter().product::<usize>() * self.w[1..].iter().product::<usize>()) as f64
    }

    /// Input, outputs, taps and stride: `64x32x32-128-3x3-s2`.
    fn name(&self) -> String {
        let ([_, c, h, w], [o, _, kh, kw], [stride, _]) = (self.x, self.w, self.window.stride);
        format!("{c}x{h}x{w}-{o}-{kh}x{kw}-s{stride}")
    }
}

fn distinct_convolutions(batch_size: usize) -> Result<Vec<Convolution>> {
    let entry = models::find(MODEL)?;
    let network = entry.network(entry.input, entry.classes)?;
    let mut found: Vec<Convolution> = Vec::new();
    collect(&network.layer, [batch_size, network.input[1], network.input[2]], &mut |convolution| match found
        .iter_mut()
        .find(|other| Convolution { count: 1, ..**other } == convolution)
    {
        Some(other) => other.count += 1,
        None => found.push(convolution),
    })?;
    Ok(found)
}

/// Walks the layers with images of `[n,h,w]`; gives `[n,h,w]` after them. For networks in which only convolutions
/// change the size of an image before the last of them, as in residual networks.
fn collect(layer: &Layer, [n, h, w]: [usize; 3], found: &mut impl FnMut(Convolution)) -> Result<[usize; 3]> {
    match layer {
        Layer::Conv2d { inputs, outputs, kernel: [kh, kw], window, .. } => {
            let extent = |axis, input, taps| {
                let expected = "a window that fits into the image";
                window.output_extent(axis, input, taps).ok_or_else(|| Error::domain(MODEL, expected, input))
            };
            let (oh, ow) = (extent(0, h, *kh)?, extent(1, w, *kw)?);
            found(Convolution {
                x: [n, *inputs, h, w],
                w: [*outputs, inputs / window.groups, *kh, *kw],
                y: [n, *outputs, oh, ow],
                window: *window,
                count: 1,
            });
            Ok([n, oh, ow])
        }
        Layer::Sequence(layers) => layers.iter().try_fold([n, h, w], |size, (_, layer)| collect(layer, size, found)),
        Layer::Branches { branches, .. } => {
            branches.iter().try_fold([n, h, w], |_, (_, branch)| collect(branch, [n, h, w], found))
        }
        _ => Ok([n, h, w]),
    }
}

#[derive(Debug, Clone, Copy)]
enum Pass {
    Forward,
    InputGradient,
    WeightGradient,
}

const PASSES: [Pass; 3] = [Pass::Forward, Pass::InputGradient, Pass::WeightGradient];

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGradient => "input-gradient",
            Self::WeightGradient => "weight-gradient",
        }
    }
}

struct Operands {
    shape: Convolution,
    x: Array4<f32>,
    w: Array4<f32>,
    dy: Array4<f32>,
}

impl Operands {
    fn new(shape: Convolution) -> Self {
        let [o, c, kh, kw] = shape.w;
        let w = Array4::from_shape_fn([o, c, kh, kw], |(o, c, y, x)| value(o + 3 * c + 5 * y + 7 * x));
        Self { x: images(shape.x), w, dy: images(shape.y), shape }
    }

    fn compute(&self, pass: Pass) -> Array4<f32> {
        let Self { shape: Convolution { x: x_shape, w: w_shape, window, .. }, x, w, dy } = self;
        let (x, w, dy) = (x.view(), w.view(), dy.view());
        match pass {
            Pass::Forward => kernel::conv2d(Kernel::Fast, *window, x, w),
            Pass::InputGradient => kernel::conv2d_input_gradient(Kernel::Fast, *window, dy, w, *x_shape),
            Pass::WeightGradient => kernel::conv2d_weight_gradient(Kernel::Fast, *window, x, dy, *w_shape),
        }
    }
}

/// `[n,c,h,w]` in the order that activations have in a training step: samples innermost.
fn images([n, c, h, w]: [usize; 4]) -> Array4<f32> {
    let stored = Array4::from_shape_fn([h, w, c, n], |(y, x, c, n)| value(n + 3 * c + 5 * y + 7 * x));
    stored.permuted_axes([3, 2, 0, 1])
}

fn value(i: usize) -> f32 {
    (i % 31) as f32 / 16.0 - 1.0
}
