"""Judges `gdstar check` by simulated ports of every method: correct ones, and ones with a planted slip.

    python tests/kit/run.py --gdstar target/debug/gdstar [--methods rigl,set] [--seeds 120] [--json]

A correct port must never FAIL. A slip must be found, first at its label, and named. That it changes its label first is
shown here, without the checker: at every step the same port without the slip takes the same step from the same state.
"""

import argparse
import collections
import concurrent.futures
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import slips
import tensors
from arithmetic import UNIT, Machine
from choices import NoSolution
from port import Record
from settings import METHODS, MODES, Pairs, pick, random_reading, random_setting, trimmed

CARRIED = {"weights_before": "weights_after", "momentum_before": "momentum", "mask_before": "mask",
           "accumulated_before": "accumulated"}
SEEDS_OF_A_SLIP = 4
TRIES = 40


def machine(setting):
    return Machine(setting.dtype, **setting.machine)


def differ(a, b, unit):
    """0: the same but for a few roundings; 2: visibly different; 1: neither."""
    if a.shape != b.shape:
        return 2
    if a.dtype.kind not in "f":
        return 2 if not np.array_equal(a, b) else 0
    a, b = a.astype(np.longdouble), b.astype(np.longdouble)
    gap, size = np.abs(a - b).max(initial=0), max(np.abs(a).max(initial=0), np.abs(b).max(initial=0))
    return 0 if gap <= 16 * unit * size else 2 if gap > 1024 * unit * size else 1


def first_difference(order, records, expected, unit):
    """The first label whose records are not the expected ones; "?" if that cannot be told."""
    records, expected = with_support(records), with_support(expected)
    for label in order:
        names = {n for found in (records, expected) for n, r in found.items() if r.label == label}
        states = [differ(records[n].array, expected[n].array, unit) if n in records and n in expected else 2
                  for n in sorted(names)]
        if any(states):
            return label if 2 in states else "?"
    return None


def with_support(records):
    """sdgp's `pruned` holds two results: what stays, and its values."""
    support = {n + "#": Record("select", r.t, r.array != 0) for n, r in records.items()
               if "/pruned/" in n and r.array.dtype.kind == "f"}
    return records | support


def broken_carry(records, t):
    """Whether an operand of step t is not what step t - 1 left, or the initial state."""
    if t == 0:
        return any(n.startswith("init_mask/") and
                   np.any(records[n.replace("init_mask", "step/0/weights_before")].array[r.array == 0])
                   for n, r in records.items())
    for before, after in CARRIED.items():
        for name, record in records.items():
            if name.startswith(f"step/{t}/{before}/"):
                last = records.get(name.replace(f"step/{t}/{before}", f"step/{t - 1}/{after}"))
                if last is not None and not np.array_equal(record.array, last.array):
                    return True
    return False


def slipped(cls, setting, slip):
    """A run with the slip, the label that it changes first, None if nothing is changed, and the step."""
    order, unit = cls.order, UNIT[setting.dtype]
    m = machine(setting)
    port, first, step = cls(setting, m, slip), None, None
    right = cls(setting, m)
    port.begin()
    right.begin()
    first = first_difference(("distribution", "init"), port.records, right.records, unit)
    carries = setting.method not in ("lth", "amc")
    for t in setting.steps:
        twin = port.twin()
        twin.t = port.t = t
        if first is None:
            twin.step(t)
        port.step(t)
        if first is None:
            records = {n: r for n, r in port.records.items() if r.t == t}
            carried = broken_carry(port.records, t) if carries else broken_mask(port.records, t)
            first, step = "carry" if carried else first_difference(order, records, twin.records, unit), t
        port.between_steps()
    twin = port.twin()
    twin.t = port.t = math.inf
    twin.finish()
    port.finish()
    if first is None:
        records = {n: r for n, r in port.records.items() if r.t == math.inf}
        first, step = first_difference(order, records, twin.records, unit), None
    return port, first, step


