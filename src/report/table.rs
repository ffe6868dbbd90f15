//! Tables in the paper's form.

use super::Summary;

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
