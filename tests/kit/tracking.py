"""dropback and procrustes (section 6): a fixed number of weights is tracked, the rest go back to where they began."""

import numpy as np
from port import Port


class Dropback(Port):
    order = ("step", "count", "score", "track", "reset", "momentum", "accumulate")
    defaults = {"freeze_step": None}
    readings = {"count": ("keep-round", "remove-floor", "remove-ceil", "remove-round"), "distribution": ("global",),
                "score": ("distance", "accumulated"), "accumulate": ("tracked", "always")}
    extra = ("cut", "ties", "minimum")
    more_state = ("acc",)
    decays = False

    def begin(self):
        self.start()
        self.acc = self.zeros(self.setting.shapes)

    def tracked_count(self):
        if self.hyper.get("tracked") is not None:
            k = int(self.hyper["tracked"])
            return k + 1 if self.on("count-one-more") else max(k - 1, 0) if self.on("count-one-fewer") else k
        return self.count(sum(x.size for x in self.m.values()), self.hyper["sparsity"])

    def decay_rate(self, e):
        return self.machine.power(self.h("lambda"), e)

    def step(self, t):
        params, enter = self.params, self.enter
        w, v, g, eta = self.operands()
        m = self.given("mask_before", self.m, kind=bool)
        masks = m if self.on("step-of-tracked") else None
        between, v_new = self.sgd_all(w, v, g, eta, masks)
        between = self.emit("step", "between", between)
        b = enter(between)
        w0 = {p: w[p] if self.on("w0-aliased") else enter(self.w0)[p] for p in self.all}

        e = t
        if self.decays:
            e = t if self.reading("clock") == "index" else t + 1
            if self.on("lambda-other-clock"):
                e = t + 1 if self.reading("clock") == "index" else t
            if self.on("lambda-by-epoch"):
                e = e // 2
            rate = self.decay_rate(e)
            if self.on("lambda-linear"):
                rate = 1 - e * (1 - self.h("lambda"))
            self.emit("schedule", "rate", self.scalar(rate))
            if self.on("reset-later-lambda"):
                rate = rate * self.h("lambda")
            origin = {p: rate * w0[p] for p in params}
        else:
            origin = {p: w0[p] for p in params}

        k = self.emit("count", "keep", np.array([self.tracked_count()]))

        accumulates = self.reading("score") == "accumulated"
        if accumulates:
            a = enter(self.given("accumulated_before", self.acc))
            moved = {p: (g[p] if self.on("sum-without-rate") else eta * g[p]) for p in params}
            if self.on("sum-negated"):
                moved = {p: -x for p, x in moved.items()}
            running = {p: a[p] + moved[p] for p in params}
            a_new = running if self.on("old-sums-scored") else \
                {p: np.where(m[p], running[p], moved[p]) for p in params}
            score = {p: np.abs(a_new[p]) for p in params}
        else:
            score = {p: np.abs(b[p] - origin[p]) for p in params}
        if self.on("score-signed"):
            score = {p: (a_new[p] if accumulates else b[p] - origin[p]) for p in params}
        if self.on("score-magnitude"):
            score = {p: np.abs(b[p]) for p in params}
        if self.on("score-last-move"):
            score = {p: np.abs(b[p] - w[p]) for p in params}
        if self.on("score-before-step"):
            score = {p: np.abs(w[p] - origin[p]) for p in params}
        if self.on("score-squared"):
            score = {p: x * x for p, x in score.items()}
        if self.on("score-relative"):
            score = {p: x / (np.abs(b[p]) + 1) for p, x in score.items()}
        score = self.emit("score", "score", score)

        mask = self.track(t, m, score, k)
        if self.on("mask-inverted"):
            mask = {p: ~x for p, x in mask.items()}
        if self.on("once-tracked-stays"):
            mask = {p: x | m[p] if t > 0 else x for p, x in mask.items()}
        mask = self.emit("track", "mask", mask)

        reset_to = {p: self.machine.leave(x) for p, x in origin.items()}
        if self.on("reset-to-zero"):
            reset_to = {p: self.where(False, x) for p, x in reset_to.items()}
        if self.on("reset-to-last"):
            reset_to = {p: self.machine.leave(w[p]) for p in params}
        if self.on("reset-undecayed"):
            reset_to = {p: self.machine.leave(w0[p]) for p in params}
        if self.on("reset-decays-weight"):
            reset_to = {p: self.machine.leave(self.h("lambda") * b[p]) for p in params}
        if self.on("not-reset"):
            reset_to = {p: between[p] for p in params}
        if self.on("reset-halfway"):
            reset_to = {p: self.machine.leave((b[p] + origin[p]) / 2) for p in params}
        after = {p: np.where(mask[p], between[p], reset_to[p]) if p in params else between[p] for p in self.all}
        if self.on("biases-reset"):
            after |= {p: self.w0[p] for p in self.all if p not in params}
        if self.on("tracked-decays"):
            after |= {p: np.where(mask[p], self.machine.leave(b[p] - eta * self.h("weight_decay") * b[p]), after[p])
                      for p in params}
        self.w = self.emit("reset", "weights_after", after)

        if self.on("momentum-cleared"):
            v_new |= {p: self.where(mask[p], v_new[p]) for p in params}
        self.v = self.emit("momentum", "momentum", v_new)
        self.m = mask
        if accumulates:
            always = self.reading("accumulate") == "always"
            if self.on("accumulates-otherwise"):
                always = not always
            left = running if always else {p: self.where(mask[p], a_new[p]) for p in params}
            if self.on("sums-forgotten"):
                left = {p: self.where(False, x) for p, x in left.items()}
            if self.on("sums-of-untracked"):
                left = {p: self.where(~mask[p], x) for p, x in left.items()}
            self.acc = self.emit("accumulate", "accumulated", left)

    def scalar(self, x):
        return np.array([x], dtype=object if self.machine.exact else None)

    def freezes(self, t):
        freeze = self.hyper["freeze_step"]
        if freeze is None or self.on("never-frozen"):
            return False
        if self.on("frozen-late"):
            return t > freeze
        if self.on("frozen-early"):
            return t >= freeze - 1
        return t >= freeze

    def track(self, t, m, score, k):
        if self.freezes(t):
            return m
        candidates = {p: np.ones(x.shape, bool) for p, x in m.items()}
        return self.select(score, candidates, k)


