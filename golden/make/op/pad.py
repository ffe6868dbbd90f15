"""A border of one value."""

import torch.nn.functional as F

from common import OpCases


def pytorch(t, attrs):
    last_axis_first = [side for pair in reversed(attrs["pads"]) for side in pair]
    return {"y": F.pad(t["x"], last_axis_first, value=attrs["value"])}


def ordinary_cases():
    cases = OpCases("pad", ["x"])
    cases.add("zeros", lambda r: {"x": r.normal(2, 2, 3, 3)}, pads=[[0, 0], [0, 0], [1, 2], [3, 0]], value=0.0)
    cases.add("value", lambda r: {"x": r.normal(3, 4)}, pads=[[1, 0], [2, 3]], value=-2.5)
    cases.add("nothing", lambda r: {"x": r.normal(3, 4)}, pads=[[0, 0], [0, 0]], value=1.0)
    cases.add("wide-channels", lambda r: {"x": r.normal(2, 2, 2, 2)}, pads=[[0, 0], [1, 1], [0, 0], [0, 0]], value=0.0)
    cases.add("exact-every-axis", lambda r: {"x": r.integers(-9, 9, 2, 3)}, pads=[[1, 2], [2, 1]], value=7.0)
    return cases


def hard_cases():
    cases = OpCases("pad", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, pads=[[0, 0], [0, 0], [1, 2], [2, 1]], value=0.5)
    return cases
