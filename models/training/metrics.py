"""Figures for the cards."""
import math

import numpy as np


def picture_scores(maps):
    """(N, labels) from cell scores (N, labels, rows, columns): the mean of each picture's highest hundredth of cells.

    A plume fills neighbours, what is taken for one by a trick of the light seldom does. `model eval` does the same.
    """
    cells = maps.reshape(*maps.shape[:2], -1)
    return np.sort(cells, axis=2)[..., -math.ceil(cells.shape[2] / 100):].mean(2)


def auc(positive, negative):
    """Chance that a picture with the thing scores above one without; ties count half."""
    positive, negative = np.asarray(positive, float), np.asarray(negative, float)
    if not len(positive) or not len(negative):
        return None
    order = np.sort(negative)
    below = np.searchsorted(order, positive, 'left')
    upto = np.searchsorted(order, positive, 'right')
    return float((below + upto).mean() / 2 / len(order))


def threshold_at(negative, rate):
    """The lowest score that lets at most `rate` of the negatives through."""
    order = np.sort(np.asarray(negative, float))[::-1]
    return float(order[int(rate * len(order))])


def recall_at(positive, negative, rate=0.01):
    if not len(positive) or not len(negative):
        return None
    return float((np.asarray(positive, float) > threshold_at(negative, rate)).mean())


def highest_on_box(maps, boxes):
    """Share of pictures whose highest cell of `maps` (N, rows, columns) is touched by one of their boxes, `boxes` (N lists of (class, centre x, centre y, width, height), 0..1)."""
    hits = 0
    for cells, around in zip(maps, boxes):
        rows, columns = cells.shape
        row, column = np.unravel_index(cells.argmax(), cells.shape)
        hits += any(int((x - w / 2) * columns) <= column <= int((x + w / 2) * columns) and int((y - h / 2) * rows) <= row <= int((y + h / 2) * rows)
                    for _, x, y, w, h in around)
    return hits / len(maps) if len(maps) else None


def iou(found, truth):
    """Intersection over union of two boolean arrays over all their pictures."""
    union = np.logical_or(found, truth).sum()
    return float(np.logical_and(found, truth).sum() / union) if union else None
