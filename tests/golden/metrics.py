"""Records values of the metrics of images and pixels in metrics.json.

Needs numpy and scikit-learn: python3 tests/golden/metrics.py

scikit-learn gives AUROC, average precision and the precision-recall curve; AUPRO follows Bergmann et al. (CVPR 2019), one threshold after
another; the rescaled PRO follows the published code of ST-FPM. Nothing has code in common with didact.
"""

import json
import pathlib

import numpy as np
from definitions import area_to, components, curve
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

SIDE = 32
# Defects of each image as (top, left, height, width). Those of the fifth touch at a corner, so they are one component of eight neighbours.
RECTANGLES = [
    [],
    [],
    [(4, 4, 6, 9)],
    [(2, 20, 5, 5), (20, 3, 3, 3)],
    [(8, 8, 4, 4), (12, 12, 4, 4)],
    [(0, 0, 1, 1), (25, 25, 7, 7), (10, 2, 2, 14)],
]
# Thresholds of the published code of ST-FPM, from the highest score down.
STFPM_STEPS = 4000


def splitmix(state):
    """Numbers from 0 up to 1, of 53 bits each (splitmix64, Steele et al. 2014)."""
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield ((z ^ (z >> 31)) >> 11) * 2.0**-53


def image_cases():
    """Labels and scores: what is ranked right, wrong, or not at all; ties; huge and tiny scores; noise."""
    random = splitmix(7)
    noise_labels = [int(next(random) < 0.3) for _ in range(200)]
    noise = [next(random) * 0.7 + 0.3 * label * next(random) for label in noise_labels]
    return {
        "perfect": ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
        "inverted": ([1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]),
        "a pair out of order": ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]),
        "all tied": ([0, 0, 1, 1, 1], [0.5] * 5),
        "half tied": ([0, 0, 0, 1, 1, 1], [0.1, 0.5, 0.5, 0.1, 0.5, 0.9]),
        # A sigmoid rounds these to 1.
        "huge scores": ([0] + [1] * 14, [90.0, 80.5, *np.linspace(91, 130, 13).round(3).tolist()]),
        "tiny scores": ([0, 0, 1, 0, 1], [1e-12, 2e-12, 2.5e-12, 3e-12, 4e-12]),
        "noise": (noise_labels, noise),
    }


def best_f1(labels, scores):
    """The highest F1, and the highest threshold that reaches it."""
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    total = precision[:-1] + recall[:-1]
    f1 = np.where(total > 0, 2 * precision[:-1] * recall[:-1] / np.where(total > 0, total, 1), 0)
    at = np.flatnonzero(np.isclose(f1, f1.max(), rtol=0, atol=1e-12))[-1]
    return float(f1.max()), float(thresholds[at])


def image_case(name, labels, scores):
    f1, threshold = best_f1(labels, scores)
    return {
        "name": name,
        "labels": labels,
        "scores": scores,
        "auroc": float(roc_auc_score(labels, scores)),
        "ap": float(average_precision_score(labels, scores)),
        "f1max": f1,
        "f1max_threshold": threshold,
    }


def images():
    """Scores and masks: noise that is higher on defects. Scores have 32 bits, as didact's have."""
    random = splitmix(1)
    scores, masks = np.zeros((len(RECTANGLES), SIDE, SIDE)), np.zeros((len(RECTANGLES), SIDE, SIDE), bool)
    for image, rectangles in enumerate(RECTANGLES):
        for top, left, height, width in rectangles:
            masks[image, top : top + height, left : left + width] = True
        for y, x in np.ndindex(SIDE, SIDE):
            noise, more = next(random), next(random)
            scores[image, y, x] = 0.6 * noise + (0.5 * more if masks[image, y, x] else 0.0)
    return scores, masks


def rescaled_pro(scores, masks, parts):
    """Overlap against FPR up to 0.3 with both axes from 0 to 1."""
    highest, lowest = scores.max(), scores.min()
    points = []
    for index in range(STFPM_STEPS):
        above = scores > highest - index * (highest - lowest) / STFPM_STEPS
        points.append((above[~masks].mean(), np.mean([above[image][part].mean() for image, part in parts])))
    points = np.array([point for point in points if point[0] <= 0.3])
    scaled = (points - points[0]) / (points[-1] - points[0])
    return float(auc(scaled[:, 0], scaled[:, 1]))


def pixel_case(name, scores, masks):
    scores = scores.astype(np.float32).astype(np.float64)
    parts = [(image, tuple(np.array(part).T)) for image, mask in enumerate(masks) for part in components(mask)]
    overlaps = [lambda above, image=image, part=part: above[image][part].mean() for image, part in parts]
    pro = curve(scores, overlaps, masks)
    return {
        "name": name,
        "components": len(parts),
        "pixel_auroc": float(roc_auc_score(masks.ravel(), scores.ravel())),
        "pixel_ap": float(average_precision_score(masks.ravel(), scores.ravel())),
        "pixel_f1max": best_f1(masks.ravel(), scores.ravel())[0],
        "aupro": float(area_to(pro, 0.3)),
        "aupro_05": float(area_to(pro, 0.05)),
        "aupro_stfpm_rescaled": rescaled_pro(scores, masks, parts),
    }


def main():
    scores, masks = images()
    maps = {"noise": scores, "ties": np.floor(scores * 16) / 16, "skewed": scores**6 * 1e-3}
    recorded = {
        "about": "written by metrics.py",
        "image": [image_case(name, *case) for name, case in image_cases().items()],
        "pixel": [pixel_case(name, scores, masks) for name, scores in maps.items()],
    }
    path = pathlib.Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps(recorded, indent=1) + "\n")
    for case in recorded["image"] + recorded["pixel"]:
        print({name: value for name, value in case.items() if name not in ("labels", "scores")})


main()
