"""GDSTAR for LeNet300 on MNIST as a PyTorch user would write it: the peer of the case `run/gdstar` of benches/measure.

The whole data set is one tensor, batches are slices of a permutation, and the method is section 3 of the paper with its
defaults, an eliminated weight's gradient being zero (`masked_gradient = "zero"`).
"""

import gzip
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

BATCH_SIZE, LR, MOMENTUM, WEIGHT_DECAY = 128, 0.05, 0.9, 5e-4
ALPHA_0, ALPHA_K, LAMBDA, EPS = 0.95, 0.25, 0.75, 5.5e-5
MEAN, STD = 0.1307, 0.3081
QUANTILE_LIMIT = 2**24  # torch.quantile takes no more values


def read_idx(folder, name):
    """The IDX file of this name, gzipped or not, as an array of bytes."""
    for path in [Path(folder) / name, Path(folder) / f"{name}.gz"]:
        if path.exists():
            content = path.read_bytes()
            break
    else:
        raise SystemExit(f"{folder}: expected {name} or {name}.gz, found neither")
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def read_mnist(folder):
    """Training images, their labels, test images, their labels; images normalised, in f32."""
    if (Path(folder) / "mnist").is_dir():
        folder = Path(folder) / "mnist"
    parts = []
    for split in ["train", "t10k"]:
        images = torch.from_numpy(read_idx(folder, f"{split}-images-idx3-ubyte").astype(np.float32))
        labels = torch.from_numpy(read_idx(folder, f"{split}-labels-idx1-ubyte").astype(np.int64))
        parts += [(images / 255 - MEAN).div_(STD).unsqueeze(1), labels]
    return parts


def quantile(values, alpha):
    """Linear interpolation at rank alpha (N - 1)."""
    if values.numel() <= QUANTILE_LIMIT:
        return torch.quantile(values, alpha)
    rank = alpha * (values.numel() - 1)
    below = int(rank)
    lower = torch.kthvalue(values, below + 1).values
    upper = torch.kthvalue(values, min(below + 2, values.numel())).values
    return torch.lerp(lower, upper, rank - below)


class Gdstar:
    """The method on weights `W` (a list of parameters) that `optimizer` trains for `epochs` epochs."""

    def __init__(self, W, optimizer, epochs):
        self.W, self.optimizer, self.epochs = W, optimizer, epochs
        self.mask = [torch.ones_like(w) for w in W]  # 1: alive
        self.G = [torch.zeros_like(w) for w in W]
        self.minimum, self.k_star = float("inf"), 0
        self.rewind = [w.detach().clone() for w in W]

    @torch.no_grad()
    def observe(self):
        """Eq. 2, after the backward pass."""
        for g, w in zip(self.G, self.W):
            g.addcmul_(w.grad, w.grad)

    @torch.no_grad()
    def enforce(self):
        """After the optimizer's step: eliminated weights and their momentum are 0."""
        for w, mask in zip(self.W, self.mask):
            w.mul_(mask)
            self.optimizer.state[w]["momentum_buffer"].mul_(mask)

    @torch.no_grad()
    def end_of_epoch(self, k):
        """Alg. 4, Alg. 5, Alg. 6; the sparsity."""
        for g, mask in zip(self.G, self.mask):
            g.mul_(mask)
        G = torch.cat([g.flatten() for g in self.G])
        S_F = G.sum(dtype=torch.float64).sqrt().item()  # Eq. 3, 4
        if S_F < self.minimum:
            self.minimum, self.k_star = S_F, k
            for rewind, w in zip(self.rewind, self.W):
                rewind.copy_(w)
        alpha = ALPHA_0 + k / self.epochs * (ALPHA_K - ALPHA_0)  # Eq. 8
        tau = quantile(G, alpha)  # Eq. 6, 7 with one chunk
        factor = LAMBDA ** (k - self.k_star)  # Eq. 9
        for w, g, mask, rewind in zip(self.W, self.G, self.mask, self.rewind):
            decayed = rewind * factor
            decayed[decayed.abs() < EPS] = 0
            selected = (g < tau) & (mask != 0)
            w.copy_(torch.where(selected, decayed, w))
            mask[selected & (decayed == 0)] = 0
            g.zero_()
        self.enforce()
        return 1 - sum(mask.sum().item() for mask in self.mask) / G.numel()


@torch.no_grad()
def accuracy(model, images, labels):
    return (model(images).argmax(dim=1) == labels).double().mean().item()


def epochs_of_run(model, method, data, epochs):
    """Trains, and after every epoch yields `(epoch, sparsity, accuracy)`; `method` is "gdstar" or "dense"."""
    images, labels, test_images, test_labels = data
    optimizer = torch.optim.SGD(model.parameters(), LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    gdstar = Gdstar([p for p in model.parameters() if p.ndim > 1], optimizer, epochs) if method == "gdstar" else None
    for k in range(epochs):
        for batch in torch.randperm(len(labels)).split(BATCH_SIZE):
            optimizer.zero_grad()
            cross_entropy(model(images[batch]), labels[batch]).backward()
            if gdstar:
                gdstar.observe()
            optimizer.step()
            if gdstar:
                gdstar.enforce()
        sparsity = gdstar.end_of_epoch(k) if gdstar else 0.0
        scheduler.step()
        yield k, sparsity, accuracy(model, test_images, test_labels)
