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
import tempfile
from pathlib import Path

import numpy as np

# Bytes of an element of each dtype of the format that records use.
SIZES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

# Contents up to this size are told apart by themselves, longer ones by so many of their 8-byte words, spread evenly,
# and where these agree byte by byte.
WHOLE, WORDS = 4096, 256
# Contents up to this size are written several at once, and those that are read back in pieces of this.
SHORT, PIECE = 1 << 16, 1 << 22


class _Spool:
    """Contents one behind the other, in a file that `create` makes; short ones wait in memory until there are some."""

    def __init__(self, create):
        self._create, self._waiting, self._short = create, [], 0
        self.file, self.end = None, 0

    def append(self, data):
        self.end += len(data)
        if len(data) <= SHORT:
            self._waiting.append(bytes(data))
            self._short += len(data)
            if self._short > PIECE:
                self.flush()
        else:
            self.flush()
            self._write(data)

    def flush(self):
        """Writes what waits."""
        data, self._waiting, self._short = b"".join(self._waiting), [], 0
        self._write(data)

    def _write(self, data):
        if self.file is None:
            self.file = self._create()
        while len(data) > 0:
            data = memoryview(data)[self.file.write(data) :]

    def holds(self, begin, data):
        """Whether these bytes are those from `begin` on."""
        self.flush()
        data = np.frombuffer(data, dtype=np.uint8)
        pieces = (slice(at, at + PIECE) for at in range(0, len(data), PIECE))
        return all(
            # NumPy compares bytes by the word, memoryviews one by one.
            np.array_equal(np.frombuffer(self._read(begin + piece.start, len(data[piece])), np.uint8), data[piece])
            for piece in pieces
        )

    def _read(self, begin, length):
        self.file.seek(begin)
        read = bytearray(length)
        self.file.readinto(read)
        self.file.seek(0, os.SEEK_END)
        return read

    def put_first(self, data):
        """Writes over what is at the beginning."""
        self.flush()
        self.file.seek(0)
        self._write(data)

    def copy_to(self, other, begin=0):
        """Puts all of it, from `begin` on, behind what another spool holds."""
        if self.file is None:
            for data in self._waiting:
                other.append(data)
            return
        self.flush()
        self.file.seek(begin)
        while data := self.file.read(PIECE):
            other.append(data)

    def close(self):
        if self.file is not None:
            self.file.close()


class Writer:
    """One file in the making. `room`: how many bytes its header will hardly exceed."""

    def __init__(self, path, room=1 << 12):
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"{self.path}: there is no folder {self.path.parent} to write into")
        self._room = -(-room // 8) * 8
        self._draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        self._main = _Spool(lambda: open(self._draft, "x+b", buffering=0))
        self._main.append(b" " * self._room)
        self._main.flush()
        self._aside = {}
        self._places = {}
        self._taken = set()
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
                self._aside[size] = _Spool(lambda: tempfile.TemporaryFile(dir=self.path.parent, buffering=0))
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
        name = self.free(name)
        self.put(name, dtype, shape, data)
        alike.append(name)
        return name

    def free(self, name):
        """`name`, or where something has it `name~2`, `name~3`, .."""
        names = itertools.chain([name], (f"{name}~{k}" for k in itertools.count(2)))
        return next(name for name in names if name not in self._places and name not in self._taken)

    def take(self, name):
        """A name that is free, as `free`, and is it no longer: for what is no tensor, and is referred to as if it were."""
        name = self.free(name)
        self._taken.add(name)
        return name

    def close(self, metadata):
        """Writes the file: `metadata` maps keys to texts."""
        try:
            starts = {self._main: -self._room}
            for _, spool in sorted(self._aside.items(), reverse=True):
                starts[spool] = self._main.end - self._room
                spool.copy_to(self._main)
            header = self._header(metadata, starts)
            if len(header) > self._room - 8:
                self._widen(-(-len(header) // 8) * 8 + 8)
            # The format lets spaces fill what the header leaves of its room.
            self._main.put_first((self._room - 8).to_bytes(8, "little") + header)
            self._main.close()
            os.replace(self._draft, self.path)
        finally:
            self.abandon()

    def abandon(self):
        """Lets go of everything; what is not whole is removed."""
        for spool in [self._main, *self._aside.values()]:
            spool.close()
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
        wide = _Spool(lambda: open(self._draft, "x+b", buffering=0))
        wide.append(b" " * room)
        self._main.copy_to(wide, self._room)
        self._main.close()
        narrow.unlink()
        self._main, self._room = wide, room


def _looks(data):
    """What equal contents have in common, and unequal ones hardly ever."""
    if len(data) <= WHOLE:
        return bytes(data)
    words = np.frombuffer(data, dtype=np.uint64, count=len(data) // 8)
    return words[:: len(words) // WORDS].tobytes()
