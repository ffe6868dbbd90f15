"""Runs of GDSTAR's relatives (reset, random rewind, fixed rewind) in exact rationals, for golden/methods.

NAME.safetensors holds what a port starts from: W_0, every batch's gradients, what random rewind drew. NAME.expected.safetensors
is the whole trace (docs/trace.md): each real number computed in fractions (the learning rate's cosine to 45 digits) from what
stands in the trace before it and rounded once to nearest; weights and momentum within an epoch are not rounded at all. The
equations are written out here once more, after docs/equations; nothing of the crate is used.
"""

import math
from fractions import Fraction

import numpy as np
from arithmetic import Exact

W = {"conv.weight": (3, 2, 2, 2), "fc.weight": (4, 5)}
SHAPES = W | {"fc.bias": (4,)}
BATCHES, EPOCHS = 3, 6
HYPER = {"epochs": EPOCHS, "alpha_0": 0.9, "alpha_K": 0.25, "lambda": 0.75, "eps": 0.25, "chunks": 2, "lr": 0.1,
         "momentum": 0.9, "weight_decay": 0.01}
# A file's name: the method, and what it has besides.
CASES = {
    "reset": ("reset", {}),
    "random-rewind": ("random-rewind", {"rewind_probability": 0.4}),
    "fixed-rewind": ("fixed-rewind", {"rewind_epoch": 2}),
    "fixed-rewind-step": ("fixed-rewind", {"rewind_step": 4 * BATCHES}),
}


def header(name):
    method, own = CASES[name]
    return {"format": "gdstar-trace/1", "producer": "golden/make/rewinds.py", "dtype": "f64", "method": method,
            "hyper": HYPER | own, "params": list(W)}


def operands(name):
    rng = np.random.default_rng(100 + list(CASES).index(name))
    given = {f"init/{p}": rng.normal(size=shape) for p, shape in SHAPES.items()}
    for k in range(EPOCHS):
        for i in range(BATCHES):
            given |= {f"epoch/{k}/batch/{i}/grad/{p}": rng.normal(size=shape) for p, shape in SHAPES.items()}
        if CASES[name][0] == "random-rewind":
            given[f"epoch/{k}/draw"] = rng.uniform(size=1)
    return given


