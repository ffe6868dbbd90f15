"""Records a training step of PyTorch: every call of an operator that it dispatches, forward and backward.

Only looks on. Contents go to the file before a call (its operands) and after it (its results, and what it changed in
place), so that no copy is kept and nothing lives longer than it would.
"""

import contextlib
import copy
import functools
import gc
import random
import sys

import numpy as np
import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

from ._contents import DTYPES, Contents
from .record import Record, RecordError

# Positions of running statistics, which these change in training although their schemas do not say so.
UNDECLARED_WRITES = {"native_batch_norm": (3, 4), "cudnn_batch_norm": (3, 4), "miopen_batch_norm": (3, 4)}

# On a GPU, what may be of TF32 operands, if a switch of PyTorch's lets it, and convolutions, which may be by any
# algorithm; on the CPU, what adds up gradients in the tensors' own type, with its unit roundoff, also where that is
# short.
PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "addbmm", "addmv", "mv"}
CONVOLUTIONS = {"convolution", "convolution_backward"}
IN_OWN_TYPE = {
    "max_pool2d_with_indices_backward",
    "avg_pool2d_backward",
    "_adaptive_avg_pool2d_backward",
    "native_layer_norm_backward",
}
# Where the processor has no such instructions, gradients of convolutions too.
BY_ONEDNN = {
    torch.bfloat16: torch.ops.mkldnn._is_mkldnn_bf16_supported,
    torch.float16: torch.ops.mkldnn._is_mkldnn_fp16_supported,
}
DETACH = torch.ops.aten.detach.default
UNUSUAL = PRODUCTS | CONVOLUTIONS | IN_OWN_TYPE
HALF = {torch.bfloat16: 2.0**-8, torch.float16: 2.0**-11}

# Modules of PyTorch whose frames lie between a program and the recorder.
DISPATCHING = (__name__, "torch._compile", "torch._dynamo", "torch.utils._python_dispatch", "torch.overrides")

# Text that describes the calls around one parameter; most take a third of it.
ROOM = 1 << 14


