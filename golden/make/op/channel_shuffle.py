"""Channels of groups interleaved."""

import torch.nn.functional as F

from common import OpCases


def pytorch(t, attrs):
    return {"y": F.channel_shuffle(t["x"], attrs["groups"])}


def ordinary_cases():
    cases = OpCases("channel_shuffle", ["x"])
    for name, c, groups in [("one-group", 4, 1), ("two-groups", 6, 2), ("three-groups", 12, 3), ("wide-groups", 8, 4),
                            ("as-many-groups-as-channels", 5, 5)]:  # fmt: skip
        cases.add(name, lambda r: {"x": r.normal(2, c, 2, 3)}, groups=groups)
    cases.add("exact-two-groups", lambda r: {"x": r.integers(-9, 9, 1, 6, 2, 2)}, groups=2)
    return cases


def hard_cases():
    cases = OpCases("channel_shuffle", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, groups=2)
    return cases
