"""What all ports of the kit share: state, optimizer, and the record of a run.

A method is written once. Run as a port, on a `Machine`, it draws its gradients, keeps its state and records what it
does. Run as the truth, on `Exact`, over the tensors of a replayed file, it takes every operand from there, computes
each result exactly, compares it with the one in the file, and goes on with the file's.
"""

import copy
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from arithmetic import Machine
from choices import count_kept, erk, keep_largest
from tensors import BFloat16, bfloat16

OPTIMIZER = {"momentum": 0.0, "weight_decay": 0.0}


@dataclass
class Setting:
    """All that decides a run but its numbers."""

    method: str
    dtype: str = "f32"
    hyper: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, tuple] = field(default_factory=dict)  # of the prunable parameters, in W's order
    others: dict[str, tuple] = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)
    seed: int = 0
    data: str = "normal"  # or "grid": few different numbers, so that keys tie
    scale: float = 1.0
    no_decay: list[str] | None = None
    nesterov: bool = False
    machine: dict[str, Any] = field(default_factory=dict)
    gradients: str | None = None  # "bf16", "f16": recorded narrower than used; "bf16-used": used as recorded
    stored: str | None = None  # "wide": f32 stored as F64; "narrow": f64 stored as F32
    lr_falls: bool = True
    rates: str = "dtype"  # what shares are formed in; or f64, recorded so ("f64") or rounded ("rounded")
    hex_floats: bool = False  # how the header gives its numbers
    layers: dict[str, Any] = field(default_factory=dict)  # of the methods that have layers instead of parameters

    def arithmetic(self):
        """What the header declares."""
        declared = {}
        if self.gradients in ("bf16", "f16"):
            declared["u_in"] = 2.0**-8 if self.gradients == "bf16" else 2.0**-11
        elif self.gradients == "bf16-used":
            declared["u_in"] = 0
        if self.stored == "narrow":
            declared["u_out"] = 2.0**-24
        if self.machine.get("coarse"):
            declared["u_out"] = 2.0**-8
        if self.machine.get("ftz"):
            declared["ftz"] = True
        return declared

    def header(self):
        hyper = {k: hexed(x) if self.hex_floats else x for k, x in self.hyper.items()}
        header = {"format": "gdstar-trace/1", "producer": "tests/kit", "method": self.method, "dtype": self.dtype,
                  "hyper": hyper, "reading": self.reading, "params": list(self.shapes)}
        if self.arithmetic():
            header["arithmetic"] = self.arithmetic()
        if self.no_decay is not None:
            header["no_decay"] = self.no_decay
        if self.nesterov:
            header["nesterov"] = True
        return header


def hexed(x):
    """Fractional numbers as hex-float strings, exact."""
    return [hexed(y) for y in x] if isinstance(x, list) else x.hex() if isinstance(x, float) else x


@dataclass
class Record:
    """One tensor as the run has it."""

    label: str
    t: int | None  # None: of the whole run, at its start; math.inf: at its end
    array: np.ndarray


