"""Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", InceptionV3 in torchvision's
layout, without the auxiliary head.

From 75x75 pixels on (the least that torchvision takes) the stem is torchvision's. For smaller images its convolutions
1a, 2a and 4a have stride 1 and padding 1 and both max pools are left out, so that Mixed_5b sees every pixel.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .blocks import global_mean

SMALLEST_FULL_STEM = 75


class BasicConv2d(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


def across(inputs, outputs):
    """1 row of 7."""
    return BasicConv2d(inputs, outputs, (1, 7), padding=(0, 3))


def down(inputs, outputs):
    """1 column of 7."""
    return BasicConv2d(inputs, outputs, (7, 1), padding=(3, 0))


def mean3x3(x):
    """The mean of 3x3 pixels; those outside of the image are zeros that count."""
    return F.avg_pool2d(x, 3, stride=1, padding=1)


class InceptionA(nn.Module):
    """Mixed_5b to 5d."""

    def __init__(self, inputs, pooled):
        super().__init__()
        self.branch1x1 = BasicConv2d(inputs, 64, 1)
        self.branch5x5_1 = BasicConv2d(inputs, 48, 1)
        self.branch5x5_2 = BasicConv2d(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = BasicConv2d(inputs, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, padding=1)
        self.branch_pool = BasicConv2d(inputs, pooled, 1)

    def forward(self, x):
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(mean3x3(x))], dim=1)


class InceptionB(nn.Module):
    """Mixed_6a: halves the image."""

    def __init__(self, inputs):
        super().__init__()
        self.branch3x3 = BasicConv2d(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = BasicConv2d(inputs, 64, 1)
        self.branch3x3dbl_2 = BasicConv2d(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = BasicConv2d(96, 96, 3, stride=2)

    def forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, stride=2)], dim=1)


class InceptionC(nn.Module):
    """Mixed_6b to 6e: 7x7 windows in two factors."""

    def __init__(self, inputs, planes):
        super().__init__()
        self.branch1x1 = BasicConv2d(inputs, 192, 1)
        self.branch7x7_1 = BasicConv2d(inputs, planes, 1)
        self.branch7x7_2 = across(planes, planes)
        self.branch7x7_3 = down(planes, 192)
        self.branch7x7dbl_1 = BasicConv2d(inputs, planes, 1)
        self.branch7x7dbl_2 = down(planes, planes)
        self.branch7x7dbl_3 = across(planes, planes)
        self.branch7x7dbl_4 = down(planes, planes)
        self.branch7x7dbl_5 = across(planes, 192)
        self.branch_pool = BasicConv2d(inputs, 192, 1)

    def forward(self, x):
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(mean3x3(x))], dim=1)


class InceptionD(nn.Module):
    """Mixed_7a: halves the image."""

    def __init__(self, inputs):
        super().__init__()
        self.branch3x3_1 = BasicConv2d(inputs, 192, 1)
        self.branch3x3_2 = BasicConv2d(192, 320, 3, stride=2)
        self.branch7x7x3_1 = BasicConv2d(inputs, 192, 1)
        self.branch7x7x3_2 = across(192, 192)
        self.branch7x7x3_3 = down(192, 192)
        self.branch7x7x3_4 = BasicConv2d(192, 192, 3, stride=2)

    def forward(self, x):
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, F.max_pool2d(x, 3, stride=2)], dim=1)


class InceptionE(nn.Module):
    """Mixed_7b and 7c: branches that end side by side in a row and a column of 3."""

    def __init__(self, inputs):
        super().__init__()
        self.branch1x1 = BasicConv2d(inputs, 320, 1)
        self.branch3x3_1 = BasicConv2d(inputs, 384, 1)
        self.branch3x3_2a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = BasicConv2d(inputs, 448, 1)
        self.branch3x3dbl_2 = BasicConv2d(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = BasicConv2d(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = BasicConv2d(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = BasicConv2d(inputs, 192, 1)

    def forward(self, x):
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(mean3x3(x)),
        ]
        return torch.cat(branches, dim=1)


class InceptionV3(nn.Module):
    def __init__(self, input, classes):
        super().__init__()
        self.full_stem = min(input[1:]) >= SMALLEST_FULL_STEM
        stride, padding = (2, 0) if self.full_stem else (1, 1)
        self.Conv2d_1a_3x3 = BasicConv2d(3, 32, 3, stride, padding)
        self.Conv2d_2a_3x3 = BasicConv2d(32, 32, 3, padding=padding)
        self.Conv2d_2b_3x3 = BasicConv2d(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = BasicConv2d(64, 80, 1)
        self.Conv2d_4a_3x3 = BasicConv2d(80, 192, 3, padding=padding)
        mixed = {"5b": InceptionA(192, 32), "5c": InceptionA(256, 64), "5d": InceptionA(288, 64)}
        mixed["6a"] = InceptionB(288)
        mixed |= {name: InceptionC(768, planes) for name, planes in zip(["6b", "6c", "6d", "6e"], [128, 160, 160, 192])}
        mixed["7a"] = InceptionD(768)
        mixed |= {"7b": InceptionE(1280), "7c": InceptionE(2048)}
        for name, module in mixed.items():
            setattr(self, f"Mixed_{name}", module)
        self.mixed = list(mixed)
        self.fc = nn.Linear(2048, classes)

    def pool(self, x):
        return F.max_pool2d(x, 3, stride=2) if self.full_stem else x

    def forward(self, x):
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.pool(x)))
        x = self.pool(x)
        for name in self.mixed:
            x = getattr(self, f"Mixed_{name}")(x)
        return self.fc(global_mean(x))
