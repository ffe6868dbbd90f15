"""`Trace`: what is chosen is written as it comes, whole or not at all."""

import json
import tracemalloc

import numpy as np
import pytest

import gdstar
from gdstar._trace_writer import TraceError

HYPER = {"epochs": 4, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 0.0, "chunks": 1}


def begun(path, **choices):
    return gdstar.Trace(path, hyper=HYPER, dtype="f32", producer="a test", params=["fc.weight"], **choices)


def recorded(trace, shape=(40, 50), epochs=4, batches=3):
    """A run that does nothing: its gradients are 0, and all weights stay."""
    w = {"fc.weight": np.ones(shape, np.float32), "fc.bias": np.zeros(shape[0], np.float32)}
    zero = {name: np.zeros_like(value) for name, value in w.items()}
    alive = {"fc.weight": np.ones(shape, bool)}
    trace.init(w)
    for k in range(epochs):
        for i in range(batches):
            trace.batch(k, i, loss=1.0, grads=zero)
        trace.epoch(k, weights_before=w, G={"fc.weight": zero["fc.weight"]}, S_abs=0.0, S_sq=0.0, S_F=0.0)
        trace.epoch(k, min_before=np.inf if k == 0 else 0.0, k_star=0, rewind=w, alpha=0.5, chunk_quantiles=[0.0], tau=0.0)
        trace.epoch(k, selected={"fc.weight": ~alive["fc.weight"]}, t=k, weights_after=w, mask=alive)


def names(path):
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return {name for name in header if name != "__metadata__"}


def test_everything_is_judged(tmp_path):
    with begun(tmp_path / "a.safetensors") as trace:
        recorded(trace)
    report = gdstar.check(tmp_path / "a.safetensors")
    assert (report.verdict, report.details["epochs"]) == ("PASS", 4)
    assert report.details["checked"] == ["eq1", "eq2", "eq3", "eq4", "eq5", "eq6", "eq7", "eq8", "eq9", "alg4", "alg6"]


def test_only_what_is_chosen_is_written_and_all_of_it_is_judged(tmp_path):
    path = tmp_path / "a.safetensors"
    with begun(path, epochs=[2], gradients=[1], parameters=[]) as trace:
        recorded(trace)
    found = names(path)
    of = lambda prefix: {name[len(prefix) :] for name in found if name.startswith(prefix)}
    assert of("init/") == {"fc.weight"}
    numbers = {"S_abs", "S_sq", "S_F", "min_before", "k_star", "alpha", "chunk_quantiles", "tau", "t"}
    assert of("epoch/0/") == of("epoch/3/") == numbers
    assert of("epoch/1/batch/0/") == {"loss", "grad/fc.weight"}
    arrays = {"weights_before", "G", "rewind", "selected", "weights_after", "mask", "mask_before"}
    assert of("epoch/2/") == numbers | {f"{array}/fc.weight" for array in arrays}
    report = gdstar.check(path)
    assert report.verdict == "PASS" and {"eq3", "eq4", "eq5", "eq9", "alg4", "alg6"} <= set(report.details["checked"])


def test_masks_of_an_epoch_that_is_left_out_are_the_next_ones_mask_before(tmp_path):
    path, dead = tmp_path / "a.safetensors", np.zeros((2, 2), bool)
    for told in [{}, {"mask_before": {"fc.weight": ~dead}}]:
        with begun(path, epochs=[1]) as trace:
            trace.epoch(0, mask={"fc.weight": dead})
            trace.epoch(1, weights_before={"fc.weight": np.ones((2, 2))}, **told)
            trace.epoch(1, mask={"fc.weight": dead})
        data = path.read_bytes()
        end = 8 + int.from_bytes(data[:8], "little")
        begin, stop = json.loads(data[8:end])["epoch/1/mask_before/fc.weight"]["data_offsets"]
        assert set(data[end + begin : end + stop]) == ({1} if told else {0})


def test_the_estimate_is_hardly_less_than_the_file(tmp_path):
    shape, path = (300, 200), tmp_path / "a.safetensors"
    weights = {"fc.weight": np.ones(shape, np.float32), "fc.bias": np.ones(shape[0], np.float32)}
    thinned = {"masks": "packed", "sample": 0.1, "least": 100}
    chosen = [{"gradients": []}, {"epochs": [1, 2], "gradients": [1]}, {"epochs": [], "parameters": []}, thinned]
    for choices in [{}, *chosen, {"masks": "packed", "gradients": []}]:
        with begun(path, **choices) as trace:
            recorded(trace, shape)
        said = gdstar.Trace.estimate(weights, hyper=HYPER, params=["fc.weight"], batches=3, **choices)
        assert path.stat().st_size <= said * 1.01
        assert said <= path.stat().st_size * 1.3, "it has mask_before, draw and the biases' share as well"


