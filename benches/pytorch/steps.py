"""Times each training step, inference and the metrics in PyTorch; measures the peak memory of joint training."""

import argparse
import json
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from networks import CHANNELS, Backbone, ReverseDistillation, UNet, angle, distance

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
# Ways of taking training steps. The teacher's features are computed in each step, or once, as a tuned script does. The step runs eagerly, or
# is captured once as a CUDA graph and replayed.
EAGER, CACHED, GRAPH, GRAPH_CACHED = "eager", "cached", "graph", "graph_cached"
WARM_UP = 3
MAPS = 161


class Bench:
    """Fresh networks and one batch in a memory layout. The method of each row creates its optimisers and returns its step."""

    def __init__(self, options, layout, cached=False, architecture="resnet18"):
        torch.manual_seed(0)
        place = {"device": options.device, "memory_format": LAYOUTS[layout]}
        self.graphs = options.graphs
        self.images = torch.randn(options.batch, 3, options.size, options.size).to(**place)
        self.frozen = Backbone(architecture).to(**place).eval().requires_grad_(False)
        self.student = Backbone().to(**place)
        self.unets = nn.ModuleList(UNet(channels) for channels in CHANNELS).to(**place)
        self.decoder = ReverseDistillation(architecture).to(**place)
        self.targets = None
        if cached:
            self.targets = self.teacher()

    @torch.no_grad()
    def teacher(self):
        return self.targets or self.frozen(self.images)

    def training(self, compute_loss, *optimizers, clipped=()):
        def step(mark):
            loss = compute_loss(mark)
            mark("loss")
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            mark("backward")
            if clipped:
                nn.utils.clip_grad_norm_(clipped, 1.0)
                mark("clipping")
            for optimizer in optimizers:
                optimizer.step()
            mark("optimiser")
            return loss.detach()

        return step

    def features(self, mark):
        targets = self.teacher()
        mark("teacher_forward")
        levels = self.student(self.images)
        mark("student_forward")
        return targets, levels

    def rebuild(self, levels, mark):
        rebuilt = [unet(level) for unet, level in zip(self.unets, levels)]
        mark("unets_forward")
        return rebuilt

    def adam(self, network, rate, betas=(0.9, 0.999)):
        """Graphs need Adam's step count on the GPU."""
        return torch.optim.Adam(network.parameters(), lr=rate, betas=betas, fused=True, capturable=self.graphs)

    def stfpm_step(self):
        def loss(mark):
            return sum(distance(t, s).mean() for t, s in zip(*self.features(mark)))

        # A low rate, because the same random batch is repeated; the rate does not affect the time.
        sgd = torch.optim.SGD(self.student.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True)
        return self.training(loss, sgd)

    def joint_step(self):
        def loss(mark):
            targets, levels = self.features(mark)
            rebuilt = self.rebuild(levels, mark)
            return sum(distance(t, r).mean() + F.mse_loss(r, s) for t, s, r in zip(targets, levels, rebuilt))

        optimizers = [
            self.adam(self.student, 1e-3),
            self.adam(self.unets, 1e-4),
        ]
        return self.training(loss, *optimizers, clipped=[*self.student.parameters(), *self.unets.parameters()])

    def pretrain_step(self):
        def loss(mark):
            targets = self.teacher()
            mark("teacher_forward")
            return sum(F.mse_loss(r, t) for r, t in zip(self.rebuild(targets, mark), targets))

        return self.training(loss, self.adam(self.unets, 1e-3))

    def reverse_step(self):
        def loss(mark):
            targets = self.teacher()
            mark("teacher_forward")
            rebuilt = self.decoder(targets)
            mark("decoder_forward")
            return sum(angle(t, r) for t, r in zip(targets, rebuilt))

        return self.training(loss, self.adam(self.decoder, 1e-4, betas=(0.5, 0.999)))

    def reverse_wide_step(self):
        return self.reverse_step()

    def inference(self, with_unets=False):
        self.student.eval()
        self.unets.eval()

        @torch.inference_mode()
        def step(mark):
            targets, levels = self.features(mark)
            if with_unets:
                levels = self.rebuild(levels, mark)
            maps = [distance(t, s) for t, s in zip(targets, levels)]
            mark("maps")
            return maps[0]

        return step

    def inference_unets(self):
        return self.inference(with_unets=True)


