"""Writes golden/trajectory/<model>.safetensors: ten training steps in f64 from given weights and batches."""

import json

import numpy as np

from common import GOLDEN, write
from networks import NETWORKS
from sgd import record

# The digits' 64 inputs keep the file small.
INPUTS = {"lenet300": [64], "resnet20": [3, 32, 32]}


def main():
    for name, input_shape in INPUTS.items():
        model = NETWORKS[name].build((1, 8, 8) if name == "lenet300" else None)
        header, tensors, _, gradients, _ = record(model, f"trajectory/{name}", input_shape, steps=10)
        for i, step in enumerate(gradients):
            tensors |= {f"step/{i}/grad_norm/{key}": np.array([np.sqrt((g * g).sum())]) for key, g in step.items()}
        write(GOLDEN / "trajectory" / f"{name}.safetensors", tensors, {"gdstar-golden": json.dumps(header)})


if __name__ == "__main__":
    main()
