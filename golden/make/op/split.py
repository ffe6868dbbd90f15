"""An array in parts along an axis."""

import torch

from common import OpCases


def pytorch(t, attrs):
    return {f"y{i}": y for i, y in enumerate(torch.split(t["x"], attrs["sizes"], dim=attrs["axis"]))}


def ordinary_cases():
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


def hard_cases():
    cases = OpCases("split", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, ["y0", "y1"], axis=1, sizes=[2, 4])
    return cases
