"""Turns trained weights of road_users.py into the package folder ../road-users, but for its golden samples and the words of its card.

python3 package_road_users.py --model model.onnx --figures figures.json --version 0.1.0 [--out DIR]
npm run model -- golden models/road-users --image models/vehicles/golden/junction.jpg

`figures.json` is what `npm run --silent model -- eval PACKAGE … --json` prints of the held-out city cameras; give `{}` the first time, before the package can be measured.
"""
import argparse
import json
import os
import shutil

from package import HERE, STREET_PHOTOGRAPHS, YOLOX, digest, source, write_json
from road_net import HEIGHT, HEIGHTS, LABELS, WIDTH, cells

SOURCES = [{**YOLOX, 'name': 'YOLOX-nano 416, COCO weights, whole'},
           source('city cameras', 'training, evaluation'),
           source('motorway bridges', 'training, evaluation'),
           source('Indonesian roads', 'training, evaluation'),
           source('Indian roads', 'training, evaluation'),
           source('COCO, first 128 images', 'training, evaluation'),
           *({**one, 'use': 'training'} for one in STREET_PHOTOGRAPHS),
           source('CCTV and clip frames of fires', 'training'),
           source('ordinary and fire-like scenes', 'training'),
           {'name': 'a rendered junction with exact boxes', 'licence': 'Apache-2.0', 'use': 'training'},
           {'name': 'rendered crowds with exact boxes', 'licence': 'Apache-2.0', 'use': 'training, evaluation'}]


def metrics_of(figures):
    """Per label what a reader of the manifest asks for, of held-out city cameras; `figures` is the whole report of `model eval`."""
    kept = {name: {key: label[key] for key in ('boxes', 'ap50', 'recallByHeight')} for name, label in figures.get('labels', {}).items()}
    return {'cityCameras': {'images': figures['images'], **kept}} if kept else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', required=True)
    parser.add_argument('--figures', required=True)
    parser.add_argument('--version', required=True)
    parser.add_argument('--out', default=os.path.join(HERE, '..', 'road-users'))
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    weights = os.path.join(args.out, 'model.onnx')
    shutil.copyfile(args.model, weights)
    with open(args.figures) as file:
        figures = json.load(file)
    write_json(os.path.join(args.out, 'manifest.json'), {
        'schemaVersion': 1, 'id': 'road-users', 'version': args.version, 'task': 'vehicles', 'runtime': 'onnx',
        'decoder': {'name': 'yolox', 'strides': [8, 16, 32], 'sameObject': [['car', 'bus', 'truck'], ['bicycle', 'motorcycle']],
                    'withRider': ['motorcycle'], 'iou': 0.5, 'inside': 0.8},
        'weights': {'path': 'model.onnx', 'sha256': digest(weights), 'bytes': os.path.getsize(weights)},
        'input': {'name': 'images', 'width': WIDTH, 'height': HEIGHT, 'tallerHeights': list(HEIGHTS[1:]), 'layout': 'nchw', 'channels': 'rgb', 'resize': 'letterbox',
                  'padValue': 114, 'mean': [0, 0, 0], 'std': [1, 1, 1]},
        'outputs': [{'name': 'output', 'shape': [1, len(cells()), 5 + len(LABELS)]}],
        'labels': LABELS, 'thresholds': {'default': 0.1}, 'tolerance': 0.02, 'golden': [],
        'licence': 'Apache-2.0', 'sources': SOURCES, 'metrics': metrics_of(figures),
    })
    with open(os.path.join(args.out, 'labels.txt'), 'w') as file:
        file.write('\n'.join(LABELS) + '\n')


if __name__ == '__main__':
    main()
