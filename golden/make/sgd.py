"""Training in PyTorch by SGD, recorded step by step."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from common import Numbers

LR, MOMENTUM, WEIGHT_DECAY, BATCH_SIZE, CLASSES = 0.05, 0.9, 5e-4, 8, 10


def initialise(model, numbers):
    """He-normal weights, small random biases, batch norm near the identity: all exact in f32, none at 0 where a
    mistake could hide. Returns them by name, running statistics included."""
    init = {}
    for name, tensor in model.state_dict().items():
        shape = tuple(tensor.shape)
        if name.endswith("num_batches_tracked"):
            continue
        if len(shape) > 1:
            fan_in = np.prod(shape[1:])
            init[name] = numbers.normal(*shape, std=np.sqrt(2 / fan_in))
        elif name.endswith(("bn1.weight", "bn2.weight", "running_var")):
            init[name] = numbers.uniform(0.75, 1.25, *shape)
        else:
            init[name] = numbers.normal(*shape, std=0.1)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in init.items()}, strict=False)
    return init


def record(model, name, input_shape, steps):
    """Trains `model` in f64 for `steps` steps of SGD. Returns the metadata and the tensors common to `step/` and
    `trajectory/`, and per step the logits and gradients."""
    numbers = Numbers(name)
    init = initialise(model, numbers)
    tensors = {f"init/{key}": array for key, array in init.items()}
    model.double().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    logits, gradients = [], []
    for i in range(steps):
        x, labels = numbers.normal(BATCH_SIZE, *input_shape), numbers.labels(CLASSES, BATCH_SIZE)
        tensors |= {f"batch/{i}/input": x, f"batch/{i}/labels": labels}
        optimizer.zero_grad()
        y = model(torch.from_numpy(x).double())
        loss = F.cross_entropy(y, torch.from_numpy(labels))
        loss.backward()
        tensors[f"step/{i}/loss"] = loss.detach().numpy().reshape(1)
        logits.append(y.detach().numpy())
        gradients.append({key: p.grad.numpy().copy() for key, p in model.named_parameters()})
        optimizer.step()
    final = model.state_dict()
    tensors |= {f"final/{key}": final[key].numpy() for key in init}
    momenta = {key: optimizer.state[p]["momentum_buffer"].numpy() for key, p in model.named_parameters()}
    header = {
        "format": "gdstar-golden/1", "model": name.split("/")[1], "steps": steps, "input": list(input_shape),
        "batch_size": BATCH_SIZE, "classes": CLASSES, "lr": LR, "momentum": MOMENTUM, "weight_decay": WEIGHT_DECAY,
    }  # fmt: skip
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    if norms:
        header["batch_norm"] = {"eps": norms[0].eps, "momentum": norms[0].momentum}
    return header, tensors, logits, gradients, momenta
