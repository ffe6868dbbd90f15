"""Weights, inputs and labels from integer hashes of names and positions: the same numbers in every language, exact in
f32. golden/make/README.md states the rules; src/nn/hashed.rs has them in Rust.
"""

from math import prod

import numpy as np

GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)
# Projections that a tensor's checksum has.
LANES = 4


def fnv1a(name):
    """FNV-1a, 64 bits, of the UTF-8 bytes of `name`."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def hashes(name, count):
    """The SplitMix64 sequence that starts at the hash of `name`: `count` integers of 64 bits."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN_RATIO
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def units(name, shape):
    """Multiples of 2^-23 in [-1, 1), from the upper 24 bits."""
    upper = (hashes(name, prod(shape)) >> np.uint64(40)).astype(np.int64)
    return ((upper - 2**23) / 2**23).reshape(shape)


def weight_scale(fan_in):
    """The largest power of two whose square is at most 6 / fan_in, the square of He et al.'s uniform bound."""
    scale = 2.0
    while scale * scale * fan_in > 6:
        scale /= 2
    return scale


def parameter(name, shape):
    """A parameter, or running statistic, by its `state_dict` name and shape."""
    v = units(name, shape)
    if len(shape) > 1:
        return v * weight_scale(prod(shape[1:]))
    if name.endswith((".weight", ".running_var")):
        return 1 + v / 4
    return v / 8


def inputs(shape):
    return units("input", shape) * 2


def labels(n, classes):
    return (hashes("labels", n) % np.uint64(classes)).astype(np.int64)


def signs(name, count):
    """+1 or -1, [LANES, count]: the sign of lane j is - where bit 63 - j is set."""
    z = hashes(f"{name}/signs", count)
    return np.stack([1 - 2 * (z >> np.uint64(63 - lane) & np.uint64(1)).astype(np.int8) for lane in range(LANES)])
