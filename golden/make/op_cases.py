"""The cases of golden/ops: every attribute of every op, kinks, ties, saturation, broadcasting.

The beginning of a case's name settles its numbers: `exact-..` integers, `wide-..` F64 with full 53-bit significands,
anything else floats that are exact in f32.
"""

import numpy as np

from common import OpCases, f32


def matmul():
    cases = OpCases("matmul", ["a", "b"])
    for name, m, k, n in [("ordinary", 5, 7, 3), ("one-by-one", 1, 1, 1), ("outer", 4, 1, 6), ("inner", 1, 64, 1),
                          ("long", 3, 300, 2), ("wide-ordinary", 9, 33, 17)]:  # fmt: skip
        cases.add(name, lambda r: {"a": r.normal(m, k), "b": r.normal(k, n)})
    cases.add("forward-only", lambda r: {"a": r.normal(2, 3), "b": r.normal(3, 2)}, upstream=[], diff=[])
    cases.add("one-gradient", lambda r: {"a": r.normal(2, 3), "b": r.normal(3, 2)}, diff=["b"])
    for name, m, k, n in [("exact-small", 2, 3, 2), ("exact-odd", 17, 19, 13)]:
        cases.add(name, lambda r: {"a": r.integers(-8, 8, m, k), "b": r.integers(-8, 8, k, n)})
    return cases


def linear():
    cases = OpCases("linear", ["x", "w", "b"])
    for name, n, i, o in [("bias", 4, 6, 5), ("one-sample", 1, 6, 5), ("wide-bias", 8, 40, 10)]:
        cases.add(name, lambda r: {"x": r.normal(n, i), "w": r.normal(o, i), "b": r.normal(o)})
    cases.add("no-bias", lambda r: {"x": r.normal(4, 6), "w": r.normal(5, 6)})
    integers = lambda r, n, i, o: {"x": r.integers(-5, 5, n, i), "w": r.integers(-5, 5, o, i)}
    cases.add("exact-bias", lambda r: integers(r, 3, 4, 2) | {"b": r.integers(-5, 5, 2)})
    cases.add("exact-no-bias", lambda r: integers(r, 7, 9, 11))
    return cases


