"""The cases of golden/accuracy: f32 inputs that are ordinary, and f32 inputs where single precision goes wrong.

Saturation (sigmoid, cross-entropy), subnormal results (silu), channels that are constant but for the last digits
and channels of two values (batch norm), long reductions, cancelling sums.
"""

import numpy as np

from common import OpCases


def matmul():
    cases = OpCases("matmul", ["a", "b"])
    for k in [16, 128, 1024]:
        cases.add(f"ordinary-{k}", lambda r: {"a": r.normal(6, k), "b": r.normal(k, 5)})
    cases.add("positive-1024", lambda r: {"a": r.uniform(0, 1, 4, 1024), "b": r.uniform(0, 1, 1024, 4)})
    cases.add("cancelling-512", lambda r: cancelling(r, 4, 512, 4))
    return cases


def cancelling(r, m, k, n):
    """Products in pairs that cancel but for their last digits."""
    a, b = r.normal(m, k // 2), r.normal(k // 2, n)
    return {"a": np.concatenate([a, a], 1), "b": np.concatenate([b, -b * r.uniform(0.999, 1.001, *b.shape)], 0)}


def linear():
    cases = OpCases("linear", ["x", "w", "b"])
    for name, n, i, o in [("ordinary", 8, 64, 10), ("long-784", 4, 784, 8), ("large-batch", 256, 8, 4)]:
        cases.add(name, lambda r: {"x": r.normal(n, i), "w": r.normal(o, i, std=i**-0.5), "b": r.normal(o, std=0.1)})
    for k in [512, 784]:
        cases.add(f"positive-{k}", lambda r: {"x": r.uniform(0, 1, 4, k), "w": r.uniform(0, 1, 4, k)})
    for name, n in [("positive-512-batch", 32), ("positive-512-one", 1)]:
        cases.add(name, lambda r: {"x": r.uniform(0, 1, n, 512), "w": r.uniform(0, 1, 16, 512)})
    cases.add(
        "dominating-bias", lambda r: {"x": r.normal(8, 256), "w": r.normal(8, 256), "b": r.normal(8, mean=1e4, std=1e3)}
    )
    return cases


def conv2d():
    cases = OpCases("conv2d", ["x", "w", "b"])

    def add(name, x, w, bias=False, stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1, positive=False, scale=1):
        def inputs(r):
            draw = (lambda *shape: r.uniform(0, 1, *shape)) if positive else r.normal
            return {"x": draw(*x), "w": draw(*w)} | ({"b": r.cast(scale * draw(w[0]))} if bias else {})

        cases.add(name, inputs, stride=list(stride), padding=list(padding), dilation=list(dilation), groups=groups)

    add("ordinary", (2, 8, 8, 8), (8, 8, 3, 3), bias=True)
    add("long-576", (1, 64, 5, 5), (4, 64, 3, 3))
    add("large-image", (2, 2, 24, 24), (3, 2, 3, 3))
    add("strided", (2, 4, 9, 9), (4, 4, 3, 3), stride=(2, 2))
    add("depthwise-dilated", (2, 6, 10, 10), (6, 1, 3, 3), padding=(2, 2), dilation=(2, 2), groups=6)
    add("pointwise", (2, 32, 4, 4), (8, 32, 1, 1), padding=(0, 0))
    add("positive", (2, 8, 8, 8), (4, 8, 3, 3), bias=True, positive=True)
    add("dominating-bias", (2, 8, 6, 6), (4, 8, 3, 3), bias=True, positive=True, scale=1000)
    add("dominating-bias-depthwise", (2, 6, 8, 8), (6, 1, 3, 3), bias=True, positive=True, scale=1000, groups=6)
    return cases


def batch_norm():
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


def elementwise(op, ranges):
    """`ranges` maps a regime to an interval that is covered evenly, with one random number a step."""
    cases = OpCases(op, ["x"])
    n = 1500
    for name, (low, high) in ranges.items():
        step = (high - low) / n
        cases.add(name, lambda r: {"x": r.cast(low + step * (np.arange(n) + r.generator.uniform(size=n)))})
    return cases


def relu():
    return elementwise("relu", {"ordinary": (-3, 3)})


def relu6():
    return elementwise("relu6", {"ordinary": (-3, 9)})


AROUND_ZERO = {"ordinary": (-4, 4), "small": (-40, -4)}
SUBNORMAL = {"subnormal": (-104, -80)}  # exp(-87.3..) is the smallest normal number of f32


def sigmoid():
    ranges = {"saturating": (4, 20), "saturated": (20, 104)}
    return elementwise("sigmoid", AROUND_ZERO | ranges | SUBNORMAL)


def silu():
    ranges = {"flat": (-1.4, -1.15), "saturated": (4, 104)}  # silu' is 0 at -1.278..
    return elementwise("silu", AROUND_ZERO | ranges | SUBNORMAL)


def pooling(op, **attrs):
    cases = OpCases(op, ["x"])
    for name, x, kernel, stride, padding in [
        ("ordinary", (4, 4, 8, 8), [2, 2], [2, 2], [0, 0]),
        ("overlapping", (4, 4, 9, 9), [3, 3], [2, 2], [1, 1]),
        ("dense", (2, 4, 8, 8), [3, 3], [1, 1], [1, 1]),
        ("large", (2, 4, 16, 16), [7, 7], [3, 3], [3, 3]),
    ]:
        cases.add(name, lambda r: {"x": r.normal(*x)}, kernel=kernel, stride=stride, padding=padding, **attrs)
    return cases


def max_pool2d():
    return pooling("max_pool2d")


def avg_pool2d():
    return pooling("avg_pool2d", count_include_pad=False)


def spatial_mean(op):
    cases = OpCases(op, ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(8, 16, 4, 4)})
    cases.add("odd", lambda r: {"x": r.normal(4, 8, 7, 7)})
    cases.add("large", lambda r: {"x": r.normal(2, 3, 32, 32)})
    cases.add("positive", lambda r: {"x": r.uniform(0, 1, 2, 3, 32, 32)})
    return cases


