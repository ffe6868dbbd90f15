"""Reads a record back, and carries out its calls again."""

import json

import torch

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip

# Results that are no function of the operands.
UNDETERMINED = ("empty", "new_empty", "bernoulli", "rand", "dropout")

# Keyword arguments that say where and how results lie.
PLACEMENT = ("layout", "device", "memory_format", "pin_memory")

# Sums whose order PyTorch chooses by the operands' strides.
PRODUCTS = ("mm.", "addmm.", "convolution")


class Read:
    """A record: its header, and its tensors by reference."""

    def __init__(self, path):
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        self.entries = json.loads(data[8 : 8 + length])
        self.header = json.loads(self.entries.pop("__metadata__")["gdstar-ops"])
        self.data, self.contents = data[8 + length :], {}
        ends = [entry["data_offsets"] for entry in self.entries.values()]
        assert max((end for _, end in ends), default=0) == len(self.data), "no byte is missing, none left over"

    @property
    def cases(self):
        return self.header["cases"]

    def named(self, name):
        return next(case for case in self.cases if case["name"] == name)

    def ops(self):
        return [case["op"].removeprefix("aten.") for case in self.cases]

    def tensor(self, reference):
        view = self.header.get("views", {}).get(reference["tensor"])
        if view is not None:
            seen = torch.as_strided(self.stored(view["tensor"]), view["shape"], view["strides"], view["offset"])
            return seen.contiguous().reshape(reference.get("shape", view["shape"]))
        flat = self.stored(reference["tensor"])
        return flat.reshape(reference.get("shape", self.entries[reference["tensor"]]["shape"]))

    def stored(self, name):
        """A stored tensor's numbers, one after the other."""
        entry = self.entries[name]
        (begin, end), dtype = entry["data_offsets"], DTYPES[entry["dtype"]]
        assert begin % dtype.itemsize == 0, f"{name}: lies askew"
        if begin == end:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(bytearray(self.data[begin:end]), dtype=dtype)

    def content(self, reference):
        """What a tensor is known again by: its dtype and bits, whatever its name and shape."""
        if reference["tensor"] not in self.contents:
            tensor = self.tensor(reference).reshape(-1)
            self.contents[reference["tensor"]] = tensor.dtype, tensor.view(torch.uint8).numpy().tobytes()
        return self.contents[reference["tensor"]]

    def value(self, value):
        """An argument as PyTorch takes it."""
        if isinstance(value, dict):
            return self.tensor(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return float(value) if value in ("inf", "-inf", "nan") else value


def again(read, case, change=lambda tensor: tensor):
    """The results and writes of a call, computed from its operands as they were recorded, after `change`: pairs of what
    is recorded and what comes out."""
    _, packet, overload = case["op"].split(".")
    func = getattr(getattr(torch.ops.aten, packet), overload)

    def argument(value, name):
        value = read.value(value)
        if name in ("dtype", "input_dtype", "self_dtype") and value is not None:
            return DTYPES[value]
        if isinstance(value, list):
            return [change(item) if isinstance(item, torch.Tensor) else item for item in value]
        return change(value) if isinstance(value, torch.Tensor) else value

    args = [argument(value, name.name) for value, name in zip(case["args"], func._schema.arguments)]
    named = {key: value for key, value in case.get("kwargs", {}).items() if key not in PLACEMENT}
    results = func(*args, **{key: argument(value, key) for key, value in named.items()})
    flat = results if isinstance(results, (list, tuple)) else [results]
    pairs = list(zip(case["results"], flat, strict=True))
    pairs += [(reference, args[int(key)]) for key, reference in case.get("writes", {}).items()]
    return [(read.tensor(reference), result) for reference, result in pairs if reference is not None]


def assert_again(read, case, layout=lambda tensor: tensor):
    """That the recorded results are what the recorded operands give: bit for bit, and of products within the rounding
    of sums in two orders, for PyTorch's order depends on strides, which a record has not; `layout` gives operands
    some."""
    pairs = again(read, case, layout)
    if not any(word in case["op"] for word in PRODUCTS):
        assert all(same(stored, result) for stored, result in pairs), f"{case['name']}: not what its operands give"
        return
    magnitudes = again(read, case, lambda t: t.double().abs() if t.is_floating_point() else t)
    terms = max(read.tensor(r).numel() for value in case["args"] for r in references(value))
    for (stored, result), (_, magnitude) in zip(pairs, magnitudes, strict=True):
        # Each lies within (terms + 1) u of the exact sum; the rounding of the result is the 1.
        bound = 2 * (terms + 1) * torch.finfo(stored.dtype).eps / 2 * magnitude
        assert ((stored.double() - result.double()).abs() <= bound).all(), f"{case['name']}: not what its operands give"


def same(a, b):
    """Bit for bit, -0 and NaN as they are."""
    a, b = a.contiguous(), b.contiguous()
    return (
        a.dtype == b.dtype
        and a.shape == b.shape
        and torch.equal(a.reshape(-1).view(torch.uint8), b.reshape(-1).view(torch.uint8))
    )


def references(value):
    """Every reference in an argument."""
    if isinstance(value, dict):
        return [value]
    return [r for item in value for r in references(item)] if isinstance(value, list) else []


def from_nowhere(read):
    """Operands that are no parameter, buffer, part of the batch, earlier result or earlier write: pairs of call and
    tensor."""
    header = read.header
    known = {read.content(r) for kind in ("params", "buffers", "batch") for r in header.get(kind, {}).values()}
    lost = []
    for case in read.cases:
        values = list(case["args"]) + list(case.get("kwargs", {}).values())
        lost += [(case["name"], r["tensor"]) for v in values for r in references(v) if read.content(r) not in known]
        known |= {read.content(r) for r in [*case["results"], *case.get("writes", {}).values()] if r is not None}
    return lost
