"""set, rigl and granet (section 6): what is dropped is grown elsewhere. topkast: two sets of the largest weights."""

import numpy as np
from choices import cosine, cubic, half_even, power
from pruning import Scheduled, counts_from

ORDERS = ("after-step", "instead-of-step")
GROWTH = {"inactive_momentum": ("zero", "decay", "dense"), "grown_momentum": ("zero", "keep"),
          "grown_weights": ("zero", "draw"), "regrown": ("keep", "as-grown"),
          "grow_from": ("inactive-after-drop", "inactive-before"), "erk_budget": ("floor", "real"),
          "clock": ("completed", "index", "index+1"), "update_grid": ("from-start", "multiples")}


class DropAndGrow(Scheduled):
    order = ("distribution", "init", "when", "step", "schedule", "prune", "count", "score", "drop", "grow", "weights",
             "momentum")
    extra = ("cut", "ties", "minimum")

    def fraction(self, c, machine):
        raise NotImplementedError

    def prune(self, c, value_at, between, m):
        """GraNet's: what is left before the drop."""
        return m

    def growth_score(self, g, between):
        raise NotImplementedError

    def drop_counts(self, active, scores, fraction, b):
        """d_l, and the counts that are kept."""
        kept = []
        for p, a in active.items():
            n = a.size if self.on("count-of-all") else int(a.sum())
            kept.append(min(self.count(n, fraction), n))
            if self.on("count-of-all"):
                kept[-1] = max(int(a.sum()) - (n - kept[-1]), 0)
        return [int(a.sum()) - k for a, k in zip(active.values(), kept)], kept

    def drop(self, score, active, b, drops, fraction):
        counts = [int(a.sum()) - int(d) for a, d in zip(active.values(), drops)]
        return self.select(score, active, counts, is_global=False)

    def step(self, t):
        c, value_at = self.clock(t)
        m = self.given("mask_before", self.m, kind=bool)
        w, v, g, eta = self.operands()
        updated = self.emit("when", "updated", np.array([int(self.due(c, self.last_update()))], np.uint8))[0]
        in_place = updated and (self.order_of_update == "instead-of-step") != self.on("step-at-update")
        if in_place:
            between = {p: self.machine.leave(x) for p, x in w.items()}
            v_first = {p: self.machine.leave(x) for p, x in v.items()}
        else:
            between, v_first = self.sgd_all(w, v, g, eta, m)
        between = self.emit("step", "between", between)
        if not updated:
            mask = m
            if self.on("mask-moves-early") and t > 0:
                mask = {p: x & (np.abs(between[p]) > 0.5) for p, x in m.items()}
            mask = self.emit("when", "mask", mask)
            self.w = self.emit("weights", "weights_after", between)
            self.v = self.emit("momentum", "momentum", v_first)
            self.m = mask
            return
        b = self.enter(between)
        fraction = self.emit_share("fraction", lambda machine: self.fraction(value_at, machine))
        active = self.prune(c, value_at, b, m)
        source = w if self.on("score-before-step") else b
        score = {p: np.abs(source[p]) for p in self.params}
        if self.on("score-signed"):
            score = {p: source[p] for p in self.params}
        if self.on("score-gradient"):
            score = {p: np.abs(g[p]) for p in self.params}
        if self.on("score-taylor"):
            score = {p: np.abs(g[p] * source[p]) for p in self.params}
        if self.on("score-by-layer"):
            score = {p: x / (x.max() + 1) for p, x in score.items()}
        if self.on("score-squared"):
            score = {p: x * x for p, x in score.items()}
        drops, _ = self.drop_counts(active, score, fraction, b)
        drops = self.emit("count", "drop", np.array(drops))
        score = self.emit("score", "score", score)
        kept = self.emit("drop", "kept", self.drop(score, active, b, drops, fraction))
        went = [int(a.sum()) - int(k.sum()) for a, k in zip(active.values(), kept.values())]
        candidates = {p: ~active[p] if (self.reading("grow_from") == "inactive-before") != self.on("grow-from-other")
                      else ~kept[p] for p in self.params}
        growth = self.growth_score(g, b)
        if self.on("grow-among-all"):
            candidates = {p: np.ones_like(x) for p, x in candidates.items()}
        if self.on("grow-smallest"):
            growth = {p: -x for p, x in growth.items()}
        if self.on("grow-by-weight"):
            growth = {p: np.abs(w[p]) + np.abs(b[p]) for p in self.params}
        if self.on("grow-first"):
            growth = {p: np.zeros_like(x) for p, x in growth.items()}
        if self.on("grow-one-more"):
            went = [x + 1 for x in went]
        if self.on("grow-one-fewer"):
            went = [max(x - 1, 0) for x in went]
        if self.on("grow-none"):
            went = [0 for _ in went]
        if self.on("grow-over-layers"):
            chosen = self.select_global(growth, candidates, sum(went), "exact")
        else:
            chosen = self.by_layer(growth, candidates, went, "exact")
        mask = self.emit("grow", "mask", {p: kept[p] | chosen[p] for p in self.params})

        as_grown = (self.reading("regrown") == "as-grown") != self.on("regrown-otherwise")
        stays = {p: mask[p] & (kept[p] if as_grown else m[p]) for p in self.params}
        draw_fresh = self.reading("grown_weights") == "draw"
        if draw_fresh:
            fresh = self.given("fresh", {p: None if self.machine.exact else self.random(s, 0.1)
                                         for p, s in self.setting.shapes.items()}, label="given")
        else:
            fresh = {p: np.zeros_like(between[p]) for p in self.params}
            if self.machine.exact:
                fresh = self.enter(fresh)
        if self.on("grown-at-random"):
            fresh = {p: self.machine.leave(self.random(s, 0.1) + fresh[p]) for p, s in self.setting.shapes.items()}
        if self.on("grown-along-gradient"):
            fresh = {p: self.machine.leave(-eta * g[p]) for p in self.params}
        after = dict(between)
        for p in self.params:
            after[p] = np.where(stays[p], between[p], self.where(mask[p], fresh[p]))
            if self.on("dropped-keep-weights"):
                after[p] = np.where(mask[p], after[p], between[p])
            if self.on("survivors-rescaled"):
                after[p] = after[p] * 2
            if self.on("weights-of-kept-alone"):
                after[p] = self.where(kept[p], between[p])
            if self.on("biases-zeroed"):
                after |= {q: self.where(False, between[q]) for q in self.setting.others}
        self.w = self.emit("weights", "weights_after", after)

        v_after = dict(v_first)
        for p in self.params:
            grown_v = self.where(False, v_first[p])
            if (self.reading("grown_momentum") == "keep") != self.on("grown-momentum-otherwise"):
                grown_v = v_first[p]
            off = self.where(False, v_first[p])
            if (self.reading("inactive_momentum") != "zero") != self.on("dropped-momentum-otherwise"):
                off = v_first[p]
            v_after[p] = np.where(stays[p], v_first[p], np.where(mask[p], grown_v, off))
        if self.on("momentum-reset"):
            v_after = {p: self.where(False, x) for p, x in v_after.items()}
        if self.on("momentum-decays-at-update"):
            v_after = {p: self.machine.leave(self.machine.enter(x) * self.machine.number(0.5))
                       for p, x in v_after.items()}
        self.v = self.emit("momentum", "momentum", v_after)
        self.m = mask

    def last_update(self):
        return self.hyper["update_end"]


