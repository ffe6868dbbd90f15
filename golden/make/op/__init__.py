"""The ops of the op-case format, a module each: what is in this folder is in golden/ops and golden/accuracy.

A module has `pytorch(t, attrs)`, the op as one PyTorch expression of the tensors `t`; `ordinary_cases()` for golden/ops: every
attribute, kinks, ties, saturation, broadcasting; and `hard_cases()` for golden/accuracy: f32 inputs that are ordinary, and those
where single precision goes wrong (saturation, subnormal results, channels that are constant but for the last digits, long
reductions, cancelling sums). What several ops share is in `families/`.

The beginning of an ordinary case's name settles its numbers: `exact-..` integers, `wide-..` F64 with full 53-bit significands,
anything else floats that are exact in f32.
"""

from importlib import import_module
from pkgutil import iter_modules

import torch

OPS = {module.name: import_module(f"op.{module.name}") for module in iter_modules(__path__)}


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
    outputs = OPS[op].pytorch(t, case.attrs)
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
