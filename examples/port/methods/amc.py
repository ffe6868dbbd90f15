"""AMC (He et al. 2018): an agent chooses for each layer how many input channels stay, within a budget of operations.

The agent is free, so that random actions do here.
"""

import numpy as np
from recorder import Recorder

LAYERS = {"conv1.weight": (16, 3, 3, 3), "conv2.weight": (32, 16, 3, 3), "conv3.weight": (32, 32, 3, 3),
          "fc.weight": (10, 32)}  # [out, in, ...]
HYPER = {"flops": [16 * 3 * 9 * 1024, 32 * 16 * 9 * 256, 32 * 32 * 9 * 64, 320], "preserve": 0.5, "lower": 0.2,
         "channel_round": 8}
EPISODES = 5


def channels(c, a):
    """Channels that stay of c for the ratio a: to a multiple of 8, up where there are so many."""
    if a == 1:
        return c
    step = HYPER["channel_round"]
    d = max(1, round(float(np.float32(c) * a)))
    d = -(-d // step) * step
    if d > c:
        d = c // step * step
    return d or c


def train(data, rng):
    weights = {p: rng.standard_normal(shape).astype(np.float32) for p, shape in LAYERS.items()}
    F, c, L = HYPER["flops"], [shape[1] for shape in LAYERS.values()], len(LAYERS)
    trace = Recorder("amc", HYPER, list(LAYERS))
    for t in range(EPISODES):
        action = rng.random(L).astype(np.float32)
        allowed, keep = [], []
        for layer in range(L):
            r = [d / n for d, n in zip(keep, c)] + [HYPER["lower"]] * (L - layer) + [1.0]  # achieved, then the least
            if layer == 0:
                a = np.float32(1)
            else:  # clip: what the budget leaves for this layer
                this = F[layer - 1] * r[layer - 1] + F[layer] * r[layer + 1]
                other = sum(F[i] * r[i] * r[i + 1] for i in range(L) if i not in (layer - 1, layer))
                most = (HYPER["preserve"] * sum(F) - other) / this
                a = np.float32(max(HYPER["lower"], min(float(action[layer]), most)))
            allowed.append(a)
            keep.append(channels(c[layer], a))  # count
        importance = {p: np.abs(w).sum(axis=(0, *range(2, w.ndim))) for p, w in weights.items()}  # score
        chosen, after = {}, {}
        for (p, w), d in zip(weights.items(), keep):
            order = np.argsort(-importance[p], kind="stable")  # channels
            chosen[p] = np.isin(np.arange(w.shape[1]), order[:d])
            after[p] = np.where(chosen[p].reshape(1, -1, *[1] * (w.ndim - 2)), w, 0)  # weights
        r = [d / n for d, n in zip(keep, c)] + [1.0]
        flops = np.float32(sum(F[i] * r[i] * r[i + 1] for i in range(L)))  # flops
        accuracy = np.float32(rng.random())
        reward = accuracy  # reward
        trace.step(t, action=action, weights_before=weights, accuracy=accuracy, ratio_allowed=np.array(allowed),
                   keep=keep, importance=importance, channels=chosen, weights_after=after, flops=flops, reward=reward)
    return trace
