"""GDSTAR in plain NumPy: section 3 of the paper, one method per equation, in f32.

Every open point is read as `docs/open-points.md` reads it by default. Arrays are kept by parameter name; "flattened"
means one after the other in the order of `mask`, each row-major.
"""

from dataclasses import dataclass

import numpy as np
from gdstar_trace import TraceWriter

Weights = dict[str, np.ndarray]


@dataclass
class Hyper:
    """Section 4 of the paper, but for K, C (so that Eq. 7 has a mean to take) and eps (so that ten epochs prune)."""

    epochs: int = 10
    alpha_0: float = 0.95
    alpha_K: float = 0.25
    lambda_: float = 0.75
    eps: float = 1e-3
    chunks: int = 3
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    batch_size: int = 128

    def header(self) -> dict[str, float]:
        """As a trace names them."""
        return {key.rstrip("_"): value for key, value in vars(self).items()}


class Gdstar:
    """The method's state between batches and epochs."""

    name = "gdstar"
    more_hyper: dict[str, float] = {}  # what a variant of it has besides

    def __init__(self, hyper: Hyper, prunable: Weights) -> None:
        """`prunable`: W_0, the parameters that can be pruned."""
        self.hyper = hyper
        self.mask = {name: np.ones(w.shape, dtype=bool) for name, w in prunable.items()}  # True: alive
        self.minimum = np.float32(np.inf)  # m, Alg. 4, line 1
        self.k_star = 0
        self.rewind = self.capture(prunable)  # W_k*: W_0 until the first update
        self.reset()

    # Section 3.1: the size of an epoch's gradients, and the rewind point

    def reset(self) -> None:
        """G and S_abs start every epoch at 0 (Alg. 4, line 3)."""
        self.G = {name: np.zeros(mask.shape, dtype=np.float32) for name, mask in self.mask.items()}
        self.S_abs = np.float32(0)

    def observe(self, gradients: Weights) -> None:
        """Eq. 1, 2: S_abs += sum_j |g_j|, G_j += g_j^2, with the gradient of the loss before weight decay."""
        for name in self.mask:
            self.S_abs += np.abs(gradients[name]).sum()
            self.G[name] += self.squared(gradients[name])

    def squared(self, gradient: np.ndarray) -> np.ndarray:
        """Eq. 2's summand, g_j^2."""
        return gradient * gradient

    def sum_of_squares(self) -> np.float32:
        """Eq. 3: S_sq = sum_j G_j."""
        return self.flattened_G().sum()

    def frobenius_norm(self, S_sq: np.float32) -> np.float32:
        """Eq. 4: S_F = sqrt(S_sq)."""
        return np.sqrt(S_sq)

    def update_rewind_point(self, k: int, S_F: np.float32, weights: Weights) -> None:
        """Alg. 4, lines 10 to 14: a new minimum of S_F makes this epoch the rewind point."""
        if S_F < self.minimum:
            self.minimum, self.k_star = S_F, k
            self.rewind = self.capture(weights)

    def capture(self, weights: Weights) -> Weights:
        """W_k* <- W (Alg. 4, line 13): a copy, since training updates the weights in place."""
        return {name: weights[name].copy() for name in self.mask}

    # Section 3.2: which weights are selected

    def prune_rate(self, k: int) -> float:
        """Eq. 8: alpha_k = alpha_0 + (k/K) (alpha_K - alpha_0)."""
        return self.hyper.alpha_0 + k / self.hyper.epochs * (self.hyper.alpha_K - self.hyper.alpha_0)

    def chunk_quantiles(self, alpha: float) -> np.ndarray:
        """Eq. 6: the alpha-quantile of each of C near-equal chunks of the flattened G.

        In f64: for f32 data NumPy rounds alpha to f32, which moves the rank by up to N 2^-24.
        """
        chunks = np.array_split(self.flattened_G().astype(np.float64), self.hyper.chunks)
        return np.array([np.quantile(chunk, alpha) for chunk in chunks], dtype=np.float32)

    def threshold(self, chunk_quantiles: np.ndarray) -> np.float32:
        """Eq. 7: tau = (1/C) sum_c q_c."""
        return chunk_quantiles.mean()

    def select(self, tau: np.float32) -> dict[str, np.ndarray]:
        """Eq. 5: W_tau = {w_j | G_j < tau}, strictly."""
        return {name: G < tau for name, G in self.G.items()}

    # Section 3.3: rewinding, decay, elimination

    def decay_step(self, k: int) -> int:
        """Alg. 6, line 2: t = k - k*."""
        return k - self.k_star

    def decayed(self, w_star: np.ndarray, t: int) -> np.ndarray:
        """Alg. 6, line 4: w_j* lambda^t."""
        return w_star * np.float32(self.hyper.lambda_**t)

    def prune(self, weights: Weights, selected: dict[str, np.ndarray], t: int) -> None:
        """Eq. 9, Alg. 6: a selected weight becomes w_j* lambda^t, or 0 and eliminated where that is below eps."""
        for name, alive in self.mask.items():
            decayed = self.decayed(self.rewind[name], t)
            is_small = np.abs(decayed) < self.hyper.eps
            chosen = selected[name] & alive
            weights[name][chosen] = np.where(is_small, 0, decayed)[chosen]
            self.mask[name] = alive & ~(chosen & is_small)

    def enforce(self, weights: Weights, momentum: Weights) -> None:
        """Eliminated weights "remain excluded throughout training": after every optimizer step they are 0 again, and
        their momentum with them, lest it revive them."""
        for name, alive in self.mask.items():
            weights[name][~alive] = 0
            momentum[name][~alive] = 0

    # The end of an epoch: Alg. 4, then Alg. 5, then Alg. 6

    def end_of_epoch(self, k: int, weights: Weights, momentum: Weights, trace: TraceWriter) -> None:
        """Rewind point, selection, pruning. Every quantity is recorded as it was used, before anything changes it."""
        trace.epoch(k, weights_before=weights, mask_before=self.mask, min_before=self.minimum)
        S_sq = self.sum_of_squares()
        S_F = self.frobenius_norm(S_sq)
        self.update_rewind_point(k, S_F, weights)
        trace.epoch(k, S_abs=self.S_abs, G=self.G, S_sq=S_sq, S_F=S_F, k_star=self.k_star, rewind=self.rewind)
        alpha = self.prune_rate(k)
        chunk_quantiles = self.chunk_quantiles(alpha)
        tau = self.threshold(chunk_quantiles)
        selected = self.select(tau)
        t = self.decay_step(k)
        trace.epoch(k, alpha=alpha, chunk_quantiles=chunk_quantiles, tau=tau, selected=selected, t=t)
        self.prune(weights, selected, t)
        self.enforce(weights, momentum)
        trace.epoch(k, weights_after=weights, mask=self.mask)
        self.reset()

    def flattened_G(self) -> np.ndarray:
        """G as one vector `[N]`."""
        return np.concatenate([G.ravel() for G in self.G.values()])

    def sparsity(self) -> float:
        """The share of eliminated weights."""
        return 1 - float(np.concatenate([alive.ravel() for alive in self.mask.values()]).mean())
