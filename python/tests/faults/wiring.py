"""Faults between operators: each call is right, and what it is given or what becomes of its result is not."""

from dataclasses import dataclass
from typing import Callable

import gdstar
import torch
import torch.nn.functional as F
from models import Add, Every, build
from torch import nn


@dataclass(frozen=True)
class Wrong:
    """`run` records a step of `model` with the fault, or gives False where the model cannot have it."""

    name: str
    run: Callable
    cause: str


def step(model, x, labels, path, between=None, after=None, seed=None, batch=None, loss=None):
    """A step; `between` is done before the backward pass and `after` behind it, `seed` is the gradient of the loss."""
    model.zero_grad()
    with gdstar.recording(model, path, batch=batch or {"input": x, "labels": labels}) as s:
        value = F.cross_entropy(model(x), labels)
        if between:
            between(model)
        value.backward(gradient=seed)
        s.loss = value if loss is None else loss(value)
        if after and after(model) is False:
            return False
    return True


def unseen(change):
    """A change of gradients that no operator of PyTorch makes: `change` of the parameters, with `grad` as arrays."""

    def act(model):
        return change({name: (p.detach().numpy(), p.grad.numpy()) for name, p in model.named_parameters()})

    return lambda model, x, labels, path: step(model, x, labels, path, after=act)


def one(pairs):
    """A weight and its gradient from the middle of the network."""
    weights = [pair for pair in pairs.values() if pair[0].ndim > 1]
    return weights[len(weights) // 2]


def scaled(factor, which):
    def change(pairs):
        for _, grad in which(pairs):
            grad *= factor

    return change


def exchanged(pairs):
    """The gradients of two parameters of one shape, each the other's."""
    grads = [grad for _, grad in pairs.values()]
    for i, a in enumerate(grads):
        for b in grads[i + 1 :]:
            if a.shape == b.shape and (a != b).any():
                a[...], b[...] = b.copy(), a.copy()
                return True
    return False


def decayed(pairs):
    for weight, grad in pairs.values():
        grad += 5e-4 * weight


def one_number(pairs):
    grad = one(pairs)[1].reshape(-1)
    grad[grad.size // 2] *= 1.001


def zeroed(pairs):
    one(pairs)[1][...] = 0


def missing(model):
    next(model.parameters()).grad = None


def early_update(model):
    """The optimizer's step before the backward pass."""
    for parameter in model.parameters():
        parameter.data.add_(torch.ones_like(parameter.data), alpha=-0.01)


def with_add(backward):
    """A network whose shortcut is differentiated by `backward`."""

    def run(model, x, labels, path):
        if not isinstance(model, Every):
            return False
        model.add = lambda a, b: Add.apply(a, b, backward)
        return step(model, x, labels, path)

    return run


def other_mask(model, x, labels, path):
    """Dropout's mask is another when the backward pass reads it."""
    if not isinstance(model, Every):
        return False
    masks = []

    def drop(y):
        masks.append(torch.ones_like(y).bernoulli_(0.75).div_(0.75))
        return y * masks[0]

    model.drop = drop
    return step(model, x, labels, path, between=lambda _: masks[0].data.copy_(masks[0].data.flip(1)))


def overwritten(model, x, labels, path):
    """The memory of an activation is given to another tensor before the backward pass has read it."""
    kept = []
    convolutions = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    handle = convolutions[1].register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    try:
        return step(model, x, labels, path, between=lambda _: kept[0].data.copy_(kept[0].data.flip(0)))
    finally:
        handle.remove()


def late_mask(model, x, labels, path):
    """Weights that are masked in the forward pass, by a mask that the step does not start from."""
    weight = next(p for p in model.parameters() if p.dim() > 1)
    mask = (torch.rand(weight.shape) > 0.5).float()

    def apply(*_):
        weight.data.mul_(mask)

    handle = model.register_forward_pre_hook(apply)
    try:
        return step(model, x, labels, path)
    finally:
        handle.remove()


WIRING = [
    Wrong("wiring: gradient of a branch lost", with_add(lambda g: (g, None)), "missing|lost|contribution"),
    Wrong("wiring: gradient of a branch twice", with_add(lambda g: (g, g + g)), "twice|contribution"),
    Wrong(
        "wiring: gradients of two branches, one of another tensor",
        with_add(lambda g: (g, g.flip(0))),
        "foreign|nowhere|contribution|not judged|gradient",
    ),
    Wrong("wiring: dropout's mask another in backward", other_mask, "forward|mask"),
    Wrong(
        "wiring: weights updated before the backward pass",
        lambda *args: step(*args, between=early_update),
        "forward|nowhere",
    ),
    Wrong("wiring: activation overwritten before the backward pass", overwritten, "forward|stale|overwritten"),
    Wrong("wiring: mask applied late", late_mask, "nowhere|mask|parameter"),
    Wrong(
        "wiring: another batch than recorded",
        lambda m, x, y, p: step(m, x, y, p, batch={"input": x.flip(0), "labels": y}),
        "nowhere|later",
    ),
    Wrong("wiring: gradient of the loss is 2", lambda *args: step(*args, seed=torch.tensor(2.0)), "loss"),
    Wrong(
        "wiring: another loss than computed",
        lambda *args: step(*args, loss=lambda value: value.detach() * 1.001),
        "loss",
    ),
    Wrong("gradients: clipped", unseen(scaled(0.7, lambda pairs: pairs.values())), "times|factor"),
    Wrong(
        "gradients: halved by the number of workers", unseen(scaled(0.5, lambda pairs: pairs.values())), "times|factor"
    ),
    Wrong("gradients: one weight's halved", unseen(scaled(0.5, lambda pairs: [one(pairs)])), "times|factor"),
    Wrong("gradients: of two parameters exchanged", unseen(exchanged), "gradient|grads|another"),
    Wrong("gradients: weight decay added", unseen(decayed), "gradient|grads"),
    Wrong("gradients: one weight's 0", unseen(zeroed), "gradient|grads|0"),
    Wrong("gradients: one number off by 0.1 %", unseen(one_number), "gradient|grads"),
    Wrong("gradients: one parameter's missing", lambda *args: step(*args, after=missing), "missing|left over|gradient"),
]


def record(wrong, network, path):
    model, x, labels = build(network)
    return wrong.run(model, x, labels, path)
