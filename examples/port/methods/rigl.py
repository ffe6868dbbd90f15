"""RigL (Evci et al. 2020, Alg. 1): the smallest weights go, and those with the largest gradients come."""

import numpy as np
import shared
from drop_and_grow import apply, grow
from recorder import Recorder

HYPER = shared.OPTIMIZER | {"sparsity": 0.8, "alpha": 0.3, "update_every": 4, "update_end": 20}
STEPS = 24


def train(data, rng):
    weights = shared.initialise(rng)
    trace = Recorder("rigl", HYPER, shared.PRUNABLE)
    shares = shared.erk([weights[p].shape for p in shared.PRUNABLE], HYPER["sparsity"])
    mask = shared.start_sparse(weights, shares, shared.remove_floor, rng, trace)
    momentum = shared.zeros(weights)
    D, T_end = HYPER["update_every"], HYPER["update_end"]
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        _, grads = shared.loss_and_gradients(weights, x, labels)  # of all weights, the inactive ones too
        trace.step(t, weights_before=weights, mask_before=mask, momentum_before=momentum, grad=grads)

        updated = shared.is_due(t, D, D, T_end, inclusive=False)  # when
        before = mask
        if updated:  # step: none; the update takes its place, for the biases too
            between = dict(weights)
            fraction = shared.cosine(t, HYPER["alpha"], 0, T_end)  # schedule
            active = {p: int(m.sum()) for p, m in mask.items()}
            drop = [a - shared.remove_floor(a, fraction) for a in active.values()]  # count: of the active
            score = {p: np.abs(between[p]) for p in mask}  # score
            kept = {p: shared.keep_largest(score[p], active[p] - d, mask[p]) for p, d in zip(mask, drop)}  # drop
            mask = grow(kept, mask, {p: np.abs(grads[p]) for p in mask})  # grow
            weights, momentum = apply(between, momentum, before, mask)  # weights, momentum
            trace.step(t, fraction=fraction, drop=drop, score=score, kept=kept)
        else:
            between, momentum = shared.sgd_all(weights, momentum, grads, HYPER, np.float32(HYPER["lr"]), mask)  # step
            weights = dict(between)
        trace.step(t, updated=updated, between=between, mask=mask, weights_after=weights, momentum=momentum)
    return trace