def not_finite_traces(method, seeds, folder, seed=0):
    """Writes right runs but for one number that is none, in a result; yields path and what must be found."""
    rng, done = np.random.default_rng([seed, *f"{method} NaN".encode()]), 0
    while done < seeds:
        setting = random_setting(method, rng, random_reading(method, rng, 0.6), plain=True)
        try:
            port = METHODS[method](setting, machine(setting)).run()
        except NoSolution:
            continue
        # What sdgp keeps is what is not 0, and NaN is not: two results in one tensor.
        results = {n: r for n, r in port.records.items() if r.label not in ("carry", "given") and r.array.size
                   and r.array.dtype.kind == "f" and "/pruned/" not in n}
        if not results:
            return
        name = pick(rng, sorted(results))
        record = results[name]
        array = record.array.copy()
        array.flat[int(rng.integers(array.size))] = pick(rng, (np.nan, np.inf, -np.inf))
        path = folder / f"{method}-not-finite-{done}.safetensors"
        tensors.write(path, setting.header(), {n: r.array for n, r in port.records.items()} | {name: array})
        step = record.t if record.t != math.inf else None
        yield path, {"slip": "not-finite", "label": f"{method}.{record.label}", "step": step, "words": ("not finite",)}
        done += 1


def broken_mask(records, t):
    return any(n.startswith(f"step/{t}/mask_before/") and
               (last := records.get(n.replace(f"step/{t}/mask_before", f"step/{t - 1}/mask"))) is not None and
               not np.array_equal(r.array, last.array) for n, r in records.items())


def correct_traces(method, count, folder, seed=0):
    """Writes `count` traces of correct ports; yields path and what was varied."""
    rng, pairs, cls = np.random.default_rng([seed, *method.encode()]), Pairs(), METHODS[method]
    done = 0
    while done < count:
        setting = random_setting(method, rng, pairs.choose(method, rng))
        mode = MODES[done % len(MODES)]
        try:
            port = cls(setting, machine(setting)).run()
        except NoSolution:
            continue
        path = folder / f"{method}-{done}.safetensors"
        recorded = trimmed(port, rng, mode)
        tensors.write(path, setting.header(), recorded)
        yield path, {"mode": mode, "setting": vars(setting) | {"forms": port.machine.forms}}
        done += 1
    had, total = pairs.covered(method)
    if had < total:
        print(f"{method}: {had} of {total} pairs of readings", file=sys.stderr)


def slip_traces(method, seeds, folder, seed=0):
    """Writes the runs of each slip in which it is visible; yields path and what must be found."""
    cls = METHODS[method]
    for slip, planted in slips.of(method).items():
        rng, done = np.random.default_rng([seed, *f"{method} {slip}".encode()]), 0
        others = collections.Counter()
        for _ in range(TRIES):
            if done == seeds:
                break
            setting = random_setting(method, rng, random_reading(method, rng, 0.6), plain=True)
            setting.hyper |= planted.hyper
            setting.reading |= planted.reading
            for key in planted.without:
                setting.hyper.pop(key, None)
            setting.data = planted.data or setting.data
            if planted.alters is not None:
                planted.alters(setting, rng)
            setting.dtype = ("f32", "f64")[done % 2]
            try:
                port, first, step = slipped(cls, setting, slip)
            except NoSolution:
                continue
            unclear = port.close_calls and planted.label in ("count", "init", "prune")
            if first != planted.label or unclear:
                others["unclear" if unclear else first] += 1
                continue
            path = folder / f"{method}-{slip}-{done}.safetensors"
            tensors.write(path, setting.header(), {n: r.array for n, r in port.records.items()})
            yield path, {"slip": slip, "label": f"{method}.{planted.found or planted.label}", "step": step,
                         "words": planted.words}
            done += 1
        if done == 0:
            print(f"{method}: {slip}: not once visible at {planted.label} first; at {dict(others)}", file=sys.stderr)


