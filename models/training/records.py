"""What is read from the data folder: one record per picture, and which ones are never trained on.

A picture is held out together with everything of its scene. Photographs carry no scene, so near-duplicates
(difference hash within 6 of 64 bits) of a held-out photograph leave the training set too.
"""
import csv
import glob
import os
import zlib
from dataclasses import dataclass, field

import cv2
import numpy as np

SMOKE, FLAME = 0, 1
HELD_CCTV = {'cctv-3', 'cctv-5', 'cctv-8', 'cctv-11'} | {f'cctv-{n}' for n in range(19, 43, 2)}

ONLY_EVALUATED = ('hpwren-noncommercial', 'photographs')
OUR_OWN = ('drawn', 'rendered', 'crowds')


@dataclass
class Record:
    path: str
    set: str
    held: bool
    boxes: list = field(default_factory=list)  # (class, centre x, centre y, width, height), 0..1
    loose: bool = False  # boxes drawn roughly, some smoke and flame left without a box
    mask: str = ''  # grey PNG; of water: above 127 is water, of plumes: 128 is smoke, 255 flame; empty: no mask
    dry: bool = False  # the picture shows no standing water
    group: str = ''

    def has(self, label):
        return any(box[0] == label for box in self.boxes)


def share(name):
    """0..1 from a name, the same on every machine: the seed of every split."""
    return (zlib.crc32(name.encode()) % 10007) / 10007


