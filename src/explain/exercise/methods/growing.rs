//! Exercises on methods that drop and grow.

use crate::explain::exercise::{Calls, Exercise, Given, Lesson, planted};

pub(super) static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "set",
        title: "SET",
        chapter: "methods/set.md",
        task: "Of one layer at an update: which active weights are kept, where the share zeta of those >= 0 goes and the share zeta \
               of those below 0, the nearest to 0 of each, counts rounded down; and which weights are active then, as many grown as \
               went, where `draw` is largest.",
        lesson: Lesson::short("set", &[("sparsity", "0.8"), ("update_every", "3")]).at("2"),
        calls: Calls::Layer,
        selects: true,
        takes: &[
            ("w", Given::Of("between")),
            ("active", Given::Of("mask_before")),
            ("draw", Given::Of("draw")),
            ("zeta", Given::Of("fraction")),
        ],
        gives: &["kept", "mask"],
        labels: &["set.drop", "set.grow"],
        slips: &[
            planted(
                "above, below = active & (w >= 0), active & (w < 0)\n\
                 went = int(zeta * above.sum()) + int(zeta * below.sum())\n\
                 kept = largest(np.abs(w), active, active.sum() - went)\n\
                 return kept, kept | largest(draw, ~kept, went)",
                "`drop_rule` = `magnitude`",
            ),
            planted(
                "above, below = active & (w >= 0), active & (w < 0)\n\
                 kept = largest(w, above, above.sum() - int(zeta * above.sum()))\n\
                 kept |= largest(w, below, below.sum() - int(zeta * below.sum()))\n\
                 return kept, kept | largest(draw, ~kept, active.sum() - kept.sum())",
                "of the negative weights the furthest from 0 go",
            ),
            planted(
                "above, below = active & (w >= 0), active & (w < 0)\n\
                 kept = largest(w, above, above.sum() - int(zeta * above.sum()))\n\
                 kept |= largest(-w, below, below.sum() - int(zeta * below.sum()))\n\
                 return kept, kept | largest(-draw, ~kept, active.sum() - kept.sum())",
                "grown where the key is smallest",
            ),
            planted(
                "above, below = active & (w >= 0), active & (w < 0)\n\
                 kept = largest(w, above, above.sum() - int(zeta * above.sum()))\n\
                 kept |= largest(-w, below, below.sum() - int(zeta * below.sum()))\n\
                 return kept, kept",
                "nothing is grown",
            ),
        ],
    },
    Exercise {
        name: "rigl",
        title: "RigL",
        chapter: "methods/rigl.md",
        task: "Of one layer at an update: which active weights are kept, where the d smallest go; and which weights are active \
               then, d grown by the size of the gradient among all that are not kept.",
        lesson: Lesson::short("rigl", &[("sparsity", "0.8"), ("update_every", "3"), ("update_end", "8")]).at("3"),
        calls: Calls::Layer,
        selects: true,
        takes: &[
            ("w", Given::Of("between")),
            ("active", Given::Of("mask_before")),
            ("g", Given::Of("grad")),
            ("d", Given::Entry("drop")),
        ],
        gives: &["kept", "mask"],
        labels: &["rigl.drop", "rigl.grow"],
        slips: &[
            planted(
                "kept = largest(np.abs(w), active, active.sum() - d)\n\
                 return kept, kept | largest(g, ~kept, d)",
                "grown by the signed gradient",
            ),
            planted(
                "kept = largest(np.abs(w), active, active.sum() - d)\n\
                 return kept, kept | largest(np.abs(w), ~kept, d)",
                "grown by the magnitude of the weight",
            ),
            planted(
                "kept = largest(np.abs(w), active, active.sum() - d)\n\
                 return kept, kept | largest(np.abs(g * active), ~kept, d)",
                "grown by a gradient that the mask has set to 0",
            ),
            planted(
                "kept = largest(-np.abs(w), active, active.sum() - d)\n\
                 return kept, kept | largest(np.abs(g), ~kept, d)",
                "the smallest are kept, not the largest",
            ),
            planted(
                "kept = largest(np.abs(w), active, active.sum() - d)\n\
                 return kept, kept | largest(np.abs(g), ~active, d)",
                "`grow_from` = `inactive-before`",
            ),
        ],
    },
];
