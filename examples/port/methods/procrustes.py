"""Procrustes (Yang et al. 2020; Alg. 2 of the paper): DropBack on accumulated gradients, towards decaying W_0.

`SELECT = "dumique"` replaces the sort by the streaming quantile of the hardware, one pass from the last weight to the
first.
"""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "tracked": 500, "lambda": 0.9, "dumique_start": 0.01,
         "dumique_rate": 0.02}
STEPS = 16
SELECT = "sort"  # or "dumique"


def dumique(score, k):
    """Tracked iff above a threshold Q that rises where a weight is tracked, else falls. Flags; Q first and last."""
    flat = np.concatenate([score[p].ravel() for p in shared.PRUNABLE])
    q, rho = np.float32(1 - k / flat.size), np.float32(HYPER["dumique_rate"])
    up, down = 1 + rho * q, 1 - rho * (1 - q)
    Q = start = np.float32(HYPER["dumique_start"])  # in every step again
    tracked = np.zeros(flat.size, dtype=bool)
    for j in range(flat.size)[::-1]:
        tracked[j] = Q < flat[j]
        Q = Q * (up if tracked[j] else down)
    parts = np.split(tracked, np.cumsum([score[p].size for p in shared.PRUNABLE])[:-1])
    return {p: part.reshape(score[p].shape) for p, part in zip(shared.PRUNABLE, parts)}, np.array([start, Q])


def train(data, rng):
    weights = shared.initialise(rng)
    w0 = {p: w.copy() for p, w in weights.items()}
    momentum, mask = shared.zeros(weights), shared.ones(weights)
    accumulated = {p: np.zeros_like(w0[p]) for p in shared.PRUNABLE}
    trace = Recorder("procrustes", HYPER, shared.PRUNABLE, reading={"select": SELECT})
    trace.run(init=w0)
    lr = np.float32(HYPER["lr"])
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        _, grads = shared.loss_and_gradients(weights, x, labels)
        trace.step(t, weights_before=weights, mask_before=mask, accumulated_before=accumulated, grad=grads)

        between, momentum = shared.sgd_all(weights, momentum, grads, HYPER, lr)  # step
        rate = np.float32(HYPER["lambda"] ** (t + 1))  # schedule: the first update makes W^(1)
        k = HYPER["tracked"]  # count
        # score: the sum goes on where a weight was tracked, and starts anew elsewhere
        accumulated = {p: np.where(mask[p], accumulated[p], 0) + lr * grads[p] for p in shared.PRUNABLE}
        score = {p: np.abs(a) for p, a in accumulated.items()}
        if SELECT == "dumique":
            mask, quantile = dumique(score, k)  # quantile, track
            trace.step(t, quantile=quantile)
        else:
            mask = shared.keep_largest_of_all(score, k)  # track
        weights = dict(between)
        for p in shared.PRUNABLE:
            weights[p] = np.where(mask[p], between[p], rate * w0[p])  # reset
            accumulated[p] = np.where(mask[p], accumulated[p], 0)  # accumulate: only tracked weights have a place
        trace.step(t, between=between, rate=rate, keep=k, score=score, mask=mask, weights_after=weights,
                   accumulated=accumulated)
    return trace
