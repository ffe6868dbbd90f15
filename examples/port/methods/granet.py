"""GraNet (Liu et al. 2021, Alg. 1): gradual pruning over all layers; each time some weights are dropped and regrown."""

import numpy as np
import shared
from drop_and_grow import apply, grow
from recorder import Recorder

HYPER = shared.OPTIMIZER | {"initial_sparsity": 0.5, "final_sparsity": 0.9, "regrow": 0.5, "regrow_min": 0.005,
                            "update_every": 4, "update_start": 0, "update_end": 16, "total_steps": 24}
STEPS = 24


def train(data, rng):
    weights = shared.initialise(rng)
    trace = Recorder("granet", HYPER, shared.PRUNABLE)
    shares = shared.erk([weights[p].shape for p in shared.PRUNABLE], HYPER["initial_sparsity"])
    mask = shared.start_sparse(weights, shares, shared.remove_ceil, rng, trace)
    momentum = shared.zeros(weights)
    N = sum(m.size for m in mask.values())
    t_0, D, t_1 = (HYPER[f"update_{key}"] for key in ("start", "every", "end"))
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        _, grads = shared.loss_and_gradients(weights, x, labels)
        trace.step(t, weights_before=weights, mask_before=mask, momentum_before=momentum, grad=grads)

        c = t + 1
        updated = c >= t_0 and c % D == 0  # when: no upper end
        between, momentum = shared.sgd_all(weights, momentum, grads, HYPER, np.float32(HYPER["lr"]), mask)  # step
        weights, before = dict(between), mask
        if updated:
            score = {p: np.abs(between[p]) for p in mask}
            fraction = shared.cosine(c, HYPER["regrow"], HYPER["regrow_min"], HYPER["total_steps"])  # schedule
            pruned = mask
            if c < t_1:  # prune: as long as the gradual pruning goes on
                rate = shared.cubic(c, HYPER["initial_sparsity"], HYPER["final_sparsity"], t_0, t_1)
                keep = min(shared.remove_ceil(N, rate), sum(int(m.sum()) for m in mask.values()))
                pruned = shared.keep_largest_of_all(score, keep, mask)
                trace.step(t, rate=rate, keep=keep)
            active = {p: int(m.sum()) for p, m in pruned.items()}
            drop = [a - shared.remove_ceil(a, fraction) for a in active.values()]  # count: of what pruning left
            kept = {p: shared.keep_largest(score[p], active[p] - d, pruned[p]) for p, d in zip(mask, drop)}  # drop
            mask = grow(kept, pruned, {p: np.abs(grads[p]) for p in mask})  # grow: by the step's gradient
            weights, momentum = apply(between, momentum, before, mask)  # weights, momentum
            trace.step(t, fraction=fraction, pruned=pruned, drop=drop, score=score, kept=kept)
        trace.step(t, updated=updated, between=between, mask=mask, weights_after=weights, momentum=momentum)
    return trace
