"""Traces that must be refused: exit code 2, and one line on standard error that names the file and the place in it.

    python tests/kit/refusals.py --gdstar target/debug/gdstar
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensors
from port import Setting
from run import machine
from settings import METHODS, NETWORKS

OPTIMIZER = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.0}
UPDATES = {"update_start": 2, "update_every": 2, "update_end": 6}
GOOD = {
    "dropback": OPTIMIZER | {"tracked": 10},
    "procrustes": OPTIMIZER | {"sparsity": 0.5, "lambda": 0.9},
    "snip": {"sparsity": 0.5},
    "grasp": {"sparsity": 0.5},
    "gmp": OPTIMIZER | UPDATES | {"initial_sparsity": 0.1, "final_sparsity": 0.8},
    "set": OPTIMIZER | UPDATES | {"sparsity": 0.5, "zeta": 0.3},
    "rigl": OPTIMIZER | UPDATES | {"sparsity": 0.5, "alpha": 0.3},
    "granet": OPTIMIZER | UPDATES | {"initial_sparsity": 0.4, "final_sparsity": 0.8, "total_steps": 8},
    "acdc": OPTIMIZER | {"sparsity": 0.5, "compress_at": [1, 5], "decompress_at": [3]},
    "topkast": OPTIMIZER | {"forward_sparsity": 0.8, "backward_sparsity": 0.5, "update_every": 2},
    "lth": {"fraction": 0.2},
    "lmc": {"points": 4, "threshold": 0.02},
    "sdgp": {"keep": 2, "group": 4},
    "layerdrop": {"layers": 6, "p": 0.2, "prune_rate": 0.5},
    "amc": {"flops": [900, 500, 400], "preserve": 0.5, "lower": 0.2, "channel_round": 4},
}
OUTSIDE = (1.5, -0.25)
SHARES = {"dropback": ("sparsity",), "procrustes": ("sparsity", "lambda"), "snip": ("sparsity",),
          "grasp": ("sparsity",),
          "gmp": ("initial_sparsity", "final_sparsity"), "set": ("sparsity", "zeta"), "rigl": ("sparsity", "alpha"),
          "granet": ("initial_sparsity", "final_sparsity", "regrow", "regrow_min"), "acdc": ("sparsity",),
          "topkast": ("forward_sparsity", "backward_sparsity"), "lth": ("fraction",), "layerdrop": ("p", "prune_rate"),
          "amc": ("preserve", "lower")}
MISSING = {"procrustes": "sparsity", "snip": "sparsity", "grasp": "sparsity",
           "gmp": "final_sparsity", "rigl": "sparsity", "granet": "total_steps", "acdc": "sparsity",
           "topkast": "forward_sparsity", "layerdrop": "layers", "amc": "flops", "set": "update_every"}
VALUES = [  # method, hyper-parameters, what the line must name
    ("procrustes", {"lambda": 0.0}, "lambda"), ("layerdrop", {"prune_rate": 0.0}, "prune_rate"),
    ("dropback", {"tracked": 100000}, "tracked"), ("dropback", {"tracked": -1}, "tracked"),
    ("gmp", {"update_end": 1}, "update_end"), ("gmp", {"update_every": 0}, "update_every"),
    ("rigl", {"update_end": 1}, "update_end"), ("rigl", {"update_every": 0}, "update_every"),
    ("granet", {"update_end": 1}, "update_end"), ("topkast", {"update_every": 0}, "update_every"),
    ("topkast", {"backward_sparsity": 0.9}, "backward_sparsity"),
    ("topkast", {"forward_sparsity": 1.0}, "forward_sparsity"),
    ("sdgp", {"group": 0}, "group"), ("sdgp", {"keep": 5}, "keep"), ("amc", {"channel_round": 0}, "channel_round"),
    ("layerdrop", {"layers": 0}, "layers"), ("lmc", {"points": 1}, "points"),
    ("acdc", {"compress_at": [5, 1]}, "compress_at"), ("acdc", {"decompress_at": [0]}, "compress"),
    ("acdc", {"compress_at": [1, 2, 5]}, "compress"), ("acdc", {"decompress_at": [3, 1]}, "decompress_at"),
]
READINGS = [
    ("rigl", {"quantile": "linear"}, "quantile"), ("rigl", {"drop_rule": "signed"}, "drop_rule"),
    ("gmp", {"regrown": "keep"}, "regrown"), ("dropback", {"clock": "index"}, "clock"),
    ("snip", {"clock": "index"}, "clock"), ("set", {"cut": "nearest"}, "cut"),
    ("lth", {"distribution": "erk"}, "distribution"), ("sdgp", {"cut": "exact"}, "cut"),
    ("topkast", {"penalty_rule": "l3"}, "penalty_rule"), ("granet", {"distribution": "given"}, "distribution"),
    ("layerdrop", {"depth_origin": "2"}, "depth_origin"), ("amc", {"reward_rule": "loss"}, "reward_rule"),
    ("lmc", {"grid": "random"}, "grid"), ("acdc", {"clock": "completed"}, "clock"),
    ("grasp", {"initial_weights": "same"}, "initial_weights"),
    ("procrustes", {"dumique_order": "random"}, "dumique_order"), ("gmp", {"ties": "random"}, "ties"),
    ("rigl", {"minimum": "2"}, "minimum"), ("snip", {"distribution": "given"}, "sparsities"),
]


def good(method):
    """A whole trace, as header and tensors."""
    shapes, others = NETWORKS[0]
    if method == "amc":
        shapes, others = {"a.weight": (4, 3), "b.weight": (5, 9), "c.weight": (3, 8)}, {}
    if method in ("snip", "grasp"):
        others = {}
    s = Setting(method, hyper=dict(GOOD[method]), shapes=shapes, others=others, steps=list(range(8)), seed=3,
                machine={"seed": 1})
    if method in ("lmc", "sdgp", "layerdrop"):
        s.shapes, s.others = {}, {}
        s.layers = {"fc.weight": (3, 2)} if method == "lmc" else {"fc": (2, 3, (8,))}
    if method in ("snip", "grasp"):
        s.steps = [0]
    if method == "lth":
        s.steps = [1, 2]
    port = METHODS[method](s, machine(s)).run()
    return s.header(), {n: r.array for n, r in port.records.items()}


def spoiled():
    """Method, what is wrong, header, tensors, and what the line must name."""
    for method, names in SHARES.items():
        for name in names:
            for value in OUTSIDE:
                header, given = good(method)
                header["hyper"] |= {name: value}
                if name == "sparsity":
                    header["hyper"].pop("tracked", None)
                yield method, f"{name} {value}", header, given, name
    for method, name in MISSING.items():
        header, given = good(method)
        del header["hyper"][name]
        yield method, f"no {name}", header, given, name
    for method, values, word in VALUES:
        header, given = good(method)
        header["hyper"] |= values
        yield method, str(values), header, given, word
    for method, reading, word in READINGS:
        header, given = good(method)
        header["reading"] = reading
        yield method, str(reading), header, given, word
    header, given = good("rigl")
    yield "rigl", "no such method", header | {"method": "riggle"}, given, "riggle"
    for what, name, array in (
        ("a list too long", "step/2/drop", np.zeros(5, np.int64)),
        ("a count of floats", "step/2/drop", np.zeros(2, np.float32)),
        ("a mask of 2", "step/2/mask/fc1.weight", np.full((4, 6), 2, np.uint8)),
        ("a mask of floats", "step/2/mask/fc1.weight", np.ones((4, 6), np.float32)),
        ("another shape", "step/2/kept/fc1.weight", np.ones((6, 4), np.uint8)),
        ("a share that is no share", "step/2/fraction", np.ones(2, np.float32)),
    ):
        yield "rigl", what, header, given | {name: array}, name
    header, given = good("dropback")
    yield "dropback", "neither a number nor a share", header | {"hyper": OPTIMIZER}, given, "sparsity"
    params = {"params": [*header["params"], "fc9.weight"]}
    yield "dropback", "a parameter without tensors", header | params, given, "fc9.weight"
    header, given = good("gmp")
    yield "gmp", "a list too short", header, given | {"step/1/keep": np.zeros(1, np.int64)}, "step/1/keep"
    yield "gmp", "narrower than its dtype", header | {"dtype": "f64"}, given, "F32"
    header, given = good("lmc")
    yield "lmc", "a loss of another length", header, given | {"step/2/loss": np.ones(3, np.float32)}, "step/2/loss"
    header, given = good("set")
    header["hyper"]["sparsity"] = 1.0
    yield "set", "ER without a solution", header, given, "sparsity"
    header, given = good("layerdrop")
    header["hyper"]["droppable"] = [1, 0]
    yield "layerdrop", "flags of another number", header, given, "droppable"
    header, given = good("amc")
    header["hyper"]["flops"] = [1, 2]
    yield "amc", "operations of another number", header, given, "flops"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gdstar", required=True)
    args = parser.parse_args()
    tried = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for method, what, header, given, word in spoiled():
            path = Path(folder) / "spoiled.safetensors"
            tensors.write(path, header, given)
            ran = subprocess.run([args.gdstar, "check", str(path)], capture_output=True, text=True)
            line = ran.stderr.strip()
            tried += 1
            if ran.returncode != 2 or "\n" in line or path.name not in line or word not in line:
                wrong += 1
                print(f"{method}, {what}: exit code {ran.returncode}: {line[:300]}")
    print(f"{tried - wrong} of {tried} refused as they must be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
