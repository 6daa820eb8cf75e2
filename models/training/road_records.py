"""Pictures of roads with boxes of road users: which are held out, and what is made of labels that say too little.

Sources label what they cared for. Of the rest the published start (YOLOX-nano, larger view, mirrored too) says what it
sees: surely there, it becomes an object; perhaps there, a place that counts as nothing either way. So nothing it knew is
unlearnt as background. Held-out pictures keep their source's labels alone.
"""
import csv
import glob
import hashlib
import json
import os
import zlib
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

import records
from assign import IGNORED, MIXED, SURE
from road_boxes import area, detect, joined, overlap, shared
from road_net import BICYCLE, BUS, CAR, FOUR_WHEELS, MOTORCYCLE, PERSON, TRUCK

HELD_GROUPS = {'cctv': {'frame_c120', 'stmarc_video_frame', 'normal_frame', 'ball_frame'}, 'overhead': {'ysplit', 'A1', 'A2'}}
UNLABELLED = {'cctv': (), 'overhead': (PERSON, BICYCLE), 'indonesia': (BICYCLE,), 'india': (PERSON, BICYCLE, BUS, TRUCK)}
COCO = {0: PERSON, 1: BICYCLE, 3: MOTORCYCLE, 2: CAR, 5: BUS, 7: TRUCK}
SURELY, PERHAPS = 0.45, 0.12


@dataclass
class Road:
    path: str
    set: str
    held: bool
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 6), np.float32))  # label, x0 y0 x1 y1 (0..1), kind
    picture: np.ndarray = None  # BGR; read when first needed

    def pixels(self):
        return self.picture if self.picture is not None else cv2.imread(self.path)


def yolo(path, classes=None):
    """(n,6) boxes of a YOLO text file; `classes`: number in the file -> label, others left out."""
    if not os.path.exists(path):
        return np.zeros((0, 6), np.float32)
    with open(path) as file:
        lines = [list(map(float, line.split()[:5])) for line in file if line.strip()]
    classes = {n: n for n in range(6)} if classes is None else classes
    found = [(classes[int(k)], x - w / 2, y - h / 2, x + w / 2, y + h / 2, SURE) for k, x, y, w, h in lines if int(k) in classes]
    return np.clip(np.array(found, np.float32).reshape(-1, 6), 0, [5, 1, 1, 1, 1, 3]).astype(np.float32)


def moment(name):
    """Phone pictures are named by their second: those of one minute are one scene."""
    return name[:15] if name.startswith('IMG2') else name


def traffic(data):
    found = []
    for folder in UNLABELLED:
        with open(os.path.join(data, 'traffic', folder, 'index.csv')) as file:
            groups = {row['image']: row['group'] for row in csv.DictReader(file)}
        for path in records.images(data, f'traffic/{folder}'):
            name = os.path.splitext(os.path.basename(path))[0]
            held = groups[name] in HELD_GROUPS[folder] if folder in HELD_GROUPS else records.share(moment(name)) < 1 / 3
            boxes = yolo(os.path.join(data, 'traffic', folder, 'labels', name + '.txt'))
            found.append(Road(path, folder, held, ridden(boxes) if folder == 'indonesia' else boxes))
    photographs = [r for r in found if r.set in ('india', 'indonesia')]
    return [r for r in found if r not in photographs] + records.without_twins(photographs)


def ridden(boxes):
    """Boxes of a source that draws riders and what they ride apart, as one each, like the other sources do."""
    rows = joined(np.insert(boxes[:, :5], 1, 1, axis=1))
    return np.column_stack([rows[:, :1], rows[:, 2:], np.full(len(rows), SURE)]).astype(np.float32)


def coco(data):
    """Half of the pictures, by name, are held out: they show what the start knew and is forgotten."""
    return [Road(path, 'coco', records.share(os.path.basename(path)) < 0.5, ridden(yolo(records.labels_of(path), COCO)))
            for path in records.images(data, 'coco-mini')]


def ordinary(data):
    """Pictures without labels of road users: streets in flood, fires' negatives. The start labels them."""
    taken = {'street-flood': lambda row: records.share(row['file']) < 0.3, 'fire-smoke': lambda row: row['set'] != 'web' and records.share(row['file']) < 0.1}
    found = [os.path.join(data, row['file']) for folder, take in taken.items() for row in records.rows(data, folder) if take(row)]
    return [Road(path, 'ordinary', False) for path in found]


