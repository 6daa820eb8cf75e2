"""Turns trained weights into a package folder: weights, golden samples, labels, manifest.

python3 package.py smoke-flame --model model.onnx --figures figures.json --version 0.1.0 [--golden PICTURE ...]
The words of CARD.md are written by hand; the table between its two `figures` marks is written from the same file.
"""
import argparse
import hashlib
import json
import os
import shutil

import cv2
import numpy as np

import golden
from nets import HEIGHT, WIDTH
from runtime import as_input, open_model

HERE = os.path.dirname(os.path.abspath(__file__))
YOLOX = {'name': 'YOLOX-nano 416, COCO weights, backbone and neck', 'licence': 'Apache-2.0', 'use': 'pretrained-start',
         'url': 'https://github.com/Megvii-BaseDetection/YOLOX'}
NONE_STATED = 'none stated by the source'


# What pictures come from: name -> licence, repository.
SOURCES = {
    'photographs of fires and smoke': (NONE_STATED, 'liuzifan/fire_smoke_datasets'),
    'CCTV and clip frames of fires': ('CC BY 4.0', 'Abonia1/YOLOv8-Fire-and-Smoke-Detection'),
    'ordinary and fire-like scenes': (NONE_STATED, 'jvk1chaitanya/fire-image-detection'),
    'motorway bridges': ('CC BY 4.0', 'yuskun/object_detected'),
    'Indonesian roads': ('CC BY 4.0', 'adeirman46/Level2-FSD'),
    'Indian roads': ('CC BY 4.0', 'nervewastaken/VehicleDetection'),
    'city cameras': ('CC BY 4.0', 'tamaturgo/intelligent_transportation_system_ModelML'),
    'COCO, first 128 images': ('annotations CC BY 4.0, images per Flickr terms', 'lightly-ai/coco128_yolo'),
    'canal camera and staff gauge': ('none stated; CC BY 4.0', 'talhashahzad12345/waterLevelSegmentation'),
    'mountain-top cameras (AI for Mankind, HPWREN)': ('CC BY-NC-SA 4.0', 'Username378/WildfireSmokeDataset'),
    'hill cameras without fire (D-Fire)': ('CC0-1.0', 'z3qi/ECE176_Final_Project'),
    'photographs of fire, smoke, neither': (NONE_STATED, 'supperjoy/FireSmokeDataset'),
    'aerial floods': ('repository MIT, photographs unverified', 'naufalhanif25/flood-segmentation'),
    'canal camera': (NONE_STATED, 'talhashahzad12345/waterLevelSegmentation'),
    'staff gauge': ('CC BY 4.0', 'talhashahzad12345/waterLevelSegmentation'),
}


def source(name, use):
    licence, repository = SOURCES[name]
    return described(name, licence, use, repository)


def described(name, licence, use, repository):
    return {'name': name, 'licence': licence, 'use': use, 'url': f'https://github.com/{repository}'}


STREET_PHOTOGRAPHS = [described('street photographs', 'none stated, academic use or CC BY 4.0, by set', 'training, evaluation', repository) for repository in (
    'Mishra-Kaumod/flood-depth-estimator', 'Lvisxwj/HDU-DeepLearning-Yolo-homework', 'jshaffer94247/Extracting-Flood-Depths-From-Imagery',
    'kagan94/road_image_datasets', 'HimanshuRajdev/civiclens')]

PACKAGES = {
    'smoke-flame': {
        'decoder': 'grid', 'output': 'scores', 'labels': ['smoke', 'flame'],
        'sources': [YOLOX,
                    source('photographs of fires and smoke', 'training, evaluation'),
                    source('CCTV and clip frames of fires', 'training, evaluation'),
                    source('ordinary and fire-like scenes', 'training, evaluation'),
                    source('motorway bridges', 'training'),
                    source('Indonesian roads', 'training'),
                    source('Indian roads', 'training'),
                    source('city cameras', 'training, evaluation'),
                    *STREET_PHOTOGRAPHS,
                    source('COCO, first 128 images', 'training'),
                    source('canal camera and staff gauge', 'training'),
                    source('mountain-top cameras (AI for Mankind, HPWREN)', 'evaluation'),
                    source('hill cameras without fire (D-Fire)', 'training, evaluation'),
                    source('photographs of fire, smoke, neither', 'evaluation'),
                    {'name': 'drawn plumes, lamps, glare, haze (plumes.py)', 'licence': 'Apache-2.0', 'use': 'training'},
                    {'name': 'simulated plumes over rendered hills and over the photographs without fire named here', 'licence': 'Apache-2.0', 'use': 'training, evaluation'}]},
    'water-segmentation': {
        'decoder': 'segmentation', 'output': 'water', 'labels': ['water'],
        'sources': [YOLOX,
                    source('aerial floods', 'training, evaluation'),
                    source('canal camera', 'training, evaluation'),
                    *STREET_PHOTOGRAPHS,
                    source('motorway bridges', 'training'),
                    source('Indonesian roads', 'training'),
                    source('Indian roads', 'training'),
                    source('city cameras', 'training, evaluation'),
                    source('staff gauge', 'training, evaluation'),
                    {'name': 'rendered streets and rivers with exact masks; water painted into the dry roads named here (floods.py)', 'licence': 'Apache-2.0', 'use': 'training, evaluation'}]},
}


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def expected(values):
    """Small grids whole; of a mask every 4th row and column, starting with the first."""
    stride = 4 if values.size > 4096 else 1
    kept = values[..., ::stride, ::stride]
    record = {'shape': list(values.shape), 'values': [round(float(v), 4) for v in kept.ravel()]}
    return {**record, 'stride': stride} if stride > 1 else record


