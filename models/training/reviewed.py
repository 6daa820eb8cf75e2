"""Reads what people judged: an export of central's labels (COCO), the tar as it came or the folder it was unpacked to.

python3 reviewed.py EXPORT [EXPORT ...] [--json]     says what training would read of it, and what not and why

Needs nothing but Python, so it can be tried where nothing is trained.
"""
import argparse
import hashlib
import json
import os
import re
import tarfile
from collections import Counter
from dataclasses import dataclass, field

FIRE = ('smoke', 'flame')  # in the order of the classes in records.py
FIRES = ('forest-fire', 'straw-burning', 'urban-fire')
WATER = 'water'
WHOLE = (0, 0, 1, 1)
EXPECTED = re.compile(r'^(images/[0-9a-f]{64}\.jpg|annotations\.json|manifest\.json)$')


@dataclass
class Reviewed:
    path: str  # `NAME#left,top,width,height`, 0..1, of a part that the model looked at alone; see cache.load_picture()
    camera: str
    boxes: list = field(default_factory=list)  # (class of FIRE, centre x, centre y, width, height), 0..1
    loose: bool = False  # a model drew them, nobody corrected them


def unpacked(export, cache):
    """The folder of an export; a tar is unpacked under `cache`, once per content."""
    if os.path.isdir(export):
        return export
    try:
        with open(export, 'rb') as file:
            folder = os.path.join(cache, 'reviewed-' + hashlib.file_digest(file, 'sha256').hexdigest()[:16])
        if not os.path.exists(os.path.join(folder, 'annotations.json')):
            with tarfile.open(export) as archive:
                for member in archive:
                    # Names come from outside: nothing but what an export holds is written.
                    if not member.isreg() or not EXPECTED.match(member.name):
                        raise SystemExit(f'{export}: {member.name} has no place in an export; take it out of central again')
                    path = os.path.join(folder, member.name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path + '.part', 'wb') as out:
                        out.write(archive.extractfile(member).read())
                    os.rename(path + '.part', path)
    except (OSError, tarfile.TarError) as error:
        raise SystemExit(f'{export}: cannot be read ({error}); it should be a tar of /api/v1/labels/export or its folder')
    return folder


def document(folder):
    path = os.path.join(folder, 'annotations.json')
    if not os.path.exists(path):
        raise SystemExit(f'{folder}: has no annotations.json; export it with format=coco, and take the whole archive')
    with open(path) as file:
        return json.load(file)


def latest(exports, cache):
    """(image, path, its annotations, names of categories) of every picture, from the export that was taken last; and how many times others have it, too."""
    newest, superseded = {}, 0
    for export in exports:
        folder = unpacked(export, cache)
        found = document(folder)
        through = found['manifest']['through']
        names = {category['id']: category['name'] for category in found['categories']}
        boxes = {}
        for annotation in found['annotations']:
            boxes.setdefault(annotation['image_id'], []).append(annotation)
        for image in found['images']:
            path = os.path.join(folder, 'images', os.path.basename(image['file_name']))
            known = newest.get(image['sha256'])
            superseded += known is not None
            if known is None or through > known[0]:
                newest[image['sha256']] = through, (image, path, boxes.get(image['id'], []), names)
    return [entry for _, entry in newest.values()], superseded


def pictures(exports, cache, left):
    """(image, path, boxes of the image as (label, cx, cy, w, h, source)) of every picture, each once; refuses one that was altered.

    Verdicts change: of several exports the one taken last counts. What the others said of a picture is counted in `left`.
    """
    found, superseded = latest(exports, cache)
    if superseded:
        left['superseded by another export'] = superseded
    for image, path, annotations, names in found:
        try:
            with open(path, 'rb') as file:
                digest = hashlib.file_digest(file, 'sha256').hexdigest()
        except OSError:
            raise SystemExit(f'{path}: is missing; export again without images=none')
        if digest != image['sha256']:
            raise SystemExit(f'{path}: is not the picture that was judged (its hash differs); export again')
        width, height = image['width'], image['height']
        yield image, path, [
            (names[a['category_id']], (a['bbox'][0] + a['bbox'][2] / 2) / width, (a['bbox'][1] + a['bbox'][3] / 2) / height,
             a['bbox'][2] / width, a['bbox'][3] / height, a['source']) for a in annotations]