class _Operator:
    """What the schema of an overload says, read once."""

    def __init__(self, func):
        schema = func._schema
        self.name = f"{func.namespace}.{schema.name.split('::')[1]}.{func._overloadname}"
        self.packet = schema.name.split("::")[1]
        self.short = self.packet if func._overloadname == "default" else f"{self.packet}.{func._overloadname}"
        self.writes = [
            argument.name if argument.kwarg_only else position
            for position, argument in enumerate(schema.arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ]
        shared = [result.alias_info for result in schema.returns]
        self.is_view = any(alias is not None and not alias.is_write for alias in shared)

    def written(self, args, kwargs):
        """The keys of the arguments that a call changes: positions, or names of keyword arguments."""
        if self.packet in UNDECLARED_WRITES and args[5]:
            return UNDECLARED_WRITES[self.packet]
        if not self.writes:
            return ()
        return [key for key in self.writes if (key in kwargs if isinstance(key, str) else key < len(args))]


_operator = functools.cache(_Operator)


class _Saving:
    """Tells the `detach` by which autograd saves a call's result for its derivative from one that the program asks for.

    Autograd's own goes past the kernels that every call of a program goes through, below which the key of views is
    excluded; so does a program's `x.data`, but that is another instruction of the program than the call before it."""

    def __init__(self):
        self._last = None

    def is_own(self, func, args, backward):
        """Whether this call is autograd's; remembers it otherwise."""
        own = func is DETACH and not _is_below_views()
        if backward:
            self._last = (None, None)
            return own
        place = _instruction()
        if own and self._last == (place, id(args[0])):
            return True
        self._last = (place, None)
        return False

    def made(self, results):
        """Remembers what the last call gave: its first result is the one that is saved."""
        self._last = (self._last[0], id(results[0]) if results else None)


def _is_below_views():
    return torch._C._dispatch_tls_is_dispatch_key_excluded(torch._C.DispatchKey.ADInplaceOrView)


def _instruction():
    """Where the program is: its innermost frame outside of PyTorch's dispatching, and the instruction there."""
    frame = sys._getframe(2)
    while _dispatches(frame.f_globals.get("__name__", "")) and frame.f_back is not None:
        frame = frame.f_back
    return id(frame), frame.f_lasti


@functools.cache
def _dispatches(module):
    return module.startswith(DISPATCHING)


class _Graph:
    """Which call made which node of the graph that backward walks."""

    def __init__(self):
        self._calls = {}
        self._pending = None
        self._finished = None

    def made(self, call, results):
        """Remembers the results of a call: they get their node only after the call."""
        self._pending = (call, results)

    def settle(self):
        """Looks up the node that the last call's results have got meanwhile."""
        if self._pending is None:
            return
        (call, results), self._pending = self._pending, None
        node = next((result.grad_fn for result in results if result.grad_fn is not None), None)
        if node is not None and _key(node) not in self._calls:
            key = _key(node)
            self._calls[key] = call
            node.register_hook(lambda *_: self._finish(key))

    def _finish(self, key):
        self._finished = key

    def current(self):
        """The forward call whose derivative is being computed; None where it is none's, as where gradients of several
        uses of a tensor are added up."""
        node = torch._C._current_autograd_node()
        if node is None or _key(node) == self._finished:
            return None
        return self._calls.get(_key(node))


def _key(node):
    return node.name(), node._sequence_nr()


class _Calls(TorchDispatchMode):
    """Appends every call to `cases`."""

    def __init__(self, record, contents, modules):
        super().__init__()
        self.record, self.contents, self.modules = record, contents, modules
        self.cases = []
        self._graph = _Graph()
        self._saving = _Saving()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        self._graph.settle()
        operator = _operator(func)
        grad_enabled = torch.is_grad_enabled()
        backward = torch._C._current_graph_task_id() != -1 and not (grad_enabled and self.modules.stack)
        if self._saving.is_own(func, args, backward):
            return func(*args, **kwargs)
        forward = self._graph.current() if backward else None
        module = forward["module"] if forward else None if backward else self.modules.current()
        name = self.record.numbered(f"{module}/{operator.short}" if module else operator.short)
        case = {
            "name": name,
            "op": operator.name,
            "module": module or "",
            "phase": "backward" if backward else "forward",
        }
        if forward:
            case["of"] = forward["name"]
        arithmetic = _arithmetic(operator, args)
        if arithmetic:
            case["arithmetic"] = arithmetic
        case["args"] = [self._value(arg, name, "in", i) for i, arg in enumerate(args)]
        if kwargs:
            case["kwargs"] = {key: self._value(value, name, key) for key, value in kwargs.items()}
        written = operator.written(args, kwargs)
        bases = self._bases(kwargs[key] if isinstance(key, str) else args[key] for key in written) if written else ()

        results = func(*args, **kwargs)

        writes = {}
        for key in written:
            value = kwargs[key] if isinstance(key, str) else args[key]
            for tensor in _tensors(value):
                self.contents.changed(tensor)
            if isinstance(value, torch.Tensor):
                writes[str(key)] = self._value(value, name, "after", key)
        flat = [results]
        if isinstance(results, (list, tuple)):
            flat = [part for result in results for part in (result if isinstance(result, (list, tuple)) else [result])]
        tensors = _tensors(flat)
        self._saving.made(tensors)
        if operator.is_view and isinstance(args[0], torch.Tensor):
            case["results"] = [self.contents.reference(result, (name, "out", i), args[0]) for i, result in enumerate(flat)]
        else:
            # A result that is a number of the program's, as of `item()`, is no tensor to record.
            is_tensor = [isinstance(result, torch.Tensor) for result in flat]
            case["results"] = [
                self._value(result, name, "out", i) if is_tensor[i] else None for i, result in enumerate(flat)
            ]
        if writes:
            case["writes"] = writes
        self.cases.append(case)
        for base, before, view in bases:
            self._scatter(case, base, before, view)
        if grad_enabled and not backward:
            self._graph.made(case, tensors)
        return results

    def _value(self, value, *name):
        """An argument or a result as the file has it; `name`: what to call its content, in parts."""
        if isinstance(value, torch.Tensor):
            return self.contents.reference(value, name)
        if value is None or isinstance(value, (int, str)):
            return value
        if isinstance(value, float):
            return value if np.isfinite(value) else str(value)
        if isinstance(value, (list, tuple)):
            if all(type(item) is int for item in value):
                return list(value)
            return [self._value(item, *name, f".{i}") for i, item in enumerate(value)]
        return DTYPES.get(value) or str(value).removeprefix("torch.")

    def _bases(self, values):
        """Of the views that a call will write through: the tensor they are views of, and what it held before."""
        views = [t for value in values for t in _tensors(value) if t._base is not None and not _covers(t, t._base)]
        known = [view for view in views if self.contents.is_known(view._base)]
        return [(view._base, self.contents.reference(view._base, ("as_strided_scatter", "in")), view) for view in known]

    def _scatter(self, case, base, before, view):
        """A write through a view changes the tensor behind it: told as the call without side effects that does the
        same."""
        name = self.record.numbered(f"{case['module']}/as_strided_scatter" if case["module"] else "as_strided_scatter")
        place = [list(view.shape), list(view.stride()), view.storage_offset()]
        place[2] -= base.storage_offset()
        after = self.contents.reference(view, (name, "in", 1))
        scatter = {key: case[key] for key in ("module", "phase", "of") if key in case}
        scatter |= {"name": name, "op": "aten.as_strided_scatter.default", "args": [before, after, *place]}
        scatter["results"] = [self.contents.reference(base, (name, "out", 0))]
        self.cases.append(scatter)


def _tensors(value):
    values = value if isinstance(value, (list, tuple)) else [value]
    return [tensor for tensor in values if isinstance(tensor, torch.Tensor)]


def _covers(view, base):
    """Whether a view shows all of its base, in the same order."""
    return view.numel() == base.numel() and view.is_contiguous() and base.is_contiguous()


def _arithmetic(operator, args):
    """What PyTorch computes in, where that is not what the dtypes say."""
    if operator.packet not in UNUSUAL:
        return None
    first = args[0]
    if first.device.type == "cpu":
        if first.dtype not in HALF:
            return None
        plain = operator.packet == "convolution_backward" and not BY_ONEDNN[first.dtype]()
        return {"u_acc": HALF[first.dtype]} if operator.packet in IN_OWN_TYPE or plain else None
    declared = {"algorithm": "any"} if operator.packet in CONVOLUTIONS else {}
    switch = torch.backends.cudnn if operator.packet in CONVOLUTIONS else torch.backends.cuda.matmul
    if operator.packet not in IN_OWN_TYPE and first.dtype == torch.float32 and switch.allow_tf32:
        declared["tf32"] = True
    return declared or None


class _Modules:
    """The path of the module that computes, from hooks of all modules; "" outside of modules and in the outermost."""

    def __init__(self, model):
        self.paths = {module: path for path, module in model.named_modules()}
        self.stack = []

    def current(self):
        return next((path for path in reversed(self.stack) if path is not None), "")

    @contextlib.contextmanager
    def followed(self):
        def leave(module, _args, _output):
            self.stack.pop()

        enter = register_module_forward_pre_hook(lambda module, _: self.stack.append(self.paths.get(module)))
        leave = register_module_forward_hook(leave, always_call=True)
        try:
            yield
        finally:
            enter.remove()
            leave.remove()


@contextlib.contextmanager
def _without_collector():
    """Lets Python's collector of cycles rest, which else goes through all that is kept of the calls, time and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Step:
    """The step that is being recorded. `loss`: set it to the loss, and the record has it."""

    loss = None


@contextlib.contextmanager
def recording(model, path, batch, epoch, index, arithmetic):
    with _without_collector(), _recording(model, path, batch, epoch, index, arithmetic) as step:
        yield step


@contextlib.contextmanager
def _recording(model, path, batch, epoch, index, arithmetic):
    if not isinstance(model, torch.nn.Module):
        raise RecordError(f"{path}: the model must be a torch.nn.Module, not {type(model).__name__}")
    if type(model).__name__ == "OptimizedModule":
        raise RecordError(f"{path}: a compiled model dispatches no calls to record; give the module that was compiled")
    parameters = dict(model.named_parameters())
    if any(torch.nn.parameter.is_lazy(parameter) for parameter in parameters.values()):
        raise RecordError(f"{path}: the model has parameters without a shape; let it see a batch first")
    room = ROOM * (1 + len(parameters))
    record = path if isinstance(path, Record) else Record(path, producer=f"PyTorch {torch.__version__}", room=room)
    try:
        step, header = Step(), {}
        contents = Contents(record)

        def references(kind, tensors):
            tensors = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor)}
            return {name: contents.reference(tensor, (kind, name)) for name, tensor in tensors.items()}

        if epoch is not None:
            header["epoch"] = epoch
        if index is not None:
            header["index"] = index
        if arithmetic is not None:
            header["arithmetic"] = dict(arithmetic)
        # Casts that an enclosing autocast remembers from before would come from nowhere.
        torch.clear_autocast_cache()
        header["params"] = references("params", parameters)
        header["buffers"] = references("buffers", dict(model.named_buffers()))
        before = references("grads_before", {name: parameter.grad for name, parameter in parameters.items()})
        if before:
            header["buffers"] |= {f"{name}.grad": reference for name, reference in before.items()}
        header["batch"] = references("batch", batch or {})
        modules = _Modules(model)
        with modules.followed(), _Calls(record, contents, modules) as calls:
            yield step
        header["cases"] = calls.cases
        grads = {name: parameter.grad for name, parameter in parameters.items()}
        for grad in grads.values():
            # Read again what the optimizer will read, whoever may have changed it meanwhile.
            if grad is not None:
                contents.changed(grad)
        header["grads"] = references("grads", grads)
        if not header["grads"]:
            raise RecordError(
                f"{record.path}: no parameter has a gradient at the end of the step: loss.backward() belongs into the "
                "block, zero_grad() behind it"
            )
        if isinstance(step.loss, torch.Tensor):
            header["loss"] = contents.reference(step.loss, ("loss",))
        record.step(header)
    except BaseException:
        record.abandon()
        raise
    if record is not path:
        record.close()


def record_step(model, loss_fn, batch, path, double, epoch, index, arithmetic):
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        raise RecordError(f"{path}: the batch must be a tuple (input, .., target), not {type(batch).__name__}")
    if not isinstance(model, torch.nn.Module):
        raise RecordError(f"{path}: the model must be a torch.nn.Module, not {type(model).__name__}")
    with _as_it_was(model):
        if double:
            model = copy.deepcopy(model).double()
            batch = [_widened(part) for part in batch]
        for parameter in model.parameters():
            parameter.grad = None
        *inputs, target = batch
        named = {"input" if i == 0 else f"input{i}": part for i, part in enumerate(inputs)} | {"labels": target}
        with recording(model, path, named, epoch, index, arithmetic) as step:
            loss = loss_fn(model(*inputs), target)
            if not isinstance(loss, torch.Tensor) or loss.numel() != 1 or not loss.requires_grad:
                raise RecordError(f"{path}: loss_fn must return a tensor of one number that depends on the parameters")
            loss.backward()
            step.loss = loss
        return loss.item()


def _widened(part):
    return part.double() if isinstance(part, torch.Tensor) and part.is_floating_point() else part


@contextlib.contextmanager
def _as_it_was(model):
    """Gives the model its buffers and gradients back, and random numbers their state."""
    buffers = [
        (module, name, b, b.clone())
        for module in model.modules()
        for name, b in module._buffers.items()
        if b is not None
    ]
    grads = [(parameter, parameter.grad) for parameter in model.parameters()]
    states = random.getstate(), np.random.get_state()
    devices = {parameter.device for parameter in model.parameters() if parameter.device.type == "cuda"}
    try:
        with torch.random.fork_rng(devices=list(devices)):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        for parameter, grad in grads:
            parameter.grad = grad
        with torch.no_grad():
            for module, name, buffer, content in buffers:
                module._buffers[name] = buffer
                buffer.copy_(content)
