//! What the method itself costs at the end of an epoch: `cargo run --release --example epoch_end_speed [FILE]`.
//!
//! N = 11,173,114 weights, the paper's ResNet18, in `f32`. Per line: the median and the least of a few runs. With FILE, G
//! is written there as raw little-endian `f32`, so that another library can be timed on the same values.

use gdstar::paper::decay::{Decay, rewind_decay};
use gdstar::paper::gradient_norm::sum_of_squares;
use gdstar::paper::quantile::{chunk_quantiles, quantile_selected};
use gdstar::paper::reading::{Chunking, MaskedGradient, QuantileRule, Reading, Threshold};
use gdstar::paper::selection::{below_threshold, select_weights};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::time::Instant;

const N: usize = 11_173_114;
const ALPHA: f64 = 0.95;
const RUNS: usize = 9;

/// Prints the median and the least time of `run`, each on what `prepare` makes anew.
fn report<T, R>(name: &str, prepare: impl Fn() -> T, run: impl Fn(T) -> R) {
    let mut milliseconds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let input = prepare();
            let start = Instant::now();
            black_box(run(input));
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    milliseconds.sort_by(f64::total_cmp);
    println!("{name:<44} {:8.2} ms, least {:8.2} ms", milliseconds[RUNS / 2], milliseconds[0]);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    // Fourth powers of exponentially distributed numbers: squares of gradients have a tail like this.
    let g: Vec<f32> = (0..N).map(|_| (1.0 - random.random::<f32>()).ln().powi(4)).collect();
    let wide: Vec<f64> = g.iter().map(|&g_j| f64::from(g_j)).collect();
    let w: Vec<f32> = (0..N).map(|_| random.random::<f32>() - 0.5).collect();
    let half: Vec<bool> = (0..N).map(|_| random.random()).collect();
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(path, g.iter().flat_map(|g_j| g_j.to_le_bytes()).collect::<Vec<u8>>())?;
    }
    let rule = QuantileRule::Linear;
    println!("{} threads; the quantile is {:e}", rayon::current_num_threads(), quantile_selected(&g, ALPHA, rule)?);
    report("quantile", || (), |()| quantile_selected(&g, ALPHA, rule));
    report("quantile, alpha = 0.6", || (), |()| quantile_selected(&g, 0.6, rule));
    report("quantile, f64", || (), |()| quantile_selected(&wide, ALPHA, rule));
    report("16 chunk quantiles", || (), |()| chunk_quantiles(&g, ALPHA, 16, Chunking::NearEqual, rule));
    report("sum of squares", || (), |()| sum_of_squares(&g));
    report("below the threshold", || (), |()| below_threshold(&g, 1.0));
    for &masked_gradient in MaskedGradient::ALL {
        let reading = Reading { masked_gradient, ..Reading::default() };
        let name = format!("selection, half eliminated, {masked_gradient}");
        report(&name, || (), |()| select_weights(&g, &half, ALPHA, 1, &reading));
    }
    let decay = Decay { lambda: 0.95, t: 3, eps: 5e-2, threshold: Threshold::Selected };
    for (name, selected) in [("95 %", below_threshold(&g, quantile_selected(&g, ALPHA, rule)?)), ("half", half)] {
        let name = format!("rewind and decay, {name} selected");
        report(
            &name,
            || (w.clone(), vec![true; N]),
            |(mut live, mut mask)| rewind_decay(&mut live, Some(&w), &selected, &mut mask, &decay),
        );
    }
    Ok(())
}
