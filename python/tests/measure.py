"""What an epoch of ResNet18's arrays takes on disk and in seconds of one processor: `python python/tests/measure.py`.

The table stands in docs/python.md.
"""

import gzip
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

import gdstar

HYPER = {"epochs": 300, "alpha_0": 0.95, "alpha_K": 0.25, "lambda": 0.75, "eps": 0.0, "chunks": 1}


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


def parts(flat, shapes):
    """A flat array cut into one a parameter."""
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])[:-1]
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), np.split(flat, ends))}


def record(path, shapes):
    """The first epoch of a run whose one gradient is as large as its weights."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal(sum(int(np.prod(shape)) for shape in shapes.values()), np.float32) * np.float32(0.02)
    g = w * w
    alpha, mask, after = gdstar.paper.prune_rate(0, 300, 0.95, 0.25), np.ones(w.size, bool), w.copy()
    found = gdstar.paper.select_weights(g, mask, alpha)
    gdstar.paper.rewind_decay(after, w, found.selected, mask, lambda_=0.75, t=0, eps=0.0)
    s_sq = gdstar.paper.sum_of_squares(g)
    numbers = {"S_sq": s_sq, "S_F": gdstar.paper.frobenius_norm(s_sq, precision="f32"), "min_before": np.inf, "k_star": 0}
    numbers |= {"alpha": alpha, "tau": np.float32(found.tau), "chunk_quantiles": found.chunk_quantiles, "t": 0}
    arrays = {"weights_before": w, "G": g, "rewind": w, "selected": found.selected, "weights_after": after, "mask": mask}
    arrays = {name: parts(array, shapes) for name, array in arrays.items()}
    begun = time.process_time()
    with gdstar.Trace(path, hyper=HYPER, dtype="f32", producer="measure.py", params=list(shapes), epochs=[0]) as trace:
        trace.epoch(0, **numbers, **arrays)
    return time.process_time() - begun


def judge(path):
    begun = time.process_time()
    report = gdstar.check(path)
    assert report.passed, report
    return time.process_time() - begun


def main():
    with tempfile.TemporaryDirectory() as folder:
        path, packed = Path(folder, "epoch.safetensors"), Path(folder, "epoch.safetensors.gz")
        written = record(path, shapes())
        begun = time.process_time()
        with path.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        compressed = time.process_time() - begun
        for name, file, seconds in [("as it is", path, written), ("gzip -1", packed, compressed)]:
            print(f"| {name} | {file.stat().st_size / 1e6:.0f} MB | {seconds:.1f} s | {judge(file):.1f} s |")


if __name__ == "__main__":
    main()
