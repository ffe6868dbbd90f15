"""Random settings of correct ports: every reading, many hyper-parameters, sizes, precisions and ways to record."""

import math

import numpy as np
from growing import Granet, Rigl, Set, Topkast
from others import Amc, Layerdrop, Lmc, Sdgp
from port import Setting
from pruning import Acdc, Gmp, Grasp, Lth, Snip
from tracking import Dropback, Procrustes

METHODS = {
    "dropback": Dropback, "procrustes": Procrustes, "snip": Snip, "grasp": Grasp, "gmp": Gmp, "set": Set, "rigl": Rigl,
    "granet": Granet, "acdc": Acdc, "topkast": Topkast, "lth": Lth, "lmc": Lmc, "sdgp": Sdgp, "layerdrop": Layerdrop,
    "amc": Amc,
}
CUTS = ("exact", "above-kth", "from-kth", "above-next", "from-next")
SHARED = {"cut": CUTS, "ties": ("lower-index", "higher-index", "any"), "minimum": ("0", "1")}
NETWORKS = [
    ({"fc1.weight": (4, 6), "fc2.weight": (3, 4)}, {"fc1.bias": (4,), "fc2.bias": (3,)}),
    ({"a.weight": (5, 7), "b/deep.weight": (2, 5), "c.weight": (6, 2)}, {"a.bias": (5,)}),
    ({"conv.weight": (2, 3, 2, 2), "mid.weight": (4, 2, 1, 1), "fc.weight": (5, 4)},
     {"conv.bias": (2,), "bn.bias": (4,)}),
    ({"x.weight": (1, 1), "y.weight": (2, 1), "z.weight": (1, 3)}, {"x.bias": (1,)}),
    ({"wide.weight": (8, 9), "one.weight": (1, 1), "thin.weight": (2, 8)}, {}),
    ({"same1.weight": (4, 4), "same2.weight": (4, 4), "same3.weight": (4, 4)}, {"same3.bias": (4,)}),
]
ALL_PRUNABLE = ({"l1.weight": (5, 3), "l1.bias": (5,), "l2.weight": (2, 5), "scale": (3,)}, {})
SHARES = (0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
NO_OPTIMIZER = ("snip", "grasp", "lth", "lmc", "sdgp", "layerdrop", "amc")
PARAMETERS = tuple(m for m in METHODS if m not in ("lmc", "sdgp", "layerdrop", "amc"))


def pick(rng, values):
    return values[int(rng.integers(len(values)))]


def share(rng):
    return pick(rng, SHARES) if rng.random() < 0.7 else float(rng.random())


def reading_keys(method):
    cls = METHODS[method]
    keys = {k: v for k, v in cls.readings.items()}
    keys.update({k: SHARED[k] for k in cls.extra})
    return {k: v for k, v in keys.items() if len(v) > 1 or method in ("dropback", "procrustes") and k == "distribution"}


def random_reading(method, rng, defaults=0.3):
    """A value for each key, the default for some, some left out."""
    reading = {}
    for key, values in reading_keys(method).items():
        value = values[0] if rng.random() < defaults else pick(rng, values)
        if value != values[0] or rng.random() < 0.3:
            reading[key] = value
    return reading


class Pairs:
    """Greedy pairwise cover of the readings: of several draws, the one with most pairs that no run has had."""

    def __init__(self):
        self.seen = set()

    def choose(self, method, rng, draws=12):
        keys = reading_keys(method)

        def pairs(reading):
            full = sorted((k, reading.get(k, v[0])) for k, v in keys.items())
            return {(a, b) for i, a in enumerate(full) for b in full[i:]}

        best = max((random_reading(method, rng) for _ in range(draws)), key=lambda r: len(pairs(r) - self.seen))
        self.seen |= pairs(best)
        return best

    def covered(self, method):
        """Pairs had, and pairs there are."""
        keys = sorted((k, v) for k, v in reading_keys(method).items())
        total = sum(len(v) for _, v in keys) + sum(len(a) * len(b) for i, (_, a) in enumerate(keys)
                                                   for _, b in keys[i + 1:])
        return len(self.seen), total


def random_setting(method, rng, reading, plain=False):
    """`plain`: as slips are planted in, without what hides them."""
    s = Setting(method, dtype=pick(rng, ("f32", "f64")), reading=dict(reading), seed=int(rng.integers(1 << 30)))
    s.data = "normal" if plain else pick(rng, ("normal", "normal", "grid", "grid", "sparse"))
    s.machine = {"seed": int(rng.integers(1 << 30)), "wide": bool(rng.random() < 0.3)}
    if method in PARAMETERS:
        if not plain and rng.random() < 0.12:
            s.shapes, s.others = ALL_PRUNABLE
            s.reading["prunable"] = "all"
        else:
            s.shapes, s.others = pick(rng, [NETWORKS[i] for i in (0, 1, 2, 4)] if plain else NETWORKS)
        s.shapes, s.others = dict(s.shapes), {} if method in ("snip", "grasp") else dict(s.others)
    if method not in NO_OPTIMIZER:
        s.hyper = {"lr": pick(rng, (0.5, 0.1, 0.25, 0.05)), "momentum": pick(rng, (0.0, 0.5, 0.9)),
                   "weight_decay": pick(rng, (0.0, 0.0, 5e-4, 0.125))}
        s.lr_falls = bool(rng.random() < 0.6)
        if s.data == "grid":
            s.hyper |= {"lr": 0.5, "momentum": pick(rng, (0.0, 0.5)), "weight_decay": 0.0}
            s.lr_falls = False
        if rng.random() < 0.3:
            s.hyper |= {"batch_size": 32, "epochs": 2}
        if rng.random() < 0.15 and s.others:
            s.no_decay = list(s.others)
        s.nesterov = bool(not plain and s.hyper["momentum"] and rng.random() < 0.2)
        s.steps = list(range(int(rng.integers(5, 11))))
    HYPER[method](s, rng, plain)
    if not plain:
        vary_storage(s, rng)
    return s


def vary_storage(s, rng):
    s.hex_floats = bool(rng.random() < 0.1)
    if rng.random() < 0.4:
        s.rates = pick(rng, ("f64", "rounded"))
    x = rng.random()
    floats = s.method in PARAMETERS or s.method == "sdgp"
    if s.dtype == "f32" and x < 0.15:
        s.stored = "wide"
    elif s.dtype == "f64" and x < 0.15:
        s.stored = "narrow"
    elif x < 0.22 and floats and s.dtype == "f32":
        s.machine |= {"coarse": True, "wide": False}
    elif x < 0.3 and floats:
        s.machine |= {"ftz": True, "wide": False}
        s.scale = 2.0**-124 if s.dtype == "f32" else 2.0**-1020
    y = rng.random()
    if s.method in PARAMETERS and s.method not in ("grasp", "lth") and s.scale == 1.0 and y < 0.25:
        s.gradients = pick(rng, ("bf16", "f16", "bf16-used"))


def sparse_start(s, rng):
    s.hyper["sparsity"] = share(rng)
    if s.reading.get("distribution") == "given":
        s.hyper["sparsities"] = [share(rng) for _ in s.shapes]


def dropback(s, rng, plain):
    N = sum(math.prod(x) for x in s.shapes.values())
    if rng.random() < 0.5:
        s.hyper["tracked"] = int(rng.integers(N // 5, N // 2 + 1) if plain else rng.integers(0, N + 1))
    else:
        s.hyper["sparsity"] = float(pick(rng, (0.5, 0.6, 0.77))) if plain else share(rng)
    if rng.random() < 0.4 and s.method == "dropback":
        s.hyper["freeze_step"] = int(rng.integers(0, 6))


def procrustes(s, rng, plain):
    dropback(s, rng, plain)
    if rng.random() < 0.8 or plain:
        s.hyper["lambda"] = pick(rng, (0.9, 0.75) if plain else (0.9, 0.5, 1.0, 0.99, 1e-12))
    s.hyper["dumique_rate"] = pick(rng, (0.1, 0.05, 0.5))
    s.hyper["dumique_start"] = pick(rng, (0.5, 0.1, 1.0))
    if not plain and rng.random() < 0.1:
        del s.hyper["dumique_rate"]
    if s.reading.get("select") == "dumique" and s.hyper.get("tracked") is None and s.hyper["sparsity"] in (0.0, 1.0):
        s.hyper["sparsity"] = 0.5


def lth(s, rng, plain):
    s.steps = [1, 2, 3, 4][:int(rng.integers(2, 5))]
    s.hyper["fraction"] = pick(rng, (0.2, 0.3, 0.5)) if plain else pick(rng, (0.2, 0.3, 0.5, 0.0, 1.0, 0.05))
    if not plain and rng.random() < 0.3:
        del s.hyper["fraction"]
    if rng.random() < 0.7:
        s.hyper["rewind_step"] = int(rng.integers(0, 100))


def snip(s, rng, plain):
    s.steps = [0]
    sparse_start(s, rng)
    if plain:
        s.hyper["sparsity"] = pick(rng, (0.3, 0.55, 0.7))


def window(s, rng, plain, ends=True):
    """update_every, update_start, update_end."""
    D = pick(rng, (2, 3)) if plain else pick(rng, (1, 2, 3))
    s.hyper["update_every"] = D
    if rng.random() < 0.6:
        s.hyper["update_start"] = pick(rng, (1, 2, 3)) if plain else pick(rng, (0, 1, 2, 3, 4))
    start = s.hyper.get("update_start", D)
    s.hyper["update_end"] = start + (D * pick(rng, (2, 3)) if plain else int(rng.integers(0, 9)))
    s.steps = list(range(start + 3 * D + 3 if plain else int(rng.integers(5, 12))))


def gmp(s, rng, plain):
    window(s, rng, plain)
    s.hyper["final_sparsity"] = pick(rng, (0.6, 0.8, 0.9)) if plain else share(rng)
    if rng.random() < 0.5 or plain:
        s.hyper["initial_sparsity"] = pick(rng, (0.05, 0.2)) if plain else share(rng)


def grows(s, rng, plain):
    sparse_start(s, rng)
    if plain:
        s.hyper["sparsity"] = pick(rng, (0.4, 0.5, 0.6))
        if "sparsities" in s.hyper:
            s.hyper["sparsities"] = [0.5] * len(s.shapes)
    window(s, rng, plain)


def set_(s, rng, plain):
    grows(s, rng, plain)
    if rng.random() < 0.9 or plain:
        s.hyper["zeta"] = pick(rng, (0.3, 0.5)) if plain else share(rng)
    if rng.random() < 0.3:
        s.hyper["er_epsilon"] = pick(rng, (0.5, 1, 2.5))
        s.reading.pop("erk_budget", None)
        if rng.random() < 0.5:
            s.hyper.pop("sparsity")


def rigl(s, rng, plain):
    grows(s, rng, plain)
    if rng.random() < 0.8 or plain:
        s.hyper["alpha"] = pick(rng, (0.3, 0.5)) if plain else share(rng)
    if s.reading.get("drop_schedule") == "power" and rng.random() < 0.7:
        s.hyper["drop_power"] = pick(rng, (1, 3, 2.5, 0.5))


def granet(s, rng, plain):
    window(s, rng, plain)
    if not plain and rng.random() < 0.2:
        s.hyper.pop("update_start", None)
        s.hyper["update_end"] += 2
    s.hyper["initial_sparsity"] = pick(rng, (0.2, 0.4)) if plain else pick(rng, (0.0, 0.2, 0.5, 0.7))
    s.hyper["final_sparsity"] = pick(rng, (0.6, 0.7)) if plain else pick(rng, (0.5, 0.8, 0.9, 1.0))
    s.hyper["regrow"] = pick(rng, (0.5, 0.4)) if plain else share(rng)
    if rng.random() < 0.6:
        s.hyper["regrow_min"] = pick(rng, (0.005, 0.1, 0.0))
    s.hyper["total_steps"] = len(s.steps) + pick(rng, (0, 1, 20))


def acdc(s, rng, plain):
    s.hyper["sparsity"] = pick(rng, (0.4, 0.6, 0.77)) if plain else share(rng)
    phases = (([1, 5], [3]), ([2, 6], [4, 8]), ([1], [4])) if plain else \
        (([0, 4], [2]), ([2, 5], [3, 8]), ([1], []), ([3], [4]))
    s.hyper["compress_at"], s.hyper["decompress_at"] = pick(rng, phases)
    s.steps = list(range(10))


def topkast(s, rng, plain):
    a, b = sorted((share(rng), share(rng)))
    s.hyper |= {"forward_sparsity": min(b, 0.96), "backward_sparsity": min(a, b, 0.96)}
    if plain:
        s.hyper |= {"forward_sparsity": pick(rng, (0.7, 0.8)), "backward_sparsity": pick(rng, (0.3, 0.5))}
    if rng.random() < 0.7 or plain:
        s.hyper["penalty"] = pick(rng, (0.25, 0.125)) if plain else pick(rng, (1e-4, 1e-2, 0.1, 0.0))
    if rng.random() < 0.7:
        s.hyper["update_every"] = pick(rng, (2, 3)) if plain else pick(rng, (1, 2, 3))


def lmc(s, rng, plain):
    s.steps = sorted(int(x) for x in rng.choice(60, size=int(rng.integers(3, 6)), replace=False))
    if rng.random() < 0.85 or plain:
        s.hyper["points"] = int(rng.integers(5, 9) if plain else rng.integers(2, 8))
    if rng.random() < 0.8 or plain:
        s.hyper["threshold"] = pick(rng, (0.02, 0.2, 0.3, 0.1))
    s.layers = {"fc.weight": (3, 2), "deep/fc.bias": (3,)}


def sdgp(s, rng, plain):
    s.steps = [0, 1, 7][:int(rng.integers(1, 4))]
    if rng.random() < 0.7 or plain:
        s.hyper = {"keep": pick(rng, (1, 2) if plain else (0, 1, 2, 3)),
                   "group": pick(rng, (4, 5) if plain else (3, 4, 8))}
    s.layers = {"fc": (4, 3, (10,)), "conv1": (2, None, (6, 3, 2)), "head/fc2": (3, 5, (7,))}
    if not plain and rng.random() < 0.3:
        s.layers = {"fc": (1, 2, (3,)), "tiny": (1, None, (1, 1, 1))}


def layerdrop(s, rng, plain):
    L = int(rng.integers(6, 13))
    s.steps = list(range(4))
    s.hyper = {"layers": L}
    if rng.random() < 0.8 or plain:
        s.hyper["p"] = pick(rng, (0.5, 0.375, 0.25)) if plain else share(rng)
    if rng.random() < 0.5 or plain:
        s.hyper["droppable"] = [int(x) for x in rng.random(L) < 0.7]
    if rng.random() < 0.8 or plain:
        s.hyper["prune_rate"] = pick(rng, (0.4, 0.3) if plain else (0.5, 0.25, 0.2, 1.0, 0.3, 0.1, 1 / 3))


def amc(s, rng, plain):
    s.steps = list(range(3))
    wide = plain or rng.random() < 0.7
    s.shapes = {"conv1.weight": (20, 3, 2, 2), "conv2.weight": (17, 20, 1, 1), "conv3.weight": (9, 33, 1, 2),
                "fc.weight": (5, 40)} if wide else {"a.weight": (3, 2), "b.weight": (2, 5), "c.weight": (2, 9)}
    L = len(s.shapes)
    s.hyper = {"flops": [int(x) for x in rng.integers(1000, 50000, L)]}
    if rng.random() < 0.6 or plain:
        s.hyper["buffer_flops"] = [int(x) for x in rng.integers(500 if plain else 0, 9000, L)]
    if rng.random() < 0.7:
        s.hyper["preserve"] = pick(rng, (0.5, 0.6, 0.8))
        s.hyper["lower"] = pick(rng, (0.2, 0.1) if plain else (0.2, 0.1, 0.0))
    if rng.random() < 0.7:
        s.hyper["channel_round"] = pick(rng, (4, 3)) if plain else pick(rng, (1, 4, 8, 64))
    if s.data == "sparse":
        s.data = "grid"


HYPER = {"dropback": dropback, "procrustes": procrustes, "lth": lth, "snip": snip, "grasp": snip, "gmp": gmp,
         "set": set_, "rigl": rigl, "granet": granet, "acdc": acdc, "topkast": topkast, "lmc": lmc, "sdgp": sdgp,
         "layerdrop": layerdrop, "amc": amc}
OPERANDS = ("carry", "given")


def trimmed(port, rng, mode):
    """The tensors that a partial trace records."""
    s, records = port.setting, port.records
    keep = dict(records)
    times = sorted({r.t for r in records.values() if r.t is not None and r.t != math.inf})
    kinds = sorted({kind(name) for name in records})
    if s.lr_falls:
        kinds = [k for k in kinds if k != "lr"]

    def without(dropped):
        return {n: r for n, r in keep.items() if not dropped(n, r)}

    if mode == "operands":
        keep = without(lambda n, r: r.label not in OPERANDS)
    elif mode == "results":
        keep = without(lambda n, r: r.label in OPERANDS and not (kind(n) == "lr" and s.lr_falls))
    elif mode == "updates":
        due = {r.t for n, r in records.items() if kind(n) == "updated" and r.array[0] == 1}
        keep = without(lambda n, r: r.t in times and r.t not in due) if due else keep
    elif mode == "second-steps":
        gone = set(times[s.seed % 2::2]) if len(times) > 1 else set()
        keep = without(lambda n, r: r.t in gone)
    elif mode == "tail":
        keep = without(lambda n, r: r.t in times[:len(times) // 2] or r.t is None) if len(times) > 1 else keep
    elif mode == "no-init":
        keep = without(lambda n, r: r.t is None)
    elif mode == "kinds":
        gone = {k for k in kinds if rng.random() < 0.35}
        keep = without(lambda n, r: kind(n) in gone)
    elif mode == "scattered":
        keep = without(lambda n, r: rng.random() < 0.2 and kind(n) in kinds)
    if not s.lr_falls and mode != "full" and rng.random() < 0.3:
        keep = without(lambda n, r: kind(n) == "lr")
    if s.hyper.get("momentum") == 0 and mode != "full" and rng.random() < 0.5:
        keep = without(lambda n, r: kind(n) in ("momentum", "momentum_before"))
    if s.method == "lmc" and {r.t for r in keep.values()} < {r.t for r in records.values()}:
        keep = without(lambda n, r: r.t == math.inf)  # the best of candidates that are not all there
    if s.method == "lmc" and not all(f"step/{t}/error" in keep for t in times):
        s.reading.setdefault("barrier_of", "error")  # without the errors nothing would tell
    for p in s.shapes:  # a parameter of which nothing is recorded is an error
        if not any(n.endswith("/" + p) for n in keep):
            name = next(n for n in records if n.endswith("/" + p))
            keep[name] = records[name]
    return {n: r.array for n, r in keep.items()}


def kind(name):
    """What a tensor is of: `grad` of `step/3/grad/fc.weight`."""
    parts = name.split("/")
    return parts[2] if parts[0] == "step" else parts[0]


MODES = ("full", "full", "full", "operands", "results", "updates", "second-steps", "tail", "no-init", "kinds", "kinds",
         "kinds", "scattered", "scattered")
