"""What the methods are made of: selection, counts, schedules, ERK, and SGD under a mask. f32 throughout.

Weights, gradients, momentum and masks are dicts from parameter name to array. Only the weights (not the biases) of the
network below are prunable; the biases move by plain SGD.
"""

import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import digits  # noqa: E402  (one folder up)

Arrays = dict[str, np.ndarray]
LAYERS = {"fc1": (64, 24), "fc2": (24, 16), "fc3": (16, 10)}  # inputs, outputs
PRUNABLE = [f"{layer}.weight" for layer in LAYERS]


# ---- the network: three linear layers with ReLU on the embedded digits

def initialise(rng: np.random.Generator) -> Arrays:
    """W_0, uniform in +-1/sqrt(inputs). Weights are [outputs, inputs]."""
    weights = {}
    for layer, (inputs, outputs) in LAYERS.items():
        bound = 1 / math.sqrt(inputs)
        weights[f"{layer}.weight"] = rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
        weights[f"{layer}.bias"] = rng.uniform(-bound, bound, outputs).astype(np.float32)
    return weights


def loss_and_gradients(weights: Arrays, x: np.ndarray, labels: np.ndarray) -> tuple[np.floating, Arrays]:
    """Mean cross-entropy of a batch, and its gradient in every parameter: of all weights, active or not."""
    inputs, h = [], x
    for layer in LAYERS:
        inputs.append(h)
        z = h @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
        h = np.maximum(z, 0)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    dz = p
    dz[rows, labels] -= 1
    dz /= np.asarray(len(labels), dtype=p.dtype)
    gradients = {}
    for layer, h in reversed(list(zip(LAYERS, inputs))):
        gradients[f"{layer}.weight"] = dz.T @ h
        gradients[f"{layer}.bias"] = dz.sum(axis=0)
        dz = (dz @ weights[f"{layer}.weight"]) * (h > 0)
    return loss, gradients


def error(weights: Arrays, x: np.ndarray, labels: np.ndarray) -> float:
    """The share of samples that are classified wrongly."""
    h = x
    for layer in LAYERS:
        z = h @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
        h = np.maximum(z, 0)
    return float(np.mean(z.argmax(axis=1) != labels))


def batches(data: digits.Digits, rng: np.random.Generator, size: int = 64):
    """Endless random batches of the training split."""
    while True:
        indices = rng.integers(0, len(data.train_y), size)
        yield data.train_x[indices], data.train_y[indices]


# ---- section 1 and 2: what is kept, and how many

def keep_largest(keys: np.ndarray, k: int, candidates: np.ndarray | None = None) -> np.ndarray:
    """Flags: the k largest of the candidates; of equal keys the one with the lower index."""
    flat = keys.ravel() if candidates is None else np.where(candidates, keys, -np.inf).ravel()
    kept = np.zeros(flat.size, dtype=bool)
    kept[np.argsort(-flat, kind="stable")[:k]] = True
    if candidates is not None:
        kept &= candidates.ravel()
    return kept.reshape(keys.shape)


def keep_largest_of_all(keys: Arrays, k: int, candidates: Arrays | None = None) -> Arrays:
    """The same over all layers, flattened one after the other."""
    joined = np.concatenate([x.ravel() for x in keys.values()])
    among = None if candidates is None else np.concatenate([candidates[p].ravel() for p in keys])
    parts = np.split(keep_largest(joined, k, among), np.cumsum([x.size for x in keys.values()])[:-1])
    return {p: part.reshape(keys[p].shape) for p, part in zip(keys, parts)}


def keep_round(n: int, s: float) -> int:
    """Of n, how many stay when the share s goes: to nearest, halves to even."""
    return round(n * (1 - s))


def remove_floor(n: int, s: float) -> int:
    return n - math.floor(n * s)


def remove_ceil(n: int, s: float) -> int:
    return n - math.ceil(n * s)


# ---- section 3: schedules

def is_due(c: int, start: int, every: int, end: int, inclusive: bool) -> bool:
    return start <= c and (c - start) % every == 0 and (c <= end if inclusive else c < end)


def cubic(c: int, s_i: float, s_f: float, start: int, end: int) -> float:
    """From s_i at t_0 to s_f at t_1; the origin is t_0, and the ramp is t_1 - t_0 long."""
    x = min(max((c - start) / (end - start), 0), 1)
    return s_f + (s_i - s_f) * (1 - x) ** 3


def cosine(c: int, f_0: float, f_min: float, T: int) -> float:
    return f_min + (f_0 - f_min) / 2 * (1 + math.cos(math.pi * min(c, T) / T))


# ---- section 4: distributions

def erk(shapes: list[tuple[int, ...]], S: float, er: bool = False) -> list[float]:
    """Each layer's sparsity: 1 - e p_l, p_l = (sum of the axes) / (their product), and 0 where that would be negative;
    what a dense layer cannot bear, the others do.
    """
    sizes = [math.prod(shape) for shape in shapes]
    p = [sum(shape[:2] if er else shape) / math.prod(shape[:2] if er else shape) for shape in shapes]
    zeros = [math.floor(S * n) for n in sizes]
    dense: set[int] = set()
    while True:
        others = [i for i in range(len(sizes)) if i not in dense]
        e = (sum(sizes[i] - zeros[i] for i in others) - sum(zeros[i] for i in dense)) \
            / sum(p[i] * sizes[i] for i in others)
        largest = max(p[i] for i in others)
        if e * largest <= 1:
            return [0.0 if i in dense else 1 - e * p[i] for i in range(len(sizes))]
        dense |= {i for i in others if p[i] == largest}


def start_sparse(weights: Arrays, shares: list[float], count, rng: np.random.Generator, trace) -> Arrays:
    """The initial mask, k_l at random in each layer; weights outside it become 0."""
    draw = {p: rng.random(weights[p].shape).astype(np.float32) for p in PRUNABLE}
    mask = {p: keep_largest(draw[p], count(draw[p].size, s)) for p, s in zip(PRUNABLE, shares)}
    trace.run(init=weights, init_draw=draw, sparsity=np.array(shares), init_mask=mask)
    for p in PRUNABLE:
        weights[p] *= mask[p]
    return mask


# ---- section 5: SGD under a mask

def sgd(w: np.ndarray, v: np.ndarray, g: np.ndarray, hyper: dict, lr: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """PyTorch's: v <- mu v + (g + wd w); w <- w - eta v. Returns w, v."""
    v = np.float32(hyper["momentum"]) * v + (g + np.float32(hyper["weight_decay"]) * w)
    return w - lr * v, v


def sgd_all(weights: Arrays, momentum: Arrays, grads: Arrays, hyper: dict, lr: np.float32,
            mask: Arrays | None = None) -> tuple[Arrays, Arrays]:
    """One step of every parameter; where there is a mask, weights and momentum outside it are 0 afterwards."""
    w_new, v_new = {}, {}
    for p in weights:
        w_new[p], v_new[p] = sgd(weights[p], momentum[p], grads[p], hyper, lr)
        if mask is not None and p in mask:
            w_new[p], v_new[p] = np.where(mask[p], w_new[p], 0), np.where(mask[p], v_new[p], 0)
    return w_new, v_new


def zeros(weights: Arrays) -> Arrays:
    return {p: np.zeros_like(w) for p, w in weights.items()}


def ones(weights: Arrays) -> Arrays:
    return {p: np.ones(weights[p].shape, dtype=bool) for p in PRUNABLE}


OPTIMIZER = {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4}
