"""lth, snip, grasp, gmp and acdc (section 6): what is dropped stays away, or comes back at a phase's end."""

import numpy as np
from choices import cubic, is_due
from port import Port

COUNTS = ("keep-round", "remove-floor", "remove-ceil", "remove-round")
LAYERS = ("global", "uniform", "erk", "er", "given")


def counts_from(first):
    return (first, *(rule for rule in COUNTS if rule != first))


class Lth(Port):
    order = ("count", "score", "mask", "rewind", "momentum")
    defaults = {"fraction": 0.2}
    readings = {"count": counts_from("remove-ceil"), "distribution": ("global", "uniform")}
    extra = ("cut", "ties", "minimum")

    def begin(self):
        self.start()
        exact = self.machine.exact
        self.rewind = self.given("rewind", {p: None if exact else self.random(s) for p, s in self.all.items()}, "given")

    def step(self, t):
        m = self.given("mask_before", self.m, kind=bool)
        trained = {p: None if self.machine.exact else self.random(s) for p, s in self.all.items()}
        if not self.machine.exact:
            for p in self.params:
                trained[p] = self.where(m[p], trained[p])
        before = self.given("weights_before", trained, label="given")
        sizes = [int(x.sum()) for x in m.values()]
        if self.on("count-of-all"):
            sizes = [x.size for x in m.values()]
        k = self.emit("count", "keep", np.array(self.counts(sizes, self.hyper["fraction"])))
        source = self.rewind if self.on("score-of-rewind") else before
        score = {p: np.abs(self.machine.enter(source[p])) for p in self.params}
        if self.on("score-signed"):
            score = {p: self.machine.enter(before[p]) for p in self.params}
        if self.on("score-moved"):
            score = {p: np.abs(self.machine.enter(before[p]) - self.machine.enter(self.rewind[p])) for p in self.params}
        if self.on("score-by-layer"):
            score = {p: x / (x.max() + 1) for p, x in score.items()}
        score = self.emit("score", "score", score)
        candidates = {p: np.ones_like(x) for p, x in m.items()} if self.on("pruned-return") else m
        if self.on("pruned-return"):
            score = {p: np.where(m[p], x, np.float64(9)) for p, x in score.items()}
        mask = self.select(score, candidates, k)
        if self.on("mask-inverted"):
            mask = {p: m[p] & ~x for p, x in mask.items()}
        self.m = self.emit("mask", "mask", mask)
        to = self.rewind
        if self.on("rewound-to-init"):
            to = self.w0
        if self.on("not-rewound"):
            to = before
        after = {p: self.where(self.m[p], to[p]) if p in self.params else to[p] for p in self.all}
        if self.on("not-masked"):
            after = dict(to)
        if self.on("biases-not-rewound"):
            after |= {p: before[p] for p in self.setting.others}
        if self.on("biases-to-init"):
            after |= {p: self.w0[p] for p in self.setting.others}
        if self.on("signs-alone"):
            after |= {p: np.abs(after[p]) for p in self.params}
        if self.on("masked-by-old"):
            after |= {p: self.where(m[p], to[p]) for p in self.params}
        self.w = self.emit("rewind", "weights_after", after)
        momentum = self.zeros(self.all)
        if self.on("momentum-kept"):
            momentum = {p: before[p] for p in self.all}
        self.v = self.emit("momentum", "momentum", momentum)

    def between_steps(self):
        if self.on("mask-of-weights"):
            self.m = {p: self.w[p] > 0 for p in self.params}
        if self.on("mask-forgotten"):
            self.m = {p: np.ones_like(x) for p, x in self.m.items()}


