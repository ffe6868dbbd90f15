"""Seeded numbers, and the op-case file format (`gdstar-ops/1`) that `gdstar op` reads."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

GOLDEN = Path(__file__).resolve().parent.parent

# One thread and deterministic algorithms: the same bytes from every run.
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


class Numbers:
    """Random numbers of one case, seeded with its name; every float is exact in f32 unless `wide`."""

    def __init__(self, name, wide=False):
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
        self.generator = np.random.Generator(np.random.PCG64(seed))
        self.wide = wide

    def cast(self, values):
        return np.array(values, dtype=np.float64 if self.wide else np.float32)

    def normal(self, *shape, mean=0.0, std=1.0):
        return self.cast(mean + std * self.generator.standard_normal(shape))

    def uniform(self, low, high, *shape):
        return self.cast(self.generator.uniform(low, high, shape))

    def integers(self, low, high, *shape):
        """Integers of [low, high] as floats."""
        return self.cast(self.generator.integers(low, high, shape, endpoint=True))

    def labels(self, classes, n):
        return self.generator.integers(0, classes, n, dtype=np.int64)

    def mask(self, keep, *shape):
        return (self.generator.uniform(size=shape) < keep).astype(np.uint8)


@dataclass
class Case:
    """One evaluation of an op. `upstream` maps outputs to their upstream gradients, `diff` names the inputs whose
    gradients are wanted, `results` holds further tensors by their name in the file."""

    name: str
    inputs: dict
    outputs: list
    attrs: dict = field(default_factory=dict)
    upstream: dict = field(default_factory=dict)
    diff: list = field(default_factory=list)
    results: dict = field(default_factory=dict)

    def header(self):
        return {
            "name": self.name,
            "attrs": self.attrs,
            "inputs": list(self.inputs),
            "upstream": list(self.upstream),
            "diff": self.diff,
            "outputs": self.outputs,
        }

    def tensors(self):
        groups = {"in": self.inputs, "dy": self.upstream, **self.results}
        named = [(f"{group}/{name}", array) for group, arrays in groups.items() for name, array in arrays.items()]
        return {f"{self.name}/{name}": array for name, array in named}


class OpCases:
    """Collects the cases of one op. `upstream` and `diff` default to all outputs and all of `differentiable`."""

    def __init__(self, op, differentiable, outputs=("y",)):
        self.op, self.differentiable, self.outputs = op, differentiable, list(outputs)
        self.cases = []

    def add(self, name, inputs, outputs=None, upstream=None, diff=None, **attrs):
        """`inputs` is a dict of arrays, or a function from the case's `Numbers` to one."""
        numbers = Numbers(f"{self.op}/{name}", wide=name.startswith("wide-"))
        inputs = inputs(numbers) if callable(inputs) else inputs
        outputs = outputs or self.outputs
        diff = [name for name in inputs if name in self.differentiable] if diff is None else diff
        self.cases.append(Case(name, inputs, outputs, attrs, outputs if upstream is None else upstream, diff))


def draw_upstream(op, case):
    """Upstream gradients in the style of the case."""
    numbers = Numbers(f"{op}/{case.name}/dy", wide=case.name.startswith("wide-"))
    if case.name.startswith("exact-"):
        return lambda _, shape: numbers.integers(-4, 4, *shape)
    return lambda _, shape: numbers.normal(*shape)


def f32(*values):
    return np.array(values, dtype=np.float32)


def write_op_cases(path, op, cases):
    """Writes one op-case file."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), f"{op}: duplicate case names"
    header = {"format": "gdstar-ops/1", "op": op, "cases": [case.header() for case in cases]}
    tensors = {name: array for case in cases for name, array in case.tensors().items()}
    write(path, tensors, {"gdstar-ops": json.dumps(header)})


def write(path, tensors, metadata):
    """Writes a safetensors file. One metadata key only: the library does not fix an order among several."""
    assert len(metadata) == 1
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, path, metadata)
    print(f"{path.relative_to(GOLDEN.parent)}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")
