"""The last axes as one."""

import torch

from common import OpCases


def pytorch(t, attrs):
    return {"y": torch.flatten(t["x"], attrs["start_dim"])}


def ordinary_cases():
    cases = OpCases("flatten", ["x"])
    for start in range(4):
        cases.add(f"from-axis-{start}", lambda r: {"x": r.normal(2, 3, 2, 4)}, start_dim=start)
    cases.add("wide-images", lambda r: {"x": r.normal(2, 2, 3, 3)}, start_dim=1)
    cases.add("exact-images", lambda r: {"x": r.integers(-9, 9, 2, 2, 3, 3)}, start_dim=1)
    return cases


def hard_cases():
    cases = OpCases("flatten", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, start_dim=1)
    return cases
