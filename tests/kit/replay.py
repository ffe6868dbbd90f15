"""Judges `gdstar replay` in exact rationals: decisions, counts, and every real number within 1 ulp.

    python tests/kit/replay.py --gdstar target/debug/gdstar [--methods rigl,set] [--seeds 40]

Each input is a port's trace, whole or without what replay can derive. The output is walked by the kit's own method over
fractions, on the operands that stand in it, and then judged by `gdstar check`, which must PASS it or find too many
decisions open. Without `--gdstar` the kit's ports in extended precision stand in for replay, which tests the kit.
"""

import argparse
import math
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import tensors
from arithmetic import Exact, Machine
from choices import NoSolution
from run import check, machine
from settings import METHODS, Pairs, kind, random_setting

STATE = ("weights_before", "mask_before", "momentum_before", "accumulated_before")
WITH_RUNS = ("dropback", "procrustes", "gmp", "set", "rigl", "granet", "acdc", "topkast")
STAND_IN_ULPS = 64  # extended precision cancels too
INPUTS = ("whole", "operands", "from-init", "updates")


class Plain(dict):
    """Every formula in its first form, counts in f64."""

    def __contains__(self, name):
        return True

    def __missing__(self, name):
        return 1 if name == "count_in" else 0


def trimmed(port, mode):
    """What the input records."""
    records = port.records
    if mode == "operands":
        records = {n: r for n, r in records.items() if r.label in ("carry", "given")}
    elif mode == "from-init" and port.setting.method in WITH_RUNS:
        records = {n: r for n, r in records.items() if r.label == "given"}
    elif mode == "updates" and port.setting.method in WITH_RUNS:
        due = {r.t for n, r in records.items() if kind(n) == "updated" and r.array[0] == 1}
        due |= {r.t for r in records.values() if r.t in range(1, 1000, 3)} if not due else set()
        records = {n: r for n, r in records.items() if r.t is None or r.t in due}
    return {n: r.array for n, r in records.items()}


def judged(setting, header, given, names, ulps=1):
    """What is wrong with a replayed file, and how many numbers it has."""
    problems = []
    expected = setting.header()
    if header.get("dtype") != "f64" or header.get("replayed") is not True or "arithmetic" in header:
        problems.append(f"header: dtype {header.get('dtype')}, replayed {header.get('replayed')}")
    for key in ("method", "hyper", "reading", "params"):
        if header.get(key) != expected[key]:
            problems.append(f"header: {key} is {header.get(key)}, given {expected[key]}")
    problems += [f"{n}: derived, yet written" for n in given if kind(n) in STATE and n not in names]
    problems += [f"{n}: given, not written" for n in names if n not in given]
    port = METHODS[setting.method](setting, Exact(), given=given)
    port.ulps = ulps
    try:
        port.run()
    except Exception:
        problems.append(traceback.format_exc())
    return problems + port.problems, port.compared


def stand_in(setting):
    """A trace as replay would write it, by a port in extended precision."""
    port = METHODS[setting.method](setting, Machine("f64", 0, wide=True, forms=Plain()))
    port.run()
    header = setting.header() | {"replayed": True}
    return header, {n: r.array for n, r in port.records.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gdstar")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--seeds", type=int, default=40, help="inputs a method (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for method in args.methods.split(","):
            wrong += judge(method, args, folder)
    sys.exit(1 if wrong else 0)


def judge(method, args, folder):
    rng, pairs = np.random.default_rng([args.seed, *method.encode(), 1]), Pairs()
    good, numbers, done, told = 0, 0, 0, []
    while done < args.seeds:
        setting = random_setting(method, rng, pairs.choose(method, rng))
        setting.gradients = setting.stored = None
        setting.machine = {k: v for k, v in setting.machine.items() if k in ("seed", "wide")}
        setting.scale = 1.0
        mode = INPUTS[done % len(INPUTS)]
        try:
            if args.gdstar is None:
                setting.dtype = "f64"
                setting.reading.pop("ties", None)
                header, given = stand_in(setting)
                problems, compared = judged(setting, header, given, set(given), STAND_IN_ULPS)
            else:
                port = METHODS[method](setting, machine(setting)).run()
                names = trimmed(port, mode)
                source, out = (folder / f"{method}-{done}-{x}.safetensors" for x in ("in", "out"))
                tensors.write(source, setting.header(), names)
                out.unlink(missing_ok=True)
                ran = subprocess.run([args.gdstar, "replay", str(source), "--out", str(out)], capture_output=True,
                                     text=True)
                if ran.returncode != 0 or not out.exists():
                    problems, compared = [f"exit code {ran.returncode}: {ran.stderr.strip()}"], 0
                else:
                    header, given = tensors.read(out)
                    operands = {n for n in names if port.records[n].label in ("carry", "given")}
                    problems, compared = judged(setting, header, given, operands)
                    if mode != "updates" and ran.stderr.strip():
                        problems.append(f"left out: {ran.stderr.strip()}")
                    report = check(args.gdstar, out)
                    # Ties under "any" and counts that may be rounded either way can outnumber the rest.
                    is_open = report["verdict"] == "INCONCLUSIVE" and report["ambiguous"] > 0
                    if report["verdict"] != "PASS" and not is_open:
                        first = report["findings"][0] if report["findings"] else report.get("error")
                        problems.append(f"check: {report['verdict']}: {first}")
        except NoSolution:
            continue
        good += not problems
        numbers += compared
        if problems:
            told.append((done, mode, problems))
        done += 1
    print(f"{method:<11} {good:>4} of {done} right, {numbers} results compared")
    for i, mode, problems in told:
        print(f"  {method}-{i}-out ({mode}): {len(problems)} problems; {problems[0]}")
    return len(told)


if __name__ == "__main__":
    main()
