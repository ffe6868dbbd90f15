"""What the trace writer promises: `python -m unittest discover examples/port`."""

import json
import tempfile
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
