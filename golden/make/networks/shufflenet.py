"""Ma et al. 2018, "ShuffleNet V2", width 1, in the form used on CIFAR-10: a stem without stride or pooling."""

import torch
import torch.nn.functional as F
from torch import nn

from .blocks import conv, depthwise, global_mean


def shuffle(x):
    """Interleaves the two halves of the channels: a0 b0 a1 b1 .."""
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class BasicBlock(nn.Module):
    """Half of the channels pass; the other half is convolved."""

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.conv1 = conv(half, half, 1)
        self.bn1 = nn.BatchNorm2d(half)
        self.conv2 = depthwise(half, 3)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = conv(half, half, 1)
        self.bn3 = nn.BatchNorm2d(half)

    def forward(self, x):
        kept, y = x.chunk(2, dim=1)
        y = F.relu(self.bn1(self.conv1(y)))
        y = self.bn2(self.conv2(y))
        y = F.relu(self.bn3(self.conv3(y)))
        return shuffle(torch.cat([kept, y], dim=1))


class DownBlock(nn.Module):
    """Both branches see all channels and halve the image."""

    def __init__(self, inputs, outputs):
        super().__init__()
        half = outputs // 2
        self.conv1 = depthwise(inputs, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv2 = conv(inputs, half, 1)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = conv(inputs, half, 1)
        self.bn3 = nn.BatchNorm2d(half)
        self.conv4 = depthwise(half, 3, stride=2)
        self.bn4 = nn.BatchNorm2d(half)
        self.conv5 = conv(half, half, 1)
        self.bn5 = nn.BatchNorm2d(half)

    def forward(self, x):
        left = self.bn1(self.conv1(x))
        left = F.relu(self.bn2(self.conv2(left)))
        right = F.relu(self.bn3(self.conv3(x)))
        right = self.bn4(self.conv4(right))
        right = F.relu(self.bn5(self.conv5(right)))
        return shuffle(torch.cat([left, right], dim=1))


class ShuffleNetV2(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = conv(3, 24, 3)
        self.bn1 = nn.BatchNorm2d(24)
        self.layer1 = self.stage(24, 116, 3)
        self.layer2 = self.stage(116, 232, 7)
        self.layer3 = self.stage(232, 464, 3)
        self.conv2 = conv(464, 1024, 1)
        self.bn2 = nn.BatchNorm2d(1024)
        self.linear = nn.Linear(1024, classes)

    @staticmethod
    def stage(inputs, outputs, count):
        return nn.Sequential(DownBlock(inputs, outputs), *[BasicBlock(outputs) for _ in range(count)])

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.linear(global_mean(x))
