//! [`STATEMENTS`]: the numbers that the text gives of the figures and of runs that no table has.

/// A number in the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statement {
    /// What it is said of: `Figure 5`, `Table 5`, `Equation 10`.
    pub of: &'static str,
    /// The key in [`MODELS`](crate::nn::models::MODELS).
    pub network: &'static str,
    /// What sets the run apart from section 4's, as options name it.
    pub setting: &'static str,
    /// `accuracy`, `sparsity`, `k*`, ...
    pub quantity: &'static str,
    /// The epoch, where it is not the last.
    pub epoch: Option<usize>,
    pub value: f64,
    /// The section and, where a section lists observations, which of them.
    pub place: &'static str,
}

/// The statements of a figure or table, in the order of the text.
///
/// ```
/// use gdstar::experiment::reported::statements;
/// assert_eq!(statements("Figure 4").map(|said| said.value).collect::<Vec<_>>(), [64.11]);
/// ```
pub fn statements(of: &str) -> impl Iterator<Item = &'static Statement> {
    STATEMENTS.iter().filter(move |said| said.of == of)
}

/// What the text says of this quantity at the end of the run with this setting.
pub fn stated(of: &str, setting: &str, quantity: &str) -> Option<&'static Statement> {
    statements(of).find(|said| said.setting == setting && said.quantity == quantity && said.epoch.is_none())
}

const fn said(
    of: &'static str,
    (network, setting): (&'static str, &'static str),
    (quantity, value): (&'static str, f64),
    place: &'static str,
) -> Statement {
    Statement { of, network, setting, quantity, epoch: None, value, place }
}

const fn said_at(epoch: usize, statement: Statement) -> Statement {
    Statement { epoch: Some(epoch), ..statement }
}

const K3: &str = "section 3.1";
const A4: &str = "A.4";
const A5: &str = "A.5";
const A8: &str = "A.8";

/// All of them. Accuracy and sparsity are in percent.
pub static STATEMENTS: &[Statement] = &[
    said("Figure 3", ("lenet", ""), ("k*", 0.0), K3),
    said_at(274, said("Figure 3", ("mobilenetv2", ""), ("k*", 10.0), K3)),
    said("Figure 4", ("mobilenetv2", "alpha 0.55"), ("sparsity", 64.11), "section 5.2, fourth observation"),
    said_at(4, said("Figure 5", ("resnet18", "lambda 0.1"), ("sparsity", 96.5), "section 5.3, first pattern")),
    said("Figure 5", ("resnet18", "lambda 0.1"), ("sparsity", 97.02), "section 5.3, first pattern"),
    said(
        "Figure 5",
        ("resnet18", "lambda 0.1"),
        ("accuracy", 93.09),
        "section 5.3, first pattern: 1.6 below lambda 0.9",
    ),
    said_at(12, said("Figure 5", ("resnet18", "lambda 0.9"), ("sparsity", 90.5), "section 5.3, second pattern")),
    said("Figure 5", ("resnet18", "lambda 0.9"), ("sparsity", 93.13), "section 5.3, second pattern"),
    said("Figure 5", ("resnet18", "lambda 0.9"), ("accuracy", 94.69), "section 5.3, second pattern"),
    said("Figure 5", ("resnet18", "lambda 0.5"), ("sparsity", 94.82), "section 5.3, third pattern"),
    said(
        "Figure 5",
        ("resnet18", "lambda 0.5"),
        ("accuracy", 94.40),
        "section 5.3, third pattern: 0.29 below lambda 0.9",
    ),
    said("Figure 5", ("resnet18", "lambda 1"), ("sparsity", 8.76), "section 5.3, fourth pattern"),
    said("Figure 7", ("resnet18", "chunks 1"), ("accuracy", 94.69), A4),
    said("Figure 7", ("resnet18", "chunks 4"), ("accuracy", 94.56), A4),
    said("Figure 7", ("resnet18", "chunks 8"), ("accuracy", 94.50), A4),
    said("Figure 7", ("resnet18", "chunks 16"), ("accuracy", 94.45), A4),
    said("Figure 7", ("resnet18", "chunks 1024"), ("accuracy", 94.35), A4),
    said("Equation 10", ("resnet18", "chunks 16"), ("saving of computation", 17.0), A4),
    said("Equation 11", ("resnet18", "chunks 16"), ("saving of memory", 93.0), "A.4: over 93"),
    said("Figure 8", ("resnet18", "eps 1e-3"), ("sparsity", 98.72), A5),
    said("Figure 8", ("resnet18", "eps 1e-3"), ("accuracy", 92.91), A5),
    said("Figure 8", ("resnet18", "eps 1e-4"), ("sparsity", 96.11), A5),
    said("Figure 8", ("resnet18", "eps 1e-4"), ("accuracy", 94.44), A5),
    said("Figure 8", ("resnet18", "eps 1e-5"), ("sparsity", 93.13), A5),
    said("Figure 8", ("resnet18", "eps 1e-5"), ("accuracy", 94.69), A5),
    said("Table 5", ("lenet300", "lth"), ("rewind step", 1000.0), A8),
    said("Table 5", ("resnet20", "lth"), ("rewind step", 1000.0), A8),
    said("Table 5", ("vgg16", "lth"), ("rewind step", 10000.0), A8),
];
