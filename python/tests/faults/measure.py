"""What the oracle finds in steps of PyTorch: `python measure.py planted`, `correct`, `rules` or `time`, tables in
Markdown.

    planted     every fault in every small network that can have it: caught, named, and what other tools' rules say
    correct     steps without a fault: threads, MKL-DNN, layouts, precisions; every network of golden/make/networks
    time        how long recording a step takes

`--gdstar` is the command to judge with (default: `gdstar`), `--only` a regular expression of names, `--double` records
in f64,
`--keep` a folder for the records of which the verdict is not the one that is due.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import nullcontext
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import gdstar  # noqa: E402
import models  # noqa: E402
import normalisation  # noqa: E402
import pointwise  # noqa: E402
import products  # noqa: E402
import rules  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import wiring  # noqa: E402
from inject import Injector  # noqa: E402
from reading import UNDETERMINED, Read, again  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

PLANTED = products.FAULTS + normalisation.FAULTS + pointwise.FAULTS


def check(command, path):
    """The command's report of a record."""
    done = subprocess.run([command, "check", "--json", str(path)], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{path}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def verdict_of(report):
    """FAIL, SUSPECT (unlikely, or right only by what is not declared), UNJUDGED or PASS."""
    if report["verdict"] == "INCONCLUSIVE":
        return "SUSPECT" if report["suspects"] else "UNJUDGED"
    return report["verdict"]


class Tally:
    """Counts of verdicts, by fault and over all."""

    def __init__(self):
        self.rows = []

    def add(self, name, network, verdict, placed, named, said, causes):
        self.rows.append((name, network, verdict, placed, named, said))
        rejecting = ", ".join(rule for rule, accepted in said.items() if accepted is False)
        print(f"{name} | {network} | {verdict} | {placed} | {named} | {rejecting} | {causes[:1]}", flush=True)

    def summary(self):
        rows = self.rows
        caught = [row for row in rows if row[2] == "FAIL"]
        explained = [row for row in caught if row[4] is not None]
        table = [
            ("FAIL", len(caught), len(rows)),
            ("only SUSPECT", sum(row[2] == "SUSPECT" for row in rows), len(rows)),
            ("of those caught: at the right operator and result", sum(row[3] for row in caught), len(caught)),
            ("of those with a name: named", sum(row[4] for row in explained), len(explained)),
        ]
        for rule in rules.RULES:
            judged = [row[5][rule] for row in rows if row[5].get(rule) is not None]
            table.append((f"{rule} rejects, of those that it judges", judged.count(False), len(judged)))
        print(f"\n{len({row[0] for row in rows})} faults, {len(rows)} records\n\n| | | | |\n|---|--:|--:|--:|")
        for what, n, of in table:
            print(f"| {what} | {n} | {of} | {100 * n / max(of, 1):.1f} % |")


def places(fault, case):
    """How the report calls what is wrong of a case."""
    if fault.result < 0:
        return {f'writes["{~fault.result}"]'}
    return {f"results[{fault.result}]"} | ({'writes["0"]'} if "_." in case["op"] else set())


def planted(options, folder):
    tally, networks = Tally(), models.SMALL
    for fault in PLANTED:
        if not re.search(options.only, fault.name):
            continue
        for network in networks:
            for at in range(options.places):
                path = folder / "planted.safetensors"
                where = planted_step(fault, network, path, options.double, 3 * at)
                if where:
                    judge_planted(options, tally, fault, network, where, path)
    for wrong in wiring.WIRING if not options.double else []:
        for network in networks if re.search(options.only, wrong.name) else []:
            path = folder / "wiring.safetensors"
            if wiring.record(wrong, network, path):
                report = check(options.gdstar, path)
                causes = [f"{f['equation']}: {f['likely_cause']}" for f in report["findings"]]
                wired = [cause for cause in causes if cause.startswith("wiring")]
                named = any(re.search(wrong.cause, cause, re.I) for cause in causes)
                tally.add(wrong.name, network, verdict_of(report), bool(wired), named, {}, wired or causes)
                keep(options, path, report["verdict"] != "FAIL" or not named, f"{wrong.name} {network}")
    tally.summary()


def planted_step(fault, network, path, double=False, at=0):
    """Records a step with a fault: the case that has it, or None where none of the network's calls can have it."""
    model, x, labels = models.build(network)
    if double:
        model, x = model.double(), x.double()
    injector = Injector(fault, at)
    with injector, gdstar.recording(model, path, batch={"input": x, "labels": labels}) as step, injector.planting():
        step.loss = F.cross_entropy(model(x), labels)
        step.loss.backward()
    if injector.planted is None:
        return None
    overload, count = injector.planted
    return [case for case in Read(path).cases if case["op"] == overload][count]


def judge_planted(options, tally, fault, network, case, path):
    read, report = Read(path), check(options.gdstar, path)
    found = [f for f in report["findings"] + report["suspects"] if f["case"] == case["name"]]
    placed = [f for f in found if f["place"] in places(fault, case)]
    named = None if fault.cause is None else any(re.search(fault.cause, f["likely_cause"] or "", re.I) for f in placed)
    said = rules.verdicts(read, case, again) if not any(word in case["op"] for word in UNDETERMINED) else {}
    causes = [f["likely_cause"] for f in placed if f["likely_cause"]]
    tally.add(fault.name, network, verdict_of(report), bool(placed), named, said, causes)
    keep(options, path, not placed or named is False, f"{fault.name} {network}")


def keep(options, path, missed, name):
    if options.keep and missed:
        Path(options.keep).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, Path(options.keep) / (re.sub(r"\W+", "-", name) + ".safetensors"))