def stored(path):
    """The file's header of the trace, and its tensors."""
    kinds = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "U8": np.uint8}
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    trace, tensors = json.loads(header.pop("__metadata__")["gdstar"]), {}
    for name, of in header.items():
        begin, stop = of["data_offsets"]
        tensors[name] = np.frombuffer(data[end + begin : end + stop], kinds[of["dtype"]]).reshape(of["shape"])
    return trace, tensors


def hashed(name, n, share, least):
    """The coordinates of a sample, in whole numbers: docs/trace.md."""
    wrap, h = (1 << 64) - 1, 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & wrap

    def u(j):
        z = h + (j + 1) * 0x9E3779B97F4A7C15 & wrap
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & wrap
        z = (z ^ z >> 27) * 0x94D049BB133111EB & wrap
        return ((z ^ z >> 31) >> 11) * 2.0**-53

    return [j for j in range(n) if u(j) < max(share, least / n)]


def test_a_sample_is_at_the_places_of_the_hash_and_is_judged(tmp_path):
    path, shape = tmp_path / "a.safetensors", (60, 70)
    w = {"fc.weight": np.random.default_rng(0).standard_normal(shape, np.float32), "fc.bias": np.ones(7, np.float32)}
    alive = np.arange(60 * 70).reshape(shape) % 3 != 0
    with begun(path, sample=0.05, least=9, masks="packed") as trace:
        trace.init(w)
        trace.epoch(0, mask={"fc.weight": alive}, S_sq=4.0, S_F=2.0)
    header, tensors = stored(path)
    assert header["sample"] == {"share": 0.05, "least": 9} and header["masks"] == "packed"
    assert header["shapes"] == {"fc.weight": [60, 70], "fc.bias": [7]}
    for name, values in w.items():
        expected = hashed(name, values.size, 0.05, 9)
        assert tensors[f"sample/{name}"].tolist() == expected
        assert tensors[f"init/{name}"].tolist() == values.reshape(-1)[expected].tolist()
    assert len(tensors["sample/fc.bias"]) == 7, "what is small is kept whole"
    bits = tensors["epoch/0/mask/fc.weight"]
    assert bits.shape == (525,) and np.array_equal(np.unpackbits(bits, bitorder="little")[: alive.size], alive.reshape(-1))
    report = gdstar.check(path)
    assert report.verdict == "PASS" and report.details["sample"]["kept"] == len(tensors["sample/fc.weight"])
    with begun(path, sample=0.05, least=9, masks="packed") as trace:
        recorded(trace)
    report = gdstar.check(path)
    assert report.verdict == "PASS" and {"eq2", "eq5", "eq6", "eq9"} <= set(report.details["checked"])


def test_what_is_no_share_is_refused(tmp_path):
    for choice, told in [({"sample": 0}, "a share from"), ({"sample": 1.5}, "a share from"), ({"sample": float("nan")}, "share"),
                         ({"least": -1}, "least"), ({"masks": "bits"}, "masks")]:  # fmt: skip
        with pytest.raises(TraceError, match=told):
            begun(tmp_path / "a.safetensors", **choice)
    assert list(tmp_path.iterdir()) == []


def test_memory_holds_one_tensor_at_most(tmp_path):
    weights = {"fc.weight": np.ones((1000, 1000), np.float32)}
    with begun(tmp_path / "a.safetensors") as trace:
        trace.batch(0, 0, grads=weights)
        tracemalloc.start()
        for i in range(1, 12):
            trace.batch(0, i, grads=weights)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1.5 * weights["fc.weight"].nbytes


def test_a_run_that_ends_early_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        with begun(path) as trace:
            trace.init({"fc.weight": np.ones((2, 2))})
            raise KeyboardInterrupt
    with pytest.raises(TraceError, match="nothing was recorded of `fc.weight`"):
        with begun(path):
            pass
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_what_has_no_place_in_a_trace_is_refused_at_once(tmp_path):
    with begun(tmp_path / "a.safetensors") as trace:
        trace.init({"fc.weight": np.ones((2, 2))})
        with pytest.raises(TraceError, match="expected shape"):
            trace.epoch(0, G={"fc.weight": np.ones((2, 3))})
        with pytest.raises(TraceError, match=r"expected close\(\)"):
            trace.save("elsewhere")
