"""Windows over planes."""

from common import OpCases


def settings(attrs):
    """The attributes by PyTorch's names."""
    return {"kernel_size": attrs["kernel"], "stride": attrs["stride"], "padding": attrs["padding"]}


def ordinary_cases(op, extra):
    cases = OpCases(op, ["x"])

    def add(name, x, kernel, stride, padding=(0, 0), **attrs):
        inputs = (lambda r: {"x": r.normal(*x)}) if isinstance(x, tuple) else x
        cases.add(name, inputs, kernel=list(kernel), stride=list(stride), padding=list(padding), **attrs)

    for suffix, attrs in extra:
        add("plain" + suffix, (2, 3, 4, 6), (2, 2), (2, 2), **attrs)
        add("overlapping" + suffix, (2, 2, 7, 7), (3, 3), (2, 2), (1, 1), **attrs)
        add("rectangular" + suffix, (1, 2, 6, 8), (3, 2), (1, 3), (1, 0), **attrs)
        add("unread-border" + suffix, (1, 2, 7, 8), (2, 2), (3, 3), **attrs)
        add("whole-image" + suffix, (2, 2, 3, 5), (3, 5), (1, 1), **attrs)
        add("wide" + suffix, (1, 2, 5, 5), (3, 3), (1, 1), (1, 1), **attrs)
        integers = lambda r: {"x": 4 * r.integers(-3, 3, 2, 2, 6, 6)}  # multiples of 4 have exact means of four
        add("exact-plain" + suffix, integers, (2, 2), (2, 2), **attrs)
        add("exact-overlapping" + suffix, integers, (2, 2), (1, 1), **attrs)
    return cases, add


def hard_cases(op, **attrs):
    cases = OpCases(op, ["x"])
    for name, x, kernel, stride, padding in [
        ("ordinary", (4, 4, 8, 8), [2, 2], [2, 2], [0, 0]),
        ("overlapping", (4, 4, 9, 9), [3, 3], [2, 2], [1, 1]),
        ("dense", (2, 4, 8, 8), [3, 3], [1, 1], [1, 1]),
        ("large", (2, 4, 16, 16), [7, 7], [3, 3], [3, 3]),
    ]:
        cases.add(name, lambda r: {"x": r.normal(*x)}, kernel=kernel, stride=stride, padding=padding, **attrs)
    return cases
