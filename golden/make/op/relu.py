"""max(x, 0)."""

import torch.nn.functional as F

from families import elementwise


def pytorch(t, _):
    return {"y": F.relu(t["x"])}


def ordinary_cases():
    return elementwise.ordinary_cases("relu", [0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, 3e38, -3e38], [-3, -1, 0, 0, 1, 2, 1000])


def hard_cases():
    return elementwise.hard_cases("relu", {"ordinary": (-3, 3)})
