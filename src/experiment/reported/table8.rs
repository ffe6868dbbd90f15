//! Table 8 (A.9.3): calls of CUDA kernels in a whole run, dense and GDSTAR.

use super::table::{PrintedTable, Row};

/// Kernel launches.
pub static TABLE8: PrintedTable = PrintedTable {
    number: 8,
    title: "Total CUDA kernel calls comparison between dense baselines and GDSTAR",
    columns: &[("dense", "10^6"), ("gdstar", "10^6"), ("overhead", "%")],
    rows: &[
        Row { network: "lenet300", values: &[39.67, 58.80, 48.28] },
        Row { network: "lenet", values: &[56.37, 82.61, 46.55] },
        Row { network: "vgg16", values: &[187.11, 273.90, 46.44] },
        Row { network: "vgg19bn", values: &[332.02, 519.01, 56.35] },
        Row { network: "inceptionv3", values: &[656.29, 958.14, 46.03] },
        Row { network: "resnet18", values: &[350.55, 515.89, 47.16] },
        Row { network: "resnet34", values: &[617.24, 911.82, 47.64] },
        Row { network: "shufflenetv2", values: &[1059.18, 1505.50, 42.16] },
        Row { network: "efficientnetb0", values: &[1050.63, 1605.28, 52.86] },
        Row { network: "mobilenetv2", values: &[797.42, 1252.53, 57.01] },
    ],
};
