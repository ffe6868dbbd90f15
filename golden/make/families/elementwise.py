"""Functions of one variable."""

import numpy as np

from common import OpCases, f32

# Where exponentials saturate; and for hard cases, where their results are ordinary, small and subnormal.
SATURATED = [0.0, 1e-45, -1e-30, 1e-8, 20, -20, 36, -36, 37, -37, 40, -40, 88, -88, 104, -104, 700, -700, 1000, -1000]
AROUND_ZERO = {"ordinary": (-4, 4), "small": (-40, -4)}
SUBNORMAL = {"subnormal": (-104, -80)}  # exp(-87.3..) is the smallest normal number of f32


def ordinary_cases(op, edges, exact):
    """`edges` are kinks and extremes, `exact` inputs with exact results."""
    cases = OpCases(op, ["x"])
    for name, shape in [("vector", (9,)), ("matrix", (4, 5)), ("images", (2, 3, 3, 4)), ("wide-matrix", (8, 8))]:
        cases.add(name, lambda r: {"x": r.normal(*shape, std=3)})
    cases.add("edges", {"x": f32(*edges)})
    cases.add("exact-values", {"x": f32(*exact)})
    return cases


def hard_cases(op, ranges):
    """`ranges` maps a regime to an interval that is covered evenly, with one random number a step."""
    cases = OpCases(op, ["x"])
    n = 1500
    for name, (low, high) in ranges.items():
        step = (high - low) / n
        cases.add(name, lambda r: {"x": r.cast(low + step * (np.arange(n) + r.generator.uniform(size=n)))})
    return cases
