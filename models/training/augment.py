"""What cameras do to pictures: framing, colour, darkness, grey, rain, blur, noise, JPEG."""
import cv2
import numpy as np


def random_frame(rng, width, height, least=0.45):
    """Affine 2x3 that crops, stretches, shifts and flips; returned as source -> picture of the same size."""
    scale = np.sqrt(rng.uniform(least, 1.15))
    aspect = np.exp(rng.uniform(-0.2, 0.2))
    wide, tall = scale * aspect, scale / aspect
    x0 = rng.uniform(min(0, 1 - wide), max(0, 1 - wide)) * width
    y0 = rng.uniform(min(0, 1 - tall), max(0, 1 - tall)) * height
    matrix = np.array([[1 / wide, 0, -x0 / wide], [0, 1 / tall, -y0 / tall]], np.float32)
    if rng.random() < 0.5:
        matrix = np.array([[-1, 0, width - 1], [0, 1, 0]], np.float32) @ np.vstack([matrix, [0, 0, 1]]).astype(np.float32)
    return matrix


def warp(picture, matrix, border=cv2.BORDER_CONSTANT, method=cv2.INTER_LINEAR):
    return cv2.warpAffine(picture, matrix, (picture.shape[1], picture.shape[0]), flags=method, borderMode=border)


def colour(picture, rng):
    """Gamma, gain and offset per channel as a table, then saturation as a matrix: a tenth of the time of floating-point pictures."""
    tones = (np.arange(256, dtype=np.float32) / 255) ** np.exp(rng.uniform(-0.35, 0.45)) * 255
    gains = rng.uniform(0.75, 1.2) * np.exp(rng.normal(0, 0.07, 3))
    table = np.clip(tones[:, None] * gains + rng.uniform(-18, 18), 0, 255).astype(np.uint8)[None]
    strength = 0.0 if rng.random() < 0.1 else rng.uniform(0.5, 1.4)
    mix = np.eye(3) * strength + (1 - strength) / 3
    return cv2.transform(cv2.LUT(picture, table), mix)


def hue(picture, rng, most=14):
    """All colours turned by up to `most` of 180 steps: roofs of one colour and water of another are no rule."""
    turned = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    turned[..., 0] = (turned[..., 0].astype(np.int16) + rng.integers(-most, most + 1)) % 180
    return cv2.cvtColor(turned, cv2.COLOR_HSV2BGR)


def noisy(picture, rng, sigma):
    grain = rng.standard_normal(picture.shape, np.float32) * np.float32(sigma)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def rain(picture, rng):
    height, width = picture.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    slant, length = rng.normal(0, 3), int(rng.uniform(6, 22))
    for x, y in zip(rng.integers(0, width, 160), rng.integers(0, height, 160)):
        cv2.line(streaks, (int(x), int(y)), (int(x + slant), int(y + length)), int(rng.integers(60, 190)), 1)
    streaks = cv2.GaussianBlur(streaks, (0, 0), 0.7)[..., None].astype(np.float32) / 255 * rng.uniform(0.3, 0.9)
    return np.clip(picture * (1 - streaks) + 215 * streaks, 0, 255).astype(np.uint8)


def shadows(picture, rng):
    """Hard shadows of poles, staffs, wires, eaves: straight bands of any width and direction, darker and a little bluer."""
    height, width = picture.shape[:2]
    dark = np.zeros((height, width), np.float32)
    for _ in range(rng.integers(1, 5)):
        x, y, angle = rng.uniform(0, width), rng.uniform(0.2, 1) * height, rng.uniform(0, np.pi)
        along, across = np.exp(rng.uniform(np.log(15), np.log(width))), np.exp(rng.uniform(np.log(2), np.log(rng.choice([14, 14, 120]))))
        c, s = np.cos(angle), np.sin(angle)
        taper = rng.uniform(0.4, 1)
        corners = [(x + c * a - s * b, y + s * a + c * b) for a, b in ((0, -across / 2), (along, -across * taper / 2), (along, across * taper / 2), (0, across / 2))]
        band = cv2.fillPoly(np.zeros_like(dark), [np.round(np.array(corners) * 16).astype(np.int32)], rng.uniform(0.25, 0.7), shift=4)
        dark = np.maximum(dark, cv2.GaussianBlur(band, (0, 0), rng.uniform(0.4, 2.5)))
    return (picture * (1 - dark[..., None] * np.float32([0.9, 1, 1]))).astype(np.uint8)


def infrared(picture, rng):
    """A night camera with lamps of its own: grey, banks lit at the sides, water and sky black, specks of dust before the lens."""
    height, width = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lit = rng.uniform(0.1, 0.5) + rng.uniform(0.4, 1.2) * np.abs(x / width - rng.uniform(0.35, 0.65)) * 2 * np.clip(y / height * rng.uniform(1, 3), 0, 1)
    grey *= np.clip(lit, 0, 1.3)
    for _ in range(rng.integers(0, 40)):
        side = rng.choice([rng.uniform(0, 0.3), rng.uniform(0.7, 1.0), rng.uniform(0, 1)])
        cv2.circle(grey, (int(side * width), int(rng.uniform(0, height))), int(rng.uniform(2, 9)), float(rng.uniform(40, 200)), -1, cv2.LINE_AA)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.5, 1.5))
    return np.clip(cv2.merge([grey] * 3), 0, 255).astype(np.uint8)


def round_lens(picture, rng):
    """Now and then the dark corners of a wide lens."""
    if rng.random() > 0.06:
        return picture
    height, width = picture.shape[:2]
    y, x = np.ogrid[:height, :width]
    away = np.hypot((x - width * rng.uniform(0.47, 0.53)) / width, (y - height * rng.uniform(0.4, 0.6)) / width)
    return (picture * np.clip((rng.uniform(0.42, 0.56) - away) * 40, 0, 1)[..., None]).astype(np.uint8)


def camera(picture, rng):
    """Lens, sensor and compression, after everything drawn into the scene."""
    if rng.random() < 0.12:
        picture = rain(picture, rng)
    if rng.random() < 0.15:
        small = rng.uniform(0.35, 0.8)
        tiny = cv2.resize(picture, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
        picture = cv2.resize(tiny, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
    elif rng.random() < 0.12:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 1.8))
    if rng.random() < 0.12:
        picture = noisy(picture * np.float32(rng.uniform(0.2, 0.6)), rng, rng.uniform(2, 8))
    elif rng.random() < 0.2:
        picture = noisy(picture, rng, rng.uniform(1, 7))
    if rng.random() < 0.35:
        quality = [int(cv2.IMWRITE_JPEG_QUALITY), int(rng.integers(25, 85))]
        picture = cv2.imdecode(cv2.imencode('.jpg', picture, quality)[1], cv2.IMREAD_COLOR)
    return picture
