"""The mean of each plane, as one pixel."""

import torch.nn.functional as F

from families import spatial_mean


def pytorch(t, _):
    return {"y": F.adaptive_avg_pool2d(t["x"], 1)}


def ordinary_cases():
    return spatial_mean.ordinary_cases("adaptive_avg_pool2d")


def hard_cases():
    return spatial_mean.hard_cases("adaptive_avg_pool2d")
