"""Writes a safetensors file piece by piece: what is added goes to disk at once, and equal contents are stored once.

The header of the format stands before the data and is known only at the end, so room is left for it; where it needs
more, the data are moved. What has not a multiple of 8 bytes is kept aside and put behind the rest, wide elements before
narrow ones, so that every tensor lies at a multiple of its element's size. Until the file is whole nothing is at its
path.
"""

import itertools
import json
import math
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import numpy as np

# Bytes of an element of each dtype of the format that records use.
SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

# Contents up to this size are told apart by themselves, longer ones by so many of their 8-byte words, spread evenly,
# and where these agree byte by byte.
WHOLE, WORDS = 4096, 256
PIECE = 1 << 22


class _Spool:
    """Contents one behind the other, in a file."""

    def __init__(self, file, end=0):
        self.file, self.end = file, end

    def append(self, data):
        self.file.write(data)
        self.end += len(data)

    def holds(self, begin, data):
        self.file.seek(begin)
        # NumPy compares bytes by the word, memoryviews one by one.
        data = np.frombuffer(data, dtype=np.uint8)
        pieces = (data[at : at + PIECE] for at in range(0, len(data), PIECE))
        equal = all(
            np.array_equal(np.frombuffer(self.file.read(len(piece)), dtype=np.uint8), piece) for piece in pieces
        )
        self.file.seek(self.end)
        return equal


class Writer:
    """One file in the making. `room`: how many bytes its header will hardly exceed."""

    def __init__(self, path, room=1 << 12):
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"{self.path}: there is no folder {self.path.parent} to write into")
        self._room = -(-room // 8) * 8
        self._draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        self._main = _Spool(open(self._draft, "x+b", buffering=1 << 20))
        self._main.append(b" " * self._room)
        self._aside = {}
        self._places = {}
        self._alike = {}

    def shape(self, name):
        """The shape of a tensor that is stored."""
        return self._places[name][1]

    def put(self, name, dtype, shape, data):
        """Stores `data` (a contiguous buffer, row-major) under `name`, whatever else the file holds."""
        if name in self._places:
            raise ValueError(f"{self.path}: two tensors are called {name!r}")
        data = memoryview(data).cast("B")
        spool = self._main
        if len(data) % 8 != 0:
            size = SIZES[dtype]
            if size not in self._aside:
                self._aside[size] = _Spool(tempfile.TemporaryFile(dir=self.path.parent))
            spool = self._aside[size]
        self._places[name] = (dtype, list(shape), spool, spool.end)
        spool.append(data)

    def add(self, name, dtype, shape, data):
        """The name of the tensor that has this dtype and these bytes; where there is none, it is stored as `name`, or,
        if another content has that name, as `name~2`, `name~3`, .."""
        data = memoryview(data).cast("B")
        alike = self._alike.setdefault((dtype, len(data), _looks(data)), [])
        for other in alike:
            _, _, spool, begin = self._places[other]
            if len(data) <= WHOLE or spool.holds(begin, data):
                return other
        if name in self._places:
            name = next(free for k in itertools.count(2) if (free := f"{name}~{k}") not in self._places)
        self.put(name, dtype, shape, data)
        alike.append(name)
        return name

    def close(self, metadata):
        """Writes the file: `metadata` maps keys to texts."""
        try:
            file = self._main.file
            starts, end = {self._main: -self._room}, self._main.end - self._room
            for _, spool in sorted(self._aside.items(), reverse=True):
                starts[spool] = end
                end += spool.end
                spool.file.seek(0)
                shutil.copyfileobj(spool.file, file, PIECE)
            header = self._header(metadata, starts)
            if len(header) > self._room - 8:
                self._widen(-(-len(header) // 8) * 8 + 8)
                file = self._main.file
            file.seek(0)
            # The format lets spaces fill what the header leaves of its room.
            file.write((self._room - 8).to_bytes(8, "little") + header)
            file.close()
            os.replace(self._draft, self.path)
        finally:
            self.abandon()

    def abandon(self):
        """Lets go of everything; what is not whole is removed."""
        for spool in [self._main, *self._aside.values()]:
            spool.file.close()
        self._draft.unlink(missing_ok=True)

    def _header(self, metadata, starts):
        header = {"__metadata__": metadata}
        for name, (dtype, shape, spool, begin) in self._places.items():
            begin += starts[spool]
            header[name] = {
                "dtype": dtype,
                "shape": shape,
                "data_offsets": [begin, begin + SIZES[dtype] * math.prod(shape)],
            }
        return json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()

    def _widen(self, room):
        """Moves the data, so that the header has `room`."""
        narrow, self._draft = self._draft, self._draft.with_suffix(".wide")
        wide = _Spool(open(self._draft, "x+b", buffering=1 << 20))
        wide.append(b" " * room)
        self._main.file.seek(self._room)
        shutil.copyfileobj(self._main.file, wide.file, PIECE)
        self._main.file.close()
        narrow.unlink()
        self._main, self._room = wide, room


def _looks(data):
    """What equal contents have in common, and unequal ones hardly ever."""
    if len(data) <= WHOLE:
        return bytes(data)
    words = np.frombuffer(data, dtype=np.uint64, count=len(data) // 8)
    return words[:: len(words) // WORDS].tobytes()
