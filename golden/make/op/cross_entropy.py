"""Mean cross-entropy of logits, with and without label smoothing."""

import numpy as np
import torch.nn.functional as F

from common import OpCases, f32


def pytorch(t, attrs):
    return {"loss": F.cross_entropy(t["x"], t["labels"], label_smoothing=attrs.get("label_smoothing", 0.0))}


def ordinary_cases():
    cases = OpCases("cross_entropy", ["x"], ["loss"])

    def add(name, n, classes, **normal):
        cases.add(name, lambda r: {"x": r.normal(n, classes, **normal), "labels": r.labels(classes, n)})

    add("ordinary", 6, 10)
    add("one-sample", 1, 4)
    add("one-sample-two-classes", 1, 2)
    add("wide-ordinary", 5, 7)
    add("logits-near-1e3", 6, 5, mean=1e3, std=1)
    add("logits-of-1e3", 6, 5, std=1e3)
    add("confident", 6, 3, std=20)
    cases.add("equal-logits", {"x": np.full((3, 4), 2.5, np.float32), "labels": np.array([0, 3, 1])})
    saturated = f32(1000, 0, 0, 0, 1000, 0, -1000, 0, 0, 0, 0, -1000).reshape(4, 3)
    cases.add("margins-of-1e3", {"x": saturated, "labels": np.array([0, 1, 2, 0])})
    cases.add("exact-one-class", {"x": f32(-3, 0, 1000).reshape(3, 1), "labels": np.array([0, 0, 0])})
    # exp(-1000) is 0 in every precision: the losses are 0 and 1000, the probabilities 0 and 1.
    wrong_and_right = f32(1000, 0, 1000, 0).reshape(2, 2)
    cases.add("exact-saturated", {"x": wrong_and_right, "labels": np.array([1, 0])})
    # Half of each target is spread over both classes, a quarter each: losses of 750 and 250.
    cases.add("exact-half-spread", {"x": wrong_and_right, "labels": np.array([1, 0])}, label_smoothing=0.5)

    def add_smoothed(name, n, classes, smoothing, **normal):
        inputs = lambda r: {"x": r.normal(n, classes, **normal), "labels": r.labels(classes, n)}
        cases.add(name, inputs, label_smoothing=smoothing)

    add_smoothed("smoothed", 6, 10, 0.1)
    add_smoothed("smoothed-two-classes", 5, 2, 0.3)
    add_smoothed("smoothed-many-classes", 4, 100, 0.1)
    add_smoothed("wide-smoothed", 5, 7, 0.1)
    add_smoothed("smoothed-confident", 6, 3, 0.1, std=20)
    add_smoothed("smoothed-logits-of-1e3", 6, 5, 0.2, std=1e3)
    # Nothing is left of the label, and p = y where all logits are equal.
    add_smoothed("spread-wholly", 4, 5, 1.0)
    cases.add("equal-logits-smoothed", {"x": np.full((3, 4), 2.5, np.float32), "labels": np.array([0, 3, 1])}, label_smoothing=0.1)
    return cases


def hard_cases():
    cases = OpCases("cross_entropy", ["x"], ["loss"])

    def add(name, n, classes, **normal):
        cases.add(name, lambda r: {"x": r.normal(n, classes, **normal), "labels": r.labels(classes, n)})

    add("ordinary", 64, 10)
    add("many-classes", 4, 200)
    add("logits-near-1e3", 32, 10, mean=1e3)
    add("logits-of-1e3", 32, 10, std=1e3)
    # One sample each, so that the gradient of its label is p - 1 alone.
    for margin in [1, 5, 10, 15, 17, 20, 40, 80, 87, 100, 1000]:
        right = lambda r: r.cast(np.concatenate([[margin], np.zeros(4)]) + r.normal(5, std=0.1)).reshape(1, 5)
        cases.add(f"right-by-{margin}", lambda r: {"x": right(r), "labels": np.array([0])})
        cases.add(f"wrong-by-{margin}", lambda r: {"x": right(r), "labels": np.array([1])})
    return cases
