"""The paper's networks in PyTorch, written from the architectures, with the parameter names everybody uses: those of
the common CIFAR collections, and torchvision's for InceptionV3. Dropout and stochastic depth are left out: they are
off wherever these networks are compared with others.
"""

from dataclasses import dataclass
from typing import Callable

from torch import nn

from .densenet import DenseNet
from .efficientnet import EfficientNetB0
from .inception import InceptionV3
from .lenet import LeNet, LeNet300
from .mobilenet import MobileNetV2
from .resnet import BasicBlock, Bottleneck, ResNet
from .resnet_cifar import ResNet20
from .shufflenet import ShuffleNetV2
from .vgg import VGG

CIFAR = (3, 32, 32)


@dataclass(frozen=True)
class Entry:
    """A network for images of shape `input` (channels, height, width) by default, and how many parameters it has then,
    with 10 classes."""

    parameters: int
    make: Callable[[tuple, int], nn.Module]
    input: tuple = CIFAR

    def build(self, input=None, classes=10):
        model = self.make(input or self.input, classes)
        if (input or self.input) == self.input and classes == 10:
            count = sum(p.numel() for p in model.parameters())
            assert count == self.parameters, f"{count:,} parameters, not {self.parameters:,}"
        return model


NETWORKS = {
    "lenet300": Entry(266_610, lambda input, classes: LeNet300(input, classes), (1, 28, 28)),
    "lenet": Entry(62_006, lambda input, classes: LeNet(input, classes)),
    "vgg16": Entry(14_728_266, lambda input, classes: VGG([2, 2, 3, 3, 3], classes)),
    "vgg19bn": Entry(20_040_522, lambda input, classes: VGG([2, 2, 4, 4, 4], classes)),
    "inceptionv3": Entry(21_806_058, lambda input, classes: InceptionV3(input, classes)),
    "resnet18": Entry(11_173_962, lambda input, classes: ResNet(BasicBlock, [2, 2, 2, 2], classes)),
    "resnet34": Entry(21_282_122, lambda input, classes: ResNet(BasicBlock, [3, 4, 6, 3], classes)),
    "resnet50": Entry(23_520_842, lambda input, classes: ResNet(Bottleneck, [3, 4, 6, 3], classes)),
    "resnet20": Entry(269_722, lambda input, classes: ResNet20(classes)),
    "shufflenetv2": Entry(1_263_854, lambda input, classes: ShuffleNetV2(classes)),
    "efficientnetb0": Entry(3_598_598, lambda input, classes: EfficientNetB0(classes)),
    "mobilenetv2": Entry(2_296_922, lambda input, classes: MobileNetV2(classes)),
    "densenetc": Entry(1_000_618, lambda input, classes: DenseNet(12, classes)),
    "densenet121": Entry(6_956_298, lambda input, classes: DenseNet(32, classes)),
}
