//! [`CHOICES`]: every method as five choices, and nothing else.

/// The choices that make a method, each in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices {
    /// The [entry's](super::Entry) name.
    pub method: &'static str,
    /// By what weights are compared.
    pub score: &'static str,
    /// When something is done, and how much.
    pub schedule: &'static str,
    /// How much of it each layer bears.
    pub distribution: &'static str,
    /// What is kept or dropped together.
    pub structure: &'static str,
    /// What happens to weights, masks and momentum.
    pub update: &'static str,
}

impl Choices {
    /// The names of the five.
    pub const NAMES: [&'static str; 5] = ["score", "schedule", "distribution", "structure", "update"];

    /// The five, in that order.
    pub fn five(&self) -> [&'static str; 5] {
        [self.score, self.schedule, self.distribution, self.structure, self.update]
    }

    /// Those of the method of this name.
    pub fn of(method: &str) -> Option<&'static Self> {
        CHOICES.iter().find(|choices| choices.method == method)
    }
}

/// The choices of every method of [`DECLARED`](super::DECLARED), in its order.
pub const CHOICES: &[Choices] = &[
    of(
        "gdstar",
        [
            "G, the epoch's sum of g^2",
            "every epoch, alpha_k linear",
            "global, in C chunks",
            GROUPS,
            "rewound to W_k* and decayed; 0 for good below eps",
        ],
    ),
    of("dense", ["-", "never", "-", "-", "SGD alone"]),
    of(
        "reset",
        [
            "G, the epoch's sum of g^2",
            "every epoch, alpha_k linear",
            "global, in C chunks",
            GROUPS,
            "as gdstar, to W_0",
        ],
    ),
    of(
        "random-rewind",
        [
            "G, the epoch's sum of g^2",
            "every epoch, alpha_k linear",
            "global, in C chunks",
            GROUPS,
            "as gdstar, k* moved at random",
        ],
    ),
    of(
        "fixed-rewind",
        [
            "G, the epoch's sum of g^2",
            "every epoch, alpha_k linear",
            "global, in C chunks",
            GROUPS,
            "as gdstar, W_k* of a given step",
        ],
    ),
    of(
        "dropback",
        ["|w - w0|, or sums of eta g", "every step, k constant", "global", WEIGHTS, "untracked weights are w0 again"],
    ),
    of(
        "procrustes",
        [
            "sums of eta g, or |w - w0|",
            "every step, k constant, w0 decays by lambda",
            "global",
            WEIGHTS,
            "untracked weights are lambda^e w0",
        ],
    ),
    of(
        "lth",
        [
            "|w| at a level's end",
            "every level, a share of the living",
            "global or uniform",
            WEIGHTS,
            "pruned for good, all others rewound to W_k",
        ],
    ),
    of("lmc", ["mean loss on the line", "every candidate k", "-", "the network", "none: it finds k"]),
    of("snip", ["|g w|", "once, before training", SHARED, WEIGHTS, "pruned for good"]),
    of("grasp", ["-w (H g)", "once, before training", SHARED, WEIGHTS, "pruned for good"]),
    of("gmp", ["|w|", "every D steps, cubic sparsity", "uniform or global", WEIGHTS, "pruned for good"]),
    of(
        "set",
        [
            "|w|, by sign; growth at random",
            "every epoch, the share zeta",
            GROWN,
            WEIGHTS,
            "dropped and grown, new weights 0",
        ],
    ),
    of(
        "rigl",
        [
            "|w|; growth by |g|",
            "every D steps, cosine share",
            GROWN,
            WEIGHTS,
            "dropped and grown instead of a step, new weights 0",
        ],
    ),
    of(
        "granet",
        [
            "|w|; growth by |g|",
            "every D steps, cubic sparsity and cosine regrowth",
            "erk, er or uniform; pruning global",
            WEIGHTS,
            "pruned, dropped and grown, new weights 0",
        ],
    ),
    of(
        "acdc",
        [
            "|w|",
            "dense and compressed phases in turn",
            "global or uniform",
            WEIGHTS,
            "pruned in a phase, back at 0 in the next",
        ],
    ),
    of(
        "topkast",
        [
            "|w|, active or not",
            "every D steps, constant",
            "uniform or global",
            WEIGHTS,
            "forward in A, steps in B with a penalty",
        ],
    ),
    of(
        "sdgp",
        [
            "|dL/dO|",
            "every step, constant",
            "each group the same",
            "M of N consecutive entries",
            "only the data gradient is pruned",
        ],
    ),
    of(
        "layerdrop",
        [
            "a draw",
            "every step, constant p",
            "each layer the same",
            "residual layers",
            "left out for a step; some for good at the end",
        ],
    ),
    of(
        "amc",
        [
            "sums of |w|",
            "once, after training",
            "an agent's action a layer",
            "input channels",
            "pruned for good, within a budget of FLOPs",
        ],
    ),
];

const WEIGHTS: &str = "weights";
const GROUPS: &str = "weights, channels, blocks, n:m";
const SHARED: &str = "global, uniform, erk, er or given";
const GROWN: &str = "erk, er, uniform or given";

const fn of(method: &'static str, five: [&'static str; 5]) -> Choices {
    let [score, schedule, distribution, structure, update] = five;
    Choices { method, score, schedule, distribution, structure, update }
}
