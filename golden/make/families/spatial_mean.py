"""Means over planes."""

from common import OpCases


def ordinary_cases(op):
    cases = OpCases(op, ["x"])
    for name, shape in [("ordinary", (2, 3, 4, 5)), ("one-pixel", (2, 3, 1, 1)), ("wide-square", (1, 2, 8, 8))]:
        cases.add(name, lambda r: {"x": r.normal(*shape)})
    cases.add("exact-integers", lambda r: {"x": r.integers(-9, 9, 3, 2, 4, 2)})  # divided by 8
    return cases


def hard_cases(op):
    cases = OpCases(op, ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(8, 16, 4, 4)})
    cases.add("odd", lambda r: {"x": r.normal(4, 8, 7, 7)})
    cases.add("large", lambda r: {"x": r.normal(2, 3, 32, 32)})
    cases.add("positive", lambda r: {"x": r.uniform(0, 1, 2, 3, 32, 32)})
    return cases
