"""Writes samples.json beside this script: samples, and what SciPy and plain enumeration make of them.

Deviations and Student's intervals are scipy.stats.t.interval's, interquartile means scipy.stats.trim_mean's. The bootstrap's
interval of a small sample is bounded without a random number: all its resamples are listed with their statistic, and each
end lies between their quantiles 0.8 % to either side of 2.5 % and 97.5 %, five deviations of a share of 10,000 draws.

    pip install numpy scipy && python tests/experiments/statistics/make.py
"""

import itertools
import json
from pathlib import Path

import numpy as np
from scipy import stats

SAMPLES = {
    "five_accuracies": [97.62, 97.71, 97.55, 97.8, 97.64],
    "four": [1.0, 2.0, 4.0, 8.0],
    "three": [0.5, 0.25, 4.0],
    "two": [-3.0, 5.0],
    "outlier": [1.0, 1.1, 0.9, 1.05, 250.0, 0.95],
    "nine": [2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0, 8.0, 2.0],
}

STRATA = {
    "two_networks": [[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]],
    "three_networks": [[0.3, 0.1, -0.2], [1.1, 0.7, 0.9], [-0.4, 0.2]],
}


def ends(strata, statistic):
    resamples = itertools.product(*(itertools.product(stratum, repeat=len(stratum)) for stratum in strata))
    values = np.sort([statistic(np.concatenate(drawn)) for drawn in resamples])
    share = np.arange(1, len(values) + 1) / len(values)
    return [[values[np.searchsorted(share, end + off)] for off in (-0.008, 0.008)] for end in (0.025, 0.975)]


def main():
    samples = []
    for name, values in SAMPLES.items():
        n, mean, deviation = len(values), np.mean(values), np.std(values, ddof=1)
        student = stats.t.interval(0.95, n - 1, mean, deviation / np.sqrt(n))
        samples.append({
            "name": name, "values": values, "mean": mean, "deviation": deviation, "student": student,
            "interquartile_mean": stats.trim_mean(values, 0.25),
            "bootstrap": ends([values], np.mean) if n <= 6 else None,
        })  # fmt: skip
    strata = [
        {"name": name, "values": values, "bootstrap": ends(values, lambda x: stats.trim_mean(x, 0.25))}
        for name, values in STRATA.items()
    ]
    text = json.dumps({"samples": samples, "strata": strata}, indent=1)
    Path(__file__).with_name("samples.json").write_text(text + "\n")


main()
