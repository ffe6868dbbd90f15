//! The cost model of `docs/performance.md`: what a training step takes as a function of the network, the batch, the
//! sparsity and the threads, fitted to measurements and held against them.

mod imagenet;
mod least_squares;
mod plot;

use crate::Line;
use crate::table::median;
use gdstar::nn::{Network, models};
use gdstar::train::break_even;
use gdstar::{Error, Result};
use least_squares::fit_relative;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The quantities that a step's time is a sum of multiples of.
const TERMS: usize = 4;
const TERM_NAMES: [(&str, &str); TERMS] = [
    ("dense", "GFLOP/s in layers that are computed dense"),
    ("sparse", "GFLOP/s of living weights in layers that are computed sparse"),
    ("activations", "GB/s of activations saved for backward"),
    ("parameters", "GB/s of values, gradients, momentum and G of living weights"),
];

/// A measured step.
#[derive(Debug, Clone)]
struct Point {
    model: String,
    batch_size: usize,
    sparsity: f64,
    seconds: f64,
    work: Work,
}

/// What a step has to do.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Floating-point operations with every weight alive: two a multiply-accumulate, one product forward, two backward.
    flops: f64,
    /// Bytes saved from forward for backward.
    activation_bytes: f64,
    /// Bytes of value, gradient, momentum and G of every weight.
    parameter_bytes: f64,
}

impl Work {
    /// Of one step on `batch_size` samples.
    fn of(network: &Network, batch_size: usize) -> Result<Self> {
        // Two samples at the least, for batch norm.
        let summary = network.summary::<f32>(batch_size.max(2))?;
        Ok(Self {
            flops: (2 * 3 * summary.macs * batch_size) as f64,
            activation_bytes: summary.activation_bytes as f64,
            parameter_bytes: (4 * summary.gradient_bytes) as f64,
        })
    }

    /// The four terms at this sparsity; layers are computed sparse from `break_even` on.
    fn terms(&self, sparsity: f64, break_even: f64) -> [f64; TERMS] {
        let alive = 1.0 - sparsity;
        if sparsity > 0.0 && sparsity >= break_even {
            [0.0, self.flops * alive, self.activation_bytes, self.parameter_bytes * alive]
        } else {
            [self.flops, 0.0, self.activation_bytes, self.parameter_bytes]
        }
    }
}

/// Seconds a unit of each term, on one number of threads.
#[derive(Debug, Clone, Copy)]
pub struct CostModel {
    seconds_per_unit: [f64; TERMS],
    /// The sparsity from which on layers are computed sparse, among those measured; above 1 if none is.
    break_even: f64,
}

impl CostModel {
    /// The coefficients with the least sum of squared relative errors, none of them negative, for the break-even among
    /// the measured sparsities that makes it least. `None` for fewer points than coefficients.
    fn fit(points: &[Point]) -> Option<Self> {
        const NEVER: f64 = 2.0;
        let sparsities = points.iter().map(|point| point.sparsity).filter(|&sparsity| sparsity > 0.0);
        let mut candidates: Vec<f64> = sparsities.chain([NEVER]).collect();
        candidates.sort_by(f64::total_cmp);
        candidates.dedup();
        let fits = candidates.into_iter().filter_map(|break_even| {
            let rows: Vec<_> = points.iter().map(|p| (p.work.terms(p.sparsity, break_even), p.seconds)).collect();
            let (seconds_per_unit, error) = fit_relative(&rows)?;
            Some((Self { seconds_per_unit, break_even }, error))
        });
        fits.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(model, _)| model)
    }

    fn seconds(&self, work: &Work, sparsity: f64) -> f64 {
        work.terms(sparsity, self.break_even).iter().zip(self.seconds_per_unit).map(|(x, s)| x * s).sum()
    }
}

/// Fits the measurements in `file`, prints predictions beside them, and draws them into `figure`.
pub fn run(file: &Path, figure: Option<&Path>) -> Result<()> {
    let lines = read(file)?;
    let mut all = Vec::new();
    for threads in lines.iter().map(|line| line.threads).collect::<BTreeSet<_>>() {
        let points = points(&lines, threads)?;
        let Some(model) = CostModel::fit(&points) else {
            println!("{threads} threads: {} measured steps do not determine {TERMS} coefficients\n", points.len());
            continue;
        };
        print_model(threads, &model);
        print_points(&points, &model);
        imagenet::print(&model)?;
        all.extend(points.iter().map(|point| (threads, point.seconds, model.seconds(&point.work, point.sparsity))));
    }
    print_memory(&lines)?;
    match figure {
        Some(path) if !all.is_empty() => {
            std::fs::write(path, plot::measured_against_predicted(&all)?).map_err(Error::io(path, "write"))
        }
        _ => Ok(()),
    }
}

fn read(file: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(file).map_err(Error::io(file, "read"))?;
    let parse = |(i, line): (usize, &str)| {
        let wrong = |error| Error::file(file, format!("line {}", i + 1), "a measurement that --json wrote", error);
        serde_json::from_str(line).map_err(wrong)
    };
    text.lines().enumerate().map(parse).collect()
}

