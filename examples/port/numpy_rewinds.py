"""What the paper compares GDSTAR with: the same method with another rule for the rewind point W_k*."""

import numpy as np
from gdstar_trace import TraceWriter
from numpy_gdstar import Gdstar, Hyper, Weights


class Reset(Gdstar):
    """Table 2's reset to W_0: k* stays 0, and W_k* is W_0 in every epoch."""

    name = "reset"

    def update_rewind_point(self, k: int, S_F: np.float32, weights: Weights) -> None:
        pass


class RandomRewind(Gdstar):
    """A.7: every epoch becomes the rewind point with a fixed probability, whatever its gradients."""

    name = "random-rewind"
    more_hyper = {"rewind_probability": 0.1}

    def __init__(self, hyper: Hyper, prunable: Weights) -> None:
        super().__init__(hyper, prunable)
        self.rng = np.random.default_rng(7)

    def update_rewind_point(self, k: int, S_F: np.float32, weights: Weights) -> None:
        self.draw = self.rng.random()
        if self.draw < self.more_hyper["rewind_probability"]:
            self.k_star, self.rewind = k, self.capture(weights)

    def end_of_epoch(self, k: int, weights: Weights, momentum: Weights, trace: TraceWriter) -> None:
        super().end_of_epoch(k, weights, momentum, trace)
        trace.epoch(k, draw=self.draw)


REWINDS: dict[str, type[Gdstar]] = {"reset": Reset, "random-rewind": RandomRewind}