class Run:
    """One run, epoch by epoch. Arrays are flat lists of fractions; what is written is rounded, and gone on with so."""

    def __init__(self, name, given):
        self.method, own = CASES[name]
        self.hyper = {key: Fraction(value) for key, value in (HYPER | own).items()}
        self.given, self.written = given, {}
        self.w = {p: self.read(f"init/{p}") for p in SHAPES}
        self.v = {p: [Fraction(0)] * len(self.w[p]) for p in SHAPES}
        self.alive = {p: [True] * len(self.w[p]) for p in W}
        self.rewind, self.k_star = {p: list(w) for p, w in self.w.items()}, 0

    def read(self, name):
        return [Fraction(float(x)) for x in self.given[name].ravel()]

    def write(self, k, quantity, values):
        """Real numbers, rounded once; returns them as they are written."""
        rounded = [float(x) for x in values]
        shape = SHAPES.get(quantity.split("/")[-1], (len(rounded),))
        self.written[f"epoch/{k}/{quantity}"] = np.array(rounded).reshape(shape)
        return [Fraction(x) for x in rounded]

    def write_whole(self, k, quantity, values, kind):
        shape = SHAPES.get(quantity.split("/")[-1], (len(values),))
        self.written[f"epoch/{k}/{quantity}"] = np.array(values, kind).reshape(shape)

    def steps(self, k):
        """Alg. 1's steps: SGD on a cosine that moves once an epoch; what is eliminated stays 0."""
        hyper, rate = self.hyper, self.hyper["lr"] / 2 * (1 + Exact().cos_pi(Fraction(k, EPOCHS)))
        for i in range(BATCHES):
            for p in SHAPES:
                for j, g in enumerate(self.read(f"epoch/{k}/batch/{i}/grad/{p}")):
                    if p in W and not self.alive[p][j]:
                        continue
                    self.v[p][j] = hyper["momentum"] * self.v[p][j] + g + hyper["weight_decay"] * self.w[p][j]
                    self.w[p][j] -= rate * self.v[p][j]

    def moves(self, k):
        """Whether this epoch becomes the rewind point."""
        if self.method == "random-rewind":
            return self.read(f"epoch/{k}/draw")[0] < self.hyper["rewind_probability"]
        if "rewind_epoch" in self.hyper:
            return k == self.hyper["rewind_epoch"]
        return (k + 1) * BATCHES == self.hyper.get("rewind_step")

    def threshold(self, k, g):
        """Eq. 8, 6, 7."""
        hyper = self.hyper
        alpha = hyper["alpha_0"] + Fraction(k, EPOCHS) * (hyper["alpha_K"] - hyper["alpha_0"])
        [alpha] = self.write(k, "alpha", [alpha])
        chunks, quantiles = int(hyper["chunks"]), []
        sizes = [len(g) // chunks + (c < len(g) % chunks) for c in range(chunks)]
        for c, size in enumerate(sizes):
            values = sorted(g[sum(sizes[:c]):sum(sizes[:c]) + size])
            rank = alpha * (size - 1)
            low, high = math.floor(rank), math.ceil(rank)
            quantiles.append(values[low] + (rank - low) * (values[high] - values[low]))
        quantiles = self.write(k, "chunk_quantiles", quantiles)
        return self.write(k, "tau", [sum(quantiles) / chunks])[0]

    def epoch(self, k):
        for p in W:
            self.write_whole(k, f"mask_before/{p}", self.alive[p], np.uint8)
        self.steps(k)
        self.w = {p: self.write(k, f"weights_before/{p}", w) for p, w in self.w.items()}
        gradients = {p: [self.read(f"epoch/{k}/batch/{i}/grad/{p}") for i in range(BATCHES)] for p in W}
        self.write(k, "S_abs", [sum(abs(x) for batches in gradients.values() for g in batches for x in g)])  # Eq. 1
        g = {p: self.write(k, f"G/{p}", [sum(x * x for x in of_j) for of_j in zip(*batches)])  # Eq. 2
             for p, batches in gradients.items()}
        flat = [x for p in W for x in g[p]]
        [s_sq] = self.write(k, "S_sq", [sum(flat)])  # Eq. 3
        self.write(k, "S_F", [root(s_sq)])  # Eq. 4
        if self.method != "reset" and self.moves(k):
            self.rewind, self.k_star = {p: list(w) for p, w in self.w.items()}, k
        self.write_whole(k, "k_star", [self.k_star], np.int64)
        for p, w in self.rewind.items():
            self.write(k, f"rewind/{p}", w)
        tau, t = self.threshold(k, flat), k - self.k_star
        self.write_whole(k, "t", [t], np.int64)
        for p in SHAPES:
            if p in W:
                self.decay(k, p, [x < tau for x in g[p]], t)  # Eq. 5
            self.w[p] = self.write(k, f"weights_after/{p}", self.w[p])

    def decay(self, k, p, selected, t):
        """Eq. 9 and Alg. 6: what is selected and alive is rewound and decayed, and goes if that is below eps."""
        self.write_whole(k, f"selected/{p}", selected, np.uint8)
        for j in range(len(selected)):
            if selected[j] and self.alive[p][j]:
                decayed = Fraction(float(self.rewind[p][j] * self.hyper["lambda"] ** t))
                self.alive[p][j] = abs(decayed) >= self.hyper["eps"]
                self.w[p][j] = decayed if self.alive[p][j] else Fraction(0)
                self.v[p][j] = self.v[p][j] if self.alive[p][j] else Fraction(0)
        self.write_whole(k, f"mask/{p}", self.alive[p], np.uint8)


def root(x):
    """The square root to 70 digits and more."""
    scale = 4**240
    return Fraction(math.isqrt(x.numerator * scale // x.denominator), 2**240)


def expected(name, given):
    run = Run(name, given)
    for k in range(EPOCHS):
        run.epoch(k)
    return given | run.written
