"""pytest shows what the command would, and passes nothing that was not judged unless it is asked to."""

from importlib.metadata import entry_points

import numpy as np
import pytest

import gdstar

# Where the package is installed, pytest finds its plugin by itself.
IS_INSTALLED = any(entry.value == "gdstar.pytest_plugin" for entry in entry_points(group="pytest11"))
PLUGIN = () if IS_INSTALLED else ("-p", "gdstar.pytest_plugin")

WRONG = """
import numpy as np, gdstar

HEADER = {
    "format": "gdstar-trace/1", "producer": "a test", "dtype": "f64", "params": ["w"],
    "hyper": {"epochs": 1, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 0.0, "chunks": 1},
}

def test_method():
    G = np.array([9.0, 16.0])
    gdstar.assert_trace({"epoch/0/G/w": G, "epoch/0/S_sq": np.array([24.0])}, HEADER, name="mine")
"""
NOTHING = WRONG.replace(', "epoch/0/S_sq": np.array([24.0])', "")


def test_a_failure_is_the_report_byte_for_byte_and_the_line_that_asked(pytester):
    path = pytester.makepyfile(WRONG)
    shown = pytester.runpytest_inprocess(*PLUGIN)
    shown.assert_outcomes(failed=1)
    space = {}
    exec(WRONG, space)
    with pytest.raises(gdstar.CheckFailed) as caught:
        space["test_method"]()
    report = caught.value.report
    assert str(caught.value) == str(report) and str(report).startswith("FAIL  mine  (a test)\n")
    told = shown.stdout.str()
    line = path.read_text().splitlines().index("    G = np.array([9.0, 16.0])") + 2
    assert f"\n{report}{path}:{line}: CheckFailed\n" in told
    assert "Traceback" not in told and "\nE  " not in told


def test_what_could_not_be_judged_fails_with_its_reasons_unless_it_is_allowed(pytester):
    pytester.makepyfile(NOTHING)
    shown = pytester.runpytest_inprocess(*PLUGIN)
    shown.assert_outcomes(failed=1)
    shown.stdout.fnmatch_lines(["INCONCLUSIVE  mine  (a test)", "  because nothing could be checked"])
    pytester.runpytest_inprocess(*PLUGIN, "--gdstar-allow-inconclusive").assert_outcomes(passed=1)
    space = {}
    exec(NOTHING.replace('name="mine"', "allow_inconclusive=True"), space)
    space["test_method"]()


def test_what_pytest_was_asked_holds_as_long_as_it_runs(pytester):
    pytester.makepyfile(NOTHING)
    pytester.runpytest_inprocess(*PLUGIN, "--gdstar-allow-inconclusive").assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(failed=1)


def test_a_failure_is_never_allowed(pytester):
    pytester.makepyfile(WRONG)
    shown = pytester.runpytest_inprocess(*PLUGIN, "--gdstar-allow-inconclusive")
    shown.assert_outcomes(failed=1)


def test_other_failures_are_pytests_own(pytester):
    pytester.makepyfile("def test(): assert 1 == 2")
    shown = pytester.runpytest_inprocess(*PLUGIN)
    shown.stdout.fnmatch_lines(["E *assert 1 == 2"])


def linear(rng):
    x, w, b = rng.standard_normal((4, 300)), rng.standard_normal((5, 300)), rng.standard_normal(5)
    x, w, b, dy = (a.astype(np.float32) for a in (x, w, b, rng.standard_normal((4, 5))))
    return {
        "inputs": {"x": x, "w": w, "b": b},
        "outputs": {"y": x @ w.T + b},
        "upstream": {"y": dy},
        "grads": {"x": dy @ w, "w": dy.T @ x, "b": dy.sum(0)},
    }


def test_an_op_that_is_right_passes_whatever_the_order_of_its_sums():
    case = linear(np.random.default_rng(1))
    assert gdstar.assert_op("fc", "linear", **case).passed
    x, w, b = case["inputs"].values()
    y = np.zeros((4, 5), np.float32)
    for j in np.random.default_rng(2).permutation(300):
        y += np.outer(x[:, j], w[:, j])
    assert gdstar.assert_op("fc", "linear", inputs=case["inputs"], outputs={"y": y + b}).passed


@pytest.mark.parametrize("wrong", ["y", "x", "w", "b"])
def test_one_element_that_is_wrong_is_named(wrong):
    case = linear(np.random.default_rng(1))
    group = "outputs" if wrong == "y" else "grads"
    array = case[group][wrong] = case[group][wrong].copy()
    last = tuple(extent - 1 for extent in array.shape)
    array[last] *= 1.01
    with pytest.raises(gdstar.CheckFailed, match="FAIL  fc  ") as caught:
        gdstar.assert_op("fc", "linear", **case)
    findings = caught.value.report.findings
    assert [(finding.tensor.split("/")[-1], finding.index) for finding in findings] == [(wrong, last)]
    assert findings[0].got == float(array[last])


def test_a_record_that_is_kept_is_what_the_command_judges(command, tmp_path):
    case = linear(np.random.default_rng(1))
    case["outputs"]["y"] = case["outputs"]["y"][::-1]
    kept = tmp_path / "fc.safetensors"
    with pytest.raises(gdstar.CheckFailed) as caught:
        gdstar.assert_op("fc", "linear", to=kept, **case)
    told, _, code = command("check", kept)
    assert (str(caught.value), 1) == (told, code)
