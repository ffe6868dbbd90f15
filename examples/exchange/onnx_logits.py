"""ONNX Runtime's logits of an exported network beside gdstar's own, on random inputs.

    gdstar train --model lenet300 --data digits --epochs 2 --out run
    gdstar export run --format onnx
    python examples/exchange/onnx_logits.py gdstar run --model lenet300

Both compute in F32, in orders of their own. The measure is gdstar's F32 against its own F64: what rounding alone does to
this network. ONNX Runtime may be off by 8 times as much (another order, with other blocks), and by 4 u of the largest logit.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

parser = argparse.ArgumentParser()
parser.add_argument("gdstar")
parser.add_argument("run", type=Path)
parser.add_argument("--model", required=True)
arguments = parser.parse_args()

path = arguments.run / "export-onnx" / "network.onnx"
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
extents = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:]
x = np.random.default_rng(0).standard_normal((8, *extents)).astype(np.float32)


def logits(folder: Path, dtype: type) -> np.ndarray:
    """gdstar's, of the model's own parameters."""
    weights, batch, out = (folder / f"{name}.safetensors" for name in ("weights", "batch", "out"))
    initial = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    save_file({name: value.astype(dtype) for name, value in initial.items() if value.dtype == np.float32}, weights)
    save_file({"input": x.astype(dtype), "labels": np.zeros(len(x), np.int64)}, batch)
    command = [arguments.gdstar, "probe", "--model", arguments.model, "--weights", weights, "--batch", batch]
    precision = "f32" if dtype is np.float32 else "f64"
    subprocess.run([*command, "--out", out, "--eval", "--precision", precision], check=True, stdout=subprocess.DEVNULL)
    return load_file(out)["logits"]


with tempfile.TemporaryDirectory() as folder:
    ours, exact = (logits(Path(folder), dtype) for dtype in (np.float32, np.float64))
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
(theirs,) = session.run(None, {"input": x})
allowed = 8 * np.abs(ours - exact).max() + 4 * 2.0**-24 * np.abs(exact).max()
off = np.abs(theirs - exact).max()
print(f"{path}: off by {off:.2e}, allowed {allowed:.2e}")
sys.exit(0 if off <= allowed else 1)
