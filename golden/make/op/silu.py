"""x sigmoid(x)."""

import torch.nn.functional as F

from families import elementwise


def pytorch(t, _):
    return {"y": F.silu(t["x"])}


def ordinary_cases():
    return elementwise.ordinary_cases("silu", elementwise.SATURATED + [-1.25, -1.2784645, -1.3], [0, 0, 1000, -1000])


def hard_cases():
    ranges = {"flat": (-1.4, -1.15), "saturated": (4, 104)}  # silu' is 0 at -1.278..
    return elementwise.hard_cases("silu", elementwise.AROUND_ZERO | ranges | elementwise.SUBNORMAL)
