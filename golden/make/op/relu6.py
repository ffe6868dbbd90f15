"""min(max(x, 0), 6)."""

import numpy as np
import torch.nn.functional as F

from common import f32
from families import elementwise


def pytorch(t, _):
    return {"y": F.relu6(t["x"])}


def ordinary_cases():
    below, above = np.nextafter(f32(6), f32(0, 9))
    edges = [0.0, -0.0, 6.0, below, above, 1e-45, -1e-45, 3e38, -3e38]
    return elementwise.ordinary_cases("relu6", edges, [-1, 0, 0, 1, 3, 5, 6, 6, 7, 100])


def hard_cases():
    return elementwise.hard_cases("relu6", {"ordinary": (-3, 9)})
