"""Inverted dropout with a given mask."""

from common import OpCases


def pytorch(t, attrs):
    return {"y": t["x"] * t["mask"] / (1 - attrs["p"])}


def ordinary_cases():
    cases = OpCases("dropout", ["x"])

    def add(name, shape, p, exact=False):
        draw = lambda r: r.integers(-9, 9, *shape) if exact else r.normal(*shape)
        cases.add(name, lambda r: {"x": draw(r), "mask": r.mask(1 - p, *shape)}, p=p)

    add("tenth", (4, 10), 0.1)
    add("images", (2, 3, 4, 4), 0.3)
    add("nothing-dropped", (3, 5), 0.0)
    add("nearly-all", (5, 5), 0.9)
    add("wide-third", (6, 6), 1 / 3)
    add("exact-half", (4, 8), 0.5, exact=True)
    add("exact-three-quarters", (4, 8), 0.75, exact=True)
    return cases


def hard_cases():
    cases = OpCases("dropout", ["x"])
    for p in [0.1, 0.3, 0.5]:
        cases.add(f"p-{p}", lambda r: {"x": r.normal(16, 32), "mask": r.mask(1 - p, 16, 32)}, p=p)
    return cases