class Procrustes(Dropback):
    order = ("step", "schedule", "count", "score", "quantile", "track", "reset", "momentum", "accumulate")
    defaults = {"freeze_step": None, "lambda": 0.9, "dumique_start": 1e-2, "dumique_rate": 1e-6}
    readings = {"count": Dropback.readings["count"], "distribution": ("global",), "clock": ("completed", "index"),
                "score": ("accumulated", "distance"), "accumulate": ("tracked", "always"),
                "select": ("sort", "dumique"), "dumique_order": ("last-to-first", "first-to-last"),
                "dumique_carry": ("restart", "carry")}
    more_state = ("acc", "Q")
    decays = True

    def begin(self):
        super().begin()
        self.Q = None

    def track(self, t, m, score, k):
        if self.reading("select") == "sort":
            return super().track(t, m, score, k)
        x = np.concatenate([score[p].ravel() for p in self.params])
        N = len(x)
        one = self.machine.number(1)
        q = one - self.machine.number(int(k[0])) / self.machine.number(N)
        if self.on("quantile-of-kept"):
            q = one - q
        rho = self.h("dumique_rate")
        start = self.h("dumique_start")
        Q = self.machine.enter(self.Q) if self.reading("dumique_carry") == "carry" and self.Q is not None else start
        if self.on("quantile-other-start"):
            Q = start if self.reading("dumique_carry") == "carry" else Q * (1 + rho)
        begins = Q
        mask = np.zeros(N, bool)
        backwards = (self.reading("dumique_order") == "last-to-first") != self.on("quantile-other-order")
        up, down = one + rho * q, one - rho * (one - q)
        if self.on("quantile-steps-swapped"):
            up, down = one + rho * (one - q), one - rho * q
        if self.on("quantile-additive"):
            up, down = one + rho, one - rho
        for j in (range(N)[::-1] if backwards else range(N)):
            mask[j] = Q < x[j]
            if self.on("quantile-wrong-way"):
                Q = Q * (down if mask[j] else up)
            elif self.machine.form("dumique", 2) and not self.on("quantile-steps-swapped"):
                Q = Q * (up if mask[j] else down)
            else:
                Q = Q * up if mask[j] else Q * down
            if not self.machine.exact:
                Q = type(one)(self.machine.leave(Q)) if self.machine.form("dumique_kept", 2) else Q
        if self.on("tracked-below"):
            mask = ~mask
        quantile = np.array([begins, Q], dtype=object if self.machine.exact else None)
        recorded = self.emit("quantile", "quantile", quantile)
        self.Q = recorded[1]
        parts = np.split(mask, np.cumsum([m[p].size for p in self.params])[:-1])
        return {p: part.reshape(m[p].shape) for p, part in zip(self.params, parts)}
