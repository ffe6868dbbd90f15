"""`check` and `replay`: what the commands of these names do, with the same answers."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ._error import Error
from .record import DTYPES

# The metadata key of a header, by its format.
KEYS = {"gdstar-trace/1": "gdstar", "gdstar-ops/1": "gdstar-ops"}
PASS, FAIL, INCONCLUSIVE = "PASS", "FAIL", "INCONCLUSIVE"


@dataclass(frozen=True)
class Finding:
    """One number that no correct port computes: `got` lies outside `expected_low` .. `expected_high`, `ulps` units in the
    last place away.

    `equation` is the label: an equation's, or of a record `op.<op>` and, where a tensor is not what it should be as a whole,
    `wiring.<rule>`, which has no numbers. `details` is the whole entry of `gdstar check --json`.
    """

    equation: str
    tensor: str
    index: tuple[int, ...]
    got: float | None
    expected_low: float | None
    expected_high: float | None
    ulps: float | None
    likely_cause: str | None
    details: Mapping


class Report:
    """What a check found. `str` of it is what `gdstar check` prints, byte for byte.

    `verdict` is "PASS", "FAIL" or "INCONCLUSIVE", `exit_code` the command's; `inconclusive` says what kept the verdict from
    a PASS; `findings` are listed the earliest first. `details` is the object that `gdstar check --json` prints.
    """

    def __init__(self, text, details, exit_code):
        self._text, self.details, self.exit_code = text, details, exit_code
        self.verdict = details["verdict"]
        self.inconclusive = list(details.get("inconclusive", ()))
        self.warnings = list(details.get("warnings", ()))
        self.findings = [_finding(entry) for entry in details.get("findings", ())]

    @property
    def passed(self):
        """Whether the verdict is PASS."""
        return self.verdict == PASS

    def __str__(self):
        return self._text

    def __repr__(self):
        return f"<gdstar.Report {self.verdict}, {len(self.findings)} finding(s)>"


def check(
    source,
    header=None,
    *,
    exact=False,
    insist=False,
    without_step=False,
    level=None,
    ensemble=(),
    runs=(),
    name="arrays",
):
    """Judges what a port recorded, as `gdstar check` does, and returns the `Report`.

    `source`: the path of a trace or a record, which gzip may have compressed; the content of one, as bytes; or a mapping
    from tensor names to arrays, with `header`, the object that a file would have in its metadata (its `format` says which),
    or several of them. `name` is what the report calls what has no path. The options are the command's: docs/oracle.md.

    >>> import numpy as np, gdstar
    >>> header = {"format": "gdstar-trace/1", "producer": "mine", "dtype": "f64", "params": ["w"],
    ...           "hyper": {"epochs": 1, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 0.0, "chunks": 1}}
    >>> report = gdstar.check({"epoch/0/G/w": np.array([9.0, 16.0]), "epoch/0/S_sq": np.array([24.0])}, header)
    >>> report.verdict, report.findings[0].equation, report.findings[0].got
    ('FAIL', 'eq3', 24.0)
    """
    if insist and without_step:
        raise Error("insist: expected False beside without_step, found True")
    if runs and not ensemble:
        raise Error("runs: expected an ensemble to compare them with, found none")
    from . import _gdstar

    asked = {"exact": exact, "insist": insist, "without_step": without_step, "level": level}
    asked |= {"ensemble": [*map(os.fspath, ensemble)], "runs": [*map(os.fspath, runs)]}
    if isinstance(source, Mapping):
        text, details, code = _gdstar.check_bytes(name, content(source, header, name), asked)
    elif header is not None:
        raise Error("header: expected none beside a file, which has its own, found one")
    elif isinstance(source, bytes):
        text, details, code = _gdstar.check_bytes(name, source, asked)
    else:
        text, details, code = _gdstar.check_file(os.fspath(source), asked)
    return Report(text, json.loads(details), code)


def replay(source, header=None, *, out=None, name="arrays"):
    """Computes the whole method from the gradients of a trace, as `gdstar replay` does.

    `source` and `header` as in `check`. With `out`, a path, the full trace is written there, and `source` is a path; what
    could not be computed is returned, a line each. Without it, the result's header, its tensors by name and those lines
    are returned.
    """
    from . import _gdstar

    if out is not None:
        return _gdstar.replay_file(os.fspath(source), os.fspath(out))
    if isinstance(source, Mapping):
        data = content(source, header, name)
    else:
        name = os.fspath(source)
        with open(source, "rb") as file:
            data = file.read()
    header, tensors, notes = _gdstar.replay_bytes(name, data)
    kinds = {dtype: np.dtype(name) for name, dtype in DTYPES.items() if name != "bfloat16"}
    arrays = {name: np.frombuffer(data, kinds[dtype]).reshape(shape) for name, dtype, shape, data in tensors}
    return json.loads(header), arrays, notes


def content(arrays, header, name):
    """The content of a file of these arrays under these headers."""
    headers = [header] if isinstance(header, Mapping) else list(header or ())
    metadata = {}
    for one in headers:
        key = KEYS.get(one.get("format"))
        if key is None:
            raise Error(f"{name}: header: format: expected one of {', '.join(KEYS)}, found {one.get('format')!r}")
        metadata[key] = json.dumps(one, allow_nan=False, default=_plain)
    if not metadata:
        raise Error(f"{name}: header: expected one beside arrays, with a format of {', '.join(KEYS)}, found none")
    tensors = {}
    for place, array in arrays.items():
        array = np.asarray(array)
        dtype = DTYPES.get(array.dtype.name)
        if dtype is None:
            raise Error(f"{name}: {place}: expected one of {', '.join(DTYPES)}, found {array.dtype}")
        little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        tensors[place] = (dtype, list(array.shape), little.tobytes())
    return packed(metadata, tensors)


def packed(metadata, tensors):
    """A file in memory: `metadata` maps keys to texts, `tensors` names to dtype, shape and bytes."""
    header, end = {"__metadata__": metadata}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    header = json.dumps(header).encode()
    return b"".join([len(header).to_bytes(8, "little"), header, *(data for _, _, data in tensors.values())])


def _plain(scalar):
    """NumPy's and PyTorch's scalars are written as the numbers they are."""
    if hasattr(scalar, "item"):
        return scalar.item()
    raise TypeError(f"{type(scalar).__name__} is no value of a header")


def _finding(entry):
    # Numbers that are not finite are texts in the report.
    keys = ("got", "expected_low", "expected_high", "ulps")
    numbers = {key: None if entry[key] is None else float(entry[key]) for key in keys}
    label, tensor, index = entry["equation"], entry["tensor"], tuple(entry["index"])
    return Finding(label, tensor, index, **numbers, likely_cause=entry["likely_cause"], details=entry)
