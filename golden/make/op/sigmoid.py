"""1 / (1 + exp(-x))."""

import torch

from families import elementwise


def pytorch(t, _):
    return {"y": torch.sigmoid(t["x"])}


def ordinary_cases():
    return elementwise.ordinary_cases("sigmoid", elementwise.SATURATED, [0, 0, 1000, -1000])


def hard_cases():
    ranges = {"saturating": (4, 20), "saturated": (20, 104)}
    return elementwise.hard_cases("sigmoid", elementwise.AROUND_ZERO | ranges | elementwise.SUBNORMAL)
