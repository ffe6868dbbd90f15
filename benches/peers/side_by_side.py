"""The goals of docs/performance.md, measured: this crate and PyTorch by turns on the same cores.

    cargo bench --no-run                              # prints the path of the measure binary
    python benches/peers/side_by_side.py --measure target/release/deps/measure-... --data DIR
    python benches/peers/side_by_side.py --measure NEW --before OLD --data DIR

With --before, which needs no PyTorch, it is this crate and an earlier version of it: every case that both binaries know,
which should take at most 3 % more than before. How a process happens to lie in memory makes more of a difference than that,
so each pair is of two new processes, now one first, now the other; the ratio is the median of the pairs'.

Each row compares two processes that answer one measurement at a time, asked A B A B .., the first answer of each being
the warm-up: whatever slows the machine meets both. Printed are the medians, their ratio, and the least and the largest
ratio of a pair. A step's overhead is a per cent: there one process takes both kinds of steps by turns, so that how it lies
in memory and on the cores meets both too, and the ratio is the median of the pairs' ratios. Whole runs are measured by
turns too, epoch by epoch; what is printed are the medians of their total times. Rows by the beginnings of their names:
`side_by_side.py .. step quantile`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

PEER = Path(__file__).resolve().parent / "pytorch.py"
# Between one side's answer and the other's turn: OpenMP's threads spin for milliseconds before they sleep.
PAUSE_SECONDS = 0.05
MODELS = ["lenet300", "lenet", "resnet20", "resnet18", "mobilenetv2", "vgg16"]
# Those of which the paper gives the overhead (Table 6: 2.53 % on average).
TABLE_6 = (
    "lenet300 lenet vgg16 vgg19bn inceptionv3 resnet18 resnet34 shufflenetv2 efficientnetb0 mobilenetv2".split()
)
# Of rows GROUP/MODEL: the models that a mean is taken over, the mean, and its goal.
MEANS = {
    "step": (MODELS, "geometric mean", statistics.geometric_mean, 0.8),
    "overhead": (TABLE_6, "mean over the paper's Table 6", statistics.mean, 1.01),
}


@dataclass(frozen=True)
class Side:
    """A case of `ours` (this crate), of `before` (an earlier version) or `theirs` (pytorch.py); `threads` where it is not
    the number asked for."""

    who: str
    case: str
    threads: int | None = None


@dataclass(frozen=True)
class Row:
    """The quantity of `a` over that of `b`, and what it should be: at most or at least so much. Without a `b`, the case
    `a` takes turns with its own baseline."""

    name: str
    a: Side
    b: Side | None
    most: float | None = None
    least: float | None = None
    quantity: str = "seconds"


def ours(case, threads=None):
    return Side("ours", case, threads)


def theirs(case):
    return Side("theirs", case)


def rows():
    table = []
    for model in MODELS:
        table.append(Row(f"step/{model}: ours / PyTorch", ours(f"step/{model}"), theirs(f"step/{model}"), most=1.0))
    for model in dict.fromkeys([*TABLE_6, *MODELS]):
        table.append(Row(f"overhead/{model}: GDSTAR's step / dense", ours(f"overhead/{model}"), None, most=1.01))
    for way in ["numpy.quantile", "numpy.partition", "torch.quantile"]:
        table.append(Row(f"quantile: ours / {way}", ours("quantile/selection"), theirs(f"quantile/{way}"), most=0.5))
    for model in ["lenet300", "resnet18"]:
        sides = ours(f"epoch/{model}/gdstar-0"), ours(f"epoch/{model}/dense")
        whole = "program_peak_bytes"
        table.append(Row(f"memory/{model}: GDSTAR / dense, whole program", *sides, most=1.1, quantity=whole))
        table.append(Row(f"memory/{model}: the same without its data set", *sides, quantity="peak_bytes"))
    product, convolutions = ours("product/1024"), ours("convolutions/resnet18")
    one, two = ours("step/resnet18", 1), ours("step/resnet18", 2)
    run, epoch = ours("run/gdstar"), ours("epoch/lenet300/dense")
    # The rate of B over the rate of A is A's seconds a multiply-accumulate over B's.
    peak = Row("peak: rate of ResNet18's convolutions / of 1024^3", product, convolutions, least=0.85, quantity="rate")
    return table + [
        Row("product: 1024^3, ours / PyTorch", product, theirs("product/1024")),
        peak,
        Row("cores: ResNet18's step on one / on two", one, two, least=1.8),
        Row("sparse: ResNet20's step at 95 % / dense", ours("sparse/resnet20/95"), ours("sparse/resnet20/0"), most=0.5),
        Row("epoch: LeNet300's at 90 % / dense", ours("epoch/lenet300/gdstar-90"), epoch, most=0.4),
        Row("epoch: LeNet300's, nothing eliminated / dense", ours("epoch/lenet300/gdstar-0"), epoch),
        Row("run: GDSTAR, LeNet300 on MNIST, ours / PyTorch", run, theirs("run/gdstar"), most=0.35),
        Row("run: LeNet300 on MNIST, ours, GDSTAR / dense", run, ours("run/dense"), most=1.0),
    ]


def rows_against_before(options):
    """Every case that both versions know; runs where there are data for them."""

    def names(binary):
        listed = subprocess.run([binary, "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout
        return [line.split()[0] for line in listed.splitlines() if line.strip()]

    before = set(names(options.before))
    cases = [case for case in names(options.measure) if case in before]
    return [Row(case, ours(case), Side("before", case), most=1.03) for case in cases]


class Process:
    """A process that measures one case."""

    def __init__(self, side, options):
        threads = str(side.threads or options.threads)
        programs = {"ours": [options.measure], "before": [options.before], "theirs": [sys.executable, str(PEER)]}
        command = list(programs[side.who])
        command += [side.case, "--serve", "--threads", threads, "--epochs", str(options.epochs)]
        command += ["--batch-size", str(options.batch_size)] + (["--data", options.data] if options.data else [])
        environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self.case = side.case
        self.process = subprocess.Popen(command, env=environment, **pipes)

    def measure(self):
        """One more measurement; `None` where a run has ended."""
        try:
            self.process.stdin.write("\n")
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if answer:
            time.sleep(PAUSE_SECONDS)
            return json.loads(answer)
        if self.process.wait() != 0:
            raise SystemExit(f"{self.case}: the process that measures it failed")
        return None

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:  # it ended by itself, with a line unread
            pass
        self.process.wait()


def value(row, measured):
    if row.quantity == "rate":
        return measured["seconds"] / measured["macs"]
    return measured[row.quantity]


def in_turns(row, options, samples):
    """Values of A and of B, measured by turns: `samples` after the warm-up, or a whole run if that is `None`."""
    processes = [Process(side, options) for side in (row.a, row.b) if side]
    warm_ups = 0 if samples is None else 1
    values = []
    while samples is None or len(values) < warm_ups + samples:
        measured = [process.measure() for process in processes]
        if None in measured:
            break
        values.append([value(row, m) for m in measured] + [m["baseline_seconds"] for m in measured if not row.b])
    for process in processes:
        process.end()
    return values[warm_ups:]


def pairs(row, options):
    """Pairs of values, one a sample; of whole runs, one a run."""
    if options.before and not row.name.startswith("run"):
        turned = replace(row, a=row.b, b=row.a)
        both = [in_turns((row, turned)[i % 2], options, 1)[0] for i in range(options.samples)]
        return [pair[:: (1, -1)[i % 2]] for i, pair in enumerate(both)]
    if not row.name.startswith("run"):
        return in_turns(row, options, options.samples)
    totals = [zip(*in_turns(row, options, None)) for _ in range(options.samples)]
    return [[sum(side) for side in sides] for sides in totals]


def verdict(ratio, most, least):
    if most is not None:
        return f"<= {most}: {'met' if ratio <= most else 'missed'}"
    if least is not None:
        return f">= {least}: {'met' if ratio >= least else 'missed'}"
    return ""


def print_row(name, a, b, ratio, spread, goal):
    print(f"{name:<52} {a:>12} {b:>12} {ratio:>7.3f}  {spread:<16} {goal}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="This crate and PyTorch, or its earlier version, by turns.")
    parser.add_argument("rows", nargs="*", help="beginnings of rows' names [default: all]")
    parser.add_argument("--measure", required=True, help="the binary that `cargo bench --no-run` built")
    parser.add_argument("--before", help="such a binary of an earlier version, to compare with instead of PyTorch")
    parser.add_argument("--threads", type=int, default=2, help="of both sides (default: 2)")
    parser.add_argument("--samples", type=int, default=5, help="measurements, after one to warm up (default: 5)")
    parser.add_argument("--batch-size", type=int, default=128, help="default: 128")
    parser.add_argument("--data", default=os.environ.get("GDSTAR_DATA"), help="where MNIST is [default: $GDSTAR_DATA]")
    parser.add_argument("--epochs", type=int, default=300, help="K, the epochs of whole runs (default: 300)")
    options = parser.parse_args()
    table = rows_against_before(options) if options.before else rows()
    chosen = [row for row in table if not options.rows or row.name.startswith(tuple(options.rows))]
    if not options.data:
        chosen = [row for row in chosen if not row.name.startswith("run")]
        print("without --data, the rows that need MNIST are left out")
    if not chosen:
        parser.error(f"rows: expected beginnings of {', '.join(row.name for row in table)}")

    if options.before:
        print("A: this version; B: the one before")
    else:
        import pytorch  # only now: --help and wrong options answer without loading torch

        pytorch.torch.set_num_threads(options.threads)
        print(pytorch.describe())
    if hasattr(os, "sched_setaffinity"):  # the same cores for both sides; children inherit them
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    print(f"medians of {options.samples} by turns, {options.threads} threads, batch {options.batch_size}")
    print(f"{'row':<52} {'A':>12} {'B':>12} {'A / B':>7}  {'spread':<16} goal")
    megabytes = ("MB", 1e-6)
    units = {"seconds": ("s", 1), "rate": ("ps/MAC", 1e12), "peak_bytes": megabytes, "program_peak_bytes": megabytes}
    ratio_of = {}
    for row in chosen:
        measured = pairs(row, options)
        a, b = (statistics.median(side) for side in zip(*measured))
        ratios = [x / y for x, y in measured]
        ratio = a / b if row.b and not options.before else statistics.median(ratios)
        unit, scale = units[row.quantity]
        ratio_of[row.name.split(":")[0]] = ratio
        spread, goal = f"{min(ratios):.3f} to {max(ratios):.3f}", verdict(ratio, row.most, row.least)
        print_row(row.name, f"{a * scale:.4g} {unit}", f"{b * scale:.4g} {unit}", ratio, spread, goal)
    for group, (models, title, mean, goal) in MEANS.items():
        names = [f"{group}/{model}" for model in models]
        if ratio_of.keys() >= set(names):
            of_all = mean(ratio_of[name] for name in names)
            print_row(f"{group}: {title}", "", "", of_all, "", verdict(of_all, goal, None))


if __name__ == "__main__":
    main()