TRAINING_STEPS = ("stfpm_step", "joint_step", "pretrain_step", "reverse_step", "reverse_wide_step")
# Rows whose teacher is no ResNet-18.
TEACHERS = {"reverse_wide_step": "wide-resnet50-2"}
STEPS = (*TRAINING_STEPS, "inference", "inference_unets")
ROWS = (*STEPS, "peak_rss_bytes", "metrics")


def now(device):
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def ignore(_):
    """Marks nothing."""


def captured(step):
    """Captures a step as a CUDA graph. Returns a step that replays it: same images, same memory, new weights."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        # cuDNN chooses its algorithms, and optimisers create their state.
        for _ in range(WARM_UP):
            step(ignore)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step(ignore)

    def replay(_):
        graph.replay()
        return loss

    return replay


def timed(step, device, split, steps=1):
    """Returns the mean seconds of steps that the GPU takes one after the other, and those of the parts if `split`: on a GPU, measuring
    parts takes time."""
    parts, start = {}, now(device)
    last = start

    def mark(name):
        nonlocal last
        if split:
            at = now(device)
            parts[name], last = at - last, at

    for _ in range(steps):
        result = step(mark)
    seconds = (now(device) - start) / steps
    if not result.isfinite().all():
        raise ArithmeticError("a step gave a value that is not finite")
    return seconds, parts


def take_turns(options):
    """Gives the calling program its turn before a repeat, if it wants one."""
    if options.in_turn:
        print("turn", flush=True)
        sys.stdin.readline()


def ways_of(name, options):
    """Returns the steps of a row by way and layout."""
    def step(layout, cached=False):
        return getattr(Bench(options, layout, cached, TEACHERS.get(name, "resnet18")), name)()

    steps = {(EAGER, layout): step(layout) for layout in LAYOUTS}
    if name in TRAINING_STEPS:
        # On a CPU this layout is the faster one.
        layouts = LAYOUTS if options.device == "cuda" else ("channels_last",)
        steps |= {(CACHED, layout): step(layout, cached=True) for layout in layouts}
        if options.graphs:
            steps |= {(GRAPH, layout): captured(step(layout)) for layout in LAYOUTS}
            steps |= {(GRAPH_CACHED, layout): captured(step(layout, cached=True)) for layout in LAYOUTS}
    return steps


def time_row(name, options):
    """Alternates between the ways and layouts, so that a slow moment of the machine affects all. Training steps are also timed with cached
    teacher features and, if asked for, as CUDA graphs."""
    steps = ways_of(name, options)
    seconds, parts = {way: [] for way in steps}, {way: [] for way in steps}
    for repeat in range(WARM_UP + options.repeats):
        take_turns(options)
        for way, step in steps.items():
            on_cpu = options.device == "cpu"
            total, split = timed(step, options.device, split=on_cpu, steps=options.burst)
            if not on_cpu:
                _, split = timed(step, options.device, split=True)
            if repeat >= WARM_UP:
                seconds[way].append(total)
                parts[way].append(split)

    def result(way):
        return {
            "seconds": statistics.median(seconds[way]),
            "fastest": min(seconds[way]),
            "slowest": max(seconds[way]),
            "parts": {part: statistics.median(p[part] for p in parts[way]) for part in parts[way][0]},
        }

    def best(kind):
        results = {layout: result((kind, layout)) for layout in LAYOUTS if (kind, layout) in steps}
        if not results:
            return None
        layout = min(results, key=lambda layout: results[layout]["seconds"])
        return {"layout": layout, **results[layout], "by_layout": results}

    graphs = {kind: best(kind) for kind in (GRAPH, GRAPH_CACHED)} if options.graphs else {}
    return {**best(EAGER), CACHED: best(CACHED), **graphs}


def resident(peak):
    """Returns resident memory in bytes. Linux passes a parent's `ru_maxrss` on to its children, but resets VmHWM."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    field = "VmHWM" if peak else "VmRSS"
    return int(re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def joint_memory(options, layout):
    """Measures memory in a process that does nothing else."""
    step = Bench(options, layout).joint_step()
    before = resident(peak=False)
    for _ in range(WARM_UP + options.repeats):
        timed(step, options.device, split=False)
    result = {"before": before, "peak": resident(peak=True)}
    if options.device == "cuda":
        result["device_peak"] = torch.cuda.max_memory_allocated()
    return result


def memory_row():
    by_layout = {}
    for layout in LAYOUTS:
        command = [sys.executable, __file__, *sys.argv[1:], "--memory-of", layout]
        by_layout[layout] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    best = min(LAYOUTS, key=lambda layout: by_layout[layout]["peak"])
    return {"layout": best, **by_layout[best], "by_layout": by_layout}


def metric_rows(options):
    """Times metrics of random 256 × 256 maps; every second map has one to three rectangular defects."""
    import numpy as np
    from metrics import aupro
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    maps = random.standard_normal((MAPS, 256, 256), dtype=np.float32)
    masks = np.zeros(maps.shape, dtype=bool)
    for mask in masks[::2]:
        for _ in range(random.integers(1, 4)):
            (top, left), (height, width) = random.integers(0, 200, 2), random.integers(8, 56, 2)
            mask[top : top + height, left : left + width] = True

    def row(metric):
        seconds = []
        for _ in range(1 + options.repeats):
            take_turns(options)
            start = time.perf_counter()
            value = metric()
            seconds.append(time.perf_counter() - start)
        return {"seconds": statistics.median(seconds[1:]), "value": float(value)}

    return {
        "maps": MAPS,
        "pixel_auroc": row(lambda: roc_auc_score(masks.ravel(), maps.ravel())),
        "aupro": row(lambda: aupro(maps, masks)),
    }


def versions(options):
    about = Path("/proc/cpuinfo")
    processor = re.search(r"model name\s*: (.+)", about.read_text()) if about.exists() else None
    onednn = re.search(r"MKL-DNN v([\d.]+)", torch.__config__.show())
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "cpu": processor[1] if processor else platform.processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "onednn": onednn[1] if onednn else torch.backends.mkldnn.is_available(),
        "mkl": torch.backends.mkl.is_available(),
        **({"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if options.device == "cuda" else {}),
    }


def set_precision(tf32):
    if hasattr(torch.backends.cudnn, "conv"):
        precision = "tf32" if tf32 else "ieee"
        torch.backends.cudnn.conv.fp32_precision = torch.backends.cuda.matmul.fp32_precision = precision
    else:
        # Before torch 2.9.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=10, help=f"measured repeats, after {WARM_UP} for warm-up")
    parser.add_argument("--burst", type=int, default=1, help="steps per repeat, one after the other without waiting for the GPU")
    parser.add_argument("--tf32", action="store_true", help="on a GPU: use TF32 (10-bit mantissa)")
    parser.add_argument("--graphs", action="store_true", help="on a GPU: also capture training steps as CUDA graphs and replay them")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, metavar="ROW", help=", ".join(ROWS))
    parser.add_argument(
        "--in-turn", action="store_true", help='print "turn" before each repeat and wait for a line on standard input'
    )
    parser.add_argument("--memory-of", choices=LAYOUTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.graphs and options.device != "cuda":
        parser.error("--graphs needs --device cuda")
    torch.set_num_threads(options.threads)
    if options.device == "cuda":
        torch.backends.cudnn.benchmark = True
        set_precision(options.tf32)
    if options.memory_of:
        print(json.dumps(joint_memory(options, options.memory_of)))
        return
    rows = {name: time_row(name, options) for name in STEPS if name in options.rows}
    result = {"options": {**vars(options), "rows": list(options.rows)}, "versions": versions(options), "rows": rows}
    del result["options"]["memory_of"], result["options"]["in_turn"]
    if "peak_rss_bytes" in options.rows:
        result["peak_rss_bytes"] = memory_row()
    if "metrics" in options.rows:
        result["metrics"] = metric_rows(options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
