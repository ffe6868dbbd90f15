"""Convolution."""

import torch.nn.functional as F

from common import OpCases


def pytorch(t, attrs):
    return {"y": F.conv2d(t["x"], t["w"], t.get("b"), **attrs)}


def ordinary_cases():
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


def hard_cases():
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
