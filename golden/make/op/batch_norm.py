"""Batch normalisation, in training and in evaluation."""

import numpy as np
import torch.nn.functional as F

from common import OpCases, f32


def pytorch(t, attrs):
    mean, var = t["running_mean"].clone(), t["running_var"].clone()  # updated in place
    y = F.batch_norm(t["x"], mean, var, t["weight"], t["bias"], **attrs)
    return {"y": y, "running_mean": mean, "running_var": var} if attrs["training"] else {"y": y}


def ordinary_cases():
    cases = OpCases("batch_norm", ["x", "weight", "bias"])

    def add(name, x, training, eps=1e-5, momentum=0.1, running_var=None):
        def inputs(r):
            values = x(r)
            c = values.shape[1]
            if name.startswith("exact-"):
                weight, bias, mean, var = r.integers(1, 4, c), r.integers(-4, 4, c), r.integers(-4, 4, c), running_var(c)
            else:
                weight, bias, mean, var = r.normal(c), r.normal(c), r.normal(c), r.uniform(0.25, 2, c)
            return {"x": values, "weight": weight, "bias": bias, "running_mean": mean, "running_var": var}

        outputs = ["y", "running_mean", "running_var"] if training else ["y"]
        cases.add(name, inputs, outputs, upstream=["y"], training=training, eps=eps, momentum=momentum)

    for training in [True, False]:
        mode = "training" if training else "evaluation"
        add(f"{mode}-4d", lambda r: r.normal(4, 3, 3, 2, mean=0.5, std=2), training)
        add(f"{mode}-2d", lambda r: r.normal(8, 5), training)
        add(f"wide-{mode}-4d", lambda r: r.normal(2, 3, 4, 4), training)
        add(f"{mode}-large-eps", lambda r: r.normal(4, 3), training, eps=0.5)
    add("momentum-one", lambda r: r.normal(4, 3), True, momentum=1.0)
    add("momentum-zero", lambda r: r.normal(4, 3), True, momentum=0.0)
    add("two-values-per-channel", lambda r: r.normal(2, 6), True)
    add("one-sample-4d", lambda r: r.normal(1, 2, 3, 3), True)
    add("offset-channels", lambda r: r.normal(8, 3, 2, 2, mean=100, std=0.5), True)
    add("constant-channel", lambda r: r.cast(np.broadcast_to([3.0, -0.5], (6, 2))), True)

    # Values mean +- 1 have variance 1 exactly, eps = 3 makes its square root 2, a count of 2 and 4 divides exactly,
    # and momentum 1/2 and an unbiased variance of 2 keep the running statistics exact.
    signs = f32(1, -1)[:, None]
    ones = lambda c: np.ones(c, np.float32)
    add("exact-training-2d", lambda r: signs + r.integers(-3, 3, 4), True, 3.0, 0.5, ones)
    rows = signs.reshape(1, 1, 2, 1)
    add("exact-training-4d", lambda r: rows + r.integers(-3, 3, 1, 3, 1, 1), True, 3.0, 0.5, ones)
    squares = lambda _: f32(1, 13, 61, 253)  # less eps
    add("exact-evaluation", lambda r: r.integers(-8, 8, 3, 4, 2, 2), False, 3.0, 0.5, squares)
    return cases


def hard_cases():
    cases = OpCases("batch_norm", ["x", "weight", "bias"])

    def add(name, x, training=True, eps=1e-5):
        def inputs(r):
            values = x(r)
            c = values.shape[1]
            return {"x": values, "weight": r.normal(c), "bias": r.normal(c),
                    "running_mean": r.normal(c), "running_var": r.uniform(0.5, 2, c)}  # fmt: skip

        outputs = ["y", "running_mean", "running_var"] if training else ["y"]
        cases.add(name, inputs, outputs, upstream=["y"], training=training, eps=eps, momentum=0.1)

    add("ordinary-4d", lambda r: r.normal(8, 6, 6, 6))
    add("ordinary-2d", lambda r: r.normal(64, 12))
    add("evaluation", lambda r: r.normal(8, 6, 4, 4), training=False)
    add("evaluation-mean-1e4", lambda r: r.normal(8, 6, 4, 4, mean=1e4), training=False)
    for mean, std in [(1e3, 1e-3), (1e3, 1e-1), (1e4, 1e-2), (1e4, 1)]:
        add(f"near-constant-{mean:.0e}-{std:.0e}", lambda r: r.normal(8, 6, 4, 4, mean=mean, std=std))
    add("constant", lambda r: r.cast(np.broadcast_to(r.normal(1, 6, 1, 1, mean=1e3), (8, 6, 4, 4))))
    add("two-values", lambda r: r.normal(2, 64))
    add("two-close-values", lambda r: r.normal(1, 64) + r.normal(2, 64, std=1e-3))
    add("two-close-values-far-from-0", lambda r: r.normal(2, 64, mean=1e3, std=1e-2))
    return cases