/// The model and the eliminated per cent of a case's name, if the case is of one of these groups.
fn parts<'a>(case: &'a str, groups: &[&str]) -> Option<(&'a str, f64)> {
    let mut parts = case.split('/');
    let (group, model) = (parts.next()?, parts.next()?);
    let percent = parts.next().map_or(Some(0.0), |part| part.trim_start_matches("gdstar-").parse().ok())?;
    groups.contains(&group).then_some((model, percent / 100.0))
}

/// Medians of the steps measured with so many threads.
fn points(lines: &[Line], threads: usize) -> Result<Vec<Point>> {
    let mut samples: BTreeMap<(&str, usize), Vec<f64>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.threads == threads) {
        samples.entry((&line.case, line.batch_size)).or_default().push(line.measured.seconds);
    }
    let mut points = Vec::new();
    for ((case, batch_size), seconds) in samples {
        let Some((model, sparsity)) = parts(case, &["step", "sparse"]) else { continue };
        let entry = models::find(model)?;
        let work = Work::of(&entry.network(entry.input, entry.classes)?, batch_size)?;
        points.push(Point { model: model.to_string(), batch_size, sparsity, seconds: median(seconds), work });
    }
    Ok(points)
}

fn print_model(threads: usize, model: &CostModel) {
    println!("{threads} threads: a step takes the sum of");
    for ((name, unit), seconds) in TERM_NAMES.iter().zip(model.seconds_per_unit) {
        if seconds > 0.0 {
            // In giga units a second.
            println!("  {name:<12} {:>8.1} {unit}", 1e-9 / seconds);
        } else {
            println!("  {name:<12} takes no time of its own");
        }
    }
    match model.break_even {
        never if never > 1.0 => println!("  no measured sparsity is faster computed sparse"),
        some => println!("  sparse from a sparsity of {:.0} % on", 100.0 * some),
    }
}

/// Measured, predicted, and predicted from the other networks' points alone.
fn print_points(points: &[Point], model: &CostModel) {
    println!(
        "{:<16} {:>6} {:>9} {:>12} {:>12} {:>7} {:>20}",
        "network", "batch", "sparsity", "measured ms", "predicted", "ratio", "without the network"
    );
    for point in points {
        let others: Vec<Point> = points.iter().filter(|other| other.model != point.model).cloned().collect();
        let ratio = |model: CostModel| model.seconds(&point.work, point.sparsity) / point.seconds;
        let without = CostModel::fit(&others).map_or("-".to_string(), |model| format!("{:.2}", ratio(model)));
        println!(
            "{:<16} {:>6} {:>7.0} % {:>12.3} {:>12.3} {:>7.2} {without:>20}",
            point.model,
            point.batch_size,
            100.0 * point.sparsity,
            1e3 * point.seconds,
            1e3 * model.seconds(&point.work, point.sparsity),
            ratio(*model)
        );
    }
    println!();
}

/// Bytes of a run's peak: value, gradient and momentum of every parameter, running statistics, the batch's saved
/// activations and, with GDSTAR, G, W_k* and, once any is eliminated, the mask; of eliminated weights only the mask once
/// layers are compressed, and three indices of each living one.
fn peak_bytes(network: &Network, batch_size: usize, sparsity: f64, gdstar: bool) -> Result<f64> {
    let summary = network.summary::<f32>(batch_size)?;
    let n = summary.prunable as f64;
    let entry = size_of::<f32>() as f64;
    let all = (summary.step_bytes() + summary.gradient_bytes) as f64;
    let mask = if sparsity > 0.0 { 1.0 } else { 0.0 };
    let method = if gdstar { (2.0 * entry + mask) * n } else { 0.0 };
    let is_compressed = gdstar && sparsity >= break_even::<f32>(4, batch_size).max(break_even::<f32>(2, batch_size));
    let eliminated = if is_compressed { (5.0 * sparsity - 3.0 * (1.0 - sparsity)) * entry * n } else { 0.0 };
    Ok(all + method - eliminated)
}

/// Of epochs alone: a step's memory is that which the steps before it left.
fn print_memory(lines: &[Line]) -> Result<()> {
    println!(
        "{:<32} {:>7} {:>6} {:>12} {:>12} {:>7}",
        "peak memory", "threads", "batch", "measured MB", "predicted", "ratio"
    );
    let mut peaks: BTreeMap<(&str, usize, usize), usize> = BTreeMap::new();
    for line in lines {
        let peak = peaks.entry((&line.case, line.threads, line.batch_size)).or_default();
        *peak = line.measured.peak_bytes.max(*peak);
    }
    for ((case, threads, batch_size), measured) in peaks {
        let name = case.trim_end_matches("/dense");
        let Some((model, sparsity)) = parts(name, &["epoch"]) else { continue };
        let entry = models::find(model)?;
        let network = entry.network(entry.input, entry.classes)?;
        let predicted = peak_bytes(&network, batch_size, sparsity, name == case)?;
        let (megabytes, ratio) = (measured as f64 / 1e6, predicted / measured as f64);
        println!("{case:<32} {threads:>7} {batch_size:>6} {megabytes:>12.1} {:>12.1} {ratio:>7.2}", predicted / 1e6);
    }
    Ok(())
}
