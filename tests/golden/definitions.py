"""Curves of overlap and false positive rate by their definition, one threshold after another. Has no code in common with didact."""

import numpy as np
from sklearn.metrics import auc


def curve(maps, overlaps, union):
    """FPR and mean overlap at every distinct score, from high to low, beginning at (0, 0)."""
    points = [(0.0, 0.0)]
    for threshold in np.unique(maps)[::-1]:
        above = maps >= threshold
        points.append((above[~union].mean(), np.mean([overlap(above) for overlap in overlaps])))
    return np.array(points)


def area_to(points, limit):
    """The area up to a limit, divided by it; straight lines between the points."""
    x, y = points[:, 0], points[:, 1]
    inside = x < limit
    after = int(np.argmax(x >= limit))
    before = int(np.flatnonzero(inside)[-1])
    share = (limit - x[before]) / (x[after] - x[before])
    xs = np.append(x[inside], limit)
    ys = np.append(y[inside], y[before] + share * (y[after] - y[before]))
    return auc(xs, ys) / limit


def components(mask):
    """8-connected components by flooding."""
    left = {tuple(pixel) for pixel in np.argwhere(mask)}
    while left:
        open_ones, component = [left.pop()], []
        while open_ones:
            y, x = open_ones.pop()
            component.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            open_ones.extend(near)
        yield component
