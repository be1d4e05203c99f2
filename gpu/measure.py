"""Collects, compares and tabulates the results of measure.sh. Needs only Python's own library."""

import argparse
import array
import collections
import csv
import hashlib
import json
import math
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

# The sweep whose bits are compared: one run of ST-FPM and two of U-Nets.
SWEEP = """\
schema = 1
name = "bits"
question = "Does a GPU compute the same bits?"
[data]
layout = "synthetic"
categories = ["weave"]
image_size = 32
synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }
[teacher]
weights = "demo"
[model]
depth = 1
[pretrain]
epochs = 1
batch_size = 4
[joint]
epochs = 2
batch_size = 4
[search.space]
"model.skip" = ["add", "concat-conv"]
[baseline]
rerun = true
"""
# Phases as `didact speed` and steps.py call them, and shares of PyTorch eager's time: limit and target.
PHASES = {
    "joint, ST-FPM": ("stfpm_step", "ST-FPM", {(8, "f32"): (0.8, 0.4), (32, "f32"): (1.0, 0.7), (32, "tf32"): (1.0, 0.5)}),
    "joint, three U-Nets, clipped": (
        "joint_step", "joint, three U-Nets", {(8, "f32"): (0.8, 0.3), (32, "f32"): (1.0, 0.6), (32, "tf32"): (1.0, 0.5)},
    ),
    "pretrain, three U-Nets": (
        "pretrain_step", "pretrain, three U-Nets", {(8, "f32"): (0.8, 0.2), (32, "f32"): (0.8, 0.4), (32, "tf32"): (0.8, 0.4)},
    ),
}
NUMERICS = {"f32": "f32", "tf32": "TF32"}
LONGEST = 10
# Optimisers end a step.
OPTIMISERS = {"sgd", "adam"}


def markdown(head, rows):
    for row in [head, ["---"] * len(head), *rows]:
        print("| " + " | ".join(row).rstrip() + " |")


def bits(options):
    """Runs the sweep; writes its exported numbers, its losses and scores, and the digests of its files: features, weights and maps."""
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        (place / "bits.toml").write_text(SWEEP)
        store = ["--store", str(place / "didact.db")]
        subprocess.run([options.didact, "sweep", str(place / "bits.toml"), *store, "--no-report", "--device", options.device], check=True)
        exported = subprocess.run([options.didact, "export", "bits", *store, "--format", "csv"], check=True, stdout=subprocess.PIPE, text=True)
        lines = [("kernels", "kernels.ptx", hashlib.sha256(Path(options.kernels).read_bytes()).hexdigest())]
        for row in csv.DictReader(exported.stdout.splitlines()):
            name = "/".join([row["variant"], row["seed"], row["selection"], row["metric"]])
            lines.append(("exported number", name, row["value"]))
        store = sqlite3.connect(place / "didact.db")
        for stage, name, step, value in store.execute("SELECT stage_id, name, step, value FROM metric ORDER BY 1, 2, 3"):
            lines.append(("loss or norm", f"{stage}/{name}/{step}", repr(value)))
        for run, selection, image, score in store.execute("SELECT run_id, selection, image, score FROM image_score ORDER BY 1, 2, 3"):
            lines.append(("score", f"{run}/{selection}/{image}", repr(score)))
        store.close()
        artifacts = place / "didact.artifacts"
        for path in sorted(artifacts.glob("*/*/**/*")):
            if path.is_file():
                lines.append(("file", str(path.relative_to(artifacts)), hashlib.sha256(path.read_bytes()).hexdigest()))
    with open(options.out, "w", newline="") as out:
        csv.writer(out).writerows(lines)


def difference(a, b):
    """Returns the relative difference of two numbers; infinite if they are none."""
    try:
        a, b = float(a), float(b)
    except ValueError:
        return math.inf
    return abs(a - b) / max(abs(a), abs(b))


def compare(options):
    """Says whether two files of `bits` are equal, kind by kind."""
    values = []
    for path in (options.one, options.other):
        with open(path, newline="") as lines:
            values.append({(kind, name): value for kind, name, value in csv.reader(lines)})
    one, other = values
    note = "" if one["kernels", "kernels.ptx"] == other["kernels", "kernels.ptx"] else "; they come from other kernels (kernels.ptx)"
    kinds = collections.Counter(kind for kind, _ in one if kind != "kernels")
    differing = [key for key in one | other if key[0] != "kernels" and one.get(key) != other.get(key)]
    if not differing:
        print("equal: " + ", ".join(f"{count} {kind}s".replace("loss or norms", "losses and norms") for kind, count in kinds.items()) + note)
        return
    counts = collections.Counter(kind for kind, _ in differing)
    numbers = [difference(one[key], other[key]) for key in differing if key[0] != "file" and key in one and key in other]
    largest = f"; largest relative difference of a number {max(numbers):.1e}" if numbers else ""
    shares = ", ".join(f"{count} of {kinds[kind]} {kind}s" for kind, count in counts.items()).replace("loss or norms", "losses and norms")
    print(f"DIFFERENT: {shares}, the first is {'/'.join(differing[0])}{largest}{note}")


