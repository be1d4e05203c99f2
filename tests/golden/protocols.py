"""Records values of the metrics of MVTec LOCO and MVTec AD 2 in protocols.json.

Needs numpy and scikit-learn: python3 tests/golden/protocols.py

Everything is computed by the definitions, one threshold after another, with no code in common with didact: sPRO by Bergmann et al.
(IJCV 2022), SegF1 and ClassF1 by Heckler-Kram et al. (2025). scikit-learn gives F1 and the area under curves.
"""

import json
import pathlib

import numpy as np
from definitions import area_to, components, curve
from sklearn.metrics import f1_score

SIDE = 24
IMAGES = 6
STEPS = 4096
# (image, mask, value in the mask, (top, left, height, width)); masks of an image may overlap.
DEFECTS = [
    (2, 0, 236, (3, 4, 6, 9)),
    (3, 0, 240, (0, 0, 5, 5)),
    (3, 1, 255, (2, 2, 10, 4)),
    (4, 0, 236, (20, 1, 3, 20)),
    (4, 0, 240, (5, 5, 2, 2)),
    (5, 0, 255, (12, 12, 1, 1)),
]
CONFIG = [
    {"defect_name": "missing", "pixel_value": 236, "saturation_threshold": 20, "relative_saturation": False},
    {"defect_name": "extra", "pixel_value": 240, "saturation_threshold": 0.4, "relative_saturation": True},
    {"defect_name": "tiny", "pixel_value": 255, "saturation_threshold": 1000, "relative_saturation": False},
]


def drawn(seed):
    """Scores: noise that is higher on defects, in steps of 1 / STEPS, which 32 bits hold exactly."""
    generator = np.random.default_rng(seed)
    maps = generator.random((IMAGES, SIDE, SIDE)) * 0.6
    for image, _, _, (top, left, height, width) in DEFECTS:
        maps[image, top : top + height, left : left + width] += 0.5 * generator.random((height, width))
    return np.floor(maps * STEPS) / STEPS


def regions():
    """The pixels of each defect with its saturation area."""
    found = {}
    for image, mask, value, (top, left, height, width) in DEFECTS:
        pixels = found.setdefault((image, mask, value), np.zeros((SIDE, SIDE), bool))
        pixels[top : top + height, left : left + width] = True
    result = []
    for (image, _, value), pixels in found.items():
        (entry,) = [entry for entry in CONFIG if entry["pixel_value"] == value]
        area = int(pixels.sum())
        share = entry["saturation_threshold"]
        result.append((image, pixels, share * area if entry["relative_saturation"] else min(share, area)))
    return result


def whole(maps):
    """Scores as multiples of 1 / STEPS."""
    return [[int(value) for value in (image * STEPS).ravel()] for image in maps]


def case(name, maps, threshold):
    defects = regions()
    union = np.zeros(maps.shape, bool)
    for image, pixels, _ in defects:
        union[image] |= pixels
    saturated = [
        lambda above, image=image, pixels=pixels, area=area: min(above[image][pixels].sum() / area, 1.0)
        for image, pixels, area in defects
    ]
    parts = [(image, tuple(np.array(part).T)) for image in range(IMAGES) for part in components(union[image])]
    connected = [lambda above, image=image, part=part: above[image][part].mean() for image, part in parts]
    spro, pro = curve(maps, saturated, union), curve(maps, connected, union)
    above = maps > threshold
    labels = union.any(axis=(1, 2))
    return {
        "maps": name,
        "threshold": threshold,
        "auspro": area_to(spro, 0.3),
        "auspro_05": area_to(spro, 0.05),
        "aupro_05": area_to(pro, 0.05),
        "seg_f1": float(f1_score(union.ravel(), above.ravel())),
        "class_f1": float(f1_score(labels, above.any(axis=(1, 2)))),
    }


def main():
    held_out = drawn(99)[:2]
    threshold = float(held_out.mean() + 3 * held_out.std())
    maps = {"noise": drawn(7), "ties": np.floor(drawn(7) * 16) / 16}
    cases = [case(name, scores, at) for name, scores in maps.items() for at in (threshold, 0.5625)]
    recorded = {
        "about": "written by protocols.py",
        "side": SIDE,
        "steps": STEPS,
        "defects": [[image, mask, value, *box] for image, mask, value, box in DEFECTS],
        "config": CONFIG,
        "held_out": whole(held_out),
        "held_out_threshold": threshold,
        "maps": {name: whole(scores) for name, scores in maps.items()},
        "cases": cases,
    }
    path = pathlib.Path(__file__).with_name("protocols.json")
    path.write_text(json.dumps(recorded, separators=(",", ":")) + "\n")
    for entry in cases:
        print(entry)


main()