def write_json(path, value):
    with open(path, 'w') as file:
        json.dump(value, file, indent=2)
        file.write('\n')


def golden_samples(folder, task, model, output, given):
    os.makedirs(os.path.join(folder, 'golden'), exist_ok=True)
    for old in os.listdir(os.path.join(folder, 'golden')):
        os.remove(os.path.join(folder, 'golden', old))
    pictures = {name: draw(np.random.default_rng(5)) for name, draw in golden.DRAWN[task].items()}
    pictures.update({os.path.splitext(os.path.basename(p))[0]: cv2.imread(p) for p in given})
    entries = []
    for name, picture in pictures.items():
        image, answer = f'golden/{name}.png', f'golden/{name}.json'
        if picture.shape[:2] != (HEIGHT, WIDTH):
            picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        cv2.imwrite(os.path.join(folder, image), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        values = model(as_input(cv2.imread(os.path.join(folder, image))))
        write_json(os.path.join(folder, answer), {'outputs': {output: expected(values)}})
        print(name, 'highest', [round(float(v), 3) for v in values.max((0, 2, 3))])
        entries.append({'image': image, 'expected': answer})
    return entries


def figure_rows(task, figures):
    """(set, measure, value) in the order of the card."""
    if task == 'smoke-flame':
        lies = figures.get('mountainTopHighestCellOnSmoke')
        if lies is not None:
            yield 'mountainTop', 'smoke: share of pictures whose highest cell lies on it', f'{lies:.2f}'
        for label in ('smoke', 'flame'):
            for key, value in figures[label].items():
                if isinstance(value, dict) and 'auc' in value:
                    recall = value.get('recallAt1pc')
                    yield key, f'{label}: AUC' + ('; recall at 1 % false alarms' if recall is not None else ''), \
                        f'{value["auc"]:.3f}' + (f'; {recall:.2f}' if recall is not None else '') + f' ({value["positives"]} against {value["negatives"]})'
            for key, value in figures[label]['falseAlarmsAt05'].items():
                yield key, f'{label}: share of pictures without any that score above 0.5', f'{value:.3f}'
        return
    for key, value in figures.items():
        if isinstance(value, dict):
            for name, number in value.items():
                if name != 'images':
                    yield key, name, f'{number} ({value["images"]} pictures)'


def write_card(folder, task, figures):
    path = os.path.join(folder, 'CARD.md')
    if not os.path.exists(path):
        return
    with open(path) as file:
        before, rest = file.read().split('<!-- figures -->\n', 1)
    after = rest.split('<!-- end of figures -->', 1)[1]
    table = ['| set | measure | value |', '|---|---|---|'] + [f'| {" | ".join(row)} |' for row in figure_rows(task, figures)]
    with open(path, 'w') as file:
        file.write(before + '<!-- figures -->\n' + '\n'.join(table) + '\n<!-- end of figures -->' + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('task', choices=sorted(PACKAGES))
    parser.add_argument('--model', required=True)
    parser.add_argument('--figures', required=True, help='JSON written by evaluate.py --json')
    parser.add_argument('--version', required=True)
    parser.add_argument('--keep-thresholds', action='store_true', help="those of the package that is there, not the figures' score at 1 %% false alarms")
    parser.add_argument('--golden', nargs='*', default=[], help='further golden pictures (rendered ones, never photographs)')
    args = parser.parse_args()
    about = PACKAGES[args.task]
    folder = os.path.join(HERE, '..', args.task)
    os.makedirs(folder, exist_ok=True)
    weights = os.path.join(folder, 'model.onnx')
    if os.path.abspath(args.model) != os.path.abspath(weights):
        shutil.copyfile(args.model, weights)
    model = open_model(weights)
    with open(args.figures) as file:
        figures = json.load(file)
    blank = model(np.zeros((1, 3, HEIGHT, WIDTH), np.float32))
    thresholds = {label: round(min(0.9, max(0.3, figures.get(label, {}).get('thresholdAt1pc', 0.5))), 2) for label in about['labels']}
    if args.keep_thresholds:
        with open(os.path.join(folder, 'manifest.json')) as file:
            thresholds = json.load(file)['thresholds']
    write_json(os.path.join(folder, 'manifest.json'), {
        'schemaVersion': 1, 'id': args.task, 'version': args.version, 'task': args.task, 'runtime': 'onnx',
        'decoder': {'name': about['decoder']},
        'weights': {'path': 'model.onnx', 'sha256': digest(weights), 'bytes': os.path.getsize(weights)},
        'input': {'name': 'images', 'width': WIDTH, 'height': HEIGHT, 'layout': 'nchw', 'channels': 'rgb', 'resize': 'stretch',
                  'mean': [0, 0, 0], 'std': [1, 1, 1]},
        'outputs': [{'name': about['output'], 'shape': list(blank.shape)}],
        'labels': about['labels'], 'thresholds': thresholds, 'tolerance': 0.02,
        'golden': golden_samples(folder, args.task, model, about['output'], args.golden),
        'licence': 'Apache-2.0', 'sources': about['sources'], 'metrics': figures,
    })
    write_card(folder, args.task, figures)
    with open(os.path.join(folder, 'labels.txt'), 'w') as file:
        file.write('\n'.join(about['labels']) + '\n')


if __name__ == '__main__':
    main()
