"""Writes golden/trajectory/<model>.safetensors: ten training steps in f64 from given weights and batches."""

import json

import numpy as np

from common import GOLDEN, write
from networks import LeNet300, ResNet20, record

# The digits' 64 inputs keep the file small.
NETWORKS = {"lenet300": (lambda: LeNet300(64), [64]), "resnet20": (ResNet20, [3, 32, 32])}


def main():
    for model, (build, input_shape) in NETWORKS.items():
        header, tensors, _, gradients, _ = record(build(), f"trajectory/{model}", input_shape, steps=10)
        for i, step in enumerate(gradients):
            tensors |= {f"step/{i}/grad_norm/{name}": np.array([np.sqrt((g * g).sum())]) for name, g in step.items()}
        write(GOLDEN / "trajectory" / f"{model}.safetensors", tensors, {"gdstar-golden": json.dumps(header)})


if __name__ == "__main__":
    main()
