"""Mistakes that ports make, each planted in one method of the NumPy port: `numpy_port.py --fault NAME`.

None of them crashes, and with all of them the loss goes down; `docs/porting-mistakes.md` shows what the checker says.
Run as a program, this lists the names.
"""

import numpy as np
from numpy_gdstar import Gdstar, Weights


class RateReachesItsEnd(Gdstar):
    """Eq. 8 with K - 1 in the denominator, so that the last epoch, k = K - 1, gets alpha_K."""

    def prune_rate(self, k: int) -> float:
        return self.hyper.alpha_0 + k / (self.hyper.epochs - 1) * (self.hyper.alpha_K - self.hyper.alpha_0)


class AbsoluteGradient(Gdstar):
    """Eq. 2 with |g| for g^2."""

    def squared(self, gradient: np.ndarray) -> np.ndarray:
        return np.abs(gradient)


class AccumulatorNotReset(Gdstar):
    """Eq. 2 over all epochs so far: G is not set to 0 when an epoch begins."""

    def reset(self) -> None:
        if not hasattr(self, "G"):
            super().reset()
        self.S_abs = np.float32(0)


class AliasedRewind(Gdstar):
    """Alg. 4 without the copy, as PyTorch's `state_dict()` gives it: W_k* follows the live weights."""

    def capture(self, weights: Weights) -> Weights:
        return {name: weights[name] for name in self.mask}


class StaleMomentum(Gdstar):
    """The mask is not applied after an optimizer step: momentum revives eliminated weights."""

    def enforce(self, weights: Weights, momentum: Weights) -> None:
        pass


FAULTS: dict[str, type[Gdstar]] = {
    "rate-reaches-its-end": RateReachesItsEnd,
    "absolute-gradient": AbsoluteGradient,
    "accumulator-not-reset": AccumulatorNotReset,
    "aliased-rewind": AliasedRewind,
    "stale-momentum": StaleMomentum,
}

if __name__ == "__main__":
    print(*FAULTS)
