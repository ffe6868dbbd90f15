//! Exercises on methods that prune once, before training.

use crate::explain::exercise::{Calls, Exercise, Given, Lesson, planted};

pub(super) static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "snip",
        title: "SNIP",
        chapter: "methods/snip.md",
        task: "The scores of all weights, which k of them stay, and the weights that training starts from; g is the gradient of one \
               batch's loss.",
        lesson: Lesson::short("snip", &[("sparsity", "0.9")]),
        calls: Calls::Event,
        selects: true,
        takes: &[("w", Given::Of("weights_before")), ("g", Given::Of("grad")), ("k", Given::Of("keep"))],
        gives: &["score", "mask", "weights_after"],
        labels: &["snip.score", "snip.mask", "snip.weights"],
        slips: &[
            planted(
                "score = np.abs(w)\n\
                 kept = largest(score, np.full(w.shape, True), k)\n\
                 return score, kept, w * kept",
                "the score is the magnitude |w| alone",
            ),
            planted(
                "score = np.abs(g)\n\
                 kept = largest(score, np.full(w.shape, True), k)\n\
                 return score, kept, w * kept",
                "the score is the size of the gradient |g|, without w",
            ),
            planted(
                "score = g * w\n\
                 kept = largest(score, np.full(w.shape, True), k)\n\
                 return score, kept, w * kept",
                "its absolute value is not taken",
            ),
            planted(
                "score = np.abs(g * w)\n\
                 kept = largest(score, np.full(w.shape, True), k)\n\
                 return score, kept, w",
                "a weight that was dropped keeps its value",
            ),
        ],
    },
    Exercise {
        name: "grasp",
        title: "GraSP",
        chapter: "methods/grasp.md",
        task: "The scores S of all weights, by which those of largest S go, and which k of them stay; Hg is the Hessian times the \
               gradient.",
        lesson: Lesson::short("grasp", &[("sparsity", "0.9")]),
        calls: Calls::Event,
        selects: true,
        takes: &[("w", Given::Of("weights_before")), ("Hg", Given::Of("hessian_gradient")), ("k", Given::Of("keep"))],
        gives: &["score", "mask"],
        labels: &["grasp.score", "grasp.mask"],
        slips: &[
            planted(
                "score = -w * Hg\n\
                 return score, largest(score, np.full(w.shape, True), k)",
                "the smallest are kept, not the largest",
            ),
            planted(
                "score = w * Hg\n\
                 return score, largest(-score, np.full(w.shape, True), k)",
                "the sign is turned",
            ),
            planted(
                "score = np.abs(w * Hg)\n\
                 return score, largest(-score, np.full(w.shape, True), k)",
                "the sign is lost",
            ),
        ],
    },
];
