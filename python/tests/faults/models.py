"""The networks that faults are planted in: one that has every operator, and some of golden/make/networks on small
images."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "golden" / "make"))
from networks import NETWORKS  # noqa: E402


class Add(torch.autograd.Function):
    """a + b, whose derivative a port may get wrong: `backward` maps the gradient of the sum to those of a and b."""

    @staticmethod
    def forward(ctx, a, b, backward):
        ctx.backward_of = backward
        return a + b

    @staticmethod
    def backward(ctx, g):
        return *ctx.backward_of(g), None


class Every(nn.Module):
    """Every operator of the paper's networks, small. `add`: how the shortcut is added; `drop`: how dropout is done."""

    def __init__(self, add=torch.add, drop=lambda x: F.dropout(x, 0.25)):
        super().__init__()
        self.add, self.drop = add, drop
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.act = nn.ReLU(inplace=True)
        self.grouped = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1)
        self.gate = nn.Conv2d(8, 8, 1)
        self.down = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.bn3 = nn.BatchNorm2d(8)
        self.fc1 = nn.Linear(16, 16)
        self.fc2 = nn.Linear(16, 10)

    def forward(self, x):
        x = self.act(self.bn1(self.conv1(x)))
        y = F.max_pool2d(F.relu(self.bn2(self.grouped(x))), 3, 2, 1)
        x = F.max_pool2d(x, 2)
        x = self.add(self.conv3(y), x)
        x = x * torch.sigmoid(self.gate(F.silu(F.adaptive_avg_pool2d(x, 1))))
        left, right = x.chunk(2, dim=1)
        x = torch.cat([F.pad(right, (0, 0, 0, 0, 2, 2)), left], dim=1)[:, 2:10]
        x = F.relu6(self.bn3(self.depthwise(x)))
        x = torch.cat([self.down(x), F.avg_pool2d(x, 3, 2, 1)], dim=1)
        x = F.relu(self.fc1(x.mean(dim=(2, 3))))
        return self.fc2(self.drop(x))


# Name: how it is made, and its images.
SMALL = {
    "every": (Every, (3, 12, 12)),
    "lenet300": (lambda: NETWORKS["lenet300"].build(), (1, 28, 28)),
    "lenet": (lambda: NETWORKS["lenet"].build(), (3, 32, 32)),
    "resnet20": (lambda: NETWORKS["resnet20"].build((3, 8, 8)), (3, 8, 8)),
}


def build(name, batch=4):
    """A network with weights and a batch that are the same every time."""
    make, image = SMALL[name]
    torch.manual_seed(0)
    model = make()
    # Parameters that start as 0 and 1 would hide what becomes of them.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model, torch.randn(batch, *image), torch.randint(0, 10, (batch,))
