//! The table of medians.

use crate::Line;
use crate::case::Case;
use std::collections::HashMap;

/// What is printed so far, for comparisons with it.
#[derive(Default)]
pub struct Table {
    /// By case and threads: median seconds and multiply-accumulates of a repetition.
    medians: HashMap<(String, usize), (f64, Option<f64>)>,
}

/// The middle one; of an even count, the lower of the two in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

impl Table {
    /// One case's line: median, least and most seconds, peak memory, rate, and the comparison with its baseline.
    pub fn print(&mut self, case: &Case, lines: &[Line]) {
        let Some(first) = lines.first() else { return };
        if self.medians.is_empty() {
            println!(
                "{:<44} {:>7} {:>10} {:>10} {:>10} {:>9} {:>8}",
                "case", "threads", "median ms", "min", "max", "peak MB", "GFLOP/s"
            );
        }
        let seconds: Vec<f64> = lines.iter().map(|line| line.measured.seconds).collect();
        let (least, most) = seconds.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &s| (a.min(s), b.max(s)));
        let total: f64 = seconds.iter().sum();
        let median = median(seconds);
        let peak = lines.iter().map(|line| line.measured.peak_bytes).max().unwrap_or(0);
        let rate = case.macs.map_or(String::new(), |macs| format!("{:.1}", 2e-9 * macs / median));
        println!(
            "{:<44} {:>7} {:>10.3} {:>10.3} {:>10.3} {:>9.1} {rate:>8} {}",
            case.name,
            first.threads,
            1e3 * median,
            1e3 * least,
            1e3 * most,
            peak as f64 / 1e6,
            by_turns(lines).unwrap_or_else(|| self.comparison(case, first.threads, median))
        );
        if let Some(last) = lines.iter().rev().find_map(|line| line.measured.epoch.as_ref()) {
            let (sparsity, accuracy) = (100.0 * last.sparsity, 100.0 * last.accuracy);
            println!("    {} epochs, {total:.1} s, sparsity {sparsity:.2} %, accuracy {accuracy:.2} %", lines.len());
        }
        self.medians.insert((case.name.clone(), first.threads), (median, case.macs));
    }

    fn comparison(&self, case: &Case, threads: usize, median: f64) -> String {
        let Some(baseline) = &case.baseline else { return String::new() };
        let Some(&(seconds, macs)) = self.medians.get(&(baseline.clone(), threads)) else { return String::new() };
        match (case.macs, macs) {
            (Some(own), Some(macs)) if own != macs => {
                format!("{:.0} % of the rate of {baseline}", 100.0 * own * seconds / (macs * median))
            }
            _ => format!("{:.3} of {baseline}", median / seconds),
        }
    }
}

/// The comparison of a case with what it took turns with: the median of the measurements' ratios.
fn by_turns(lines: &[Line]) -> Option<String> {
    let of = |line: &Line| line.measured.baseline_seconds;
    let baseline = lines.iter().map(of).collect::<Option<Vec<f64>>>()?;
    let ratios = lines.iter().zip(&baseline).map(|(line, baseline)| line.measured.seconds / baseline).collect();
    Some(format!("{:.3} of {:.3} ms, by turns", median(ratios), 1e3 * median(baseline)))
}
