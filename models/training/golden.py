"""Draws the golden pictures: our own, no photograph. They need not look real, only be the same for ever."""
import cv2
import numpy as np

import plumes
from nets import HEIGHT, WIDTH


def gradient(top, bottom, height):
    t = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return np.repeat(np.array(top, np.float32) * (1 - t) + np.array(bottom, np.float32) * t, WIDTH, 1)


def hillside(rng):
    picture = gradient((225, 190, 150), (235, 225, 215), HEIGHT)
    x = np.arange(WIDTH)
    for depth, (base, swing, tone) in enumerate(((110, 16, (150, 140, 120)), (140, 26, (95, 110, 90)), (185, 22, (45, 75, 60)))):
        ridge = base + swing * np.sin(x / (70 - 12 * depth) + depth * 2) + 6 * np.sin(x / 17 + depth)
        below = np.arange(HEIGHT)[:, None] > ridge[None]
        texture = (plumes.fractal(rng, WIDTH, HEIGHT, (16, 32, 64)) - 0.5)[..., None] * (14 + 12 * depth)
        picture = np.where(below[..., None], np.array(tone, np.float32) + texture, picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def plume_over_hills(rng):
    picture = hillside(rng)
    sprite = cv2.resize(plumes.plume(rng), (150, 130))
    alpha = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    alpha[20:150, 190:340, 0] = sprite * 0.9
    return np.clip(picture * (1 - alpha) + np.array([205, 208, 210]) * alpha, 0, 255).astype(np.uint8)


def flames_in_a_field(rng):
    picture = np.concatenate([gradient((90, 60, 50), (120, 100, 95), 110), gradient((40, 90, 110), (25, 60, 80), HEIGHT - 110)])
    picture += (plumes.fractal(rng, WIDTH, HEIGHT, (32, 64)) - 0.5)[..., None] * 25
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for middle, width, height in ((150, 24, 70), (190, 30, 95), (235, 22, 60), (270, 16, 45)):
        up = (178 - y) / height
        body = np.exp(-(np.abs(x - middle - 6 * np.sin(up * 7 + middle)) / (width * np.clip(1 - up, 0.02, 1))) ** 2)
        alpha = (body * (up > -0.05) * np.clip(1.1 - up, 0, 1))[..., None]
        hot = np.clip(1.2 - up, 0, 1)[..., None]
        picture = picture * (1 - alpha) + (np.array([20, 120, 250]) + np.array([150, 110, 5]) * hot) * alpha
    sprite = cv2.resize(plumes.plume(rng), (220, 120))[..., None] * 0.85
    picture[10:130, 110:330] = picture[10:130, 110:330] * (1 - sprite) + np.array([90, 92, 95]) * sprite
    return np.clip(picture, 0, 255).astype(np.uint8)


def night_lamps(rng):
    return plumes.lamps(street(rng, None), rng)


def street(rng, level):
    """Houses, pavement, road in perspective and a staff gauge; water up to the picture row `level`."""
    picture = gradient((200, 190, 180), (220, 215, 210), HEIGHT)
    for left, right, top, tone in ((0, 120, 30, (95, 120, 150)), (118, 210, 55, (130, 140, 140)), (290, 380, 50, (110, 130, 165)), (378, 448, 15, (120, 120, 125))):
        picture[top:150, left:right] = tone
        for wx in range(left + 10, right - 16, 26):
            for wy in range(top + 10, 128, 30):
                picture[wy:wy + 16, wx:wx + 12] = (70, 62, 55)
    cv2.fillPoly(picture, [np.array([[0, 150], [448, 150], [448, 256], [0, 256]])], (125, 130, 132))
    cv2.fillPoly(picture, [np.array([[215, 145], [270, 145], [430, 256], [40, 256]])], (88, 86, 84))
    for k in range(5):
        y = 155 + 22 * k
        cv2.line(picture, (241, y), (240, y + 5 + 2 * k), (210, 215, 215), 2)
    picture += (plumes.fractal(rng, WIDTH, HEIGHT, (64, 128)) - 0.5)[..., None] * 14
    if level is not None:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        wave = np.sin(y * 0.9 + 3 * np.sin(x / 31)) * (y - level) / 30 + plumes.fractal(rng, WIDTH, HEIGHT, (24, 48)) * 8
        mirror = cv2.GaussianBlur(picture[::-1], (0, 0), 2.5)
        shift = np.roll(mirror, int(2 * level) - HEIGHT, 0)
        water = 0.45 * shift + 0.55 * np.array([88, 112, 124]) + wave[..., None]
        picture = np.where((y > level)[..., None], water, picture)
    x0, bottom = 330, 236
    for step in range(20):
        top = bottom - (step + 1) * 8
        if level is None or top + 8 <= level + 30:
            cv2.rectangle(picture, (x0, top), (x0 + 14, top + 7), (245, 245, 245) if step % 2 else (30, 30, 200), -1)
    if level is not None:
        picture[int(level) + 12:, x0:x0 + 15] = picture[int(level) + 12:, x0 + 20:x0 + 35]
    return np.clip(picture, 0, 255).astype(np.uint8)


DRAWN = {
    'smoke-flame': {'plume-over-hills': plume_over_hills, 'flames-in-a-field': flames_in_a_field, 'night-lamps': night_lamps},
    'water-segmentation': {'street-dry': lambda rng: street(rng, None), 'street-flooded': lambda rng: street(rng, 168)},
}
