"""What `gdstar export` wrote, in PyTorch and SciPy: the dense file strictly, the masks, and CSR value for value.

    gdstar train --model lenet300 --data digits --epochs 20 --eps 0.01 --out run
    gdstar export run --format safetensors
    python examples/exchange/load_export.py run/export-safetensors --save weights.safetensors
    gdstar evaluate weights.safetensors --model lenet300 --data digits
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from scipy.sparse import csr_matrix
from torch import nn

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


class LeNet300(nn.Module):
    """LeNet-300-100, under the names of a file."""

    def __init__(self, pixels: int, classes: int) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(pixels, 300), nn.Linear(300, 100), nn.Linear(100, classes)


def load(folder: Path, stem: str) -> dict[str, np.ndarray]:
    """The arrays of `stem.safetensors` or `stem.npz`."""
    npz = folder / f"{stem}.npz"
    return dict(np.load(npz)) if npz.exists() else load_file(folder / f"{stem}.safetensors")


def bits(array: np.ndarray) -> np.ndarray:
    """For comparisons that tell -0 from +0."""
    return np.ascontiguousarray(array).view(np.uint8)


def check(folder: Path) -> LeNet300:
    """The exported network, having checked that the three files agree."""
    dense, masks, csr = (load(folder, stem) for stem in ("dense", "masks", "csr"))
    model = LeNet300(dense["fc1.weight"].shape[1], dense["fc3.weight"].shape[0])
    model.load_state_dict({name: torch.from_numpy(array) for name, array in dense.items()}, strict=True)
    for name, mask in masks.items():
        weight = dense[name]
        rows = weight.reshape(weight.shape[0], -1)
        indptr, indices, values, shape = (csr.pop(f"{name}.{part}") for part in ("indptr", "indices", "values", "shape"))
        matrix = csr_matrix((values, indices, indptr), rows.shape)
        matrix.check_format(full_check=True)
        assert tuple(shape) == weight.shape and mask.shape == weight.shape, name
        assert not bits(weight[mask == 0]).any(), f"{name}: an eliminated weight is not +0"
        # In the order of the mask's ones, which also holds where a living weight is 0.
        assert matrix.nnz == mask.sum() and (matrix.indices == np.nonzero(mask.reshape(rows.shape))[1]).all(), name
        assert (bits(values) == bits(weight[mask == 1])).all() and (matrix.toarray() == rows).all(), name
        tensors = map(torch.from_numpy, (indptr, indices, values))
        sparse = torch.sparse_csr_tensor(*tensors, size=rows.shape, check_invariants=True)
        assert sparse.to_dense().equal(torch.from_numpy(rows)), name
    assert csr.keys() == dense.keys() - masks.keys() and all((csr[name] == dense[name]).all() for name in csr)
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `gdstar export` left: of a LeNet-300-100")
    parser.add_argument("--save", type=Path, help="write the network as PyTorch does, for `gdstar evaluate`")
    arguments = parser.parse_args()
    network = check(arguments.folder)
    if arguments.save:
        save_file(network.state_dict(), arguments.save)
    print(f"{arguments.folder}: PyTorch and SciPy read what was written")
