"""Top-KAST (Jayakumar et al. 2020): the forward pass uses the largest weights, the step moves a larger set."""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "forward_sparsity": 0.9, "backward_sparsity": 0.7,
         "penalty": 1e-2, "update_every": 2}
STEPS = 12


def train(data, rng):
    weights = shared.initialise(rng)  # the dense weights; the network sees A w
    momentum, A, B = shared.zeros(weights), shared.ones(weights), shared.ones(weights)
    trace = Recorder("topkast", HYPER, shared.PRUNABLE)
    trace.run(init=weights)
    lr, penalty, D = np.float32(HYPER["lr"]), np.float32(HYPER["penalty"]), np.float32(1 - HYPER["forward_sparsity"])
    for t, (x, labels) in zip(range(STEPS), shared.batches(data, rng)):
        trace.step(t, weights_before=weights, mask_before=A, momentum_before=momentum)
        updated = t % HYPER["update_every"] == 0  # when
        if updated:
            keep = [shared.keep_round(A[p].size, HYPER["forward_sparsity"]) for p in A]  # count
            keep_backward = [shared.keep_round(A[p].size, HYPER["backward_sparsity"]) for p in A]
            A = {p: shared.keep_largest(np.abs(weights[p]), k) for p, k in zip(A, keep)}  # forward
            B = {p: shared.keep_largest(np.abs(weights[p]), k) for p, k in zip(A, keep_backward)}  # backward
            trace.step(t, keep=keep, keep_backward=keep_backward)
        _, grads = shared.loss_and_gradients({p: np.where(A[p], w, 0) if p in A else w for p, w in weights.items()},
                                             x, labels)
        trace.step(t, grad=grads)
        for p, w in weights.items():  # step, momentum: in B alone, and exploration is what costs
            r = np.where(A[p], penalty * w, penalty * w / D) if p in A else np.zeros_like(w)
            moved, v = shared.sgd(w, momentum[p], grads[p] + r, HYPER, lr)
            weights[p] = np.where(B[p], moved, w) if p in B else moved
            momentum[p] = np.where(B[p], v, 0) if p in B else v
        trace.step(t, updated=updated, mask=A, backward=B, weights_after=weights, momentum=momentum)
    return trace
