"""Faults of convolutions and matrix products, forward and backward."""

import torch
import torch.nn.functional as F
from inject import Fault

CONV, BACK = ("convolution",), ("convolution_backward",)
FORWARD, MATRIX = ("addmm",), ("mm",)


def tf32(x):
    """Rounded to 11 significant binary digits."""
    bits = x.float().contiguous().view(torch.int32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32).to(x.dtype)


def bf16(x):
    return x.bfloat16().to(x.dtype)


def conv_with(x=None, w=None):
    """A convolution of other operands: each a function of what they are."""

    def act(call):
        changed = {i: f(call.args[i]) for i, f in enumerate((x, w)) if f is not None}
        if not changed or any(new is None or new.shape != call.args[i].shape for i, new in changed.items()):
            return None
        return call.again(changed)

    return act


def backward_with(changed, index):
    """A gradient of other operands than the call has."""

    def act(call):
        new = {i: f(call.args[i]) for i, f in changed.items()}
        if (
            any(value is None or value.shape != call.args[i].shape for i, value in new.items())
            or call.results[index] is None
        ):
            return None
        return call.with_result(index, call.again(new)[index])

    return act


def result(index, f, forward=None):
    """A change of one result; None of `f` where it has nothing to change."""

    def act(call):
        if call.results[index] is None or (forward and not forward(call)):
            return None
        changed = f(call.results[index])
        return None if changed is None else call.with_result(index, changed)

    return act


def square(w):
    return w.transpose(0, 1).contiguous() if w.shape[0] == w.shape[1] and w.shape[0] > 1 else None


def flipped(w):
    return w.flip(2, 3) if w.shape[-1] > 1 else None


def rows_last(y):
    y[..., -1, :] = 0
    return y