class Snip(Port):
    """Before training: keeps the largest |g w|."""

    order = ("distribution", "count", "score", "mask", "weights")
    readings = {"count": counts_from("keep-round"), "distribution": LAYERS, "erk_budget": ("floor", "real"),
                "initial_weights": ("same", "fresh")}
    extra = ("cut", "ties", "minimum")

    def begin(self):
        self.start(self.setting.shapes)
        self.s = self.layer_sparsity(self.hyper["sparsity"])

    def shares(self):
        """By layer the count that each keeps, or one."""
        sizes = [x.size for x in self.m.values()]
        if self.is_global:
            return [self.count(sum(sizes), self.hyper["sparsity"])]
        if self.on("count-of-all"):
            return [self.count(sum(sizes), s) for s in self.s]
        return [self.count(n, s) for n, s in zip(sizes, self.s)]

    def score(self, w, x):
        g = x
        if self.on("score-gradient"):
            return {p: np.abs(g[p]) for p in w}
        if self.on("score-weight"):
            return {p: np.abs(w[p]) for p in w}
        if self.on("score-signed"):
            return {p: g[p] * w[p] for p in w}
        if self.on("score-squared"):
            return {p: (g[p] * w[p]) * (g[p] * w[p]) for p in w}
        if self.on("score-gradient-squared"):
            return {p: g[p] * g[p] * np.abs(w[p]) for p in w}
        if self.on("score-after-step"):
            return {p: np.abs(g[p] * (w[p] - self.machine.work(0.1) * g[p])) for p in w}
        score = {p: np.abs(g[p] * w[p]) for p in w}
        if self.on("score-by-layer"):
            return {p: x / x.sum() if x.sum() > 0 else x for p, x in score.items()}
        if self.machine.form("normalised", 2):  # as SNIP's code does; no decision changes
            total = sum(x.sum() for x in score.values())
            return {p: x / total for p, x in score.items()} if total > 0 else score
        return score

    def key(self, score):
        return score

    operand = "grad"

    def step(self, t):
        before = self.given("weights_before", self.w)
        w = self.enter(before)
        x = self.drawn(self.operand, self.setting.shapes, self.random)
        k = self.emit("count", "keep", np.array(self.shares()))
        score = self.emit("score", "score", self.score(w, x))
        mask = self.select(self.key(score), {p: np.ones_like(m) for p, m in self.m.items()}, k)
        if self.on("mask-inverted"):
            mask = {p: ~m for p, m in mask.items()}
        self.m = self.emit("mask", "mask", mask)
        if self.on("not-masked"):
            masks = {p: np.ones_like(m) for p, m in self.m.items()}
        else:
            masks = self.m
        fresh = self.operand == "grad" and self.reading("initial_weights") == "fresh"
        if fresh:
            drawn = self.given("fresh", {p: None if self.machine.exact else self.random(s)
                                         for p, s in self.setting.shapes.items()}, label="given")
            before = before if self.on("fresh-ignored") else drawn
        elif self.on("fresh-undeclared"):
            before = {p: self.random(s) for p, s in self.setting.shapes.items()}
        after = {p: self.where(masks[p], before[p]) for p in self.params}
        if self.on("weights-rescaled"):
            after = {p: x * 2 for p, x in after.items()}
        if self.on("weights-absolute"):
            after = {p: np.abs(x) for p, x in after.items()}
        if self.on("one-layer-unmasked"):
            after[self.params[-1]] = before[self.params[-1]]
        self.w = self.emit("weights", "weights_after", after)


class Grasp(Snip):
    """Before training: the largest S = -w (H g) go."""

    readings = {"count": counts_from("remove-floor"), "distribution": LAYERS, "erk_budget": ("floor", "real")}
    operand = "hessian_gradient"

    def score(self, w, x):
        if self.on("sign-of-score"):
            return {p: w[p] * x[p] for p in w}
        if self.on("score-absolute"):
            return {p: np.abs(w[p] * x[p]) for p in w}
        if self.on("score-gradient"):
            return {p: -x[p] for p in w}
        if self.on("score-weight"):
            return {p: np.abs(w[p]) for p in w}
        if self.on("score-squared"):
            return {p: -(w[p] * x[p]) * w[p] for p in w}
        if self.on("score-hessian-squared"):
            return {p: -w[p] * x[p] * x[p] for p in w}
        if self.on("score-by-layer"):
            return {p: -w[p] * x[p] / (np.abs(w[p] * x[p]).sum() + 1) for p in w}
        return {p: -(w[p] * x[p]) if self.machine.form("negated", 2) else (-w[p]) * x[p] for p in w}

    def key(self, score):
        if self.on("smallest-go"):
            return score
        if self.on("by-size-of-score"):
            return {p: np.abs(x) for p, x in score.items()}
        return {p: -x for p, x in score.items()}


