"""Assertions on a port's numbers that ask for no tolerance: every bound follows from the arithmetic."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ._oracle import INCONCLUSIVE, PASS, Report, check
from .record import Record


class CheckFailed(AssertionError):
    """A check that did not pass; the text is what `gdstar check` prints, and `report` the `Report`."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


CheckFailed.__module__ = "gdstar"


def assert_trace(source: Any, header: Any = None, *, allow_inconclusive: bool | None = None, **options: Any) -> Report:
    """Asserts that `check` of a trace or a record passes; the arguments are those of `check`.

    INCONCLUSIVE, where not everything could be judged, fails with its reasons, unless `allow_inconclusive` is True;
    None asks the option `--gdstar-allow-inconclusive` of pytest, where that runs. Returns the `Report`.
    """
    return _passing(check(source, header, **options), allow_inconclusive)


def assert_op(
    name: str,
    op: str,
    attrs: Mapping[str, Any] | None = None,
    *,
    inputs: Mapping[str, npt.ArrayLike],
    outputs: Mapping[str, npt.ArrayLike] | None = None,
    upstream: Mapping[str, npt.ArrayLike] | None = None,
    grads: Mapping[str, npt.ArrayLike] | None = None,
    arithmetic: Mapping[str, Any] | None = None,
    to: str | os.PathLike[str] | None = None,
    allow_inconclusive: bool | None = None,
) -> Report:
    """Asserts that one op was computed as a correct one is, forward and, where `grads` are given, backward.

    `op` is one of those that `gdstar op --list` lists, with its `attrs`; `inputs`, `outputs`, `upstream` (the gradients of
    outputs) and `grads` (those of inputs, as the port has them) map its tensors' names to arrays. `arithmetic` is what the
    port computes in, where that is not what the dtypes say. Every element is judged on the operands given, within bounds
    that hold for any order of summation. `to`: a path where the record is kept, for `gdstar check`. Returns the `Report`.

    >>> import numpy as np, gdstar
    >>> x = np.array([[1.0, -2.0]], dtype=np.float32)
    >>> gdstar.assert_op("relu", "relu", inputs={"x": x}, outputs={"y": np.maximum(x, 0)}).verdict
    'PASS'
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "op.safetensors") if to is None else Path(to)
        given = {"upstream": upstream, "grads": grads, "arithmetic": arithmetic}
        with Record(path, producer="gdstar.assert_op") as record:
            record.op(name, op, attrs or {}, inputs, outputs or {}, **given)
        # What is not kept is called by the op's name.
        report = check(path) if to is not None else check(path.read_bytes(), name=name)
    return _passing(report, allow_inconclusive)


# What pytest was started with (`pytest_plugin`).
inconclusive_is_allowed = False


def _passing(report: Report, allow_inconclusive: bool | None) -> Report:
    allowed = inconclusive_is_allowed if allow_inconclusive is None else allow_inconclusive
    if report.verdict == PASS or (report.verdict == INCONCLUSIVE and allowed):
        return report
    raise CheckFailed(report)
