//! Exercises on methods that compute with a part of the network.

use crate::explain::exercise::{Calls, Exercise, Given, Lesson, planted};

pub(super) static EXERCISES: &[Exercise] = &[
    Exercise {
        name: "topkast",
        title: "Top-KAST",
        chapter: "methods/topkast.md",
        task: "Of one layer: A, the k_A largest weights, which the network has; B, the k_B largest, which the step moves; and all \
               weights after a step of SGD with the penalty, stronger outside A: D = 1 - S is the share that is in A. Weights \
               outside B stay as they are.",
        lesson: Lesson::short(
            "topkast",
            &[("forward_sparsity", "0.9"), ("backward_sparsity", "0.75"), ("penalty", "0.01")],
        )
        .at("1"),
        calls: Calls::Layer,
        selects: true,
        takes: &[
            ("w", Given::Of("weights_before")),
            ("v", Given::Of("momentum_before")),
            ("g", Given::Of("grad")),
            ("k_A", Given::Entry("keep")),
            ("k_B", Given::Entry("keep_backward")),
            ("eta", Given::Of("lr")),
            ("mu", Given::Hyper("momentum")),
            ("wd", Given::Hyper("weight_decay")),
            ("penalty", Given::Hyper("penalty")),
            ("S", Given::Hyper("forward_sparsity")),
        ],
        gives: &["mask", "backward", "weights_after"],
        labels: &["topkast.forward", "topkast.backward", "topkast.step"],
        slips: &[
            planted(
                "every = np.full(w.shape, True)\n\
                 A, B = largest(np.abs(w), every, k_A), largest(np.abs(w), every, k_B)\n\
                 r = penalty * w * np.where(A, 1, 1 - S)\n\
                 return A, B, np.where(B, w - eta * (mu * v + (g + wd * w + r)), w)",
                "the penalty outside A is multiplied by D",
            ),
            planted(
                "every = np.full(w.shape, True)\n\
                 A, B = largest(np.abs(w), every, k_A), largest(np.abs(w), every, k_B)\n\
                 r = penalty * w\n\
                 return A, B, np.where(B, w - eta * (mu * v + (g + wd * w + r)), w)",
                "the penalty outside A is not divided by D",
            ),
            planted(
                "every = np.full(w.shape, True)\n\
                 A, B = largest(np.abs(w), every, k_A), largest(np.abs(w), every, k_B)\n\
                 r = penalty * w / np.where(A, 1, 1 - S)\n\
                 return A, A, np.where(B, w - eta * (mu * v + (g + wd * w + r)), w)",
                "B is A",
            ),
            planted(
                "every = np.full(w.shape, True)\n\
                 A, B = largest(np.abs(w), every, k_A), largest(np.abs(w), every, k_B)\n\
                 r = penalty * w / np.where(A, 1, 1 - S)\n\
                 return A, B, np.where(A, w - eta * (mu * v + (g + wd * w + r)), w)",
                "A alone moves, not all of B",
            ),
        ],
    },
    Exercise {
        name: "sdgp",
        title: "SDGP",
        chapter: "methods/sdgp.md",
        task: "Of one layer's output gradient g, [batch, channels]: what the data gradient is formed from. Of every N consecutive \
               channels of a sample the M entries of largest size stay, all others are 0; of a short last group M stay too.",
        lesson: Lesson::short("sdgp", &[("keep", "1"), ("group", "4")]).at("0"),
        calls: Calls::Layer,
        selects: true,
        takes: &[("g", Given::Of("grad_output")), ("M", Given::Hyper("keep")), ("N", Given::Hyper("group"))],
        gives: &["pruned"],
        labels: &["sdgp.select", "sdgp.scale"],
        slips: &[
            planted(
                "y = np.zeros(g.shape)\n\
                 for i in range(0, g.shape[1], int(N)):\n    \
                     for sample, kept in zip(g[:, i:i + int(N)], y[:, i:i + int(N)]):\n        \
                         kept[:] = sample * largest(sample, np.full(sample.shape, True), M)\n\
                 return y",
                "its absolute value is not taken",
            ),
            planted(
                "y = np.zeros(g.shape)\n\
                 for i in range(0, g.shape[1], int(N)):\n    \
                     for sample, kept in zip(g[:, i:i + int(N)], y[:, i:i + int(N)]):\n        \
                         kept[:] = sample * largest(np.abs(sample), np.full(sample.shape, True), N - M)\n\
                 return y",
                "N - M are kept",
            ),
            planted(
                "return g * largest(np.abs(g), np.full(g.shape, True), g.size * M // N)",
                "the selection is over the whole layer, not in groups",
            ),
            planted(
                "y = np.zeros(g.shape)\n\
                 for i in range(0, g.shape[1], int(N)):\n    \
                     for sample, kept in zip(g[:, i:i + int(N)], y[:, i:i + int(N)]):\n        \
                         kept[:] = sample * largest(np.abs(sample), np.full(sample.shape, True), M) * N / M\n\
                 return y",
                "multiplied by the factor N / M",
            ),
        ],
    },
    Exercise {
        name: "layerdrop",
        title: "LayerDrop",
        chapter: "methods/layerdrop.md",
        task: "Which layers a step computes: those whose draw u lies above p, and those that may not be left out.",
        lesson: Lesson {
            model: "resnet20",
            images: 32,
            batch: 8,
            ..Lesson::short("layerdrop", &[("p", "0.5")]).at("all")
        },
        calls: Calls::Event,
        selects: false,
        takes: &[("u", Given::Of("draw")), ("p", Given::Hyper("p")), ("droppable", Given::Hyper("droppable"))],
        gives: &["active"],
        labels: &["layerdrop.active"],
        slips: &[
            planted("return (u < p) | (droppable == 0)", "a layer is kept where u < p"),
            planted("return u > p", "layers that are not droppable are treated as droppable"),
            planted(
                "return np.full(u.shape, u[0] > p) | (droppable == 0)",
                "one draw, the first, decides for all layers",
            ),
            planted("return (np.roll(u, 1) > p) | (droppable == 0)", "draws are shifted"),
        ],
    },
    Exercise {
        name: "amc",
        title: "AMC",
        chapter: "methods/amc.md",
        task: "Of one layer's weights, [outputs, inputs]: how much each input channel is worth, the sum of its weights' sizes; which d \
               of them stay; and the weights, 0 where their channel goes.",
        lesson: Lesson {
            epochs: 2,
            images: 48,
            batch: 16,
            ..Lesson::short(
                "amc",
                &[("episodes", "3"), ("random_episodes", "2"), ("hidden", "4"), ("channel_round", "4")],
            )
            .at("all")
        },
        calls: Calls::Layer,
        selects: true,
        takes: &[("w", Given::Of("weights_before")), ("d", Given::Entry("keep"))],
        gives: &["importance", "channels", "weights_after"],
        labels: &["amc.score", "amc.channels", "amc.weights"],
        slips: &[
            planted(
                "worth = np.abs(w.sum(axis=0))\n\
                 stays = largest(worth, np.full(worth.shape, True), d)\n\
                 return worth, stays, w * stays",
                "the absolute value is of the sum, not of each weight",
            ),
            planted(
                "worth = (w ** 2).sum(axis=0)\n\
                 stays = largest(worth, np.full(worth.shape, True), d)\n\
                 return worth, stays, w * stays",
                "the weight in the score is squared",
            ),
            planted(
                "worth = np.abs(w).max(axis=0)\n\
                 stays = largest(worth, np.full(worth.shape, True), d)\n\
                 return worth, stays, w * stays",
                "the largest, the max, stands for the sum",
            ),
            planted(
                "worth = np.abs(w).sum(axis=0)\n\
                 stays = largest(worth, np.full(worth.shape, True), d)\n\
                 return worth, stays, w",
                "a weight that was dropped keeps its value",
            ),
        ],
    },
];
