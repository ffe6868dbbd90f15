"""`check` and `replay`: what the commands of these names do, with the same answers."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._error import Error
from .record import DTYPES

# The metadata key of a header, by its format.
KEYS = {"gdstar-trace/1": "gdstar", "gdstar-ops/1": "gdstar-ops"}
PASS, INCONCLUSIVE = "PASS", "INCONCLUSIVE"
Path = str | os.PathLike[str]
Header = Mapping[str, Any]


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
    details: Mapping[str, Any]


class Report:
    """What a check found. `str` of it is what `gdstar check` prints, byte for byte.

    `verdict` is "PASS", "FAIL" or "INCONCLUSIVE", `exit_code` the command's; `inconclusive` says what kept the verdict from
    a PASS; `findings` are listed the earliest first. `details` is the object that `gdstar check --json` prints.
    """

    def __init__(self, text: str, details: dict[str, Any], exit_code: int) -> None:
        self._text, self.details, self.exit_code = text, details, exit_code
        self.verdict: str = details["verdict"]
        self.inconclusive: list[str] = details["inconclusive"]
        self.warnings: list[str] = details.get("warnings", [])  # a record's report has none
        self.findings = [_finding(entry) for entry in details.get("findings", ())]

    @property
    def passed(self) -> bool:
        """Whether the verdict is PASS."""
        return self.verdict == PASS

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<gdstar.Report {self.verdict}, {len(self.findings)} finding(s)>"


def check(
    source: Path | bytes | Mapping[str, npt.ArrayLike],
    header: Header | Iterable[Header] | None = None,
    *,
    exact: bool = False,
    insist: bool = False,
    without_step: bool = False,
    level: str | None = None,
    ensemble: Iterable[Path] = (),
    runs: Iterable[Path] = (),
    name: str = "arrays",
) -> Report:
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
    folders = {"ensemble": [os.fspath(run) for run in ensemble], "runs": [os.fspath(run) for run in runs]}
    if folders["runs"] and not folders["ensemble"]:
        raise Error("runs: expected an ensemble to compare them with, found none")
    from . import _gdstar

    asked = {"exact": exact, "insist": insist, "without_step": without_step, "level": level, **folders}
    if isinstance(source, Mapping):
        text, details, code = _gdstar.check_bytes(name, content(source, header, name), asked)
    elif header is not None:
        raise Error("header: expected none beside a file, which has its own, found one")
    elif isinstance(source, bytes):
        text, details, code = _gdstar.check_bytes(name, source, asked)
    else:
        text, details, code = _gdstar.check_file(os.fspath(source), asked)
    return Report(text, json.loads(details), code)


def replay(
    source: Path | Mapping[str, npt.ArrayLike],
    header: Header | Iterable[Header] | None = None,
    *,
    out: Path | None = None,
    name: str = "arrays",
) -> Any:
    """Computes the whole method from the gradients of a trace, as `gdstar replay` does.

    `source` and `header` as in `check`. With `out`, a path, the full trace is written there, and `source` is a path; what
    could not be computed is returned, a line each. Without it, the result's header, its tensors by name and those lines
    are returned.
    """
    from . import _gdstar

    if isinstance(source, Mapping):
        if out is not None:
            raise Error("out: expected None beside arrays, whose result is returned, found a path")
        data = content(source, header, name)
    elif out is not None:
        return _gdstar.replay_file(os.fspath(source), os.fspath(out))
    else:
        name, data = os.fspath(source), _read(source)
    text, tensors, notes = _gdstar.replay_bytes(name, data)
    kinds = {dtype: np.dtype(name) for name, dtype in DTYPES.items() if name != "bfloat16"}
    arrays = {name: np.frombuffer(data, kinds[dtype]).reshape(shape) for name, dtype, shape, data in tensors}
    return json.loads(text), arrays, notes


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Error(f"{os.fspath(path)}: cannot read: {error.strerror}") from error


def content(arrays: Mapping[str, npt.ArrayLike], header: Header | Iterable[Header] | None, name: str) -> bytes:
    """The content of a file of these arrays under these headers."""
    headers = [header] if isinstance(header, Mapping) else list(header or ())
    metadata: dict[str, str] = {}
    for one in headers:
        key = KEYS.get(one.get("format", ""))
        if key is None:
            raise Error(f"{name}: header: format: expected one of {', '.join(KEYS)}, found {one.get('format')!r}")
        metadata[key] = json.dumps(one, allow_nan=False, default=_plain)
    if not metadata:
        raise Error(f"{name}: header: expected one beside arrays, with a format of {', '.join(KEYS)}, found none")
    tensors = {}
    for place, values in arrays.items():
        array = np.asarray(values)
        dtype = DTYPES.get(array.dtype.name)
        if dtype is None:
            raise Error(f"{name}: {place}: expected one of {', '.join(DTYPES)}, found {array.dtype}")
        little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        tensors[place] = (dtype, list(array.shape), little.tobytes())
    return packed(metadata, tensors)


def packed(metadata: Mapping[str, str], tensors: Mapping[str, tuple[str, list[int], bytes]]) -> bytes:
    """A file in memory: `metadata` maps keys to texts, `tensors` names to dtype, shape and bytes."""
    described: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, (dtype, shape, data) in tensors.items():
        described[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        end += len(data)
    header = json.dumps(described).encode()
    return b"".join([len(header).to_bytes(8, "little"), header, *(data for _, _, data in tensors.values())])


def _plain(scalar: Any) -> Any:
    """NumPy's and PyTorch's scalars are written as the numbers they are."""
    if hasattr(scalar, "item"):
        return scalar.item()
    raise TypeError(f"{type(scalar).__name__} is no value of a header")


def _finding(entry: Mapping[str, Any]) -> Finding:
    # Numbers that are not finite are texts in the report.
    keys = ("got", "expected_low", "expected_high", "ulps")
    numbers = {key: None if entry[key] is None else float(entry[key]) for key in keys}
    label, tensor, index = entry["equation"], entry["tensor"], tuple(entry["index"])
    return Finding(label, tensor, index, **numbers, likely_cause=entry["likely_cause"], details=entry)
