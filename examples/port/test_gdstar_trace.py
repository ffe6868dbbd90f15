"""What the trace writer promises: `python -m unittest discover examples/port`."""

import json
import tempfile
import tracemalloc
import unittest
from pathlib import Path

import numpy as np
from gdstar_trace import METHOD, OPTIMIZER, TraceError, TraceWriter

HYPER = METHOD + OPTIMIZER
from safetensors import safe_open

W = {"fc.weight": np.array([[1, 2], [3, 4]], dtype=np.float32), "fc.bias": np.zeros(2, dtype=np.float32)}
G = {"fc.weight": np.ones((2, 2), dtype=np.float32)}


def writer(**options) -> TraceWriter:
    """A writer for two epochs of one prunable matrix."""
    hyper = dict.fromkeys(HYPER, 1) | {"epochs": 2}
    return TraceWriter(**{"hyper": hyper, "dtype": "f32", "producer": "test", "params": ["fc.weight"]} | options)


def recorded(trace: TraceWriter) -> TraceWriter:
    """With W_0, the least that can be saved."""
    trace.init(W)
    return trace


def saved(trace: TraceWriter) -> tuple[dict, dict]:
    """The header and the tensors of the file that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = trace.save(Path(folder) / "trace.safetensors")
        assert [file.name for file in Path(folder).iterdir()] == [path.name], "left-overs"
        with safe_open(path, framework="np") as file:
            return json.loads(file.metadata()["gdstar"]), {name: file.get_tensor(name) for name in file.keys()}


class Recorded(unittest.TestCase):
    """What goes in comes out, in the format's types."""

    def test_types_and_shapes(self):
        trace = writer()
        trace.init(W)
        trace.batch(0, 0, [3, 1], np.float32(0.5), {"fc.weight": W["fc.weight"].T})
        trace.epoch(0, alpha=1, k_star=np.int32(0), tau=np.float32(2), chunk_quantiles=[1.0, 3.0])
        trace.epoch(0, G=G, mask={"fc.weight": np.array([[True, False], [False, True]])})
        _, tensors = saved(trace)
        expected = {
            "init/fc.weight": ("float32", (2, 2)),
            "init/fc.bias": ("float32", (2,)),
            "epoch/0/batch/0/indices": ("int64", (2,)),
            "epoch/0/batch/0/loss": ("float32", (1,)),
            "epoch/0/batch/0/grad/fc.weight": ("float32", (2, 2)),
            "epoch/0/alpha": ("float64", (1,)),
            "epoch/0/k_star": ("int64", (1,)),
            "epoch/0/tau": ("float32", (1,)),
            "epoch/0/chunk_quantiles": ("float64", (2,)),
            "epoch/0/G/fc.weight": ("float32", (2, 2)),
            "epoch/0/mask/fc.weight": ("uint8", (2, 2)),
        }
        self.assertEqual({name: (array.dtype.name, array.shape) for name, array in tensors.items()}, expected)
        transposed = tensors["epoch/0/batch/0/grad/fc.weight"]
        self.assertEqual(transposed.tolist(), [[1, 3], [2, 4]], "row-major, whatever the strides")

    def test_copies(self):
        trace, live = writer(), {name: w.copy() for name, w in W.items()}
        trace.init(live)
        live["fc.weight"][:] = 9
        self.assertEqual(saved(trace)[1]["init/fc.weight"].tolist(), [[1, 2], [3, 4]])

    def test_header(self):
        trace = writer(hyper=dict.fromkeys(HYPER, 1) | {"alpha_0": 0.95, "lr": np.float32(0.1)}, model="lenet300",
                       reading={"quantile": "lower"}, arithmetic={"u_acc": 2.0**-53})
        trace.init(W)
        header, _ = saved(trace)
        self.assertEqual(header["format"], "gdstar-trace/1")
        self.assertEqual(header["hyper"]["alpha_0"], 0.95)
        self.assertEqual(header["hyper"]["lr"], float(np.float32(0.1)))
        self.assertEqual((header["reading"], header["model"]), ({"quantile": "lower"}, "lenet300"))
        self.assertEqual(header["arithmetic"], {"u_acc": 2.0**-53})
        self.assertNotIn("dataset", header)
        self.assertNotIn("not_prunable", header)
        trace = writer(not_prunable=["fc.bias"])
        trace.init(W)
        self.assertEqual(saved(trace)[0]["not_prunable"], ["fc.bias"])

    def test_half_precision_gradients(self):
        half = {"fc.weight": W["fc.weight"].astype(np.float16)}
        trace = writer(arithmetic={"u_in": 0})
        trace.batch(0, 0, grads=half)
        self.assertEqual(saved(trace)[1]["epoch/0/batch/0/grad/fc.weight"].dtype, np.float32)
        with self.assertRaisesRegex(TraceError, "u_in"):
            writer().batch(0, 0, grads=half)
        with self.assertRaisesRegex(TraceError, "only gradients"):
            trace.epoch(0, weights_before=half)

    def test_torch_tensors(self):
        try:
            import torch
        except ImportError:
            self.skipTest("no torch")
        live = {"fc.weight": torch.tensor([[1.0, 2], [3, 4]], requires_grad=True)}
        trace = writer(arithmetic={"u_in": 0})
        trace.init(live)
        trace.batch(0, 0, torch.arange(2), live["fc.weight"].sum(), {"fc.weight": live["fc.weight"].bfloat16()})
        trace.epoch(0, mask={"fc.weight": live["fc.weight"] > 2}, t=torch.tensor(1))
        live["fc.weight"].data.fill_(9)
        _, tensors = saved(trace)
        self.assertEqual(tensors["init/fc.weight"].tolist(), [[1, 2], [3, 4]])
        self.assertEqual(tensors["epoch/0/batch/0/loss"].tolist(), [10])
        self.assertEqual(tensors["epoch/0/batch/0/grad/fc.weight"].tolist(), [[1, 2], [3, 4]])
        self.assertEqual(tensors["epoch/0/mask/fc.weight"].tolist(), [[0, 0], [1, 1]])


