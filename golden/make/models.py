"""Writes golden/models/<name>.safetensors: each network forward and backward in f64, by PyTorch, from hashed weights.

Gradients and running statistics are stored as checksums (`checksum` below); golden/make/README.md says what they catch.
"""

import json
from math import fsum, sqrt

import numpy as np
import torch
import torch.nn.functional as F

import hash_weights
from common import GOLDEN, write
from networks import NETWORKS

BATCH_SIZE, CLASSES = 2, 10
FOLDER = GOLDEN / "models"

# Files beside those of the default inputs, or instead of them: InceptionV3 keeps every pixel of a small image and is
# costly, so a small one is smaller still; and from 75x75 on it has another stem.
INPUTS = {"inceptionv3": {"inceptionv3": (3, 16, 16), "inceptionv3-full-stem": (3, 139, 139)}}


def load_hashed(model):
    """Gives `model` its hashed weights and running statistics."""
    state = model.state_dict()
    names = [name for name in state if not name.endswith("num_batches_tracked")]
    hashed = {name: torch.from_numpy(hash_weights.parameter(name, tuple(state[name].shape))) for name in names}
    model.load_state_dict(state | hashed)


def run(model, x, labels, training):
    """Loss, logits and gradients; in training the running statistics of `model` move."""
    model.train(training)
    model.zero_grad()
    logits = model(x)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    gradients = {name: p.grad.numpy() for name, p in model.named_parameters()}
    return loss.detach().numpy().reshape(1), logits.detach().numpy(), gradients


def checksum(array, signs):
    """The Euclidean norm, and the sum of all entries under each lane of signs: sums correctly rounded, so that no order
    of summation is implied."""
    flat = array.reshape(-1)
    return [sqrt(fsum((flat * flat).tolist()))] + [fsum((flat * lane).tolist()) for lane in signs]


def checksums(arrays):
    rows = [checksum(array, hash_weights.signs(name, array.size)) for name, array in arrays.items()]
    return np.array(rows).reshape(len(rows), 1 + hash_weights.LANES)


def cancelled(gradients):
    """The gradients that are zero but for rounding: of what the batch norm that follows subtracts again. They are told
    by their size beside the gradient of the same layer's weight, where nothing else is small."""
    names = []
    for name, gradient in gradients.items():
        if name.endswith(".bias"):
            ratio = np.linalg.norm(gradient) / np.linalg.norm(gradients[name.removesuffix("bias") + "weight"])
            assert ratio < 2**-40 or ratio > 2**-20, f"{name}: rounding, or a gradient? {ratio:.1e}"
            if ratio < 2**-40:
                names.append(name)
    return names


def record(name, input):
    model = NETWORKS[name].build(input, CLASSES).double()
    load_hashed(model)
    x = torch.from_numpy(hash_weights.inputs((BATCH_SIZE, *input)))
    labels = torch.from_numpy(hash_weights.labels(BATCH_SIZE, CLASSES))
    # Evaluation first: it leaves the running statistics as they are.
    eval_loss, eval_logits, eval_gradients = run(model, x, labels, training=False)
    eval_gradients = checksums(eval_gradients)
    loss, logits, gradients = run(model, x, labels, training=True)
    buffers = {key: b.numpy() for key, b in model.named_buffers() if not key.endswith("num_batches_tracked")}
    header = {
        "format": "gdstar-model-golden/1", "model": name, "input": list(input), "batch_size": BATCH_SIZE,
        "classes": CLASSES, "gradients": list(gradients), "buffers": list(buffers), "cancelled": cancelled(gradients),
    }  # fmt: skip
    tensors = {
        "training/loss": loss, "training/logits": logits, "training/gradients": checksums(gradients),
        "training/buffers": checksums(buffers), "evaluation/loss": eval_loss, "evaluation/logits": eval_logits,
        "evaluation/gradients": eval_gradients,
    }  # fmt: skip
    return header, tensors


def write_hashed():
    """Values of the generator: an example of every rule, and the inputs and labels that the default files are made of."""
    shapes = [entry.input for entry in NETWORKS.values()]
    tensors = {f"input/{'x'.join(map(str, shape))}": hash_weights.inputs((BATCH_SIZE, *shape)) for shape in shapes}
    examples = {
        "conv1.weight": (6, 3, 5, 5), "layers.0.conv2.weight": (8, 1, 3, 3), "layers.2.conv1.weight": (4, 1, 1, 1),
        "fc.weight": (4, 784), "fc.bias": (4,), "bn1.weight": (16,), "bn1.bias": (16,), "bn1.running_mean": (16,),
        "bn1.running_var": (16,),
    }  # fmt: skip
    tensors |= {f"parameter/{name}": hash_weights.parameter(name, shape) for name, shape in examples.items()}
    tensors = {name: array.astype(np.float32) for name, array in tensors.items()}
    tensors |= {f"labels/{classes}": hash_weights.labels(16, classes) for classes in [10, 200]}
    header = {"format": "gdstar-hashed/1"}
    write(FOLDER / "hashed.safetensors", tensors, {"gdstar-golden": json.dumps(header)})


def main():
    write_hashed()
    for name, entry in NETWORKS.items():
        for file, input in INPUTS.get(name, {name: entry.input}).items():
            header, tensors = record(name, input)
            write(FOLDER / f"{file}.safetensors", tensors, {"gdstar-golden": json.dumps(header)})


if __name__ == "__main__":
    main()