def check(gdstar, path):
    """The report of `gdstar check`."""
    done = subprocess.run([gdstar, "check", str(path), "--json"], capture_output=True, text=True)
    if done.returncode in (0, 1, 3):
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            pass
    return {"verdict": "ERROR", "findings": [], "error": done.stderr.strip() or f"exit code {done.returncode}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gdstar", help="the command; without it traces are only written")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", type=int, default=120, help="correct ports a method (default: %(default)s)")
    parser.add_argument("--slip-seeds", type=int, default=SEEDS_OF_A_SLIP, help="runs a slip (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one object a trace")
    parser.add_argument("--keep", type=Path, help="the folder in which the traces stay")
    parser.add_argument("--only", choices=("correct", "slips"))
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{'method':<11} {'correct':>7} {'PASS':>5} {'INC.':>5} {'FAIL':>5} {'error':>5}  {'slips':>5} "
              f"{'runs':>5} {'caught':>6} {'label':>6} {'named':>6}")
        ok = all([judge(method, args, folder) for method in args.methods.split(",")])
    sys.exit(0 if ok else 1)


def judge(method, args, folder):
    traces = [] if args.only == "slips" else list(correct_traces(method, args.seeds, folder, args.seed))
    planted = [] if args.only == "correct" else [
        *slip_traces(method, args.slip_seeds, folder, args.seed),
        *not_finite_traces(method, args.slip_seeds, folder, args.seed)]
    if args.gdstar is None:
        kinds = len({told["slip"] for _, told in planted})
        print(f"{method:<11} {len(traces):>7} {'':>23}  {kinds:>5} {len(planted):>5}")
        return True
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        reports = list(pool.map(lambda x: check(args.gdstar, x[0]), traces + planted))
    verdicts, failures = collections.Counter(), []
    for (path, told), report in zip(traces, reports):
        verdicts[report["verdict"]] += 1
        s = told["setting"]
        # What is stored narrower than it was computed, and sorts that promise nothing, leave decisions open.
        full = told["mode"] == "full" and not s["machine"].get("coarse") and s["reading"].get("ties") != "any" and \
            s["stored"] != "narrow" and s["gradients"] not in ("bf16", "f16")
        if report["verdict"] in ("FAIL", "ERROR") or full and report["verdict"] != "PASS":
            failures.append((path, told["mode"], report))
        if args.json:
            print(json.dumps({"trace": str(path)} | told | {"report": report}, default=str))
    caught = label = named = 0
    for (path, told), report in zip(planted, reports[len(traces):]):
        first = report["findings"][0] if report["findings"] else None
        cause = (first or {}).get("likely_cause") or ""
        caught += report["verdict"] == "FAIL"
        right = first is not None and (first["equation"], first.get("step")) == (told["label"], told["step"])
        label += right
        is_named = cause != "" and any(word.lower() in cause.lower() for word in told["words"])
        named += right and is_named
        if not right:
            failures.append((path, f"slip {told['slip']}, expected {told['label']} at step {told['step']}", report))
        elif not is_named:
            failures.append((path, f"slip {told['slip']}, not named as {'|'.join(told['words'])}", report))
        if args.json:
            print(json.dumps({"trace": str(path)} | told | {"report": report}, default=str))
    kinds = len({told["slip"] for _, told in planted})
    print(f"{method:<11} {len(traces):>7} {verdicts['PASS']:>5} {verdicts['INCONCLUSIVE']:>5} {verdicts['FAIL']:>5} "
          f"{verdicts['ERROR']:>5}  {kinds:>5} {len(planted):>5} {caught:>6} {label:>6} {named:>6}")
    for path, what, report in failures:
        first = report["findings"][0] if report["findings"] else None
        print(f"  {path.name}: {what}: {report['verdict']}: {report.get('error') or told_of(first)}")
    wrong = verdicts["FAIL"] + verdicts["ERROR"] + len(planted) - label
    return wrong == 0


def told_of(finding):
    if finding is None:
        return "no finding"
    return (f"{finding['equation']} at step {finding.get('step')} in {finding['tensor']}{finding['index']}: got "
            f"{finding['got']}, expected {finding['expected_low']} .. {finding['expected_high']}: "
            f"{finding['likely_cause']}")


if __name__ == "__main__":
    main()
