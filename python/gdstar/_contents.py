"""What tensors of PyTorch hold now, as names in a record, without reading again what cannot have changed."""

import torch
from torch.multiprocessing.reductions import StorageWeakRef

DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


class _Storage:
    """Memory of tensors, and the names of what was seen in it: a dict from a place to (name, version).

    The weak reference keeps no data alive, but as long as it is there no other storage has this address."""

    def __init__(self, storage):
        self.alive = StorageWeakRef(storage)
        self.places = {}


class Contents:
    """References of tensors' contents.

    A content is known by its storage, its place in it and the version that PyTorch counts up at every change in
    place. Where the version is another, or there was a change that is not counted (`changed`), it is read again; equal
    bytes are then found by the file itself."""

    def __init__(self, record):
        self.record = record
        self._storages = {}

    def reference(self, tensor, name):
        """The reference of what `tensor` holds, stored as `name` if the file does not hold it; None where it cannot be
        stored (complex numbers, sparse layouts)."""
        dtype = DTYPES.get(tensor.dtype)
        if dtype is None or tensor.layout is not torch.strided or tensor.is_meta:
            return None
        places, place = self._place(tensor)
        known = places.get(place)
        version = None if tensor.is_inference() else tensor._version
        if known is None or known[1] != version:
            stored = self.record.store(name, dtype, tensor.shape, _bytes(tensor))
            known = places[place] = (stored, version)
        return self.record.reference(known[0], tensor.shape)

    def is_known(self, tensor):
        """Whether what `tensor` held when it was last looked at is in the file."""
        places, place = self._place(tensor)
        return place in places

    def changed(self, tensor):
        """Forgets what was seen in the storage of `tensor`."""
        self._places(tensor).clear()

    def _places(self, tensor):
        storage = tensor.untyped_storage()
        known = self._storages.get(storage._cdata)
        if known is None:
            known = self._storages[storage._cdata] = _Storage(storage)
        return known.places

    def _place(self, tensor):
        # A contiguous content is the same in whatever shape it is seen.
        layout = tensor.numel() if tensor.is_contiguous() else (tensor.shape, tensor.stride())
        return self._places(tensor), (tensor.storage_offset(), tensor.dtype, layout)


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
