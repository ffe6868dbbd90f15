"""Every op of the op-case format as one PyTorch expression, and its gradients by PyTorch's autograd."""

import torch
import torch.nn.functional as F


def matmul(t, _):
    return {"y": t["a"] @ t["b"]}


def linear(t, _):
    return {"y": F.linear(t["x"], t["w"], t.get("b"))}


def conv2d(t, attrs):
    return {"y": F.conv2d(t["x"], t["w"], t.get("b"), **attrs)}


def batch_norm(t, attrs):
    mean, var = t["running_mean"].clone(), t["running_var"].clone()  # updated in place
    y = F.batch_norm(t["x"], mean, var, t["weight"], t["bias"], **attrs)
    return {"y": y, "running_mean": mean, "running_var": var} if attrs["training"] else {"y": y}


def relu(t, _):
    return {"y": F.relu(t["x"])}


def relu6(t, _):
    return {"y": F.relu6(t["x"])}


def silu(t, _):
    return {"y": F.silu(t["x"])}


def sigmoid(t, _):
    return {"y": torch.sigmoid(t["x"])}


def pooling(attrs):
    return {"kernel_size": attrs["kernel"], "stride": attrs["stride"], "padding": attrs["padding"]}


def max_pool2d(t, attrs):
    return {"y": F.max_pool2d(t["x"], **pooling(attrs))}


def avg_pool2d(t, attrs):
    return {"y": F.avg_pool2d(t["x"], **pooling(attrs), count_include_pad=attrs["count_include_pad"])}


def adaptive_avg_pool2d(t, _):
    return {"y": F.adaptive_avg_pool2d(t["x"], 1)}


def global_mean(t, _):
    return {"y": t["x"].mean(dim=(2, 3))}


def cross_entropy(t, _):
    return {"loss": F.cross_entropy(t["x"], t["labels"])}


def concat(t, attrs):
    return {"y": torch.cat(list(t.values()), dim=attrs["axis"])}


def split(t, attrs):
    return {f"y{i}": y for i, y in enumerate(torch.split(t["x"], attrs["sizes"], dim=attrs["axis"]))}


def channel_shuffle(t, attrs):
    return {"y": F.channel_shuffle(t["x"], attrs["groups"])}


def add(t, _):
    return {"y": t["a"] + t["b"]}


def mul(t, _):
    return {"y": t["a"] * t["b"]}


def flatten(t, attrs):
    return {"y": torch.flatten(t["x"], attrs["start_dim"])}


def pad(t, attrs):
    last_axis_first = [side for pair in reversed(attrs["pads"]) for side in pair]
    return {"y": F.pad(t["x"], last_axis_first, value=attrs["value"])}


def strided_slice(t, attrs):
    return {"y": t["x"][:, :, :: attrs["step"], :: attrs["step"]]}


def dropout(t, attrs):
    return {"y": t["x"] * t["mask"] / (1 - attrs["p"])}


OPS = {
    op.__name__: op
    for op in [
        matmul, linear, conv2d, batch_norm, relu, relu6, silu, sigmoid, max_pool2d, avg_pool2d, adaptive_avg_pool2d,
        global_mean, cross_entropy, concat, split, channel_shuffle, add, mul, flatten, pad, strided_slice, dropout,
    ]
}  # fmt: skip


def tensor(array, dtype):
    """Floats in `dtype`; labels and masks as they are."""
    t = torch.from_numpy(array)
    return t.to(dtype) if t.is_floating_point() else t


def evaluate(op, case, dtype, draw_upstream=None):
    """Outputs and gradients of `case` in `dtype`, as two dicts of arrays.

    `draw_upstream(output, shape)`, where given, fills the upstream gradients of `case.upstream` (a list of
    outputs until then) once the shapes are known.
    """
    t = {name: tensor(array, dtype) for name, array in case.inputs.items()}
    for name in case.diff:
        t[name].requires_grad_()
    outputs = OPS[op](t, case.attrs)
    assert list(outputs) == case.outputs, (op, case.name)
    if draw_upstream is not None:
        case.upstream = {name: draw_upstream(name, file_shape(outputs[name])) for name in case.upstream}
    gradients = {}
    if case.diff:
        total = sum((outputs[name].reshape(dy.shape) * tensor(dy, dtype)).sum() for name, dy in case.upstream.items())
        total.backward()
        gradients = {name: t[name].grad.numpy() for name in case.diff}
    return {name: y.detach().numpy().reshape(file_shape(y)) for name, y in outputs.items()}, gradients


def file_shape(y):
    """Shapes in files: a scalar (the loss) is [1]."""
    return tuple(y.shape) or (1,)
