//! Table 3 (A.6): top-1 accuracy of ResNet50 on Tiny ImageNet, dense and at three sparsities; batch 128, 75 epochs, C = 2,
//! "the default pruning hyperparameters".

use super::table::{PrintedTable, Row};

/// Tiny ImageNet.
pub static TABLE3: PrintedTable = PrintedTable {
    number: 3,
    title: "Top-1 test accuracy of GDSTAR on Tiny ImageNet with ResNet50 at different sparsity levels",
    columns: &[("dense", "%"), ("75%", "%"), ("80%", "%"), ("85%", "%")],
    rows: &[Row { network: "resnet50", values: &[62.69, 62.73, 62.53, 62.25] }],
};
