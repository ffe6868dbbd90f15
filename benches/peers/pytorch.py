"""The same work in PyTorch (CPU, eager, f32) and NumPy as `cargo bench --bench measure` measures of this crate.

    python benches/peers/pytorch.py --list
    python benches/peers/pytorch.py                                    # steps, quantiles, a product
    python benches/peers/pytorch.py run/gdstar --data DIR --epochs 300 # DIR holds MNIST's IDX files

`--serve` measures one case each time a line arrives, for side_by_side.py. Needs torch and numpy.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

import gdstar_in_pytorch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "golden" / "make"))
from networks import NETWORKS  # noqa: E402  (the golden files' networks, in PyTorch)

# As in benches/measure: the least seconds of a measurement, the quantile's values and its alpha.
LEAST_SECONDS = 0.2
VALUES, ALPHA = 11_173_114, 0.95
STEPS = ["lenet300", "lenet", "resnet20", "resnet18", "mobilenetv2", "vgg16"]


def repeat(work):
    """Mean seconds of `work`, again and again, each over at least LEAST_SECONDS."""
    while True:
        seconds, repetitions = 0.0, 0
        while seconds < LEAST_SECONDS:
            started = time.perf_counter()
            work()
            seconds += time.perf_counter() - started
            repetitions += 1
        yield {"seconds": seconds / repetitions}


def training_step(name, batch_size):
    """zero_grad, forward, cross-entropy, backward, SGD on one batch; learning rate 0, so every step is the same."""
    entry = NETWORKS[name]
    model = entry.build().train()
    optimizer = torch.optim.SGD(model.parameters(), 0.0, momentum=0.9, weight_decay=5e-4)
    x, labels = torch.rand(batch_size, *entry.input) * 2 - 1, torch.arange(batch_size) % 10

    def step():
        optimizer.zero_grad()
        cross_entropy(model(x), labels).backward()
        optimizer.step()

    return repeat(step)


def quantile(how):
    """Of cubes of uniform numbers: like G, none negative, most of them small."""
    g = np.random.default_rng(0).random(VALUES) ** 3
    g = g.astype(np.float32)
    tensor, rank = torch.from_numpy(g), ALPHA * (VALUES - 1)
    below = int(rank)

    def numpy_partition():
        lower, upper = np.partition(g, [below, below + 1])[below : below + 2]
        return lower + (rank - below) * (upper - lower)

    assert VALUES <= gdstar_in_pytorch.QUANTILE_LIMIT
    works = {
        "numpy.quantile": lambda: np.quantile(g, ALPHA),
        "numpy.partition": numpy_partition,
        "torch.quantile": lambda: torch.quantile(tensor, ALPHA),
        "torch.kthvalue": lambda: torch.kthvalue(tensor, below + 1),
    }
    return repeat(works[how])


def product(side):
    a, b = torch.rand(side, side), torch.rand(side, side)
    return repeat(lambda: a @ b)


def whole_run(method, options):
    """LeNet300 on MNIST; every epoch, with its evaluation, is a measurement."""
    if options.data is None:
        raise SystemExit("--data: expected the folder that holds MNIST, found nothing")
    data = gdstar_in_pytorch.read_mnist(options.data)
    model = NETWORKS["lenet300"].build()
    started = time.perf_counter()
    for k, sparsity, accuracy in gdstar_in_pytorch.epochs_of_run(model, method, data, options.epochs):
        seconds = time.perf_counter() - started
        yield {"seconds": seconds, "epoch": k, "sparsity": sparsity, "accuracy": accuracy}
        started = time.perf_counter()


def cases(options):
    steps = {f"step/{name}": lambda name=name: training_step(name, options.batch_size) for name in STEPS}
    ways = ["numpy.quantile", "numpy.partition", "torch.quantile", "torch.kthvalue"]
    quantiles = {f"quantile/{how}": lambda how=how: quantile(how) for how in ways}
    runs = {f"run/{method}": lambda method=method: whole_run(method, options) for method in ["dense", "gdstar"]}
    return steps | quantiles | {"product/1024": lambda: product(1024)} | runs


def cpu():
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.machine()


def describe():
    built = [line.strip(" -") for line in torch.__config__.show().splitlines() if "MKL" in line and "Build" not in line]
    versions = f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    return f"{versions}, {torch.get_num_threads()} threads, {cpu()}, {os.cpu_count()} cores; {'; '.join(built)}"


def serve(measurements, name, options):
    """A measurement for every line of the standard input; the first is the warm-up."""
    for _ in sys.stdin:
        measured = next(measurements, None)
        if measured is None:
            return
        line = {"case": name, "threads": torch.get_num_threads(), "batch_size": options.batch_size} | measured
        print(json.dumps(line), flush=True)


def report(measurements, name, options):
    """A line of the table, or one for every epoch of a run."""
    if name.startswith("run/"):
        for m in measurements:
            print(
                f"{name} epoch {m['epoch']}: {m['seconds']:.3f} s, sparsity {m['sparsity']:.2%}, "
                f"accuracy {m['accuracy']:.2%}",
                flush=True,
            )
        return
    next(measurements)  # the warm-up
    seconds = [next(measurements)["seconds"] for _ in range(options.samples)]
    median = statistics.median(seconds)
    print(f"{name:<44} {1e3 * median:>10.3f} {1e3 * min(seconds):>10.3f} {1e3 * max(seconds):>10.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="The same work in PyTorch and NumPy.")
    parser.add_argument("cases", nargs="*", help="[default: all but run/]")
    parser.add_argument("--list", action="store_true", help="list the cases")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="[default: all cores]")
    parser.add_argument("--samples", type=int, default=5, help="measurements, after one to warm up (default: 5)")
    parser.add_argument("--batch-size", type=int, default=128, help="samples in a training step (default: 128)")
    parser.add_argument("--data", default=os.environ.get("GDSTAR_DATA"), help="where MNIST is [default: $GDSTAR_DATA]")
    parser.add_argument("--epochs", type=int, default=300, help="K, the epochs of a whole run (default: 300)")
    parser.add_argument("--serve", action="store_true", help="measure one case each time a line arrives")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    available = cases(options)
    if options.list:
        print("\n".join(available))
        return
    chosen = options.cases or [name for name in available if not name.startswith("run/")]
    unknown = [name for name in chosen if name not in available]
    if unknown:
        parser.error(f"case: expected one that --list prints, found {unknown[0]}")
    if options.serve:
        if len(chosen) != 1:
            parser.error("--serve takes one case")
        serve(available[chosen[0]](), chosen[0], options)
        return
    print(describe())
    print(f"{'case':<44} {'median ms':>10} {'min':>10} {'max':>10}")
    for name in chosen:
        report(available[name](), name, options)


if __name__ == "__main__":
    main()
