"""Writes overloads.safetensors: every overload that the judge has, as PyTorch computes it on the CPU, in F32, F64 and
BF16, from random numbers. `python tests/records/overloads.py`, with PyTorch; the test that walks the overloads reads it.
"""

import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "python"))

from gdstar._step import _arithmetic, _Operator  # noqa: E402
from gdstar.record import Record  # noqa: E402

aten = torch.ops.aten
KINDS = {torch.float32: "F32", torch.float64: "F64", torch.bfloat16: "BF16"}
STORED = KINDS | {torch.int64: "I64", torch.bool: "BOOL", torch.uint8: "U8"}


class Calls:
    def __init__(self, record, dtype):
        self.record, self.dtype = record, dtype
        self.generator = torch.Generator().manual_seed(21)

    def random(self, *shape):
        return torch.randn(shape, generator=self.generator, dtype=torch.float64).to(self.dtype)

    def stored(self, name, tensor):
        data = tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
        stored = self.record.store(name, STORED[tensor.dtype], tuple(tensor.shape), data)
        return self.record.reference(stored, tuple(tensor.shape))

    def value(self, name, value):
        if isinstance(value, torch.Tensor):
            return self.stored(name, value)
        if isinstance(value, (list, tuple)):
            return [self.value(f"{name}.{i}", element) for i, element in enumerate(value)]
        return str(value).replace("torch.", "") if isinstance(value, (torch.dtype, torch.device)) else value

    def __call__(self, op, *args, writes=(), **kwargs):
        """Carries a call out and records it; its results for the next one."""
        name = self.record.numbered(f"{KINDS[self.dtype]}/{op}")
        case = {"name": name, "op": str(op), "args": self.value(f"{name}/args", args)}
        arithmetic = _arithmetic(_Operator(op), args)
        if arithmetic:
            case["arithmetic"] = arithmetic
        case["kwargs"] = {key: self.value(f"{name}/{key}", value) for key, value in kwargs.items()}
        out = op(*args, **kwargs)
        results = out if isinstance(out, (list, tuple)) else [out]
        case["results"] = [None if r is None else self.stored(f"{name}/results/{i}", r) for i, r in enumerate(results)]
        case["writes"] = {str(at): self.stored(f"{name}/writes/{at}", args[at]) for at in writes}
        self.record._header["cases"].append(case)
        return out


