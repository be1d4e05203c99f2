"""The networks and the distances that the scripts use."""

import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = (64, 128, 256)


def convolution(inputs, outputs, kernel, stride=1):
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs, planes, stride, inner=1):
        super().__init__()
        self.conv1, self.bn1 = convolution(inputs, planes, 3, stride), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = convolution(planes, planes, 3), nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, planes, stride)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.downsample(x)
        return self.relu(y)


class Bottleneck(nn.Module):
    """The 3×3 convolution has the stride, as in torchvision. `inner` is 2 in WideResNet-50-2."""

    expansion = 4

    def __init__(self, inputs, planes, stride, inner=1):
        super().__init__()
        narrow, outputs = inner * planes, 4 * planes
        self.conv1, self.bn1 = convolution(inputs, narrow, 1), nn.BatchNorm2d(narrow)
        self.conv2, self.bn2 = convolution(narrow, narrow, 3, stride), nn.BatchNorm2d(narrow)
        self.conv3, self.bn3 = convolution(narrow, outputs, 1), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = shortcut(inputs, outputs, stride)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        y += self.downsample(x)
        return self.relu(y)


def shortcut(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


# Kind of block, blocks of layer1 to layer4, and factor on the planes inside a block.
ARCHITECTURES = {
    "resnet18": (BasicBlock, (2, 2, 2, 2), 1),
    "resnet50": (Bottleneck, (3, 4, 6, 3), 1),
    "wide-resnet50-2": (Bottleneck, (3, 4, 6, 3), 2),
}


def layer(block, inputs, planes, blocks, stride, inner):
    first = block(inputs, planes, stride, inner)
    return nn.Sequential(first, *(block(block.expansion * planes, planes, 1, inner) for _ in range(1, blocks)))


class Backbone(nn.Module):
    """A ResNet from stem to layer3, with torchvision's names."""

    def __init__(self, architecture="resnet18", width=64):
        super().__init__()
        block, blocks, inner = ARCHITECTURES[architecture]
        wide = block.expansion * width
        self.conv1, self.bn1 = convolution(3, width, 7, 2), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        self.layer1 = layer(block, width, width, blocks[0], 1, inner)
        self.layer2 = layer(block, wide, 2 * width, blocks[1], 2, inner)
        self.layer3 = layer(block, 2 * wide, 4 * width, blocks[2], 2, inner)

    def forward(self, x):
        one = self.layer1(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
        two = self.layer2(one)
        return [one, two, self.layer3(two)]


class Halving(nn.Module):
    """A 3×3 convolution with stride 2, batch norm and ReLU."""

    def __init__(self, channels):
        super().__init__()
        self.conv, self.bn = convolution(channels, 2 * channels, 3, 2), nn.BatchNorm2d(2 * channels)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class UpBlock(nn.Module):
    """A residual block that doubles the side by transposed 2×2 convolutions. It has the names of hq-deng/RD4AD."""

    def __init__(self, block, inputs, planes, inner):
        super().__init__()
        narrow, outputs = inner * planes, block.expansion * planes
        self.basic = block is BasicBlock
        if self.basic:
            self.conv1, self.bn1 = nn.ConvTranspose2d(inputs, planes, 2, 2, bias=False), nn.BatchNorm2d(planes)
            self.conv2, self.bn2 = convolution(planes, planes, 3), nn.BatchNorm2d(planes)
        else:
            self.conv1, self.bn1 = convolution(inputs, narrow, 1), nn.BatchNorm2d(narrow)
            self.conv2, self.bn2 = nn.ConvTranspose2d(narrow, narrow, 2, 2, bias=False), nn.BatchNorm2d(narrow)
            self.conv3, self.bn3 = convolution(narrow, outputs, 1), nn.BatchNorm2d(outputs)
        self.upsample = nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, 2, bias=False), nn.BatchNorm2d(outputs))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if not self.basic:
            y = self.bn3(self.conv3(self.relu(y)))
        y += self.upsample(x)
        return self.relu(y)


class ReverseDistillation(nn.Module):
    """The trained part of reverse distillation (Deng and Li 2022): fusion of the teacher's levels, embedding, decoder.

    The shapes are those of hq-deng/RD4AD, the names those of didact. The coarsest stage of the decoder has as many blocks as layer1 of
    the teacher, the finest as many as layer3.
    """

    def __init__(self, architecture="resnet18", width=64):
        super().__init__()
        block, blocks, inner = ARCHITECTURES[architecture]
        one, two, three = (block.expansion * width * factor for factor in (1, 2, 4))
        self.fusion = nn.ModuleDict({
            "level1": nn.Sequential(Halving(one), Halving(two)),
            "level2": nn.Sequential(Halving(two)),
        })
        self.embedding = layer(block, 3 * three, 8 * width, blocks[3], 2, inner)
        for number, planes, count in ((3, 4 * width, blocks[0]), (2, 2 * width, blocks[1]), (1, width, blocks[2])):
            rest = (block(block.expansion * planes, planes, 1, inner) for _ in range(1, count))
            stage = nn.Sequential(UpBlock(block, 2 * block.expansion * planes, planes, inner), *rest)
            self.add_module(f"layer{number}", stage)

    def forward(self, levels):
        fused = [self.fusion["level1"](levels[0]), self.fusion["level2"](levels[1]), levels[2]]
        three = self.layer3(self.embedding(torch.cat(fused, dim=1)))
        two = self.layer2(three)
        return [self.layer1(two), two, three]


def angle(teacher, predicted):
    """One minus the cosine of whole feature maps, averaged over the images."""
    return (1 - F.cosine_similarity(teacher.flatten(1), predicted.flatten(1))).mean()


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
