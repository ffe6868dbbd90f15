"""Sandler et al. 2018, "MobileNetV2", in the form used on CIFAR-10: ReLU, and stem and second stage without stride."""

import torch.nn.functional as F
from torch import nn

from .blocks import conv, conv_shortcut, depthwise, global_mean

# Expansion, output channels, blocks and first stride of each stage: table 2 of the paper, but for the second's stride.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class InvertedResidual(nn.Module):
    """Expand, convolve each channel, project; no nonlinearity at the end. Without stride there is always a shortcut,
    with a convolution where the channels change."""

    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        planes = expansion * inputs
        self.conv1 = conv(inputs, planes, 1)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = depthwise(planes, 3, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = conv(planes, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.stride = stride
        changes = stride == 1 and inputs != outputs
        self.shortcut = conv_shortcut(inputs, outputs, 1) if changes else nn.Sequential()

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return y + self.shortcut(x) if self.stride == 1 else y


class MobileNetV2(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = conv(3, 32, 3)
        self.bn1 = nn.BatchNorm2d(32)
        blocks, channels = [], 32
        for expansion, outputs, count, stride in STAGES:
            for i in range(count):
                blocks.append(InvertedResidual(channels, outputs, expansion, stride if i == 0 else 1))
                channels = outputs
        self.layers = nn.Sequential(*blocks)
        self.conv2 = conv(channels, 1280, 1)
        self.bn2 = nn.BatchNorm2d(1280)
        self.linear = nn.Linear(1280, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(self.layers(x))))
        return self.linear(global_mean(x))
