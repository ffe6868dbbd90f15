//! Table 7 (A.9.2): peak memory on the host (CPU) and on an NVIDIA P100 (GPU), dense and GDSTAR.

use super::table::{PrintedTable, Row};

/// Peak memory.
pub static TABLE7: PrintedTable = PrintedTable {
    number: 7,
    title: "Peak memory comparison between dense baselines and GDSTAR",
    columns: &[
        ("dense CPU", "MB"),
        ("gdstar CPU", "MB"),
        ("dense GPU", "MB"),
        ("gdstar GPU", "MB"),
        ("overhead CPU", "%"),
        ("overhead GPU", "%"),
    ],
    rows: &[
        Row { network: "lenet300", values: &[1337.61, 1656.91, 21.33, 30.83, 23.87, 44.54] },
        Row { network: "lenet", values: &[1490.05, 1806.97, 31.17, 31.71, 21.27, 1.73] },
        Row { network: "vgg16", values: &[1846.46, 2283.54, 436.77, 854.89, 23.67, 95.73] },
        Row { network: "vgg19bn", values: &[2136.75, 2746.07, 612.92, 830.77, 28.52, 35.54] },
        Row { network: "inceptionv3", values: &[2756.55, 3559.67, 1127.04, 1145.92, 29.13, 1.68] },
        Row { network: "resnet18", values: &[2004.15, 2561.80, 749.25, 847.17, 27.82, 13.07] },
        Row { network: "resnet34", values: &[2576.51, 3385.40, 1227.81, 1413.88, 31.39, 15.15] },
        Row { network: "shufflenetv2", values: &[2505.87, 3181.70, 352.96, 356.12, 26.97, 0.90] },
        Row { network: "efficientnetb0", values: &[2407.96, 3141.59, 1176.84, 1207.67, 30.47, 2.62] },
        Row { network: "mobilenetv2", values: &[2781.99, 3828.18, 1719.15, 1741.03, 37.61, 1.27] },
    ],
};
