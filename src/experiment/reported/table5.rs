//! Table 5 (A.8): GDSTAR against the lottery ticket, LeNet300 on MNIST, the others on CIFAR-10.
//!
//! The text has where LTH rewinds to: iteration 1000 (LeNet300, ResNet20) and 10000 (VGG16); see
//! [`STATEMENTS`](super::STATEMENTS).

use super::table::{PrintedTable, Row};

/// The lottery ticket.
pub static TABLE5: PrintedTable = PrintedTable {
    number: 5,
    title: "Comparison of GDSTAR and LTH across three setups",
    columns: &[("lth sparsity", "%"), ("gdstar sparsity", "%"), ("lth", "%"), ("gdstar", "%")],
    rows: &[
        Row { network: "lenet300", values: &[96.5, 92.0, 98.34, 98.29] },
        Row { network: "resnet20", values: &[83.2, 83.2, 91.77, 88.31] },
        Row { network: "vgg16", values: &[98.5, 95.0, 93.75, 92.68] },
    ],
};
