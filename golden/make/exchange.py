"""Holds the built `gdstar` and PyTorch against each other, both ways, for every network, tensor by tensor:

- random weights saved from PyTorch, `gdstar probe`: logits, loss, all gradients and running statistics, in f64;
- `gdstar weights`, loaded into PyTorch: the same names in the same order, and the same logits;
- a trained and pruned LeNet300: its checkpoint and its export, loaded into PyTorch.

    cargo build --release
    python golden/make/exchange.py [--gdstar PROGRAM] [NETWORK ..]

Prints a table of the largest relative differences; fails where one is above its tolerance.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from common import GOLDEN
from models import cancelled, run
from networks import NETWORKS

# src/oracle/golden/networks.rs says why.
FORWARD, GRADIENT = 1e-12, 1e-10
BATCH_SIZE, CLASSES = 2, 10


def randomise(model):
    """PyTorch's own initial weights, with biases and batch norm moved away from the values where a mistake could hide."""
    for name, tensor in model.state_dict().items():
        if tensor.dim() == 1:
            middle = 1.0 if name.endswith((".weight", ".running_var")) else 0.0
            tensor.uniform_(-0.25, 0.25).add_(middle)


class Exchange:
    def __init__(self, program, folder):
        self.program, self.folder = program, Path(folder)

    def path(self, name):
        return str(self.folder / f"{name}.safetensors")

    def gdstar(self, *arguments):
        subprocess.run([self.program, *arguments], check=True, stdout=subprocess.DEVNULL)

    def probe(self, network, weights, x, labels, *more):
        save_file({"input": x, "labels": labels}, self.path("batch"))
        files = ["--weights", weights, "--batch", self.path("batch"), "--out", self.path("out")]
        self.gdstar("probe", "--model", network, *files, *more)
        return load_file(self.path("out"))


def difference(ours, theirs):
    """Relative, in the Euclidean norm; NaN if anything is."""
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    return ((ours - theirs).norm() / theirs.norm()).item()


def of_pass(ours, model, passed, training):
    """The largest differences of one pass, and over how many tensors: forward, gradients, running statistics."""
    loss, logits, gradients = passed
    noise = cancelled(gradients) if training else []
    buffers = {name: b for name, b in model.named_buffers() if not name.endswith("num_batches_tracked")}
    expected = {"logits", "loss"} | {f"grad/{name}" for name in gradients}
    expected |= {f"buffer/{name}" for name in buffers} if training else set()
    assert set(ours) == expected, set(ours) ^ expected
    forward = max(difference(ours["logits"], torch.tensor(logits)), difference(ours["loss"], torch.tensor(loss)))
    of_gradients = []
    for name, gradient in gradients.items():
        theirs = torch.tensor(gradient)
        if name in noise:
            # Zero but for rounding: measured by the gradient of the same layer's weight.
            weight = torch.tensor(gradients[name.removesuffix("bias") + "weight"])
            of_gradients.append(((ours[f"grad/{name}"] - theirs).norm() / weight.norm()).item())
        else:
            of_gradients.append(difference(ours[f"grad/{name}"], theirs))
    of_buffers = [difference(ours[f"buffer/{name}"], b) for name, b in buffers.items()] if training else []
    return forward, worst(of_gradients), worst(of_buffers)


def worst(differences):
    """The largest; NaN if one is; `None` if there is none."""
    return max(differences, key=lambda x: (x != x, x), default=None)


def hold(what, difference, tolerance):
    assert difference is None or difference <= tolerance, f"{what}: {difference:.1e}, above {tolerance}"


def from_pytorch(exchange, network):
    """The differences of training and evaluation, with weights that PyTorch saved."""
    torch.manual_seed(1)
    model = NETWORKS[network].build(classes=CLASSES)
    randomise(model)
    model = model.double()
    x = torch.randn(BATCH_SIZE, *NETWORKS[network].input, dtype=torch.float64)
    labels = torch.randint(CLASSES, (BATCH_SIZE,))
    weights = exchange.path("pytorch")
    save_file(model.state_dict(), weights)
    results = []
    for training, more in [(False, ["--eval"]), (True, [])]:
        ours = exchange.probe(network, weights, x, labels, *more)
        found = of_pass(ours, model, run(model, x, labels, training), training)
        for what, difference, tolerance in zip(["forward", "gradients", "buffers"], found, [FORWARD, GRADIENT, FORWARD]):
            hold(f"{network}, {what}", difference, tolerance)
        results.append(found)
    return results


def to_pytorch(exchange, network):
    """The difference of the logits, with weights that the program wrote."""
    weights = exchange.path("gdstar")
    exchange.gdstar("weights", "--model", network, "--seed", "1", "--out", weights)
    model, stored = NETWORKS[network].build(classes=CLASSES), load_file(weights)
    model.load_state_dict(stored, strict=True)
    model = model.double().eval()
    x = torch.randn(BATCH_SIZE, *NETWORKS[network].input, dtype=torch.float64)
    labels = torch.zeros(BATCH_SIZE, dtype=torch.int64)
    with torch.no_grad():
        found = difference(exchange.probe(network, weights, x, labels, "--eval")["logits"], model(x))
    hold(f"{network}, weights of gdstar", found, FORWARD)
    return found


def of_a_run(exchange):
    """A pruned LeNet300, its checkpoint and its export, loaded into PyTorch."""
    folder = exchange.folder / "run"
    settings = ["--model", "lenet300", "--data", "digits", "--method", "gdstar", "--epochs", "8", "--eps", "0.01"]
    exchange.gdstar("train", *settings, "--out", str(folder))
    exchange.gdstar("export", str(folder), "--format", "safetensors", "--out", str(exchange.folder / "export"))
    model = NETWORKS["lenet300"].build((1, 8, 8), CLASSES)
    checkpoint = load_file(folder / "checkpoint.safetensors")
    model.load_state_dict({name: tensor for name, tensor in checkpoint.items() if "/" not in name}, strict=True)
    dense = load_file(exchange.folder / "export" / "dense.safetensors")
    for name, tensor in model.state_dict().items():
        assert torch.equal(dense[name], tensor), name
    model.load_state_dict(dense, strict=True)
    zeros = sum((tensor == 0).sum().item() for name, tensor in dense.items() if name.endswith("weight"))
    assert zeros > 0, "nothing was pruned"
    print(f"checkpoint and export of a pruned lenet300 ({zeros:,} zeros) load into PyTorch")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gdstar", default=str(GOLDEN.parent / "target" / "release" / "gdstar"))
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    arguments = parser.parse_args()
    print("| network | logits, loss: training | running statistics | gradients | logits, loss: evaluation | gradients "
          "| weights of gdstar |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for network in arguments.networks:
        with tempfile.TemporaryDirectory() as folder:
            exchange = Exchange(arguments.gdstar, folder)
            evaluation, training = from_pytorch(exchange, network)
            numbers = [training[0], training[2], training[1], evaluation[0], evaluation[1], to_pytorch(exchange, network)]
            cells = ["-" if number is None else f"{number:.0e}" for number in numbers]
            print(f"| {network} | " + " | ".join(cells) + " |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        of_a_run(Exchange(arguments.gdstar, folder))


if __name__ == "__main__":
    main()
