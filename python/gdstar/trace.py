"""`Trace`: what a run of the method did, written to its file as it happens."""

import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ._safetensors import Writer
from ._trace_writer import (
    FORMS, INTEGERS, MASKS, OF_ALL, OF_PRUNABLE, SCALARS, TraceError, TraceWriter, _as_numpy, kept_of,
)  # fmt: skip
from ._whole import Whole

# What an epoch has an array of for every parameter.
ARRAYS = OF_ALL + OF_PRUNABLE
# About what a header says of one tensor, in bytes, beside its parameter's name.
DESCRIPTION = 112


class Trace(Whole, TraceWriter):
    """Writes the trace of a run at `path`. Tensors go to disk as they come, beside the place; `close`, or the end of the
    `with` block, puts the file there in one step, and a block that raises leaves nothing.

    `header` is what `TraceWriter` takes: hyper, dtype, producer, params, reading, arithmetic, optimizer, ... A large run is
    made small by choosing, once, and recording as ever: what is not chosen is passed over. Single numbers (S_F, k_star,
    alpha, tau, ..) are always kept.

    `epochs`: the epochs whose arrays are kept (weights, G, masks, rewind values). `gradients`: those whose batches are
    kept. `parameters`: the names outside `params` that are kept in `init`, `weights_before` and the like. None: all. `masks`
    and `sample`, of `TraceWriter`, keep masks in bits and, of all else, a share of the weights.

    >>> import numpy as np, tempfile, pathlib, gdstar
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "port.safetensors"
    >>> hyper = {"epochs": 2, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 0.0, "chunks": 1}
    >>> with gdstar.Trace(path, hyper=hyper, dtype="f64", producer="mine", params=["w"], epochs=[1]) as trace:
    ...     for k in range(2):
    ...         trace.epoch(k, G={"w": np.array([9.0, 16.0])}, S_sq=25.0, S_F=5.0)
    >>> report = gdstar.check(path)
    >>> report.verdict, report.details["compared"]
    ('PASS', 3)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        epochs: Collection[int] | None = None,
        gradients: Collection[int] | None = None,
        parameters: Collection[str] | None = None,
        **header: Any,
    ) -> None:
        self._path, self._epochs_with_arrays, self._gradients, self._parameters = path, epochs, gradients, parameters
        self._left: tuple[int, dict[str, np.ndarray]] | None = None  # the masks of an epoch whose arrays are not kept
        super().__init__(**header)

    @staticmethod
    def estimate(
        weights: Mapping[str, Any],
        *,
        hyper: Mapping[str, float],
        params: Collection[str],
        batches: int,
        dtype: str = "f32",
        epochs: Collection[int] | None = None,
        gradients: Collection[int] | None = None,
        parameters: Collection[str] | None = None,
        masks: str = "bytes",
        sample: float | None = None,
        least: int = 1024,
    ) -> int:
        """The bytes, before anything is recorded, of a trace of these parameters with all that `init`, `batch` and `epoch`
        take but weights within an epoch and batches' inputs: hardly less than the file will have. `batches`: of an epoch;
        the others as for `Trace`; of `weights` the shapes count.

        >>> import numpy as np, gdstar
        >>> resnet18 = {"weights": np.broadcast_to(np.float32(0), 11_173_962)}
        >>> hyper = {"epochs": 300, "chunks": 1, "batch_size": 128}
        >>> gdstar.Trace.estimate(resnet18, hyper=hyper, params=["weights"], batches=391) // 10**9
        5306
        >>> chosen = {"epochs": range(0, 300, 38), "gradients": []}
        >>> gdstar.Trace.estimate(resnet18, hyper=hyper, params=["weights"], batches=391, **chosen) // 10**9
        1
        """
        width, total = (8 if dtype == "f64" else 4), int(hyper["epochs"])
        sizes = {
            name: math.prod(np.shape(w))
            for name, w in weights.items()
            if parameters is None or name in parameters or name in params
        }
        kept = {name: kept_of(name, n, sample, least) for name, n in sizes.items()}
        everything, prunable = sum(kept.values()), sum(kept[name] for name in params)
        flags = sum(sizes[name] if masks == FORMS[0] else -(-sizes[name] // 8) for name in params)

        def of(chosen: Collection[int] | None) -> int:
            return total if chosen is None else len(chosen)

        chunks = int(hyper.get("chunks", 1))
        arrays = width * (len(OF_ALL) * everything + prunable) + len(MASKS) * flags
        numbers = width * (len(SCALARS) + chunks) + 8 * len(INTEGERS)
        gradient = width * (everything + 1) + 8 * int(hyper.get("batch_size", 0))
        described = sum(DESCRIPTION + len(name) for name in sizes)
        first = (width if sample is None else width + 8) * everything + (1 if sample is None else 2) * described
        once = first + total * (numbers + (len(SCALARS) + len(INTEGERS) + 1) * DESCRIPTION)
        with_arrays = of(epochs) * (arrays + len(ARRAYS) * described)
        return once + with_arrays + of(gradients) * batches * (gradient + described + 2 * DESCRIPTION)

    def batch(self, k: int, i: int, *quantities: Any, **named: Any) -> None:
        """As of `TraceWriter`, where the epoch's batches are kept."""
        if self._gradients is None or k in self._gradients:
            super().batch(k, i, *quantities, **named)

    def epoch(self, k: int, **quantities: Any) -> None:
        """As of `TraceWriter`; of an epoch whose arrays are not kept the numbers alone, and its masks where the next
        epoch's arrays are: they are that epoch's `mask_before`, unless it is told another.
        """
        if self._epochs_with_arrays is None or k in self._epochs_with_arrays:
            if "mask_before" in quantities:
                self._left = None
            if "mask" in quantities and self._left is not None and self._left[0] == k - 1:
                quantities["mask_before"] = self._left[1]
        else:
            if "mask" in quantities:
                self._left = k, {name: np.array(_as_numpy(mask)[0]) for name, mask in quantities["mask"].items()}
            quantities = {name: value for name, value in quantities.items() if name not in ARRAYS}
        super().epoch(k, **quantities)

    def close(self) -> None:
        """Puts the file at its path, whole."""
        for name in self._params:
            if name not in self._shapes:
                self._writer.abandon()
                raise TraceError(f"{self._path}: nothing was recorded of `{name}`, which is in params")
        self._writer.close({"gdstar": self._header()})

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Refused: a `Trace` has its path from the beginning."""
        raise TraceError(f"{path}: expected close(), which puts the trace at {self._path}, found save()")

    def _begin(self, folder: str | os.PathLike[str]) -> None:
        epochs = self._epochs if self._epochs_with_arrays is None else len(self._epochs_with_arrays)
        arrays = len(self._params) * epochs
        self._writer = Writer(self._path, room=len(self._header()) + DESCRIPTION * (16 * self._epochs + 8 * arrays))

    def _store(self, place: str, data: memoryview) -> None:
        stored = self._tensors[place]
        self._writer.put(place, stored["dtype"], stored["shape"], data)

    def _put_each(self, place: str, arrays: Any, kind: type, only_prunable: bool = False) -> None:
        if isinstance(arrays, Mapping) and self._parameters is not None:
            kept = {*self._params, *self._parameters}
            arrays = {name: array for name, array in arrays.items() if name in kept}
        super()._put_each(place, arrays, kind, only_prunable)
