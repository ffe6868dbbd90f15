"""Plants a fault in a training step of PyTorch: one call of an operator, forward or backward, gives something else than
it should, and everything after it goes on with that."""

import contextlib
from dataclasses import dataclass
from typing import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# Operators that change running statistics, their arguments 3 and 4.
STATISTICS = ("native_batch_norm",)


@dataclass(frozen=True)
class Fault:
    """`ops`: names of operators (without overload). `act` takes a `Call` and returns its results as the fault has them,
    or None where this call cannot have it. `result`: which of them is wrong; below 0 an operand, counted from the end
    by `~position`, that the call changes, and `act` returns what it then holds. `cause`: what an explanation has to
    say, a regular expression; None where the place is all there is to say."""

    name: str
    ops: tuple
    act: Callable
    result: int = 0
    cause: str = None


class Call:
    """A call and what it should give: `args` as they were before it, `results` as a list, of which `act` changes
    copies."""

    def __init__(self, func, args, kwargs, results):
        self.func, self.args, self.kwargs = func, args, kwargs
        self.results = [r.clone() if isinstance(r, torch.Tensor) else r for r in results]

    def again(self, changed=None, **named):
        """The results with other arguments: `changed` maps positions to them."""
        args = [(changed or {}).get(i, arg) for i, arg in enumerate(self.args)]
        results = self.func(*args, **(self.kwargs | named))
        return list(results) if isinstance(results, (list, tuple)) else [results]

    def with_result(self, index, value):
        """The results, but for one."""
        return [value if i == index else result for i, result in enumerate(self.results)]

    def number(self, most):
        """A number below `most` that looks drawn and is the same every time."""
        return (7919 * sum(r.numel() for r in self.results if isinstance(r, torch.Tensor)) + 104729) % most


class Injector(TorchDispatchMode):
    """Plants `fault` in the call number `at` (from 0) of those that can have it."""

    def __init__(self, fault, at=0):
        super().__init__()
        self.fault, self.left = fault, at
        self.planted = None
        self._plants = False
        self._seen = {}

    @contextlib.contextmanager
    def planting(self):
        """The part of a step in which it looks for its call."""
        self._plants = True
        try:
            yield
        finally:
            self._plants = False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not self._plants:
            return func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[1]
        overload = f"aten.{name}.{func._overloadname}"
        self._seen[overload] = self._seen.get(overload, -1) + 1
        if self.planted or name not in self.fault.ops:
            return func(*args, **(kwargs or {}))
        # Of what a call changes the fault sees what it held before.
        changes = [0] if name.endswith("_") else [3, 4] if name in STATISTICS else []
        before = [a.clone() if i in changes and isinstance(a, torch.Tensor) else a for i, a in enumerate(args)]
        results = func(*args, **(kwargs or {}))
        right = list(results) if isinstance(results, (list, tuple)) else [results]
        wrong = self.fault.act(Call(func, before, kwargs or {}, right))
        if wrong is None:
            return results
        if self.fault.result < 0:
            right, wrong = [args[~self.fault.result]], [wrong]
        if not any(differs(a, b) for a, b in zip(right, wrong)):
            return results
        if self.left > 0:
            self.left -= 1
            return results
        # The operator, and which of its calls it is: so it is found in the record.
        self.planted = overload, self._seen[overload]
        if self.fault.result < 0 or name.endswith("_"):
            right[0].copy_(wrong[0])
            return results
        wrong = [w if isinstance(r, torch.Tensor) else r for r, w in zip(right, wrong)]
        return type(results)(wrong) if isinstance(results, (list, tuple)) else wrong[0]


def differs(a, b):
    """Whether two results differ in any number."""
    if not isinstance(a, torch.Tensor):
        return False
    return a.shape == b.shape and not torch.equal(a, b)
