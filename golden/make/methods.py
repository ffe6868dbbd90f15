"""Steps of every method that acts on steps, and runs of GDSTAR's relatives, computed in exact rationals:
golden/methods/NAME.safetensors.

    python golden/make/methods.py            # writes the files
    python golden/make/methods.py --check    # computes the results of the files as they are once more

A file is a trace (docs/trace.md) of f64 numbers. Its operands are random; its results are what the specification makes of
them, each real number computed in fractions (powers, cosines and logarithms to 45 digits and more) from what stands in the
file before it and rounded once to nearest. The methods are those of tests/kit, which share no code with the crate; the runs are
those of rewinds.py.
"""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(GOLDEN.parent / "tests" / "kit"))
import rewinds  # noqa: E402
import tensors  # noqa: E402
from arithmetic import Exact, Machine  # noqa: E402
from port import Record, Setting  # noqa: E402
from replay import Plain  # noqa: E402
from settings import METHODS  # noqa: E402

SHAPES = {"conv.weight": (3, 2, 2, 2), "fc.weight": (4, 5)}
OTHERS = {"fc.bias": (4,)}
OPTIMIZER = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}
UPDATES = {"update_start": 1, "update_every": 2, "update_end": 6}
GROWS = OPTIMIZER | UPDATES | {"sparsity": 0.45}
GRANET = OPTIMIZER | {"update_every": 2, "update_end": 5, "initial_sparsity": 0.3, "final_sparsity": 0.7,
                      "total_steps": 11}
KEPT = {"inactive_momentum": "dense", "grown_momentum": "keep", "grown_weights": "draw", "regrown": "as-grown"}
AMC = {"flops": [9000, 21000, 17000], "preserve": 0.6, "channel_round": 4}

# A file's name: the method, its hyper-parameters, and the readings that are not the default ones.
CASES = {
    "dropback": ("dropback", OPTIMIZER | {"sparsity": 0.6}, {}),
    "dropback-accumulated": ("dropback", {"lr": 0.1, "tracked": 17, "freeze_step": 3},
                             {"score": "accumulated", "cut": "above-kth"}),
    "procrustes": ("procrustes", OPTIMIZER | {"sparsity": 0.7}, {}),
    "procrustes-dumique": ("procrustes", OPTIMIZER | {"tracked": 15, "dumique_start": 0.3, "dumique_rate": 0.2},
                           {"select": "dumique", "dumique_carry": "carry", "clock": "index", "score": "distance"}),
    "lth": ("lth", {"fraction": 0.3}, {}),
    "lth-uniform": ("lth", {"fraction": 0.25}, {"distribution": "uniform", "count": "remove-round"}),
    "snip": ("snip", {"sparsity": 0.6}, {}),
    "snip-erk": ("snip", {"sparsity": 0.55}, {"distribution": "erk", "initial_weights": "fresh"}),
    "grasp": ("grasp", {"sparsity": 0.6}, {}),
    "grasp-er": ("grasp", {"sparsity": 0.5}, {"distribution": "er", "erk_budget": "real", "cut": "from-next"}),
    "gmp": ("gmp", OPTIMIZER | UPDATES | {"final_sparsity": 0.8}, {}),
    "gmp-global": ("gmp", OPTIMIZER | UPDATES | {"initial_sparsity": 0.1, "final_sparsity": 0.9},
                   {"distribution": "global", "clock": "index+1", "inactive_momentum": "decay"}),
    "set": ("set", GROWS | {"zeta": 0.4}, {}),
    "set-magnitude": ("set", OPTIMIZER | UPDATES | {"zeta": 0.4, "er_epsilon": 1.5},
                      {"drop_rule": "magnitude", "grow_from": "inactive-before"} | KEPT),
    "rigl": ("rigl", GROWS | {"alpha": 0.6}, {}),
    "rigl-after-step": ("rigl", GROWS | {"alpha": 0.6, "drop_power": 1.5},
                        {"update_order": "after-step", "drop_schedule": "power", "ties": "higher-index"} | KEPT),
    "granet": ("granet", GRANET, {}),
    "granet-uniform": ("granet", GRANET | {"initial_sparsity": 0.0}, {"gradual": "uniform"}),
    "acdc": ("acdc", OPTIMIZER | {"sparsity": 0.6, "compress_at": [1, 5], "decompress_at": [3]}, {}),
    "acdc-uniform": ("acdc", OPTIMIZER | {"sparsity": 0.6, "compress_at": [0, 4], "decompress_at": [2]},
                     {"distribution": "uniform", "decompress_momentum": "keep"}),
    "topkast": ("topkast", OPTIMIZER | {"forward_sparsity": 0.7, "backward_sparsity": 0.4, "update_every": 2}, {}),
    "topkast-l1": ("topkast", OPTIMIZER | {"forward_sparsity": 0.7, "backward_sparsity": 0.4, "penalty": 0.01},
                   {"penalty_rule": "l1", "distribution": "global"}),
    "lmc": ("lmc", {"points": 6}, {}),
    "lmc-intervals": ("lmc", {"points": 6, "threshold": 0.3}, {"grid": "intervals", "interpolation": "2-to-1",
                                                                "barrier_of": "error"}),
    "sdgp": ("sdgp", {}, {}),
    "sdgp-maxnorm": ("sdgp", {"keep": 1, "group": 3}, {"rescale": "maxnorm", "groups": "memory", "remainder": "dense"}),
    "layerdrop": ("layerdrop", {"layers": 9, "p": 0.3, "prune_rate": 0.4}, {}),
    "layerdrop-from-0": ("layerdrop", {"layers": 9, "droppable": [0, 1, 1, 0, 1, 1, 0, 1, 1], "prune_rate": 0.5},
                         {"depth_origin": "0"}),
    "amc": ("amc", AMC, {}),
    "amc-reward": ("amc", AMC | {"buffer_flops": [0, 700, 900], "lower": 0.1}, {"reward_rule": "error-log-flops"}),
    "rigl-nesterov": ("rigl", GROWS | {"alpha": 0.6}, {}),
    "topkast-nesterov": ("topkast", OPTIMIZER | {"forward_sparsity": 0.7, "backward_sparsity": 0.4}, {}),
}
NESTEROV = ["rigl-nesterov", "topkast-nesterov"]
STEPS = {"lth": [1, 2, 3], "snip": [0], "grasp": [0], "lmc": [0, 3, 8], "sdgp": [0, 1], "layerdrop": [0, 1, 2],
         "amc": [0, 1, 2]}
