"""Assertions on a port's numbers that ask for no tolerance: every bound follows from the arithmetic."""

import tempfile
from pathlib import Path

from ._oracle import INCONCLUSIVE, PASS, check
from .record import Record


class CheckFailed(AssertionError):
    """A check that did not pass; the text is what `gdstar check` prints, and `report` the `Report`."""

    def __init__(self, report):
        super().__init__(str(report))
        self.report = report


CheckFailed.__module__ = "gdstar"


def assert_trace(source, header=None, *, allow_inconclusive=None, **options):
    """Asserts that `check` of a trace or a record passes; the arguments are those of `check`.

    INCONCLUSIVE, where not everything could be judged, fails with its reasons, unless `allow_inconclusive` is True; None
    asks the option `--gdstar-allow-inconclusive` of pytest, where that runs. Returns the `Report`.
    """
    return _passing(check(source, header, **options), allow_inconclusive)


def assert_op(name, op, attrs=None, *, inputs, outputs=None, upstream=None, grads=None, arithmetic=None, to=None,
              allow_inconclusive=None):
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
        path = Path(folder, "op.safetensors") if to is None else to
        with Record(path, producer="gdstar.assert_op") as record:
            record.op(name, op, attrs or {}, inputs, outputs or {}, upstream=upstream, grads=grads, arithmetic=arithmetic)
        # What is not kept is called by the op's name.
        report = check(path) if to is not None else check(path.read_bytes(), name=name)
    return _passing(report, allow_inconclusive)


# What pytest was started with (`pytest_plugin`).
inconclusive_is_allowed = False


def _passing(report, allow_inconclusive):
    allowed = inconclusive_is_allowed if allow_inconclusive is None else allow_inconclusive
    if report.verdict == PASS or (report.verdict == INCONCLUSIVE and allowed):
        return report
    raise CheckFailed(report)
