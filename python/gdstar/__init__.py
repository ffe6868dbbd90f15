"""An oracle for ports: of GDSTAR, of the methods that it is compared with, and of a network's training step.

| | |
|---|---|
| `check` | judges a trace or a record, a file or arrays, as the command does |
| `replay` | computes the whole method from a port's gradients |
| `Trace`, `StepTrace` | write what a run of the method, or of a method that acts on steps, did, tensor by tensor |
| `record_step`, `recording`, `record_op`, `Record` | write what single ops did |
| `assert_op`, `assert_trace` | numerical assertions without a tolerance |
| `paper` | the paper's equations over NumPy arrays |

What writes needs NumPy alone; what judges is compiled, and is loaded when it is first asked for.
"""

from importlib import import_module
from typing import Any

from ._asserted import CheckFailed, assert_op, assert_trace
from ._error import Error
from ._oracle import Finding, Report, check, replay
from .record import Record, RecordError, record_op, record_step, recording
from .step_trace import StepTrace
from .trace import Trace

__all__ = [
    "CheckFailed", "Error", "Finding", "Record", "RecordError", "Report", "StepTrace", "Trace", "assert_op", "assert_trace",
    "check", "paper", "record_op", "record_step", "recording", "replay",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "paper":
        return import_module(".paper", __name__)
    if name == "__version__":
        return import_module("._gdstar", __name__).__version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
