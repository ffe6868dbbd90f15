"""Simonyan & Zisserman 2015, configurations D and E, with batch norm and one linear layer."""

import torch.nn.functional as F
from torch import nn

from .blocks import global_mean


class VGG(nn.Module):
    """`counts`: the number of 3x3 convolutions of each of the five stages; a 2x2 max pool ends a stage."""

    def __init__(self, counts, classes):
        super().__init__()
        layers, channels = [], 3
        for outputs, count in zip([64, 128, 256, 512, 512], counts):
            for _ in range(count):
                layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
                channels = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        return self.classifier(global_mean(self.features(x)))
