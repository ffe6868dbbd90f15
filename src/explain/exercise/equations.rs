//! The exercises on the paper's equations.

use super::{Calls, Exercise, Given, Lesson, Planted, planted};

/// An exercise on one equation, judged as that equation.
const fn equation(
    [name, title, chapter, task]: [&'static str; 4],
    lesson: Lesson,
    takes: &'static [(&'static str, Given)],
    gives: &'static [&'static str],
    labels: &'static [&'static str],
    slips: &'static [Planted],
) -> Exercise {
    Exercise { name, title, chapter, task, lesson, calls: Calls::Event, selects: false, takes, gives, labels, slips }
}

/// Epochs of the run whose operands are given.
const SHORT: Lesson = Lesson::paper(3);
/// And of one in which k* moves.
const LONG: Lesson = Lesson::paper(20);

/// In the order of an epoch.
pub(super) static EXERCISES: &[Exercise] = &[
    equation(
        [
            "eq1",
            "Eq. 1 of the paper",
            "equations/eq01.md",
            "S_abs: the sizes of all gradients of the epoch, added up. `gradients` is an array [batches, N].",
        ],
        SHORT,
        &[("gradients", Given::Gradients)],
        &["S_abs"],
        &["eq1"],
        &[
            planted("return abs(gradients.sum())", "that of the sum is taken"),
            planted(
                "return np.abs(gradients.sum(axis=0)).sum()",
                "the absolute values of the gradient summed over batches",
            ),
            planted("return np.sqrt((gradients ** 2).sum(axis=1)).sum()", "Frobenius norms of the batches"),
            planted("return np.abs(gradients[-1]).sum()", "the last batch only"),
        ],
    ),
    equation(
        [
            "eq2",
            "Eq. 2 of the paper",
            "equations/eq02.md",
            "G: for each of the N weights the squares of its gradients, added up over the batches of the epoch. `gradients` is an \
             array [batches, N].",
        ],
        SHORT,
        &[("gradients", Given::Gradients)],
        &["G"],
        &["eq2"],
        &[
            planted("return gradients.sum(axis=0) ** 2", "the square of the summed gradient"),
            planted("return (gradients ** 2).mean(axis=0)", "the mean over the"),
            planted("return np.abs(gradients).sum(axis=0)", "|g| for g^2"),
        ],
    ),
    equation(
        ["eq3", "Eq. 3 of the paper", "equations/eq03.md", "S_sq: the sum of G over all weights."],
        SHORT,
        &[("G", Given::Of("G"))],
        &["S_sq"],
        &["eq3"],
        &[
            planted("return np.mean(G)", "the mean over the weights for the sum"),
            planted("return np.sum(G ** 2)", "G is squared once more"),
            planted("return G.max()", "the largest G"),
        ],
    ),
    equation(
        [
            "eq4",
            "Eq. 4 of the paper",
            "equations/eq04.md",
            "S_F, the Frobenius norm of the epoch's gradients, from S_sq.",
        ],
        SHORT,
        &[("S_sq", Given::Of("S_sq"))],
        &["S_F"],
        &["eq4"],
        &[
            planted("return S_sq", "no square root"),
            planted("return np.sqrt(S_sq) / 2", "half of the norm"),
            planted("return np.sqrt(np.sqrt(S_sq))", "the root is taken twice"),
        ],
    ),
    equation(
        [
            "alg4",
            "Alg. 4 of the paper",
            "equations/alg4.md",
            "k*, the epoch of the smallest S_F so far. `S_F` is that of epochs 0 to the present one, in order. A later epoch with \
             the same S_F does not take its place.",
        ],
        LONG,
        &[("S_F", Given::History("S_F"))],
        &["k_star"],
        &["alg4"],
        &[
            planted("return np.argmax(S_F)", "> for <"),
            planted("return len(S_F) - 1", "k* moves in every epoch"),
            planted("return 0", "k* never moves"),
        ],
    ),
    equation(
        [
            "eq8",
            "Eq. 8 of the paper",
            "equations/eq08.md",
            "alpha_k: from alpha_0 towards alpha_K in a straight line over the K epochs.",
        ],
        SHORT,
        &[
            ("k", Given::Event),
            ("K", Given::Hyper("epochs")),
            ("alpha_0", Given::Hyper("alpha_0")),
            ("alpha_K", Given::Hyper("alpha_K")),
        ],
        &["alpha"],
        &["eq8"],
        &[
            planted("return alpha_0 + (k / (K - 1)) * (alpha_K - alpha_0)", "K-1 in the denominator"),
            planted("return alpha_0 + (k / K) * (alpha_0 - alpha_K)", "the sign of alpha_K - alpha_0"),
            planted("return alpha_0 * (alpha_K / alpha_0) ** (k / K)", "an exponential schedule"),
        ],
    ),
    equation(
        [
            "eq6",
            "Eq. 6 of the paper",
            "equations/eq06.md",
            "The alpha-quantile of each of C consecutive chunks of G, read on the line between the two neighbouring values. Where C \
             does not divide N the first chunks are one larger.",
        ],
        SHORT,
        &[("G", Given::Of("G")), ("alpha", Given::Of("alpha")), ("C", Given::Hyper("chunks"))],
        &["chunk_quantiles"],
        &["eq6"],
        &[
            planted("return np.array([np.quantile(G, alpha)] * int(C))", "one quantile over all weights"),
            planted(
                "return np.array([np.quantile(chunk, 1 - alpha) for chunk in np.array_split(G, int(C))])",
                "the quantile of 1 - alpha",
            ),
            planted(
                "return np.array([np.quantile(chunk, alpha, method=\"lower\") for chunk in np.array_split(G, int(C))])",
                "lower",
            ),
        ],
    ),
    equation(
        ["eq7", "Eq. 7 of the paper", "equations/eq07.md", "tau: the mean of the chunks' quantiles q."],
        SHORT,
        &[("q", Given::Of("chunk_quantiles"))],
        &["tau"],
        &["eq7"],
        &[
            planted("return np.median(q)", "the median of the chunks' quantiles"),
            planted("return q.max()", "the largest of the chunks' quantiles"),
            planted("return q.sum()", "the sum without 1/C"),
        ],
    ),
    equation(
        [
            "eq5",
            "Eq. 5 of the paper",
            "equations/eq05.md",
            "Which weights are selected: a flag a weight. `alive` says which have not been eliminated.",
        ],
        SHORT,
        &[("G", Given::Of("G")), ("tau", Given::Of("tau")), ("alive", Given::Of("mask_before"))],
        &["selected"],
        &["eq5"],
        &[
            planted("return np.sqrt(G) < tau", "sqrt(G) is compared with tau"),
            planted("return G > tau", "> for <"),
            planted("return G < tau ** 2", "G is compared with tau^2"),
        ],
    ),
    equation(
        [
            "alg5",
            "Alg. 5 of the paper",
            "equations/alg5.md",
            "The whole selection: the alpha-quantile of each of C consecutive chunks of G, their mean tau, and which weights lie \
             below it. Eliminated weights have a gradient as all others do.",
        ],
        SHORT,
        &[
            ("G", Given::Of("G")),
            ("alpha", Given::Of("alpha")),
            ("C", Given::Hyper("chunks")),
            ("alive", Given::Of("mask_before")),
        ],
        &["chunk_quantiles", "tau", "selected"],
        &["eq6", "eq7", "eq5"],
        &[
            planted(
                "q = np.array([np.quantile(chunk, alpha) for chunk in np.array_split(G * alive, int(C))])\n\
                 return q, q.mean(), (G * alive < q.mean()) & alive",
                "`masked_gradient` = `zero`",
            ),
            planted(
                "q = np.array([np.quantile(chunk, alpha) for chunk in np.array_split(G[alive], int(C))])\n\
                 return q, q.mean(), (G < q.mean()) & alive",
                "`masked_gradient` = `excluded`",
            ),
            planted(
                "q = np.array([np.quantile(chunk, alpha) for chunk in np.array_split(G, int(C))])\n\
                 return q, np.median(q), (G < np.median(q)) & alive",
                "the median of the chunks' quantiles",
            ),
            planted(
                "q = np.array([np.quantile(chunk, 1 - alpha) for chunk in np.array_split(G, int(C))])\n\
                 return q, q.mean(), (G < q.mean()) & alive",
                "1 - alpha",
            ),
        ],
    ),
    equation(
        [
            "eq9",
            "Eq. 9 of the paper",
            "equations/eq09.md",
            "The weights after the epoch, and which of them live: a selected weight that is alive becomes w* lambda^t, and 0, for \
             good, where that is smaller than eps; t = k - k*. All others stay as they are; what was eliminated stays 0.",
        ],
        SHORT,
        &[
            ("w", Given::Of("weights_before")),
            ("w_star", Given::Of("rewind")),
            ("selected", Given::Of("selected")),
            ("alive", Given::Of("mask_before")),
            ("t", Given::Of("t")),
            ("decay", Given::Hyper("lambda")),
            ("eps", Given::Hyper("eps")),
        ],
        &["weights_after", "mask"],
        &["eq9"],
        &[
            planted(
                "chosen = selected & alive\n\
                 rewound = w * decay ** t\n\
                 lives = alive & ~(chosen & (np.abs(rewound) < eps))\n\
                 return np.where(chosen, rewound, w) * lives, lives",
                "decay of w, not of w*",
            ),
            planted(
                "chosen = selected & alive\n\
                 rewound = w_star * decay ** (t + 1)\n\
                 lives = alive & ~(chosen & (np.abs(rewound) < eps))\n\
                 return np.where(chosen, rewound, w) * lives, lives",
                "lambda^(t+1) for lambda^t",
            ),
            planted(
                "chosen = selected & alive\n\
                 rewound = w_star * decay ** t\n\
                 lives = alive & ~(chosen & (np.abs(w) < eps))\n\
                 return np.where(chosen, rewound, w) * lives, lives",
                "the threshold is taken of w, not of w* lambda^t",
            ),
        ],
    ),
];
