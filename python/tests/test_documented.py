"""Every example that the package's texts show is run."""

import doctest
from importlib import import_module

import pytest

import gdstar
from gdstar import paper

MODULES = [
    "gdstar", "gdstar._error", "gdstar._oracle", "gdstar._asserted", "gdstar.paper", "gdstar.record", "gdstar.step_trace",
    "gdstar.trace",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    failed, _ = doctest.testmod(import_module(name))
    assert failed == 0


@pytest.mark.parametrize("name", [name for name in paper.__all__ if name != "Selection"])
def test_example_of_an_equation(name):
    test = doctest.DocTestParser().get_doctest(getattr(paper, name).__doc__, {}, name, None, 0)
    assert test.examples, "each has one"
    assert doctest.DocTestRunner().run(test).failed == 0


def test_everything_that_is_exported_says_what_it_is():
    assert [name for name in gdstar.__all__ if not getattr(gdstar, name).__doc__] == []
