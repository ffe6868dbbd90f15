"""What the traces of a run as large as ResNet18's take on disk and in seconds of one processor, and what a sample of them
shows: `python python/tests/measure.py epoch`, `run` or `slips`.

    epoch    one epoch's arrays, as they are and compressed
    run      `--epochs` epochs, the first with the gradients of `--batches`, masks in bits and of all else a sample
    slips    three epochs with a slip, as such a sample: which verdict, and by which equation

The weights are as many as ResNet18's, the gradients drawn: what they are of is nothing that the method asks. The tables
stand in docs/python.md.
"""

import argparse
import gzip
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

import gdstar

HYPER = {
    "epochs": 300, "alpha_0": 0.95, "alpha_K": 0.25, "lambda": 0.75, "eps": 5.5e-5, "chunks": 1,
    "lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4, "batch_size": 128,
}  # fmt: skip
F = np.float32


def shapes():
    """The weights of ResNet18 for CIFAR-10: 11,164,352 in convolutions and the last layer."""
    found, channels = {"conv1.weight": (64, 3, 3, 3)}, 64
    for stage, width in enumerate([64, 128, 256, 512], start=1):
        for block in range(2):
            found[f"layer{stage}.{block}.conv1.weight"] = (width, channels, 3, 3)
            found[f"layer{stage}.{block}.conv2.weight"] = (width, width, 3, 3)
            if channels != width:
                found[f"layer{stage}.{block}.shortcut.weight"] = (width, channels, 1, 1)
            channels = width
    return found | {"fc.weight": (10, 512)}


def parts(flat):
    """A flat array cut into one a parameter."""
    ends = np.cumsum([np.prod(shape) for shape in shapes().values()])[:-1]
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes().items(), np.split(flat, ends))}


