"""a b."""

from families import broadcasting


def pytorch(t, _):
    return {"y": t["a"] * t["b"]}


def ordinary_cases():
    return broadcasting.ordinary_cases("mul")


def hard_cases():
    return broadcasting.hard_cases("mul")
