"""What other implementations select on the same numbers: golden/peers/NAME.safetensors.

    pip install torch==2.14.1 numpy safetensors && pip install --no-deps rigl-torch==0.5.2 fastsparse==0.0.5
    python golden/make/peers.py

| file | whose | what |
|---|---|---|
| `torch` | `torch.nn.utils.prune` | magnitude pruning of a layer, of all layers together, and of what a pruning has left |
| `rigl_torch` | `rigl-torch` | RigL's drop and grow, update after update, of a network that trains |
| `fastsparse` | `fastsparse` | ERK's and ER's sparsities of each layer |

JaxPruner, open_lth and the authors' own code are in no registry.
"""

import ast
import importlib.metadata
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch.nn.utils import prune

GOLDEN = Path(__file__).resolve().parent.parent
torch.set_num_threads(1)


def write(name, package, tensors, cases):
    path = GOLDEN / "peers" / f"{name}.safetensors"
    path.parent.mkdir(exist_ok=True)
    about = {"package": package, "version": importlib.metadata.version(package), "torch": torch.__version__,
             "cases": cases}
    arrays = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
    save_file(arrays, path, {"gdstar-peer": json.dumps(about)})
    print(f"{path.relative_to(GOLDEN.parent)}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")


def flags(mask):
    return mask.detach().numpy().astype(np.uint8)


# ---- torch.nn.utils.prune


def magnitudes(generator, shape):
    """No two of one size: PyTorch promises nothing of ties."""
    n = int(np.prod(shape))
    sizes = (generator.permutation(n) + 1) / 64 + generator.uniform(0, 1 / 128)
    return torch.tensor((sizes * generator.choice([-1, 1], n)).reshape(shape), dtype=torch.float32)


def torch_prune():
    generator, tensors, cases = np.random.default_rng(1), {}, []
    for shape in [(7,), (5, 9), (4, 3, 3, 3)]:
        for amount in [0.0, 0.1, 0.25, 0.5, 0.77, 0.9, 1.0]:
            name = f"layer-{len(cases)}"
            module = torch.nn.Module()
            module.w = torch.nn.Parameter(magnitudes(generator, shape))
            tensors[f"{name}/weights/0"] = module.w.detach().numpy().copy()
            prune.l1_unstructured(module, "w", amount=amount)
            tensors[f"{name}/mask/0"] = flags(module.w_mask)
            cases.append({"name": name, "amount": amount, "layers": 1})
    for amount in [0.2, 0.5, 0.85]:
        name, modules = f"all-{amount}", []
        together = magnitudes(generator, (60,))
        for i, (start, shape) in enumerate([(0, (5, 4)), (20, (8, 5))]):
            module = torch.nn.Module()
            module.w = torch.nn.Parameter(together[start : start + int(np.prod(shape))].reshape(shape).clone())
            tensors[f"{name}/weights/{i}"] = module.w.detach().numpy().copy()
            modules.append(module)
        prune.global_unstructured([(m, "w") for m in modules], pruning_method=prune.L1Unstructured, amount=amount)
        for i, module in enumerate(modules):
            tensors[f"{name}/mask/{i}"] = flags(module.w_mask)
        cases.append({"name": name, "amount": amount, "layers": 2})
    # Level after level, each of what the one before has left.
    module = torch.nn.Module()
    module.w = torch.nn.Parameter(magnitudes(generator, (6, 9)))
    tensors["levels/weights/0"] = module.w.detach().numpy().copy()
    for level in range(4):
        prune.l1_unstructured(module, "w", amount=0.3)
        tensors[f"levels/mask/{level}"] = flags(module.w_mask)
    cases.append({"name": "levels", "amount": 0.3, "layers": 1, "levels": 4})
    write("torch", "torch", tensors, cases)


# ---- rigl-torch


def rigl_torch():
    # It asks torchvision for the names of two kinds of blocks alone.
    resnet = types.SimpleNamespace(Bottleneck=type("Bottleneck", (), {}), BasicBlock=type("BasicBlock", (), {}))
    sys.modules["torchvision"] = types.ModuleType("torchvision")
    sys.modules["torchvision"].models = types.SimpleNamespace(resnet=resnet)
    from rigl_torch.RigL import RigLScheduler

    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), torch.nn.Flatten(), torch.nn.Linear(64, 12), torch.nn.ReLU(),
                                torch.nn.Linear(12, 5))  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    every, end, alpha, density = 3, 20, 0.6, 0.4
    scheduler = RigLScheduler(model, optimizer, dense_allocation=density, T_end=end, delta=every, alpha=alpha,
                              ignore_linear_layers=False)  # fmt: skip
    tensors, updates = {}, []
    layers = [l for l, s in enumerate(scheduler.S) if s > 0]
    for l in layers:
        tensors[f"start/mask/{l}"] = flags(scheduler.backward_masks[l])
    x, y = torch.randn(40, 2, 6, 6), torch.randint(5, (40,))
    for step in range(24):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        before = {l: (scheduler.W[l].detach().clone(), scheduler.backward_masks[l].clone()) for l in layers}
        dense = {l: scheduler.backward_hook_objects[l].dense_grad for l in layers}
        if scheduler():
            optimizer.step()
            continue
        c = step + 1
        updates.append({"c": c, "fraction": float(scheduler.cosine_annealing())})
        for l in layers:
            tensors[f"{c}/weights_before/{l}"] = before[l][0].numpy()
            tensors[f"{c}/mask_before/{l}"] = flags(before[l][1])
            tensors[f"{c}/grad/{l}"] = dense[l].numpy().copy()
            tensors[f"{c}/mask/{l}"] = flags(scheduler.backward_masks[l])
            tensors[f"{c}/weights_after/{l}"] = scheduler.W[l].detach().numpy().copy()
    cases = {"layers": layers, "every": every, "end": end, "alpha": alpha, "sparsity": 1 - density, "updates": updates}
    write("rigl_torch", "rigl-torch", tensors, cases)


# ---- fastsparse

NETWORKS = {
    "mlp": [(300, 784), (100, 300), (10, 100)],
    "lenet5": [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)],
    "small": [(4, 6), (3, 4)],
    "mixed": [(8, 3, 3, 3), (16, 8, 3, 3), (16, 16, 1, 1), (10, 64)],
}


def function_of(package, name):
    """A function of an installed package whose module needs more than is installed here."""
    source = Path(importlib.metadata.distribution(package).locate_file(f"{package}/core.py"))
    tree = ast.parse(source.read_text())
    tree.body = [x for x in tree.body if isinstance(x, ast.FunctionDef) and x.name == name]
    scope = {"np": np, "torch": torch}
    exec(compile(tree, str(source), "exec"), scope)
    return scope[name]


def fastsparse():
    erdos_renyi = function_of("fastsparse", "erdos_renyi_sparsity")
    tensors, cases = {}, []
    for network, shapes in NETWORKS.items():
        params = [torch.empty(shape) for shape in shapes]
        for sparsity in [0.31, 0.5, 0.8, 0.9, 0.95]:
            for kind, include_kernel in [("erk", True), ("er", False)]:
                name = f"{network}-{kind}-{sparsity}"
                found = erdos_renyi(params, sparsity, include_kernel=include_kernel)
                tensors[name] = np.array([float(s) for s in found])
                cases.append({"name": name, "distribution": kind, "sparsity": sparsity, "shapes": shapes})
    write("fastsparse", "fastsparse", tensors, cases)


if __name__ == "__main__":
    torch_prune()
    rigl_torch()
    fastsparse()