class Declared(unittest.TestCase):
    """What the steps are, and the weights within an epoch."""

    def test_optimizer(self):
        header, _ = saved(recorded(writer(optimizer="other")))
        self.assertEqual(header["optimizer"], "other")
        header, _ = saved(recorded(writer(clip={"norm": 1}, schedule=np.array([0.5, 0.25]), no_decay={"fc.bias"})))
        self.assertEqual((header["clip"], header["schedule"], header["no_decay"]),
                         ({"norm": 1}, [0.5, 0.25], ["fc.bias"]))
        header, _ = saved(recorded(writer(reading={"last_batch": "drop", "momentum_on_prune": "zero-selected"})))
        self.assertEqual(header["reading"], {"last_batch": "drop", "momentum_on_prune": "zero-selected"})
        header, _ = saved(recorded(writer(nesterov=True, label_smoothing=0.1)))
        self.assertEqual((header["nesterov"], header["label_smoothing"]), (True, 0.1))
        header, _ = saved(recorded(writer()))
        said = {"optimizer", "clip", "schedule", "no_decay", "nesterov", "label_smoothing"}
        self.assertFalse(said & header.keys(), "nothing said, nothing written")

    def test_weights_within_an_epoch(self):
        trace = writer()
        trace.batch(0, 0, grads=G)
        trace.batch(0, 1, grads=G, weights=W)
        _, tensors = saved(trace)
        self.assertEqual(tensors["epoch/0/batch/1/weights/fc.weight"].tolist(), [[1, 2], [3, 4]])
        self.assertNotIn("epoch/0/batch/0/weights/fc.weight", tensors)


class Streamed(unittest.TestCase):
    """Tensors go to disk as they come."""

    def test_memory_holds_no_tensors(self):
        w = {"fc.weight": np.ones((1000, 1000), dtype=np.float32)}
        with tempfile.TemporaryDirectory() as folder:
            trace = writer(folder=folder)
            trace.batch(0, 0, grads=w)
            tracemalloc.start()
            for i in range(1, 20):
                trace.batch(0, i, grads=w)
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            self.assertLess(held, 1 << 20, "19 gradients of 4 MB")
            trace.save(Path(folder) / "trace.safetensors")
            self.assertGreater((Path(folder) / "trace.safetensors").stat().st_size, 20 * 4_000_000)

    def test_recording_goes_on_after_saving(self):
        trace = recorded(writer())
        saved(trace)
        trace.epoch(0, tau=2.0)
        _, tensors = saved(trace)
        self.assertEqual(tensors["epoch/0/tau"].tolist(), [2])
        self.assertEqual(tensors["init/fc.weight"].tolist(), [[1, 2], [3, 4]])

    def test_size_is_told_beforehand(self):
        trace = writer()
        expected = trace.expected_size(W, batches=3, gradient_epochs=1)
        trace.init(W)
        for i in range(3):
            trace.batch(0, i, grads=W)
        flags = {"fc.weight": W["fc.weight"] > 2}
        for k in range(2):
            trace.epoch(k, weights_before=W, weights_after=W, G=G, rewind={"fc.weight": W["fc.weight"]},
                        mask_before=flags, selected=flags, mask=flags)
        _, tensors = saved(trace)
        self.assertEqual(sum(array.nbytes for array in tensors.values()), expected)