class Scheduled(Port):
    """What the methods with a clock share."""

    readings = {"clock": ("completed", "index", "index+1"), "update_grid": ("from-start", "multiples"),
                "last_update": ("inclusive", "exclusive"), "update_order": ("after-step",),
                "inactive_momentum": ("zero", "decay", "dense")}

    def clock(self, t):
        """What decides whether an update is due, and what its value is taken at."""
        follows = self.order_of_update == "after-step"
        c = {"completed": t + 1 if follows else t, "index": t, "index+1": t}[self.reading("clock")]
        value = t + 1 if self.reading("clock") == "index+1" else c
        if self.on("clock-early"):
            c, value = c + 1, value + 1
        if self.on("clock-late"):
            c, value = c - 1, value - 1
        return c, value + self.on("value-early") - self.on("value-late")

    @property
    def order_of_update(self):
        return self.reading("update_order")

    def start_of_updates(self):
        start = self.hyper.get("update_start")
        return self.hyper["update_every"] if start is None else start

    def due(self, c, end):
        grid, last = self.reading("update_grid"), self.reading("last_update")
        if self.on("other-grid"):
            grid = "multiples" if grid == "from-start" else "from-start"
        if self.on("other-end"):
            last = "exclusive" if last == "inclusive" else "inclusive"
        if self.on("never-ends"):
            end = None
        start = 0 if self.on("starts-at-once") else self.start_of_updates()
        every = self.hyper["update_every"] + self.on("every-longer")
        return is_due(c, start, every, end, grid, last)


class Gmp(Scheduled):
    order = ("when", "step", "schedule", "count", "score", "mask", "weights", "momentum")
    defaults = {"initial_sparsity": 0.0, "update_every": 100, "update_start": None}
    readings = Scheduled.readings | {"count": counts_from("keep-round"), "distribution": ("uniform", "global")}
    extra = ("cut", "ties", "minimum")

    def begin(self):
        self.start()

    def rate(self, c, machine):
        s_i, s_f = self.hyper["initial_sparsity"], self.hyper["final_sparsity"]
        start, end = self.start_of_updates(), self.hyper["update_end"]
        if self.on("cubic-without-origin"):
            return cubic(c, s_i, s_f, 0, end, machine)
        if self.on("cubic-over-end"):
            return cubic(c - start, s_i, s_f, 0, end, machine)
        if self.on("ends-swapped"):
            s_i, s_f = s_f, s_i
        if self.on("from-zero"):
            s_i = 0.0
        value = cubic(c, s_i, s_f, start, end, machine)
        if self.on("quadratic") or self.on("linear"):
            x = min(max((c - start) / max(end - start, 1), 0), 1)
            value = machine.number(s_f + (s_i - s_f) * (1 - x) ** (2 if self.on("quadratic") else 1))
        return value

    def step(self, t):
        c, value_at = self.clock(t)
        m = self.given("mask_before", self.m, kind=bool)
        w, v, g, eta = self.operands()
        updated = self.emit("when", "updated", np.array([int(self.due(c, self.hyper["update_end"]))], np.uint8))[0]
        between, v_new = self.sgd_all(w, v, g, eta, m)
        between = self.emit("step", "between", between)
        mask, after = m, between
        if updated:
            rate = self.emit_share("rate", lambda machine: self.rate(value_at, machine))
            active = [int(x.sum()) for x in m.values()]
            sizes = active if self.on("count-of-active") else [x.size for x in m.values()]
            keep = self.counts(sizes, rate)
            most = [sum(active)] if self.is_global else active
            if not self.on("above-active"):
                keep = [min(k, a) for k, a in zip(keep, most)]
            keep = self.emit("count", "keep", np.array(keep))
            score = {p: np.abs(self.machine.enter((w if self.on("score-before-step") else between)[p]))
                     for p in self.params}
            if self.on("score-gradient"):
                score = {p: np.abs(g[p] * self.machine.enter(between[p])) for p in self.params}
            if self.on("score-signed"):
                score = {p: self.machine.enter(between[p]) for p in self.params}
            if self.on("score-by-layer"):
                score = {p: x / (x.max() + 1) for p, x in score.items()}
            score = self.emit("score", "score", score)
            if self.on("pruned-return"):
                mask = self.select({p: np.where(m[p], x, self.machine.kept(9)) for p, x in score.items()},
                                   {p: np.ones_like(x) for p, x in m.items()}, keep)
            else:
                mask = self.select(score, m, keep)
            if self.on("mask-inverted"):
                mask = {p: m[p] & ~x for p, x in mask.items()}
        if self.on("mask-moves-early") and not updated and t > 0:
            mask = {p: x & (np.abs(between[p]) > 0.5) for p, x in mask.items()}
        mask = self.emit("mask" if updated else "when", "mask", mask)
        if updated and not self.on("not-masked"):
            after = {p: self.where(mask[p], between[p]) if p in self.params else between[p] for p in self.all}
        if self.on("survivors-rescaled") and updated:
            after = {p: x * 2 if p in self.params else x for p, x in after.items()}
        if self.on("survivors-before-step") and updated:
            after |= {p: self.where(mask[p], self.machine.leave(w[p])) for p in self.params}
        self.w = self.emit("weights", "weights_after", after)
        if updated and self.reading("inactive_momentum") == "zero" and not self.on("dropped-keep-momentum"):
            v_new |= {p: self.where(mask[p], v_new[p]) for p in self.params}
        if updated and self.on("momentum-reset"):
            v_new = {p: np.zeros_like(x) for p, x in v_new.items()}
        self.v = self.emit("momentum", "momentum", v_new)
        self.m = mask


