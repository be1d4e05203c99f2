"""The networks and the distance that both scripts use."""

import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = (64, 128, 256)


def convolution(inputs, outputs, kernel, stride=1):
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = convolution(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.downsample(x)
        return self.relu(y)


class Backbone(nn.Module):
    """ResNet-18 from stem to layer3, with torchvision's names."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = convolution(3, 64, 7, 2), nn.BatchNorm2d(64)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))

    def forward(self, x):
        one = self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
        two = self.layer2(one)
        return [one, two, self.layer3(two)]


class UNet(nn.Module):
    """Depth 2. The skip is concatenated after a projection, without a following convolution; or added; or absent."""

    def __init__(self, channels, depth=2, skip="concat"):
        super().__init__()
        self.kind = skip
        widths = [channels << i for i in range(depth + 1)]
        self.down = nn.ModuleList(
            nn.Sequential(convolution(a, b, 3, 2), nn.BatchNorm2d(b), nn.ReLU(inplace=True))
            for a, b in zip(widths, widths[1:])
        )
        self.up, self.skip, self.after = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for i in range(depth, 0, -1):
            out = widths[i - 1]
            self.up.append(nn.ConvTranspose2d(widths[i], out // 2 if skip == "concat" else out, 2, 2))
            self.skip.append(nn.Conv2d(out, out // 2, 1) if skip == "concat" else nn.Identity())
            inner = nn.Sequential(nn.BatchNorm2d(out), nn.ReLU(inplace=True))
            self.after.append(inner if i > 1 else nn.Identity())

    def forward(self, x):
        skips = []
        for block in self.down:
            skips.append(x)
            x = block(x)
        for up, skip, after in zip(self.up, self.skip, self.after):
            x = after(self.join(up(x), skip(skips.pop())))
        return x

    def join(self, up, skip):
        match self.kind:
            case "concat":
                return torch.cat([up, skip], dim=1)
            case "add":
                return up + skip
            case _:
                return up


def distance(teacher, predicted):
    return ((F.normalize(teacher) - F.normalize(predicted)) ** 2).sum(dim=1)
