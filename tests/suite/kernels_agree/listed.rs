//! The list of kernels cannot lie: every kernel is in it, each agrees in both forms, and nothing else asks for the
//! form.

mod weights;

use crate::common::bounds::{fast_sum, literal_sum, tolerance};
use gdstar::kernel::{
    self, BatchNormSettings, Difference, KERNELS, Kernel, Magnitude, Order, Pattern, Pooling, Scaled, Targets, Window,
};
use gdstar::ops::{Mul, Relu, Silu};
use gdstar::scalar::{Bounded, DoubleDouble, Rounding, Scalar};
use ndarray::{ArrayD, ArrayView, Dimension, Ix1, Ix2, Ix4};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How closely the two forms of a kernel agree.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Agreement {
    /// Bit for bit.
    Exact,
    /// As sums of this many products, in the accumulator and in any order.
    Sums(usize),
    /// Within what the running analysis says that both are off.
    Running,
}

/// Whether values are drawn, or their absolute values, of which sums of products are the magnitude.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Values {
    Signed,
    Absolute,
}

impl Values {
    /// An array of numbers that are exact in `f32`, the same for the same seed.
    fn array<S: Scalar>(self, seed: u64, shape: &[usize]) -> ArrayD<S> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        ArrayD::from_shape_simple_fn(shape, || {
            let x = f64::from(rng.random_range(-1.0f32..1.0)) * 2f64.powi(rng.random_range(-12..=7));
            S::from_f64(if self == Self::Absolute { x.abs() } else { x })
        })
    }
}

fn of_rank<S: Scalar, D: Dimension>(array: &ArrayD<S>) -> ArrayView<'_, S, D> {
    array.view().into_dimensionality().unwrap()
}

/// More elements than one thread takes.
const IMAGES: [usize; 4] = [6, 8, 48, 40];
const POOLING: Pooling = Pooling { kernel: [3, 3], stride: [1, 2], padding: [1, 1] };
const POOLED: [usize; 4] = [6, 8, 48, 20];

/// What the kernel of this name makes of drawn arrays, and how closely its forms agree; `None` if there is none.
fn results<S: Scalar>(name: &str, kernel: Kernel, values: Values) -> Option<(Vec<ArrayD<S>>, Agreement)> {
    let array = |seed: u64, shape: &[usize]| values.array::<S>(seed, shape);
    let of_matrices = || products(name, kernel, values);
    let of_images = || images(name, kernel, values);
    let of_weights = || Some((weights::results(name, kernel, values)?, Agreement::Exact));
    Some(match name {
        "assign" => {
            let mut to = array(1, &IMAGES);
            kernel::assign(kernel, to.view_mut(), &array(2, &IMAGES).view(), &Order::batch_innermost(4));
            (vec![to], Agreement::Exact)
        }
        "rearrange" => {
            let (order, shape) = (Order::row_major(2), [IMAGES[3] * IMAGES[1], IMAGES[0] * IMAGES[2]]);
            let y = kernel::rearrange(kernel, &array(1, &IMAGES).view(), (&order, &shape), |extents| {
                [3, 1, 0, 2].iter().map(|&axis: &usize| extents[axis]).collect()
            });
            (vec![y], Agreement::Exact)
        }
        "add_to" => {
            let mut sum = array(1, &IMAGES);
            kernel::add_to(kernel, &mut sum, &array(2, &IMAGES));
            (vec![sum], Agreement::Exact)
        }
        _ => return of_matrices().or_else(of_images).or_else(of_weights),
    })
}

