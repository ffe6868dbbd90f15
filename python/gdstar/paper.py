"""The paper's equations and algorithms over NumPy arrays, computed as the reference computes them.

Arrays are read and changed where they lie, and other threads of Python run meanwhile. They are float32 or float64,
row-major; W is one flat array, the prunable parameters one after the other, or any array with as many elements.
`equations` lists what computes what; each function's text has an example.

>>> import gdstar
>>> for number, function, computes in gdstar.paper.equations()[:2]:
...     print(number, function, computes, sep="  ")
Eq. 1  sum_of_l1_norms  S_abs = sum_i sum_j |g_ij|
Eq. 2  accumulated_squares  G_j = sum_i g_ij^2
"""

from ._gdstar import (
    RewindPoint,
    Selection,
    accumulate_squares,
    accumulated_squares,
    below_threshold,
    chunk_quantiles,
    chunk_sizes,
    computation_saving,
    decay_factor,
    decay_step,
    decayed_weight,
    equations,
    frobenius_norm,
    mask_gradient,
    mean_of_quantiles,
    memory_saving,
    prune_rate,
    quantile,
    rewind_decay,
    select_structured,
    select_weights,
    sum_of_l1_norms,
    sum_of_squared_norms,
    sum_of_squares,
)

__all__ = [
    "RewindPoint", "Selection", "accumulate_squares", "accumulated_squares", "below_threshold", "chunk_quantiles",
    "chunk_sizes", "computation_saving", "decay_factor", "decay_step", "decayed_weight", "equations", "frobenius_norm",
    "mask_gradient", "mean_of_quantiles", "memory_saving", "prune_rate", "quantile", "rewind_decay", "select_structured",
    "select_weights", "sum_of_l1_norms", "sum_of_squared_norms", "sum_of_squares",
]  # fmt: skip