def conv2d():
    cases = OpCases("conv2d", ["x", "w", "b"])

    def add(name, x, w, bias=False, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
        def inputs(r):
            draw = (lambda *shape: r.integers(-4, 4, *shape)) if name.startswith("exact-") else r.normal
            return {"x": draw(*x), "w": draw(*w)} | ({"b": draw(w[0])} if bias else {})

        cases.add(name, inputs, stride=list(stride), padding=list(padding), dilation=list(dilation), groups=groups)

    for prefix in ["", "exact-"]:
        add(prefix + "plain", (2, 3, 5, 6), (4, 3, 3, 3))
        add(prefix + "bias-padding", (2, 3, 5, 5), (4, 3, 3, 3), bias=True, padding=(1, 1))
        add(prefix + "stride", (2, 2, 8, 7), (3, 2, 3, 3), stride=(2, 2), padding=(1, 1))
        add(prefix + "everything", (2, 4, 9, 10), (6, 2, 3, 2), True, (2, 3), (2, 1), (2, 3), 2)
    add("stride-per-axis", (1, 2, 7, 9), (2, 2, 2, 3), stride=(1, 3))
    add("padding-per-axis", (1, 2, 4, 4), (2, 2, 3, 3), padding=(2, 0))
    add("padding-beyond-kernel", (1, 1, 3, 3), (2, 1, 2, 2), padding=(3, 2))
    add("dilation-per-axis", (1, 2, 9, 8), (2, 2, 3, 3), dilation=(2, 3))
    add("groups", (2, 6, 4, 4), (4, 3, 3, 3), padding=(1, 1), groups=2)
    add("depthwise", (2, 5, 6, 6), (5, 1, 3, 3), padding=(1, 1), groups=5)
    add("depthwise-multiplier-stride", (1, 3, 7, 7), (6, 1, 3, 3), True, (2, 2), (1, 1), groups=3)
    add("pointwise", (2, 5, 3, 4), (7, 5, 1, 1), bias=True)
    add("row-kernel", (1, 2, 5, 7), (3, 2, 1, 5), padding=(0, 2))
    add("column-kernel", (1, 2, 7, 5), (3, 2, 5, 1), padding=(2, 0))
    add("whole-image", (3, 2, 4, 5), (2, 2, 4, 5), bias=True)
    add("unread-border", (1, 1, 8, 8), (1, 1, 2, 2), stride=(3, 5))
    add("wide-everything", (1, 4, 8, 8), (4, 2, 3, 3), True, (2, 1), (1, 2), (1, 2), 2)
    return cases


def batch_norm():
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


def elementwise(op, edges, exact):
    """Cases of a function of one variable; `edges` are its kinks and extremes, `exact` inputs with exact results."""
    cases = OpCases(op, ["x"])
    for name, shape in [("vector", (9,)), ("matrix", (4, 5)), ("images", (2, 3, 3, 4)), ("wide-matrix", (8, 8))]:
        cases.add(name, lambda r: {"x": r.normal(*shape, std=3)})
    cases.add("edges", {"x": f32(*edges)})
    cases.add("exact-values", {"x": f32(*exact)})
    return cases


def relu():
    return elementwise("relu", [0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, 3e38, -3e38], [-3, -1, 0, 0, 1, 2, 1000])


def relu6():
    below, above = np.nextafter(f32(6), f32(0, 9))
    edges = [0.0, -0.0, 6.0, below, above, 1e-45, -1e-45, 3e38, -3e38]
    return elementwise("relu6", edges, [-1, 0, 0, 1, 3, 5, 6, 6, 7, 100])


SATURATED = [0.0, 1e-45, -1e-30, 1e-8, 20, -20, 36, -36, 37, -37, 40, -40, 88, -88, 104, -104, 700, -700, 1000, -1000]


def silu():
    return elementwise("silu", SATURATED + [-1.25, -1.2784645, -1.3], [0, 0, 1000, -1000])


def sigmoid():
    return elementwise("sigmoid", SATURATED, [0, 0, 1000, -1000])


def pooling(op, extra):
    cases = OpCases(op, ["x"])

    def add(name, x, kernel, stride, padding=(0, 0), **attrs):
        inputs = (lambda r: {"x": r.normal(*x)}) if isinstance(x, tuple) else x
        cases.add(name, inputs, kernel=list(kernel), stride=list(stride), padding=list(padding), **attrs)

    for suffix, attrs in extra:
        add("plain" + suffix, (2, 3, 4, 6), (2, 2), (2, 2), **attrs)
        add("overlapping" + suffix, (2, 2, 7, 7), (3, 3), (2, 2), (1, 1), **attrs)
        add("rectangular" + suffix, (1, 2, 6, 8), (3, 2), (1, 3), (1, 0), **attrs)
        add("unread-border" + suffix, (1, 2, 7, 8), (2, 2), (3, 3), **attrs)
        add("whole-image" + suffix, (2, 2, 3, 5), (3, 5), (1, 1), **attrs)
        add("wide" + suffix, (1, 2, 5, 5), (3, 3), (1, 1), (1, 1), **attrs)
        integers = lambda r: {"x": 4 * r.integers(-3, 3, 2, 2, 6, 6)}  # multiples of 4 have exact means of four
        add("exact-plain" + suffix, integers, (2, 2), (2, 2), **attrs)
        add("exact-overlapping" + suffix, integers, (2, 2), (1, 1), **attrs)
    return cases, add


def max_pool2d():
    cases, add = pooling("max_pool2d", [("", {})])
    add("exact-all-equal", {"x": np.ones((1, 2, 5, 5), np.float32)}, (3, 3), (2, 2), (1, 1))
    add("exact-ties", lambda r: {"x": r.integers(0, 1, 2, 2, 7, 7)}, (3, 3), (2, 2), (1, 1))
    add("exact-negative-under-padding", lambda r: {"x": r.integers(-9, -1, 1, 2, 4, 4)}, (3, 3), (1, 1), (1, 1))
    add("exact-signed-zeros", {"x": f32(0.0, -0.0, -0.0, 0.0).reshape(1, 1, 2, 2)}, (2, 2), (2, 2))
    return cases


def avg_pool2d():
    counts = [("-padding-counted", {"count_include_pad": True}), ("-padding-not-counted", {"count_include_pad": False})]
    cases, _ = pooling("avg_pool2d", counts)
    return cases


def spatial_mean(op):
    cases = OpCases(op, ["x"])
    for name, shape in [("ordinary", (2, 3, 4, 5)), ("one-pixel", (2, 3, 1, 1)), ("wide-square", (1, 2, 8, 8))]:
        cases.add(name, lambda r: {"x": r.normal(*shape)})
    cases.add("exact-integers", lambda r: {"x": r.integers(-9, 9, 3, 2, 4, 2)})  # divided by 8
    return cases


def adaptive_avg_pool2d():
    return spatial_mean("adaptive_avg_pool2d")


def global_mean():
    return spatial_mean("global_mean")


def cross_entropy():
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
    return cases


def concat():
    cases = OpCases("concat", [f"x{i}" for i in range(3)])
    for axis in range(4):
        for prefix in ["", "exact-"]:

            def inputs(r):
                draw = (lambda *shape: r.integers(-9, 9, *shape)) if prefix else r.normal
                shapes = [[2 + i if a == axis else n for a, n in enumerate([2, 3, 2, 3])] for i in range(3)]
                return {f"x{i}": draw(*shape) for i, shape in enumerate(shapes)}

            cases.add(f"{prefix}axis-{axis}", inputs, axis=axis)
    cases.add("one-input", lambda r: {"x0": r.normal(2, 3)}, axis=1)
    cases.add("wide-matrices", lambda r: {"x0": r.normal(2, 3), "x1": r.normal(4, 3)}, axis=0)
    return cases


def split():
    cases = OpCases("split", ["x"])

    def add(name, shape, axis, sizes, upstream=None, exact=False):
        inputs = lambda r: {"x": r.integers(-9, 9, *shape) if exact else r.normal(*shape)}
        cases.add(name, inputs, [f"y{i}" for i in range(len(sizes))], upstream, axis=axis, sizes=sizes)

    for axis in range(4):
        add(f"axis-{axis}", (3, 3, 3, 3), axis, [1, 2])
    add("three-parts", (2, 7), 1, [4, 1, 2])
    add("one-part", (2, 3), 0, [2])
    add("one-part-without-upstream", (2, 6), 1, [3, 3], upstream=["y1"])
    add("wide-halves", (2, 4, 2, 2), 1, [2, 2])
    add("exact-halves", (2, 4, 2, 2), 1, [2, 2], exact=True)
    return cases


def channel_shuffle():
    cases = OpCases("channel_shuffle", ["x"])
    for name, c, groups in [("one-group", 4, 1), ("two-groups", 6, 2), ("three-groups", 12, 3), ("wide-groups", 8, 4),
                            ("as-many-groups-as-channels", 5, 5)]:  # fmt: skip
        cases.add(name, lambda r: {"x": r.normal(2, c, 2, 3)}, groups=groups)
    cases.add("exact-two-groups", lambda r: {"x": r.integers(-9, 9, 1, 6, 2, 2)}, groups=2)
    return cases


def broadcasting(op):
    cases = OpCases(op, ["a", "b"])
    shapes = [
        ("same-shape", (3, 4), (3, 4)),
        ("row", (3, 4), (4,)),
        ("row-first", (4,), (3, 4)),
        ("both-expand", (4, 1), (1, 3)),
        ("one-value", (2, 3), (1,)),
        ("per-channel", (2, 3, 2, 2), (3, 1, 1)),
        ("squeeze-and-excite", (2, 3, 4, 4), (2, 3, 1, 1)),
        ("wide-per-channel", (2, 3, 3, 3), (1, 3, 1, 1)),
    ]
    for name, a, b in shapes:
        cases.add(name, lambda r: {"a": r.normal(*a), "b": r.normal(*b)})
        cases.add(f"exact-{name}", lambda r: {"a": r.integers(-9, 9, *a), "b": r.integers(-9, 9, *b)})
    return cases


def add():
    return broadcasting("add")


def mul():
    return broadcasting("mul")


def flatten():
    cases = OpCases("flatten", ["x"])
    for start in range(4):
        cases.add(f"from-axis-{start}", lambda r: {"x": r.normal(2, 3, 2, 4)}, start_dim=start)
    cases.add("wide-images", lambda r: {"x": r.normal(2, 2, 3, 3)}, start_dim=1)
    cases.add("exact-images", lambda r: {"x": r.integers(-9, 9, 2, 2, 3, 3)}, start_dim=1)
    return cases


def pad():
    cases = OpCases("pad", ["x"])
    cases.add("zeros", lambda r: {"x": r.normal(2, 2, 3, 3)}, pads=[[0, 0], [0, 0], [1, 2], [3, 0]], value=0.0)
    cases.add("value", lambda r: {"x": r.normal(3, 4)}, pads=[[1, 0], [2, 3]], value=-2.5)
    cases.add("nothing", lambda r: {"x": r.normal(3, 4)}, pads=[[0, 0], [0, 0]], value=1.0)
    cases.add("wide-channels", lambda r: {"x": r.normal(2, 2, 2, 2)}, pads=[[0, 0], [1, 1], [0, 0], [0, 0]], value=0.0)
    cases.add("exact-every-axis", lambda r: {"x": r.integers(-9, 9, 2, 3)}, pads=[[1, 2], [2, 1]], value=7.0)
    return cases


def strided_slice():
    cases = OpCases("strided_slice", ["x"])
    for step, h, w in [(1, 3, 4), (2, 4, 6), (2, 5, 7), (3, 7, 8), (4, 3, 3)]:
        cases.add(f"step-{step}-of-{h}x{w}", lambda r: {"x": r.normal(2, 3, h, w)}, step=step)
    cases.add("wide-step-2", lambda r: {"x": r.normal(2, 2, 6, 6)}, step=2)
    cases.add("exact-step-2", lambda r: {"x": r.integers(-9, 9, 2, 2, 5, 5)}, step=2)
    return cases


def dropout():
    cases = OpCases("dropout", ["x"])

    def add(name, shape, p, exact=False):
        draw = lambda r: r.integers(-9, 9, *shape) if exact else r.normal(*shape)
        cases.add(name, lambda r: {"x": draw(r), "mask": r.mask(1 - p, *shape)}, p=p)

    add("tenth", (4, 10), 0.1)
    add("images", (2, 3, 4, 4), 0.3)
    add("nothing-dropped", (3, 5), 0.0)
    add("nearly-all", (5, 5), 0.9)
    add("wide-third", (6, 6), 1 / 3)
    add("exact-half", (4, 8), 0.5, exact=True)
    add("exact-three-quarters", (4, 8), 0.75, exact=True)
    return cases


ALL = [
    matmul, linear, conv2d, batch_norm, relu, relu6, silu, sigmoid, max_pool2d, avg_pool2d, adaptive_avg_pool2d,
    global_mean, cross_entropy, concat, split, channel_shuffle, add, mul, flatten, pad, strided_slice, dropout,
]  # fmt: skip
