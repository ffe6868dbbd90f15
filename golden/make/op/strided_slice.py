"""Every so many pixels."""

from common import OpCases


def pytorch(t, attrs):
    return {"y": t["x"][:, :, :: attrs["step"], :: attrs["step"]]}


def ordinary_cases():
    cases = OpCases("strided_slice", ["x"])
    for step, h, w in [(1, 3, 4), (2, 4, 6), (2, 5, 7), (3, 7, 8), (4, 3, 3)]:
        cases.add(f"step-{step}-of-{h}x{w}", lambda r: {"x": r.normal(2, 3, h, w)}, step=step)
    cases.add("wide-step-2", lambda r: {"x": r.normal(2, 2, 6, 6)}, step=2)
    cases.add("exact-step-2", lambda r: {"x": r.integers(-9, 9, 2, 2, 5, 5)}, step=2)
    return cases


def hard_cases():
    cases = OpCases("strided_slice", ["x"])
    cases.add("ordinary", lambda r: {"x": r.normal(4, 6, 5, 5)}, step=2)
    return cases
