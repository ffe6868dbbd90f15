//! Table 4 (A.7): GDSTAR against random rewinding, LeNet300 on MNIST, the others on CIFAR-10; "fewer training epochs than
//! Table 2", how many is not said.

use super::table::{PrintedTable, Row};

/// Random rewinding.
pub static TABLE4: PrintedTable = PrintedTable {
    number: 4,
    title: "Test accuracy improvement of GDSTAR over Random Rewind strategy",
    columns: &[("sparsity", "%"), ("random-rewind", "%"), ("gdstar", "%")],
    rows: &[
        Row { network: "lenet300", values: &[90.0, 97.79, 98.26] },
        Row { network: "vgg16", values: &[94.0, 88.19, 89.54] },
        Row { network: "resnet18", values: &[93.7, 90.03, 91.62] },
        Row { network: "mobilenetv2", values: &[92.8, 89.96, 91.66] },
    ],
};