class Acdc(Scheduled):
    order = ("when", "count", "score", "mask", "weights", "step", "momentum")
    readings = {"count": counts_from("remove-floor"), "distribution": ("global", "uniform"),
                "inactive_momentum": ("zero", "decay", "dense"), "decompress_momentum": ("zero", "keep")}
    extra = ("cut", "ties", "minimum")
    more_state = ("stash",)

    def begin(self):
        self.start()
        self.stash = None

    def step(self, t):
        m = self.given("mask_before", self.m, kind=bool)
        w, v, g, eta = self.operands()
        late = int(self.on("phase-late")) - int(self.on("phase-early"))
        compress, decompress = (t - late in self.hyper[key] for key in ("compress_at", "decompress_at"))
        if self.on("never-decompresses"):
            decompress = False
        if self.on("compresses-again"):
            compress = compress or any(t - 1 == x for x in self.hyper["compress_at"])
        self.emit("when", "updated", np.array([int(compress or decompress)], np.uint8))
        mask, updated = m, compress or decompress
        if compress:
            sizes = [int(x.sum()) - 2 if self.on("count-of-active") else x.size for x in m.values()]
            keep = self.emit("count", "keep", np.array(self.counts(sizes, self.hyper["sparsity"])))
            score = {p: np.abs(w[p]) for p in self.params}
            if self.on("score-gradient"):
                score = {p: np.abs(w[p] * g[p]) for p in self.params}
            if self.on("score-after-step"):
                score = {p: np.abs(w[p] - eta * g[p]) for p in self.params}
            if self.on("score-signed"):
                score = {p: w[p] for p in self.params}
            if self.on("score-by-layer"):
                score = {p: x / (x.max() + 1) for p, x in score.items()}
            score = self.emit("score", "score", score)
            mask = self.select(score, {p: np.ones_like(x) for p, x in m.items()}, keep)
            if self.on("mask-inverted"):
                mask = {p: ~x for p, x in mask.items()}
        elif decompress and not self.on("stays-masked"):
            mask = {p: np.ones_like(x) for p, x in m.items()}
            if self.on("one-layer-stays"):
                mask[self.params[0]] = m[self.params[0]]
        mask = self.emit("mask" if updated else "when", "mask", mask)
        kept = {p: self.machine.leave(x) for p, x in w.items()}
        between = {p: self.where(mask[p], kept[p]) if p in self.params and not self.on("not-masked") else kept[p]
                   for p in self.all}
        if decompress and self.stash is not None and self.on("restores-old"):
            between = {p: np.where(m[p], x, self.stash[p]) if p in self.params else x for p, x in between.items()}
        if decompress and self.on("restores-drawn"):
            between = {p: np.where(m[p], x, self.machine.kept(0.1)) if p in self.params else x
                       for p, x in between.items()}
        if compress:
            self.stash = kept
        b = self.enter(self.emit("weights", "between", between))
        if decompress and self.reading("decompress_momentum") == "zero" and not self.on("decompressed-keep-momentum"):
            v = {p: x if self.on("biases-keep-momentum") and p not in self.params else x * 0 for p, x in v.items()}
        if compress and self.on("compression-resets-momentum"):
            v = {p: x * 0 for p, x in v.items()}
        masks = m if self.on("step-under-old-mask") else mask
        after, v_new = self.sgd_all(b, v, g, eta, masks)
        self.w = self.emit("step", "weights_after", after)
        if self.on("dropped-keep-momentum") and compress:
            v_new = {p: np.where(masks[p], v_new[p], self.machine.leave(v[p])) if p in masks else v_new[p]
                     for p in self.all}
        self.v = self.emit("momentum", "momentum", v_new)
        self.m = mask
