//! Exercises on methods that track what moves furthest.

use crate::explain::exercise::{Calls, Exercise, Given, Lesson, planted};

pub(super) static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "dropback",
        title: "DropBack",
        chapter: "methods/dropback.md",
        task: "The scores after SGD's step, which k weights are tracked by them, and all weights after the step; w_0 are the first \
               weights.",
        lesson: Lesson::short("dropback", &[("sparsity", "0.9")]).at("1"),
        calls: Calls::Event,
        selects: true,
        takes: &[("w", Given::Of("between")), ("w_0", Given::Once("init")), ("k", Given::Of("keep"))],
        gives: &["score", "mask", "weights_after"],
        labels: &["dropback.score", "dropback.track", "dropback.reset"],
        slips: &[
            planted(
                "score = np.abs(w)\n\
                 tracked = largest(score, np.full(w.shape, True), k)\n\
                 return score, tracked, np.where(tracked, w, w_0)",
                "the score is the magnitude |w| alone",
            ),
            planted(
                "score = w - w_0\n\
                 tracked = largest(score, np.full(w.shape, True), k)\n\
                 return score, tracked, np.where(tracked, w, w_0)",
                "its absolute value is not taken",
            ),
            planted(
                "score = np.abs(w - w_0)\n\
                 tracked = largest(score, np.full(w.shape, True), k)\n\
                 return score, tracked, np.where(tracked, w, 0)",
                "weights are reset to 0, not to w0",
            ),
            planted(
                "score = np.abs(w - w_0)\n\
                 tracked = largest(-score, np.full(w.shape, True), k)\n\
                 return score, tracked, np.where(tracked, w, w_0)",
                "the smallest are kept, not the largest",
            ),
        ],
    },
    Exercise {
        name: "procrustes",
        title: "Procrustes",
        chapter: "methods/procrustes.md",
        task: "After step t, from 0: the scores by sums of eta g, which k weights are tracked by them, all weights, and the sums. a \
               are the sums before the step, `was_tracked` says of which weights; a weight that is not tracked is what is left of \
               w_0 after t + 1 decays.",
        lesson: Lesson::short("procrustes", &[("sparsity", "0.9")]).at("2"),
        calls: Calls::Event,
        selects: true,
        takes: &[
            ("t", Given::Event),
            ("w", Given::Of("between")),
            ("w_0", Given::Once("init")),
            ("a", Given::Of("accumulated_before")),
            ("was_tracked", Given::Of("mask_before")),
            ("g", Given::Of("grad")),
            ("eta", Given::Of("lr")),
            ("decay", Given::Hyper("lambda")),
            ("k", Given::Of("keep")),
        ],
        gives: &["score", "mask", "weights_after", "accumulated"],
        labels: &["procrustes.score", "procrustes.track", "procrustes.reset", "procrustes.accumulate"],
        slips: &[
            planted(
                "a = np.where(was_tracked, a, 0) + eta * g\n\
                 tracked = largest(np.abs(a), np.full(w.shape, True), k)\n\
                 return np.abs(a), tracked, np.where(tracked, w, decay ** t * w_0), np.where(tracked, a, 0)",
                "`clock` = `index`",
            ),
            planted(
                "a = np.where(was_tracked, a, 0) + g\n\
                 tracked = largest(np.abs(a), np.full(w.shape, True), k)\n\
                 return np.abs(a), tracked, np.where(tracked, w, decay ** (t + 1) * w_0), np.where(tracked, a, 0)",
                "the learning rate eta is left out of the sums",
            ),
            planted(
                "a = np.where(was_tracked, a, 0) + eta * g\n\
                 tracked = largest(np.abs(a), np.full(w.shape, True), k)\n\
                 return np.abs(a), tracked, np.where(tracked, w, w_0), np.where(tracked, a, 0)",
                "not decayed by lambda",
            ),
            planted(
                "a = np.where(was_tracked, a, 0) + eta * g\n\
                 tracked = largest(np.abs(a), np.full(w.shape, True), k)\n\
                 return np.abs(a), tracked, np.where(tracked, w, decay ** (t + 1) * w_0), a",
                "sums are kept where a weight is no longer tracked",
            ),
        ],
    },
];
