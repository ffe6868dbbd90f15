"""The mean over each window."""

import torch.nn.functional as F

from families import pooling


def pytorch(t, attrs):
    return {"y": F.avg_pool2d(t["x"], **pooling.settings(attrs), count_include_pad=attrs["count_include_pad"])}


def ordinary_cases():
    counts = [("-padding-counted", {"count_include_pad": True}), ("-padding-not-counted", {"count_include_pad": False})]
    cases, _ = pooling.ordinary_cases("avg_pool2d", counts)
    return cases


def hard_cases():
    return pooling.hard_cases("avg_pool2d", count_include_pad=False)
