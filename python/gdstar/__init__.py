"""gdstar from Python."""

from .record import Record, RecordError, record_op, record_step, recording

__all__ = ["Record", "RecordError", "record_op", "record_step", "recording"]
