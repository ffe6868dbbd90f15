"""The recorder looks on and changes nothing, and what it writes is what was computed."""

import copy
import json

import numpy as np
import pytest

import gdstar

torch = pytest.importorskip("torch")
import torch.nn.functional as F
from reading import UNDETERMINED, Read, assert_again, from_nowhere, references, same
from torch import nn
from torch.utils.checkpoint import checkpoint


class Twice(nn.Module):
    """A module that is used twice, a branch, a concatenation, a view and an in-place activation."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(dropout)
        self.fc = nn.Linear(8 * 4, 5)

    def forward(self, x):
        y = self.act(self.bn(self.conv(x)))
        z = self.act(self.bn(self.conv(y))) + x
        y = torch.cat([F.max_pool2d(y, 4), F.avg_pool2d(z, 4)], dim=1)
        return self.fc(self.drop(y.flatten(1)))


def data(n=3, size=8, channels=4, classes=5):
    return torch.randn(n, channels, size, size), torch.randint(0, classes, (n,))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "step.safetensors"


def recorded(path, model, x, labels, loss_fn=F.cross_entropy):
    with gdstar.recording(model, path, batch={"input": x, "labels": labels}) as step:
        step.loss = loss_fn(model(x), labels)
        step.loss.backward()
    return Read(path)


def channels_last(tensor):
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def assert_true(read, layout=lambda tensor: tensor):
    """Every call carried out again gives the recorded bits, and no operand comes from nowhere."""
    for case in read.cases:
        if not any(word in case["op"] for word in UNDETERMINED):
            assert_again(read, case, *[layout] * ("view" not in case["op"]))
    assert from_nowhere(read) == []


@pytest.mark.parametrize("form", ["plain", "channels_last", "bf16", "f64"])
def test_each_call_is_recorded_with_what_it_took_and_gave(path, form):
    model, (x, labels) = Twice(), data()
    if form == "channels_last":
        model, x = model.to(memory_format=torch.channels_last), channels_last(x)
    if form == "f64":
        model, x = model.double(), x.double()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=form == "bf16"):
        read = recorded(path, model, x, labels)
    assert_true(read, *[channels_last] * (form == "channels_last"))
    assert {"convolution.default", "convolution_backward.default", "relu_.default", "cat.default"} <= set(read.ops())
    for name, parameter in model.named_parameters():
        assert same(read.tensor(read.header["grads"][name]), parameter.grad), name


@pytest.mark.parametrize("dropout,autocast,remembers", [(0.0, False, False), (0.3, False, True), (0.3, True, False)])
def test_training_is_the_same_to_the_bit(tmp_path, dropout, autocast, remembers):
    def train(record):
        torch.manual_seed(7)
        model = Twice(dropout)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for i in range(3):
            x, labels = data()
            optimizer.zero_grad()

            def step():
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                    logits = checkpoint(model, x, use_reentrant=False) if remembers else model(x)
                    loss = F.cross_entropy(logits, labels)
                loss.backward()

            if record:
                with gdstar.recording(model, tmp_path / f"{i}.safetensors", batch={"input": x, "labels": labels}):
                    step()
            else:
                step()
            optimizer.step()
        return model.state_dict(), torch.get_rng_state()

    (plain, state), (seen, state_seen) = train(False), train(True)
    assert all(same(plain[name], seen[name]) for name in plain)
    assert torch.equal(state, state_seen)


@pytest.mark.parametrize("double", [False, True])
def test_record_step_leaves_everything_as_it_was(path, double):
    model, (x, labels) = Twice(dropout=0.5), data()
    F.cross_entropy(model(x), labels).backward()
    before = copy.deepcopy(model.state_dict())
    grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    state = torch.get_rng_state(), np.random.get_state()[1].copy()
    loss = gdstar.record_step(model, F.cross_entropy, (x, labels), path, double=double)
    assert all(same(before[name], now) for name, now in model.state_dict().items())
    assert all(same(grads[name], parameter.grad) for name, parameter in model.named_parameters())
    assert torch.equal(state[0], torch.get_rng_state()) and np.array_equal(state[1], np.random.get_state()[1])
    read = Read(path)
    assert_true(read)
    dtype = torch.float64 if double else torch.float32
    assert read.tensor(read.header["params"]["conv.weight"]).dtype == dtype
    assert read.tensor(read.header["loss"]).item() == loss


def operands(case):
    return [r["tensor"] for value in case["args"] for r in references(value)]


def test_numbers_and_constants_of_the_program_are_no_strangers(path):
    model, (x, labels) = nn.Linear(6, 4), (torch.randn(4, 6), torch.randint(0, 4, (4,)))

    def loss_fn(logits, labels):
        scale = torch.tensor([0.5, 1.0, 2.0, 0.25]) * labels.max().item()
        return F.cross_entropy(logits * scale, labels)

    read = recorded(path, model, x, labels, loss_fn)
    (taken,) = [case for case in read.cases if case["op"] == "aten._local_scalar_dense.default"]
    assert taken["results"] == [None]


@pytest.mark.parametrize("remembers", [True, False])
def test_a_backward_call_names_the_forward_call_it_is_of(path, remembers):
    # Of a module that is used twice, each use has its own; so it is where the forward pass is computed anew in
    # backward.
    model, (x, labels) = Twice(), data()
    run = model if remembers else lambda x: checkpoint(model, x, use_reentrant=False)
    with gdstar.recording(model, path, batch={"input": x, "labels": labels}):
        F.cross_entropy(run(x), labels).backward()
    read = Read(path)
    assert_true(read)
    backward = [case for case in read.cases if case["op"] == "aten.convolution_backward.default"]
    assert [case["module"] for case in backward] == ["conv", "conv"]
    assert len({case["of"] for case in backward}) == 2
    for case in backward:
        of = read.named(case["of"])
        assert of["op"] == "aten.convolution.default" and of["phase"] == "forward"
        assert operands(case)[1:3] == operands(of)[:2], "the input and the weight of that use"
    for case in read.cases:
        if case["op"] == "aten.max_pool2d_with_indices_backward.default":
            of = read.named(case["of"])
            assert operands(case)[1] == operands(of)[0] and operands(case)[2] == of["results"][1]["tensor"]


def test_a_step_with_a_batch_norm_that_is_used_twice_passes(path):
    model, (x, labels) = Twice(), data()
    gdstar.record_step(model, F.cross_entropy, (x, labels), path)
    report = gdstar.check(path)
    assert report.passed, str(report)


class Recurrent(nn.Module):
    """A recurrent layer, of whose states the last or all go on."""

    def __init__(self, kind, takes_all, batch_first):
        super().__init__()
        self.layer, self.fc = kind(5, 7, batch_first=batch_first), nn.Linear(7, 5)
        self.takes_all, self.axis = takes_all, 1 if batch_first else 0

    def forward(self, x):
        states = self.layer(x)[0]
        return self.fc(states.mean(self.axis) if self.takes_all else states.select(self.axis, -1))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("takes_all", [False, True])
@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_a_step_of_a_recurrent_network_passes(path, kind, takes_all, batch_first):
    """States are stacked, gates cut and transposed in place; the gradient of a state that only the next one uses is 0 by way
    of the stack. (oneDNN's own LSTM is one call, of which nothing is known.)"""
    model = Recurrent(kind, takes_all, batch_first)
    with torch.backends.mkldnn.flags(enabled=False):
        recorded(path, model, torch.randn(5, 5, 5), torch.randint(0, 5, (5,)))
    report = gdstar.check(path)
    assert report.passed, str(report)


def test_gradients_that_meet_are_added_by_calls_of_no_forward_call(path):
    model, (x, labels) = Twice(), data()
    read = recorded(path, model, x.requires_grad_(), labels)
    sums = [case for case in read.cases if case["phase"] == "backward" and case["op"].startswith("aten.add")]
    assert sums and not any("of" in case for case in sums)
    others = [case for case in read.cases if case["phase"] == "backward" and "of" not in case]
    assert {case["op"] for case in others} - {"aten.add.Tensor", "aten.add_.Tensor"} <= {"aten.detach.default"}


def test_gradients_of_several_micro_batches_add_up_in_one_step(path):
    model, (x, labels) = nn.Linear(6, 4), (torch.randn(4, 6), torch.randint(0, 4, (4,)))
    F.cross_entropy(model(x), labels).backward()  # gradients from before the step are told as buffers
    with gdstar.recording(model, path, batch={"input": x, "labels": labels}):
        for half in (slice(0, 2), slice(2, 4)):
            (F.cross_entropy(model(x[half]), labels[half]) / 2).backward()
    read = Read(path)
    assert_true(read)
    assert {"weight.grad", "bias.grad"} <= set(read.header["buffers"])
    assert same(read.tensor(read.header["grads"]["weight"]), model.weight.grad)


class Painter(nn.Module):
    """Writes through views into a tensor that is read as a whole."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        y = torch.zeros_like(x)
        y[:, :3] = self.fc(x)[:, :3]
        y[:, 3:].add_(x[:, 3:])
        return self.fc(y * 2)


def test_writes_through_views_are_told(path):
    model, (x, labels) = Painter(), (torch.randn(2, 6), torch.randint(0, 6, (2,)))
    read = recorded(path, model, x, labels)
    assert_true(read)
    assert "as_strided_scatter.default" in read.ops()


def test_running_statistics_are_written_in_training_and_read_otherwise(path):
    model, (x, labels) = Twice(), data()
    read = recorded(path, model, x, labels)
    norms = [case for case in read.cases if case["op"] == "aten.native_batch_norm.default"]
    assert [sorted(case["writes"]) for case in norms] == [["3", "4"]] * 2
    assert same(read.tensor(norms[1]["writes"]["4"]), model.bn.running_var)
    assert norms[1]["args"][3] == norms[0]["writes"]["3"], "the second use finds what the first has left"
    model.eval()
    assert "writes" not in next(c for c in recorded(path, model, x, labels).cases if "batch_norm" in c["op"])


def test_each_content_is_stored_once(path):
    model = nn.Linear(64, 64)
    x = torch.randn(64, 64)
    with gdstar.recording(model, path, batch={"input": x}):
        y = model(x).clone()
        (y.view(32, 128) * 1.0).sum().backward()
    read = Read(path)
    contents = [(e["dtype"], read.data[slice(*e["data_offsets"])]) for e in read.entries.values()]
    assert len(contents) == len(set(contents))
    clone = next(case for case in read.cases if case["op"] == "aten.clone.default")
    assert clone["results"][0] == clone["args"][0]


def test_one_changed_number_is_another_content(tmp_path):
    # Beyond the numbers that contents are first told apart by.
    a = np.random.default_rng(0).standard_normal(100_000)
    b = a.copy()
    b[54_321] += 1
    path = tmp_path / "two.safetensors"
    with gdstar.Record(path) as record:
        record.op("one", "relu", {}, {"x": a}, {"y": a})
        record.op("two", "relu", {}, {"x": b}, {"y": a})
    first, second = (case["tensors"] for case in Read(path).cases)
    assert first["in/x"]["tensor"] != second["in/x"]["tensor"] and first["out/y"] == second["out/y"]


def test_changes_that_no_call_makes_are_read_again(path):
    model, (x, labels) = nn.Linear(6, 4), (torch.randn(4, 6), torch.randint(0, 4, (4,)))
    with gdstar.recording(model, path, batch={"input": x, "labels": labels}):
        model(x)
        model.weight.data.mul_(2)
        F.cross_entropy(model(x), labels).backward()
    assert_true(Read(path))


def test_several_steps_in_one_file(path):
    model, (x, labels) = Twice(), data()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with gdstar.Record(path) as record:
        for index in range(2):
            optimizer.zero_grad()
            with gdstar.recording(model, record, batch={"input": x, "labels": labels}, epoch=1, index=index):
                F.cross_entropy(model(x), labels).backward()
            optimizer.step()
    steps = Read(path).header["steps"]
    assert [(step["epoch"], step["index"]) for step in steps] == [(1, 0), (1, 1)]
    assert steps[0]["params"] != steps[1]["params"]


def test_ops_from_arrays(tmp_path):
    path = tmp_path / "ops.safetensors"
    x, dy = np.array([[1.0, -2.0]], dtype=np.float32), np.array([[3.0, 4.0]], dtype=np.float32)
    gdstar.record_op(
        "act", "relu", {}, {"x": x}, {"y": np.maximum(x, 0)}, upstream={"y": dy}, grads={"x": dy * (x > 0)}, to=path,
        arithmetic={"ftz": True}, producer="hand",
    )  # fmt: skip
    read = Read(path)
    (case,) = read.cases
    assert (case["op"], case["diff"], case["upstream"], case["outputs"]) == ("relu", ["x"], ["y"], ["y"])
    assert case["arithmetic"] == {"ftz": True} and read.header["producer"] == "hand"
    assert read.tensor(case["tensors"]["grad/x"]).tolist() == [[3.0, 0.0]]


def test_a_header_larger_than_its_room_is_whole(tmp_path):
    path = tmp_path / "many.safetensors"
    with gdstar.Record(path) as record:
        for i in range(200):
            record.op(f"op{i}", "relu", {}, {"x": np.full(3, i, dtype=np.uint8) * 1.0}, {"y": np.full(i, True)})
    read = Read(path)
    assert read.tensor(read.cases[150]["tensors"]["in/x"]).tolist() == [150.0] * 3


REFUSALS = {
    "no gradients": (
        lambda m, x, y, p: recorded(p, m, x, y, lambda logits, y: logits.sum().detach().requires_grad_()),
        "no parameter has a gradient",
    ),
    "no tensor": (lambda m, x, y, p: gdstar.record_step(m, lambda *_: 1.0, (x, y), p), "loss_fn must return a tensor"),
    "many losses": (lambda m, x, y, p: gdstar.record_step(m, lambda logits, _: logits, (x, y), p), "of one number"),
    "no pair": (lambda m, x, y, p: gdstar.record_step(m, F.cross_entropy, x, p), "must be a tuple"),
    "no model": (
        lambda m, x, y, p: gdstar.record_step(m.forward, F.cross_entropy, (x, y), p),
        "must be a torch.nn.Module",
    ),
    "no folder": (
        lambda m, x, y, p: gdstar.record_step(m, F.cross_entropy, (x, y), p.parent / "nowhere" / "f"),
        "no folder",
    ),
    "compiled": (lambda m, x, y, p: gdstar.record_step(torch.compile(m), F.cross_entropy, (x, y), p), "compiled"),
    "strange array": (
        lambda m, x, y, p: gdstar.record_op("a", "relu", {}, {"x": np.zeros(2, complex)}, {"y": np.zeros(2)}, to=p),
        "complex128",
    ),
    "nothing": (lambda m, x, y, p: gdstar.record_op("a", "relu", {}, {"x": np.zeros(2)}, {}, to=p), "nothing to judge"),
    "no upstream": (
        lambda m, x, y, p: gdstar.record_op("a", "relu", {}, {"x": np.zeros(2)}, {}, grads={"x": np.zeros(2)}, to=p),
        "upstream=",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_misuse_is_one_clear_line_and_no_file(path, name):
    act, message = REFUSALS[name]
    with pytest.raises((gdstar.RecordError, FileNotFoundError), match=message) as error:
        act(Twice(), *data(), path)
    assert "\n" not in str(error.value) and str(path.parent) in str(error.value)
    assert list(path.parent.iterdir()) == []


def test_a_step_that_fails_leaves_no_file(path):
    model, (x, labels) = Twice(), data()
    path.write_text("what was there")
    with pytest.raises(ZeroDivisionError), gdstar.recording(model, path):
        model(x)
        1 / 0
    assert path.read_text() == "what was there" and list(path.parent.iterdir()) == [path]
    # Nothing of the recorder is left behind in PyTorch.
    recorded(path, model, x, labels)
    assert json.loads(json.dumps(Read(path).header))["format"] == "gdstar-ops/1"


class Cut(nn.Module):
    """A branch that ends in a ReLU's result and is cut off from the gradient by `cut`."""

    def __init__(self, cut):
        super().__init__()
        self.one, self.two, self.three = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.cut = cut

    def forward(self, x):
        y = F.relu(self.one(x))
        return self.three(torch.sigmoid(y) + self.cut(F.relu(self.two(y))))


@pytest.mark.parametrize(
    ("cut", "told"), [(lambda y: y, 0), (lambda y: y.detach(), 1), (lambda y: y.data, 1)], ids=["none", "detach", "data"]
)
def test_a_detach_is_the_programs_and_not_autograds_own(path, cut, told):
    read = recorded(path, Cut(cut), torch.randn(5, 4), torch.randint(0, 3, (5,)))
    # One more is of the 1 that the backward pass begins with.
    cuts = [case["args"][0]["tensor"] for case in read.cases if case["op"] == "aten.detach.default"]
    assert sum(tensor.startswith("relu") for tensor in cuts) == told
    assert from_nowhere(read) == []
