"""SET (Mocanu et al. 2018, Alg. 1): of positive and negative weights those nearest 0 go; random ones come."""

import numpy as np
import shared
from drop_and_grow import apply, grow
from recorder import Recorder

HYPER = shared.OPTIMIZER | {"zeta": 0.3, "sparsity": 0.7, "update_every": 4, "update_end": 16}
STEPS = 16


def train(data, rng):
    weights = shared.initialise(rng)
    trace = Recorder("set", HYPER, shared.PRUNABLE)
    shares = shared.erk([weights[p].shape for p in shared.PRUNABLE], HYPER["sparsity"], er=True)
    mask = shared.start_sparse(weights, shares, shared.remove_floor, rng, trace)
    momentum = shared.zeros(weights)
    D, end, zeta = HYPER["update_every"], HYPER["update_end"], HYPER["zeta"]
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        _, grads = shared.loss_and_gradients(weights, x, labels)
        trace.step(t, weights_before=weights, mask_before=mask, momentum_before=momentum, grad=grads)

        updated = shared.is_due(t + 1, D, D, end, inclusive=False)  # when: not after the last epoch
        between, momentum = shared.sgd_all(weights, momentum, grads, HYPER, np.float32(HYPER["lr"]), mask)  # step
        weights, before = dict(between), mask
        if updated:
            score = {p: np.abs(between[p]) for p in mask}  # score
            kept, drop = {}, []
            for p, m in mask.items():  # count, drop: each sign by itself, zeta of either goes
                positive, negative = m & (between[p] >= 0), m & (between[p] < 0)
                k = [shared.remove_floor(int(group.sum()), zeta) for group in (positive, negative)]
                kept[p] = shared.keep_largest(score[p], k[0], positive) | shared.keep_largest(score[p], k[1], negative)
                drop.append(int(m.sum()) - sum(k))
            draw = {p: rng.random(m.shape).astype(np.float32) for p, m in mask.items()}
            mask = grow(kept, mask, draw)  # grow
            weights, momentum = apply(between, momentum, before, mask)  # weights, momentum
            trace.step(t, fraction=zeta, drop=drop, score=score, kept=kept, draw=draw)
        trace.step(t, updated=updated, between=between, mask=mask, weights_after=weights, momentum=momentum)
    return trace