/// The kernels that are sums of products.
fn products<S: Scalar>(name: &str, kernel: Kernel, values: Values) -> Option<(Vec<ArrayD<S>>, Agreement)> {
    const GROUPED: Window = Window { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 2 };
    const X: [usize; 4] = [20, 4, 6, 5];
    const W: [usize; 4] = [6, 2, 3, 3];
    const Y: [usize; 4] = [20, 6, 6, 5];
    let array = |seed: u64, shape: &[usize]| values.array::<S>(seed, shape);
    let (x, w, b, dy) = (array(1, &[37, 129]), array(2, &[53, 129]), array(3, &[53]), array(4, &[37, 53]));
    let [x, w, dy] = [&x, &w, &dy].map(of_rank::<S, Ix2>);
    let b = Some(of_rank::<S, Ix1>(&b));
    let (images, filters, offsets, d_images) = (array(5, &X), array(6, &W), array(7, &[W[0]]), array(8, &Y));
    let [images, filters, d_images] = [&images, &filters, &d_images].map(of_rank::<S, Ix4>);
    let offsets = Some(of_rank::<S, Ix1>(&offsets));
    let alive: Vec<bool> = (0..W.iter().product()).map(|i: usize| i.is_multiple_of(7)).collect();
    let pattern = Pattern::new(&W, &alive).unwrap();
    let living = pattern.gather(filters.as_slice()?);
    let (pixels, window) = (Y[2] * Y[3], GROUPED);
    let (y, terms) = match name {
        "matmul_with_bias" => (kernel::matmul_with_bias(kernel, x, w.t(), b).into_dyn(), 130),
        "linear" => (kernel::linear(kernel, x, w, b).into_dyn(), 130),
        "linear_input_gradient" => (kernel::linear_input_gradient(kernel, dy, w).into_dyn(), 53),
        "linear_weight_gradient" => (kernel::linear_weight_gradient(kernel, x, dy).into_dyn(), 37),
        "conv2d_with_bias" => (kernel::conv2d_with_bias(kernel, window, images, filters, offsets).into_dyn(), 19),
        "conv2d_input_gradient" => (kernel::conv2d_input_gradient(kernel, window, d_images, filters, X).into_dyn(), 27),
        "conv2d_weight_gradient" => {
            (kernel::conv2d_weight_gradient(kernel, window, images, d_images, W).into_dyn(), X[0] * pixels)
        }
        "channel_sums" => (kernel::channel_sums(kernel, d_images).into_dyn(), X[0] * pixels),
        "sparse_conv2d" => (kernel::sparse_conv2d(kernel, window, images, (&pattern, &living), offsets).into_dyn(), 19),
        "sparse_conv2d_input_gradient" => {
            let weight = (&pattern, &living[..]);
            (kernel::sparse_conv2d_input_gradient(kernel, window, d_images, weight, X).into_dyn(), 27)
        }
        "sparse_conv2d_weight_gradient" => {
            let dw = kernel::sparse_conv2d_weight_gradient(kernel, window, images, d_images, &pattern);
            (dw.into_dyn(), X[0] * pixels)
        }
        _ => return None,
    };
    Some((vec![y], Agreement::Sums(terms)))
}

