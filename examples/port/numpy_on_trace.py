"""Runs the NumPy method on the gradients and weights that a trace holds, in place of a training run.

    python examples/port/numpy_on_trace.py golden/exact/CASE.safetensors --out port-of-CASE.safetensors
    gdstar check --exact port-of-CASE.safetensors

So a port shows that its method is right before it can train anything.
"""

import argparse
import json
import re
import sys

import numpy as np
from gdstar_trace import READING, TraceWriter
from numpy_gdstar import Gdstar, Hyper, Weights
from safetensors import safe_open


class Recorded:
    """A trace that is read: its header, and its tensors by name."""

    def __init__(self, path: str) -> None:
        with safe_open(path, framework="np") as file:
            self.header = json.loads(file.metadata()["gdstar"])
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}

    def hyper(self) -> Hyper:
        """The hyper-parameters; those that must be exact may be hexadecimal strings."""
        values = {key: float.fromhex(x) if isinstance(x, str) else x for key, x in self.header["hyper"].items()}
        values |= {key: int(values[key]) for key in ("epochs", "chunks")}
        values = {"lr": 0.0} | values  # where no optimizer is described, none runs
        return Hyper(lambda_=values.pop("lambda"), **values)

    def departures(self) -> dict[str, object]:
        """The choices of its reading that are not the defaults."""
        reading = self.header.get("reading", {})
        return {key: value for key, value in reading.items() if str(value) != str(READING[key][0])}

    def parameters(self, place: str) -> Weights:
        """The tensors `<place>/<name>` of the prunable parameters, in f32; empty if there are none."""
        present = [name for name in self.header["params"] if f"{place}/{name}" in self.tensors]
        return {name: self.tensors[f"{place}/{name}"].astype(np.float32) for name in present}

    def batches(self, k: int) -> int:
        """How many batches epoch k has."""
        found = [re.match(rf"epoch/{k}/batch/(\d+)/", name) for name in self.tensors]
        return 1 + max((int(match[1]) for match in found if match), default=-1)


def run(recorded: Recorded) -> TraceWriter:
    """Epoch by epoch: the recorded gradients, then the recorded weights, then the method."""
    hyper, params = recorded.hyper(), recorded.header["params"]
    trace = TraceWriter(hyper=recorded.header["hyper"], dtype="f32", producer="examples/port/numpy_on_trace.py",
                        params=params)
    gdstar = Gdstar(hyper, recorded.parameters("init") or recorded.parameters("epoch/0/weights_before"))
    for k in range(hyper.epochs):
        for i in range(recorded.batches(k)):
            gradients = recorded.parameters(f"epoch/{k}/batch/{i}/grad")
            trace.batch(k, i, grads=gradients)
            gdstar.observe(gradients)
        weights = recorded.parameters(f"epoch/{k}/weights_before")
        momentum = {name: np.zeros_like(w) for name, w in weights.items()}  # no optimizer runs here
        gdstar.enforce(weights, momentum)
        gdstar.end_of_epoch(k, weights, momentum, trace)
    return trace


def main() -> None:
    parser = argparse.ArgumentParser(description="The NumPy port's method on the gradients and weights of a trace.")
    parser.add_argument("trace", help="with the gradients of every batch, and weights_before of every epoch")
    parser.add_argument("--out", required=True, help="the port's own trace")
    args = parser.parse_args()
    recorded = Recorded(args.trace)
    if recorded.departures():
        sys.exit(f"{args.trace}: this port has the default readings only, not {recorded.departures()}")
    print(f"gdstar check {run(recorded).save(args.out)}")


if __name__ == "__main__":
    main()