class Set(DropAndGrow):
    defaults = {"zeta": 0.3, "er_epsilon": None, "update_start": None}
    readings = Scheduled.readings | GROWTH | {
        "count": counts_from("remove-floor"), "distribution": ("er", "erk", "uniform", "given"),
        "last_update": ("exclusive", "inclusive"), "update_order": ORDERS, "drop_rule": ("signed", "magnitude")}
    extra = ("ties", "minimum")

    def begin(self):
        counts = None
        epsilon = self.hyper["er_epsilon"]
        if epsilon is not None or "sparsity" not in self.hyper:
            epsilon = 20 if epsilon is None else epsilon
            counts = []
            for shape in self.setting.shapes.values():
                n_out, n_in = shape[0], shape[1] if len(shape) > 1 else 1
                if self.on("init-by-product"):
                    n_out, n_in = n_out * n_in, 0
                size = int(np.prod(shape))
                counts.append(min(size, half_even(epsilon * (n_out + n_in))))
            if self.on("init-without-epsilon"):
                counts = [max(1, k // 2) for k in counts]
        self.start_sparse(self.hyper.get("sparsity"), counts)

    def fraction(self, c, machine):
        zeta = machine.number(self.hyper["zeta"])
        if self.on("fraction-halved"):
            return zeta / 2
        if self.on("fraction-falls"):
            return zeta / (1 + c)
        if self.on("fraction-of-rest"):
            return 1 - zeta
        if self.on("fraction-stale"):
            return machine.number(0.3) if self.hyper["zeta"] != 0.3 else machine.number(0.25)
        return zeta

    @property
    def signed(self):
        return self.reading("drop_rule") == "signed"

    def by_sign(self, b, active):
        """The two groups of each layer: the active ones that are at least 0, and the others."""
        at_least = (lambda x: x > 0) if self.on("zero-is-negative") else (lambda x: x >= 0)
        return [({p: active[p] & at_least(b[p])}, {p: active[p] & ~at_least(b[p])}) for p in self.params]

    def drop_counts(self, active, scores, fraction, b):
        if not self.signed:
            return super().drop_counts(active, scores, fraction, b)
        drops = []
        for groups in self.by_sign(b, active):
            sizes = [int(next(iter(group.values())).sum()) for group in groups]
            if self.on("positive-alone"):
                sizes = sizes[:1]
            drops.append(sum(n - min(self.count(n, fraction), n) for n in sizes))
        return drops, None

    def drop(self, score, active, b, drops, fraction):
        by_magnitude = not self.signed or self.on("drop-by-magnitude")
        if by_magnitude and not self.on("drop-by-sign"):
            return super().drop(score, active, b, drops, fraction)
        kept = {}
        for p, groups in zip(self.params, self.by_sign(b, active)):
            kept[p] = np.zeros(active[p].shape, bool)
            for i, group in enumerate(groups):
                n = int(group[p].sum())
                k = min(self.count(n, fraction), n)
                key = score[p]
                if i == 1 and self.on("negative-furthest"):
                    key = -key
                if i == 0 and self.on("one-more-positive"):
                    k = max(k - 1, 0)
                kept[p] |= self.select({p: key}, {p: group[p]}, [k], "exact", is_global=True)[p]
        return kept


    def growth_score(self, g, b):
        draw = self.drawn("draw", self.setting.shapes, self.uniform)
        if self.on("grow-by-gradient"):
            return {p: np.abs(x) for p, x in g.items() if p in self.params}
        return draw


class Rigl(DropAndGrow):
    defaults = {"alpha": 0.3, "update_every": 100, "update_start": None, "drop_power": 3.0}
    readings = Scheduled.readings | GROWTH | {
        "count": counts_from("remove-floor"), "distribution": ("erk", "er", "uniform", "given"),
        "last_update": ("exclusive", "inclusive"), "update_order": ORDERS[::-1],
        "drop_schedule": ("cosine", "constant", "power")}

    def begin(self):
        self.start_sparse(self.hyper["sparsity"])

    def fraction(self, c, machine):
        alpha, T, kind = self.hyper["alpha"], self.hyper["update_end"], self.reading("drop_schedule")
        if self.on("cosine-not-halved"):
            return 2 * cosine(c, alpha, 0, T, machine)
        if self.on("cosine-from-start"):
            return cosine(max(c - self.start_of_updates(), 0), alpha, 0, T, machine)
        if self.on("cosine-longer"):
            return cosine(c, alpha, 0, T + 7, machine)
        if self.on("fraction-otherwise"):
            kind = "constant" if kind != "constant" else "cosine"
        if self.on("fraction-linear"):
            return power(c, alpha, T, 1, machine)
        if kind == "constant":
            return machine.number(self.hyper["alpha"])
        if kind == "power":
            return power(c, alpha, T, self.hyper["drop_power"], machine)
        return cosine(c, alpha, 0, T, machine)

    def growth_score(self, g, b):
        if self.on("grow-signed"):
            return {p: g[p] for p in self.params}
        if self.on("grow-negative"):
            return {p: -g[p] for p in self.params}
        if self.on("grow-masked-gradient"):
            return {p: self.where(self.m[p], np.abs(g[p])) for p in self.params}
        if self.on("grow-with-decay"):
            return {p: np.abs(g[p] + b[p]) for p in self.params}
        if self.on("grow-at-random"):
            return {p: self.uniform(s) for p, s in self.setting.shapes.items()}
        return {p: np.abs(g[p]) for p in self.params}


class Granet(DropAndGrow):
    defaults = {"initial_sparsity": 0.5, "regrow": 0.5, "regrow_min": 0.005, "update_start": 0, "update_every": 1000}
    readings = Scheduled.readings | GROWTH | {
        "count": counts_from("remove-ceil"), "distribution": ("erk", "er", "uniform"),
        "update_grid": ("multiples", "from-start"), "last_update": ("exclusive", "inclusive"),
        "gradual": ("global", "uniform")}

    def begin(self):
        self.start_sparse(self.hyper["initial_sparsity"])

    def last_update(self):
        return self.hyper["update_end"] if self.on("updates-end") else None

    def start_of_updates(self):
        return self.hyper["update_start"]

    def fraction(self, c, machine):
        first, last, T = self.hyper["regrow"], self.hyper["regrow_min"], self.hyper["total_steps"]
        if self.on("cosine-to-zero"):
            last = 0.0
        if self.on("cosine-to-update-end"):
            T = self.hyper["update_end"]
        if self.on("fraction-constant"):
            return machine.number(self.hyper["regrow"])
        if self.on("cosine-from-start"):
            return cosine(max(c - max(self.start_of_updates(), 1), 0), first, last, T, machine)
        if self.on("fraction-linear"):
            return machine.number(first + (last - first) * min(c / T, 1))
        return cosine(c, first, last, T, machine)

    def rate(self, c, machine):
        s_i, s_f = self.hyper["initial_sparsity"], self.hyper["final_sparsity"]
        start, end = self.start_of_updates(), self.hyper["update_end"]
        if self.on("cubic-without-origin"):
            return cubic(c, s_i, s_f, 0, end, machine)
        if self.on("cubic-over-end"):
            return cubic(c - start, s_i, s_f, 0, end, machine)
        if self.on("cubic-over-all"):
            return cubic(c, s_i, s_f, start, self.hyper["total_steps"], machine)
        if self.on("from-zero"):
            s_i = 0.0
        if self.on("linear"):
            x = min(max((c - start) / max(end - start, 1), 0), 1)
            return machine.number(s_i + (s_f - s_i) * x)
        return cubic(c, s_i, s_f, start, end, machine)

    def prune(self, c, value_at, b, m):
        end = self.hyper["update_end"]
        exclusive = self.reading("last_update") == "exclusive"
        due = c < end or c == end and not exclusive
        gradual = due or self.on("prunes-on")
        if c == end and self.on("other-end"):
            gradual = not due
        if not gradual:
            return self.emit("prune", "pruned", m)
        if due:
            rate = self.emit_share("rate", lambda machine: self.rate(value_at, machine))
        else:
            rate = self.rate(value_at, self.machine)
        is_global = (self.reading("gradual") == "global") != self.on("pruned-otherwise")
        sizes = [x.size for x in m.values()]
        active = [int(x.sum()) for x in m.values()]
        if self.on("prune-of-active"):
            sizes = active
        if (self.reading("gradual") == "global"):
            keep = [min(self.count(sum(sizes), rate), sum(active))]
        else:
            keep = [min(self.count(n, rate), a) for n, a in zip(sizes, active)]
        if self.on("prune-one-more"):
            keep = [max(k - 1, 0) for k in keep]
        if due:
            keep = self.emit("prune", "keep", np.array(keep))
        score = {p: np.abs(b[p]) for p in self.params}
        if self.on("prune-by-gradient"):
            score = {p: x[::-1] for p, x in score.items()}
        if self.on("prune-largest"):
            score = {p: -x for p, x in score.items()}
        candidates = {p: np.ones_like(x) for p, x in m.items()} if self.on("prune-among-all") else m
        if self.on("prune-among-all"):
            score = {p: np.where(m[p], x, self.machine.kept(9)) for p, x in score.items()}
        if is_global != (len(keep) == 1):
            keep = [int(sum(keep))] if is_global else [round(int(keep[0]) * a / max(sum(active), 1)) for a in active]
        return self.emit("prune", "pruned", self.select(score, candidates, keep, is_global=is_global))

    growth_score = Rigl.growth_score


class Topkast(Scheduled):
    order = ("when", "count", "forward", "backward", "step", "momentum")
    defaults = {"penalty": 1e-4, "update_every": 1}
    readings = {"count": counts_from("keep-round"), "distribution": ("uniform", "global"),
                "penalty_rule": ("l2", "l1")}
    extra = ("cut", "ties", "minimum")
    more_state = ("b",)

    def begin(self):
        self.start()
        self.b = {p: np.ones_like(x) for p, x in self.m.items()}

    def largest(self, w, k, name):
        score = {p: np.abs(w[p]) for p in self.params}
        if self.on("largest-signed"):
            score = {p: w[p] for p in self.params}
        if self.on("largest-by-layer") and self.is_global:
            score = {p: x / (x.max() + 1) for p, x in score.items()}
        return self.select(score, {p: np.ones_like(x) for p, x in self.m.items()}, k)

    def penalty(self, w, A, B):
        rule = self.reading("penalty_rule")
        if self.on("penalty-otherwise"):
            rule = "l1" if rule == "l2" else "l2"
        base = np.sign(self.machine.leave(w)) if rule == "l1" and not self.machine.exact else \
            np.array([(x > 0) - (x < 0) for x in w.ravel()], dtype=object).reshape(w.shape) if rule == "l1" else w
        r = self.h("penalty") * base
        D = 1 - self.machine.number(self.hyper["forward_sparsity"])
        if self.on("penalty-of-backward"):
            D = 1 - self.machine.number(self.hyper["backward_sparsity"])
        outside = r / D
        if self.on("penalty-times"):
            outside = r * D
        if self.on("penalty-alike"):
            outside = r
        if self.on("penalty-outside-alone"):
            r = r * 0
        if self.on("no-penalty"):
            r, outside = r * 0, outside * 0
        if self.on("penalty-divided-everywhere"):
            r = outside
        if self.on("penalty-doubled"):
            r, outside = 2 * r, 2 * outside
        return np.where(A, r, outside)

    def step(self, t):
        A = self.given("mask_before", self.m, kind=bool)
        B = self.b
        w, v, g, eta = self.operands()
        every = self.hyper["update_every"]
        due = t % every == 0
        if self.on("due-late"):
            due = t % every == 1 % every or t == 0
        if self.on("always-due"):
            due = True
        if self.on("due-once"):
            due = t == 0
        updated = self.emit("when", "updated", np.array([int(due)], np.uint8))[0]
        self.emit("step", "between", w)
        if updated:
            n = [x.size for x in A.values()]
            k_A = self.counts(n, self.hyper["forward_sparsity"])
            share = self.hyper["backward_sparsity"]
            if self.on("backward-of-forward"):
                share = self.hyper["forward_sparsity"]
            k_B = self.counts(n, share)
            if self.on("counts-swapped"):
                k_A, k_B = k_B, k_A
            k_A = self.emit("count", "keep", np.array(k_A))
            k_B = self.emit("count", "keep_backward", np.array(k_B))
            chosen = {p: w[p] - eta * g[p] for p in w} if self.on("chosen-after-step") else w
            if self.on("largest-active"):
                chosen = {p: self.where(A[p], x) + self.where(~A[p], x) / 4 if p in A else x
                          for p, x in chosen.items()} if t > 0 else chosen
            state = self.tie_rng.bit_generator.state
            A = self.largest(chosen, k_A, "forward")
            self.tie_rng.bit_generator.state = state  # one sort gives both
            B = self.largest(w, k_B, "backward") if not self.on("largest-active") else self.largest(chosen, k_B, "b")
            if self.on("backward-is-forward"):
                B = A
            if self.on("backward-all"):
                B = {p: np.ones_like(x) for p, x in B.items()}
            if self.on("backward-without-forward"):
                B = {p: B[p] & ~A[p] for p in B}
            if self.on("backward-by-gradient"):
                B = {p: A[p] | x for p, x in
                     self.select({p: np.abs(g[p]) for p in B}, {p: ~x for p, x in A.items()}, k_A).items()}
        A = self.emit("forward" if updated else "when", "mask", A)
        B = self.emit("backward" if updated else "when", "backward", B)
        after, v_new = {}, {}
        for p in self.all:
            if p not in self.params:
                v_new[p], after[p] = self.sgd(p, w[p], v[p], g[p], eta)
                continue
            moved_v, moved = self.sgd(p, w[p], v[p], g[p], eta, self.penalty(w[p], A[p], B[p]))
            moves = B[p]
            if self.on("moves-everywhere"):
                moves = np.ones_like(moves)
            if self.on("moves-forward-alone"):
                moves = A[p]
            after[p] = np.where(moves, moved, w[p])
            if self.on("decays-outside"):
                after[p] = np.where(moves, moved, w[p] - eta * self.penalty(w[p], A[p], B[p]) - eta * w[p] / 64)
            if self.on("zero-outside"):
                after[p] = self.where(B[p], after[p])
            v_new[p] = self.where(moves, moved_v)
            if self.on("momentum-outside-kept"):
                v_new[p] = np.where(moves, moved_v, v[p])
            if self.on("momentum-outside-decays"):
                v_new[p] = np.where(moves, moved_v, self.h("momentum") * v[p])
            if self.on("momentum-outside-dense"):
                v_new[p] = moved_v
        after = {p: self.machine.leave(x) for p, x in after.items()}
        v_new = {p: self.machine.leave(x) for p, x in v_new.items()}
        self.w = self.emit("step", "weights_after", after)
        self.v = self.emit("momentum", "momentum", v_new)
        self.m, self.b = A, B