def adaptive_avg_pool2d():
    return spatial_mean("adaptive_avg_pool2d")


def global_mean():
    return spatial_mean("global_mean")


def cross_entropy():
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


def concat():
    cases = OpCases("concat", ["x0", "x1"])
    cases.add("ordinary", lambda r: {"x0": r.normal(4, 3, 5, 5), "x1": r.normal(4, 2, 5, 5)}, axis=1)
    return cases


def split():
    cases = OpCases("split", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, ["y0", "y1"], axis=1, sizes=[2, 4])
    return cases


def channel_shuffle():
    cases = OpCases("channel_shuffle", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, groups=2)
    return cases


def broadcasting(op):
    cases = OpCases(op, ["a", "b"])
    for name, a, b in [
        ("same-shape", (16, 16), (16, 16)),
        ("row", (256, 8), (8,)),
        ("per-channel", (8, 4, 12, 12), (1, 4, 1, 1)),
        ("one-value", (1024,), (1,)),
    ]:
        cases.add(name, lambda r: {"a": r.normal(*a), "b": r.normal(*b)})


    def cancel(r):
        a = r.normal(32, 8)
        return {"a": a, "b": r.cast(-a * r.uniform(0.999, 1.001, *a.shape))}

    cases.add("cancelling", cancel)
    return cases


def add():
    return broadcasting("add")


def mul():
    return broadcasting("mul")


def flatten():
    cases = OpCases("flatten", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, start_dim=1)
    return cases


def pad():
    cases = OpCases("pad", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, pads=[[0, 0], [0, 0], [1, 2], [2, 1]], value=0.5)
    return cases


def strided_slice():
    cases = OpCases("strided_slice", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, step=2)
    return cases


def dropout():
    cases = OpCases("dropout", ["x"])
    for p in [0.1, 0.3, 0.5]:
        cases.add(f"p-{p}", lambda r: {"x": r.normal(16, 32), "mask": r.mask(1 - p, 16, 32)}, p=p)
    return cases


ALL = [
    matmul, linear, conv2d, batch_norm, relu, relu6, silu, sigmoid, max_pool2d, avg_pool2d, adaptive_avg_pool2d,
    global_mean, cross_entropy, concat, split, channel_shuffle, add, mul, flatten, pad, strided_slice, dropout,
]  # fmt: skip