def rendered(folder, every=3):
    """Our own junction, never the scenes that the score is made of: vehicles mostly hidden by a nearer one are not counted."""
    with open(os.path.join(folder, 'truth.json')) as file:
        truth = json.load(file)
    if truth['use'] != 'develop':
        raise SystemExit(f'{folder}: is a scene of the score')
    clip = cv2.VideoCapture(glob.glob(os.path.join(folder, '*.mp4'))[0])
    labels = {'car': 3, 'motorbike': MOTORCYCLE, 'bicycle': BICYCLE, 'bus': BUS, 'truck': TRUCK, 'person': PERSON}
    found = []
    for number, frame in enumerate(truth['frames']):
        picture = clip.read()[1]
        if number % every:
            continue
        boxes = np.array([(labels[v['class']], v['box'][0], v['box'][1], v['box'][0] + v['box'][2], v['box'][1] + v['box'][3], SURE)
                          for v in frame['vehicles']], np.float32).reshape(-1, 6)
        found.append(Road(f'{folder}#{number}', 'rendered', False, without_hidden(boxes), picture))
    return found


def crowds(folder):
    """Our own random streets full of walkers (`training-crowds`), an exact box for everyone; a fifth of the seeds is held out.

    Who is mostly hidden, cut or tiny (`ignored/`) counts as nothing either way in training.
    """
    found = []
    for path in records.images(folder, '.'):
        held, labels = records.share(os.path.basename(path)) < 0.2, records.labels_of(path)
        boxes = yolo(labels)
        if not held:
            hidden = yolo(labels.replace(os.sep + 'labels' + os.sep, os.sep + 'ignored' + os.sep))
            hidden[:, 5] = IGNORED
            boxes = np.concatenate([boxes, hidden])
        found.append(Road(path, 'crowds', held, boxes))
    return found


def without_hidden(boxes):
    """Boxes of which a nearer vehicle, whose lower edge is lower, covers more than half are IGNORED."""
    cover = shared(boxes[:, 1:5], boxes[:, 1:5]) / np.maximum(1e-9, area(boxes[:, 1:5]))[:, None]
    nearer = boxes[None, :, 4] > boxes[:, None, 4]
    boxes[(cover * nearer > 0.5).any(1), 5] = IGNORED
    return boxes


def seen_by_start(net, roads, cache):
    """The start's joined detections of each picture, kept in `cache`."""
    os.makedirs(cache, exist_ok=True)
    for road in roads:
        key = hashlib.sha256(f'{road.path} {os.path.getmtime(road.path)}'.encode()).hexdigest()[:16]
        path = os.path.join(cache, f'seen-{key}.npy')
        if not os.path.exists(path):
            np.save(path, joined(detect(net, road.pixels(), PERHAPS, mirrored=True)))
        yield np.load(path)


def completed(net, roads, cache):
    """Records with the start's opinion on what their source left out."""
    for road, seen in zip(roads, seen_by_start(net, roads, cache)):
        if road.set == 'ordinary':
            road.boxes = np.concatenate([seen[:, :1], seen[:, 2:], np.where(seen[:, 1:2] >= SURELY, SURE, IGNORED)], 1)
            continue
        boxes = road.boxes
        four = np.isin(boxes[:, 0], FOUR_WHEELS)
        boxes[four, 5] = MIXED
        same = overlap(boxes[:, 1:5], seen[:, 2:])
        for index in np.nonzero(boxes[:, 0] == TRUCK)[0] if road.set == 'cctv' and len(seen) else []:
            if same[index].max() > 0.5 and seen[same[index].argmax(), 0] == BUS:
                boxes[index, 0] = BUS
        part = shared(seen[:, 2:], boxes[:, 1:5]) / np.maximum(1e-9, area(seen[:, 2:]))[:, None]
        known = (same.max(0) > 0.4) | (part.max(1) > 0.6) if len(boxes) and len(seen) else np.zeros(len(seen), bool)
        # A source that labels a class still misses some: what the start is sure of there is not background.
        extra = [(label, *box, SURE if label in UNLABELLED[road.set] and confidence >= SURELY else IGNORED)
                 for (label, confidence, *box), already in zip(seen, known)
                 if not already and (label in UNLABELLED[road.set] or confidence >= 0.3)]
        road.boxes = np.concatenate([boxes, np.array(extra, np.float32).reshape(-1, 6)]).astype(np.float32)
    return roads
