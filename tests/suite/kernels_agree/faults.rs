//! Planted faults: stand-ins for the kernels, wrong in one place, that the checks of [`exact`](super::exact) reject.

use super::candidate::Candidate;
use super::cases::{Convolution, Product};
use super::exact::{check_convolution, check_product, truth};
use gdstar::kernel::Window;
use gdstar::scalar::Scalar;
use ndarray::{Array2, Array4, ArrayView1, ArrayView2, ArrayView4};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// What is wrong. Each is one line of a kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    SwappedStrideAxes,
    SwappedPaddingAxes,
    DilationIgnored,
    GroupOffsetByOne,
    LastBlockDropped,
    LastRowDropped,
    /// In the input gradient the padding is added where the forward subtracts it.
    PaddingNotFlipped,
    /// In the input gradient the kernel is turned by 180 degrees once too often.
    KernelFlipped,
    /// In the weight gradient the last sample is left out.
    LastSampleDropped,
    BiasOfNextChannel,
    BiasPerTap,
    /// A sum starts at -0.
    NegativeZero,
}

/// Plain kernels: one loop over everything, with the fault wherever it applies.
#[derive(Debug, Clone, Copy)]
struct Plain(Fault);

/// One product of a convolution: indices of y, of x and of w.
type Meeting = ([usize; 4], [usize; 4], [usize; 4]);

impl Plain {
    fn is(self, fault: Fault) -> bool {
        self.0 == fault
    }

    /// The input pixel of output `o` and tap `k` along `axis`, if it is inside.
    fn input(self, window: Window, axis: usize, [o, k]: [usize; 2], extent: usize, backward: bool) -> Option<usize> {
        let stride = window.stride[if self.is(Fault::SwappedStrideAxes) { 1 - axis } else { axis }];
        let dilation = if self.is(Fault::DilationIgnored) { 1 } else { window.dilation[axis] };
        let padding = window.padding[if self.is(Fault::SwappedPaddingAxes) { 1 - axis } else { axis }];
        let position = (o * stride + k * dilation) as isize;
        let padding = padding as isize;
        let position =
            if backward && self.is(Fault::PaddingNotFlipped) { position + padding } else { position - padding };
        usize::try_from(position).ok().filter(|&i| i < extent)
    }

    /// Every product of a convolution of these shapes.
    fn meetings(self, window: Window, y: [usize; 4], x: [usize; 4], w: [usize; 4], backward: bool) -> Vec<Meeting> {
        let mut meetings = Vec::new();
        let (outputs, channels) = (y[1] / window.groups, w[1]);
        let last_channel = if self.is(Fault::LastBlockDropped) { channels - 1 } else { channels };
        let last_row = if self.is(Fault::LastRowDropped) { y[2] - 1 } else { y[2] };
        for (n, o, oy, ox) in ndarray::indices([y[0], y[1], last_row, y[3]]) {
            for (c, ky, kx) in ndarray::indices([last_channel, w[2], w[3]]) {
                let row = self.input(window, 0, [oy, ky], x[2], backward);
                let column = self.input(window, 1, [ox, kx], x[3], backward);
                let (Some(iy), Some(ix)) = (row, column) else { continue };
                let shift = usize::from(self.is(Fault::GroupOffsetByOne));
                let channel = (o / outputs * channels + c + shift) % x[1];
                let tap = if backward && self.is(Fault::KernelFlipped) {
                    [o, c, w[2] - 1 - ky, w[3] - 1 - kx]
                } else {
                    [o, c, ky, kx]
                };
                meetings.push(([n, o, oy, ox], [n, channel, iy, ix], tap));
            }
        }
        meetings
    }

    fn zero<S: Scalar>(self) -> S {
        if self.is(Fault::NegativeZero) { -S::ZERO } else { S::ZERO }
    }
}

