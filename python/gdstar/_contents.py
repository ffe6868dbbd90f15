"""What tensors of PyTorch hold now, as references of a record, without reading again what cannot have changed."""

import torch
from torch.multiprocessing.reductions import StorageWeakRef

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


class _Storage:
    """Memory of tensors, and what was seen in it.

    The weak reference keeps no data alive, but as long as it is there no other storage has this address."""

    __slots__ = ("alive", "places", "runs")

    def __init__(self, storage):
        self.alive = StorageWeakRef(storage)
        # From where and how a tensor lies in it to (version, reference).
        self.places = {}
        # From (first number, how many, dtype) of numbers that follow each other to (version, name in the file).
        self.runs = {}

    def clear(self):
        self.places.clear()
        self.runs.clear()


class Contents:
    """References of tensors' contents.

    A content is known by its storage, its place in it and the version that PyTorch counts up at every change in
    place. Where the version is another, or there was a change that is not counted (`changed`), it is read again; equal
    bytes are then found by the file itself. What lies within a run of memory that the file has is a view of it."""

    def __init__(self, record):
        self.record = record
        self._storages = {}

    def reference(self, tensor, name, of=None):
        """The reference of what `tensor` holds, stored as `name` (of what, and which part) if the file does not hold it;
        None where it cannot be stored (complex numbers, sparse layouts). `of`: the tensor that it is a view of, if it was
        made just now; while a call is dispatched, its result does not count the changes of that tensor yet."""
        if tensor.layout is not torch.strided or tensor.is_meta:
            return None
        storage = self._storage(tensor)
        version = None if tensor.is_inference() else (tensor if of is None else of)._version
        place = _place(tensor)
        known = storage.places.get(place)
        if known is None or known[0] != version:
            name = name[0] + "/" + "".join(map(str, name[1:])) if len(name) > 1 else name[0]
            known = storage.places[place] = version, self._found(storage, tensor, name, version)
        return known[1]

    def is_known(self, tensor):
        """Whether what `tensor` held when it was last looked at is in the file."""
        storage = self._storage(tensor)
        run = tensor.storage_offset(), tensor.numel(), tensor.dtype
        return _place(tensor) in storage.places or tensor.is_contiguous() and run in storage.runs

    def changed(self, tensor):
        """Forgets what was seen in the storage of `tensor`."""
        self._storage(tensor).clear()

    def _storage(self, tensor):
        storage = tensor.untyped_storage()
        address = storage._cdata
        known = self._storages.get(address)
        if known is None:
            known = self._storages[address] = _Storage(storage)
        return known

    def _found(self, storage, tensor, name, version):
        """The reference of a content that was not seen in this form."""
        dtype = DTYPES.get(tensor.dtype)
        if dtype is None:
            return None
        n, shape = tensor.numel(), tensor.shape
        contiguous = tensor.is_contiguous()
        strides = (1,) if contiguous else tensor.stride()
        span = n if contiguous else 1 + sum((extent - 1) * stride for extent, stride in zip(shape, strides))
        if n == 0 or tensor.is_neg() or 0 in strides:
            return self.record.reference(self.record.store(name, dtype, shape, _bytes(tensor)), shape)
        begin = tensor.storage_offset()
        run = begin, span, tensor.dtype
        known = storage.runs.get(run)
        if known is not None and known[0] == version:
            around, offset = known[1], 0
        else:
            around, offset = _around(storage.runs, run, version)
        if around is None:
            if span != n:
                # Numbers with gaps between them, of which the file has nothing.
                return self.record.reference(self.record.store(name, dtype, shape, _bytes(tensor)), shape)
            memory = tensor if contiguous else torch.as_strided(tensor.detach(), (n,), (1,), begin)
            around = self.record.store(name if contiguous else f"{name}/memory", dtype, memory.shape, _bytes(memory))
            storage.runs[run] = version, around
        if contiguous and (begin, span) == (run[0], run[1]) and self.record.holds(around) == n:
            return self.record.reference(around, shape)
        if contiguous:
            strides, step = [], 1
            for extent in reversed(shape):
                strides.insert(0, step)
                step *= extent
        return self.record.view(name, around, shape, strides, offset)


def _place(tensor):
    return tensor.storage_offset(), tensor.dtype, tensor.shape, tensor.stride()


def _around(runs, run, version):
    """A run that has all of `run`'s numbers, and where they begin in it."""
    begin, span, dtype = run
    for (first, many, kind), (seen, name) in runs.items():
        if kind is dtype and seen == version and first <= begin and begin + span <= first + many:
            return name, begin - first
    return None, 0


def _bytes(tensor):
    """The content, row-major, as a buffer."""
    if tensor.numel() == 0:
        return b""
    tensor = tensor.detach()
    if not tensor.is_cpu or not tensor.is_contiguous() or tensor.is_neg():
        tensor = tensor.resolve_neg().cpu().contiguous()
    if tensor.dtype is torch.bfloat16:
        tensor = tensor.view(torch.int16)  # NumPy has no such numbers
    # What is not of one axis cannot be cast where an axis is of one entry and has a stride of its own.
    return memoryview(tensor.numpy().reshape(-1))
