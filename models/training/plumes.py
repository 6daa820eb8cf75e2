"""Drawn smoke, lamps and glare: cheap stand-ins for what the photographs lack.

Far smoke is the gap: the photographs show fires from close by. A plume here is fractal noise inside a cone that
widens and bends with the wind and fades at the top. Lamps and glare are drawn without a label: they are what
flame and smoke get confused with.
"""
import cv2
import numpy as np

SIZE = 96


def fractal(rng, width, height, octaves=(4, 8, 16, 32)):
    total = np.zeros((height, width), np.float32)
    for cells in octaves:
        grid = rng.random((cells + 1, cells + 1)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / cells ** 0.7
    low, high = np.percentile(total, (2, 98))
    return np.clip((total - low) / (high - low), 0, 1)


def plume(rng):
    """Alpha 0..1, SIZE x SIZE, rising from the middle of the bottom edge."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / (SIZE - 1)
    up = 1 - y
    wind = rng.normal(0, 0.35)
    centre = 0.5 + wind * up ** rng.uniform(0.9, 2.0) + 0.05 * np.sin(up * rng.uniform(4, 12) + rng.uniform(0, 6))
    spread = rng.uniform(0.02, 0.06) + rng.uniform(0.08, 0.32) * up ** rng.uniform(0.6, 1.2)
    cone = np.exp(-(np.abs(x - centre) / spread) ** 2.5)
    noise = fractal(rng, SIZE, SIZE)
    top = rng.uniform(0.55, 1.0)
    fade = np.clip((top - up) / rng.uniform(0.1, 0.5), 0, 1) * np.clip(up * 30, 0, 1)
    alpha = np.clip(cone * 1.5 - (1 - noise) * rng.uniform(0.3, 1.0), 0, 1) * fade
    alpha *= np.clip(np.minimum(x, 1 - x) * 12, 0, 1)  # no cut edge where the wind blows it out of the sprite
    return cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.5, 2.0))


class Plumes:
    def __init__(self, seed, count=240):
        rng = np.random.default_rng(seed)
        self.sprites = [plume(rng) for _ in range(count)]

    def paint(self, picture, rng):
        """Blends one plume in; gives the box (smoke, x, y, w, h in 0..1) or None where it can't be seen."""
        height, width = picture.shape[:2]
        sprite = self.sprites[rng.integers(len(self.sprites))]
        if rng.random() < 0.5:
            sprite = sprite[:, ::-1]
        tall = int(height * np.exp(rng.uniform(np.log(0.06), np.log(0.55))))
        wide = max(8, int(tall * rng.uniform(0.7, 2.2)))
        alpha = cv2.resize(np.ascontiguousarray(sprite), (wide, max(8, tall)), interpolation=cv2.INTER_AREA)
        alpha = alpha * rng.uniform(0.35, 0.95)
        left = int(rng.uniform(-0.2 * wide, width - 0.8 * wide))
        top = int(rng.uniform(0.2, 0.75) * height) - alpha.shape[0]
        x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + wide), min(height, top + alpha.shape[0])
        if x1 - x0 < 6 or y1 - y0 < 6:
            return None
        alpha = alpha[y0 - top:y1 - top, x0 - left:x1 - left]
        under = picture[y0:y1, x0:x1].astype(np.float32)
        light = rng.uniform(0.75, 1.15) * min(235.0, max(40.0, float(picture.mean()) * 1.5))
        tone = light if rng.random() < 0.75 else light * rng.uniform(0.25, 0.5)
        colour = np.clip(tone + rng.normal(0, 6, 3) + np.array([4, 0, -2]), 15, 250)
        shade = 1 + (cv2.GaussianBlur(alpha, (0, 0), 2) - alpha)[..., None] * rng.uniform(0, 0.6)
        picture[y0:y1, x0:x1] = np.clip(under * (1 - alpha[..., None]) + colour * shade * alpha[..., None], 0, 255)
        seen = np.argwhere(alpha > 0.12)
        if len(seen) < 30 or np.abs(picture[y0:y1, x0:x1] - under)[alpha > 0.12].mean() < 7:
            return None
        (sy0, sx0), (sy1, sx1) = seen.min(0), seen.max(0) + 1
        return (0, (x0 + (sx0 + sx1) / 2) / width, (y0 + (sy0 + sy1) / 2) / height, (sx1 - sx0) / width, (sy1 - sy0) / height)


def glow(shape, x, y, radius):
    rows, columns = np.ogrid[:shape[0], :shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius ** 2)).astype(np.float32)