def one_element(y):
    """One number, of ordinary size, off by a thousandth."""
    flat = y.view(-1)
    i = int(flat.abs().argsort()[len(flat) // 2])
    flat[i] *= 1 + 1e-3
    return y


def two_swapped(y):
    flat = y.view(-1)
    order = flat.argsort()
    i, j = int(order[len(flat) // 3]), int(order[2 * len(flat) // 3])
    flat[[i, j]] = flat[[j, i]]
    return y


def rolled(dim):
    return lambda y: y.roll(1, dim) if y.dim() > dim and y.shape[dim] > 1 else None


def shifted(x):
    """As if padding stood on one side: the image a pixel further."""
    return F.pad(x, (1, 0, 1, 0))[..., :-1, :-1].contiguous() if x.dim() == 4 and x.shape[-1] > 1 else None


def as_nhwc(x):
    return x.permute(0, 2, 3, 1).reshape(x.shape) if x.shape[1] > 1 and x.shape[-1] > 1 else None


def without_groups(call):
    x, w, groups = call.args[0], call.args[1], call.args[8]
    if groups == 1 or w.shape[1] == 1:
        return None
    # Every group sees the channels of the first.
    first = x[:, : x.shape[1] // groups].repeat(1, groups, 1, 1)
    return call.again({0: first})


def strided_groups(call):
    x, groups = call.args[0], call.args[8]
    if groups == 1 or groups == x.shape[1]:
        return None
    n, c, h, width = x.shape
    return call.again({0: x.view(n, c // groups, groups, h, width).transpose(1, 2).reshape(x.shape)})


def phase(call):
    """With stride the first pixel left out instead of the last."""
    if call.args[3][0] == 1:
        return None
    return call.again({0: call.args[0].roll((-1, -1), (2, 3))})


def bias(factor):
    def act(call):
        b = call.args[2]
        return None if b is None or not b.any() else call.again({2: b * factor})

    return act


def neighbour_bias(call):
    return None if call.args[2] is None else call.again({2: call.args[2].roll(1)})


def dropped(role):
    """One product that is not zero is missing from one sum: of y, or of the gradient of the input or the weight."""

    def act(call):
        at = 0 if role == "y" else 1
        x, w = call.args[at], call.args[at + 1]
        offset = 3 if role == "y" else 4
        (s, p, d), groups = call.args[offset : offset + 3], call.args[offset + 5]
        y = call.results[0] if role == "y" else call.args[0]
        # The middle pixel of the first image that has a product; its taps of the kernel.
        o = call.number(w.shape[0])
        for i in range(y.shape[2] // 2, y.shape[2]):
            for j in range(y.shape[3] // 2, y.shape[3]):
                for c in range(w.shape[1]):
                    channel = o // (w.shape[0] // groups) * w.shape[1] + c
                    for a in range(w.shape[2]):
                        for b in range(w.shape[3]):
                            h, v = i * s[0] + a * d[0] - p[0], j * s[1] + b * d[1] - p[1]
                            if not (0 <= h < x.shape[2] and 0 <= v < x.shape[3]):
                                continue
                            value, weight = x[0, channel, h, v], w[o, c, a, b]
                            places = {
                                "y": (0, (0, o, i, j), value * weight),
                                "x": (0, (0, channel, h, v), y[0, o, i, j] * weight),
                                "w": (1, (o, c, a, b), y[0, o, i, j] * value),
                            }
                            index, place, product = places[role]
                            if product != 0 and call.results[index] is not None:
                                call.results[index][place] -= product
                                return call.results
        return None

    return act


def dropped_in_matrix(call):
    a, b = call.args[-2:]
    i, j = call.number(a.shape[0]), call.number(b.shape[1])
    products = a[i] * b[:, j]
    k = int(products.abs().argsort()[-1 - len(products) // 3])
    if products[k] == 0:
        return None
    call.results[0][i, j] -= products[k]
    return call.results


def transposed_matrix(call):
    b = call.args[-1]
    return None if square(b) is None else call.again({len(call.args) - 1: square(b)})


def last_channel(x):
    x = x.clone()
    x[:, -1] = 0
    return x


def last_sample(x):
    x = x.clone()
    x[-1] = 0
    return x


def batch_mean(index):
    def act(call):
        n = call.args[0].shape[0]
        return None if call.results[index] is None or n == 1 else call.with_result(index, call.results[index] / n)

    return act


def half(y):
    return y / 2


FAULTS = [
    Fault("conv: NHWC taken for NCHW", CONV, conv_with(x=as_nhwc), cause="NHWC"),
    Fault("conv: flipped kernel", CONV, conv_with(w=flipped), cause="flip"),
    Fault(
        "conv: rows and columns of the kernel exchanged",
        CONV,
        conv_with(w=lambda w: w.transpose(2, 3).contiguous() if w.shape[2] > 1 else None),
        cause="transpos|swapped",
    ),
    Fault("conv: weight's in and out transposed", CONV, conv_with(w=square), cause="transpos|swapped"),
    Fault("conv: groups ignored", CONV, without_groups, cause="group"),
    Fault("conv: channels dealt to groups in turn", CONV, strided_groups),
    Fault("conv: padding off by one", CONV, conv_with(x=shifted), cause="padding"),
    Fault("conv: stride begins a pixel late", CONV, phase),
    Fault("conv: bias left out", CONV, bias(0), cause="bias|left out|twice"),
    Fault("conv: bias twice", CONV, bias(2), cause="bias|left out|twice"),
    Fault("conv: bias of the neighbour", CONV, neighbour_bias),
    Fault("conv: output channels permuted", CONV, result(0, rolled(1)), cause="permut|order"),
    Fault("conv: images of the batch permuted", CONV, result(0, rolled(0)), cause="permut|order"),
    Fault("conv: last input channel missing", CONV, conv_with(x=last_channel)),
    Fault("conv: last rows of the image missing", CONV, result(0, rows_last), cause="last|missing|tile"),
    Fault("conv: one element off by 0.1 %", CONV, result(0, one_element)),
    Fault("conv: two elements swapped", CONV, result(0, two_swapped)),
    Fault("conv: one product dropped", CONV, dropped("y"), cause="product"),
    Fault("conv: TF32 undeclared", CONV, conv_with(x=tf32, w=tf32), cause="TF32"),
    Fault("conv: bfloat16 operands undeclared", CONV, conv_with(x=bf16, w=bf16), cause="bfloat16|bf16|TF32"),
    Fault("conv: result in bfloat16", CONV, result(0, bf16), cause="bfloat16|bf16|TF32"),
    Fault("conv: stale input", CONV, conv_with(x=lambda x: x.roll(1, 0) if x.shape[0] > 1 else None)),
    Fault("conv backward: weight gradient the mean over the batch", BACK, batch_mean(1), 1, "mean|batch|times"),
    Fault("conv backward: bias gradient the mean over the batch", BACK, batch_mean(2), 2, "mean|batch|times"),
    Fault("conv backward: weight gradient halved (two workers)", BACK, result(1, half), 1, "times|0.5|scale"),
    Fault("conv backward: weight gradient flipped", BACK, result(1, flipped), 1, "flip"),
    Fault("conv backward: input gradient with the kernel flipped", BACK, backward_with({2: flipped}, 0), 0, "flip"),
    Fault(
        "conv backward: input gradient with the weight transposed",
        BACK,
        backward_with({2: square}, 0),
        0,
        "transpos|swapped",
    ),
    Fault("conv backward: weight gradient transposed", BACK, result(1, square), 1, "transpos|swapped"),
    Fault("conv backward: last sample missing in the weight gradient", BACK, backward_with({0: last_sample}, 1), 1),
    Fault("conv backward: last sample missing in the bias gradient", BACK, backward_with({0: last_sample}, 2), 2),
    Fault("conv backward: one product dropped from the weight gradient", BACK, dropped("w"), 1, "product"),
    Fault("conv backward: one product dropped from the input gradient", BACK, dropped("x"), 0, "product"),
    Fault("conv backward: last rows missing in the input gradient", BACK, result(0, rows_last), 0, "last|missing|tile"),
    Fault("conv backward: input gradient shifted by the padding", BACK, result(0, shifted), 0, "padding"),
    Fault("conv backward: one element of the weight gradient off by 0.1 %", BACK, result(1, one_element), 1),
    Fault("conv backward: two elements of the weight gradient swapped", BACK, result(1, two_swapped), 1),
    Fault("conv backward: weight gradient's output channels permuted", BACK, result(1, rolled(0)), 1, "permut|order"),
    Fault("conv backward: TF32 undeclared", BACK, backward_with({0: tf32, 1: tf32}, 1), 1, "TF32"),
    Fault("conv backward: weight gradient in bfloat16", BACK, result(1, bf16), 1, "bfloat16|bf16|TF32"),
    Fault("conv backward: weight gradient of the wrong sign", BACK, backward_with({1: torch.neg}, 1), 1, "times|sign"),
    Fault("linear: transposed weight", FORWARD, transposed_matrix, cause="transpos|swapped"),
    Fault(
        "linear: bias left out", FORWARD, lambda call: call.again({0: call.args[0] * 0}), cause="bias|left out|twice"
    ),
    Fault("linear: bias twice", FORWARD, lambda call: call.again({0: call.args[0] * 2}), cause="bias|left out|twice"),
    Fault("linear: outputs permuted", FORWARD, result(0, rolled(1)), cause="permut|order"),
    Fault("linear: one element off by 0.1 %", FORWARD, result(0, one_element)),
    Fault("linear: one product dropped", FORWARD, dropped_in_matrix, cause="product"),
    Fault(
        "linear: TF32 undeclared",
        FORWARD,
        lambda call: call.again({1: tf32(call.args[1]), 2: tf32(call.args[2])}),
        cause="TF32",
    ),
    Fault("linear: last row missing", FORWARD, result(0, rows_last), cause="last|missing|tile"),
    Fault("linear backward: transposed weight", MATRIX, transposed_matrix, cause="transpos|swapped"),
    Fault("linear backward: halved", MATRIX, result(0, half), cause="times|0.5|scale"),
    Fault("linear backward: rows permuted", MATRIX, result(0, rolled(0)), cause="permut|order"),
    Fault("linear backward: two elements swapped", MATRIX, result(0, two_swapped)),
    Fault("linear backward: one product dropped", MATRIX, dropped_in_matrix, cause="product"),
    Fault(
        "linear backward: TF32 undeclared",
        MATRIX,
        lambda call: call.again({0: tf32(call.args[0]), 1: tf32(call.args[1])}),
        cause="TF32",
    ),
]
