"""Writes the trace of a method other than GDSTAR, so that `gdstar check` can judge it. Copy it beside your code.

    trace = Recorder("rigl", hyper, params=["fc1.weight", "fc2.weight"])
    trace.run(init=weights, init_draw=draws)              # what belongs to the whole run
    trace.step(t, weights_before=weights, grad=grads)     # what belongs to step t, in as many calls as you like
    trace.save("port.safetensors")                        # then: gdstar check port.safetensors

A dict from parameter name to array becomes one tensor a parameter, everything else one tensor. Arrays are copied when
they are handed over, so later in-place updates do no harm. Names of tensors and hyper-parameters: `docs/trace.md`.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import save_file


class Recorder:
    """Collects one run and writes it as one file."""

    def __init__(self, method: str, hyper: Mapping[str, Any], params: list[str], dtype: str = "f32",
                 reading: Mapping[str, Any] | None = None) -> None:
        """`params`: the prunable parameters in the order of W. `reading`: where the port departs from the defaults."""
        self.header = {"format": "gdstar-trace/1", "producer": f"examples/port/methods/{method}.py", "method": method,
                       "dtype": dtype, "hyper": dict(hyper), "reading": dict(reading or {}), "params": list(params)}
        self.tensors: dict[str, np.ndarray] = {}

    def run(self, **quantities: Any) -> None:
        """What is recorded once: `init`, `init_draw`, `rewind`, `sparsity`, `init_mask`, ..."""
        for name, value in quantities.items():
            self._put(name, value)

    def step(self, t: int, **quantities: Any) -> None:
        """Operands and results of step (level, candidate, episode) t."""
        for name, value in quantities.items():
            self._put(f"step/{t}/{name}", value)

    def save(self, path: str) -> None:
        save_file(self.tensors, path, metadata={"gdstar": json.dumps(self.header)})

    def _put(self, name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, part in value.items():
                self._put(f"{name}/{key}", part)
            return
        array = np.array(value, order="C")
        if array.ndim == 0:
            array = array.reshape(1)
        if array.dtype == bool:
            array = array.astype(np.uint8)
        if name in self.tensors:
            raise ValueError(f"{name}: recorded twice")
        self.tensors[name] = array
