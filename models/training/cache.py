"""Decoded pictures at the network's input size in one memory-mapped file: decoding costs more than training."""
import hashlib
import os

import cv2
import numpy as np

from nets import HEIGHT, WIDTH


def load_picture(path):
    """`NAME#upper` is the upper half of a picture that shows two views, `NAME#left,top,width,height` a part of it, in fractions."""
    path, _, part = path.partition('#')
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f'{path}: not a picture; remove it or fetch the data set again')
    if part == 'upper':
        picture = picture[:picture.shape[0] // 2]
    elif part:
        left, top, width, height = (round(float(value) * size) for value, size in zip(part.split(','), picture.shape[1::-1] * 2))
        picture = picture[top:top + height, left:left + width]
    return stretched(picture)


def stretched(picture):
    """A picture of any size at the input size, as `"resize": "stretch"` in the manifest says."""
    method = cv2.INTER_AREA if picture.shape[1] >= WIDTH else cv2.INTER_LINEAR
    return cv2.resize(picture, (WIDTH, HEIGHT), interpolation=method)


def load_mask(path):
    mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SystemExit(f'{path}: not a mask; every masked picture needs its PNG')
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def load_plume_mask(path):
    """0 nothing, 128 smoke, 255 flame: classes, so no value between them may arise."""
    mask = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise SystemExit(f'{path}: not a mask; every drawn picture needs its PNG')
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)


def cached(folder, records, load, channels):
    """Array (N, HEIGHT, WIDTH, channels) uint8 of all records, written once per list of files."""
    shape = (len(records), HEIGHT, WIDTH, channels)
    if not records:
        return np.zeros(shape, np.uint8)
    os.makedirs(folder, exist_ok=True)
    names = '\n'.join(f'{r} {os.path.getmtime(r.partition("#")[0])} {WIDTH}x{HEIGHT}' for r in records)
    path = os.path.join(folder, f'{load.__name__}-{hashlib.sha256(names.encode()).hexdigest()[:16]}.u8')
    if not os.path.exists(path):
        part = f'{path}.{os.getpid()}.part'  # two runs may want the same list
        store = np.memmap(part, np.uint8, 'w+', shape=shape)
        for index, record in enumerate(records):
            store[index] = load(record).reshape(shape[1:])
        store.flush()
        os.rename(part, path)
    return np.memmap(path, np.uint8, 'r', shape=shape)
