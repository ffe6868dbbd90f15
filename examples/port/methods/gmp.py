"""Gradual magnitude pruning (Zhu & Gupta 2017): in every layer the smallest weights go, along a cubic schedule."""

import numpy as np
import shared
from recorder import Recorder

HYPER = shared.OPTIMIZER | {"initial_sparsity": 0.1, "final_sparsity": 0.9, "update_start": 2, "update_every": 3,
                            "update_end": 14}
STEPS = 18


def train(data, rng):
    weights = shared.initialise(rng)
    momentum, mask = shared.zeros(weights), shared.ones(weights)
    trace = Recorder("gmp", HYPER, shared.PRUNABLE)
    trace.run(init=weights)
    t_0, D, t_1 = (HYPER[f"update_{key}"] for key in ("start", "every", "end"))
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        _, grads = shared.loss_and_gradients(weights, x, labels)
        trace.step(t, weights_before=weights, mask_before=mask, momentum_before=momentum, grad=grads)

        c = t + 1  # optimizer steps taken when the update happens
        updated = shared.is_due(c, t_0, D, t_1, inclusive=True)  # when
        between, momentum = shared.sgd_all(weights, momentum, grads, HYPER, np.float32(HYPER["lr"]), mask)  # step
        weights = dict(between)
        if updated:
            rate = shared.cubic(c, HYPER["initial_sparsity"], HYPER["final_sparsity"], t_0, t_1)  # schedule
            active = [int(m.sum()) for m in mask.values()]
            keep = [min(shared.keep_round(mask[p].size, rate), a) for p, a in zip(mask, active)]  # count
            score = {p: np.abs(between[p]) for p in mask}  # score: after the step
            mask = {p: shared.keep_largest(score[p], k, mask[p]) for p, k in zip(mask, keep)}  # mask: none comes back
            for p in mask:
                weights[p] = np.where(mask[p], between[p], 0)  # weights
                momentum[p] = np.where(mask[p], momentum[p], 0)  # momentum: or it would revive them
            trace.step(t, rate=rate, keep=keep, score=score)
        trace.step(t, updated=updated, between=between, mask=mask, weights_after=weights, momentum=momentum)
    return trace
