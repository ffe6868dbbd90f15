"""Iterative magnitude pruning with rewinding (Frankle et al. 2020): train, prune a fifth, go back to step k, again."""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"fraction": 0.2, "rewind_step": 3} | shared.OPTIMIZER
STEPS, LEVELS = 15, 4


def train(data, rng):
    order = np.random.default_rng(1).integers(0, len(data.train_y), (STEPS, 64))  # the same in every level

    def steps(weights, mask, first):
        momentum = shared.zeros(weights)
        for t in range(first, STEPS):
            if t == HYPER["rewind_step"] and first == 0:
                rewind.update({p: w.copy() for p, w in weights.items()})
            _, grads = shared.loss_and_gradients(weights, data.train_x[order[t]], data.train_y[order[t]])
            weights, momentum = shared.sgd_all(weights, momentum, grads, HYPER, np.float32(HYPER["lr"]), mask)
        return weights

    rewind = {}
    weights = shared.initialise(rng)
    mask = shared.ones(weights)
    trace = Recorder("lth", HYPER, shared.PRUNABLE)
    trace.run(init=weights)
    weights = steps(weights, mask, 0)  # level 0, dense
    trace.run(rewind=rewind)  # W_k
    for level in range(1, LEVELS + 1):
        trace.step(level, weights_before=weights, mask_before=mask)
        keep = shared.remove_ceil(sum(int(m.sum()) for m in mask.values()), HYPER["fraction"])  # count: of the active
        score = {p: np.abs(weights[p]) for p in mask}  # score: at the end of training
        mask = shared.keep_largest_of_all(score, keep, mask)  # mask: pruned stays pruned
        weights = {p: np.where(mask[p], w, 0) if p in mask else w.copy() for p, w in rewind.items()}  # rewind: all
        trace.step(level, keep=keep, score=score, mask=mask, weights_after=weights, momentum=shared.zeros(weights))
        weights = steps(weights, mask, HYPER["rewind_step"])
    return trace
