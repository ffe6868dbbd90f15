"""The rules by which other tools compare a result with a reference, restated as formulas. Each gets the best case for
it: the reference is the same operator in f64 on the very operands that the port had.

| rule | accepts where |
|---|---|
| allclose (PyTorch, NumPy) | every `abs(got - want) <= 1e-8 + 1e-5 abs(want)` |
| msprobe | not (cosine < 0.99 and largest error > 0.001), cosine >= 0.9, largest error <= 1 |
| PaDiff, default mode | `abs(mean(got) - mean(want)) <= 1e-7 abs(mean(want))` |
| hipDNN | every `abs(got - want) <= t + t abs(want)`, t one number for a tensor |

hipDNN's t of a product whose sums have k terms is `g k max(A) max(B)`, g = 2 k e / (1 - 2 k e) where 2 k e < 0.01, else
6 sqrt(2 k) e, e = 2^-23 (F64: 2^-52); of batch norm 2e-4 forward and 2e-3 backward; of other operators it has none.
"""

import math

import torch

EPSILON = {torch.float32: 2.0**-23, torch.float64: 2.0**-52, torch.bfloat16: 2.0**-23, torch.float16: 2.0**-23}


def allclose(got, want, _):
    return bool(((got - want).abs() <= 1e-8 + 1e-5 * want.abs()).all())


def msprobe(got, want, _):
    norms = got.norm() * want.norm()
    cosine = float((got * want).sum() / norms) if norms > 0 else 1.0
    error = float((got - want).abs().max())
    return not (cosine < 0.99 and error > 0.001) and cosine >= 0.9 and error <= 1


def padiff(got, want, _):
    return bool((got.mean() - want.mean()).abs() <= 1e-7 * want.mean().abs())


def hipdnn(got, want, tolerance):
    return None if tolerance is None else bool(((got - want).abs() <= tolerance * (1 + want.abs())).all())


RULES = {"allclose": allclose, "msprobe": msprobe, "PaDiff": padiff, "hipDNN": hipdnn}


def terms(packet, args, result):
    """The two factors of a product and how many products its sums have; None for what is none."""
    if packet in ("mm", "addmm"):
        a, b = args[-2:]
        return a, b, a.shape[1]
    if packet == "convolution":
        return args[0], args[1], args[1][0].numel()
    if packet == "convolution_backward":
        dy, x, w = args[:3]
        return {
            0: (dy, w, w.shape[0] // args[9] * w[0, 0].numel()),
            1: (dy, x, dy.numel() // dy.shape[1]),
        }.get(result)
    return None


def hipdnn_tolerance(packet, args, result, dtype):
    """hipDNN's bound of a result of a call; None where it has none."""
    if "batch_norm" in packet:
        return 2e-3 if "backward" in packet else 2e-4
    found = terms(packet, args, result)
    if found is None:
        return None
    a, b, k = found
    e = EPSILON[dtype]
    growth = 2 * k * e / (1 - 2 * k * e) if 2 * k * e < 0.01 else 6 * math.sqrt(2 * k) * e
    return growth * k * float(a.abs().max()) * float(b.abs().max())


def widened(tensor):
    return tensor.double() if tensor.is_floating_point() else tensor


def verdicts(read, case, again):
    """What each rule says of a call: True, False, or None where it has nothing to say."""
    packet = case["op"].split(".")[1]
    args = [read.value(arg) for arg in case["args"]]
    said = {name: None for name in RULES}
    for index, (got, want) in enumerate(again(read, case, widened)):
        if not got.is_floating_point() or got.numel() == 0:
            continue
        tolerance = hipdnn_tolerance(packet, args, index, got.dtype)
        for name, rule in RULES.items():
            accepted = rule(got.double(), want.double(), tolerance)
            if accepted is not None:
                said[name] = accepted and said[name] is not False
    return said


def tightness(read, case, again):
    """Of the results of a product: how many times hipDNN's bound is the any-order bound `k u |A| |B|` of each element,
    the median, and the number of elements."""
    packet = case["op"].split(".")[1]
    args = [read.value(arg) for arg in case["args"]]
    ratios = []
    for index, (got, magnitude) in enumerate(
        again(read, case, lambda t: t.double().abs() if t.is_floating_point() else t)
    ):
        found = terms(packet, args, index)
        if found is None:
            continue
        tolerance = hipdnn_tolerance(packet, args, index, got.dtype)
        bound = (found[2] + 1) * EPSILON[got.dtype] / 2 * magnitude
        ratios.append((tolerance / bound[bound > 0]).reshape(-1))
    return torch.cat(ratios) if ratios else None