SETTINGS = {
    "1 thread": {},
    "2 threads": {"threads": 2},
    "without MKL-DNN": {"mkldnn": False},
    "channels_last": {"layout": torch.channels_last},
    "f64": {"double": True},
    "bf16 autocast": {"autocast": True},
}


def correct_step(network, setting, path, seed=0):
    """Records a step without a fault."""
    torch.manual_seed(seed)
    if network in models.SMALL:
        model, x, labels = models.build(network)
    else:
        image = IMAGES[network]
        model, x, labels = models.NETWORKS[network].build(image), torch.randn(2, *image), torch.randint(0, 10, (2,))
    layout = setting.get("layout", torch.contiguous_format)
    model, x = model.to(memory_format=layout), x.contiguous(memory_format=layout)
    torch.set_num_threads(setting.get("threads", 1))
    with (
        torch.backends.mkldnn.flags(enabled=setting.get("mkldnn", True)),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=setting.get("autocast", False)),
    ):
        gdstar.record_step(model, F.cross_entropy, (x, labels), path, double=setting.get("double", False))


# Images by channels, height and width, as small as the networks make sense of; VGG halves its five times.
IMAGES = defaultdict(lambda: (3, 8, 8)) | {"lenet300": (1, 28, 28), "vgg16": (3, 32, 32), "vgg19bn": (3, 32, 32)}


def correct(options, folder):
    calls, alarms, rejected, judged = 0, 0, Counter(), Counter()
    print("| network | setting | calls | verdict | findings | not judged | s |\n|---|---|--:|---|--:|---|--:|")
    for network in [*models.SMALL, *(n for n in models.NETWORKS if n not in models.SMALL)]:
        for name, setting in SETTINGS.items():
            if not re.search(options.only, f"{network} {name}"):
                continue
            path = folder / "correct.safetensors"
            correct_step(network, setting, path)
            started = time.monotonic()
            report = check(options.gdstar, path)
            seconds = time.monotonic() - started
            read = Read(path)
            calls += len(read.cases)
            alarms += report["verdict"] == "FAIL"
            unjudged = sorted(
                {f"{n['op']}: {n['reason']}" for n in report["not_judged"]} | set(report["wiring"]["untold"])
            )
            row = [
                network,
                name,
                len(read.cases),
                verdict_of(report),
                len(report["findings"]),
                "; ".join(unjudged)[:200],
            ]
            print(f"| {' | '.join(map(str, row))} | {seconds:.1f} |", flush=True)
            keep(options, path, report["verdict"] != "PASS", f"{network} {name}")
            if options.rules and network in models.SMALL:
                for case in read.cases:
                    if not any(word in case["op"] for word in UNDETERMINED):
                        for rule, accepted in rules.verdicts(read, case, again).items():
                            judged[rule] += accepted is not None
                            rejected[rule] += accepted is False
    print(f"\n{calls} calls, {alarms} records with a false alarm")
    for rule in judged:
        print(f"| {rule} | rejects {rejected[rule]} of {judged[rule]} correct calls |")


