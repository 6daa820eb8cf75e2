"""Paints water into pictures of dry roads, and things that only look like it.

The same photograph is then seen flooded and dry, so that the water itself is what tells them apart and not the source or the camera.
What is painted: a water line across the street, below it mud and the mirrored street, broken by ripples; vehicles stand in it up to their sills.
"""
import cv2
import numpy as np

import plumes

# BGR of silt, clay, canal and puddle water in daylight.
MUDS = np.array([[70, 105, 135], [85, 120, 150], [95, 110, 120], [60, 85, 100], [110, 118, 115], [75, 95, 85], [120, 130, 140]], np.float32)


def water_line(rng, width, height):
    """The row in each column below which water stands: flat far away, nearer the camera where the street bends up at the sides."""
    x = np.linspace(-1, 1, width, dtype=np.float32)
    top = rng.uniform(0.38, 0.8) * height
    rise = rng.choice([0.0, 0.0, rng.uniform(0.05, 0.5)]) * (height - top)
    middle = rng.uniform(-0.5, 0.5)
    half = rng.uniform(0.25, 1.3)
    bank = np.clip(np.abs(x - middle) / half, 0, 1) ** rng.uniform(1.5, 5)
    wobble = sum(rng.normal(0, 0.008) * height * np.sin(x * f + rng.uniform(0, 6)) for f in (3, 7, 17))
    return np.clip(top + rise * bank + wobble + rng.normal(0, 0.03) * height * x, 0.3 * height, height - 2)


def standing_clear(boxes, matrix, shape, rng):
    """Mask of what rises out of the water: vehicles but their lowest part. Boxes (class, x, y, w, h) 0..1 go through the affine."""
    height, width = shape
    clear = np.zeros((height, width), np.uint8)
    for _, cx, cy, w, h in boxes:
        corners = np.array([[cx - w / 2, cy - h / 2], [cx + w / 2, cy + h / 2]]) * (width, height)
        corners = corners @ matrix[:, :2].T + matrix[:, 2]
        (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
        sunk = y1 - rng.uniform(0.08, 0.35) * (y1 - y0)
        cv2.rectangle(clear, (int(x0), int(y0)), (int(x1), int(sunk)), 255, -1)
    return clear > 0


def waves(rng, width, height, depth):
    """-0.5..0.5, long across the picture, larger towards the camera."""
    total = np.zeros((height, width), np.float32)
    for rows in (14, 34, 80):
        grid = rng.random((rows, max(3, int(rows * rng.uniform(0.25, 0.7))))).astype(np.float32) - 0.5
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * (34 / rows) ** 0.5
    return np.clip(total * (0.4 + 0.6 * depth), -0.5, 0.5)


def flood(picture, boxes, matrix, rng):
    """(picture, mask 0 or 255) with water in it; vehicles of `boxes` stay visible above their sills."""
    height, width = picture.shape[:2]
    line = water_line(rng, width, height)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wet = rows > line[None]
    wet &= ~standing_clear(boxes, matrix, (height, width), rng)
    depth = np.clip((rows - line[None]) / (height - line[None].min() + 1), 0, 1)
    ripple = waves(rng, width, height, depth)
    swell = rng.uniform(1, 14) * (0.3 + depth)
    mirrored = cv2.remap(picture, columns + ripple * swell, np.clip(2 * line[None] - rows + ripple * swell * rng.uniform(1, 5), 0, height - 1),
                         cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
    mirrored = cv2.GaussianBlur(mirrored, (0, 0), rng.uniform(0.6, 4))
    bright = float(picture[int(height * 0.3):].mean()) / 110
    mud = MUDS[rng.integers(len(MUDS))] * (bright * rng.uniform(0.6, 1.35)) + rng.normal(0, 5, 3)
    near, far = rng.uniform(0.05, 0.5), rng.uniform(0.35, 0.9)
    mirror = (far + (near - far) * depth ** rng.uniform(0.4, 1.2))[..., None]
    body = mud * (1 + ripple[..., None] * rng.uniform(0.05, 0.5))
    water = mirrored * mirror + body * (1 - mirror)
    if rng.random() < 0.5:
        glitter = np.clip(ripple - rng.uniform(0.25, 0.42), 0, 1)[..., None]
        water = water + glitter * rng.uniform(100, 900) * bright
    soft = cv2.GaussianBlur(wet.astype(np.float32), (0, 0), rng.uniform(0.4, 1.2))[..., None]
    painted = picture * (1 - soft) + water * soft
    return np.clip(painted, 0, 255).astype(np.uint8), wet.astype(np.uint8) * 255


def wet_look(picture, rng):
    """Wet or shaded ground, patched asphalt, a shadow: a darker, smoother or shinier field with a rim, and no water."""
    height, width = picture.shape[:2]
    line = water_line(rng, width, height)
    field = cv2.GaussianBlur((np.arange(height)[:, None] > line[None]).astype(np.float32), (0, 0), rng.uniform(0.4, 3))
    if rng.random() < 0.5:
        field *= np.clip((plumes.fractal(rng, width, height, (4, 9, 20)) - rng.uniform(0.3, 0.5)) * 8, 0, 1)
    changed = picture.astype(np.float32)
    if rng.random() < 0.4:
        changed = cv2.GaussianBlur(changed, (0, 0), rng.uniform(0.8, 2.5))
    grey = changed.mean(2, keepdims=True)
    changed = (grey + (changed - grey) * rng.uniform(0.4, 1.0)) * rng.uniform(0.45, 0.95) + rng.uniform(-5, 18)
    if rng.random() < 0.4:
        # Wet asphalt mirrors too, but smears what it mirrors into upright streaks, and its grain stays.
        streaks = cv2.GaussianBlur(np.flipud(picture[:height // 2]), (0, 0), sigmaX=rng.uniform(0.8, 2.5), sigmaY=rng.uniform(8, 26))
        streaks = cv2.resize(streaks, (width, height)).astype(np.float32)
        shown = np.roll(streaks, int(line.min()), 0)
        changed += np.clip(shown - shown.mean(), -10, 255) * rng.uniform(0.15, 0.7)
    if rng.random() < 0.35:
        shine = plumes.glow(picture.shape, rng.uniform(0, width), rng.uniform(0.5, 1.1) * height, rng.uniform(0.08, 0.3) * width)
        changed += shine[..., None] * rng.uniform(20, 110)
    return np.clip(picture * (1 - field[..., None]) + changed * field[..., None], 0, 255).astype(np.uint8)
