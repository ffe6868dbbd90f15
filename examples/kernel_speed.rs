//! How long the products of a training step take: `cargo run --release --example kernel_speed`.
//!
//! Per line: the median of a few runs, to be read beside the rate of one plain `sgemm` on one thread, which comes
//! first. LeNet300 and ResNet20 at batch 128, forward and both gradients.

use gdstar::kernel::{self, Kernel, Window};
use ndarray::{Array2, Array4};
use std::time::Instant;

/// Median seconds of `runs` runs after one to warm up.
fn median_seconds(runs: usize, mut run: impl FnMut()) -> f64 {
    run();
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[runs / 2]
}

fn values(i: usize) -> f32 {
    (i % 31) as f32 / 16.0 - 1.0
}

fn matrix(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| values(i * columns + j))
}

fn images(shape: [usize; 4]) -> Array4<f32> {
    Array4::from_shape_fn(shape, |(n, c, y, x)| values(n + 3 * c + 5 * y + 7 * x))
}

/// The products of one step of a fully connected network; the first layer's input needs no gradient.
fn lenet300(kernel: Kernel) {
    let widths = [784, 300, 100, 10];
    for (layer, pair) in widths.windows(2).enumerate() {
        let (x, w, dy) = (matrix(128, pair[0]), matrix(pair[1], pair[0]), matrix(128, pair[1]));
        let mut line = format!("lenet300 {kernel:?} {:>4} -> {:<4}", pair[0], pair[1]);
        let mut add = |name: &str, run: &mut dyn FnMut()| {
            line += &format!(" {name} {:7.3} ms", 1e3 * median_seconds(9, run));
        };
        add("y", &mut || drop(kernel::matmul(kernel, x.view(), w.t())));
        add("dw", &mut || drop(kernel::matmul(kernel, dy.t(), x.view())));
        if layer > 0 {
            add("dx", &mut || drop(kernel::matmul(kernel, dy.view(), w.view())));
        }
        println!("{line}");
    }
}

/// One convolution of ResNet20, `count` of which a step runs.
fn resnet20(kernel: Kernel, runs: usize) {
    let mut total = 0.0;
    for (count, channels, outputs, size, stride) in [
        (1, 3, 16, 32, 1),
        (6, 16, 16, 32, 1),
        (1, 16, 32, 32, 2),
        (5, 32, 32, 16, 1),
        (1, 32, 64, 16, 2),
        (5, 64, 64, 8, 1),
    ] {
        let window = Window { stride: [stride; 2], padding: [1, 1], ..Window::PLAIN };
        let (x, w) = (images([128, channels, size, size]), images([outputs, channels, 3, 3]));
        let dy = images([128, outputs, size / stride, size / stride]);
        let y = median_seconds(runs, || drop(kernel::conv2d(kernel, window, x.view(), w.view())));
        let dx = median_seconds(runs, || {
            drop(kernel::conv2d_input_gradient(kernel, window, dy.view(), w.view(), x.dim().into()));
        });
        let dw = median_seconds(runs, || {
            drop(kernel::conv2d_weight_gradient(kernel, window, x.view(), dy.view(), w.dim().into()));
        });
        println!(
            "resnet20 {kernel:?} {count} x [{channels:>2} -> {outputs:>2}, {size}x{size} / {stride}] \
             y {:7.2} ms dx {:7.2} ms dw {:7.2} ms",
            1e3 * y,
            1e3 * dx,
            1e3 * dw
        );
        total += count as f64 * (y + dx + dw);
    }
    println!("resnet20 {kernel:?} all convolutions of one step: {:.0} ms", 1e3 * total);
}

fn main() {
    println!("{} threads", rayon::current_num_threads());
    let (a, b) = (matrix(1024, 1024), matrix(1024, 1024));
    let seconds = median_seconds(5, || drop(a.dot(&b)));
    println!("one plain sgemm 1024^3: {:.1} ms, {:.0} G multiply-adds/s", 1e3 * seconds, 1.073741824 / seconds);
    for kernel in [Kernel::Fast, Kernel::Literal] {
        lenet300(kernel);
    }
    resnet20(Kernel::Fast, 3);
    resnet20(Kernel::Literal, 1);
}
