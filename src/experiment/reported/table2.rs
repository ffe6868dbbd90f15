//! Table 2: accuracy and sparsity of eleven networks, LeNet300 on MNIST, the others on CIFAR-10; 300 epochs.
//!
//! `reset` (Reset to W_0) and `gdstar` (Rewind to W_k*) stand at the same `sparsity`.

use super::table::{PrintedTable, Row};

/// Dense, reset and GDSTAR.
pub static TABLE2: PrintedTable = PrintedTable {
    number: 2,
    title: "Comparison of DNNs performance under dense and sparse settings",
    columns: &[("sparsity", "%"), ("dense", "%"), ("reset", "%"), ("gdstar", "%")],
    rows: &[
        Row { network: "lenet300", values: &[92.0, 98.56, 97.92, 98.29] },
        Row { network: "lenet", values: &[91.0, 77.16, 66.12, 67.89] },
        Row { network: "vgg16", values: &[95.0, 93.07, 92.62, 92.68] },
        Row { network: "vgg19bn", values: &[96.0, 93.92, 93.55, 94.05] },
        Row { network: "inceptionv3", values: &[92.0, 94.09, 91.85, 92.43] },
        Row { network: "resnet18", values: &[94.0, 95.25, 94.62, 94.67] },
        Row { network: "resnet34", values: &[96.0, 95.28, 94.57, 94.92] },
        Row { network: "shufflenetv2", values: &[92.0, 90.50, 86.98, 88.51] },
        Row { network: "efficientnetb0", values: &[96.0, 91.92, 88.08, 90.21] },
        Row { network: "mobilenetv2", values: &[93.0, 93.68, 93.00, 93.51] },
        Row { network: "densenetc", values: &[93.0, 95.23, 91.67, 91.79] },
    ],
};
