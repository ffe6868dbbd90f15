"""Holds the ports of examples/port/methods, which share no code with the kit's, against the kit's exact walk.

    python tests/kit/examples.py [--gdstar target/debug/gdstar] [TRACE ...]

With traces given, those are walked instead: what `gdstar train --trace` writes, say.

Decisions and counts must be the kit's; real numbers may be off by f32's roundings, on the scale of the tensor.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensors
from arithmetic import Exact
from port import Setting
from run import check
from settings import METHODS

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "port" / "methods"
sys.path.insert(0, str(FOLDER))
import train  # noqa: E402

SLACK = 256 * 2.0**-24  # of the largest entry: enough for every bound of section 9 in these small runs


def setting_of(header, given):
    """What the trace itself tells."""
    shapes, others, layers = {}, {}, {}
    for name, array in given.items():
        parts = name.split("/")
        kind, rest = (parts[2], parts[3:]) if parts[0] == "step" else (parts[0], parts[1:])
        p = "/".join(rest)
        if kind == "theta_1":
            layers[p] = array.shape
        elif kind == "grad_output":
            n_in = given.get("/".join([*parts[:2], "input", p]))
            layers[p] = (array.shape[0], None if n_in is None else n_in.shape[1], array.shape[1:])
        elif kind in ("weights_before", "init"):
            (shapes if p in header["params"] else others)[p] = array.shape
    shapes = {p: shapes[p] for p in header["params"]}
    return Setting(header["method"], hyper=header["hyper"], reading=header["reading"], shapes=shapes, others=others,
                   layers=layers)


def walked(path):
    """What the exact walk finds wrong."""
    header, given = tensors.read(path)
    port = METHODS[header["method"]](setting_of(header, given), Exact(), given=given)
    port.close = lambda found, value: np.abs(found.astype(np.float64) - value.astype(np.float64)).max(initial=0) <= \
        SLACK * max(np.abs(found).max(initial=0), 2.0**-10)
    port.run()
    return [x for x in port.problems if not x.endswith("missing")], port.compared


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gdstar")
    parser.add_argument("traces", nargs="*", type=Path)
    args = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in args.traces or [Path(folder) / f"{method}.safetensors" for method in train.METHODS]:
            if path not in args.traces:
                train.record(path.stem).save(str(path))
            problems, compared = walked(path)
            if args.gdstar is not None:
                report = check(args.gdstar, path)
                if report["verdict"] != "PASS":
                    problems.append(f"check: {report['verdict']}: {(report['findings'] or [report.get('error')])[0]}")
            print(f"{path.stem:<11} {compared} results compared, {len(problems)} wrong")
            for problem in problems[:3]:
                print(f"  {problem}")
            wrong += bool(problems)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
