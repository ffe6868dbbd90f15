"""Arrays one after the other along an axis."""

import torch

from common import OpCases


def pytorch(t, attrs):
    return {"y": torch.cat(list(t.values()), dim=attrs["axis"])}


def ordinary_cases():
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


def hard_cases():
    cases = OpCases("concat", ["x0", "x1"])
    cases.add("ordinary", lambda r: {"x0": r.normal(4, 3, 5, 5), "x1": r.normal(4, 2, 5, 5)}, axis=1)
    return cases