def lamps(picture, rng):
    """A darker scene with warm and white lamps and their halos: never flame."""
    out = picture.astype(np.float32) * rng.uniform(0.15, 0.7)
    for _ in range(rng.integers(1, 9)):
        x, y, radius = rng.uniform(0, out.shape[1]), rng.uniform(0, out.shape[0] * 0.8), np.exp(rng.uniform(0.3, 2.3))
        colour = np.array([[60, 150, 255], [120, 200, 255], [255, 250, 245], [40, 40, 255], [80, 255, 120]][rng.integers(5)], np.float32)
        out += glow(out.shape, x, y, radius * rng.uniform(3, 8))[..., None] * colour * rng.uniform(0.1, 0.4)
        out += glow(out.shape, x, y, radius)[..., None] * (colour * 0.6 + 140)
    return np.clip(out, 0, 255).astype(np.uint8)


def glare(picture, rng):
    """Sun into a lens that is seldom clean: burnt-out sky, a veil that dirt makes patchy, streaks down from the sun, ghosts. Never smoke.

    Gives the picture and how much of it the veil hides, (height, width) 0..1.
    """
    height, width = picture.shape[:2]
    x, y = rng.uniform(0, width), rng.uniform(-0.2, 0.4) * height
    veil = glow(picture.shape, x, y, rng.uniform(0.2, 0.9) * width) * rng.uniform(0.2, 0.9)
    if rng.random() < 0.7:
        dirt = fractal(rng, width, height, (6, 12, 24) if rng.random() < 0.5 else (2, 4, 8))
        veil *= 1 - rng.uniform(0.3, 0.9) * dirt
    if rng.random() < 0.5:
        bright = picture.max(2).astype(np.float32) / 255
        veil = np.maximum(veil, np.clip((bright - rng.uniform(0.4, 0.8)) * rng.uniform(2, 6), 0, 1) * glow(picture.shape, x, y, rng.uniform(0.4, 2.0) * width))
    for _ in range(rng.integers(0, 8) if rng.random() < 0.7 else 0):
        veil = np.maximum(veil, streak(picture.shape, x + rng.normal(0, 50), y, rng))
    tint = np.array([245, 250, 255] if rng.random() < 0.7 else [150, 210, 255], np.float32)
    out = picture * (1 - veil[..., None]) + tint * veil[..., None]
    for _ in range(rng.integers(0, 6) if rng.random() < 0.5 else 0):
        along, size = rng.uniform(0.2, 1.6), rng.uniform(1, 8)
        ghost = glow(picture.shape, x + (width / 2 - x) * along, y + (height * 0.6 - y) * along, size)
        out += ghost[..., None] * rng.uniform(0, 70, 3)
    return np.clip(out, 0, 255).astype(np.uint8), veil


def streak(shape, x, y, rng):
    """(height, width) 0..1: one ray of the sun from (x, y) downwards, nearly upright, often brightest far from the sun and of ragged brightness."""
    height, width = shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    down = np.clip((rows - y) / height, 0, None)
    middle = x + (x - width / 2) * rng.uniform(-0.1, 0.35) * down + rng.normal(0, 12) * down
    ray = np.exp(-((columns - middle) / (rng.uniform(1, 6) * (1 + rng.uniform(0, 2) * down))) ** 2 / 2)
    ragged = np.interp(np.linspace(0, 1, height), np.linspace(0, 1, 9), rng.uniform(0.2, 1, 9)).astype(np.float32)
    end = np.clip((rng.uniform(0.3, 1.1) - down) / rng.uniform(0.05, 0.4), 0, 1)
    return ray * ragged[:, None] * end * (rows > y) * rng.uniform(0.2, 1.0)


def wet_lens(picture, rng):
    """Drops and smears on the glass: what is behind is blurred, brighter and upside down. Never smoke."""
    height, width = picture.shape[:2]
    soft = cv2.GaussianBlur(picture, (0, 0), rng.uniform(3, 9))
    over, lift = np.zeros((height, width), np.float32), rng.uniform(0, 35)
    for _ in range(rng.integers(1, 25)):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), np.exp(rng.uniform(0.7, 3.4))
        cv2.ellipse(over, (int(x), int(y)), (max(1, int(size)), max(1, int(size * rng.uniform(0.8, 2.2)))), rng.normal(0, 10), 0, 360, rng.uniform(0.3, 1.0), -1)
    over = cv2.GaussianBlur(over, (0, 0), rng.uniform(0.6, 5))[..., None]
    behind = np.clip((soft[::-1] if rng.random() < 0.3 else soft) + np.float32(lift), 0, 255)
    return (picture * (1 - over) + behind * over).astype(np.uint8)


def haze(picture, rng):
    """Fog that covers everything, thicker towards a height in the picture. Never smoke."""
    height = picture.shape[0]
    line = np.linspace(0, 1, height, dtype=np.float32)
    veil = rng.uniform(0.15, 0.75) * np.exp(-((line - rng.uniform(0.1, 0.6)) / rng.uniform(0.15, 0.8)) ** 2)
    tint = rng.uniform(120, 230) + rng.normal(0, 8, 3)
    return np.clip(picture * (1 - veil[:, None, None]) + tint * veil[:, None, None], 0, 255).astype(np.uint8)
