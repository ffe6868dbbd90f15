//! Exercises on methods that prune as training goes on.

use crate::explain::exercise::{Calls, Exercise, Given, Lesson, planted};

/// What a method is given that prunes along a cubic course.
const COURSE: &[(&str, Given)] = &[
    ("t", Given::Event),
    ("t_0", Given::Hyper("update_start")),
    ("t_1", Given::Hyper("update_end")),
    ("s_i", Given::Hyper("initial_sparsity")),
    ("s_f", Given::Hyper("final_sparsity")),
    ("w", Given::Of("between")),
    ("active", Given::Of("mask_before")),
];

pub(super) static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "gmp",
        title: "Gradual magnitude pruning",
        chapter: "methods/gmp.md",
        task: "At an update after step t, when c = t + 1 steps are done: the sparsity s, which goes from s_i at t_0 to s_f at t_1 on \
               a cubic course; how many of the N weights are kept, to the nearest; and which of the active ones.",
        lesson: Lesson::short(
            "gmp",
            &[
                ("final_sparsity", "0.9"),
                ("update_start", "2"),
                ("update_every", "2"),
                ("update_end", "8"),
                ("distribution", "global"),
            ],
        )
        .at("3"),
        calls: Calls::Event,
        selects: true,
        takes: COURSE,
        gives: &["rate", "keep", "mask"],
        labels: &["gmp.schedule", "gmp.count", "gmp.mask"],
        slips: &[
            planted(
                "x = (t + 1) / t_1\n\
                 s = s_f + (s_i - s_f) * (1 - x) ** 3\n\
                 k = round(len(w) * (1 - s))\n\
                 return s, k, largest(np.abs(w), active, k)",
                "the schedule is taken without its origin",
            ),
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_f + (s_i - s_f) * (1 - x)\n\
                 k = round(len(w) * (1 - s))\n\
                 return s, k, largest(np.abs(w), active, k)",
                "the course is linear",
            ),
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_f + (s_i - s_f) * (1 - x) ** 3\n\
                 k = round(len(w) * s)\n\
                 return s, k, largest(np.abs(w), active, k)",
                "the share is taken for its rest",
            ),
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_f + (s_i - s_f) * (1 - x) ** 3\n\
                 k = round(len(w) * (1 - s))\n\
                 return s, k, largest(-np.abs(w), active, k)",
                "the smallest are kept, not the largest",
            ),
        ],
    },
    Exercise {
        name: "granet",
        title: "GraNet's gradual pruning",
        chapter: "methods/granet.md",
        task: "At an update after step t, when c = t + 1 steps are done: the sparsity s, from s_i at t_0 to s_f at t_1 on a cubic \
               course; how many of the N weights stay active, where what goes is rounded up, and not more than are; and which.",
        lesson: Lesson::short(
            "granet",
            &[
                ("initial_sparsity", "0.5"),
                ("final_sparsity", "0.9"),
                ("update_start", "0"),
                ("update_every", "2"),
                ("update_end", "7"),
            ],
        )
        .at("3"),
        calls: Calls::Event,
        selects: true,
        takes: COURSE,
        gives: &["rate", "keep", "pruned"],
        labels: &["granet.schedule", "granet.prune"],
        slips: &[
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_i + (s_f - s_i) * (1 - x) ** 3\n\
                 k = min(len(w) - np.ceil(len(w) * s), active.sum())\n\
                 return s, k, largest(np.abs(w), active, k)",
                "start and end of the course are swapped",
            ),
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_f * (1 - (1 - x) ** 3)\n\
                 k = min(len(w) - np.ceil(len(w) * s), active.sum())\n\
                 return s, k, largest(np.abs(w), active, k)",
                "the course starts from 0, not from the initial value",
            ),
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_f + (s_i - s_f) * (1 - x) ** 2\n\
                 k = min(len(w) - np.ceil(len(w) * s), active.sum())\n\
                 return s, k, largest(np.abs(w), active, k)",
                "the course has the power 2, not 3",
            ),
            planted(
                "x = (t + 1 - t_0) / (t_1 - t_0)\n\
                 s = s_f + (s_i - s_f) * (1 - x) ** 3\n\
                 k = min(len(w) - np.ceil(len(w) * s), active.sum())\n\
                 return s, k, largest(-np.abs(w), active, k)",
                "the smallest are kept, not the largest",
            ),
        ],
    },
    Exercise {
        name: "acdc",
        title: "AC/DC",
        chapter: "methods/acdc.md",
        task: "At a step that begins a phase: which weights are active, and the weights before the step's SGD. A compression, which \
               `compress_at` lists, lets the N - floor(N S) largest live; a decompression lets all.",
        lesson: Lesson::short("acdc", &[("sparsity", "0.9"), ("compress_at", "1,5"), ("decompress_at", "3")]).at("1,3"),
        calls: Calls::Event,
        selects: true,
        takes: &[
            ("t", Given::Event),
            ("compress_at", Given::Hyper("compress_at")),
            ("S", Given::Hyper("sparsity")),
            ("w", Given::Of("weights_before")),
            ("active", Given::Of("mask_before")),
        ],
        gives: &["mask", "between"],
        labels: &["acdc.mask", "acdc.weights"],
        slips: &[
            planted(
                "if t in compress_at:\n    \
                     mask = largest(np.abs(w), np.full(w.shape, True), len(w) - int(len(w) * S))\n\
                 else:\n    \
                     mask = active\n\
                 return mask, w * mask",
                "a decompression leaves the mask as it was",
            ),
            planted(
                "if t in compress_at:\n    \
                     mask = largest(-np.abs(w), np.full(w.shape, True), len(w) - int(len(w) * S))\n\
                 else:\n    \
                     mask = np.full(w.shape, True)\n\
                 return mask, w * mask",
                "the smallest are kept, not the largest",
            ),
            planted(
                "if t in compress_at:\n    \
                     mask = largest(np.abs(w), np.full(w.shape, True), len(w) - int(len(w) * S))\n\
                 else:\n    \
                     mask = np.full(w.shape, True)\n\
                 return mask, w",
                "a weight that was dropped keeps its value",
            ),
        ],
    },
];
