"""LayerDrop (Fan et al. 2020): residual layers are skipped with probability p in training, every d-th in the end."""

import math

import numpy as np
from recorder import Recorder

HYPER = {"layers": 12, "p": 0.2, "droppable": [0] + [1] * 11, "prune_rate": 0.5}
STEPS = 10


def train(data, rng):
    L, p, droppable = HYPER["layers"], np.float32(HYPER["p"]), np.array(HYPER["droppable"], dtype=bool)
    trace = Recorder("layerdrop", HYPER, [])
    for t in range(STEPS):
        draw = rng.random(L).astype(np.float32)
        active = (draw > p) | ~droppable  # active: u = p drops
        trace.step(t, draw=draw, active=active)
    every = math.floor(1 / HYPER["prune_rate"])
    goes = np.array([depth % every == 0 for depth in range(1, L + 1)])  # kept_layers: depth counts from 1
    trace.run(kept_layers=~(goes & droppable))
    return trace
