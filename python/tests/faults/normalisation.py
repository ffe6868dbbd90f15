"""Faults of batch norm, forward and backward."""

from inject import Fault
from products import bf16, one_element, result, rolled

NORM, BACK = ("native_batch_norm",), ("native_batch_norm_backward",)
AXES = (0, 2, 3)


def per_channel(v):
    return v.view(1, -1, 1, 1)


class Parts:
    """What batch norm is computed from, in f64."""

    def __init__(self, call):
        x, self.weight, self.bias = (None if t is None else t.double() for t in call.args[:3])
        self.eps, self.dtype = call.args[7], call.results[0].dtype
        self.x, self.count = x, x.numel() // x.shape[1]
        self.mean, self.var = x.mean(AXES), x.var(AXES, unbiased=False)

    def result(self, mean=None, scale=None, weight=None, bias=None):
        mean = self.mean if mean is None else mean
        scale = 1 / (self.var + self.eps).sqrt() if scale is None else scale
        weight, bias = self.weight if weight is None else weight, self.bias if bias is None else bias
        return ((self.x - per_channel(mean)) * per_channel(scale * weight) + per_channel(bias)).to(self.dtype)


def forward(make):
    """Training: y as `make` of the parts has it, or None."""

    def act(call):
        if not call.args[5]:
            return None
        y = make(Parts(call), call)
        return None if y is None else call.with_result(0, y)

    return act


def half_batch(parts, call):
    if call.args[0].shape[0] == 1:
        return None
    first = parts.x[: parts.x.shape[0] // 2]
    return parts.result(mean=first.mean(AXES), scale=1 / (first.var(AXES, unbiased=False) + parts.eps).sqrt())


def statistics(position, make):
    """The running mean (argument 3) or variance (4) after the call as `make` has it, of what it was before."""

    def act(call):
        if not call.args[5] or call.args[position] is None:
            return None
        old, parts = call.args[position], Parts(call)
        batch = parts.mean if position == 3 else parts.var * parts.count / (parts.count - 1)
        return make(old.double(), batch, call.args[6], parts).to(old.dtype)

    return act


def swapped_momentum(old, batch, momentum, parts):
    return momentum * old + (1 - momentum) * batch


def biased_variance(old, batch, momentum, parts):
    return (1 - momentum) * old + momentum * parts.var


def stale(old, batch, momentum, parts):
    return old


class Back:
    """The gradient of batch norm in parts, in f64."""

    def __init__(self, call):
        self.dy, self.x, self.weight = (t.double() for t in call.args[:3])
        self.mean, self.scale = call.args[5].double(), call.args[6].double()
        self.count, self.dtype = self.x.numel() // self.x.shape[1], call.results[0].dtype
        self.normed = (self.x - per_channel(self.mean)) * per_channel(self.scale)
        self.sum, self.dot = self.dy.sum(AXES), (self.dy * self.normed).sum(AXES)

    def gradient(self, mean=1.0, dot=1.0):
        inner = (
            self.dy - per_channel(self.sum) * mean / self.count - self.normed * per_channel(self.dot) * dot / self.count
        )
        return (inner * per_channel(self.weight * self.scale)).to(self.dtype)


def back(make, index=0):
    def act(call):
        return call.with_result(index, make(Back(call)).to(call.results[index].dtype)) if call.args[7] else None

    return act


FAULTS = [
    Fault(
        "batch norm: variance of n - 1",
        NORM,
        forward(lambda p, _: p.result(scale=1 / (p.var * p.count / (p.count - 1) + p.eps).sqrt())),
        cause="biased|[nm] - 1",
    ),
    Fault(
        "batch norm: eps outside the root",
        NORM,
        forward(lambda p, _: p.result(scale=1 / (p.var.sqrt() + p.eps))),
        cause="eps",
    ),
    Fault("batch norm: eps left out", NORM, forward(lambda p, _: p.result(scale=1 / p.var.sqrt())), cause="eps"),
    Fault("batch norm: statistics of half of the batch", NORM, forward(half_batch)),
    Fault(
        "batch norm: running statistics in training",
        NORM,
        forward(lambda p, c: p.result(mean=c.args[3].double(), scale=1 / (c.args[4].double() + p.eps).sqrt())),
        cause="running",
    ),
    Fault("batch norm: shift left out", NORM, forward(lambda p, _: p.result(bias=p.bias * 0)), cause="bias|shift"),
    Fault("batch norm: channels permuted", NORM, result(0, rolled(1)), cause="permut|order"),
    Fault("batch norm: one element off by 0.1 %", NORM, result(0, one_element)),
    Fault("batch norm: momentum swapped in the running mean", NORM, statistics(3, swapped_momentum), ~3, "momentum"),
    Fault(
        "batch norm: momentum swapped in the running variance", NORM, statistics(4, swapped_momentum), ~4, "momentum"
    ),
    Fault("batch norm: running variance biased", NORM, statistics(4, biased_variance), ~4, "biased"),
    Fault("batch norm: running mean stale", NORM, statistics(3, stale), ~3, "stale|unchanged|previous"),
    Fault("batch norm: saved mean in bfloat16", NORM, result(1, bf16), 1, "bfloat16|bf16|TF32"),
    Fault(
        "batch norm backward: statistics taken for constants",
        BACK,
        back(lambda b: b.gradient(mean=0, dot=0)),
        cause="constant|statistics",
    ),
    Fault("batch norm backward: term of the mean missing", BACK, back(lambda b: b.gradient(mean=0)), cause="mean"),
    Fault(
        "batch norm backward: term of the variance missing", BACK, back(lambda b: b.gradient(dot=0)), cause="variance"
    ),
    Fault(
        "batch norm backward: weight gradient of the input not normalised",
        BACK,
        back(lambda b: (b.dy * b.x).sum(AXES), 1),
        1,
    ),
    Fault("batch norm backward: weight gradient the mean", BACK, back(lambda b: b.dot / b.count, 1), 1, "mean|times"),
    Fault("batch norm backward: bias gradient the mean", BACK, back(lambda b: b.sum / b.count, 2), 2, "mean|times"),
    Fault("batch norm backward: images permuted", BACK, result(0, rolled(0)), cause="permut|order"),
    Fault("batch norm backward: one element off by 0.1 %", BACK, result(0, one_element)),
    Fault(
        "batch norm backward: weight and bias gradient exchanged",
        BACK,
        lambda call: [call.results[0], call.results[2], call.results[1]],
        1,
    ),
]