def tightness(options, folder):
    """How much tighter the any-order bound of each element is than hipDNN's bound of the tensor."""
    ratios = defaultdict(list)
    for network in models.SMALL:
        path = folder / "tightness.safetensors"
        correct_step(network, {}, path)
        read = Read(path)
        for case in read.cases:
            found = rules.tightness(read, case, again)
            if found is not None:
                ratios[case["op"]].append(found)
    print("| operator | elements | median | quarter | three quarters |\n|---|--:|--:|--:|--:|")
    for op, found in [*ratios.items(), ("all", [r for found in ratios.values() for r in found])]:
        ordered = torch.cat(found).sort().values
        quartiles = [float(ordered[int(q * (len(ordered) - 1))]) for q in (0.5, 0.25, 0.75)]
        print(f"| {op} | {len(ordered)} | {' | '.join(f'{q:.0f}' for q in quartiles)} |")


class Empty(TorchDispatchMode):
    """What sees every call and does nothing: no recorder in Python can take less."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def recording_time(options, folder):
    """The time of the processor, which other programs disturb least, medians of five by turns; one thread. `within`: until
    the step's end; `whole`: until the file is there."""
    torch.set_num_threads(1)
    print(f"Batch {options.batch}.\n")
    print("| network | step ms | empty mode | within | whole | MB |\n|---|--:|--:|--:|--:|--:|")
    for name, entry in models.NETWORKS.items():
        if not re.search(options.only, name):
            continue
        torch.manual_seed(0)
        model, x = entry.build(), torch.randn(options.batch, *entry.input)
        labels = torch.randint(0, 10, (options.batch,))

        def step():
            loss = F.cross_entropy(model(x), labels)
            loss.backward()

        path, taken = folder / "time.safetensors", defaultdict(list)

        def recorded():
            started = time.process_time()
            with gdstar.recording(model, path, batch={"input": x, "labels": labels}):
                step()
                taken["within"].append(time.process_time() - started)

        def by_turns():
            for what, context, run in [("step", nullcontext(), step), ("empty", Empty(), step), ("whole", None, recorded)]:
                model.zero_grad()
                started = time.process_time()
                with context or nullcontext():
                    run()
                taken[what].append(time.process_time() - started)
            # Taking another file's place would count its end too.
            size = path.stat().st_size
            path.unlink()
            return size

        by_turns()
        taken.clear()
        for _ in range(5):
            size = by_turns()
        plain = statistics.median(taken["step"])
        ratios = [f"{statistics.median(taken[what]) / plain:.1f}" for what in ("empty", "within", "whole")]
        print(f"| {name} | {plain * 1e3:.1f} | {' | '.join(ratios)} | {size / 1e6:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["planted", "correct", "tightness", "time"])
    parser.add_argument("--gdstar", default="gdstar")
    parser.add_argument("--only", default="")
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--places", type=int, default=1)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--keep")
    options = parser.parse_args()
    run = {"planted": planted, "correct": correct, "tightness": tightness, "time": recording_time}[options.what]
    with tempfile.TemporaryDirectory() as folder:
        run(options, Path(folder))


if __name__ == "__main__":
    main()
