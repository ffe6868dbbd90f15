//! [`DISAGREEMENTS`]: where the paper's numbers do not agree with each other. What can be calculated again from the tables
//! is, in `tests/experiments/reported.rs`.

/// Places that cannot both be right, or of which one leaves the other unexplained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disagreement {
    pub places: &'static [&'static str],
    pub what: &'static str,
}

/// Those that a table or figure (`Table 2`) has a part in.
///
/// ```
/// use gdstar::experiment::reported::disagreements;
/// assert!(disagreements("Table 2").any(|disagreement| disagreement.what.contains("0.94")));
/// ```
pub fn disagreements(of: &str) -> impl Iterator<Item = &'static Disagreement> {
    DISAGREEMENTS.iter().filter(move |disagreement| disagreement.places.contains(&of))
}

/// All that were found.
pub static DISAGREEMENTS: &[Disagreement] = &[
    Disagreement {
        places: &["Table 2", "abstract", "section 5.1"],
        what: "The average drop of 0.94 is said to leave LeNet out. The other ten drops sum to 10.44: 1.04 over ten, 0.949 over \
               eleven; with LeNet the mean is 1.79. 0.94 is that sum over eleven, cut off.",
    },
    Disagreement {
        places: &["Figure 5", "Figure 7", "Figure 8"],
        what: "lambda = 0.9 (Fig. 5) and eps = 1e-5 (Fig. 8) have the same sparsity and accuracy (93.13, 94.69), which is also \
               the accuracy at C = 1 (Fig. 7): one run with settings that no section gives.",
    },
    Disagreement {
        places: &["Table 2", "Figure 5", "Figure 8"],
        what: "ResNet18 has 94 % and 94.67 % at section 4's lambda = 0.75 and eps = 5.5e-5 (Table 2); the figures' common run has \
               93.13 % and 94.69 %.",
    },
    Disagreement {
        places: &["Figure 5", "section 3.3"],
        what: "90.5 % sparsity at epoch 12 with lambda = 0.9: 0.9^12 = 0.28 takes no weight of ordinary size below any eps of \
               Fig. 8. A decay that compounds (0.9^78 = 2.7e-4), or t counted in iterations, does.",
    },
    Disagreement {
        places: &["Figure 4", "Figure 5", "section 3.3"],
        what: "64.11 % at a constant alpha of 0.55 and 97.02 % at alpha_0 = 0.95 are above alpha: weights that \"do not participate \
               in any computations\" would hold sparsity at alpha (G = 0) or drive it to 100 % (not in the quantile's set).",
    },
    Disagreement {
        places: &["section 4", "section 3.1", "Alg. 4", "Alg. 5"],
        what: "The algorithms count epochs from 1, so that the first rate is 0.9477; section 4 has 0.95 at the start, and Fig. 3 \
               k* = 0 as a measured minimum.",
    },
    Disagreement {
        places: &["section 4", "Table 2", "Figure 1"],
        what: "ResNet50 is among the networks that need C = 2, and in Fig. 1, but not among the eleven of Table 2; DenseNet121 is in \
               Fig. 3 where Table 2 has DenseNetC.",
    },
    Disagreement {
        places: &["section 4"],
        what: "C = 2 is for the networks with more parameters; InceptionV3 has more (21.8 million) than ResNet34 (21.3) and VGG19BN \
               (20.0), and C = 1.",
    },
    Disagreement {
        places: &["A.4"],
        what: "N = 11,173,114 for ResNet18 with ten classes: it has 11,173,962 parameters, 11,164,352 of them convolution and \
               linear weights.",
    },
    Disagreement {
        places: &["Alg. 3", "section 2"],
        what: "The paper's LMC takes the epoch of least mean loss along the line; Frankle et al. take the first whose error \
               barrier is below 2 %.",
    },
    Disagreement {
        places: &["Eq. 3"],
        what: "The last term drops the sum over the batches i, of which Eq. 2 and the middle term have one.",
    },
    Disagreement { places: &["section 5.2"], what: "\"Three key observations\" are announced, four are made." },
    Disagreement {
        places: &["section 4", "A.4", "A.5"],
        what: "Section 4 refers to A.3 for the chunked quantile and the prune threshold; they are in A.4 and A.5.",
    },
    Disagreement { places: &["Table 6"], what: "LeNet's overhead is printed as 7.87 %; its times give 7.88." },
    Disagreement {
        places: &["Table 7", "A.9.2"],
        what: "The overhead is said to be one checkpoint of the weights. On the GPU InceptionV3 takes 18.9 MB more and its weights \
               87 MB, VGG16 418 MB more and its weights 59 MB.",
    },
    Disagreement {
        places: &["Table 8"],
        what: "Eight of the ten overheads are not what the calls beside them give, however those were rounded (VGG16: 46.44 printed, \
               46.38 calculated).",
    },
    Disagreement {
        places: &["A.8", "section 4"],
        what: "LTH rewinds LeNet300 to iteration 1000, \"epoch 1\": 60 samples a batch, not section 4's 128; its numbers fit Frankle \
               et al.'s recipes.",
    },
];