impl Candidate for Plain {
    fn matmul<S: Scalar>(self, a: ArrayView2<S>, b: ArrayView2<S>, bias: Option<ArrayView1<S>>) -> Array2<S> {
        let k = if self.is(Fault::LastBlockDropped) { a.ncols() / 8 * 8 } else { a.ncols() };
        Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
            let bias_column = if self.is(Fault::BiasOfNextChannel) { (j + 1) % b.ncols() } else { j };
            let start = bias.map_or(self.zero(), |bias| bias[bias_column]);
            (0..k).fold(start, |sum, l| sum + a[(i, l)] * b[(l, j)])
        })
    }

    fn conv2d<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        w: ArrayView4<S>,
        bias: Option<ArrayView1<S>>,
    ) -> Array4<S> {
        let [oh, ow] = [(0, x.dim().2, w.dim().2), (1, x.dim().3, w.dim().3)]
            .map(|(axis, input, kernel)| window.output_extent(axis, input, kernel).expect("cases are made to fit"));
        let shape = [x.dim().0, w.dim().0, oh, ow];
        let mut y = Array4::from_elem(shape, self.zero());
        let of = |o: usize| bias.map(|bias| bias[(o + usize::from(self.is(Fault::BiasOfNextChannel))) % bias.len()]);
        for ((_, o, _, _), y) in y.indexed_iter_mut() {
            *y = of(o).unwrap_or(*y);
        }
        for (y_at, x_at, w_at) in self.meetings(window, shape, x.dim().into(), w.dim().into(), false) {
            y[y_at] += x[x_at] * w[w_at];
            if let (true, Some(b)) = (self.is(Fault::BiasPerTap), of(y_at[1])) {
                y[y_at] += b;
            }
        }
        y
    }

    fn input_gradient<S: Scalar>(
        self,
        window: Window,
        dy: ArrayView4<S>,
        w: ArrayView4<S>,
        x_shape: [usize; 4],
    ) -> Array4<S> {
        let mut dx = Array4::from_elem(x_shape, self.zero());
        for (y_at, x_at, w_at) in self.meetings(window, dy.dim().into(), x_shape, w.dim().into(), true) {
            dx[x_at] += dy[y_at] * w[w_at];
        }
        dx
    }

    fn weight_gradient<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        dy: ArrayView4<S>,
        w_shape: [usize; 4],
    ) -> Array4<S> {
        let mut dw = Array4::from_elem(w_shape, self.zero());
        for (y_at, x_at, w_at) in self.meetings(window, dy.dim().into(), x.dim().into(), w_shape, false) {
            if self.is(Fault::LastSampleDropped) && y_at[0] + 1 == x.dim().0 {
                continue;
            }
            dw[w_at] += dy[y_at] * x[x_at];
        }
        dw
    }
}

/// How many cases each fault gets to show itself: the order of what a property test draws.
const CASES: usize = 64;

/// The first of the drawn cases that a check rejects, if any.
fn rejected<T: std::fmt::Debug>(
    cases: impl Strategy<Value = T>,
    check: impl Fn(&T) -> Result<(), TestCaseError>,
) -> bool {
    let mut runner = TestRunner::deterministic();
    (0..CASES).any(|_| check(&cases.new_tree(&mut runner).expect("no case is filtered out").current()).is_err())
}

fn convolution_is_rejected(fault: Fault) -> bool {
    rejected(Convolution::any(), |case| check_convolution::<f64>(Plain(fault), case, &truth(case)))
}

/// The stand-in itself is right: it is the fault, and nothing else, that the checks reject.
#[test]
fn the_plain_kernels_pass_without_a_fault() {
    assert!(!rejected(Product::any(), |case| check_product::<f64>(Plain(Fault::None), case)));
    assert!(!convolution_is_rejected(Fault::None));
}

#[test]
fn faults_in_a_product_are_caught() {
    for fault in [Fault::LastBlockDropped, Fault::BiasOfNextChannel, Fault::NegativeZero] {
        assert!(rejected(Product::any(), |case| check_product::<f64>(Plain(fault), case)), "{fault:?}");
    }
}

#[test]
fn faults_in_a_convolution_are_caught() {
    for fault in [
        Fault::SwappedStrideAxes,
        Fault::SwappedPaddingAxes,
        Fault::DilationIgnored,
        Fault::GroupOffsetByOne,
        Fault::LastBlockDropped,
        Fault::LastRowDropped,
        Fault::PaddingNotFlipped,
        Fault::KernelFlipped,
        Fault::LastSampleDropped,
        Fault::BiasOfNextChannel,
        Fault::BiasPerTap,
        Fault::NegativeZero,
    ] {
        assert!(convolution_is_rejected(fault), "{fault:?}");
    }
}
