"""The oracle finds faults that are planted in steps of PyTorch, at the call that has them, and none in steps
without."""

import json
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent / "faults"))
import measure
import wiring

# One fault of each kind that an operator can have; `measure.py planted` has all, in more networks.
SAMPLE = [
    "conv: flipped kernel", "conv: groups ignored", "conv: padding off by one", "conv: two elements swapped",
    "conv: TF32 undeclared", "conv backward: weight gradient the mean over the batch",
    "conv backward: one element of the weight gradient off by 0.1 %", "linear: transposed weight",
    "linear backward: rows permuted", "batch norm: variance of n - 1",
    "batch norm: momentum swapped in the running mean", "batch norm: running variance biased",
    "batch norm backward: term of the variance missing", "relu: a negative number passes",
    "relu backward: by the input of the next layer", "max pool backward: ties to all",
    "average pool: padding not counted", "mean: divided by the rows alone", "log softmax: over the batch",
    "loss: the sum over the batch", "loss backward: labels off by one", "add: an operand lost",
    "cat: parts in another order", "pad: on the other side", "dropout: not rescaled",
    "silu backward: of the gate alone",
]  # fmt: skip


@pytest.fixture
def report(command, tmp_path):
    def judged(name):
        printed, message, code = command("check", "--json", tmp_path / name)
        assert code in (0, 1, 3), message
        return json.loads(printed)

    return judged


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("setting", measure.SETTINGS)
def test_no_alarm_in_a_correct_step(report, tmp_path, setting):
    measure.correct_step("every", measure.SETTINGS[setting], tmp_path / "step")
    assert report("step")["findings"] == []


@pytest.mark.parametrize("name", SAMPLE)
def test_a_fault_is_found_where_it_is(report, tmp_path, name):
    fault = next(fault for fault in measure.PLANTED if fault.name == name)
    case = measure.planted_step(fault, "every", tmp_path / "step")
    found = [(f["case"], f["place"]) for f in report("step")["findings"]]
    assert any((case["name"], place) in found for place in measure.places(fault, case)), found


DROPPED = [fault.name for fault in measure.PLANTED if "dropped" in fault.name]


@pytest.mark.parametrize("name", DROPPED)
def test_one_dropped_product_is_found_in_f64(report, tmp_path, name):
    # Of the first convolution or product of the network, and of the third.
    fault = next(fault for fault in measure.PLANTED if fault.name == name)
    for at in (0, 2):
        case = measure.planted_step(fault, "every", tmp_path / "step", double=True, at=at)
        if case is not None:
            assert case["name"] in {f["case"] for f in report("step")["findings"]}


@pytest.mark.parametrize("wrong", wiring.WIRING, ids=[wrong.name for wrong in wiring.WIRING])
def test_a_fault_between_calls_is_found(report, tmp_path, wrong):
    assert wiring.record(wrong, "every", tmp_path / "step")
    assert report("step")["verdict"] == "FAIL"
