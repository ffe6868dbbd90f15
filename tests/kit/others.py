"""lmc, sdgp, layerdrop and amc (section 6): no weights are trained; a trace holds what is given and what is decided."""

import math
from fractions import Fraction

import numpy as np
from choices import half_even, keep_largest
from port import Port


class Plain(Port):
    """A method without an optimizer: draws by kind."""

    def random_given(self, name, shape, draw=None):
        if self.machine.exact:
            return self.machine.enter(self.given(name, np.zeros(shape), label="given"))
        x = self.random(shape) if draw is None else self.machine.leave(np.asarray(draw).astype(self.machine.kept))
        return self.machine.enter(self.given(name, x, label="given"))

    def vector(self, values):
        return np.array(list(values), dtype=object if self.machine.exact else None)

    def begin(self):
        self.t = None


class Lmc(Plain):
    order = ("grid", "interpolate", "score", "barrier", "argmin", "stable")
    defaults = {"points": 30, "threshold": 0.02}
    readings = {"grid": ("points", "intervals"), "interpolation": ("1-to-2", "2-to-1"), "barrier_of": ("error", "loss")}
    extra = ()

    def begin(self):
        self.scores, self.barriers = {}, {}

    more_state = ("scores", "barriers")

    def step(self, t):
        number = self.machine.number
        points = int(self.hyper["points"])
        intervals = (self.reading("grid") == "intervals") != self.on("grid-otherwise")
        n = points + 1 if intervals else points
        steps = points if intervals else points - 1
        alpha = [number(i) / number(steps) for i in range(n)]
        if self.on("grid-shifted"):
            alpha = [number(i + 1) / number(steps + 1) for i in range(n)]
        if self.on("grid-reversed"):
            alpha = alpha[::-1]
        if self.on("grid-midpoints"):
            alpha = [number(2 * i + 1) / number(2 * n) for i in range(n)]
        if self.on("grid-squared"):
            alpha = [x * x for x in alpha]
        ends = [{p: self.random_given(f"theta_{i}/{p}", s) for p, s in self.setting.layers.items()} for i in (1, 2)]
        alpha = self.machine.enter(self.emit("grid", "alpha", self.vector(alpha)))
        first, second = ends if self.reading("interpolation") == "1-to-2" else ends[::-1]
        if self.on("interpolated-other-way"):
            first, second = second, first
        for i, x in enumerate(alpha):
            for p in self.setting.layers:
                a, b = first[p], second[p]
                y = (1 - x) * a + x * b if self.machine.form("interpolate", 2) == 0 else a + x * (b - a)
                if self.on("interpolated-rescaled"):
                    y = y / (1 - x + x * x)
                if self.on("interpolated-square"):
                    y = (1 - x) * (1 - x) * a + x * x * b
                if self.on("interpolation-adds"):
                    y = a + x * b
                if self.on("one-layer-of-first") and p == list(self.setting.layers)[-1]:
                    y = a
                if self.on("interpolated-signs"):
                    y = np.abs(y)
                self.emit("interpolate", f"theta/{i}/{p}", y)
        shape = 0.4 + 0.3 * self.rng.random() * np.sin(np.pi * np.linspace(0, 1, n)) + 0.05 * self.rng.random(n)
        if self.setting.data == "grid":
            shape = np.round(shape * 8) / 8
        loss = self.random_given("loss", (n,), shape * 2)
        error = self.random_given("error", (n,), np.clip(shape * (0.05 if self.rng.random() < 0.5 else 1), 0, 1))
        score = loss.sum() / number(n)
        if self.machine.form("mean", 2):
            score = sum(x / number(n) for x in loss)
        if self.on("score-inner"):
            score = loss[1:-1].sum() / number(max(n - 2, 1))
        if self.on("score-over-intervals"):
            score = loss.sum() / number(n - 1)
        if self.on("score-largest"):
            score = loss.max()
        if self.on("score-of-error"):
            score = error.sum() / number(n)
        if self.on("score-trapezium"):
            score = (loss.sum() - (loss[0] + loss[-1]) / 2) / number(n - 1)
        if self.on("score-summed"):
            score = loss.sum()
        if self.on("score-middle"):
            score = loss[n // 2]
        if self.on("score-excess"):
            score = score - (loss[0] + loss[-1]) / 2
        score = self.emit("score", "score", self.vector([score]))[0]
        y = error if (self.reading("barrier_of") == "error") != self.on("barrier-of-other") else loss
        barrier = y.max() - (y[0] + y[-1]) / 2
        if self.on("barrier-of-mean"):
            barrier = y.sum() / number(n) - (y[0] + y[-1]) / 2
        if self.on("barrier-above-least"):
            barrier = y.max() - min(y[0], y[-1])
        if self.on("barrier-above-largest"):
            barrier = y.max() - max(y[0], y[-1])
        if self.on("barrier-middle"):
            barrier = y[n // 2] - (y[0] + y[-1]) / 2
        if self.on("barrier-above-first"):
            barrier = y.max() - y[0]
        if self.on("barrier-range"):
            barrier = y.max() - y.min()
        barrier = self.emit("barrier", "barrier", self.vector([barrier]))[0]
        self.scores[t], self.barriers[t] = score, barrier

    def finish(self):
        events = sorted(self.scores)
        best = min(events, key=lambda t: (self.scores[t], t))
        if self.on("argmin-last"):
            best = min(events, key=lambda t: (self.scores[t], -t))
        if self.on("argmax"):
            best = max(events, key=lambda t: (self.scores[t], -t))
        if self.on("argmin-index"):
            best = events.index(best)
        if self.on("argmin-of-barrier"):
            best = min(events, key=lambda t: (self.barriers[t], t))
        if self.on("argmin-skips-first"):
            best = min(events[1:], key=lambda t: (self.scores[t], t))
        self.emit("argmin", "k_star", np.array([best]))
        threshold = self.machine.number(self.hyper["threshold"])
        stable = -1
        for t in reversed(events):
            if not self.barriers[t] < threshold:
                break
            stable = t
        if self.on("stable-first"):
            stable = next((t for t in events if self.barriers[t] < threshold), -1)
        if self.on("stable-strict"):
            stable = -1 if not stable > events[0] else events[events.index(stable) - 1]
        if self.on("stable-last"):
            stable = events[-1]
        if self.on("never-stable-zero"):
            stable = max(stable, 0)
        if self.on("stable-index"):
            stable = events.index(stable) if stable in events else -1
        self.emit("stable", "k_stable", np.array([stable]))


class Sdgp(Plain):
    order = ("select", "scale", "weight_gradient", "data_gradient")
    defaults = {"keep": 2, "group": 4}
    readings = {"groups": ("channel", "memory"), "remainder": ("keep", "zero", "dense"),
                "pick": ("magnitude", "random"), "rescale": ("none", "maxnorm")}
    extra = ("ties",)

    def grouped(self, x):
        """The flat indices of `x`, group by group, and each group's size."""
        index = np.arange(x.size).reshape(x.shape)
        by_channel = (self.reading("groups") == "channel") != self.on("groups-otherwise")
        if self.on("groups-over-batch"):
            runs = [index.reshape(x.shape[0], -1).T.ravel()]
        elif by_channel:
            moved = np.moveaxis(index, 1, -1)
            runs = moved.reshape(-1, x.shape[1])
        else:
            runs = [index.ravel()]
        n = int(self.hyper["group"])
        for run in runs:
            if self.on("groups-strided"):
                parts = max(1, math.ceil(len(run) / n))
                run = np.concatenate([run[i::parts] for i in range(parts)])
            for start in range(0, len(run), n):
                yield run[start:start + n]

    def step(self, t):
        for layer, (batch, n_in, shape) in self.setting.layers.items():
            x = self.random_given(f"grad_output/{layer}", (batch, *shape))
            flat = x.ravel()
            random = self.reading("pick") == "random"
            if random:
                draw = self.machine.enter(self.given(
                    f"draw/{layer}", np.zeros(x.shape) if self.machine.exact else self.uniform(x.shape), label="given"))
            key = np.abs(flat)
            if random != self.on("picks-otherwise"):
                key = draw.ravel() if random else self.machine.enter(self.uniform(x.shape)).ravel()
            if self.on("picks-signed"):
                key = flat
            if self.on("picks-smallest"):
                key = -key
            keep = int(self.hyper["keep"])
            if self.on("one-fewer"):
                keep -= 1
            if self.on("one-more"):
                keep += 1
            if self.on("drops-keep"):
                keep = int(self.hyper["group"]) - keep
            kept = np.zeros(x.size, bool)
            if self.on("over-layer"):
                kept = keep_largest(key, np.ones(x.size, bool), x.size * keep // int(self.hyper["group"]))
            for group in () if self.on("over-layer") else self.grouped(x):
                remainder = self.reading("remainder")
                if self.on("remainder-otherwise"):
                    remainder = {"keep": "zero", "zero": "dense", "dense": "zero"}[remainder]
                if len(group) < int(self.hyper["group"]) and remainder != "keep":
                    kept[group] = remainder == "dense"
                else:
                    kept[group] = keep_largest(key[group], np.ones(len(group), bool), keep, "exact", self.ties,
                                               self.tie_rng)
            kept = kept.reshape(x.shape)
            y = self.where(kept, x)
            rescale = self.reading("rescale") == "maxnorm"
            if rescale != self.on("scale-otherwise"):
                axes = tuple(range(2, x.ndim))
                if self.on("scale-over-channels"):
                    axes = tuple(range(1, x.ndim))
                total = np.abs(x).sum(axis=axes, keepdims=True) if axes else np.abs(x)
                left = np.abs(y).sum(axis=axes, keepdims=True) if axes else np.abs(y)
                small = self.machine.number(1e-4)
                if self.on("scale-without-epsilon"):
                    small = self.machine.number(1e-1)
                if self.on("scale-inverted"):
                    total, left = left, total
                if self.on("scale-signed"):
                    total = x.sum(axis=axes, keepdims=True) if axes else x
                if self.on("scale-squared"):
                    total = (x * x).sum(axis=axes, keepdims=True) if axes else x * x
                y = (y * total) / (left + small) if self.machine.form("maxnorm", 2) else y * (total / (left + small))
            if self.on("scale-by-share"):
                y = y * (self.machine.number(self.hyper["group"]) / self.machine.number(self.hyper["keep"]))
            if self.on("scale-halves"):
                y = y / 2
            y = self.machine.enter(self.emit("scale", f"pruned/{layer}", y))
            if n_in is None:
                continue
            h = self.random_given(f"input/{layer}", (batch, n_in))
            W = self.random_given(f"weight/{layer}", (shape[0], n_in))
            source = y if self.on("weight-gradient-of-pruned") else x
            grad = source.T @ h
            if self.on("weight-gradient-mean"):
                grad = grad / batch
            if self.on("weight-gradient-of-first"):
                grad = source[:1].T @ h[:1]
            if self.on("weight-gradient-of-dropped"):
                grad = (x - y).T @ h
            self.emit("weight_gradient", f"grad_weight/{layer}", grad)
            source = x if self.on("data-gradient-of-dense") else y
            if self.on("data-gradient-unscaled"):
                source = self.where(kept, x)
            out = source @ W
            if self.on("data-gradient-of-dropped"):
                out = (x - y) @ W
            if self.on("data-gradient-pruned"):
                out = np.where(np.abs(out) > np.abs(out).mean(), out, out * 0)
            if self.on("data-gradient-mean"):
                out = out / batch
            self.emit("data_gradient", f"grad_input/{layer}", out)


class Layerdrop(Plain):
    order = ("active", "kept_layers")
    defaults = {"p": 0.2, "droppable": None, "prune_rate": None}
    readings = {"depth_origin": ("1", "0")}
    extra = ()
    labels = {"kept_layers": "active"}

    def droppable(self):
        flags = self.hyper["droppable"]
        return np.ones(int(self.hyper["layers"]), bool) if flags is None else np.array(flags, bool)

    def step(self, t):
        L = int(self.hyper["layers"])
        u = self.random_given("draw", (L,), self.uniform((L,)))
        p = self.h("p")
        droppable = self.droppable()
        active = (u > p) | ~droppable
        if self.on("active-below"):
            active = (u < p) | ~droppable
        if self.on("active-at-border"):
            active = (u >= p) | ~droppable
        if self.on("all-droppable"):
            active = u > p
        if self.on("rate-for-rest"):
            active = (u > 1 - p) | ~droppable
        if self.on("rate-by-depth"):
            active = (u > p * self.machine.enter((np.arange(L) + 1) / L)) | ~droppable
        if self.on("one-draw-for-all"):
            active = np.full(L, u[0] > p) | ~droppable
        if self.on("draws-shifted"):
            active = (np.roll(u, 1) > p) | ~droppable
        if self.on("first-always"):
            active[0] = True
        if self.on("never-dropped"):
            active[:] = True
        if self.on("droppable-inverted"):
            active = (u > p) | droppable
        if self.on("at-most-one"):
            gone = np.flatnonzero(~active)[1:]
            active[gone] = True
        if self.on("rest-dropped"):
            gone = np.flatnonzero(~active & droppable)[:1]
            for i in gone:
                active[i:] = ~droppable[i:]
        if self.on("last-always"):
            active[-1] = True
        self.emit("active", "active", active)

    def finish(self):
        rate = self.hyper["prune_rate"]
        if rate is None:
            return
        L = int(self.hyper["layers"])
        origin = int(self.reading("depth_origin"))
        if self.on("depth-otherwise"):
            origin = 1 - origin
        every = math.floor(1 / np.float64(rate))
        if self.on("every-ceil"):
            every = math.ceil(1 / np.float64(rate))
        if self.on("every-off-by-one"):
            every += 1
        depth = np.arange(L) + origin
        goes = depth % every == 0
        if self.on("keeps-every"):
            goes = ~goes
        if self.on("last-go"):
            goes = np.arange(L) >= L - round(float(rate) * L)
        if self.on("first-go"):
            goes = np.arange(L) < round(float(rate) * L)
        kept = ~(goes & (self.droppable() | self.on("prunes-all")))
        if self.on("depth-of-droppable"):
            depth = np.cumsum(self.droppable()) - 1 + origin
            kept = ~((depth % every == 0) & self.droppable())
        self.emit("kept_layers", "kept_layers", kept)


class Amc(Plain):
    order = ("clip", "count", "score", "channels", "weights", "flops", "reward")
    defaults = {"preserve": 0.5, "lower": 0.2, "channel_round": 8, "buffer_flops": None}
    readings = {"reward_rule": ("accuracy", "error-log-flops")}
    extra = ("ties",)

    def step(self, t):
        number, L = self.machine.number, len(self.params)
        c = [self.setting.shapes[p][1] for p in self.params]
        F = [number(x) for x in self.hyper["flops"]]
        B = [number(x) for x in self.hyper["buffer_flops"] or [0] * L]
        action = self.random_given("action", (L,), self.rng.uniform(-0.2, 1.2, L))
        before = {p: self.random_given(f"weights_before/{p}", s) for p, s in self.setting.shapes.items()}
        lower, preserve = self.h("lower"), self.h("preserve")
        zero, one = number(0), number(1)
        keep_given = self.given_file.get(self.name("keep")) if self.given_file is not None else None
        ratios, allowed, keeps = [one] * L, [], []
        for l in range(L):
            r = [ratios[i] if i < l else lower for i in range(L)] + [one]
            if self.on("others-at-one"):
                r = [ratios[i] if i < l else one for i in range(L)] + [one]
            if self.on("output-at-lower"):
                r[L] = lower
            if self.on("as-allowed"):
                r = [allowed[i] if i < l else lower for i in range(L)] + [one]
            if l == 0 and not self.on("first-clipped"):
                a = one
            else:
                this = F[l] * r[l + 1] + B[l] + (F[l - 1] * r[l - 1] if l > 0 else zero)
                other = sum((F[i] * r[i] * r[i + 1] + B[i] * r[i] for i in range(L) if i not in (l - 1, l)), zero)
                if l > 0:
                    other = other + B[l - 1] * r[l - 1]
                if self.on("this-of-one-side"):
                    this = F[l] * r[l + 1] + B[l]
                if self.on("buffers-forgotten"):
                    this = this - B[l]
                budget = preserve * sum((f + b for f, b in zip(F, B)), zero)
                if self.on("budget-of-removed"):
                    budget = (1 - preserve) * sum((f + b for f, b in zip(F, B)), zero)
                if self.on("budget-without-buffers"):
                    budget = preserve * sum(F, zero)
                most = (budget - other) / this
                clamped = min(max(action[l], zero), one)
                a = max(lower, min(clamped, most))
                if self.on("lower-first"):
                    a = min(max(clamped, lower), most)
                if self.on("not-clipped"):
                    a = max(lower, clamped)
                if self.on("no-lower"):
                    a = max(zero, min(clamped, most))
            allowed.append(a)
            a = self.as_written("ratio_allowed", l, a)
            keeps.append(self.channels_kept(c[l], a))
            d = int(keep_given[l]) if keep_given is not None else keeps[l]
            ratios[l] = number(d) / number(c[l])
        self.emit("clip", "ratio_allowed", self.vector(allowed))
        keep = self.emit("count", "keep", np.array(keeps))
        after = {}
        for p, d in zip(self.params, keep):
            w = before[p]
            rest = tuple(i for i in range(w.ndim) if i != 1)
            score = np.abs(w).sum(axis=rest)
            if self.on("score-of-outputs"):
                score = np.resize(np.abs(w).sum(axis=tuple(i for i in range(w.ndim) if i != 0)), score.shape)
            if self.on("score-squared"):
                score = (w * w).sum(axis=rest)
            if self.on("score-signed"):
                score = np.abs(w.sum(axis=rest))
            if self.on("score-largest"):
                score = np.abs(w).max(axis=rest)
            if self.on("score-mean"):
                score = score / number(w.size // w.shape[1] + 1)
            if self.on("score-of-first-tap"):
                score = np.abs(w)[:1].sum(axis=rest)
            score = self.emit("score", f"importance/{p}", score)
            k = int(d) + self.on("one-more-channel") - self.on("one-fewer-channel")
            key = -score if self.on("smallest-channels") else score
            if self.on("first-channels"):
                key = np.zeros_like(score)
            chosen = keep_largest(key, np.ones(len(score), bool), max(k, 0), "exact", self.ties, self.tie_rng)
            chosen = self.emit("channels", f"channels/{p}", chosen)
            shape = [1] * w.ndim
            shape[1] = -1
            flags = chosen.reshape(shape)
            if self.on("outputs-masked"):
                flags = np.resize(chosen, w.shape[0]).reshape([-1] + [1] * (w.ndim - 1))
            if self.on("weights-not-masked"):
                flags = np.ones_like(flags)
            after[p] = self.where(flags, self.machine.leave(w))
            if self.on("weights-rescaled"):
                after[p] = after[p] * 2
            if self.on("first-layer-unmasked") and p == self.params[-1]:
                after[p] = self.machine.leave(w)
        self.emit("weights", "weights_after", after)
        r = [number(int(d)) / number(n) for d, n in zip(keep, c)] + [one]
        if self.on("flops-as-allowed"):
            r = [*map(type(one), allowed), one]
        flops = sum((F[i] * r[i] * r[i + 1] + B[i] * r[i] for i in range(L)), zero)
        if self.on("flops-of-inputs"):
            flops = sum((F[i] * r[i] + B[i] * r[i] for i in range(L)), zero)
        if self.on("flops-without-buffers"):
            flops = sum((F[i] * r[i] * r[i + 1] for i in range(L)), zero)
        if self.on("flops-dense"):
            flops = sum((f + b for f, b in zip(F, B)), zero)
        if self.on("flops-share"):
            flops = flops / sum((f + b for f, b in zip(F, B)), zero)
        flops = self.machine.enter(self.emit("flops", "flops", self.vector([flops])))[0]
        accuracy = self.random_given("accuracy", (1,), [self.rng.random()])[0]
        log = (self.reading("reward_rule") == "error-log-flops") != self.on("reward-otherwise")
        reward = -(1 - accuracy) * self.machine.log(flops) if log else accuracy
        if self.on("reward-negated"):
            reward = -reward
        if self.on("reward-error"):
            reward = accuracy - 1
        if self.on("reward-percent"):
            reward = reward * 100
        self.emit("reward", "reward", self.vector([reward]))

    def channels_kept(self, c, a):
        rounding = int(self.hyper["channel_round"])
        if a == 1 and not self.on("all-rounded"):
            return c
        product = c * a if self.machine.exact else (self.machine.kept(c) * self.machine.kept(a))
        if self.on("count-ceil"):
            d = max(1, math.ceil(product))
        elif self.on("count-floor"):
            d = max(1, math.floor(product))
        else:
            d = max(1, half_even(product if not self.machine.exact else Fraction(product)))
        if self.on("round-down"):
            d = max(d // rounding * rounding, 1)
        elif self.on("round-nearest"):
            d = max(round(d / rounding) * rounding, 1)
        elif not self.on("not-rounded"):
            d = -(-d // rounding) * rounding
        if d > c and not self.on("rounded-above"):
            d = c // rounding * rounding
            if self.on("down-to-zero"):
                return d
            if self.on("whole-if-above"):
                d = c
        if d == 0:
            d = c
        if self.on("count-one-more"):
            d = min(d + 1, c)
        if self.on("count-one-fewer"):
            d = max(d - 1, 1)
        return d