class Port:
    """The state of a run: weights, momentum and masks, and the records."""

    defaults: dict[str, Any] = {}  # hyper-parameters
    readings: dict[str, tuple] = {}  # the method's own keys, the default first
    extra = ("ties",)  # the shared keys it heeds

    def __init__(self, setting, machine, slip=None, given=None):
        self.setting, self.machine, self.slip, self.given_file = setting, machine, slip, given
        self.rng = np.random.default_rng(setting.seed)  # data
        self.tie_rng = np.random.default_rng(setting.seed + 1)
        self.hyper = OPTIMIZER | self.defaults | setting.hyper
        self.records: dict[str, Record] = {}
        self.problems: list[str] = []
        self.share_machine = Machine("f64", 0, forms=getattr(machine, "forms", None))
        self.close_calls = False  # a count that may be rounded either way
        self.compared, self.ulps, self.close = 0, 1, None
        self.t = None
        self.params, self.all = list(setting.shapes), {**setting.shapes, **setting.others}
        self.w = self.v = self.m = self.w0 = None

    # ---- choices

    def reading(self, key):
        return self.setting.reading.get(key, self.readings[key][0])

    def h(self, key):
        return self.machine.number(self.hyper[key])

    def on(self, slip):
        """Whether this is the slip that the run makes."""
        return self.slip == slip

    # ---- the record

    def name(self, name):
        return name if self.t is None or self.t == math.inf else f"step/{self.t}/{name}"

    def given(self, name, state, label="carry", kind=float):
        """An operand: recorded as it is; or what the file has, where there is a file."""
        return self._map(lambda n, x: self._operand(n, x, label, kind), name, state)

    def emit(self, label, name, value):
        """A result: rounded and recorded; or compared with the file's. Returns what stands in the record."""
        return self._map(lambda n, x: self._result(label, n, x), name, value)

    def _map(self, one, name, value):
        if isinstance(value, dict):
            return {p: one(f"{name}/{p}", x) for p, x in value.items()}
        return one(name, value)

    def _operand(self, name, state, label, kind):
        full = self.name(name)
        if self.given_file is None:
            self.records[full] = Record(label, self.t, self._stored(np.asarray(state), name))
            return state
        if full in self.given_file:
            found = self.given_file[full]
            return self.machine.enter(found) if kind is float else found.astype(kind)
        return state

    def _result(self, label, name, value):
        full = self.name(name)
        value = np.asarray(value)
        is_float = value.dtype.kind in "fO"
        if self.given_file is None:
            value = self.machine.leave(value) if is_float else value
            kind = value if is_float else value.astype(np.uint8 if value.dtype in (bool, np.uint8) else np.int64)
            self.records[full] = Record(label, self.t, self._stored(kind, name))
            return value
        if full not in self.given_file:
            self.problems.append(f"{full}: missing")
            return value
        found = self.given_file[full]
        self.compared += found.size
        if found.shape != value.shape:
            self.problems.append(f"{full}: shape {found.shape}, expected {value.shape}")
            return value
        if not is_float:
            if not np.array_equal(found.astype(np.int64), value.astype(np.int64)):
                self.problems.append(f"{full}: {label}: found {found.ravel()[:8]}, expected {value.ravel()[:8]}")
            return found.astype(value.dtype)
        if self.close is not None:
            if not self.close(found, value):
                self.problems.append(f"{full}: {label}: found {found.ravel()[:4]}, expected "
                                     f"{value.ravel()[:4].astype(np.float64)}")
            return self.machine.enter(found)
        for i, (a, b) in enumerate(zip(found.ravel(), value.ravel())):
            if not math.isfinite(a) or abs(Fraction(float(a)) - b) > self.ulps * Fraction(math.ulp(float(a))):
                self.problems.append(f"{full}[{i}]: {label}: found {float(a)!r}, exact {float(b)!r}")
                break
        return self.machine.enter(found)

    def _stored(self, array, name):
        if array.dtype == bool:
            return array.astype(np.uint8)
        if array.dtype.kind != "f":
            return array.copy()
        if array.dtype == np.longdouble:
            array = array.astype(np.float64)
        if name.split("/")[0] == "grad" and self.setting.gradients is not None:
            if self.setting.gradients == "f16":
                return array.astype(np.float16)
            return bfloat16(array).view(BFloat16)
        if self.setting.stored == "wide":
            return array.astype(np.float64)
        if self.setting.stored == "narrow":
            return array.astype(np.float32)
        return array.copy()

    def as_written(self, name, i, value):
        """The entry of a list that is not written yet, as it will stand in the record."""
        if self.machine.exact:
            return self.machine.enter(self.given_file[self.name(name)])[i]
        return self.machine.enter(self.machine.leave(value))

    def emit_share(self, name, compute):
        """A share by its schedule, by `compute` in the arithmetic that the port forms shares in."""
        if self.machine.exact or self.setting.rates == "dtype":
            value = np.array([compute(self.machine)], dtype=object if self.machine.exact else None)
            return self.emit("schedule", name, value)[0]
        value = np.float64(compute(self.share_machine))
        recorded = np.array([value if self.setting.rates == "f64" else self.machine.kept(value)])
        self.records[self.name(name)] = Record("schedule", self.t, recorded)
        return value

    # ---- data

    def random(self, shape, scale=1.0):
        """Weights and gradients."""
        x = self.rng.standard_normal(shape)
        if self.setting.data == "grid":
            x = np.round(np.clip(x, -2, 2) * 4) / 4
            x = np.where(self.rng.random(shape) < 0.1, -0.0, x)
        elif self.setting.data == "sparse":
            x = np.where(self.rng.random(shape) < 0.5, 0.0, x)
        if self.setting.gradients == "f16":  # which has no exponents for smaller ones
            x = np.where(np.abs(x) < 2.0**-8, 0.0, x)
        x = (x * scale * self.setting.scale).astype(self.machine.kept)
        return self.machine.leave(x)

    def uniform(self, shape):
        x = self.rng.random(shape)
        if self.setting.data == "grid":
            x = np.floor(x * 8) / 8
        return x.astype(self.machine.kept)

    def drawn(self, name, shapes, how):
        """Operands that nothing has moved: gradients and draws."""
        if self.machine.exact:
            state = {p: None for p in shapes}
        else:
            state = {p: how(shape) for p, shape in shapes.items()}
            if name == "grad" and self.setting.gradients == "bf16-used":
                state = {p: bfloat16(x) for p, x in state.items()}
        return self.enter(self.given(name, state, label="given"))

    def enter(self, values):
        """Into the working precision."""
        return {p: None if x is None else self.machine.enter(x) for p, x in values.items()}

    def zeros(self, shapes):
        return {p: self.machine.leave(self.machine.enter(np.zeros(shape))) for p, shape in shapes.items()}

    # ---- start

    def start(self, names=None):
        """W_0, dense."""
        shapes = self.all if names is None else names
        self.w0 = self.given("init", {p: None if self.machine.exact else self.random(s) for p, s in shapes.items()},
                             label="given")
        if self.machine.exact and any(x is None for x in self.w0.values()):
            first = self.given_file
            self.w0 = {p: x if x is not None or f"step/0/weights_before/{p}" not in first else
                       self.machine.enter(first[f"step/0/weights_before/{p}"]) for p, x in self.w0.items()}
        self.w, self.v = dict(self.w0), self.zeros(shapes)
        self.m = {p: np.ones(s, bool) for p, s in self.setting.shapes.items()}

    def layer_sparsity(self, S):
        """Section 4: `sparsity`, one a parameter; None if global."""
        kind = self.reading("distribution")
        if kind == "global":
            return None
        shapes = list(self.setting.shapes.values())
        if kind == "uniform":
            s = [self.machine.number(S)] * len(shapes)
        elif kind == "given":
            s = [self.machine.number(x) for x in self.hyper["sparsities"]]
        elif S == 0 and self.setting.method == "granet":
            s = [self.machine.number(0)] * len(shapes)
        else:
            if self.on("erk-for-er"):
                kind = "er" if kind == "erk" else "erk"
            s = erk(shapes, S, kind, self.reading("erk_budget"), self.machine, not self.on("erk-not-redistributed"))
            if self.on("erk-forgets-dense"):
                s = [1 - (1 - x) * (1 - self.machine.number(S)) for x in s]
        if self.on("uniform-for-erk"):
            s = [self.machine.number(S)] * len(shapes)
        return self.emit("distribution", "sparsity", np.array(s, dtype=object if self.machine.exact else None))

    def start_sparse(self, S, counts=None):
        """Section 4's initial mask."""
        self.start()
        if counts is None:
            s = self.layer_sparsity(S)
            counts = [self.count(x.size, s_l) for x, s_l in zip(self.m.values(), s)]
        if self.on("init-one-more"):
            counts = [k + 1 for k in counts]
        draw = self.given("init_draw", {p: None if self.machine.exact else self.uniform(s)
                                        for p, s in self.setting.shapes.items()}, label="given")
        if any(x is None for x in draw.values()):  # a file that does not tell
            return
        if self.on("init-over-all"):
            kept = self.select_global(draw, self.m, sum(counts), "exact")
        elif self.on("init-by-magnitude"):
            kept = self.by_layer({p: np.abs(self.w0[p]) for p in self.params}, self.m, counts, "exact")
        else:
            kept = self.by_layer(draw, self.m, counts, "exact")
        self.m = self.emit("init", "init_mask", kept)
        for p in () if self.on("start-unmasked") else self.params:
            self.w[p] = self.where(self.m[p], self.w0[p])

    def where(self, flags, x, other=None):
        """x where the flags are, else `other` or 0."""
        zero = Fraction(0) if self.machine.exact else np.asarray(x).dtype.type(0)
        return np.where(flags, x, zero if other is None else other)

    # ---- selection

    @property
    def ties(self):
        ties = self.setting.reading.get("ties", "lower-index")
        if self.on("ties-other-way"):
            return "higher-index" if ties == "lower-index" else "lower-index"
        return "lower-index" if ties == "any" and self.machine.exact else ties

    def cut(self):
        return self.setting.reading.get("cut", "exact")

    def keep(self, keys, candidates, k, cut):
        return keep_largest(keys.ravel(), candidates.ravel(), k, cut, self.ties, self.tie_rng).reshape(keys.shape)

    def by_layer(self, keys, candidates, counts, cut):
        return {p: self.keep(keys[p], candidates[p], k, cut) for p, k in zip(self.params, counts)}

    def select_global(self, keys, candidates, k, cut):
        names = list(keys)
        x = np.concatenate([keys[p].ravel() for p in names])
        kept = keep_largest(x, np.concatenate([candidates[p].ravel() for p in names]), k, cut, self.ties, self.tie_rng)
        parts = np.split(kept, np.cumsum([keys[p].size for p in names])[:-1])
        return {p: part.reshape(keys[p].shape) for p, part in zip(names, parts)}

    def select(self, keys, candidates, counts, cut=None, is_global=None):
        """By layer, or one over W where `counts` is for that."""
        cut = self.cut() if cut is None else cut
        if self.on("smallest-kept"):
            keys = {p: -x for p, x in keys.items()}
        is_global = self.is_global if is_global is None else is_global
        if self.on("global-for-layers") and not is_global:
            return self.select_global(keys, candidates, sum(int(k) for k in counts), cut)
        if self.on("layers-for-global") and is_global:
            share = int(counts[0]) / max(1, sum(int(c.sum()) for c in candidates.values()))
            return self.by_layer(keys, candidates, [round(share * int(c.sum())) for c in candidates.values()], cut)
        if self.on("one-more-kept"):
            counts = [int(k) + 1 for k in counts]
        if self.on("one-fewer-kept"):
            counts = [max(int(k) - 1, 0) for k in counts]
        if is_global:
            return self.select_global(keys, candidates, counts[0], cut)
        return self.by_layer(keys, candidates, counts, cut)

    @property
    def is_global(self):
        return self.reading("distribution") == "global"

    def count(self, n, s, rule=None):
        rule = rule or self.setting.reading.get("count", self.readings["count"][0])
        if self.on("count-floor"):
            rule = {"remove-floor": "remove-ceil"}.get(rule, "remove-floor")
        if self.on("count-round"):
            rule = {"keep-round": "remove-ceil"}.get(rule, "remove-round")
        if self.on("share-for-rest"):
            s = 1 - s
        share = n * float(s)
        if 0 < share < n and min(abs(2 * share - round(2 * share)), 1) < 1e-4 * n:
            self.close_calls = True
        k = count_kept(rule, n, s, self.machine, self.setting.reading.get("minimum", "0"))
        if self.on("count-one-more"):
            k += 1
        if self.on("count-one-fewer"):
            k = max(k - 1, 0)
        return k

    def counts(self, sizes, s):
        """`keep`: by layer, or one."""
        if self.is_global:
            return [self.count(sum(sizes), s)]
        return [self.count(n, s) for n in sizes]

    # ---- the optimizer

    def lr(self):
        """The step's learning rate, recorded."""
        lr = self.hyper["lr"]
        if not self.machine.exact:
            value = lr / (1 + self.t / 16) if self.setting.lr_falls else lr
            lr = value if self.setting.rates == "f64" else self.machine.leave(self.machine.kept(value))
        lr = self.given("lr", np.array([lr]), label="given")
        if not self.machine.exact:
            lr = self.machine.leave(lr)
        if self.on("lr-of-next"):
            lr = lr * 0.75
        if self.setting.stored == "narrow" and not self.machine.exact:
            lr = lr.astype(np.float32)
        return self.machine.enter(lr)[0]

    def operands(self):
        """What an optimizer step needs, recorded: w, v, g, eta."""
        w = self.enter(self.given("weights_before", self.w))
        v = self.enter(self.given("momentum_before", self.v))
        g = self.drawn("grad", self.all, self.random)
        return w, v, g, self.lr()

    def decay(self, p):
        exempt = self.setting.no_decay or ()
        if p in exempt and not self.on("decays-all"):
            return self.machine.number(0)
        if self.on("no-weight-decay") or self.on("biases-not-decayed") and p not in self.params:
            return self.machine.number(0)
        return self.h("weight_decay")

    def sgd(self, p, w, v, g, eta, r=None):
        """v' and w' of one parameter, without a mask."""
        mu, wd = self.h("momentum"), self.decay(p)
        if self.on("dampened"):
            g = g * (1 - mu)
        if self.on("gradient-ascent"):
            g = -g
        if self.on("biases-not-stepped") and p not in self.params:
            return v, w
        if self.on("decoupled-decay"):
            v = mu * v + (g if r is None else g + r)
            return v, w - eta * (v + wd * w)
        if self.on("step-scaled-velocity"):
            v = mu * v + eta * (g + wd * w if r is None else g + wd * w + r)
            return v, w - v
        way = self.machine.form("sgd", 5)
        d = g + wd * w if r is None else (g + wd * w) + r
        if way == 1:
            v_new = (mu * v + wd * w) + (g if r is None else g + r)
        elif way == 2:
            v_new = mu * v + g + (wd * w if r is None else wd * w + r)
        else:
            v_new = mu * v + d
        if self.setting.nesterov != (self.on("nesterov") or self.on("not-nesterov")):
            return v_new, w - (eta * d + eta * (mu * v_new) if way == 3 else eta * (d + mu * v_new))
        if way == 3:
            return v_new, w - (eta * mu * v + eta * d)
        if way == 4 and not self.machine.exact:
            v_new = self.machine.enter(self.machine.leave(v_new))
        return v_new, w - eta * v_new

    def sgd_all(self, w, v, g, eta, masks=None):
        """`step` of all parameters; under masks, which have those that prune. Weights and momentum, as kept."""
        after_w, after_v = {}, {}
        for p in self.all:
            v_new, w_new = self.sgd(p, w[p], v[p], g[p], eta)
            if masks is not None and p in masks:
                if not self.on("step-revives"):
                    w_new = self.where(masks[p], w_new)
                v_new = self.masked_momentum(masks[p], v[p], g[p], v_new)
            after_w[p], after_v[p] = w_new, self.machine.leave(v_new)
        return after_w, after_v

    def masked_momentum(self, m, v, g, v_new):
        """`inactive_momentum`."""
        rule = self.reading("inactive_momentum") if "inactive_momentum" in self.readings else "zero"
        if self.on("momentum-not-masked"):
            return v_new
        if self.on("momentum-decays"):
            rule = "decay"
        if rule == "zero":
            return self.where(m, v_new)
        mu = self.h("momentum")
        return self.where(m, v_new, mu * v if rule == "decay" else mu * v + g)

    # ---- the walk

    def steps(self):
        if self.given_file is not None:
            found = {int(n.split("/")[1]) for n in self.given_file if n.startswith("step/")}
            return sorted(found)
        return self.setting.steps

    def run(self):
        self.begin()
        for t in self.steps():
            self.t = t
            self.step(t)
            self.between_steps()
        self.t = math.inf
        self.finish()
        return self

    def begin(self):
        raise NotImplementedError

    def step(self, t):
        raise NotImplementedError

    def finish(self):
        """What follows the last event."""

    def between_steps(self):
        """Slips that happen between one step and the next: `carry`."""
        if self.v is not None and self.on("momentum-forgotten"):
            self.v = {p: np.zeros_like(x) for p, x in self.v.items()}
        if self.w is not None and self.m and self.on("weights-leak"):
            for p in self.params:
                self.w[p] = np.where(self.w[p] == 0, self.machine.kept(0.5), self.w[p])
        if self.m and self.on("mask-of-weights"):
            self.m = {p: self.w[p] > 0 for p in self.params}
        if self.w is not None and self.on("weights-rounded"):
            self.w = {p: bfloat16(x).astype(x.dtype) for p, x in self.w.items()}

    def twin(self):
        """The same run from here on, without the slip."""
        twin = copy.copy(self)
        twin.slip, twin.records = None, {}
        for key in ("rng", "tie_rng", "w", "v", "m", "w0"):
            setattr(twin, key, copy.deepcopy(getattr(self, key)))
        for key in getattr(self, "more_state", ()):
            setattr(twin, key, copy.deepcopy(getattr(self, key)))
        return twin
