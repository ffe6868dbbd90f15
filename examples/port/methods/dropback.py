"""DropBack (Golub, Lemieux, Lis 2019, Alg. 1): the k weights that moved furthest stay, the rest go back."""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "tracked": 500, "freeze_step": 12}
STEPS = 16


def train(data, rng):
    weights = shared.initialise(rng)
    w0 = {p: w.copy() for p, w in weights.items()}  # a copy: training moves the weights
    momentum, mask = shared.zeros(weights), shared.ones(weights)
    trace = Recorder("dropback", HYPER, shared.PRUNABLE)
    trace.run(init=w0)
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        _, grads = shared.loss_and_gradients(weights, x, labels)
        trace.step(t, weights_before=weights, mask_before=mask, grad=grads)

        between, momentum = shared.sgd_all(weights, momentum, grads, HYPER, np.float32(HYPER["lr"]))  # step
        k = HYPER["tracked"]  # count
        score = {p: np.abs(between[p] - w0[p]) for p in shared.PRUNABLE}  # score
        if t < HYPER["freeze_step"]:
            mask = shared.keep_largest_of_all(score, k)  # track
        weights = dict(between)
        for p in shared.PRUNABLE:
            weights[p] = np.where(mask[p], between[p], w0[p])  # reset, bit for bit
        trace.step(t, between=between, keep=k, score=score, mask=mask, weights_after=weights)
    return trace
