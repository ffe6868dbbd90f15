"""Writes golden/accuracy/<op>.safetensors: hard f32 cases with what PyTorch makes of them in f32.

The truth is not in the files: `cargo test --test suite accuracy::` computes it in double-double arithmetic.
"""

import torch

import hard_cases
from common import GOLDEN, draw_upstream, write_op_cases
from torch_ops import OPS, evaluate


def main():
    assert [make.__name__ for make in hard_cases.ALL] == list(OPS)
    for make in hard_cases.ALL:
        op, cases = make.__name__, make().cases
        for case in cases:
            outputs, gradients = evaluate(op, case, torch.float32, draw_upstream(op, case))
            case.results = {"torch/out": outputs, "torch/grad": gradients}
        write_op_cases(GOLDEN / "accuracy" / f"{op}.safetensors", op, cases)


if __name__ == "__main__":
    main()
