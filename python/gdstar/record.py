"""Records what a port computed, op by op, for `gdstar check` to judge: docs/records.md describes the file.

`record_op` and `Record` take NumPy arrays, from whatever computed them; `record_step` and `recording` look on while
PyTorch takes a training step. NumPy is all that this module needs; PyTorch is imported where a step is recorded.
"""

import json
import math

import numpy as np

from ._safetensors import Writer
from ._whole import Whole

FORMAT = "gdstar-ops/1"

# Names of NumPy's dtypes (bfloat16 is that of the package ml_dtypes, which JAX uses) in the file.
DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


class RecordError(ValueError):
    """What was asked for cannot be recorded; the text says what to do, in one line."""


class Record(Whole):
    """A record in the making: the calls of one or more training steps, or of none.

    As a context manager it writes the file at the end of the block, whole; where the block raises, none.
    `arithmetic` holds for every call that does not say otherwise (docs/records.md lists its keys). `room`: a guess how
    many bytes of text will describe the calls; where they need more, the file is copied once.

    >>> import numpy as np, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "ops.safetensors"
    >>> x = np.array([[1.0, -2.0]], dtype=np.float32)
    >>> with Record(path, producer="my accelerator") as record:
    ...     record.op("block1", "relu", {}, {"x": x}, {"y": np.maximum(x, 0)})
    ...     record.op("block2", "relu", {}, {"x": -x}, {"y": np.maximum(-x, 0)})
    >>> path.stat().st_size % 4
    0
    """

    def __init__(self, path, *, producer=None, arithmetic=None, room=1 << 12):
        self.path = path
        self._writer = Writer(path, room)
        self._header = {"format": FORMAT}
        if producer is not None:
            self._header["producer"] = producer
        if arithmetic is not None:
            self._header["arithmetic"] = dict(arithmetic)
        self._header["cases"] = []
        self._names = set()
        self._counts = {}
        self._steps = []
        self._views = {}
        self._seen = {}

    def op(self, name, op, attrs, inputs, outputs, *, upstream=None, grads=None, arithmetic=None):
        """Adds one evaluation of `op`, an op of `gdstar op --list`, forward and, with `grads`, backward.

        `attrs` are its attributes; the others map its tensors' names to arrays: `inputs` and `outputs` of the forward
        pass, `upstream` gradients of outputs, and `grads`, what the port found the gradients of inputs to be. Whatever
        of `outputs` and `grads` is given is judged, so each may be {}.
        """
        if name in self._names:
            raise RecordError(f"{self.path}: two calls are named {name!r}; give each a name of its own")
        upstream, grads = upstream or {}, grads or {}
        if not outputs and not grads:
            raise RecordError(f"{self.path}: {name}: there is nothing to judge; give outputs or grads")
        if grads and not upstream:
            raise RecordError(
                f"{self.path}: {name}: grads need the upstream gradient that they come from: upstream={{..}}"
            )
        strangers = [key for key in grads if key not in inputs]
        if strangers:
            raise RecordError(f"{self.path}: {name}: grads has {strangers[0]!r}, which is no input of {list(inputs)}")
        groups = {"in": inputs, "dy": upstream, "out": outputs, "grad": grads}
        tensors = {
            f"{group}/{key}": self.array(f"{name}/{group}/{key}", value)
            for group, arrays in groups.items()
            for key, value in arrays.items()
        }
        case = {"name": name, "op": op, "attrs": dict(attrs), "inputs": list(inputs), "upstream": list(upstream)}
        case |= {"diff": list(grads), "outputs": list(outputs or upstream), "tensors": tensors}
        if arithmetic is not None:
            case["arithmetic"] = dict(arithmetic)
        self._names.add(name)
        self._header["cases"].append(case)

    def array(self, name, value):
        """The reference of an array's content, which is stored as `name` unless the file holds it already."""
        value = np.asarray(value)
        dtype = DTYPES.get(value.dtype.name)
        if dtype is None:
            raise RecordError(f"{self.path}: {name}: {value.dtype} is none of {', '.join(DTYPES)}")
        data = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        return self.reference(self.store(name, dtype, value.shape, data), value.shape)

    def store(self, name, dtype, shape, data):
        """The name under which the file has the content `data`, a contiguous buffer, row-major: `name`, where it is
        free."""
        return self._writer.add(name, dtype, shape, data)

    def reference(self, tensor, shape):
        """How a case refers to a stored tensor that it sees in `shape`."""
        stored = self._writer.shape(tensor)
        return {"tensor": tensor} if list(shape) == stored else {"tensor": tensor, "shape": list(shape)}

    def holds(self, tensor):
        """How many numbers a stored tensor has."""
        return math.prod(self._writer.shape(tensor))

    def view(self, name, tensor, shape, strides, offset):
        """The reference of a view of a stored tensor, called `name`, where that is free."""
        key = tensor, tuple(shape), tuple(strides), offset
        known = self._seen.get(key)
        if known is None:
            name = self._writer.take(name)
            self._views[name] = {"tensor": tensor, "shape": list(shape), "strides": list(strides), "offset": offset}
            known = self._seen[key] = {"tensor": name}
        return known

    def numbered(self, name):
        """`name` with how many calls of that name there were before."""
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        return f"{name}/{count}"

    def step(self, step):
        """Adds a step: an object with `cases` and what else docs/records.md has of steps."""
        self._steps.append(step)

    def close(self):
        """Writes the file."""
        header = self._header
        if len(self._steps) == 1 and not header["cases"]:
            header |= self._steps[0]
        elif self._steps:
            header["steps"] = self._steps
        if self._views:
            header["views"] = self._views
        self._writer.close({"gdstar-ops": json.dumps(header, separators=(",", ":"), ensure_ascii=False)})

    def abandon(self):
        """Writes nothing."""
        self._writer.abandon()


