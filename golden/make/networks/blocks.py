"""What several networks are built from."""

from torch import nn


def conv(inputs, outputs, kernel, stride=1, groups=1):
    """A convolution without bias that keeps the image's size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)


def depthwise(channels, kernel, stride=1):
    return conv(channels, channels, kernel, stride, groups=channels)


def conv_shortcut(inputs, outputs, stride):
    """1x1 convolution and batch norm: `shortcut.0` and `shortcut.1`."""
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


def global_mean(x):
    """The mean over height and width: [n, c, h, w] to [n, c]."""
    return x.mean(dim=(2, 3))


def stage(block, inputs, outputs, count, stride):
    """`count` blocks, the first of which changes the channels and strides."""
    blocks = [block(inputs, outputs, stride)]
    blocks += [block(outputs, outputs, 1) for _ in range(count - 1)]
    return nn.Sequential(*blocks)
