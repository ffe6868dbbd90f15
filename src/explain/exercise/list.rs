//! The exercises.

use super::{Exercise, Given, Wanted};

/// In the order of an epoch.
pub static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "eq2",
        number: "Eq. 2",
        task: "G: for each of the N weights the squares of its gradients, added up over the batches of the epoch. `gradients` is an \
               array [batches, N].",
        takes: &[("gradients", Given::Gradients)],
        gives: &[Wanted::PerWeight("G")],
        slips: &[
            "return gradients.sum(axis=0) ** 2",
            "return (gradients ** 2).mean(axis=0)",
            "return np.abs(gradients).sum(axis=0)",
        ],
    },
    Exercise {
        name: "eq3",
        number: "Eq. 3",
        task: "S_sq: the sum of G over all weights.",
        takes: &[("G", Given::PerWeight("G"))],
        gives: &[Wanted::Number("S_sq")],
        slips: &["return np.mean(G)", "return np.sum(G ** 2)"],
    },
    Exercise {
        name: "eq4",
        number: "Eq. 4",
        task: "S_F, the Frobenius norm of the epoch's gradients, from S_sq.",
        takes: &[("S_sq", Given::Number("S_sq"))],
        gives: &[Wanted::Number("S_F")],
        slips: &["return S_sq", "return np.sqrt(S_sq) / 2"],
    },
    Exercise {
        name: "alg4",
        number: "Alg. 4",
        task: "k*, the epoch of the smallest S_F so far. `S_F` is that of epochs 0 to the present one, in order. A later epoch with \
               the same S_F does not take its place.",
        takes: &[("S_F", Given::History("S_F"))],
        gives: &[Wanted::Count("k_star")],
        slips: &["return np.argmax(S_F)", "return len(S_F) - 1", "return 0"],
    },
    Exercise {
        name: "eq8",
        number: "Eq. 8",
        task: "alpha_k: from alpha_0 towards alpha_K in a straight line over the K epochs.",
        takes: &[
            ("k", Given::Epoch),
            ("K", Given::Hyper("epochs")),
            ("alpha_0", Given::Hyper("alpha_0")),
            ("alpha_K", Given::Hyper("alpha_K")),
        ],
        gives: &[Wanted::Number("alpha")],
        slips: &[
            "return alpha_0 + (k / (K - 1)) * (alpha_K - alpha_0)",
            "return alpha_0 + (k / K) * (alpha_0 - alpha_K)",
            "return alpha_0 * (alpha_K / alpha_0) ** (k / K)",
        ],
    },
    Exercise {
        name: "eq6",
        number: "Eq. 6",
        task: "The alpha-quantile of each of C consecutive chunks of G, read on the line between the two neighbouring values. Where C \
               does not divide N the first chunks are one larger.",
        takes: &[("G", Given::PerWeight("G")), ("alpha", Given::Number("alpha")), ("C", Given::Hyper("chunks"))],
        gives: &[Wanted::Numbers("chunk_quantiles")],
        slips: &[
            "return np.array([np.quantile(G, alpha)] * int(C))",
            "return np.array([np.quantile(chunk, 1 - alpha) for chunk in np.array_split(G, int(C))])",
            "return np.array([np.quantile(chunk, alpha, method=\"lower\") for chunk in np.array_split(G, int(C))])",
        ],
    },
    Exercise {
        name: "eq7",
        number: "Eq. 7",
        task: "tau: the mean of the chunks' quantiles q.",
        takes: &[("q", Given::Numbers("chunk_quantiles"))],
        gives: &[Wanted::Number("tau")],
        slips: &["return np.median(q)", "return q.max()", "return q.sum()"],
    },
    Exercise {
        name: "eq5",
        number: "Eq. 5",
        task: "Which weights are selected: a flag a weight. `alive` says which have not been eliminated.",
        takes: &[("G", Given::PerWeight("G")), ("tau", Given::Number("tau")), ("alive", Given::Flags("mask_before"))],
        gives: &[Wanted::Flags("selected")],
        slips: &["return G <= np.sort(G)[int(0.5 * len(G))]", "return G > tau", "return G ** 2 < tau"],
    },
    Exercise {
        name: "eq9",
        number: "Eq. 9",
        task: "The weights after the epoch, and which of them live: a selected weight that is alive becomes w* lambda^t, and 0, for \
               good, where that is smaller than eps; t = k - k*. All others stay as they are; what was eliminated stays 0.",
        takes: &[
            ("w", Given::PerWeight("weights_before")),
            ("w_star", Given::PerWeight("rewind")),
            ("selected", Given::Flags("selected")),
            ("alive", Given::Flags("mask_before")),
            ("t", Given::Number("t")),
            ("decay", Given::Hyper("lambda")),
            ("eps", Given::Hyper("eps")),
        ],
        gives: &[Wanted::PerWeight("weights_after"), Wanted::Flags("mask")],
        slips: &[
            "chosen = selected & alive\n\
             rewound = w * decay ** t\n\
             lives = alive & ~(chosen & (np.abs(rewound) < eps))\n\
             return np.where(chosen, rewound, w) * lives, lives",
            "chosen = selected & alive\n\
             rewound = w_star * decay ** (t + 1)\n\
             lives = alive & ~(chosen & (np.abs(rewound) < eps))\n\
             return np.where(chosen, rewound, w) * lives, lives",
            "chosen = selected & alive\n\
             rewound = w_star * decay ** t\n\
             lives = alive & ~(chosen & (np.abs(w) < eps))\n\
             return np.where(chosen, rewound, w) * lives, lives",
        ],
    },
];
