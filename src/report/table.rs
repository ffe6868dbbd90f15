//! Tables in the paper's form.

use super::wrapped;
use crate::method::Method;
use crate::train::{EpochRecord, StoredRun};

/// One run in a table: the last epoch's network.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub method: Method,
    pub epochs: usize,
    /// 0 to 1.
    pub accuracy: f64,
    /// 0 to 1.
    pub sparsity: f64,
    /// Training and pruning, without evaluation.
    pub seconds: f64,
    /// Every epoch at which the rewind point moved.
    pub rewinds: Vec<usize>,
    /// The first epoch from which on Eq. 5 selected nothing, where there is one, and whether tau was 0 in all of them
    /// (open point 5).
    pub selection_ended: Option<(usize, bool)>,
}

impl Summary {
    /// Of a run's last epoch so far; `None` before the first.
    pub fn of(run: &StoredRun) -> Option<Self> {
        (!run.records.is_empty()).then(|| Self::new(run.config.method, &run.records))
    }

    /// From a run's records.
    pub fn new(method: Method, records: &[EpochRecord]) -> Self {
        let last = records.last();
        // k* is 0 before the first epoch, which need not be a rewind point for that.
        let at_first = method.entry().rewinds_at_first;
        let has_moved = |r: &&EpochRecord| r.numbers.count("k_star") == Some(r.epoch) && (r.epoch > 0 || at_first);
        let rewinds = records.iter().filter(has_moved).map(|r| r.epoch).collect();
        let idle = || records.iter().rev().take_while(|r| r.numbers.count("selected") == Some(0));
        // With every weight eliminated tau is 0 too, and of no G.
        let is_zero = idle().all(|r| r.numbers.real("tau") == Some(0.0) && r.sparsity < 1.0);
        Self {
            method,
            epochs: records.len(),
            accuracy: last.map_or(f64::NAN, |r| r.test_accuracy),
            sparsity: last.map_or(f64::NAN, |r| r.sparsity),
            seconds: records.iter().map(|r| r.seconds).sum(),
            rewinds,
            selection_ended: idle().last().map(|r| (r.epoch, is_zero)),
        }
    }
}

/// One run in a few lines, none wider than a terminal.
pub fn summary(run: &Summary) -> String {
    let mut text = format!(
        "{}: test accuracy {:.2} % at {:.2} % sparsity after {} epochs, in {:.1} s",
        run.method,
        100.0 * run.accuracy,
        100.0 * run.sparsity,
        run.epochs,
        run.seconds
    );
    if !run.rewinds.is_empty() {
        text += &format!("\nrewind point k* moved at epochs {}", ranges(&run.rewinds));
    }
    if let Some((epoch, tau_is_zero)) = run.selection_ended {
        text += &format!("\nfrom epoch {epoch} on no weight was selected");
        if tau_is_zero {
            text += ": more than alpha_k of the G are exactly 0, so tau = 0 and the strict < of Eq. 5 holds for none \
                     (open point 5)";
        }
    }
    wrapped(&text)
}

/// The paper's Table 2 for one network: a row per run in each column's order, sparsity beside its own accuracy since
/// methods do not end at exactly the same sparsity.
pub fn table_2(model: &str, dense: &Summary, reset: &Summary, gdstar: &Summary) -> String {
    let percent = |x: f64| format!("{:.2}", 100.0 * x);
    let first = model.len().max("Model".len());
    let row = |cells: [&str; 6]| {
        let [model, dense, reset_sparsity, reset, gdstar_sparsity, gdstar] = cells;
        format!("{model:<first$} | {dense:>10} | {reset_sparsity:>10} {reset:>10} | {gdstar_sparsity:>11} {gdstar:>11}")
    };
    [
        format!("{:<first$} | {:>10} | {:>21} | {:>23}", "", "Dense", "Reset to W_0", "Rewind to W_k* (GDSTAR)"),
        row(["Model", "Accuracy %", "Sparsity %", "Accuracy %", "Sparsity %", "Accuracy %"]),
        format!("{:-<first$}-+-{:->10}-+-{:->21}-+-{:->23}", "", "", "", ""),
        row([
            model,
            &percent(dense.accuracy),
            &percent(reset.sparsity),
            &percent(reset.accuracy),
            &percent(gdstar.sparsity),
            &percent(gdstar.accuracy),
        ]),
    ]
    .join("\n")
}

/// `[0, 1, 2, 5]` as `0-2, 5`.
fn ranges(sorted: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &x in sorted {
        match parts.last_mut() {
            Some((_, end)) if *end + 1 == x => *end = x,
            _ => parts.push((x, x)),
        }
    }
    let show = |&(start, end): &(usize, usize)| if start == end { start.to_string() } else { format!("{start}-{end}") };
    parts.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// 266610 as `266,610`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
