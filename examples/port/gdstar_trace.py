"""Writes a GDSTAR training run as a trace (format `gdstar-trace/1`) that `gdstar check` can judge.

Copy this file beside your code; it needs numpy alone. Arrays may be NumPy's, PyTorch's (any device, with or without
`requires_grad`) or anything that `numpy.asarray` takes. Each goes to disk when it is handed over: later in-place updates
do no harm, and memory holds no more than one. What a quantity means and when to record it: `docs/porting.md`.

    trace = TraceWriter(hyper=..., dtype="f32", producer="my port", params=["fc1.weight", "fc2.weight"])
    trace.expected_size(weights, batches=391)      # in bytes, before anything is recorded
    trace.init(weights)                            # W_0
    trace.batch(k, i, indices, loss, grads)        # every batch, after backward, before the optimizer's step
    trace.epoch(k, weights_before=weights)         # after the last batch; epoch k may be told in several calls
    trace.epoch(k, G=G, S_F=S_F, mask=mask, ...)   # what the method computed
    trace.save("port.safetensors")                 # then: gdstar check port.safetensors
"""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# What a trace can follow, and the hyper-parameters that each has besides (numpy_rewinds.py).
METHODS: dict[str, tuple[str, ...]] = {"gdstar": (), "reset": (), "random-rewind": ("rewind_probability",)}
METHOD = ("epochs", "alpha_0", "alpha_K", "lambda", "eps", "chunks")
OPTIMIZER = ("lr", "momentum", "weight_decay", "batch_size")  # without these the optimizer's steps are not checked
ARITHMETIC = ("u_in", "u_acc", "u_out", "fma", "ftz")
# The paper's open points, the default first (docs/open-points.md).
READING: dict[str, tuple[Any, ...]] = {
    "epoch_origin": (0, 1),
    "quantile": ("linear", "lower", "higher", "nearest", "midpoint"),
    "chunking": ("near-equal", "ceil"),
    "masked_gradient": ("dense", "zero", "excluded"),
    "prunable": ("weights", "weights+biases", "all"),
    "rewind_copy": ("copy", "alias"),
    "decay_step": ("k-k*", "constant", "epoch", "iteration", "rewind-epoch"),
    "threshold": ("selected", "all"),
    "momentum_on_prune": ("zero", "keep", "zero-selected"),
    "gradient": ("loss", "loss+decay"),
    "rewind_update": ("before-pruning", "after-pruning"),
    "learning_rate": ("per-epoch", "per-step"),
    "last_batch": ("keep", "drop"),
}
# What the optimizer's steps are, where they are not SGD's on a cosine; the default first.
OPTIMIZERS = ("sgd", "other")
SCHEDULES = ("cosine", "constant", "other")  # or a list of rates
CLIPS = ("norm", "value")  # each with its bound; or "recorded"
FORMS = ("bytes", "packed")  # of masks: a byte a weight, or a bit
SHARES = (1e-4, 1.0)  # of a sample, the least and the most
BLOCK = 1 << 20  # coordinates that are looked at together
# What an epoch can hold.
OF_ALL = ("weights_before", "weights_after", "rewind")  # an array for every prunable parameter, and any others
OF_PRUNABLE = ("G", "mask_before", "selected", "mask")  # an array for every prunable parameter
MASKS = OF_PRUNABLE[1:]
SCALARS = ("S_abs", "S_sq", "S_F", "min_before", "alpha", "tau", "draw")  # draw: random-rewind's
INTEGERS = ("k_star", "t")
EPOCH = (*OF_ALL, *OF_PRUNABLE, *SCALARS, *INTEGERS, "chunk_quantiles")

SCALAR, LIST = (1,), (-1,)  # shapes: a single number, any number of numbers
STORED = {np.dtype(np.float32): "F32", np.dtype(np.float64): "F64", np.dtype(np.int64): "I64", np.dtype(np.uint8): "U8"}


class TraceError(ValueError):
    """Something that does not belong in a trace; the message says where, and what does."""