class Run:
    """The method on drawn gradients, as a port in float32 would do it. `slips`: the names of what it does wrong."""

    def __init__(self, batches, slips=()):
        self.batches, self.slips = batches, slips
        self.rng = np.random.default_rng(0)
        self.n = sum(int(np.prod(shape)) for shape in shapes().values())
        self.w = self.rng.standard_normal(self.n, F) * F(0.02)
        self.v = np.zeros(self.n, F)
        self.mask = np.ones(self.n, bool)
        self.minimum, self.k_star, self.rewind, self.before = np.inf, 0, self.w.copy(), None

    def epoch(self, trace, k, gradients):
        """Takes an epoch, its batches one by one where `gradients`, else as one."""
        G, rate = np.zeros(self.n, F), F(HYPER["lr"] * 0.5 * (1 + np.cos(np.pi * k / HYPER["epochs"])))
        for i in range(self.batches if gradients else 1):
            g = self.rng.standard_normal(self.n, F) * F(0.01 * (1 + k % 7))
            if gradients:
                trace.batch(k, i, grads=parts(g))
            G += np.abs(g) if "|g| for g^2" in self.slips else g * g
            decay = 0 if "no weight decay" in self.slips else HYPER["weight_decay"]
            self.v = F(HYPER["momentum"]) * self.v + (g + F(decay) * self.w)
            self.v[~self.mask] = 0
            self.w -= rate * self.v
        self.w[~self.mask] = 0
        self.prune(trace, k, G)

    def prune(self, trace, k, G):
        s_sq = F(np.sum(G[: -10 * 512] if "S_sq without the last layer" in self.slips else G, dtype=np.float64))
        if "S_sq without half of the layers" in self.slips:
            s_sq = F(np.sum(G[: self.n // 2], dtype=np.float64))
        s_f, min_before, before = F(np.sqrt(s_sq)), F(self.minimum), self.w.copy()
        if s_f < self.minimum:
            self.minimum, self.k_star, self.rewind = s_f, k, before
        alpha = gdstar.paper.prune_rate(k, HYPER["epochs"], HYPER["alpha_0"], HYPER["alpha_K"])
        used, of = alpha, G
        if "quantile at alpha - 0.02" in self.slips:
            used = alpha - 0.02
        if "quantile of living weights alone" in self.slips:
            of = G[self.mask]
        if "rank alpha N for alpha (N - 1)" in self.slips:
            used = alpha * self.n / (self.n - 1)
        tau = F(np.quantile(of.astype(np.float64), used))
        selected = G <= tau if "<= for <" in self.slips else tau <= G if "> for <" in self.slips else tau > G
        t = k - self.k_star + ("t one too many" in self.slips)
        decayed = self.rewind * F(HYPER["lambda"] ** t)
        moved = selected & self.mask
        self.w[moved] = np.where(np.abs(decayed) >= F(HYPER["eps"]), decayed, F(0))[moved]
        if "one weight of 11 million is not rewound" in self.slips:
            self.w[np.flatnonzero(moved)[7]] = before[np.flatnonzero(moved)[7]]
        if "one weight in 1,000 is not rewound" in self.slips:
            self.w[moved & (np.arange(self.n) % 1000 == 0)] = before[moved & (np.arange(self.n) % 1000 == 0)]
        mask = self.mask & ~(moved & (self.w == 0))
        if "one eliminated weight is alive again" in self.slips and k == 2:
            mask[np.flatnonzero(~self.mask)[7]] = True
        arrays = {"weights_before": before, "G": G, "rewind": self.rewind, "selected": selected, "mask": mask}
        arrays = {name: parts(array) for name, array in (arrays | {"weights_after": self.w}).items()}
        numbers = {"S_sq": s_sq, "S_F": s_f, "min_before": min_before, "k_star": self.k_star, "alpha": alpha, "t": t}
        trace.epoch(k, **numbers, tau=tau, chunk_quantiles=[tau], **arrays)
        self.v[moved & ~mask] = 0
        self.mask = mask


SLIPS = [
    "none", "|g| for g^2", "no weight decay", "S_sq without half of the layers", "S_sq without the last layer",
    "quantile at alpha - 0.02", "quantile of living weights alone", "rank alpha N for alpha (N - 1)", "> for <", "<= for <",
    "t one too many", "one weight in 1,000 is not rewound", "one weight of 11 million is not rewound",
    "one eliminated weight is alive again",
]  # fmt: skip


def written(path, epochs, batches, slips=(), **chosen):
    """Writes a trace of a run; the seconds that its recording took."""
    run, seconds = Run(batches, slips), 0.0
    header = {"hyper": HYPER, "dtype": "f32", "producer": "measure.py", "params": list(shapes())}
    # Sums are formed in f64, or by NumPy in pairs.
    with gdstar.Trace(path, **header, arithmetic={"u_acc": 2.0**-24}, **chosen) as trace:
        kept_batch, kept_epoch = trace.batch, trace.epoch

        def timed(record):
            def recorded(*args, **named):
                nonlocal seconds
                begun = time.process_time()
                record(*args, **named)
                seconds += time.process_time() - begun

            return recorded

        trace.batch, trace.epoch = timed(kept_batch), timed(kept_epoch)
        trace.init(parts(run.w))
        for k in range(epochs):
            run.epoch(trace, k, gradients=k == 0 and batches > 0)
    return seconds


def judged(path):
    begun = time.process_time()
    report = gdstar.check(path)
    return report, time.process_time() - begun


def epoch(folder):
    path, packed = folder / "epoch.safetensors", folder / "epoch.safetensors.gz"
    seconds = written(path, 1, 0)
    begun = time.process_time()
    with path.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as sink:
        shutil.copyfileobj(source, sink, 1 << 20)
    compressed = time.process_time() - begun
    for name, file, taken in [("as it is", path, seconds), ("gzip -1", packed, compressed)]:
        report, asked = judged(file)
        assert report.passed, report
        print(f"| {name} | {file.stat().st_size / 1e6:.0f} MB | {taken:.1f} s | {asked:.1f} s |")


def run(folder, epochs, batches):
    path = folder / "run.safetensors"
    seconds = written(path, epochs, batches, masks="packed", sample=0.01)
    report, asked = judged(path)
    size = path.stat().st_size / 1e6
    print(f"{size:.0f} MB, {seconds:.0f} s to write, {asked:.0f} s to judge\n{report}")


def slips(folder):
    path = folder / "slip.safetensors"
    print("| slip | verdict, first by |\n|---|---|")
    for slip in SLIPS:
        written(path, 3, 3, (slip,), masks="packed", sample=0.01)
        report, _ = judged(path)
        first = f", `{report.findings[0].equation}`" if report.findings else ""
        print(f"| {slip} | {report.verdict}{first} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["epoch", "run", "slips"])
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--batches", type=int, default=391)
    options = parser.parse_args()
    of_run = lambda folder: run(folder, options.epochs, options.batches)
    with tempfile.TemporaryDirectory() as folder:
        {"epoch": epoch, "run": of_run, "slips": slips}[options.what](Path(folder))


if __name__ == "__main__":
    main()
