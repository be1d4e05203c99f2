"""Records PyTorch's results for the networks of src/model: tests/golden/networks.json.

    python3 -m venv venv && venv/bin/pip install torch
    venv/bin/python benches/pytorch/record_networks.py [FILE]

No weights are stored. The formula of `record_operations.py` computes every tensor of a network from its shape and its place among the
names in alphabetical order. Everything is computed in float64; the file holds a few values of each result with nine digits.
"""

import json
import math
import sys
from pathlib import Path

import torch

from networks import Backbone, ReverseDistillation, angle
from record_operations import formula

ABOUT = (
    "PyTorch's values, recorded by benches/pytorch/record_networks.py in float64. "
    "Value k (from 0, row-major in PyTorch's order) of a tensor with seed s is "
    "v = float32(((1103515245 * (k + s) + 12345) % 2^31) / 2^30 - 1); then, in float32, v * scale, and v * v + square_plus if it has that. "
    "The tensor at place p (from 0) among a network's names in alphabetical order has seed 1000003 * (p + 1). A convolution or transposed "
    "convolution has scale sqrt(6 / fan-in), rounded to float32, where the fan-in is the product of its shape after the first side. "
    "running_mean has scale 0.1; the other tensors of a batch norm have scale 1 and square_plus 0.5. "
    "Inputs are NCHW with scale 1. Results: the mean and the L2 norm over all values, and values by flat place in PyTorch's order."
)
# With this seed of the teacher's features, every input of a ReLU in a step is at least 6e-5 away from 0. With others, rounding decides on
# which side an input is, and the gradients of so few positions change by a hundredth.
IMAGE_SEED, TEACHER_SEED = 7, 32
SAMPLES = 6


def fill(network):
    """Sets every parameter and running statistic by the formula."""
    tensors = {n: t for n, t in network.state_dict().items() if not n.endswith("num_batches_tracked")}
    for place, name in enumerate(sorted(tensors)):
        tensor = tensors[name]
        # With biases around 0, the gradients of so few positions would be ill-conditioned: float32 would miss them by a tenth.
        change = {"square_plus": 0.5}
        if tensor.dim() == 4:
            change = {"scale": float(torch.tensor(math.sqrt(6 / math.prod(tensor.shape[1:])), dtype=torch.float32))}
        elif name.endswith("running_mean"):
            change = {"scale": 0.1}
        tensor.copy_(formula(tuple(tensor.shape), 1000003 * (place + 1), **change))


def nine(value):
    return float(f"{value:.9g}") + 0.0


def summary(tensor):
    """Returns mean, norm and a few values, spread over the tensor."""
    flat = tensor.detach().flatten()
    places = [(2 * i + 1) * flat.numel() // (2 * SAMPLES) for i in range(SAMPLES)]
    samples = [{"place": place, "value": nine(flat[place].item())} for place in places]
    return {"shape": list(tensor.shape), "mean": nine(flat.mean().item()), "l2": nine(flat.norm().item()), "samples": samples}


@torch.no_grad()
def features(architecture, width, side):
    network = Backbone(architecture, width).double().eval()
    fill(network)
    images = formula((2, 3, side, side), IMAGE_SEED)
    levels = [summary(level) for level in network(images)]
    return {"architecture": architecture, "width": width, "images": [2, 3, side, side], "seed": IMAGE_SEED, "levels": levels}


def step(architecture, width, finest, watched):
    """Takes one step of reverse distillation with Adam 0.005 and betas 0.5 and 0.999, as hq-deng/RD4AD does."""
    network = ReverseDistillation(architecture, width).double().train()
    fill_without_gradients = torch.no_grad()(fill)
    fill_without_gradients(network)
    expansion = 1 if architecture == "resnet18" else 4
    shapes = [(2, expansion * width << level, finest >> level, finest >> level) for level in range(3)]
    # Features after ReLU are not negative.
    teacher = [formula(shape, TEACHER_SEED + level).relu() for level, shape in enumerate(shapes)]
    adam = torch.optim.Adam(network.parameters(), lr=0.005, betas=(0.5, 0.999))
    losses = [angle(t, s) for t, s in zip(teacher, network(teacher))]
    adam.zero_grad()
    sum(losses).backward()
    named = dict(network.named_parameters())
    gradients = [{"name": name, **summary(named[name].grad)} for name in watched]
    adam.step()
    after = [{"name": name, **summary(named[name])} for name in watched]
    statistics = [{"name": "embedding.0.bn1.running_mean", **summary(network.state_dict()["embedding.0.bn1.running_mean"])}]
    return {
        "architecture": architecture,
        "width": width,
        "teacher": [{"shape": list(shape), "seed": TEACHER_SEED + level} for level, shape in enumerate(shapes)],
        "losses": [nine(loss.item()) for loss in losses],
        "gradients": gradients,
        "after": after + statistics,
    }


BASIC = [
    "fusion.level1.0.conv.weight",
    "fusion.level2.0.bn.bias",
    "embedding.0.conv1.weight",
    "embedding.1.bn2.weight",
    "layer3.0.conv1.weight",
    "layer3.0.upsample.0.weight",
    "layer2.1.conv2.weight",
    "layer1.0.conv2.weight",
    "layer1.1.bn2.bias",
]
BOTTLENECK = [
    "fusion.level1.1.conv.weight",
    "embedding.0.conv2.weight",
    "embedding.2.bn3.weight",
    "layer3.0.conv2.weight",
    "layer3.0.conv3.weight",
    "layer2.0.upsample.0.weight",
    "layer1.0.conv1.weight",
    "layer1.5.bn3.bias",
]


def main():
    path = Path(__file__).parents[2] / "tests/golden/networks.json"
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
    recorded = {
        "about": ABOUT,
        "features": [features("resnet50", 8, 64), features("wide-resnet50-2", 64, 64)],
        "steps": [step("resnet18", 8, 16, BASIC), step("wide-resnet50-2", 4, 16, BOTTLENECK)],
    }
    path.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes; losses {[s['losses'] for s in recorded['steps']]}")


if __name__ == "__main__":
    main()