def drawn_at_random(rng, members, count):
    """`count` of the members in random order, every one once before any comes again."""
    rounds = [rng.permutation(members) for _ in range(-(-count // len(members)))]
    return list(np.concatenate(rounds)[:count])


def yolo_boxes(path):
    """Lines `class x y w h`; 0 is flame and 1 smoke in the sources, here smoke comes first."""
    if not os.path.exists(path):
        return []
    with open(path) as file:
        rows = [line.split() for line in file if line.strip()]
    return [(FLAME if row[0] == '0' else SMOKE, *map(float, row[1:5])) for row in rows]


def rows(data, folder):
    with open(os.path.join(data, folder, 'index.csv')) as file:
        return list(csv.DictReader(file))


def images(data, folder):
    return sorted(glob.glob(os.path.join(data, folder, 'images', '*')))


def freed(found):
    """For the last run before shipping, once the figures are known: what was held out is trained on, too.

    What may only be evaluated, and what we drew or rendered ourselves, stays held out and goes on telling whether something broke.
    """
    for record in found:
        record.held = record.held and record.set in ONLY_EVALUATED + OUR_OWN
    return found


def difference_hash(path):
    small = cv2.resize(cv2.imread(path, cv2.IMREAD_GRAYSCALE), (9, 8), interpolation=cv2.INTER_AREA)
    return (small[:, 1:] > small[:, :-1]).ravel()


def without_twins(records):
    """Drops training photographs that look like a held-out one."""
    held = [difference_hash(r.path) for r in records if r.held]
    if not held:
        return records
    held = np.array(held)
    kept = [r for r in records if r.held or (held != difference_hash(r.path)).sum(1).min() > 6]
    print(f'near-duplicates of held-out photographs left out: {len(records) - len(kept)}')
    return kept


def fire_smoke(data):
    """Fires and the pictures without any, from fire-smoke/, traffic/, street-flood/, coco-mini/, water/, staff-gauge/."""
    found = []
    for row in rows(data, 'fire-smoke'):
        path = os.path.join(data, row['file'])
        name = os.path.splitext(os.path.basename(path))[0]
        held = row['scene'] in HELD_CCTV if row['set'] == 'cctv' else share(name) < (0.12 if row['set'] == 'web' else 0.35)
        boxes = yolo_boxes(os.path.join(data, 'fire-smoke', 'labels', name + '.txt'))
        found.append(Record(path, row['set'], held, boxes, loose=row['set'] == 'web', group=row['scene']))
    web = [r for r in found if r.set == 'web']
    found = [r for r in found if r.set != 'web'] + without_twins(web)
    for folder in ('overhead', 'indonesia', 'india', 'cctv'):
        found += [Record(p, 'traffic-' + folder, folder == 'cctv') for p in images(data, 'traffic/' + folder)]
    for row in rows(data, 'street-flood'):
        draw = share(row['file'])
        if draw < 0.15 and row['class'] in ('dry', 'wet') and row['sure'] == '1':
            found.append(Record(os.path.join(data, row['file']), 'streets', True))
        elif draw > 0.55:
            found.append(Record(os.path.join(data, row['file']), 'streets', False))
    found += [Record(p, 'coco', False) for p in images(data, 'coco-mini')]
    found += [Record(p, 'gauge', False) for p in images(data, 'staff-gauge')]
    found += [Record(p, 'canal', False) for p in images(data, 'water') if share(os.path.basename(p)) < 0.25]
    return found


def labels_of(path):
    """The YOLO file beside a picture in `images/`."""
    return os.path.splitext(path.replace(os.sep + 'images' + os.sep, os.sep + 'labels' + os.sep))[0] + '.txt'


def smoke_far(data):
    """Far smoke. The mountain-top set forbids commercial use and the photographs keep the score honest: both are only evaluated.

    Hill cameras without fire (CC0) show glare, haze and dusk as nothing else does: three fifths are trained on.
    """
    found = []
    for folder in ('hpwren-noncommercial', 'hill-cameras-clear', 'photographs'):
        for path in images(data, 'smoke-far/' + folder):
            trained = folder == 'hill-cameras-clear' and share(os.path.basename(path)) < 0.6
            found.append(Record(path, folder, not trained, yolo_boxes(labels_of(path))))
    return found


def drawn_plumes(folder):
    """Pictures of the scene scripts' `training-plumes`, with exact masks; odd seeds are for measuring."""
    return [Record(path, 'drawn', int(os.path.splitext(os.path.basename(path))[0]) % 2 == 1, yolo_boxes(labels_of(path)),
                   mask=path.replace(os.sep + 'images' + os.sep, os.sep + 'masks' + os.sep)[:-4] + '.png')
            for path in images(folder, '.')]


def water(data):
    """Aerial floods and the canal camera with masks. Held out: a fifth of the aerial ones, the canal in June."""
    found = []
    for row in rows(data, 'water'):
        canal = row['set'] != 'aerial'
        held = '2025-06' in row['file'] if canal else share(row['file']) < 0.2
        found.append(Record(os.path.join(data, row['file']), 'canal' if canal else 'aerial', held,
                            mask=os.path.join(data, row['mask'])))
    return found


def streets(data):
    """Street photographs with an image class only. Sources are held out whole where two hold the class."""
    found = []
    for row in rows(data, 'street-flood'):
        if row['sure'] != '1' or row['class'] == 'other' or row['viewpoint'] == 'aerial':
            continue
        found.append(Record(os.path.join(data, row['file']), 'street-' + row['class'],
                            share(row['scene']) < 0.25, dry=row['class'] != 'flooded', group=row['set']))
    return found


def dry_roads(data):
    """Fixed cameras over dry roads: without them asphalt seen from above is taken for water. About half of the city cameras are held out."""
    found = []
    for folder in ('cctv', 'overhead', 'indonesia', 'india'):
        camera_of = {row['image']: row['group'] for row in rows(data, 'traffic/' + folder)}
        for path in images(data, 'traffic/' + folder):
            group = camera_of[os.path.splitext(os.path.basename(path))[0]] if folder == 'cctv' else folder
            found.append(Record(path, 'roads', folder == 'cctv' and share(group) < 0.5, yolo_boxes(labels_of(path)), dry=True, group=group))
    return found


def gauges(data):
    """The staff gauge's zoomed view (upper half of each picture): boxes are (water line, gauge), 0..1 of that half."""
    found = []
    for path in images(data, 'staff-gauge'):
        label = os.path.splitext(path.replace(os.sep + 'images' + os.sep, os.sep + 'labels' + os.sep))[0] + '.txt'
        with open(label) as file:
            boxes = {row[0]: [float(v) for v in row[1:]] for row in (line.split() for line in file) if row}
        if '10' in boxes and '11' in boxes and boxes['10'][1] < 0.5:
            upper = [(x, 2 * y, w, 2 * h) for x, y, w, h in (boxes['10'], boxes['11'])]
            # A day's pictures look alike: the first ones are trained on, the last ones held out.
            found.append(Record(path + '#upper', 'gauge', False, upper))
    for record in found[len(found) * 3 // 5:]:
        record.held = True
    return found


def rendered(folder):
    """Rendered streets or rivers with exact masks: images/NAME.jpg and masks/NAME.png. A seed is held out whole."""
    found = []
    for path in images(folder, '.'):
        name = os.path.splitext(os.path.basename(path))[0]
        mask = os.path.join(folder, 'masks', name + '.png')
        if os.path.exists(mask):
            scene = name.rsplit('-', 1)[0].rsplit('_', 1)[0]
            found.append(Record(path, 'rendered', share(scene) < 0.2, mask=mask, group=scene))
    return found