def record_op(name, op, attrs, inputs, outputs, *, to, upstream=None, grads=None, arithmetic=None, producer=None):
    """Records one evaluation of an op, from NumPy arrays: `to` is a path, or a `Record` that takes several.

    See `Record.op` for the others.

    >>> import numpy as np, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "relu.safetensors"
    >>> x, dy = np.array([[1.0, -2.0]]), np.array([[3.0, 4.0]])
    >>> record_op("relu", "relu", {}, {"x": x}, {"y": np.maximum(x, 0)}, upstream={"y": dy}, grads={"x": dy * (x > 0)},
    ...           to=path)
    """
    if isinstance(to, Record):
        return to.op(name, op, attrs, inputs, outputs, upstream=upstream, grads=grads, arithmetic=arithmetic)
    with Record(to, producer=producer) as record:
        record.op(name, op, attrs, inputs, outputs, upstream=upstream, grads=grads, arithmetic=arithmetic)


def record_step(model, loss_fn, batch, path, *, double=False, epoch=None, index=None, arithmetic=None):
    """Takes one training step without its update, `loss_fn(model(*inputs), target)` for `batch = (*inputs, target)` and
    its gradient, and records every op of it, forward and backward. Returns the loss, a number.

    The model is left as it was: weights, running statistics, gradients and the state of random numbers; nothing that
    comes after is another bit than without. `double` records the step in f64, on a copy of the model: there a single
    product too many or too few stands out, whatever the number of terms. `path` is the file, or a `Record` that takes
    several steps; `epoch` and `index` (the batch's, from 0) tie the step to a trace of the method. `arithmetic` is what
    the machine computes in where it is not what the dtypes say (docs/records.md).

    To record a step inside a loop of your own, see `recording`.
    """
    from . import _step

    return _step.record_step(model, loss_fn, batch, path, double, epoch, index, arithmetic)


def recording(model, path, *, batch=None, epoch=None, index=None, arithmetic=None):
    """A context manager that records the forward and backward pass that its block carries out, as they are:

        with gdstar.recording(model, "step.safetensors", batch={"input": x, "labels": y}) as step:
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            step.loss = loss
        optimizer.step()

    Not a bit of the training changes. The gradients are read at the end of the block. `batch` names the tensors that
    the step starts from, `step.loss` may be left out. See `record_step` for the others.
    """
    from . import _step

    return _step.recording(model, path, batch, epoch, index, arithmetic)