/// The kernels that are the whole of an op.
fn images<S: Scalar>(name: &str, kernel: Kernel, values: Values) -> Option<(Vec<ArrayD<S>>, Agreement)> {
    let array = |seed: u64, shape: &[usize]| values.array::<S>(seed, shape);
    let (x, gate, dy) = (array(1, &IMAGES), array(2, &[8, 1, 1]), array(3, &IMAGES));
    let d_pooled = array(4, &POOLED);
    let settings = BatchNormSettings { training: true, eps: 1e-3, momentum: 0.1 };
    let per_channel = [5, 6, 7, 8].map(|seed| array(seed, &[8]).mapv(|x| x * x));
    let batch: Vec<_> = [&x].into_iter().chain(&per_channel).map(|x| x.view()).collect();
    let labels: Vec<usize> = (0..2000).map(|i| i % 40).collect();
    let targets = [0.0, 0.1].map(|smoothing| Targets { labels: &labels, smoothing });
    let logits = array(9, &[2000, 40]);
    let exact = |arrays: Vec<ArrayD<S>>| Some((arrays, Agreement::Exact));
    let all = [true; 5];
    match name {
        "formula_values" => exact(vec![
            kernel::formula_values(kernel, Relu, &mut [x.view().into()]),
            kernel::formula_values(kernel, Silu, &mut [x.clone().into()]),
            kernel::formula_values(kernel, Mul, &mut [x.view().into(), gate.view().into()]),
            kernel::formula_values(kernel, Magnitude, &mut [x.view().into()]),
            kernel::formula_values(kernel, Scaled(-0.1), &mut [x.view().into()]),
            kernel::formula_values(kernel, Difference, &mut [x.view().into(), dy.view().into()]),
        ]),
        "formula_gradients" => {
            let of_silu =
                kernel::formula_gradients(kernel, Silu, &[&IMAGES], &[x.view()], &mut dy.view().into(), &all[..1]);
            let (shapes, read) = ([&IMAGES[..], gate.shape()], [x.view(), gate.view()]);
            let of_mul = kernel::formula_gradients(kernel, Mul, &shapes, &read, &mut dy.clone().into(), &all[..2]);
            exact(of_silu.into_iter().chain(of_mul).flatten().collect())
        }
        "dropout" => {
            let mask = x.mapv(|x| x > S::ZERO);
            exact(vec![kernel::dropout(kernel, dy.view().into(), &mask.view(), S::Wide::from_f64(0.7))])
        }
        "max_pool2d" => exact(vec![kernel::max_pool2d(kernel, POOLING, &x.view()).0]),
        "max_pool2d_gradient" => {
            let positions = kernel::max_pool2d(kernel, POOLING, &x.view()).1;
            exact(vec![kernel::max_pool2d_gradient(kernel, POOLING, &positions, &d_pooled.view(), &IMAGES)])
        }
        "avg_pool2d" => exact([true, false].map(|count| kernel::avg_pool2d(kernel, POOLING, count, &x.view())).into()),
        "avg_pool2d_gradient" => {
            let of = |count| kernel::avg_pool2d_gradient(kernel, POOLING, count, &d_pooled.view(), &IMAGES);
            exact([true, false].map(of).into())
        }
        "plane_means" => exact(vec![kernel::plane_means(kernel, &x.view(), &IMAGES[..2])]),
        "plane_means_gradient" => {
            exact(vec![kernel::plane_means_gradient(kernel, &IMAGES, &array(4, &IMAGES[..2]).view())])
        }
        "cross_entropy" => {
            exact(targets.map(|targets| kernel::cross_entropy(kernel, &logits.view(), targets).0).into())
        }
        "cross_entropy_gradient" => {
            let gradient = |targets| {
                let (_, softmax) = kernel::cross_entropy(kernel, &logits.view(), targets);
                kernel::cross_entropy_gradient(kernel, &softmax, targets, S::Wide::from_f64(1.5), &[2000, 40])
            };
            exact(targets.map(gradient).into())
        }
        "batch_norm" => {
            let inputs: Vec<_> = batch.iter().map(|x| x.view().into()).collect();
            Some((kernel::batch_norm(kernel, settings, &inputs).0.into_vec(), Agreement::Running))
        }
        "batch_norm_gradient" => {
            let inputs: Vec<_> = batch.iter().map(|x| x.view().into()).collect();
            let (_, statistics) = kernel::batch_norm(kernel, settings, &inputs);
            let mut upstream = [dy.into(), array(10, &[8]).into(), array(11, &[8]).into()];
            let gradients = kernel::batch_norm_gradient(kernel, settings, &batch, &statistics, &mut upstream, &all);
            Some((gradients.into_iter().flatten().collect(), Agreement::Running))
        }
        _ => None,
    }
}

/// The elements of all arrays, in row-major order.
fn elements<S: Scalar>(arrays: &[ArrayD<S>]) -> Vec<S> {
    arrays.iter().flat_map(|x| x.iter().copied()).collect()
}

