"""Minimises the functions of examples/search_oracle.rs with Optuna's TPE and compares the results.

Reads that example's output from standard input; prints a Markdown table of the medians of the best values.
"""

import csv
import math
import statistics
import sys

import optuna
from scipy.stats import mannwhitneyu

TRIALS, SEEDS = 100, 20


def branin(t):
    a, b = t.suggest_float("a", -5, 10), t.suggest_float("b", 0, 15)
    inner = b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6
    return inner * inner + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10


def cube(t, n, low, high):
    return [t.suggest_float(str(i), low, high) for i in range(n)]


def hartmann(t):
    x = cube(t, 6, 0, 1)
    heights = [1.0, 1.2, 3.0, 3.2]
    slopes = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    centres = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
    return -sum(
        h * math.exp(-sum(s * (v - p) ** 2 for s, v, p in zip(slope, x, centre)))
        for h, slope, centre in zip(heights, slopes, centres)
    )


def rosenbrock(t):
    x = cube(t, 4, -2, 2)
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def ackley(t):
    x = cube(t, 5, -32.768, 32.768)
    square = sum(v * v for v in x) / len(x)
    wave = sum(math.cos(2 * math.pi * v) for v in x) / len(x)
    return -20 * math.exp(-0.2 * math.sqrt(square)) - math.exp(wave) + 20 + math.e


def training(t):
    rate = math.log10(t.suggest_float("rate", 1e-5, 1, log=True))
    decay = math.log10(t.suggest_float("decay", 1e-7, 1e-1, log=True))
    momentum = t.suggest_float("momentum", 0.5, 0.99)
    batch = math.log2(t.suggest_int("batch", 2, 256, log=True))
    speed = rate - math.log10(1 - momentum) - 0.3 * (batch - 5)
    cliff = 3 if speed > 0.5 else 0
    return (speed + 0.5) ** 2 + 0.2 * (decay + 4) ** 2 + 4 * (momentum - 0.9) ** 2 + 0.05 * (batch - 4) ** 2 + cliff


def mixed(t):
    kind = t.suggest_categorical("kind", [0, 1])
    rate = math.log10(t.suggest_float("rate", 1e-5, 1, log=True))
    if kind == 0:
        return 0.5 + 0.2 * (rate + 1) ** 2 + 0.1 * (math.log10(t.suggest_float("penalty", 1e-6, 1, log=True)) + 3) ** 2
    depth, width = t.suggest_int("depth", 1, 6), t.suggest_int("width", 8, 512, log=True)
    activation = t.suggest_categorical("activation", [0.3, 0.0, 0.15, 0.4])
    return 0.2 + 0.3 * (rate + 3) ** 2 + 0.1 * (depth - 4) ** 2 + 0.1 * math.log2(width / 96) ** 2 + activation


def switches(t):
    rate = math.log10(t.suggest_float("rate", 1e-5, 1, log=True))
    value = 0.5 + 0.3 * (rate + 2.5) ** 2
    if t.suggest_categorical("first", [0, 1]):
        value -= 0.3 - 0.1 * (math.log10(t.suggest_float("weight", 1e-4, 1, log=True)) + 2) ** 2
    if t.suggest_categorical("second", [0, 1]):
        value -= 0.2 - 0.05 * (t.suggest_int("count", 1, 8) - 5) ** 2
    return value


PROBLEMS = {
    "Branin": branin,
    "Hartmann-6": hartmann,
    "Rosenbrock-4": rosenbrock,
    "Ackley-5": ackley,
    "training (log scales)": training,
    "mixed with conditions": mixed,
    "two switches": switches,
}


def optuna_best(function, seed):
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)
    study = optuna.create_study(sampler=sampler)
    study.optimize(function, n_trials=TRIALS)
    return study.best_value


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ours = {}
    for row in csv.DictReader(sys.stdin):
        ours.setdefault((row["problem"], row["sampler"]), []).append(float(row["best"]))
    print(f"Best of {TRIALS} evaluations, median of {SEEDS} seeds (lower is better); p: Mann–Whitney, two-sided, against didact's TPE.\n")
    print("| function | TPE | Optuna's TPE | p | Sobol | p | random | p |")
    print("|---|---|---|---|---|---|---|---|")
    for name, function in PROBLEMS.items():
        tpe = ours[name, "tpe"]
        cells = [f"{statistics.median(tpe):.4g}"]
        others = [[optuna_best(function, seed) for seed in range(SEEDS)], ours[name, "sobol"], ours[name, "random"]]
        for other in others:
            cells += [f"{statistics.median(other):.4g}", f"{mannwhitneyu(tpe, other).pvalue:.2g}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
