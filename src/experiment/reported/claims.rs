//! [`CLAIMS`]: what the text says in words of the figures and tables.

/// One claim, shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// `Figure 1`, `Table 2`, ...
    pub of: &'static str,
    pub place: &'static str,
    pub words: &'static str,
}

/// The claims on a figure or table.
///
/// ```
/// use gdstar::experiment::reported::claims;
/// assert!(claims("Figure 6").any(|claim| claim.words.contains("200 and 300")));
/// ```
pub fn claims(of: &str) -> impl Iterator<Item = &'static Claim> {
    CLAIMS.iter().filter(move |claim| claim.of == of)
}

const fn claim(of: &'static str, place: &'static str, words: &'static str) -> Claim {
    Claim { of, place, words }
}

/// All of them, in the order of the paper.
pub static CLAIMS: &[Claim] = &[
    claim("Figure 1", "section 2", "on LeNet300 reset and rewind perform comparably to the dense network"),
    claim("Figure 1", "section 2", "on more complex networks reset yields lower accuracy than rewind"),
    claim("Figure 1", "section 2", "LeNet300's accuracy remains stable across rewind points"),
    claim("Figure 1", "section 2", "on ResNet50 an appropriate k significantly improves accuracy"),
    claim("Figure 2", "section 2", "a large fraction of LeNet300's weights has accumulated gradients near zero"),
    claim("Figure 3", "section 3.1", "LeNet: the minimum is at k* = 0, then the norm rises"),
    claim("Figure 3", "section 3.1", "MobileNetV2: k* moves until about 10, stands until about 274, then moves again"),
    claim("Figure 3", "section 3.1", "VGG16, InceptionV3, ResNet18 and DenseNet121 behave like MobileNetV2"),
    claim("Figure 3", "section 3.1", "EfficientNetB0 and ShuffleNetV2: k* moves in the early epochs only"),
    claim("Figure 4", "section 5.2", "a falling alpha gives high sparsity early and preserves accuracy"),
    claim("Figure 4", "section 5.2", "a rising alpha delays sparsity and sharply drops performance late"),
    claim("Figure 4", "section 5.2", "a high constant alpha gives early sparsity with little impact on accuracy"),
    claim("Figure 4", "section 5.2", "a low constant alpha gives too little sparsity"),
    claim("Figure 5", "section 5.3", "a smaller lambda prunes sooner and costs accuracy"),
    claim("Figure 5", "section 5.3", "without decay (lambda = 1) sparsity remains negligible"),
    claim("Figure 5", "section 5.3", "with t = 1 sparsity remains very limited"),
    claim(
        "Figure 6",
        "section 3.1",
        "S_F shows the variations between epochs 200 and 300 more clearly than its square",
    ),
    claim("Figure 7", "A.4", "accuracy falls slightly as C grows"),
    claim("Figure 7", "A.4", "larger C takes less time and memory for the quantile"),
    claim("Figure 8", "A.5", "eps of 1e-6 and 1e-7: high sparsity only in later epochs, high accuracy"),
    claim("Figure 8", "A.5", "eps of 1e-3: too much is pruned, and accuracy drops sharply"),
    claim(
        "Table 2",
        "section 5.1",
        "under the same sparsity rewind is more accurate than reset on every network, by 0.72 on average",
    ),
    claim("Table 2", "section 5.1", "LeNet left out, accuracy is 0.94 below dense on average, at 93.64 % sparsity"),
    claim("Table 4", "A.7", "rewinding to S_F's minimum is more accurate than random rewinding on every network"),
    claim("Table 5", "A.8", "LTH is slightly more accurate than GDSTAR, and takes many trainings"),
    claim("Table 6", "A.9.1", "GDSTAR takes 2.53 % more time on average, 8.19 % at most"),
    claim(
        "Table 7",
        "A.9.2",
        "peak memory is 28.07 % (CPU) and 21.22 % (GPU) higher on average, for one checkpoint of the weights",
    ),
    claim("Table 8", "A.9.3", "GDSTAR launches 49.04 % more kernels on average, 42.16 % to 57.01 %"),
];
