"""Product of two matrices."""

import numpy as np

from common import OpCases


def pytorch(t, _):
    return {"y": t["a"] @ t["b"]}


def ordinary_cases():
    cases = OpCases("matmul", ["a", "b"])
    for name, m, k, n in [("ordinary", 5, 7, 3), ("one-by-one", 1, 1, 1), ("outer", 4, 1, 6), ("inner", 1, 64, 1),
                          ("long", 3, 300, 2), ("wide-ordinary", 9, 33, 17)]:  # fmt: skip
        cases.add(name, lambda r: {"a": r.normal(m, k), "b": r.normal(k, n)})
    cases.add("forward-only", lambda r: {"a": r.normal(2, 3), "b": r.normal(3, 2)}, upstream=[], diff=[])
    cases.add("one-gradient", lambda r: {"a": r.normal(2, 3), "b": r.normal(3, 2)}, diff=["b"])
    for name, m, k, n in [("exact-small", 2, 3, 2), ("exact-odd", 17, 19, 13)]:
        cases.add(name, lambda r: {"a": r.integers(-8, 8, m, k), "b": r.integers(-8, 8, k, n)})
    return cases


def hard_cases():
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
