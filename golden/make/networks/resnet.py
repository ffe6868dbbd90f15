"""He et al. 2016, section 3 and 4.1 with 1x1 convolutions as shortcuts (option B), and a 3x3 stem without stride or
pooling for small images."""

import torch.nn.functional as F
from torch import nn

from .blocks import conv, conv_shortcut, global_mean


class BasicBlock(nn.Module):
    EXPANSION = 1

    def __init__(self, inputs, planes, stride):
        super().__init__()
        self.conv1 = conv(inputs, planes, 3, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv(planes, planes, 3)
        self.bn2 = nn.BatchNorm2d(planes)
        keeps = stride == 1 and inputs == planes
        self.shortcut = nn.Sequential() if keeps else conv_shortcut(inputs, planes, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class Bottleneck(nn.Module):
    EXPANSION = 4

    def __init__(self, inputs, planes, stride):
        super().__init__()
        outputs = self.EXPANSION * planes
        self.conv1 = conv(inputs, planes, 1)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = conv(planes, planes, 3, stride)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = conv(planes, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs)
        keeps = stride == 1 and inputs == outputs
        self.shortcut = nn.Sequential() if keeps else conv_shortcut(inputs, outputs, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    """`counts`: the number of blocks of each of the four stages."""

    def __init__(self, block, counts, classes):
        super().__init__()
        self.conv1 = conv(3, 64, 3)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for i, (planes, count) in enumerate(zip([64, 128, 256, 512], counts)):
            blocks = []
            for j in range(count):
                blocks.append(block(channels, planes, 2 if i > 0 and j == 0 else 1))
                channels = block.EXPANSION * planes
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(global_mean(x))
