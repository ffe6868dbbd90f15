"""AC/DC (Peste et al. 2021, Alg. 1): compressed and dense phases in turn."""

import numpy as np
import shared
from recorder import Recorder

HYPER = shared.OPTIMIZER | {"sparsity": 0.9, "compress_at": [3, 9, 15], "decompress_at": [6, 12]}
STEPS = 18


def train(data, rng):
    weights = shared.initialise(rng)
    momentum, mask = shared.zeros(weights), shared.ones(weights)
    trace = Recorder("acdc", HYPER, shared.PRUNABLE)
    trace.run(init=weights)
    N = sum(m.size for m in mask.values())
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        trace.step(t, weights_before=weights, mask_before=mask, momentum_before=momentum)
        compress, decompress = t in HYPER["compress_at"], t in HYPER["decompress_at"]  # when
        if compress:
            keep = shared.remove_floor(N, HYPER["sparsity"])  # count
            score = {p: np.abs(weights[p]) for p in mask}  # score: all weights
            mask = shared.keep_largest_of_all(score, keep)  # mask
            trace.step(t, keep=keep, score=score)
        elif decompress:
            mask = shared.ones(weights)  # mask
            momentum = shared.zeros(weights)  # of all parameters
        between = {p: np.where(mask[p], w, 0) if p in mask else w for p, w in weights.items()}  # weights

        _, grads = shared.loss_and_gradients(between, x, labels)
        weights, momentum = shared.sgd_all(between, momentum, grads, HYPER, np.float32(HYPER["lr"]), mask)  # step
        trace.step(t, updated=compress or decompress, mask=mask, between=between, grad=grads, weights_after=weights,
                   momentum=momentum)
    return trace
