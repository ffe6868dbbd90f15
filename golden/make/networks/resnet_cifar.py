"""He et al. 2016, "Deep Residual Learning for Image Recognition", section 4.2: the networks for CIFAR-10."""

import torch.nn.functional as F
from torch import nn

from .blocks import conv, global_mean, stage


class OptionABlock(nn.Module):
    """With shortcuts of option A: every second pixel, new channels zero, half of the new channels in front and half
    behind."""

    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.conv1 = conv(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        self.stride, self.extra = stride, planes - inputs

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.extra:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.extra // 2, self.extra // 2))
        return F.relu(y + x)


class ResNet20(nn.Module):
    """n = 3 blocks a stage."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = conv(3, 16, 3)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = stage(OptionABlock, 16, 16, 3, 1)
        self.layer2 = stage(OptionABlock, 16, 32, 3, 2)
        self.layer3 = stage(OptionABlock, 32, 64, 3, 2)
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(global_mean(x))
