"""The per-region overlap curve in its customary implementation."""

import numpy as np
from scipy import ndimage


def aupro(maps, masks, limit=0.3):
    """Returns the area up to a false positive rate. Exact and 8-connected: every distinct score is a threshold."""
    weights, components = np.zeros(maps.shape), 0
    for weight, mask in zip(weights, masks):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        components += count
        if count:
            sizes = np.bincount(labels.ravel())
            weight[mask] = 1 / sizes[labels[mask]]
    order = np.argsort(maps, axis=None)[::-1]
    scores = maps.ravel()[order]
    normal = ~np.asarray(masks).ravel()[order]
    false = np.cumsum(normal) / np.count_nonzero(normal)
    overlap = np.cumsum(weights.ravel()[order]) / components
    last = np.append(scores[1:] != scores[:-1], True)
    x, y = np.append(0, false[last]), np.append(0, overlap[last])
    keep = x < limit
    return np.trapezoid(np.append(y[keep], np.interp(limit, x, y)), np.append(x[keep], limit)) / limit
