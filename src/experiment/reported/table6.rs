//! Table 6 (A.9.1): minutes of training on an NVIDIA P100, dense and GDSTAR; sparsity is not made use of.

use super::table::{PrintedTable, Row};

/// Training time.
pub static TABLE6: PrintedTable = PrintedTable {
    number: 6,
    title: "Training time comparison between dense baselines and GDSTAR",
    columns: &[("dense", "min"), ("gdstar", "min"), ("overhead", "%")],
    rows: &[
        Row { network: "lenet300", values: &[33.871, 34.326, 1.34] },
        Row { network: "lenet", values: &[47.641, 51.394, 7.87] },
        Row { network: "vgg16", values: &[75.793, 76.142, 0.46] },
        Row { network: "vgg19bn", values: &[96.393, 98.446, 2.13] },
        Row { network: "inceptionv3", values: &[203.212, 204.957, 0.86] },
        Row { network: "resnet18", values: &[136.084, 138.327, 1.65] },
        Row { network: "resnet34", values: &[228.024, 229.399, 0.60] },
        Row { network: "shufflenetv2", values: &[98.321, 106.376, 8.19] },
        Row { network: "efficientnetb0", values: &[170.823, 173.244, 1.42] },
        Row { network: "mobilenetv2", values: &[193.297, 194.880, 0.82] },
    ],
};
