"""Linear layer."""

import torch.nn.functional as F

from common import OpCases


def pytorch(t, _):
    return {"y": F.linear(t["x"], t["w"], t.get("b"))}


def ordinary_cases():
    cases = OpCases("linear", ["x", "w", "b"])
    for name, n, i, o in [("bias", 4, 6, 5), ("one-sample", 1, 6, 5), ("wide-bias", 8, 40, 10)]:
        cases.add(name, lambda r: {"x": r.normal(n, i), "w": r.normal(o, i), "b": r.normal(o)})
    cases.add("no-bias", lambda r: {"x": r.normal(4, 6), "w": r.normal(5, 6)})
    integers = lambda r, n, i, o: {"x": r.integers(-5, 5, n, i), "w": r.integers(-5, 5, o, i)}
    cases.add("exact-bias", lambda r: integers(r, 3, 4, 2) | {"b": r.integers(-5, 5, 2)})
    cases.add("exact-no-bias", lambda r: integers(r, 7, 9, 11))
    return cases


def hard_cases():
    cases = OpCases("linear", ["x", "w", "b"])
    for name, n, i, o in [("ordinary", 8, 64, 10), ("long-784", 4, 784, 8), ("large-batch", 256, 8, 4)]:
        cases.add(name, lambda r: {"x": r.normal(n, i), "w": r.normal(o, i, std=i**-0.5), "b": r.normal(o, std=0.1)})
    for k in [512, 784]:
        cases.add(f"positive-{k}", lambda r: {"x": r.uniform(0, 1, 4, k), "w": r.uniform(0, 1, 4, k)})
    for name, n in [("positive-512-batch", 32), ("positive-512-one", 1)]:
        cases.add(name, lambda r: {"x": r.uniform(0, 1, n, 512), "w": r.uniform(0, 1, 16, 512)})
    cases.add(
        "dominating-bias", lambda r: {"x": r.normal(8, 256), "w": r.normal(8, 256), "b": r.normal(8, mean=1e4, std=1e3)}
    )
    return cases