def all_overloads(c):
    x, y = c.random(3, 4, 6, 6), c.random(3, 4, 6, 6)
    a, b, bias = c.random(5, 7), c.random(7, 3), c.random(3)
    # Products
    c(aten.mm.default, a, b)
    c(aten.bmm.default, c.random(2, 3, 4), c.random(2, 4, 5))
    c(aten.addmm.default, bias, a, b)
    c(aten.addmm.default, bias, a, b, beta=0.5, alpha=2)
    c(aten.addmm_.default, c.random(5, 3), a, b, writes=[0])
    c(aten.linear.default, c.random(2, 4, 7), c.random(3, 7), bias)
    # Convolutions: plain; strided, padded, dilated; grouped; depthwise; of rows
    for shape, w, stride, padding, dilation, groups in [
        ((3, 4, 6, 6), (5, 4, 3, 3), [1, 1], [1, 1], [1, 1], 1),
        ((2, 4, 9, 8), (6, 4, 3, 2), [2, 1], [1, 0], [2, 1], 1),
        ((2, 4, 6, 6), (6, 2, 3, 3), [1, 1], [1, 1], [1, 1], 2),
        ((2, 4, 6, 6), (4, 1, 3, 3), [2, 2], [1, 1], [1, 1], 4),
        ((2, 4, 9), (3, 4, 3), [2], [1], [1], 1),
    ]:
        image, weight = c.random(*shape), c.random(*w)
        rest = (stride, padding, dilation, False, [0] * len(stride), groups)
        out = c(aten.convolution.default, image, weight, c.random(w[0]), *rest)
        c(aten.convolution_backward.default, c.random(*out.shape), image, weight, [w[0]], *rest, [True, True, True])
    # Batch norm, in training and not
    weight, shift, mean, var = c.random(4), c.random(4), c.random(4), c.random(4).abs() + 0.5
    for training in (True, False):
        for op in (aten.native_batch_norm.default, aten._native_batch_norm_legit.default):
            running = mean.clone(), var.clone()
            writes = [3, 4] if training else []
            out = c(op, x, weight, shift, *running, training, 0.1, 1e-5, writes=writes)
        saved = (None, None, *out[1:3]) if training else (mean, var, None, None)
        c(aten.native_batch_norm_backward.default, y, x, weight, *saved, training, 1e-5, [True, True, True])
    c(aten._native_batch_norm_legit.no_stats, x, weight, shift, True, 0.1, 1e-5)
    c(aten._native_batch_norm_legit_no_training.default, x, weight, shift, mean, var, 0.1, 1e-5)
    running = mean.clone(), var.clone()
    c(aten._batch_norm_with_update.default, x, weight, shift, *running, 0.1, 1e-5, writes=[3, 4])
    c(aten._batch_norm_no_update.default, x, weight, shift, mean, var, 0.1, 1e-5)
    # Layers and groups, away from 0 too
    for image in (x, x + 1):
        few, upstream = image[:, :1, :2].contiguous(), y[:, :1, :2].contiguous()
        for normalized in ([6], [2, 6]):
            scale, offset = c.random(*normalized), c.random(*normalized)
            _, mean, rstd = c(aten.native_layer_norm.default, few, normalized, scale, offset, 1e-5)
            saved = mean, rstd, scale, offset
            c(aten.native_layer_norm_backward.default, upstream, few, normalized, *saved, [True, True, True])
        _, mean, rstd = c(aten.native_group_norm.default, image, weight, shift, 3, 4, 36, 2, 1e-5)
        saved = mean, rstd, weight
        c(aten.native_group_norm_backward.default, y, image, *saved, 3, 4, 36, 2, [True, True, True])
    # Element by element
    for name in ("add", "sub"):
        op, changing = getattr(aten, name), getattr(aten, f"{name}_")
        c(op.Tensor, x, y)
        c(op.Tensor, x, c.random(4, 1, 1), alpha=0.3)
        c(op.Scalar, x, 0.7)
        c(changing.Tensor, x.clone(), y, writes=[0])
        c(changing.Scalar, x.clone(), 0.7, writes=[0])
    for name in ("mul", "div"):
        op, changing = getattr(aten, name), getattr(aten, f"{name}_")
        c(op.Tensor, x, y)
        c(op.Scalar, x, 0.7)
        c(changing.Tensor, x.clone(), y, writes=[0])
        c(changing.Scalar, x.clone(), 3.0, writes=[0])
    kinked = x.clone()
    kinked.view(-1)[:8] = torch.tensor([0.0, 6.0, -1.0, 1.0, 0.0, 6.0, -1.0, 1.0], dtype=c.dtype)
    c(aten.relu.default, kinked)
    c(aten.relu_.default, kinked.clone(), writes=[0])
    c(aten.threshold_backward.default, y, kinked, 0)
    c(aten.hardtanh.default, kinked, 0.0, 6.0)
    c(aten.hardtanh_.default, kinked.clone(), -1.0, 1.0, writes=[0])
    c(aten.hardtanh_backward.default, y, kinked, 0.0, 6.0)
    c(aten.clamp.default, kinked, -0.5, 0.5)
    c(aten.clamp_.default, kinked.clone(), -0.5, 0.5, writes=[0])
    c(aten.neg.default, x)
    for name in ("gt", "ge", "lt", "le", "eq", "ne"):
        c(getattr(aten, name).Scalar, kinked, 0.0)
    c(aten.where.self, x > 0, x, y)
    c(aten.abs.default, kinked)
    c(aten.sgn.default, kinked)
    c(aten.sign.default, kinked)
    for bits in (x > 0, torch.arange(-4, 4), torch.arange(8, dtype=torch.uint8)):
        c(aten.bitwise_not.default, bits)
    fill = torch.tensor(-0.7, dtype=c.dtype)
    c(aten.masked_fill.Scalar, x, x > 0, -0.7)
    c(aten.masked_fill.Tensor, x, (x > 0)[:1], fill)
    c(aten.masked_fill_.Scalar, x.clone(), x > 0, 0, writes=[0])
    c(aten.masked_fill_.Tensor, x.clone(), x > 0, fill, writes=[0])
    # Activations, on their kinks and in their tails
    steep = 4 * x
    bent = steep.clone()
    bent.view(-1)[:6] = torch.tensor([0.0, 3.0, -3.0, 20.0, -20.0, 1e-4], dtype=c.dtype)
    for name in ("leaky_relu", "hardsigmoid", "hardswish", "elu", "tanh"):
        c(getattr(aten, name).default, bent)
        c(getattr(aten, f"{name}_").default, bent.clone(), writes=[0])
    c(aten.leaky_relu.default, bent, 0.2)
    c(aten.leaky_relu_backward.default, y, bent, 0.2, False)
    c(aten.hardsigmoid_backward.default, y, bent)
    c(aten.hardswish_backward.default, y, bent)
    c(aten.tanh_backward.default, y, torch.tanh(bent))
    scales = 1.5, 1.0507, 0.9
    out = c(aten.elu.default, bent, *scales)
    c(aten.elu_backward.default, y, *scales, True, out)
    c(aten.elu_backward.default, y, *scales, False, bent)
    for beta, threshold in ((1, 20), (1.7, 5)):
        c(aten.softplus.default, bent, beta, threshold)
        c(aten.softplus_backward.default, y, bent, beta, threshold)
    for form in ("none", "tanh"):
        c(aten.gelu.default, bent, approximate=form)
        c(aten.gelu_backward.default, y, bent, approximate=form)
    positive = x.abs() + 0.25
    for exponent in (2, 3, -1, 0.5, 1.7):
        c(aten.pow.Tensor_Scalar, positive, exponent)
    c(aten.pow.Tensor_Scalar, x, 2)
    c(aten.exp.default, x)
    for name in ("log", "sqrt", "rsqrt", "reciprocal"):
        c(getattr(aten, name).default, positive)
    c(aten.xlogy.Tensor, kinked, positive)
    s = c(aten.sigmoid.default, steep)
    c(aten.sigmoid_.default, steep.clone(), writes=[0])
    c(aten.sigmoid_backward.default, y, s)
    c(aten.silu.default, steep)
    c(aten.silu_.default, steep.clone(), writes=[0])
    c(aten.silu_backward.default, y, steep)
    # Windows
    tied = torch.round(x)
    for kernel, stride, padding, ceil in [([2, 2], [2, 2], [0, 0], False), ([3, 3], [2, 2], [1, 1], True)]:
        window = kernel, stride, padding
        out, places = c(aten.max_pool2d_with_indices.default, tied, *window, [1, 1], ceil)
        c(aten.max_pool2d_with_indices_backward.default, c.random(*out.shape), tied, *window, [1, 1], ceil, places)
        for counted in (True, False):
            out = c(aten.avg_pool2d.default, x, *window, ceil, counted, None)
            c(aten.avg_pool2d_backward.default, c.random(*out.shape), x, *window, ceil, counted, None)
    out = c(aten._adaptive_avg_pool2d.default, c.random(2, 3, 7, 5), [3, 2])
    c(aten._adaptive_avg_pool2d_backward.default, c.random(*out.shape), c.random(2, 3, 7, 5))
    # Sums
    c(aten.sum.default, x)
    c(aten.sum.dim_IntList, x, [0, 2], True)
    c(aten.mean.default, x)
    c(aten.mean.dim, x, [-1, -2])
    # Rows
    scores = 5 * c.random(6, 10)
    labels = torch.randint(0, 10, (6,), generator=c.generator)
    labels[2] = -100
    for name in ("_log_softmax", "_softmax"):
        out = c(getattr(aten, name).default, scores, 1, False)
        c(getattr(aten, f"{name}_backward_data").default, c.random(6, 10), out, 1, c.dtype)
    logs = torch.log_softmax(scores, 1)
    for reduction in (0, 1, 2):
        loss, total = c(aten.nll_loss_forward.default, logs, labels, None, reduction, -100)
        upstream = c.random(*loss.shape)
        c(aten.nll_loss_backward.default, upstream, logs, labels, None, reduction, -100, total)
    weighted = c.random(10).abs()
    loss, total = c(aten.nll_loss_forward.default, logs, labels, weighted, 1, -100)
    c(aten.nll_loss_backward.default, torch.ones_like(loss), logs, labels, weighted, 1, -100, total)
    images = torch.log_softmax(c.random(2, 5, 3, 3), 1)
    targets = torch.randint(0, 5, (2, 3, 3), generator=c.generator)
    loss, total = c(aten.nll_loss2d_forward.default, images, targets, None, 1, -100)
    c(aten.nll_loss2d_backward.default, torch.ones_like(loss), images, targets, None, 1, -100, total)
    for reduction in (0, 1, 2):
        upstream = c.random(*(x.shape if reduction == 0 else ()))
        c(aten.mse_loss.default, x, y, reduction)
        c(aten.mse_loss_backward.default, upstream, x, y, reduction)
        for beta in (1.0, 0.3):
            c(aten.smooth_l1_loss.default, x, y, reduction, beta)
            c(aten.smooth_l1_loss_backward.default, upstream, x, y, reduction, beta)
        chances = torch.sigmoid(y)
        c(aten.binary_cross_entropy_with_logits.default, steep, chances, None, None, reduction)
        weights = c.random(6).abs(), c.random(6).abs() + 0.5
        c(aten.binary_cross_entropy_with_logits.default, steep, chances, *weights, reduction)
    torch.manual_seed(3)
    _, mask = c(aten.native_dropout.default, x, 0.3, True)
    c(aten.native_dropout_backward.default, y, mask, 1 / 0.7)
    c(aten.bernoulli_.float, torch.empty(4, 5, dtype=c.dtype).fill_(2.0), 0.3, writes=[0])
    c(aten.rand.default, [9, 7], dtype=c.dtype)
    c(aten.rand_like.default, x)
    c(aten.uniform_.default, x.clone(), -2.0, 3.0, writes=[0])
    # Moves
    for name in ("clone", "detach", "alias", "lift_fresh", "contiguous"):
        c(getattr(aten, name).default, x)
    c(aten.detach_.default, x.clone(), writes=[0])
    for dtype in KINDS:
        c(aten._to_copy.default, x, dtype=dtype)
    c(aten.view.default, x, [3, -1])
    c(aten._unsafe_view.default, x, [12, 36])
    c(aten.reshape.default, x, [4, 108])
    c(aten._reshape_alias.default, x, [3, 144], [144, 1])
    c(aten.unsqueeze.default, x, -1)
    c(aten.squeeze.default, x[:1])
    c(aten.squeeze.dim, x[:1], 0)
    c(aten.squeeze.dims, x[:1, :1], [0, 1])
    c(aten.unsqueeze_.default, x.clone(), 1, writes=[0])
    c(aten.squeeze_.default, x[:1].clone(), writes=[0])
    c(aten.squeeze_.dim, x[:1].clone(), 0, writes=[0])
    c(aten.squeeze_.dims, x[:1, :1].clone(), [0, 1], writes=[0])
    c(aten.flatten.using_ints, x, 1, -1)
    c(aten.t.default, a)
    c(aten.t_.default, a.clone(), writes=[0])
    c(aten.transpose.int, x, 1, -1)
    c(aten.transpose_.default, x.clone(), 1, -1, writes=[0])
    c(aten.permute.default, x, [0, 2, 3, 1])
    c(aten.expand.default, bias, [4, -1])
    c(aten.cat.default, [x, y[:, :1]], 1)
    c(aten.stack.default, [x, y], 1)
    c(aten.split.Tensor, x, 3, 1)
    c(aten.split_with_sizes.default, x, [1, 3], 1)
    c(aten.chunk.default, x, 4, 2)
    c(aten.unsafe_split.Tensor, x, 3, 1)
    c(aten.unsafe_split_with_sizes.default, x, [1, 3], 1)
    c(aten.unsafe_chunk.default, x, 4, 2)
    c(aten.unbind.int, x, 1)
    out = c(aten.slice.Tensor, x, 2, 1, 9223372036854775807, 2)
    c(aten.slice_backward.default, c.random(*out.shape), list(x.shape), 2, 1, 9223372036854775807, 2)
    out = c(aten.select.int, x, 1, -1)
    c(aten.select_backward.default, c.random(*out.shape), list(x.shape), 1, -1)
    c(aten.constant_pad_nd.default, x, [1, 2, -1, 0], 0.5)
    c(aten.copy_.default, x.clone(), y, writes=[0])
    c(aten.as_strided.default, x, [3, 2, 5], [144, 72, 7], 1)
    last = x.contiguous(memory_format=torch.channels_last)
    c(aten.as_strided.default, last, [3, 6, 6, 4], [144, 24, 4, 1], 0)
    c(aten.as_strided_.default, x.clone(), [3, 6], [144, 7], 2, writes=[0])
    c(aten.as_strided_scatter.default, last, c.random(3, 6), [3, 6], [144, 7], 2)
    c(aten.zeros.default, [2, 3], dtype=c.dtype)
    c(aten.zeros_like.default, x)
    c(aten.new_zeros.default, x, [2, 3])
    c(aten.zero_.default, x.clone(), writes=[0])
    c(aten.ones.default, [2, 3], dtype=c.dtype)
    c(aten.ones_like.default, x)
    c(aten.full.default, [2, 3], 0.1, dtype=c.dtype)
    c(aten.full_like.default, x, 0.1)
    c(aten.scalar_tensor.default, 0.1, dtype=c.dtype)
    c(aten.fill_.Scalar, x.clone(), 0.1, writes=[0])
    c(aten.fill_.Tensor, x.clone(), torch.tensor(0.1, dtype=c.dtype), writes=[0])
    c(aten.empty.memory_format, [2, 3], dtype=c.dtype)
    c(aten.empty_like.default, x)
    c(aten.empty_strided.default, [2, 3], [3, 1], dtype=c.dtype)
    c(aten.new_empty.default, x, [2, 3])
    c(aten.new_empty_strided.default, x, [2, 3], [3, 1])


def main():
    torch.set_num_threads(1)
    with Record(HERE / "overloads.safetensors", producer=f"PyTorch {torch.__version__}", room=1 << 17) as record:
        for dtype in KINDS:
            all_overloads(Calls(record, dtype))


if __name__ == "__main__":
    np.seterr(all="raise")
    main()
