"""`StepTrace`: what a run of a method that acts on steps did, written to its file as it happens."""

import json
import os
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from ._safetensors import Writer
from ._trace_writer import STORED, TraceError, _as_numpy
from ._whole import Whole


class StepTrace(Whole):
    """Writes the trace of RigL, GMP, SET, Procrustes, the Lottery Ticket or another method that acts on steps; docs/trace.md has
    each one's tensors. Tensors go to disk as they come, and the file is at `path` when the block has ended, or never.

    `hyper` and `reading` are the method's, `params` the prunable parameters in the order of W; `header` takes what the
    header may have besides (`nesterov`, `arithmetic`, ..). `steps`: those that are kept, as in `steps=range(0, 10**6, 1000)`;
    of the others nothing is written. None: all. What was not recorded is not judged.

    >>> import numpy as np, tempfile, pathlib, gdstar
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "lmc.safetensors"
    >>> with gdstar.StepTrace(path, "lmc", hyper={"points": 3}, dtype="f64", producer="mine", params=[]) as trace:
    ...     trace.step(0, loss=np.array([1.0, 2.0, 3.0]), barrier=np.float64(0.0))
    >>> gdstar.check(path).details["producer"]
    'mine'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        method: str,
        *,
        hyper: Mapping[str, Any],
        params: Sequence[str],
        dtype: str,
        producer: str,
        reading: Mapping[str, Any] | None = None,
        steps: Container[int] | None = None,
        **header: Any,
    ) -> None:
        self._steps = steps
        self._recorded: set[str] = set()
        described = {"format": "gdstar-trace/1", "producer": producer, "method": method, "dtype": dtype}
        described |= {"hyper": dict(hyper), "reading": dict(reading or {}), "params": list(params), **header}
        # NumPy's and PyTorch's scalars are written as the numbers they are.
        self._header = json.dumps(described, allow_nan=False, default=lambda scalar: scalar.item())
        self._writer = Writer(path, room=1 << 16)

    def run(self, **quantities: Any) -> None:
        """What the run has once: `init`, `init_mask`, `sparsity`, .. A dict from parameter to array is a tensor for each."""
        for name, value in quantities.items():
            self._put(name, value)

    def step(self, t: int, **quantities: Any) -> None:
        """Operands and results of step (level, candidate, episode) t, in as many calls as there are occasions."""
        if self._steps is None or t in self._steps:
            for name, value in quantities.items():
                self._put(f"step/{t}/{name}", value)

    def close(self) -> None:
        """Puts the file at its path, whole."""
        self._writer.close({"gdstar": self._header})

    def _put(self, place: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for parameter, part in value.items():
                self._put(f"{place}/{parameter}", part)
            return
        array, _ = _as_numpy(value)
        if array.dtype == bool:
            array = array.astype(np.uint8)
        elif array.dtype.kind in "iu" and array.dtype != np.uint8:
            array = array.astype(np.int64)
        if array.ndim == 0:
            array = array.reshape(1)
        stored = STORED.get(array.dtype.newbyteorder("="))
        if stored is None:
            raise TraceError(f"{place}: expected numbers or truth values, found {array.dtype}")
        if place in self._recorded:
            raise TraceError(f"{place}: recorded twice")
        self._recorded.add(place)
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        self._writer.put(place, stored, array.shape, memoryview(little.reshape(-1).view(np.uint8)))
