"""Reads and writes safetensors files whose `__metadata__` has one key; NumPy has no bfloat16, so it is packed here."""

import json
from pathlib import Path

import numpy as np

STORED = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "U8": np.uint8}
NAMES = {np.dtype(kind): name for name, kind in STORED.items()}


class BFloat16(np.ndarray):
    """float32 numbers that bfloat16 can hold, to be stored as such."""


def bfloat16(array):
    """To nearest, halves to even."""
    bits = np.asarray(array, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32)


def write(path, header, tensors):
    """`tensors`: name to array; a `BFloat16` goes to disk as BF16."""
    entries, parts, start = {}, [], 0
    for name, array in tensors.items():
        if isinstance(array, BFloat16):
            kind, data = "BF16", (np.ascontiguousarray(array).view(np.uint32) >> np.uint32(16)).astype(np.uint16)
        else:
            kind, data = NAMES[array.dtype], np.ascontiguousarray(array)
        parts.append(data.tobytes())
        entries[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, start + len(parts[-1])]}
        start += len(parts[-1])
    head = json.dumps({"__metadata__": {"gdstar": json.dumps(header)}} | entries).encode()
    head += b" " * (-len(head) % 8)
    Path(path).write_bytes(len(head).to_bytes(8, "little") + head + b"".join(parts))


def read(path):
    """The header and the tensors of a trace."""
    data = Path(path).read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:end])
    header = json.loads(entries.pop("__metadata__")["gdstar"])
    tensors = {}
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        raw = data[end + start:end + stop]
        if entry["dtype"] == "BF16":
            array = (np.frombuffer(raw, np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)
        else:
            array = np.frombuffer(raw, STORED[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return header, tensors
