"""pytest shows a check that did not pass as the command would: the report, and the line that asked for it."""

import pytest

from . import _asserted


def pytest_addoption(parser):
    group = parser.getgroup("gdstar")
    group.addoption(
        "--gdstar-allow-inconclusive",
        action="store_true",
        help="let gdstar.assert_op and gdstar.assert_trace pass where something could not be judged",
    )


BEFORE = pytest.StashKey[bool]()


def pytest_configure(config):
    # A test of tests starts pytest within pytest.
    config.stash[BEFORE] = _asserted.inconclusive_is_allowed
    _asserted.inconclusive_is_allowed = config.getoption("--gdstar-allow-inconclusive")


def pytest_unconfigure(config):
    _asserted.inconclusive_is_allowed = config.stash[BEFORE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    failure = call.excinfo and call.excinfo.value
    if isinstance(failure, _asserted.CheckFailed):
        asked = [entry for entry in call.excinfo.traceback if entry.path == item.path][-1:]
        places = "".join(f"{entry.path}:{entry.lineno + 1}: CheckFailed" for entry in asked)
        report.longrepr = f"{failure}{places}"
    return report
