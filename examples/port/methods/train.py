"""Trains (or steps) one of the ports beside this file and records it: `python train.py rigl --out rigl.safetensors`.

Then `gdstar check rigl.safetensors`. Without a name this lists the methods.
"""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
METHODS = ("dropback", "procrustes", "snip", "grasp", "gmp", "set", "rigl", "granet", "acdc", "topkast", "lth", "lmc",
           "sdgp", "layerdrop", "amc")


def record(method: str, seed: int = 0):
    """The trace of a run."""
    import numpy as np
    import shared

    return importlib.import_module(method).train(shared.digits.load(np.float32), np.random.default_rng(seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("method", nargs="?", choices=METHODS)
    parser.add_argument("--out", help="the trace (default: METHOD.safetensors)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    args = parser.parse_args()
    if args.method is None:
        print(*METHODS)
        return
    out = args.out or f"{args.method}.safetensors"
    record(args.method, args.seed).save(out)
    print(f"gdstar check {out}")


if __name__ == "__main__":
    main()
