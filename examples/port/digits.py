"""The 1,797 handwritten digits that are embedded in the program, split and normalised as it does (src/data/digits.rs).

E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
doi:10.24432/C50P49, CC BY 4.0.
"""

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

TABLE = Path(__file__).resolve().parents[2] / "src" / "data" / "digits.csv.gz"
MAX_PIXEL = 16
MEAN, STD = 0.3051, 0.3762  # of pixel / 16 over the training split


class Digits(NamedTuple):
    """Inputs `[n, 64]` in the dtype asked for, and labels `[n]`."""

    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray


def load(dtype: type = np.float32) -> Digits:
    """1,442 digits for training and 355 for testing: every fifth of each class, in the table's order, is for testing.

    The `indices` of a trace count within the training split. The input is (pixel / 16 - mean) / std, computed in f64
    and rounded once.
    """
    table = np.loadtxt(gzip.open(TABLE, "rt"), delimiter=",", dtype=np.int64)  # 64 pixels and the label
    pixels, labels = table[:, :64], table[:, 64]
    x = ((pixels / MAX_PIXEL - MEAN) / STD).astype(dtype)
    is_test = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        is_test[np.flatnonzero(labels == digit)[4::5]] = True
    return Digits(x[~is_test], labels[~is_test], x[is_test], labels[is_test])
