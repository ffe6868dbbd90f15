"""SNIP (Lee et al. 2019): before training, the weights with the largest |g w| on one batch stay."""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"sparsity": 0.9}


def train(data, rng):
    weights = shared.initialise(rng)
    w = {p: weights[p] for p in shared.PRUNABLE}
    trace = Recorder("snip", HYPER, shared.PRUNABLE)
    _, grads = shared.loss_and_gradients(weights, data.train_x[:100], data.train_y[:100])
    trace.step(0, weights_before=w, grad={p: grads[p] for p in w})

    k = shared.keep_round(sum(x.size for x in w.values()), HYPER["sparsity"])  # count
    score = {p: np.abs(grads[p] * w[p]) for p in w}  # score
    mask = shared.keep_largest_of_all(score, k)  # mask
    pruned = {p: np.where(mask[p], w[p], 0) for p in w}  # weights
    trace.step(0, keep=k, score=score, mask=mask, weights_after=pruned)
    return trace