def inside(box, region):
    """(centre x, centre y, width, height) of what a part of the picture holds of a box, in fractions of that part; None: nothing."""
    spans = []
    for middle, size, start, length in zip(box[:2], box[2:], region[:2], region[2:]):
        first, last = (min(max((middle + side * size / 2 - start) / length, 0), 1) for side in (-1, 1))
        spans.append(((first + last) / 2, last - first))
    (x, width), (y, height) = spans
    return (x, y, width, height) if width > 0 and height > 0 else None


def seen(image, path, fires):
    """(path, fires) of every part of a picture in which a model looked for fire: what it sees pixel by pixel shall not be learnt shrunk."""
    looks = dict.fromkeys(tuple(event.get('region') or WHOLE) for event in image['events']
                          if event['kind'] in FIRES and event['verdict'] in ('true', 'false'))
    for region in looks or [WHOLE]:
        if region == WHOLE:
            yield path, fires
            continue
        cut = [(label, inside(box, region), source) for label, *box, source in fires]
        yield path + '#' + ','.join(map(str, region)), [(label, *box, source) for label, box, source in cut if box]


def fire_smoke(exports, cache='.cache'):
    """(pictures with smoke and flame boxes and pictures surely without, why the others are not among them)."""
    kept, left = [], Counter()
    for image, path, boxes in pictures(exports, cache, left):
        fires = [(FIRE.index(label), *box, source) for label, *box, source in boxes if label in FIRE]
        if set(FIRE) & set(image['present']):
            left['shows fire somewhere, without a box'] += 1
        elif fires or set(FIRE) <= set(image['absent']):
            loose = any(box[5] == 'model' for box in fires)
            kept += [Reviewed(part, image['camera'], [tuple(box[:5]) for box in inside_it], loose)
                     for part, inside_it in seen(image, path, fires)]
        else:
            left['not judged for fire'] += 1
    return kept, left


def dry(exports, cache='.cache'):
    """(pictures surely without standing water, why the others are not among them); boxes are no masks."""
    kept, left = [], Counter()
    for image, path, boxes in pictures(exports, cache, left):
        if WATER in image['absent']:
            kept.append(Reviewed(path, image['camera']))
        elif WATER in image['present'] or any(label == WATER for label, *_ in boxes):
            left['shows water, without a mask'] += 1
        else:
            left['not judged for water'] += 1
    return kept, left


def summary(exports, cache):
    fires, no_fire = fire_smoke(exports, cache)
    roads, no_road = dry(exports, cache)
    boxes = Counter(FIRE[box[0]] for r in fires for box in r.boxes)
    return {
        'smokeFlame': {'pictures': len(fires), 'withBoxes': sum(bool(r.boxes) for r in fires),
                       'hardNegatives': sum(not r.boxes for r in fires), 'closeUps': sum('#' in r.path for r in fires), 'loose': sum(r.loose for r in fires),
                       'boxes': {name: boxes[name] for name in FIRE}, 'leftOut': dict(no_fire)},
        'water': {'dry': len(roads), 'leftOut': dict(no_road)},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('export', nargs='+')
    parser.add_argument('--cache', default='.cache', help='where a tar is unpacked')
    parser.add_argument('--json', action='store_true')
    args = parser.parse_args()
    found = summary(args.export, args.cache)
    if args.json:
        print(json.dumps(found))
        return
    for model, figures in found.items():
        print(f'{model}: ' + ', '.join(f'{name} {value}' for name, value in figures.items()))


if __name__ == '__main__':
    main()
