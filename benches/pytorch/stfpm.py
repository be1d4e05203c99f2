"""ST-FPM, optionally with one U-Net per level, in plain PyTorch, for comparison with didact."""

import argparse
import copy
import json
import math
import random
import resource
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score
from torch import nn

from metrics import aupro
from networks import CHANNELS, Backbone, UNet, distance

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp"}


def image_files(folder):
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def load_image(path, size):
    pixels = Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)
    tensor = torch.from_numpy(np.asarray(pixels, dtype=np.float32) / 255).permute(2, 0, 1)
    return (tensor - MEAN) / STD


def load_mask(root, path, size):
    kind = path.parent.name
    if kind == "good":
        return np.zeros((size, size), dtype=bool)
    for name in (f"{path.stem}_mask.png", f"{path.stem}.png"):
        mask = root / "ground_truth" / kind / name
        if mask.exists():
            return np.asarray(Image.open(mask).convert("L").resize((size, size), Image.NEAREST)) > 0
    raise FileNotFoundError(f"no mask for {path}")


def load_teacher(path):
    teacher = Backbone()
    state = load_file(path) if path.endswith(".safetensors") else torch.load(path)
    missing = teacher.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise KeyError(f"{path} lacks {', '.join(missing)}")
    return teacher.eval().requires_grad_(False)


def fused(teacher, predicted, side):
    product = 1
    for t, p in zip(teacher, predicted):
        level = distance(t, p).unsqueeze(1)
        product = product * F.interpolate(level, (side, side), mode="bilinear", align_corners=False)
    return product


class Experiment:
    def __init__(self, options):
        self.options = options
        root = Path(options.category)
        self.teacher = load_teacher(options.weights)
        train = torch.stack([load_image(path, options.size) for path in image_files(root / "train" / "good")])
        held = sorted(random.Random(0).sample(range(len(train)), math.ceil(len(train) / 5)))
        self.train = train[[i for i in range(len(train)) if i not in held]]
        self.held_out = train[held]
        layout = torch.channels_last if options.tuned else torch.contiguous_format
        self.teacher = self.teacher.to(memory_format=layout)
        self.train, self.held_out = self.train.to(memory_format=layout), self.held_out.to(memory_format=layout)
        files = [path for kind in sorted((root / "test").iterdir()) for path in image_files(kind)]
        self.test = torch.stack([load_image(path, options.size) for path in files])
        self.masks = [load_mask(root, path, options.size) for path in files]
        self.labels = [path.parent.name != "good" for path in files]
        self.student = Backbone().to(memory_format=layout)
        self.unets = None
        if options.unet:
            self.unets = nn.ModuleList(UNet(c, skip=options.skip) for c in CHANNELS).to(memory_format=layout)
        self.cached = None

    def predict(self, images):
        levels = self.student(images)
        return [net(level) for net, level in zip(self.unets, levels)] if self.unets else levels

    @torch.no_grad()
    def cache(self):
        """Computes the teacher's features once; `--tuned` trains on them."""
        parts = {"train": self.train, "held_out": self.held_out}
        levels = {name: zip(*(self.teacher(images) for images in part.split(8))) for name, part in parts.items()}
        self.cached = {name: [torch.cat(level) for level in part] for name, part in levels.items()}

    def targets(self, part, images, indices):
        return [level[indices] for level in self.cached[part]] if self.cached else self.teacher(images[indices])

    def batches(self):
        """Keeps the last partial batch unless it has a single image: batch norm needs more than one."""
        batches = torch.randperm(len(self.train)).split(self.options.batch)
        return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches

    def pretrain(self):
        optimizer = torch.optim.Adam(self.unets.parameters(), lr=1e-3)
        for _ in range(self.options.pretrain):
            for indices in self.batches():
                targets = self.targets("train", self.train, indices)
                loss = sum(F.mse_loss(net(target), target) for net, target in zip(self.unets, targets))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def step(self, indices, optimizers):
        targets = self.targets("train", self.train, indices)
        levels = self.student(self.train[indices])
        predicted = [net(level) for net, level in zip(self.unets, levels)] if self.unets else levels
        loss = sum(distance(t, p).mean() for t, p in zip(targets, predicted))
        if self.unets:
            loss = loss + sum(F.mse_loss(p, level) for p, level in zip(predicted, levels))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        if self.unets:
            parameters = [*self.student.parameters(), *self.unets.parameters()]
            nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimizer in optimizers:
            optimizer.step()

    @torch.no_grad()
    def criterion(self):
        self.evaluation(True)
        targets = self.targets("held_out", self.held_out, slice(None))
        predicted = self.predict(self.held_out)
        if self.unets:
            value = sum(distance(t, p).mean() for t, p in zip(targets, predicted))
        else:
            value = fused(targets, predicted, self.options.size // 4).mean()
        self.evaluation(False)
        return float(value)

    def evaluation(self, on):
        self.student.train(not on)
        if self.unets:
            self.unets.train(not on)

    @torch.no_grad()
    def measure(self):
        self.evaluation(True)
        maps = []
        for images in self.test.split(8):
            product = fused(self.teacher(images), self.predict(images), self.options.size // 4)
            maps.append(F.interpolate(product, self.options.size, mode="bilinear", align_corners=False).squeeze(1))
        maps = torch.cat(maps).double().numpy()
        return {
            "image_auroc": roc_auc_score(self.labels, maps.reshape(len(maps), -1).max(axis=1)),
            "pixel_auroc": roc_auc_score(np.stack(self.masks).ravel(), maps.ravel()),
            "aupro": aupro(maps, self.masks),
        }

    def run(self):
        start = time.perf_counter()
        if self.options.tuned:
            self.cache()
        if self.unets:
            self.pretrain()
        optimizers = [torch.optim.SGD(self.student.parameters(), lr=self.options.learning_rate, momentum=0.9, weight_decay=1e-4)]
        if self.unets:
            optimizers.append(torch.optim.Adam(self.unets.parameters(), lr=1e-4))
        best, chosen, selected, started = math.inf, 0, None, time.perf_counter()
        for epoch in range(1, self.options.epochs + 1):
            for indices in self.batches():
                self.step(indices, optimizers)
            value = self.criterion()
            if value < best:
                best, chosen = value, epoch
                selected = copy.deepcopy((self.student.state_dict(), self.unets and self.unets.state_dict()))
        seconds, fit = (time.perf_counter() - started) / self.options.epochs, time.perf_counter() - start
        last = self.measure()
        self.student.load_state_dict(selected[0])
        if self.unets:
            self.unets.load_state_dict(selected[1])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"epoch": chosen, "selected": self.measure(), "last": last, "seconds_per_epoch": seconds, "fit_seconds": fit, "peak_mb": peak}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("category", help="folder with train/good, test and ground_truth")
    parser.add_argument("weights", help="torchvision's ResNet-18, .safetensors or .pth")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=0.4, help="learning rate of the student")
    parser.add_argument("--unet", action="store_true")
    parser.add_argument("--skip", choices=("none", "add", "concat"), default="concat", help="skip connection of the U-Nets")
    parser.add_argument("--pretrain", type=int, default=20, help="epochs of U-Net training on teacher features")
    parser.add_argument("--tuned", action="store_true", help="cache the teacher's features, and use the layout channels_last")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    print(json.dumps({"options": vars(options), **Experiment(options).run()}))


if __name__ == "__main__":
    main()
