//! Fast gives the same bits for 1, 2, 4 and 8 threads.

use super::cases::{Convolution, Product, Values};
use crate::common::threads::is_invariant;
use gdstar::kernel::{self, Kernel};
use gdstar::scalar::Scalar;
use ndarray::{Array2, ArrayView2, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

fn product_is_invariant<S: Scalar>(case: &Product) -> bool {
    let (a, b, bias) = case.draw(&mut case.rng(), Values::Uneven);
    let (a, b, bias) = (a.mapv(S::from_f64), b.mapv(S::from_f64), bias.mapv(S::from_f64));
    is_invariant(|| {
        kernel::matmul_with_bias(Kernel::Fast, a.view(), b.view(), Some(bias.view())).into_raw_vec_and_offset().0
    })
}

#[test]
fn products_do_not_depend_on_the_number_of_threads() {
    for case in Product::past_blocks() {
        assert!(product_is_invariant::<f32>(&case), "f32 {case:?}");
        assert!(product_is_invariant::<f64>(&case), "f64 {case:?}");
    }
}

fn convolution_is_invariant<S: Scalar>(case: &Convolution) -> bool {
    let operands = case.draw(&mut case.rng(), Values::Uneven);
    let [x, w, dy] = [&operands.x, &operands.w, &operands.dy].map(|array| array.mapv(S::from_f64));
    is_invariant(|| {
        let y = kernel::conv2d(Kernel::Fast, case.window, x.view(), w.view());
        let dx = kernel::conv2d_input_gradient(Kernel::Fast, case.window, dy.view(), w.view(), case.x);
        let dw = kernel::conv2d_weight_gradient(Kernel::Fast, case.window, x.view(), dy.view(), case.w);
        [y, dx, dw].into_iter().flatten().collect()
    })
}

#[test]
fn convolutions_do_not_depend_on_the_number_of_threads() {
    for case in Convolution::past_blocks() {
        assert!(convolution_is_invariant::<f32>(&case), "f32 {case:?}");
        assert!(convolution_is_invariant::<f64>(&case), "f64 {case:?}");
    }
}

#[test]
fn accumulated_squares_do_not_depend_on_the_number_of_threads() {
    let gradient = Values::Uneven.draw(&mut ChaCha8Rng::seed_from_u64(5), 300_001).mapv(|g| g as f32).to_vec();
    assert!(is_invariant(|| {
        let mut sums = gradient.clone();
        kernel::accumulate_squares(Kernel::Fast, &mut sums, &gradient);
        sums
    }));
}

/// A planted fault: the reduction is cut into as many pieces as there are threads.
fn split_by_threads(a: ArrayView2<f32>, b: ArrayView2<f32>) -> Array2<f32> {
    let size = a.ncols().div_ceil(rayon::current_num_threads());
    let pieces: Vec<Array2<f32>> = (0..a.ncols())
        .into_par_iter()
        .step_by(size)
        .map(|start| {
            let piece = start..a.ncols().min(start + size);
            kernel::matmul(Kernel::Fast, a.slice(s![.., piece.clone()]), b.slice(s![piece, ..]))
        })
        .collect();
    pieces.into_iter().fold(Array2::zeros((a.nrows(), b.ncols())), |sum, piece| sum + piece)
}

#[test]
fn a_reduction_split_by_threads_is_caught() {
    let case = Product { shape: [9, 500, 9], seed: 6 };
    let (a, b, _) = case.draw(&mut case.rng(), Values::Uneven);
    let (a, b) = (a.mapv(|v| v as f32), b.mapv(|v| v as f32));
    assert!(!is_invariant(|| split_by_threads(a.view(), b.view()).into_raw_vec_and_offset().0));
}

/// Where work may be handed to other threads, and why.
const SHARING: [(&str, &str); 3] = [
    ("kernel/share.rs", "the one place"),
    ("data/", "files are read and images decoded on several threads"),
    ("oracle/", "the next epoch is read while one is checked; sums over whole parameters"),
];

/// Work on arrays is split over threads in one module.
#[test]
fn work_is_shared_out_in_one_place() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            let may = SHARING.iter().any(|(place, _)| name.starts_with(place));
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["rayon::prelude", "parallel::prelude", "rayon::join", "rayon::scope", "rayon::spawn"] {
                assert!(may || !text.contains(word), "{name} has {word}: kernel::share splits work over threads");
            }
        }
    }
}