LAYERS = {"lmc": {"fc.weight": (3, 2)}, "sdgp": {"fc": (2, 3, (10,)), "conv": (2, None, (6, 3, 2))}}


def setting_of(name):
    method, hyper, reading = CASES[name]
    setting = Setting(method, dtype="f64", hyper=hyper, reading=reading, steps=STEPS.get(method, list(range(8))),
                      seed=list(CASES).index(name))
    if method == "amc":
        setting.shapes = {"a.weight": (12, 3), "b.weight": (11, 12, 2), "c.weight": (5, 11)}
    elif method not in ("lmc", "sdgp", "layerdrop"):
        setting.shapes = dict(SHAPES)
        setting.others = {} if method in ("snip", "grasp") else dict(OTHERS)
    setting.layers = LAYERS.get(method, {})
    setting.nesterov = name in NESTEROV
    return setting


def rounded(method):
    """The kit's method, which writes each result rounded once, and goes on with that."""

    def result(self, label, name, value):
        value = np.asarray(value)
        if value.dtype.kind in "fO":
            numbers = [x.item() if isinstance(x, np.ndarray) else x for x in value.ravel()]
            written = np.array([float(Fraction(x)) for x in numbers]).reshape(value.shape)
            value = self.machine.enter(written)
        else:
            written = value.astype(np.uint8 if value.dtype in (bool, np.uint8) else np.int64)
        self.records[self.name(name)] = Record(label, self.t, written)
        self.given_file[self.name(name)] = written
        return value

    def as_written(self, name, i, value):
        return Fraction(float(Fraction(value)))

    return type("Rounded", (METHODS[method],), {"_result": result, "as_written": as_written})


def results(setting, operands):
    port = rounded(setting.method)(setting, Exact(), given=dict(operands))
    port.run()
    return {name: record.array for name, record in port.records.items()}


def header(setting):
    return setting.header() | {"producer": "golden/make/methods.py"}


def make(name):
    setting = setting_of(name)
    port = METHODS[setting.method](setting, Machine("f64", 0, forms=Plain())).run()
    whole = setting.method in ("lth", "lmc", "sdgp", "layerdrop", "amc", "snip", "grasp")
    given = ("given", "carry") if whole else ("given",)
    operands = {name: record.array for name, record in port.records.items() if record.label in given}
    content = operands | results(setting, operands)
    write(name, header(setting), content)


def make_run(name):
    given = rewinds.operands(name)
    write(name, rewinds.header(name), given)
    write(f"{name}.expected", rewinds.header(name), rewinds.expected(name, given))


def write(name, header, content):
    path = GOLDEN / "methods" / f"{name}.safetensors"
    path.parent.mkdir(exist_ok=True)
    tensors.write(path, header, content)
    print(f"{path.relative_to(GOLDEN.parent)}: {len(content)} tensors, {path.stat().st_size:,} bytes")


def differs(name):
    """The results of a file that are not what follows from its operands."""
    found_header, content = tensors.read(GOLDEN / "methods" / f"{name}.safetensors")
    setting = setting_of(name)
    expected = results(setting, content)
    wrong = [n for n, array in expected.items() if n not in content or not np.array_equal(content[n], array)]
    return wrong + (["its header"] if found_header != header(setting) else [])


def run_differs(name):
    """The same of a run, whose operands have a file of their own."""
    of_operands, given = tensors.read(GOLDEN / "methods" / f"{name}.safetensors")
    of_run, content = tensors.read(GOLDEN / "methods" / f"{name}.expected.safetensors")
    expected = rewinds.expected(name, given)
    wrong = [n for n in expected | content if n not in content or not np.array_equal(content[n], expected.get(n))]
    return wrong + (["its header"] if not of_operands == of_run == rewinds.header(name) else [])


def main():
    if sys.argv[1:] == ["--check"]:
        found = {name: differs(name) for name in CASES} | {name: run_differs(name) for name in rewinds.CASES}
        wrong = {name: names for name, names in found.items() if names}
        for name, names in wrong.items():
            print(f"{name}: {', '.join(names[:4])}")
        print(f"{len(found) - len(wrong)} of {len(found)} files hold what follows")
        sys.exit(1 if wrong else 0)
    for name in CASES:
        make(name)
    for name in rewinds.CASES:
        make_run(name)


if __name__ == "__main__":
    main()
