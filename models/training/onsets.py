"""Composes onsets of smoke on mountain-top cameras, and the same cameras without any, to measure after how many frames the agent tells it.

python3 onsets.py --data DIR --out ONSETS && cd ../.. && npm run bench -- plume-onset ONSETS

Real frames with a plume are there, real sequences are not. So the plume of a frame is painted over with what stands left and right of it, and
comes back: from its foot upwards, thin at first. OUT/onset/NAME/000.jpg: eight frames without it, then sixty, whole after --full of them; plume.json: where it will stand, [left, top, width, height] in fractions.
OUT/calm/NAME: 120 frames of such a painted-over picture, or of a hill camera without fire, under drifting clouds and their shadows, haze, exposure.
Both nod by a fraction of a pixel, with sensor noise and JPEG of changing quality. For evaluation only: the pictures forbid other use.
"""
import argparse
import json
import os

import cv2
import numpy as np

import records

CLEAR, WITH_PLUME, CALM = 8, 60, 120  # frames


def without_plume(picture, box, noise):
    """The picture with its plume painted over, row by row, from the columns beside the box and their grain."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box
    margin = max(3, int(0.15 * (x1 - x0)))
    left, right, top, foot = max(0, x0 - margin), min(width, x1 + margin), max(0, y0 - margin), min(height, y1 + 2)
    light = picture.astype(np.float32)
    beside_right = light[top:foot, min(right, width - 4):][:, :4].mean(1)
    beside_left = light[top:foot, left - 4:left].mean(1) if left >= 4 else beside_right
    beside_right = beside_right if right <= width - 4 else beside_left
    across = np.linspace(0, 1, right - left)[None, :, None]
    fill = beside_left[:, None] * (1 - across) + beside_right[:, None] * across
    start = next((a for a in (left - (right - left), right) if 0 <= a <= width - (right - left)), None)
    grain = light[top:foot, start:start + right - left] if start is not None else noise.normal(0, 2, fill.shape).astype(np.float32)
    fill += grain - cv2.GaussianBlur(grain, (0, 0), 4)
    painted, share = light.copy(), np.zeros((height, width), np.float32)
    painted[top:foot, left:right], share[top:foot, left:right] = fill, 1
    share = cv2.GaussianBlur(share, (0, 0), max(1.0, margin / 3))[..., None]
    return light * (1 - share) + painted * share


def taken(light, noise, jolt, qualities):
    """What a camera makes of it: sensor noise, a mast in the wind, JPEG; gives the bytes."""
    height, width = light.shape[:2]
    light = np.clip(light + noise.normal(0, 1.5, light.shape), 0, 255).astype(np.uint8)
    moved = np.float32([[1, 0, noise.normal(0, jolt)], [0, 1, noise.normal(0, jolt)]])
    light = cv2.warpAffine(light, moved, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    return cv2.imencode('.jpg', light, [cv2.IMWRITE_JPEG_QUALITY, int(noise.integers(*qualities))])[1].tobytes()


def onset(picture, box, full, noise):
    clear, real, sun = without_plume(picture, box, noise), picture.astype(np.float32), 0.0
    rows = np.mgrid[0:picture.shape[0], 0:picture.shape[1]][0].astype(np.float32)
    tall = box[3] - box[1]
    for frame in range(CLEAR + WITH_PLUME):
        grown = float(np.clip((frame - CLEAR + 1) / full, 0, 1))
        shown = np.clip((rows - (box[3] - tall * grown ** 0.7)) / max(1.5, 0.15 * tall) + 0.5, 0, 1) * min(1, 0.35 + 0.65 * grown) * (grown > 0)
        sun = 0.9 * sun + noise.normal(0, 0.006)
        yield taken((clear * (1 - shown[..., None]) + real * shown[..., None]) * (1 + sun), noise, 0.25, (70, 92))


def patches(noise, height, width, size):
    """Clouds or their shadows, larger than the picture, mean 0, standard deviation 1."""
    rough = noise.normal(0, 1, (max(2, int(height / size)), max(2, int(width / size)))).astype(np.float32)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return smooth / (smooth.std() + 1e-6)


def calm(picture, noise):
    height, width = picture.shape[:2]
    rows = np.mgrid[0:height, 0:width][0].astype(np.float32)
    shadows, dark = patches(noise, 2 * height, 3 * width, noise.uniform(40, 120)), noise.choice([0, 0.08, 0.16])
    clouds, bright = patches(noise, 2 * height, 3 * width, noise.uniform(15, 60)), noise.choice([0, 4, 9])
    veil, thick = patches(noise, height, width, noise.uniform(60, 200)), noise.choice([0, 0.12, 0.25])
    wind, drop, horizon = noise.uniform(0.3, 3), noise.uniform(0, 0.3), noise.uniform(0.25, 0.45) * height
    middle, spread = noise.uniform(0.3, 0.6) * height, noise.uniform(0.06, 0.2) * height
    step_at, step = (int(noise.integers(30, 110)), noise.uniform(0.8, 1.2)) if noise.random() < 0.4 else (CALM, 1)
    evening, sun, haze = noise.uniform(-0.15, 0.15), 0.0, 0.0
    for frame in range(CALM):
        sun, haze = 0.97 * sun + noise.normal(0, 0.012), float(np.clip(0.98 * haze + noise.normal(0, 0.05), 0, 1))
        x, y = int(wind * frame) % (2 * width), int(drop * frame) % height
        light = picture * ((1 + sun + evening * frame / CALM) * (step if frame >= step_at else 1) * (1 + dark * shadows[y:y + height, x:x + width]))[..., None]
        light += (bright * clouds[y:y + height, x:x + width] * np.clip((horizon - rows) / (0.1 * height), 0, 1))[..., None]
        share = (thick * haze * np.exp(-((rows - middle) / spread) ** 2) * np.clip(1 + 0.5 * veil, 0, 2))[..., None]
        yield taken(light * (1 - share) + 205 * share, noise, 0.4 if noise.random() < 0.95 else 2, (62, 92))


def box_of(record, picture):
    _, x, y, w, h = record.boxes[0]
    height, width = picture.shape[:2]
    return max(0, int((x - w / 2) * width)), max(0, int((y - h / 2) * height)), min(width, int(np.ceil((x + w / 2) * width))), min(height, int(np.ceil((y + h / 2) * height)))


def write(folder, frames):
    os.makedirs(folder, exist_ok=True)
    for number, data in enumerate(frames):
        with open(os.path.join(folder, f'{number:03}.jpg'), 'wb') as file:
            file.write(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, help='folder with smoke-far/ (README)')
    parser.add_argument('--out', required=True)
    parser.add_argument('--full', type=int, default=20, help='frames after the onset until the plume is as in the photograph')
    parser.add_argument('--first', type=int, default=0, choices=range(4), help='which of every four frames gets an onset: the constants were chosen on those of 0')
    args = parser.parse_args()
    found = records.smoke_far(args.data)
    tops = [r for r in found if r.set == 'hpwren-noncommercial']
    hills = [r for r in found if r.set == 'hill-cameras-clear']
    stem = lambda record: os.path.splitext(os.path.basename(record.path))[0]
    for number, record in enumerate(tops[args.first::4]):
        picture, folder = cv2.imread(record.path), os.path.join(args.out, 'onset', stem(record))
        write(folder, onset(picture, box_of(record, picture), args.full, np.random.default_rng(number)))
        with open(os.path.join(folder, 'plume.json'), 'w') as file:
            _, x, y, w, h = record.boxes[0]
            json.dump([x - w / 2, y - h / 2, w, h], file)
    for number, record in enumerate(hills[::2] + tops[1::4]):
        noise, picture = np.random.default_rng(1000 + number), cv2.imread(record.path)
        picture = without_plume(picture, box_of(record, picture), noise) if record.boxes else picture.astype(np.float32)
        write(os.path.join(args.out, 'calm', stem(record)), calm(picture, noise))
    print(f'{len(tops[args.first::4])} onsets, {len(hills[::2] + tops[1::4])} calm sequences in {args.out}')


if __name__ == '__main__':
    main()
