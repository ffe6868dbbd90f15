"""Faults of activations, pooling, losses, and of what only moves or adds numbers."""

import torch
import torch.nn.functional as F
from inject import Fault
from products import bf16, last_sample, one_element, result, rolled, rows_last, two_swapped

RELU, RELU_BACK = ("relu", "relu_"), ("threshold_backward",)
POOL, POOL_BACK = ("max_pool2d_with_indices",), ("max_pool2d_with_indices_backward",)


def again_with(changed):
    """With other arguments: a function of each."""
    return lambda call: call.again({i: f(call.args[i]) for i, f in changed.items()})


def negative_passes(call):
    x = call.args[0].reshape(-1)
    y = call.results[0]
    places = (x < 0).nonzero().view(-1)
    if len(places) == 0:
        return None
    y.view(-1)[places[len(places) // 2]] = x[places[len(places) // 2]]
    return [y]


def ties_to_all(call):
    """Every element of a window that is its maximum gets the gradient."""
    dy, x, kernel, stride, padding = call.args[:5]
    stride = stride or kernel
    if list(kernel) != list(stride) or any(padding) or x.shape[2] % kernel[0] or x.shape[3] % kernel[1]:
        return None
    most = F.interpolate(F.max_pool2d(x, kernel), scale_factor=tuple(map(float, kernel)))
    return [torch.where(x == most, F.interpolate(dy, scale_factor=tuple(map(float, kernel))), 0.0).to(x.dtype)]


def overlap_lost(call):
    """Where windows overlap, the last one's gradient instead of the sum."""
    dy, x, kernel, stride = call.args[:4]
    stride = stride or kernel
    if list(kernel) == list(stride):
        return None
    n, c, h, w = x.shape
    indices = call.args[7].view(n, c, -1)
    return [torch.zeros(n, c, h * w, dtype=x.dtype).scatter_(2, indices, dy.view(n, c, -1)).view(x.shape)]


def second_largest(call):
    y, x = call.results[0], call.args[0]
    smaller = x[0, 0][x[0, 0] < y[0, 0, 0, 0]]
    if len(smaller) == 0:
        return None
    y[0, 0, 0, 0] = smaller.max()
    return [y, call.results[1]]


def not_by_batch(call):
    n = call.args[0 if call.func._schema.name.endswith("forward") else 1].shape[0]
    return [call.results[0] * n, *call.results[1:]] if n > 1 else None


def neighbour_labels(call):
    position = 1 if call.func._schema.name.endswith("forward") else 2
    classes = call.args[position - 1].shape[1]
    return call.again({position: (call.args[position] + 1) % classes})


def softmax_without_sum(call):
    """The gradient of log softmax without the part that flows through the normalisation."""
    return [call.args[0].clone()]


def lost_operand(call):
    a, b = call.args[:2]
    return None if not isinstance(b, torch.Tensor) or not b.is_floating_point() or a.shape != b.shape else [a.clone()]


def doubled_operand(call):
    a, b = call.args[:2]
    return None if not isinstance(b, torch.Tensor) or not b.is_floating_point() or a.shape != b.shape else [a + 2 * b]


def parts_exchanged(call):
    parts = call.args[0]
    return None if len(parts) < 2 else call.again({0: [*parts[1:], parts[0]]})


FAULTS = [
    Fault("relu: a negative number passes", RELU, negative_passes),
    Fault("relu: absolute value", RELU, lambda call: [call.args[0].abs()]),
    Fault("relu: leaky", RELU, lambda call: [F.leaky_relu(call.args[0], 0.01)]),
    Fault(
        "relu: last rows not written",
        RELU,
        result(0, lambda y: rows_last(y) if y.dim() == 4 else None),
        cause="last|missing|tile",
    ),
    Fault("relu: channels permuted", RELU, result(0, rolled(1)), cause="permut|order"),
    Fault(
        "relu backward: by the input of the next layer",
        RELU_BACK,
        again_with({1: lambda x: x.roll(1, -1)}),
        cause="another|other|next|permut",
    ),
    Fault(
        "relu backward: everything passes",
        RELU_BACK,
        lambda call: [call.args[0].clone()],
        cause="pass|mask|1 at 0|everywhere",
    ),
    Fault(
        "relu backward: gradient 1 at 0",
        RELU_BACK,
        lambda call: [torch.where(call.args[1] >= 0, call.args[0], 0.0)],
        cause="0|pass",
    ),
    Fault(
        "relu backward: one element off by 0.1 %",
        RELU_BACK,
        result(0, lambda y: one_element(y) if (y != 0).float().mean() > 0.6 else None),
    ),
    Fault("relu backward: two elements swapped", RELU_BACK, result(0, two_swapped)),
    Fault("max pool: second largest of a window", POOL, second_largest),
    Fault(
        "max pool: mean of the window",
        POOL,
        lambda call: (
            [F.avg_pool2d(*call.args[:4]), call.results[1]]
            if len(call.args) > 3
            else [F.avg_pool2d(*call.args[:3]), call.results[1]]
        ),
        cause="mean|average",
    ),
    Fault("max pool: channels permuted", POOL, result(0, rolled(1)), cause="permut|order"),
    Fault("max pool: indices of the neighbour", POOL, result(1, rolled(1)), 1),
    Fault("max pool backward: ties to all", POOL_BACK, ties_to_all, cause="tie"),
    Fault("max pool backward: last one wins where windows overlap", POOL_BACK, overlap_lost),
    Fault("max pool backward: images permuted", POOL_BACK, result(0, rolled(0)), cause="permut|order"),
    Fault(
        "average pool: sum of the window",
        ("avg_pool2d", "_adaptive_avg_pool2d"),
        result(0, lambda y: y * 4),
        cause="times|sum|divi",
    ),
    Fault(
        "average pool: padding not counted",
        ("avg_pool2d",),
        lambda call: (
            [F.avg_pool2d(*call.args[:4], False, False)] if len(call.args) == 4 and any(call.args[3]) else None
        ),
        cause="padd|count",
    ),
    Fault(
        "average pool backward: not divided", ("avg_pool2d_backward",), result(0, lambda y: y * 4), cause="times|divi"
    ),
    Fault(
        "mean: divided by the rows alone",
        ("mean",),
        lambda call: (
            [call.results[0] * call.args[0].shape[-1]]
            if call.args[0].dim() == 4 and call.args[0].shape[-1] > 1
            else None
        ),
        cause="times|divi|count",
    ),
    Fault("mean: one element off by 0.1 %", ("mean",), result(0, lambda y: one_element(y) if y.numel() > 4 else None)),
    Fault(
        "mean backward: not divided",
        ("div",),
        lambda call: [call.args[0].clone()] if call.args[0].dim() == 4 else None,
        cause="times|divi",
    ),
    Fault("sum: the mean", ("sum",), lambda call: [call.results[0] / call.args[0].shape[0]], cause="mean|times"),
    Fault("sum: last sample missing", ("sum",), again_with({0: last_sample})),
    Fault("log softmax: over the batch", ("_log_softmax",), again_with({1: lambda dim: 0})),
    Fault("log softmax: softmax", ("_log_softmax",), result(0, torch.exp)),
    Fault(
        "log softmax: binary logarithm",
        ("_log_softmax",),
        result(0, lambda y: y / 0.6931471805599453),
        cause="times|logarithm",
    ),
    Fault("log softmax: one element off by 0.1 %", ("_log_softmax",), result(0, one_element)),
    Fault("log softmax: result in bfloat16", ("_log_softmax",), result(0, bf16), cause="bfloat16|bf16|TF32"),
    Fault("log softmax backward: sum of the gradient missing", ("_log_softmax_backward_data",), softmax_without_sum),
    Fault("log softmax backward: one element off by 0.1 %", ("_log_softmax_backward_data",), result(0, one_element)),
    Fault("loss: the sum over the batch", ("nll_loss_forward",), not_by_batch, cause="sum|times|mean"),
    Fault(
        "loss: scaled by two micro-batches",
        ("nll_loss_forward",),
        result(0, lambda y: y / 2),
        cause="times|scale|micro",
    ),
    Fault("loss: labels off by one", ("nll_loss_forward",), neighbour_labels, cause="label"),
    Fault("loss backward: not divided by the batch", ("nll_loss_backward",), not_by_batch, cause="sum|times|mean"),
    Fault("loss backward: labels off by one", ("nll_loss_backward",), neighbour_labels, cause="label"),
    Fault(
        "loss backward: scaled by four workers",
        ("nll_loss_backward",),
        result(0, lambda y: y / 4),
        cause="times|scale|world|mean",
    ),
    Fault("add: an operand lost", ("add", "add_"), lost_operand, cause="operand|missing|left out"),
    Fault("add: an operand twice", ("add", "add_"), doubled_operand, cause="twice|operand"),
    Fault(
        "add: one element off by 0.1 %",
        ("add", "add_"),
        lambda call: (
            [one_element(call.results[0])]
            if call.results[0].dim() > 1 and call.results[0].is_floating_point()
            else None
        ),
    ),
    Fault("cat: parts in another order", ("cat",), parts_exchanged, cause="permut|order"),
    Fault("cat: channels permuted", ("cat",), result(0, rolled(1)), cause="permut|order"),
    Fault(
        "pad: on the other side",
        ("constant_pad_nd",),
        again_with({1: lambda pad: [*pad[:-2], pad[-1] + 1, pad[-2] - 1]}),
        cause="pad",
    ),
    Fault(
        "dropout: not rescaled",
        ("div_",),
        lambda call: [call.args[0].clone()] if isinstance(call.args[1], float) else None,
        cause="rescal|times|divi",
    ),
    Fault(
        "dropout: mask applied to the neighbour",
        ("mul",),
        lambda call: (
            call.again({1: call.args[1].roll(1, -1)})
            if isinstance(call.args[1], torch.Tensor) and call.args[1].dim() == 2
            else None
        ),
        cause="permut|another",
    ),
    Fault(
        "mul: one element off by 0.1 %",
        ("mul",),
        lambda call: [one_element(call.results[0])] if call.results[0].dim() > 1 else None,
    ),
    Fault("sigmoid: the tanh", ("sigmoid",), lambda call: [call.args[0].tanh()]),
    Fault("sigmoid backward: of the input instead of the result", ("sigmoid_backward",), again_with({1: torch.logit})),
    Fault(
        "silu: gate by the neighbour",
        ("silu",),
        lambda call: (
            [call.args[0] * call.args[0].roll(1, 1).sigmoid()]
            if call.args[0].dim() > 1 and call.args[0].shape[1] > 1
            else None
        ),
    ),
    Fault("silu backward: of the gate alone", ("silu_backward",), lambda call: [call.args[0] * call.args[1].sigmoid()]),
    Fault("clone: images permuted", ("clone",), result(0, rolled(0)), cause="permut|order"),
]
