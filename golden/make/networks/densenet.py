"""Huang et al. 2017, "Densely Connected Convolutional Networks", with bottlenecks and compression by a half
(DenseNet-BC), blocks of 6, 12, 24 and 16 layers, and a 3x3 stem without stride or pooling for small images."""

import torch
import torch.nn.functional as F
from torch import nn

from .blocks import conv, global_mean


class Bottleneck(nn.Module):
    """`growth` new channels, put before the old ones."""

    def __init__(self, inputs, growth):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = conv(inputs, 4 * growth, 1)
        self.bn2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = conv(4 * growth, growth, 3)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        return torch.cat([y, x], dim=1)


class Transition(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.bn = nn.BatchNorm2d(inputs)
        self.conv = conv(inputs, outputs, 1)

    def forward(self, x):
        return F.avg_pool2d(self.conv(F.relu(self.bn(x))), 2)


class DenseNet(nn.Module):
    def __init__(self, growth, classes):
        super().__init__()
        channels = 2 * growth
        self.conv1 = conv(3, channels, 3)
        for i, count in enumerate([6, 12, 24, 16], start=1):
            layers = [Bottleneck(channels + j * growth, growth) for j in range(count)]
            setattr(self, f"dense{i}", nn.Sequential(*layers))
            channels += count * growth
            if i < 4:
                setattr(self, f"trans{i}", Transition(channels, channels // 2))
                channels //= 2
        self.bn = nn.BatchNorm2d(channels)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.trans1(self.dense1(self.conv1(x)))
        x = self.trans2(self.dense2(x))
        x = self.trans3(self.dense3(x))
        x = F.relu(self.bn(self.dense4(x)))
        return self.linear(global_mean(x))
