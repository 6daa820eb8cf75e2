"""Training pictures of the road-user detector: parts of one, four or many pictures at many sizes, mostly small."""
import cv2
import numpy as np

from assign import IGNORED, NOTHING
from road_net import WIDTH

MOST = 160  # target rows per picture; more are left out, the smallest first


def place(canvas, road, region, zoom, rng):
    """Draws `road`'s picture into `region` (x0 y0 x1 y1) of the canvas; gives its boxes there, in pixels of the canvas."""
    picture = road.pixels()
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = region
    scale = zoom * min((x1 - x0) / width, (y1 - y0) / height)
    wide, tall = scale * np.exp(rng.uniform(-0.1, 0.1)), scale
    free = (x1 - x0) - wide * width, (y1 - y0) - tall * height
    dx, dy = x0 + rng.uniform(min(0, free[0]), max(0, free[0])), y0 + rng.uniform(min(0, free[1]), max(0, free[1]))
    if scale < 0.7:
        picture = cv2.resize(picture, None, fx=wide, fy=tall, interpolation=cv2.INTER_AREA)
        matrix = np.array([[wide * width / picture.shape[1], 0, dx - x0], [0, tall * height / picture.shape[0], dy - y0]], np.float32)
    else:
        matrix = np.array([[wide, 0, dx - x0], [0, tall, dy - y0]], np.float32)
    canvas[y0:y1, x0:x1] = cv2.warpAffine(picture, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(114,) * 3)
    boxes = road.boxes.copy()
    boxes[:, [1, 3]] = boxes[:, [1, 3]] * width * wide + dx
    boxes[:, [2, 4]] = boxes[:, [2, 4]] * height * tall + dy
    return cut(boxes, region)


def cut(boxes, region):
    """Boxes cut to the region: of which little is left, or which are too small to be told, are IGNORED."""
    x0, y0, x1, y1 = region
    whole = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    boxes[:, [1, 3]], boxes[:, [2, 4]] = boxes[:, [1, 3]].clip(x0, x1), boxes[:, [2, 4]].clip(y0, y1)
    wide, tall = boxes[:, 3] - boxes[:, 1], boxes[:, 4] - boxes[:, 2]
    left = wide * tall / np.maximum(1e-6, whole)
    boxes[(left < 0.4) | (np.minimum(wide, tall) < 3) | (np.maximum(wide, tall) < 8), 5] = IGNORED
    return boxes[(left > 0.05) & (np.minimum(wide, tall) > 1)]


def scene(draw, rng, height):
    """(picture, boxes), `height` rows tall: `draw()` gives the next record. One picture, four around a random middle, or many in a grid.

    Photographs show walkers large and cameras show riders small: were walkers never shrunk, whatever is small would be a rider.
    """
    canvas, kind = np.full((height, WIDTH, 3), 114, np.uint8), rng.random()
    if kind < 0.35:
        return canvas, place(canvas, draw(), (0, 0, WIDTH, height), rng.uniform(0.4, 1.0) if rng.random() < 0.6 else rng.uniform(1.0, 1.7), rng)
    if kind < 0.7:
        across, down, zoom = (0, int(WIDTH * rng.uniform(0.3, 0.7)), WIDTH), (0, int(height * rng.uniform(0.3, 0.7)), height), (0.8, 1.9)
    else:
        n, zoom = rng.integers(3, 6), (0.7, 1.4)
        across, down = np.linspace(0, WIDTH, n + 1).astype(int), np.linspace(0, height, n + 1).astype(int)
    regions = [(x0, y0, x1, y1) for y0, y1 in zip(down, down[1:]) for x0, x1 in zip(across, across[1:])]
    return canvas, np.concatenate([place(canvas, draw(), region, rng.uniform(*zoom), rng) for region in regions])


def padded(boxes):
    boxes = boxes[np.argsort(-(boxes[:, 4] - boxes[:, 2]), kind='stable')][:MOST]
    rows = np.full((MOST, 6), 0, np.float32)
    rows[:, 5] = NOTHING
    rows[:len(boxes)] = boxes
    return rows
