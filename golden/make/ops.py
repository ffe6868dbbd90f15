"""Writes golden/ops/<op>.safetensors: every op forward and backward, by PyTorch in f64."""

import numpy as np
import torch

from common import GOLDEN, draw_upstream, write_op_cases
from op import OPS, evaluate


def check_exact(op, case, outputs, gradients):
    """An exact case must have results that f32 holds and that PyTorch's own f32 agrees with."""
    in_f32 = evaluate(op, case, torch.float32)
    for results, results32 in zip((outputs, gradients), in_f32):
        for name, array in results.items():
            assert np.array_equal(array, results32[name]), f"{op}/{case.name}: {name} is not exact"


def main():
    for op, module in OPS.items():
        cases = module.ordinary_cases().cases
        for case in cases:
            outputs, gradients = evaluate(op, case, torch.float64, draw_upstream(op, case))
            if case.name.startswith("exact-"):
                check_exact(op, case, outputs, gradients)
            case.results = {"expected/out": outputs, "expected/grad": gradients}
        write_op_cases(GOLDEN / "ops" / f"{op}.safetensors", op, cases)


if __name__ == "__main__":
    main()
