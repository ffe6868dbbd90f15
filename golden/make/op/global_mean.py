"""The mean of each plane."""

from families import spatial_mean


def pytorch(t, _):
    return {"y": t["x"].mean(dim=(2, 3))}


def ordinary_cases():
    return spatial_mean.ordinary_cases("global_mean")


def hard_cases():
    return spatial_mean.hard_cases("global_mean")
