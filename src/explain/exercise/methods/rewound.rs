//! Exercises on methods that rewind, and on what decides where to.

use crate::explain::exercise::{Calls, Exercise, Given, Lesson, planted};

pub(super) static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "fixed-rewind",
        title: "Fixed rewinding",
        chapter: "methods/fixed-rewind.md",
        task: "k*, after epoch k: the rewind point is captured at the end of epoch K and stays; before, it is W_0's, 0.",
        lesson: Lesson { method: "fixed-rewind", options: &[("rewind_epoch", "2")], ..Lesson::paper(5) },
        calls: Calls::Event,
        selects: false,
        takes: &[("k", Given::Event), ("K", Given::Hyper("rewind_epoch"))],
        gives: &["k_star"],
        labels: &["alg4"],
        slips: &[
            planted("return k if k >= K else 0", "k* moves on after epoch 2"),
            planted("return 0", "k* never moves"),
            planted("return K - 1 if k >= K - 1 else 0", "captured one epoch off 2"),
        ],
    },
    Exercise {
        name: "lth",
        title: "The lottery ticket",
        chapter: "methods/lottery.md",
        task: "At a level's beginning: how many of the living weights are kept, where the share F goes, rounded up; the scores; \
               which weights are kept; and the weights that the level trains from, rewound to w_k.",
        lesson: Lesson::short("lth", &[("rewind_step", "2")]),
        calls: Calls::Event,
        selects: true,
        takes: &[
            ("w", Given::Of("weights_before")),
            ("w_k", Given::Once("rewind")),
            ("alive", Given::Of("mask_before")),
            ("F", Given::Hyper("fraction")),
        ],
        gives: &["keep", "score", "mask", "weights_after"],
        labels: &["lth.count", "lth.score", "lth.mask", "lth.rewind"],
        slips: &[
            planted(
                "n = alive.sum() - np.ceil(F * alive.sum())\n\
                 kept = largest(w, alive, n)\n\
                 return n, w, kept, np.where(kept, w_k, 0)",
                "its absolute value is not taken",
            ),
            planted(
                "n = alive.sum() - np.ceil(F * alive.sum())\n\
                 kept = largest(np.abs(w), alive, n)\n\
                 return n, np.abs(w), kept, w_k",
                "rewound without the mask",
            ),
            planted(
                "n = alive.sum() - np.ceil(F * alive.sum())\n\
                 kept = largest(-np.abs(w), alive, n)\n\
                 return n, np.abs(w), kept, np.where(kept, w_k, 0)",
                "the smallest are kept, not the largest",
            ),
            planted(
                "n = alive.sum() - np.ceil(F * alive.sum())\n\
                 score = np.abs(w - w_k)\n\
                 kept = largest(score, alive, n)\n\
                 return n, score, kept, np.where(kept, w_k, 0)",
                "the score is the distance moved since the rewind point",
            ),
        ],
    },
    Exercise {
        name: "lmc",
        title: "Linear mode connectivity",
        chapter: "methods/lmc.md",
        task: "Of one candidate: the score, which is the mean of the losses on the line, and the barrier: the largest error above \
               the mean of the errors at the two ends.",
        lesson: Lesson::short("lmc", &[("points", "5")]),
        calls: Calls::Event,
        selects: false,
        takes: &[("loss", Given::Of("loss")), ("error", Given::Of("error"))],
        gives: &["score", "barrier"],
        labels: &["lmc.score", "lmc.barrier"],
        slips: &[
            planted(
                "return loss[1:-1].mean(), error.max() - (error[0] + error[-1]) / 2",
                "the mean is of the inner points, without the ends",
            ),
            planted("return error.mean(), error.max() - (error[0] + error[-1]) / 2", "the score is of `error`"),
            planted("return loss.mean(), error.max() - error.min()", "the barrier is the range"),
            planted("return loss.mean(), loss.max() - (loss[0] + loss[-1]) / 2", "`barrier_of` = `loss`"),
        ],
    },
];
