"""Tan & Le 2019, "EfficientNet", B0 in the form used on CIFAR-10: a stem without stride, no 1x1 convolution at the
end, squeeze-excite reduced from the block's input channels."""

import torch
import torch.nn.functional as F
from torch import nn

from .blocks import conv, depthwise, global_mean

# Expansion, output channels, blocks, kernel and first stride of each stage.
STAGES = [
    (1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1), (6, 192, 4, 5, 2), (6, 320, 1, 3, 1),
]  # fmt: skip


class SqueezeExcite(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.se1 = nn.Conv2d(channels, squeezed, 1)
        self.se2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        gate = F.silu(self.se1(F.adaptive_avg_pool2d(x, 1)))
        return x * torch.sigmoid(self.se2(gate))


class Block(nn.Module):
    """The first block does not expand. The common collection gives it an expansion convolution all the same, conv1
    and bn1, that it never calls: 1,088 parameters that are not here."""

    def __init__(self, inputs, outputs, expansion, kernel, stride):
        super().__init__()
        planes = expansion * inputs
        self.expands = expansion != 1
        if self.expands:
            self.conv1 = conv(inputs, planes, 1)
            self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = depthwise(planes, kernel, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.se = SqueezeExcite(planes, inputs // 4)
        self.conv3 = conv(planes, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x):
        y = F.silu(self.bn1(self.conv1(x))) if self.expands else x
        y = F.silu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.se(y)))
        return y + x if self.skips else y


class EfficientNetB0(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = conv(3, 32, 3)
        self.bn1 = nn.BatchNorm2d(32)
        blocks, channels = [], 32
        for expansion, outputs, count, kernel, stride in STAGES:
            for i in range(count):
                blocks.append(Block(channels, outputs, expansion, kernel, stride if i == 0 else 1))
                channels = outputs
        self.layers = nn.Sequential(*blocks)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.layers(F.silu(self.bn1(self.conv1(x))))
        return self.linear(global_mean(x))
