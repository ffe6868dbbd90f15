"""`StepTrace`: a method's steps as they come, judged as a file that was written at once is."""

import json

import numpy as np
import pytest
from test_oracle import read

import gdstar
from gdstar._trace_writer import TraceError

METHODS = ["acdc", "amc", "dropback", "gmp", "granet", "grasp", "layerdrop", "lmc", "lth", "procrustes", "rigl", "sdgp", "set"]


def written(path, source, **choices):
    """The trace `source` once more, its tensors handed over one by one."""
    metadata, tensors = read(source)
    header = json.loads(metadata["gdstar"])
    method = header.pop("method")
    del header["format"]
    with gdstar.StepTrace(path, method, **header, **choices) as trace:
        for name, array in tensors.items():
            place, _, rest = name.partition("/")
            if place == "step":
                t, _, quantity = rest.partition("/")
                trace.step(int(t), **{quantity: array})
            else:
                trace.run(**{name: array})
    return tensors


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_judged_as_before(golden, tmp_path, method):
    source, path = golden / "methods" / f"{method}.safetensors", tmp_path / "port.safetensors"
    tensors = written(path, source)
    again = read(path)[1]
    assert again.keys() == tensors.keys() and all(again[name].tobytes() == tensors[name].tobytes() for name in again)
    text = str(gdstar.check(source))
    assert str(gdstar.check(path)) == text.replace(str(source), str(path))


def test_steps_are_chosen(golden, tmp_path):
    path = tmp_path / "port.safetensors"
    written(path, golden / "methods" / "rigl.safetensors", steps=range(0, 100, 3))
    names = read(path)[1]
    assert {int(name.split("/")[1]) % 3 for name in names if name.startswith("step/")} == {0}
    assert "init/fc.weight" in names and gdstar.check(path).verdict != "FAIL"


def test_values_of_any_kind_are_stored_as_the_format_has_them(tmp_path):
    path = tmp_path / "port.safetensors"
    with gdstar.StepTrace(path, "rigl", hyper={}, dtype="f32", producer="a test", params=["w"]) as trace:
        trace.step(0, keep={"w": np.array([True, False])}, count=np.int32(3), lr=np.float32(0.5), whole=7)
        with pytest.raises(TraceError, match="step/0/lr: recorded twice"):
            trace.step(0, lr=0.5)
        with pytest.raises(TraceError, match="step/0/name: expected numbers or truth values, found <U1"):
            trace.step(0, name="a")
    found = {name: (array.dtype.name, array.tolist()) for name, array in read(path)[1].items()}
    assert found == {
        "step/0/keep/w": ("uint8", [1, 0]), "step/0/count": ("int64", [3]), "step/0/lr": ("float32", [0.5]),
        "step/0/whole": ("int64", [7]),
    }  # fmt: skip


def test_a_run_that_ends_early_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with gdstar.StepTrace(tmp_path / "a", "rigl", hyper={}, dtype="f32", producer="", params=[]) as trace:
            trace.step(0, lr=0.5)
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