fn agrees<S: Rounding>(name: &str) {
    let of = |kernel| results::<S>(name, kernel, Values::Signed).unwrap_or_else(|| panic!("{name} is not tried"));
    let ((literal, agreement), (fast, _)) = (of(Kernel::Literal), of(Kernel::Fast));
    let shapes = |arrays: &[ArrayD<S>]| arrays.iter().map(|x| x.shape().to_vec()).collect::<Vec<_>>();
    assert_eq!(shapes(&literal), shapes(&fast), "{name}");
    let (literal, fast) = (elements(&literal), elements(&fast));
    assert!(literal.iter().any(|x| *x != S::ZERO), "{name} made nothing");
    let bounds: Vec<f64> = match agreement {
        Agreement::Exact => vec![0.0; literal.len()],
        Agreement::Sums(terms) => {
            let (magnitude, _) = results::<DoubleDouble>(name, Kernel::Literal, Values::Absolute).unwrap();
            let bound = fast_sum::<S>(terms) + literal_sum::<S>(terms);
            elements(&magnitude).into_iter().map(|magnitude| tolerance(bound, magnitude.to_f64())).collect()
        }
        Agreement::Running => {
            let errors = [Kernel::Literal, Kernel::Fast].map(|kernel| {
                let (arrays, _) = results::<Bounded<S>>(name, kernel, Values::Signed).unwrap();
                elements(&arrays).into_iter().map(|x| x.error()).collect::<Vec<f64>>()
            });
            errors[0].iter().zip(&errors[1]).map(|(literal, fast)| literal + fast).collect()
        }
    };
    for (i, ((literal, fast), bound)) in literal.iter().zip(&fast).zip(bounds).enumerate() {
        let distance = (literal.to_f64() - fast.to_f64()).abs();
        assert!(distance <= bound, "{name} in {}, element {i}: {literal:?} and {fast:?}, bound {bound:e}", S::NAME);
    }
}

/// Literal against Fast for each kernel, in both number systems that Fast has a form for.
#[test]
fn every_kernel_agrees_in_both_forms() {
    for kernel in KERNELS {
        agrees::<f32>(kernel.name);
        agrees::<f64>(kernel.name);
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The Rust files below a folder, with their text.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// What is made of kernels that are listed, and has one form.
const MADE_OF_OTHERS: [&str; 8] =
    ["concat", "conv2d", "copy", "formula_of_slices", "matmul", "spread", "split", "taken"];

#[test]
fn every_function_that_takes_a_kernel_is_listed() {
    let folder = source().join("kernel");
    let is_form =
        |path: &Path| ["cuda", "fast", "literal", "vector"].iter().any(|form| path.starts_with(folder.join(form)));
    let mut found = BTreeSet::new();
    for (_, text) in files(&folder).into_iter().filter(|(path, _)| !is_form(path)) {
        for function in text.split("\npub fn ").skip(1) {
            let (signature, _) = function.split_once(" {\n").unwrap();
            if signature.contains("kernel: Kernel") {
                found.insert(signature.split(['<', '(']).next().unwrap().to_string());
            }
        }
    }
    let listed = KERNELS.iter().map(|kernel| kernel.name).chain(MADE_OF_OTHERS);
    assert_eq!(found, listed.map(String::from).collect());
    for kernel in KERNELS {
        assert!(!kernel.computes.is_empty() && !kernel.shapes.is_empty() && !kernel.used_by.is_empty(), "{kernel:?}");
    }
}

/// Outside of the kernels a form is chosen, and handed on, but not asked for; and ops have no loops of their own.
#[test]
fn nothing_else_asks_which_form_it_is() {
    let kernels = source().join("kernel");
    for (path, text) in files(&source()).into_iter().filter(|(path, _)| !path.starts_with(&kernels)) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let asks = ["match kernel", "== Kernel::", "!= Kernel::", "Kernel::Fast =>", "Kernel::Literal =>"];
            let place = || format!("{}:{}: {line}", path.display(), number + 1);
            assert!(!asks.iter().any(|question| line.contains(question)), "{}", place());
            let loops = ["vectorised", "rayon", "par_iter", "par_chunks", "impl Loop"];
            let is_op = path.starts_with(source().join("ops")) || path.starts_with(source().join("tape"));
            assert!(!(is_op && loops.iter().any(|part| line.contains(part))), "{}", place());
        }
    }
}