class Refused(unittest.TestCase):
    """What does not belong in a trace is refused at once, by name."""

    def refused(self, message: str, record) -> None:
        with self.assertRaisesRegex(TraceError, message):
            record()

    def test_header(self):
        self.refused("hyper: missing .'lr'", lambda: writer(hyper={name: 1 for name in HYPER if name != "lr"}))
        self.refused("'quantil' is not one of", lambda: writer(reading={"quantil": "linear"}))
        self.refused("'cubic' is not one of 'linear'", lambda: writer(reading={"quantile": "cubic"}))
        self.refused("'float32' is not one of 'f32'", lambda: writer(dtype="float32"))
        self.refused("arithmetic", lambda: writer(arithmetic={"eps": 1}))
        self.refused("params", lambda: writer(params=["fc.weight", "fc.weight"]))
        self.refused("not_prunable", lambda: writer(not_prunable=["fc.weight"]))
        self.refused("'adam' is not one of 'sgd', 'other'", lambda: writer(optimizer="adam"))
        self.refused("'linear' is not one of 'cosine'", lambda: writer(schedule="linear"))
        self.refused("schedule: expected finite rates", lambda: writer(schedule=[]))
        self.refused("label_smoothing: expected a number in", lambda: writer(label_smoothing=1.5))
        self.refused("schedule: expected finite rates", lambda: writer(schedule=[float("nan")]))
        for clip in ("norm", {"norm": 0}, {"norm": float("nan")}, {"norms": 1}, {"norm": 1, "value": 1}):
            self.refused("clip: expected", lambda: writer(clip=clip))

    def test_names(self):
        self.refused("'s_f' is not one of", lambda: writer().epoch(0, s_f=1.0))
        self.refused("missing .'fc.weight'", lambda: writer().init({"weight": W["fc.weight"]}))
        self.refused("unknown .'fc.bias'", lambda: writer().epoch(0, G=G | {"fc.bias": W["fc.bias"]}))
        self.refused("expected a dict", lambda: writer().epoch(0, G=G["fc.weight"]))
        self.refused("nothing was recorded of `fc.weight`", lambda: writer().save("nowhere"))

    def test_order(self):
        trace = writer()
        trace.batch(0, 0, grads=G)
        self.refused("batch 2 where 1 is due", lambda: trace.batch(0, 2))
        self.refused("or none", lambda: trace.batch(0, 1))
        self.refused("epoch 2: expected 0 to 1", lambda: trace.batch(2, 0))
        self.refused("epoch 0: expected 1 to 2", lambda: writer(reading={"epoch_origin": 1}).epoch(0, t=0))
        trace.epoch(0, S_F=1.0)
        self.refused("epoch/0/S_F: recorded twice", lambda: trace.epoch(0, S_F=1.0))

    def test_shapes_and_types(self):
        trace = writer()
        trace.init(W)
        self.refused(r"expected shape \[2, 2\], found \[4\]", lambda: trace.epoch(0, G={"fc.weight": np.ones(4)}))
        self.refused(r"expected shape \[1\], found \[2\]", lambda: trace.epoch(0, tau=[1.0, 2.0]))
        self.refused("expected integers, found float64", lambda: trace.epoch(0, k_star=0.0))
        self.refused("expected 0 and 1", lambda: trace.epoch(0, mask={"fc.weight": 2 * W["fc.weight"]}))
        self.refused("expected floating-point", lambda: trace.epoch(0, chunk_quantiles=[1, 2]))
        self.refused("float32 in a trace of dtype f64", lambda: writer(dtype="f64").init(W))


if __name__ == "__main__":
    unittest.main()
