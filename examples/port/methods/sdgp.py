"""SDGP (McDanel et al. 2022): of every four entries of dL/dO two stay, in the data gradient alone."""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"keep": 2, "group": 4}
STEPS = 3


def prune(x):
    """Groups of N consecutive channels, the M largest |x| of each stay; a short last group keeps as many as it can."""
    y = np.zeros_like(x)
    for b in range(x.shape[0]):
        for start in range(0, x.shape[1], HYPER["group"]):
            part = slice(start, start + HYPER["group"])
            kept = shared.keep_largest(np.abs(x[b, part]), HYPER["keep"])
            y[b, part] = np.where(kept, x[b, part], 0)
    return y


def train(data, rng):
    weights = shared.initialise(rng)
    trace = Recorder("sdgp", HYPER, [])
    for t, (h, labels) in zip(range(STEPS), shared.batches(data, rng, size=8)):
        inputs = []
        for layer in shared.LAYERS:
            inputs.append(h)
            z = h @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
            h = np.maximum(z, 0)
        x = np.exp(z - z.max(axis=1, keepdims=True))
        x /= x.sum(axis=1, keepdims=True)
        x[np.arange(len(labels)), labels] -= 1  # dL/dO of the last layer
        for layer, h in reversed(list(zip(shared.LAYERS, inputs))):
            w = weights[f"{layer}.weight"]
            y = prune(x)  # select; scale: none
            grad_weight, grad_input = x.T @ h, y @ w  # weight_gradient from x, data_gradient from y
            trace.step(t, **{f"{name}/{layer}": array for name, array in (
                ("grad_output", x), ("input", h), ("weight", w), ("pruned", y), ("grad_weight", grad_weight),
                ("grad_input", grad_input))})
            weights[f"{layer}.weight"] = w - np.float32(0.01) * grad_weight
            x = grad_input * (h > 0)
    return trace
