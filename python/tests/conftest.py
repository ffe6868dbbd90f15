"""What tests share: the command, which the package's answers are held against."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest_plugins = ["pytester"]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def command():
    """Runs `gdstar` with arguments: what it prints and its exit code."""
    path = os.environ.get("GDSTAR_COMMAND") or shutil.which("gdstar")
    if path is None:
        pytest.skip("GDSTAR_COMMAND does not name the command, and there is no gdstar on the path")

    def run(*arguments):
        done = subprocess.run([path, *map(str, arguments)], capture_output=True)
        return done.stdout.decode(), done.stderr.decode(), done.returncode

    return run


@pytest.fixture
def golden():
    return REPOSITORY / "golden"


HEADER = {
    "format": "gdstar-trace/1", "producer": "a test", "dtype": "f64", "params": ["w"],
    "hyper": {"epochs": 2, "alpha_0": 0.5, "alpha_K": 0.5, "lambda": 0.5, "eps": 0.0, "chunks": 1},
}  # fmt: skip


@pytest.fixture
def trace():
    """The arrays and the header of a small trace that is right."""
    g = np.array([9.0, 16.0, 0.0, 1.0])
    arrays = {"epoch/0/G/w": g, "epoch/0/S_sq": np.array([26.0]), "epoch/0/S_F": np.array([np.sqrt(26.0)])}
    return arrays, HEADER