def weights(options):
    """Writes random weights of a ResNet-18, from the stem to layer3, as safetensors."""
    normal = random.Random(0).gauss
    tensors = {}

    def convolution(name, outputs, inputs, kernel):
        deviation = math.sqrt(2 / (outputs * kernel * kernel))
        shape = [outputs, inputs, kernel, kernel]
        tensors[f"{name}.weight"] = shape, array.array("f", (normal(0, deviation) for _ in range(math.prod(shape))))

    def norm(name, channels):
        for part, value in {"weight": 1.0, "bias": 0.0, "running_mean": 0.1, "running_var": 1.0}.items():
            tensors[f"{name}.{part}"] = [channels], array.array("f", [value] * channels)

    convolution("conv1", 64, 3, 7)
    norm("bn1", 64)
    inputs = 64
    for layer, outputs in (("layer1", 64), ("layer2", 128), ("layer3", 256)):
        for block in (f"{layer}.0", f"{layer}.1"):
            convolution(f"{block}.conv1", outputs, inputs, 3)
            norm(f"{block}.bn1", outputs)
            convolution(f"{block}.conv2", outputs, outputs, 3)
            norm(f"{block}.bn2", outputs)
            if inputs != outputs:
                convolution(f"{block}.downsample.0", outputs, inputs, 1)
                norm(f"{block}.downsample.1", outputs)
            inputs = outputs
    header, end = {}, 0
    for name, (shape, values) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + 4 * len(values)]}
        end += 4 * len(values)
    text = json.dumps(header).encode()
    with open(options.out, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for _, values in tensors.values():
            if sys.byteorder == "big":
                values.byteswap()
            out.write(values.tobytes())
    print(f"{len(tensors)} tensors, {end} bytes")


def costs(options):
    """Prints what the joint stages of a sweep cost."""
    store = sqlite3.connect(options.store)
    rows = store.execute("SELECT a.costs, a.seconds FROM attempt a JOIN stage s ON s.id = a.stage_id WHERE s.kind = 'joint' AND a.state = 'done'")
    found = [(json.loads(text or "{}"), seconds) for text, seconds in rows]
    if not found:
        print("no joint stage is done")
        return
    steps = [cost["milliseconds_per_step"] for cost, _ in found if "milliseconds_per_step" in cost]
    peaks = [cost["device_peak_bytes"] for cost, _ in found if "device_peak_bytes" in cost]
    text = f"{len(found)} joint stages of {statistics.median(seconds for _, seconds in found):.1f} s"
    if steps:
        text += f" and {statistics.median(steps):.1f} ms per step"
    if peaks:
        text += f", up to {max(peaks) / 2**30:.2f} GiB of the card each"
    print(text + " (medians)")


def number(text):
    try:
        return float(text.replace(",", ""))
    except (AttributeError, ValueError):
        return None


def ncu(options):
    """Prints the longest kernels of one step, and what limits them."""
    lines = Path(options.file).read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith('"ID"'))
    # The line of units has no id.
    launches = [row for row in csv.DictReader(lines[start:]) if row["ID"]]
    names = [re.split(r"[(<]", row["Kernel Name"])[0] for row in launches]
    ends = [at + 1 for at, name in enumerate(names) if name in OPTIMISERS and names[at + 1 : at + 2] not in [[n] for n in OPTIMISERS]]
    whole = len(ends) > 1
    first, last = (ends[0], ends[1]) if whole else (0, len(names))
    groups = collections.defaultdict(list)
    for name, row in list(zip(names, launches))[first:last]:
        groups[name].append(row)

    def nanoseconds(row):
        return number(row["gpu__time_duration.sum"]) or 0.0

    def mean(rows, metric):
        """The mean over the rows, weighed by their time."""
        known = [(number(row.get(metric)), nanoseconds(row)) for row in rows]
        known = [(value, weight) for value, weight in known if value is not None]
        total = sum(weight for _, weight in known)
        return sum(value * weight for value, weight in known) / total if total else None

    percent = "avg.pct_of_peak_sustained_elapsed"
    total = sum(nanoseconds(row) for rows in groups.values() for row in rows)
    of_step = "one joint step with three U-Nets" if whole else "the launches that ncu saw"
    print(f"\nLongest kernels of {of_step}: {last - first} launches, {total / 1e6:.2f} ms of the card's time\n")
    rows = []
    for name, group in sorted(groups.items(), key=lambda item: -sum(map(nanoseconds, item[1])))[:LONGEST]:
        spent = sum(map(nanoseconds, group))
        compute, memory, dram = (
            mean(group, f"{unit}__{metric}.{percent}")
            for unit, metric in (("sm", "throughput"), ("gpu", "compute_memory_throughput"), ("dram", "throughput"))
        )
        warps = mean(group, "sm__warps_active.avg.pct_of_peak_sustained_active")
        registers = max((number(row.get("launch__registers_per_thread")) or 0 for row in group), default=0)
        show = lambda value: "-" if value is None else f"{value:.0f} %"
        if compute is None or memory is None:
            limit = "-"
        elif max(compute, memory) < 60:
            # Nsight's rule: below 60 % of either, threads wait for latencies, or there are too few of them.
            limit = "latency"
        else:
            limit = "arithmetic" if compute > memory else "memory"
        rows.append([
            f"`{name}`", str(len(group)), f"{spent / 1e6:.2f} ms", f"{100 * spent / total:.0f} %" if total else "-",
            show(compute), show(memory), show(dram), show(warps), f"{registers:.0f}", limit,
        ])
    markdown(["kernel", "launches", "time", "share", "arithmetic", "memory", "DRAM", "warps", "registers", "limit"], rows)


