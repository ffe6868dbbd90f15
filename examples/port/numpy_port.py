"""A complete port in plain NumPy: LeNet-300-100 on the embedded digits with GDSTAR, recorded for `gdstar check`.

    python examples/port/numpy_port.py --out numpy_port.safetensors
    gdstar check numpy_port.safetensors

The network, its gradients and the optimizer are written out by hand here; the method is in `numpy_gdstar.py`. The lines
that begin with `trace` are all that the checker needs.
"""

import argparse
import math

import digits
import numpy as np
from faults import FAULTS
from gdstar_trace import TraceWriter
from numpy_gdstar import Gdstar, Hyper, Weights
from numpy_rewinds import REWINDS

LAYERS = {"fc1": (64, 300), "fc2": (300, 100), "fc3": (100, 10)}  # inputs, outputs
PRUNABLE = [f"{layer}.weight" for layer in LAYERS]


def initialise(rng: np.random.Generator) -> Weights:
    """W_0 in f32, uniform in +-1/sqrt(inputs). Weights are [outputs, inputs], as PyTorch has them."""
    weights = {}
    for layer, (inputs, outputs) in LAYERS.items():
        bound = 1 / math.sqrt(inputs)
        weights[f"{layer}.weight"] = rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)
        weights[f"{layer}.bias"] = rng.uniform(-bound, bound, outputs).astype(np.float32)
    return weights


def forward(weights: Weights, x: np.ndarray) -> list[np.ndarray]:
    """What enters each layer, and the logits: h_0 = x, h_l = relu(h_(l-1) W_l^T + b_l), without relu at the end."""
    outputs = [x]
    for layer in LAYERS:
        z = outputs[-1] @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
        outputs.append(z if layer == "fc3" else np.maximum(z, 0))
    return outputs


def loss_and_gradients(weights: Weights, x: np.ndarray, labels: np.ndarray) -> tuple[np.float32, Weights]:
    """Mean cross-entropy over the batch, and its gradient in every parameter (Alg. 1, lines 3 to 5)."""
    *inputs, logits = forward(weights, x)
    shifted = logits - logits.max(axis=1, keepdims=True)  # changes no probability, and exp cannot overflow
    exp = np.exp(shifted)
    sums = exp.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])

    dz = exp / sums  # dL/dlogits = (softmax - one-hot) / batch size
    dz[rows, labels] -= 1
    dz /= np.float32(len(labels))
    gradients = {}
    for layer, h in reversed(list(zip(LAYERS, inputs))):
        gradients[f"{layer}.weight"] = dz.T @ h
        gradients[f"{layer}.bias"] = dz.sum(axis=0)
        dz = (dz @ weights[f"{layer}.weight"]) * (h > 0)  # relu'(0) = 0; of no use below fc1
    return loss, gradients


def accuracy(weights: Weights, x: np.ndarray, labels: np.ndarray) -> float:
    """The share of samples whose largest logit is their label's."""
    return float(np.mean(forward(weights, x)[-1].argmax(axis=1) == labels))


def learning_rate(hyper: Hyper, k: int) -> float:
    """Cosine annealing, once an epoch: lr/2 (1 + cos(pi k / K))."""
    return 0.5 * hyper.lr * (1 + math.cos(math.pi * k / hyper.epochs))


def sgd_step(weights: Weights, momentum: Weights, gradients: Weights, hyper: Hyper, lr: float) -> None:
    """PyTorch's SGD, in place: g <- g + weight_decay w;  b <- momentum b + g;  w <- w - lr b (Alg. 1, line 6)."""
    for name, w in weights.items():
        b = momentum[name]
        b *= hyper.momentum
        b += gradients[name] + hyper.weight_decay * w
        w -= lr * b


def run(hyper: Hyper, method: type[Gdstar], seed: int) -> TraceWriter:
    """Trains, and returns what was recorded."""
    rng = np.random.default_rng(seed)
    data = digits.load(np.float32)
    weights = initialise(rng)
    momentum = {name: np.zeros_like(w) for name, w in weights.items()}
    gdstar = method(hyper, {name: weights[name] for name in PRUNABLE})
    trace = TraceWriter(hyper=hyper.header() | method.more_hyper, dtype="f32", producer="examples/port/numpy_port.py",
                        params=PRUNABLE, model="lenet300", dataset="digits", method=method.name)
    trace.init(weights)
    for k in range(hyper.epochs):
        order = rng.permutation(len(data.train_y))
        for i, indices in enumerate(np.split(order, range(hyper.batch_size, len(order), hyper.batch_size))):
            loss, gradients = loss_and_gradients(weights, data.train_x[indices], data.train_y[indices])
            trace.batch(k, i, indices, loss, gradients)
            gdstar.observe(gradients)
            sgd_step(weights, momentum, gradients, hyper, learning_rate(hyper, k))
            gdstar.enforce(weights, momentum)
        gdstar.end_of_epoch(k, weights, momentum, trace)
        tested = accuracy(weights, data.test_x, data.test_y)
        print(f"epoch {k}: last batch's loss {loss:.4f}, test accuracy {tested:.2%}, k* = {gdstar.k_star}, "
              f"sparsity {gdstar.sparsity():.2%}")
    return trace


def main() -> None:
    parser = argparse.ArgumentParser(description="GDSTAR in plain NumPy, recorded for `gdstar check`.")
    parser.add_argument("--out", default="numpy_port.safetensors", help="the trace (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=Hyper.epochs, help="K (default: %(default)s)")
    parser.add_argument("--chunks", type=int, default=Hyper.chunks, help="C (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--method", choices=REWINDS, help="another rule for the rewind point (numpy_rewinds.py)")
    parser.add_argument("--fault", choices=FAULTS, help="plant one mistake (faults.py), to see the report that it gets")
    args = parser.parse_args()
    if args.method and args.fault:
        parser.error("the faults are planted in GDSTAR: --fault without --method")
    method = REWINDS.get(args.method) or FAULTS.get(args.fault, Gdstar)
    trace = run(Hyper(epochs=args.epochs, chunks=args.chunks), method, args.seed)
    print(f"gdstar check {trace.save(args.out)}")


if __name__ == "__main__":
    main()
