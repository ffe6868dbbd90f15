"""Writes golden/accuracy/<op>.safetensors: hard f32 cases with what PyTorch makes of them in f32, and of the same cases with
their low bits filled in f64.

The truth is not in the files: `cargo test --test suite accuracy::` computes it in double-double arithmetic.
"""

from dataclasses import replace

import numpy as np
import torch

from common import GOLDEN, draw_upstream, write_op_cases
from op import OPS, evaluate


def with_low_bits(case):
    """The case with inputs that use all 53 bits: each float times 1 + h 2^-24, with h in [-1, 1) from a hash of its place
    among all floats of the case (SplitMix64's finalizer, Steele et al. 2014). Zeros stay zeros. `with_low_bits` of
    tests/suite/accuracy.rs fills the same bits."""
    place = 0

    def filled(array):
        nonlocal place
        if not np.issubdtype(array.dtype, np.floating):
            return array
        z = np.arange(place + 1, place + array.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        place += array.size
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h = (z ^ (z >> np.uint64(31))).view(np.int64).astype(np.float64) / 2.0**63
        return array.astype(np.float64) * (1 + h.reshape(array.shape) * 2.0**-24)

    inputs = {name: filled(array) for name, array in case.inputs.items()}
    upstream = {name: filled(dy) for name, dy in case.upstream.items()}
    return replace(case, inputs=inputs, upstream=upstream)


def main():
    for op, module in OPS.items():
        cases = module.hard_cases().cases
        for case in cases:
            outputs, gradients = evaluate(op, case, torch.float32, draw_upstream(op, case))
            in_f64, gradients_in_f64 = evaluate(op, with_low_bits(case), torch.float64)
            case.results = {
                "torch/out": outputs,
                "torch/grad": gradients,
                "torch_f64/out": in_f64,
                "torch_f64/grad": gradients_in_f64,
            }
        write_op_cases(GOLDEN / "accuracy" / f"{op}.safetensors", op, cases)


if __name__ == "__main__":
    main()
