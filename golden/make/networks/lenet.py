"""LeCun et al. 1998, with ReLU."""

from math import prod

import torch
import torch.nn.functional as F
from torch import nn


class LeNet300(nn.Module):
    """Two hidden layers of 300 and 100 units. `input` is the shape of one image."""

    def __init__(self, input, classes=10):
        super().__init__()
        self.fc1 = nn.Linear(prod(input), 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, classes)

    def forward(self, x):
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(F.relu(self.fc2(x)))


class LeNet(nn.Module):
    """LeNet-5 in the form used on CIFAR-10: 5x5 convolutions without padding, 2x2 max pooling."""

    def __init__(self, input, classes):
        super().__init__()
        channels, height, width = input
        rows, columns = [((side - 4) // 2 - 4) // 2 for side in (height, width)]
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * rows * columns, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc3(F.relu(self.fc2(x)))
