"""The same run in PyTorch: a plain training loop, GDSTAR added to it (`# gdstar`), and a trace of it (`# trace`).

    python examples/port/torch_port.py --out torch_port.safetensors
    gdstar check torch_port.safetensors

Tracing takes the lines marked `# trace`, and no change to any other.
"""

import argparse

import digits
import torch
from gdstar_trace import TraceWriter  # trace
from torch import nn
from torch.nn.functional import cross_entropy, relu
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH_SIZE, LR, MOMENTUM, WEIGHT_DECAY = 10, 128, 0.05, 0.9, 5e-4
ALPHA_0, ALPHA_K, LAMBDA, EPS, CHUNKS = 0.95, 0.25, 0.75, 1e-3, 3  # gdstar


class LeNet300(nn.Module):
    """LeNet-300-100 on 64 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(64, 300), nn.Linear(300, 100), nn.Linear(100, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc3(relu(self.fc2(relu(self.fc1(x)))))


class Gdstar:
    """Section 3 of the paper with the default readings, on the parameters given by name."""

    def __init__(self, weights: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
        self.weights, self.optimizer = weights, optimizer
        self.mask = {name: torch.ones_like(w, dtype=torch.bool) for name, w in weights.items()}  # True: alive
        self.minimum, self.k_star = torch.tensor(torch.inf), 0  # Alg. 4, line 1
        self.rewind = {name: w.detach().clone() for name, w in weights.items()}  # W_k*: W_0 until the first update
        self.reset()

    def reset(self) -> None:
        """Every epoch starts with G = 0 (Alg. 4, line 3)."""
        self.G = {name: torch.zeros_like(w) for name, w in self.weights.items()}
        self.S_abs = 0.0

    @torch.no_grad()
    def observe(self) -> None:
        """Eq. 1, 2, after the backward pass: `.grad` is the loss gradient, the optimizer adds weight decay later."""
        for name, w in self.weights.items():
            self.S_abs += w.grad.abs().sum()
            self.G[name] += w.grad**2

    @torch.no_grad()
    def enforce(self) -> None:
        """After every optimizer step: eliminated weights stay 0, and their momentum with them."""
        for name, w in self.weights.items():
            w[~self.mask[name]] = 0
            self.optimizer.state[w]["momentum_buffer"][~self.mask[name]] = 0

    @torch.no_grad()
    def end_of_epoch(self, k: int, trace: TraceWriter) -> None:
        """Alg. 4, then Alg. 5, then Alg. 6."""
        trace.epoch(k, min_before=self.minimum, mask_before=self.mask)  # trace
        G = torch.cat([g.flatten() for g in self.G.values()])
        S_sq = G.sum()  # Eq. 3
        S_F = S_sq.sqrt()  # Eq. 4
        if S_F < self.minimum:  # Alg. 4
            self.minimum, self.k_star = S_F, k
            self.rewind = {name: w.detach().clone() for name, w in self.weights.items()}
        alpha = ALPHA_0 + k / EPOCHS * (ALPHA_K - ALPHA_0)  # Eq. 8
        quantiles = torch.stack([torch.quantile(chunk, alpha) for chunk in G.tensor_split(CHUNKS)])  # Eq. 6
        tau = quantiles.mean()  # Eq. 7
        selected = {name: g < tau for name, g in self.G.items()}  # Eq. 5
        t = k - self.k_star  # Alg. 6
        for name, w in self.weights.items():
            decayed = self.rewind[name] * LAMBDA**t  # Eq. 9
            small = decayed.abs() < EPS
            chosen = selected[name] & self.mask[name]
            w[chosen] = decayed.masked_fill(small, 0)[chosen]
            self.mask[name] = self.mask[name] & ~(chosen & small)
        self.enforce()
        trace.epoch(k, S_abs=self.S_abs, G=self.G, S_sq=S_sq, S_F=S_F, k_star=self.k_star, rewind=self.rewind)  # trace
        trace.epoch(k, alpha=alpha, chunk_quantiles=quantiles, tau=tau, selected=selected, t=t, mask=self.mask)  # trace
        self.reset()


def main() -> None:
    parser = argparse.ArgumentParser(description="GDSTAR in PyTorch, recorded for `gdstar check`.")
    parser.add_argument("--out", default="torch_port.safetensors", help="the trace (default: %(default)s)")
    parser.add_argument("--double", action="store_true", help="f64 in place of f32")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_default_dtype(torch.float64 if args.double else torch.float32)

    data = digits.load("f8" if args.double else "f4")
    train_x, train_y, test_x, test_y = map(torch.from_numpy, data)
    samples = TensorDataset(torch.arange(len(train_y)), train_x, train_y)
    loader = DataLoader(samples, BATCH_SIZE, shuffle=True)
    model = LeNet300()
    optimizer = torch.optim.SGD(model.parameters(), LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)

    weights = dict(model.named_parameters())
    gdstar = Gdstar({name: w for name, w in weights.items() if w.ndim > 1}, optimizer)  # gdstar
    trace = TraceWriter(  # trace
        hyper={  # trace
            "epochs": EPOCHS, "batch_size": BATCH_SIZE, "lr": LR, "momentum": MOMENTUM,  # trace
            "weight_decay": WEIGHT_DECAY, "alpha_0": ALPHA_0, "alpha_K": ALPHA_K, "lambda": LAMBDA,  # trace
            "eps": EPS, "chunks": CHUNKS,  # trace
        },  # trace
        dtype="f64" if args.double else "f32", producer="examples/port/torch_port.py",  # trace
        params=list(gdstar.weights), model="lenet300", dataset="digits",  # trace
    )  # trace
    trace.init(weights)  # trace
    for k in range(EPOCHS):
        for i, (indices, x, labels) in enumerate(loader):
            optimizer.zero_grad()
            loss = cross_entropy(model(x), labels)
            loss.backward()
            trace.batch(k, i, indices, loss, {name: w.grad for name, w in weights.items()})  # trace
            gdstar.observe()  # gdstar
            optimizer.step()
            gdstar.enforce()  # gdstar
        trace.epoch(k, weights_before=weights)  # trace
        gdstar.end_of_epoch(k, trace)  # gdstar
        trace.epoch(k, weights_after=weights)  # trace
        scheduler.step()
        with torch.no_grad():
            accuracy = (model(test_x).argmax(dim=1) == test_y).double().mean()
        print(f"epoch {k}: last batch's loss {loss:.4f}, test accuracy {accuracy:.2%}, k* = {gdstar.k_star}")
    print(f"gdstar check {trace.save(args.out)}")  # trace


if __name__ == "__main__":
    main()