class TraceWriter:
    """Collects one run and writes it as one file."""

    def __init__(
        self,
        *,
        hyper: Mapping[str, float],
        dtype: str,
        producer: str,
        params: Sequence[str],
        reading: Mapping[str, Any] | None = None,
        arithmetic: Mapping[str, Any] | None = None,
        model: str | None = None,
        dataset: str | None = None,
        not_prunable: Sequence[str] = (),
        optimizer: str | None = None,
        clip: str | Mapping[str, float] | None = None,
        schedule: str | Sequence[float] | None = None,
        no_decay: Collection[str] | None = None,
        nesterov: bool = False,
        label_smoothing: float = 0.0,
        folder: str | os.PathLike[str] = ".",
        method: str = "gdstar",
        masks: str = "bytes",
        sample: float | None = None,
        least: int = 1024,
    ) -> None:
        """`hyper`: all of `METHOD` and, for Alg. 1, of `OPTIMIZER`; and what `method`, one of `METHODS`, has besides.
        `dtype`: "f32" or "f64", the precision computed in.
        `params`: the names of the prunable parameters, in the order in which G is flattened and cut into chunks.
        `reading`: the open points on which the run departs from the defaults. `arithmetic`: where roundings are not
        those of `dtype`. `model`, `dataset`: names that `gdstar train` knows; with them losses and gradients can be
        recomputed. `not_prunable`: the names of parameters that are left out of `params` on purpose, although the
        reading's `prunable` has them in W.

        What the optimizer's steps are, if they are not `torch.optim.SGD`'s on a cosine: `optimizer`, one of
        `OPTIMIZERS`; `clip`, `{"norm": c}` or `{"value": c}` of the recorded gradients, or "recorded" if those are
        clipped already; `schedule`, one of `SCHEDULES` or the learning rates, one an epoch or one a step as `reading`
        says; `no_decay`, the names of the parameters without weight decay; `nesterov`, as PyTorch's argument.
        `label_smoothing`: that of the loss, as `torch.nn.CrossEntropyLoss` takes it.

        A large run is kept small by `masks`, one of `FORMS`, and by `sample`: the share of each parameter's weights that
        is kept, chosen by a hash of name and place; of a parameter at least about `least`, and masks of all weights. What
        is recorded is thinned as it comes; docs/oracle.md says what a sample proves.

        `folder`: where the tensors are kept until they are saved, in a file without a name, which goes with the process.
        """
        reading, arithmetic = dict(reading or {}), dict(arithmetic or {})
        _one_of("method", method, METHODS)
        known = METHOD + METHODS[method]
        _exactly("hyper", hyper, known if set(hyper).isdisjoint(OPTIMIZER) else known + OPTIMIZER)
        _one_of("dtype", dtype, ("f32", "f64"))
        for key, value in reading.items():
            _one_of("reading", key, READING)
            _one_of(f"reading[{key!r}]", value, READING[key])
        for key in arithmetic:
            _one_of("arithmetic", key, ARITHMETIC)
        _one_of("optimizer", OPTIMIZERS[0] if optimizer is None else optimizer, OPTIMIZERS)
        _check_schedule(SCHEDULES[0] if schedule is None else schedule)
        _check_clip(clip)
        _one_of("masks", masks, FORMS)
        if sample is not None and not SHARES[0] <= sample <= SHARES[1]:
            raise TraceError(f"sample: expected None or a share from {SHARES[0]} to {SHARES[1]}, found {sample!r}")
        if least < 0:
            raise TraceError(f"least: expected a number of weights, found {least!r}")
        if not 0 <= label_smoothing <= 1:
            raise TraceError(f"label_smoothing: expected a number in [0, 1], found {label_smoothing!r}")
        if isinstance(params, str) or not params or len(set(params)) != len(params):
            raise TraceError(f"params: expected a list of different parameter names, found {params!r}")
        if isinstance(not_prunable, str) or set(not_prunable) & set(params):
            raise TraceError(f"not_prunable: expected a list of names that are not in params, found {not_prunable!r}")
        self._params, self._dtype, self._arithmetic = list(params), dtype, arithmetic
        self._first = reading.get("epoch_origin", 0)
        self._epochs = int(hyper["epochs"])
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._masks, self._sample, self._least = masks, None if sample is None else float(sample), int(least)
        self._coordinates: dict[str, np.ndarray] = {}  # of each parameter, which are kept
        self._batches: dict[int, int] = {}  # of each epoch, how many
        self._grad_names: dict[int, list[str]] = {}  # of each epoch, whose gradients every batch holds
        self._size = 0  # of all tensors so far
        self._tensors: dict[str, dict[str, Any]] = {}  # of each, what the file's header says
        header = {"format": "gdstar-trace/1", "producer": producer, "dtype": dtype,
                  "method": None if method == "gdstar" else method, "arithmetic": arithmetic or None,
                  "hyper": dict(hyper), "reading": reading, "model": model, "dataset": dataset, "params": self._params,
                  "optimizer": optimizer, "clip": dict(clip) if isinstance(clip, Mapping) else clip,
                  "schedule": schedule if schedule is None or isinstance(schedule, str) else list(schedule),
                  "no_decay": None if no_decay is None else sorted(no_decay),
                  "nesterov": bool(nesterov) or None, "label_smoothing": float(label_smoothing) or None,
                  "not_prunable": list(not_prunable) or None, "masks": None if masks == FORMS[0] else masks,
                  "sample": None if sample is None else {"share": self._sample, "least": self._least}}
        self._described = {key: value for key, value in header.items() if value is not None}
        self._header()  # what JSON has no words for is refused at once
        self._begin(folder)

    def expected_size(self, weights: Mapping[str, Any], batches: int, gradient_epochs: int | None = None) -> int:
        """The bytes of a trace of all epochs with everything that `epoch` takes of these parameters, and the gradients of
        every one of `batches` batches in `gradient_epochs` epochs (None: all of them). Indices and the header come on
        top of it. While `save` works, the disk holds that twice.
        """
        width = 8 if self._dtype == "f64" else 4
        entries = {name: math.prod(np.shape(w)) for name, w in weights.items()}
        kept = {name: kept_of(name, n, self._sample, self._least) for name, n in entries.items()}
        everything, prunable = sum(kept.values()), sum(kept[name] for name in self._params)
        masks = sum(entries[name] if self._masks == FORMS[0] else -(-entries[name] // 8) for name in self._params)
        epoch = width * (2 * everything + 2 * prunable) + 3 * masks  # weights before and after, W_k*, G; three masks
        with_gradients = self._epochs if gradient_epochs is None else gradient_epochs
        once = (width if self._sample is None else width + 8) * everything
        return once + width * everything * batches * with_gradients + self._epochs * epoch

    def init(self, weights: Mapping[str, Any]) -> None:
        """W_0: every trained parameter before the first step."""
        self._put_each("init", weights, float)

    def batch(
        self,
        k: int,
        i: int,
        indices: Any = None,
        loss: Any = None,
        grads: Mapping[str, Any] | None = None,
        weights: Mapping[str, Any] | None = None,
        input: Any = None,
        labels: Any = None,
    ) -> None:
        """Batch i of epoch k: which samples, their mean loss, and its gradient before weight decay is added; and, in any
        batches, the weights that it was taken at, which are 0 where the mask is, and the batch itself: its `input` as the
        network saw it, and its `labels`.
        """
        self._check_epoch(k)
        due = self._batches.get(k, 0)
        if i != due:
            raise TraceError(f"epoch {k}: batch {i} where {due} is due; record every batch once, from 0 in every epoch")
        names = sorted(grads or {})
        if self._grad_names.setdefault(k, names) != names:
            raise TraceError(f"epoch {k}, batch {i}: gradients of {names}, in batch 0 of {self._grad_names[k]}; record "
                             "the same in every batch of an epoch, or none")
        self._batches[k] = i + 1
        place = f"epoch/{k}/batch/{i}"
        if indices is not None:
            self._put(f"{place}/indices", indices, int, LIST)
        if loss is not None:
            self._put(f"{place}/loss", loss, float, SCALAR)
        if grads is not None:
            self._put_each(f"{place}/grad", grads, float)
        if weights is not None:
            self._put_each(f"{place}/weights", weights, float)
        if input is not None:
            self._put(f"{place}/input", input, float, None)
        if labels is not None:
            self._put(f"{place}/labels", labels, int, LIST)

    def epoch(self, k: int, **quantities: Any) -> None:
        """Quantities of epoch k, by the names in `EPOCH`; those of parameters as a dict from name to array."""
        self._check_epoch(k)
        for name, value in quantities.items():
            _one_of(f"epoch {k}", name, EPOCH)
            place = f"epoch/{k}/{name}"
            if name in OF_ALL + OF_PRUNABLE:
                self._put_each(place, value, bool if name in MASKS else float, only_prunable=name in OF_PRUNABLE)
            else:
                shape = LIST if name == "chunk_quantiles" else SCALAR
                self._put(place, value, int if name in INTEGERS else float, shape)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes what is recorded so far. In one step: at `path` is the old file or the new one, never half of one.
        Recording may go on after it.
        """
        path = Path(path)
        for name in self._params:
            if name not in self._shapes:
                raise TraceError(f"{path}: nothing was recorded of `{name}`, which is in params")
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            header = json.dumps({"__metadata__": {"gdstar": self._header()}} | self._tensors).encode()
            header += b" " * (-len(header) % 8)  # tensors start aligned
            with part.open("wb") as file:
                file.write(len(header).to_bytes(8, "little") + header)
                self._data.seek(0)
                shutil.copyfileobj(self._data, file, 1 << 24)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
            self._data.seek(self._size)
        return path

    def _header(self) -> str:
        shapes = {} if self._sample is None else {"shapes": {name: list(shape) for name, shape in self._shapes.items()}}
        # NumPy's and PyTorch's scalars are written as the numbers they are.
        return json.dumps(self._described | shapes, allow_nan=False, default=lambda scalar: scalar.item())

    def _check_epoch(self, k: int) -> None:
        last = self._first + self._epochs - 1
        if not self._first <= k <= last:
            raise TraceError(f"epoch {k}: expected {self._first} to {last}, by hyper['epochs'] = {self._epochs} and "
                             f"reading['epoch_origin'] = {self._first}")

    def _put_each(self, place: str, arrays: Any, kind: type, only_prunable: bool = False) -> None:
        """One tensor a parameter, `<place>/<parameter>`."""
        if not isinstance(arrays, Mapping):
            raise TraceError(f"{place}: expected a dict from parameter name to array, found {type(arrays).__name__}")
        _exactly(place, arrays if only_prunable else arrays.keys() & self._params, self._params)
        for name, array in arrays.items():
            self._shapes[name] = self._put(f"{place}/{name}", array, kind, self._shapes.get(name), name)

    def _put(
        self, place: str, value: Any, kind: type, shape: tuple[int, ...] | None, parameter: str | None = None
    ) -> tuple[int, ...]:
        """Writes one tensor, of `shape` unless that is None, or what is kept of it if it is a parameter's; returns its
        shape.
        """
        if place in self._tensors:
            raise TraceError(f"{place}: recorded twice")
        array, is_half = _as_numpy(value)
        if kind is float:
            array = self._check_float(place, array, is_half)
        else:
            array = _as_integers(place, array, kind)
        if shape == SCALAR and array.size == 1:
            array = array.reshape(1)
        expected = (array.size,) if shape == LIST else shape
        if expected not in (None, array.shape):
            raise TraceError(f"{place}: expected shape {list(expected)}, found {list(array.shape)}")
        whole = array.shape
        if parameter is not None:
            array = self._thinned(parameter, array, kind)
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        start, self._size = self._size, self._size + array.nbytes
        self._tensors[place] = {"dtype": STORED[array.dtype.newbyteorder("=")], "shape": list(array.shape),
                                "data_offsets": [start, self._size]}
        self._store(place, memoryview(little.reshape(-1).view(np.uint8)))
        return whole

    def _thinned(self, parameter: str, array: np.ndarray, kind: type) -> np.ndarray:
        """What is kept of a parameter's tensor."""
        if kind is bool:
            return array if self._masks == FORMS[0] else np.packbits(array.reshape(-1), bitorder="little")
        if self._sample is None:
            return array
        if parameter not in self._coordinates:
            kept = self._coordinates[parameter] = coordinates(parameter, array.size, self._sample, self._least)
            self._put(f"sample/{parameter}", kept, int, LIST)
        return array.reshape(-1)[self._coordinates[parameter]]

    def _begin(self, folder: str | os.PathLike[str]) -> None:
        """Makes room for tensors on the disk."""
        self._data = tempfile.TemporaryFile(dir=folder)

    def _store(self, place: str, data: memoryview) -> None:
        """Brings the bytes of the tensor `place` there."""
        self._data.write(data)

    def _check_float(self, place: str, array: np.ndarray, is_half: bool) -> np.ndarray:
        if array.dtype.kind in "iu" and array.size == 1:
            array = array.astype(np.float64)  # a Python integer, as in alpha=1
        if array.dtype.kind != "f":
            raise TraceError(f"{place}: expected floating-point numbers, found {array.dtype}")
        if is_half and "/grad/" not in place:
            raise TraceError(f"{place}: only gradients can have 16 bits; record what the method computed with")
        if is_half and "u_in" not in self._arithmetic:
            raise TraceError(f"{place}: 16-bit gradients need arithmetic={{'u_in': ...}}: 0 if the method squares "
                             "these very numbers; 2**-8 (bfloat16) or 2**-11 (float16) if it squares wider ones, of "
                             "which these are the rounding")
        is_narrow = self._dtype == "f64" and array.dtype != np.float64
        if is_narrow and not {"u_in", "u_out"} & self._arithmetic.keys():
            raise TraceError(f"{place}: {array.dtype} in a trace of dtype f64; record what was computed, or declare "
                             "the rounding, as in arithmetic={'u_out': 2**-24}")
        return array


def coordinates(parameter: str, n: int, share: float, least: int) -> np.ndarray:
    """The coordinates that a sample has of a parameter of n entries, as docs/trace.md defines them."""
    if n <= least or share == 1:
        return np.arange(n)
    seed, wrap = 0xCBF29CE484222325, (1 << 64) - 1
    for byte in parameter.encode():
        seed = (seed ^ byte) * 0x100000001B3 & wrap
    threshold, found = max(share, least / n), []
    for start in range(0, n, BLOCK):
        j = np.arange(start, min(start + BLOCK, n), dtype=np.uint64)
        z = np.uint64(seed) + (j + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
        found.append(start + np.flatnonzero((z >> np.uint64(11)) * 2.0**-53 < threshold))
    return np.concatenate(found)


def kept_of(parameter: str, n: int, share: float | None, least: int) -> int:
    """How many entries of a parameter are kept."""
    return n if share is None else len(coordinates(parameter, n, share, least))


def _as_numpy(value: Any) -> tuple[np.ndarray, bool]:
    """A copy in row-major order, and whether the numbers have 16 bits: those are widened to float32, which is exact."""
    if hasattr(value, "detach"):  # a PyTorch tensor; its bfloat16 has no counterpart in NumPy
        value = value.detach().cpu()
        is_half = str(value.dtype) in ("torch.bfloat16", "torch.float16")
        return np.array((value.float() if is_half else value).numpy(), order="C"), is_half
    array = np.asarray(value)
    is_half = array.dtype.name in ("bfloat16", "float16")  # the former is JAX's
    return np.array(array, dtype=np.float32 if is_half else None, order="C"), is_half


def _as_integers(place: str, array: np.ndarray, kind: type) -> np.ndarray:
    """A mask (`bool`) as U8 of 0 and 1, other integers as I64."""
    if kind is bool and np.isin(array, (0, 1)).all():
        return array.astype(np.uint8)
    if kind is int and array.dtype.kind in "iu":
        return array.astype(np.int64)
    raise TraceError(f"{place}: expected {'0 and 1, or booleans' if kind is bool else 'integers'}, found {array.dtype} "
                     f"from {array.min(initial=0)} to {array.max(initial=0)}")


def _check_schedule(schedule: str | Sequence[float]) -> None:
    if isinstance(schedule, str):
        _one_of("schedule", schedule, SCHEDULES)
    elif not len(schedule) or not all(math.isfinite(rate) and rate >= 0 for rate in schedule):
        raise TraceError(f"schedule: expected finite rates >= 0, at least one, found {list(schedule)[:5]}")


def _check_clip(clip: Any) -> None:
    if clip is None or clip == "recorded":
        return
    is_bound = isinstance(clip, Mapping) and len(clip) == 1 and all(kind in CLIPS for kind in clip)
    if not is_bound or not all(0 < bound < math.inf for bound in clip.values()):
        raise TraceError(f"clip: expected 'recorded', {{'norm': c}} or {{'value': c}} with a finite c > 0, found {clip!r}")


def _one_of(place: str, found: Any, known: Collection[Any]) -> None:
    if found not in known:
        raise TraceError(f"{place}: {found!r} is not one of {', '.join(map(repr, known))}")


def _exactly(place: str, found: Collection[str], expected: Sequence[str]) -> None:
    if set(found) != set(expected):
        missing, unknown = [n for n in expected if n not in found], [n for n in found if n not in expected]
        raise TraceError(f"{place}: missing {missing}, unknown {unknown}; expected exactly {list(expected)}")
