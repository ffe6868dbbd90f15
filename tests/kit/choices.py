"""Sections 1 to 4 of the specification: selection, counts, schedules, distributions, each a few plain functions."""

import math
from fractions import Fraction

import numpy as np


def keep_largest(keys, candidates, k, cut="exact", ties="lower-index", rng=None):
    """Section 1: which of the candidates (flags) are kept, as flags. `keys` and `candidates` are flat."""
    kept = np.zeros(len(keys), bool)
    index = np.flatnonzero(candidates)
    n, k = len(index), min(int(k), int(np.count_nonzero(candidates)))
    if n == 0:
        return kept
    order = {"lower-index": range(n), "higher-index": range(n)[::-1]}.get(ties)
    order = list(rng.permutation(n)) if order is None else list(order)
    x = keys[index]
    order.sort(key=lambda i: -x[i])  # stable: what comes first among equal keys stays first
    if cut == "exact":
        chosen = order[:k]
    else:
        rank = k + 1 if cut in ("above-next", "from-next") else k
        strict = cut in ("above-kth", "above-next")
        if rank == 0:  # x_(0) = +inf
            chosen = []
        elif rank > n:  # x_(n+1) = -inf
            chosen = order
        else:
            threshold = x[order[rank - 1]]
            chosen = [i for i in range(n) if (x[i] > threshold if strict else x[i] >= threshold)]
    kept[index[np.asarray(chosen, int)]] = True
    return kept


def count_kept(rule, n, s, machine, minimum=0):
    """Section 2: k of n, where the share s goes."""
    if machine.exact:
        n_, s_ = float(n), float(s)  # as the rule is written, in f64
        removed, left = n_ * s_, n_ * (1 - s_)
    else:
        numbers = {0: Fraction, 1: np.float64, 2: machine.kept}[machine.form("count_in", 3)]
        if numbers is Fraction:
            s_ = Fraction(float(machine.kept(s) if machine.form("count_share", 2) else s))
        else:
            s_ = numbers(machine.kept(s) if machine.form("count_share", 2) else s)
        n_ = numbers(int(n))
        removed = n_ * s_
        left = (n_ * (1 - s_), n_ - n_ * s_)[machine.form("count_left", 2)]
    by_left = machine.form("count_by_left", 2) == 1
    k = {
        "keep-round": lambda: half_even(left),
        "remove-floor": lambda: math.ceil(left) if by_left else n - math.floor(removed),
        "remove-ceil": lambda: math.floor(left) if by_left else n - math.ceil(removed),
        "remove-round": lambda: n - half_even(removed),
    }[rule]()
    k = min(max(int(k), 0), int(n))
    return max(k, int(minimum)) if n > 0 else 0


def half_even(x):
    """The nearest integer, halves to even."""
    return round(x) if isinstance(x, Fraction) else int(np.rint(x))


def is_due(c, start, every, end, grid="from-start", last="inclusive"):
    """Section 3. `end` None: without an upper end."""
    if c < start or end is not None and (c > end or c == end and last == "exclusive"):
        return False
    return (c if grid == "multiples" else c - start) % every == 0


def cubic(c, s_i, s_f, start, end, machine):
    work = machine.number
    s_i, s_f = work(s_i), work(s_f)
    span = end - start
    x = type(s_i)(1) if span == 0 else type(s_i)(min(max(c - start, 0), span)) / type(s_i)(span)
    rest = (1 - x) * (1 - x) * (1 - x) if machine.form("cube", 2) == 0 else (1 - x) ** 3
    if machine.form("cubic", 2) == 0:
        return s_f + (s_i - s_f) * rest
    return s_i + (s_f - s_i) * (1 - rest)


def cosine(c, f_0, f_min, T, machine):
    f_0, f_min = machine.number(f_0), machine.number(f_min)
    c = min(c, T)
    kind = type(f_0)
    share = kind(1) if T == 0 else kind(c) / kind(T)
    way = machine.form("cosine", 3)
    if way == 2 and T > 0:  # as PyTorch's CosineAnnealingLR steps it
        value = f_0
        for i in range(1, c + 1):
            value = f_min + (value - f_min) * (1 + machine.cos_pi(kind(i) / kind(T))) \
                / (1 + machine.cos_pi(kind(i - 1) / kind(T)))
        return value
    half = (f_0 - f_min) / 2
    return f_min + half * (1 + machine.cos_pi(share)) if way == 0 else (f_min + half) + half * machine.cos_pi(share)


def power(c, f_0, T, b, machine):
    f_0 = machine.number(f_0)
    kind = type(f_0)
    rest = kind(0) if T == 0 else (kind(T - min(c, T)) / kind(T) if machine.form("power_rest", 2)
                                   else 1 - kind(min(c, T)) / kind(T))
    return f_0 * machine.real_power(rest, machine.number(b))


class NoSolution(ValueError):
    """ERK cannot reach the sparsity."""


def layer_density(shape, kind, number):
    """ERK's p_l, or ER's."""
    if kind == "er":
        n_out, n_in = shape[0], shape[1] if len(shape) > 1 else 1
        return number(n_out + n_in) / number(n_out * n_in)
    return number(sum(shape)) / number(math.prod(shape))


def erk(shapes, S, kind, budget, machine, redistribute=True):
    """Section 4: each layer's sparsity s_l."""
    number = Fraction if machine.exact else (machine.work, np.float64)[machine.form("erk_in", 2)]
    sizes = [math.prod(shape) for shape in shapes]
    p = [layer_density(shape, kind, number) for shape in shapes]
    zeros = [number(n - count_kept("remove-floor", n, S, machine)) if budget == "floor" else number(S) * number(n)
             for n in sizes]
    dense = set()
    while True:
        others = [i for i in range(len(sizes)) if i not in dense]
        if not others:
            raise NoSolution
        ones = sum((number(sizes[i]) - zeros[i] for i in others), number(0))
        weight = sum((p[i] * number(sizes[i]) for i in others), number(0))
        e = (ones - sum((zeros[i] for i in dense), number(0))) / weight
        largest = max(p[i] for i in others)
        if e <= 0:
            raise NoSolution
        if e * largest <= 1:
            break
        if not redistribute:
            return [max(number(0), 1 - e * p[i]) for i in range(len(sizes))]
        dense |= {i for i in others if p[i] == largest}
    return [number(0) if i in dense else 1 - e * p[i] for i in range(len(sizes))]
