"""The maximum over each window."""

import numpy as np
import torch.nn.functional as F

from common import f32
from families import pooling


def pytorch(t, attrs):
    return {"y": F.max_pool2d(t["x"], **pooling.settings(attrs))}


def ordinary_cases():
    cases, add = pooling.ordinary_cases("max_pool2d", [("", {})])
    add("exact-all-equal", {"x": np.ones((1, 2, 5, 5), np.float32)}, (3, 3), (2, 2), (1, 1))
    add("exact-ties", lambda r: {"x": r.integers(0, 1, 2, 2, 7, 7)}, (3, 3), (2, 2), (1, 1))
    add("exact-negative-under-padding", lambda r: {"x": r.integers(-9, -1, 1, 2, 4, 4)}, (3, 3), (1, 1), (1, 1))
    add("exact-signed-zeros", {"x": f32(0.0, -0.0, -0.0, 0.0).reshape(1, 1, 2, 2)}, (2, 2), (2, 2))
    return cases


def hard_cases():
    return pooling.hard_cases("max_pool2d")
