"""Linear mode connectivity (Alg. 3; Frankle et al. 2020): from which step on do two runs end in one valley?"""

import numpy as np
import shared
from recorder import Recorder

HYPER = {"points": 9, "threshold": 0.02}
CANDIDATES, STEPS = (0, 10, 40), 80
SGD = shared.OPTIMIZER


def run(weights, data, order, start):
    """From step `start` to the end; weights are not changed in place."""
    momentum = shared.zeros(weights)
    for indices in order[start:]:
        _, grads = shared.loss_and_gradients(weights, data.train_x[indices], data.train_y[indices])
        weights, momentum = shared.sgd_all(weights, momentum, grads, SGD, np.float32(SGD["lr"]))
    return weights


def train(data, rng):
    def order():
        return rng.integers(0, len(data.train_y), (STEPS, 64))

    parent, first = shared.initialise(rng), order()
    trace = Recorder("lmc", HYPER, [])
    scores, barriers = {}, {}
    points = HYPER["points"]
    for k in CANDIDATES:
        start = run(parent, data, first[:k], 0)  # the parent after k steps
        one, two = run(start, data, order(), k), run(start, data, order(), k)  # children: the order of data differs
        alpha = np.array([i / (points - 1) for i in range(points)], dtype=np.float32)  # grid
        theta = [{p: (1 - a) * one[p] + a * two[p] for p in one} for a in alpha]  # interpolate
        loss = np.array([shared.loss_and_gradients(w, data.test_x, data.test_y)[0] for w in theta], dtype=np.float32)
        wrong = np.array([shared.error(w, data.test_x, data.test_y) for w in theta], dtype=np.float32)
        scores[k] = loss.mean()  # score
        barriers[k] = wrong.max() - (wrong[0] + wrong[-1]) / 2  # barrier: of the error
        trace.step(k, theta_1=one, theta_2=two, loss=loss, error=wrong, alpha=alpha,
                   theta={str(i): w for i, w in enumerate(theta)}, score=scores[k], barrier=barriers[k])
    stable = -1
    for k in reversed(CANDIDATES):  # stable: from which on every barrier is below the threshold
        if not barriers[k] < np.float32(HYPER["threshold"]):
            break
        stable = k
    trace.run(k_star=min(CANDIDATES, key=lambda k: scores[k]), k_stable=stable)  # argmin: the smallest at a tie
    return trace
