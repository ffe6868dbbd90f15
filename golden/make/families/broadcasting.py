"""Functions of two arrays that broadcast."""

from common import OpCases


def ordinary_cases(op):
    cases = OpCases(op, ["a", "b"])
    shapes = [
        ("same-shape", (3, 4), (3, 4)),
        ("row", (3, 4), (4,)),
        ("row-first", (4,), (3, 4)),
        ("both-expand", (4, 1), (1, 3)),
        ("one-value", (2, 3), (1,)),
        ("per-channel", (2, 3, 2, 2), (3, 1, 1)),
        ("squeeze-and-excite", (2, 3, 4, 4), (2, 3, 1, 1)),
        ("wide-per-channel", (2, 3, 3, 3), (1, 3, 1, 1)),
    ]
    for name, a, b in shapes:
        cases.add(name, lambda r: {"a": r.normal(*a), "b": r.normal(*b)})
        cases.add(f"exact-{name}", lambda r: {"a": r.integers(-9, 9, *a), "b": r.integers(-9, 9, *b)})
    return cases


def hard_cases(op):
    cases = OpCases(op, ["a", "b"])
    for name, a, b in [
        ("same-shape", (16, 16), (16, 16)),
        ("row", (256, 8), (8,)),
        ("per-channel", (8, 4, 12, 12), (1, 4, 1, 1)),
        ("one-value", (1024,), (1,)),
    ]:
        cases.add(name, lambda r: {"a": r.normal(*a), "b": r.normal(*b)})

    def cancel(r):
        a = r.normal(32, 8)
        return {"a": a, "b": r.cast(-a * r.uniform(0.999, 1.001, *a.shape))}

    cases.add("cancelling", cancel)
    return cases