def nsys(options):
    """Prints the longest kernels of all phases; nsys does not say what limits them."""
    lines = Path(options.file).read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("Time (%)"))
    found = [row for row in csv.DictReader(lines[start:]) if row.get("Name")]
    times = [number(row["Total Time (ns)"]) or 0.0 for row in found]
    print(f"\nLongest kernels of {sum(int(number(row['Instances']) or 0) for row in found)} launches, {sum(times) / 1e6:.2f} ms of the card's time\n")
    markdown(
        ["kernel", "launches", "time", "share"],
        [
            [f"`{row['Name'].split('(')[0]}`", row["Instances"], f"{time / 1e6:.2f} ms", f"{100 * time / sum(times):.0f} %"]
            for row, time in list(zip(found, times))[:LONGEST]
        ],
    )


def didact_times(folder, batch, numerics, way):
    """Returns the milliseconds of each phase: means over the runs of `didact speed`."""
    times = collections.defaultdict(list)
    for path in sorted(folder.glob(f"speed-{batch}-{numerics}-{way}*.txt")):
        for line in path.read_text().splitlines():
            cells = re.split(r"\s{2,}", line.strip())
            if cells[0] in PHASES and len(cells) > 1 and number(cells[1]):
                times[cells[0]].append(number(cells[1]))
    return {phase: statistics.mean(values) for phase, values in times.items()}


def pytorch_rows(folder, batch, numerics):
    """Returns the object that steps.py printed; empty without one."""
    path = folder / f"pytorch-{batch}-{numerics}.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    found = [line for line in lines if line.startswith('{"options"')]
    return json.loads(found[-1]) if found else {}


def table(options):
    """Prints times per step and ratios to PyTorch's."""
    folder = Path(options.folder)
    sizes = sorted({tuple(path.name.split("-")[1:3]) for path in folder.glob("speed-*.txt")}, key=lambda size: (int(size[0]), size[1]))
    rows, versions = [], {}

    def time(value):
        return "" if value is None else f"{value:.1f} ms"

    for batch, numerics in sizes:
        graphs, eager, cudnn = (didact_times(folder, batch, numerics, way) for way in ("graphs", "eager", "cudnn"))
        peers = pytorch_rows(folder, batch, numerics)
        versions = peers.get("versions", versions)
        for phase, (row, name, limits) in PHASES.items():
            ours = graphs.get(phase)
            theirs = peers.get("rows", {}).get(row, {})
            cells = [f"{name}, batch {batch}, {NUMERICS.get(numerics, numerics)}", time(ours), time(eager.get(phase)), time(cudnn.get(phase))]
            for way in (theirs, theirs.get("graph"), theirs.get("cached"), theirs.get("graph_cached")):
                milliseconds = 1e3 * way["seconds"] if way else None
                cells += [time(milliseconds), f"{ours / milliseconds:.2f}" if ours and milliseconds else ""]
            limit = limits.get((int(batch), numerics))
            rows.append([*cells, *(f"{share:.2f}" for share in limit or ())] + [""] * (0 if limit else 2))
    if versions:
        print("PyTorch " + ", ".join(f"{name} {value}" for name, value in versions.items()) + "\n")
    if not rows:
        print("No speed was measured.")
        return
    markdown(
        ["step", "didact", "without graphs", "with cuDNN", "PyTorch", "ratio", "its graph", "ratio", "tuned", "ratio", "its graph", "ratio", "limit", "target"],
        rows,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(required=True)
    for verb, arguments in {
        bits: ("didact", "device", "kernels", "out"),
        compare: ("one", "other"),
        weights: ("out",),
        costs: ("store",),
        ncu: ("file",),
        nsys: ("file",),
        table: ("folder",),
    }.items():
        command = verbs.add_parser(verb.__name__, help=verb.__doc__)
        command.set_defaults(run=verb)
        for argument in arguments:
            command.add_argument(argument)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
