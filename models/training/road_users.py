"""Trains the road-users package's weights: persons, bicycles, riders with their motorcycle, cars, buses, trucks.

python3 road_users.py --data DIR --junction ../../tests/fixtures/city/junction --start yolox-nano-416.onnx --cache DIR --out model.onnx
"""
import argparse
import copy

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

import augment
import mosaic
import records
import road_records
from assign import IGNORED, RoadUserLoss
from continue_from import take_weights
from export import export
from fit import fit, seed_everything
from road_boxes import as_tensor, detect, joined, overlap
from road_net import FOUR_WHEELS, HEIGHT, HEIGHTS, LABELS, MOTORCYCLE, PERSON, WIDTH, RoadUserNet, WithScores, fitting_height

SEED = 20261128
PER_EPOCH, BATCH = 1600, 8
TALL_BATCHES = 4  # every fourth batch has one of the taller inputs, that 4:3 and square pictures are given
# Of the pictures drawn: with riders, with walkers and no rider, other traffic, our own junction and crowds, ordinary ones without either.
# To the start a rider is a person: with more riders than walkers every person becomes a rider within fifty steps.
SHARES = {'riders': 0.25, 'walkers': 0.25, 'traffic': 0.16, 'rendered': 0.05, 'crowds': 0.17, 'ordinary': 0.12}


def kind_of(road):
    if road.set in ('rendered', 'crowds'):
        return road.set
    sure = road.boxes[road.boxes[:, 5] != IGNORED, 0]
    if (sure == MOTORCYCLE).any():
        return 'riders'
    if (sure == PERSON).any():
        return 'walkers'
    return 'ordinary' if road.set in ('ordinary', 'coco') else 'traffic'


class Streets(Dataset):
    """One epoch: every position seeds its own generator, so the pictures are the same whoever makes them."""

    def __init__(self, roads, epoch):
        self.groups = {name: [r for r in roads if kind_of(r) == name] for name in SHARES}
        present = {name: share for name, share in SHARES.items() if self.groups[name]}
        self.names, self.shares = list(present), np.array(list(present.values())) / sum(present.values())
        self.epoch = epoch

    def __len__(self):
        return PER_EPOCH

    def __getitem__(self, position):
        cv2.setNumThreads(0)
        rng = np.random.default_rng((SEED, self.epoch, position))

        def draw():
            group = self.groups[rng.choice(self.names, p=self.shares)]
            return group[rng.integers(len(group))]
        batch = position // BATCH
        height = HEIGHTS[1 + batch // TALL_BATCHES % 2] if batch % TALL_BATCHES == 0 else HEIGHT
        picture, truth = mosaic.scene(draw, rng, height)
        if rng.random() < 0.5:
            picture, truth = picture[:, ::-1], truth * [1, -1, 1, -1, 1, 1] + [0, WIDTH, 0, WIDTH, 0, 0]
            truth = truth[:, [0, 3, 2, 1, 4, 5]]
        picture = augment.camera(augment.colour(picture, rng), rng)
        return as_tensor(picture), torch.from_numpy(mosaic.padded(truth.astype(np.float32)))


def report(net, held, least=0.25):
    """Log line: of labelled boxes found at `least` with half of the box shared, and of those found how many are right."""
    counts = {}
    for road in held:
        picture = road.pixels()
        height = picture.shape[0]
        found = joined(detect(net, picture, least, height=fitting_height(picture)))
        for name, labels in (('riders', (MOTORCYCLE,)), ('cars', FOUR_WHEELS), ('persons', (PERSON,))):
            truth, mine = road.boxes[np.isin(road.boxes[:, 0], labels)], found[np.isin(found[:, 0], labels)]
            same = overlap(truth[:, 1:5], mine[:, 2:]) >= 0.5
            tall = (truth[:, 4] - truth[:, 2]) * height
            for size, of_size in (('>40', tall > 40), ('20-40', (tall > 20) & (tall <= 40))):
                counts.setdefault(f'{name} {size}', np.zeros(2, int))[:] += [same[of_size].any(1).sum(), of_size.sum()]
            counts.setdefault(f'{name} right', np.zeros(2, int))[:] += [same.any(0).sum(), len(mine)]
    print('  ' + ' | '.join(f'{name} {a}/{b}' for name, (a, b) in counts.items()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, help='folder with traffic/, street-flood/, fire-smoke/ (README)')
    parser.add_argument('--junction', required=True, help='our rendered junction to develop with')
    parser.add_argument('--crowds', action='append', default=[], metavar='DIR', help="the scene scripts' training-crowds; may be repeated")
    parser.add_argument('--start', required=True, help='yolox-nano-416.onnx')
    parser.add_argument('--continue-from', help="an earlier run's export, to train further at half the rate")
    parser.add_argument('--cache', default='.cache', help="where the start's detections are kept")
    parser.add_argument('--out', default='model.onnx')
    parser.add_argument('--everything', action='store_true', help='train on held-out pictures, too (records.freed)')
    parser.add_argument('--weights', help='file to keep the averaged weights in, for exports at other sizes')
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--state', default='', help='file that keeps the run after every epoch; where there is one, the run goes on from it')
    parser.add_argument('--stop-after', type=int, default=0)
    parser.add_argument('--dry-run', action='store_true', help='one pass of 64 pictures, to see that everything is in place before hours of training')
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    seed_everything(SEED)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    net = RoadUserNet(args.start).to(memory_format=torch.channels_last)
    start = copy.deepcopy(net).eval()
    if args.continue_from:
        take_weights(net, args.continue_from, torch.zeros(1, 3, HEIGHT, WIDTH))
    labelled, coco = road_records.traffic(args.data), road_records.coco(args.data)
    if args.everything:
        labelled, coco = records.freed(labelled), records.freed(coco)
    crowds = [road for folder in args.crowds for road in road_records.crowds(folder)]
    held = [r for r in labelled + coco + crowds if r.held]
    roads = road_records.completed(start, [r for r in labelled if not r.held] + road_records.ordinary(args.data), args.cache)
    roads += road_records.rendered(args.junction) + [r for r in coco + crowds if not r.held]
    for road in roads:
        road.picture = road.pixels()
    counts = {label: int(sum((r.boxes[:, 0] == n).sum() for r in roads)) for n, label in enumerate(LABELS)}
    kinds = {kind: sum(kind_of(r) == kind for r in roads) for kind in SHARES}
    print(f'{len(roads)} pictures to train on, {kinds}, with {counts}; {len(held)} held out', flush=True)

    def after_epoch(epoch, average, reported):
        average.eval()
        if reported:
            for name in sorted({r.set for r in held}):
                print(f'  {name}', end='')
                report(average, [r for r in held if r.set == name])
        if args.weights:
            torch.save(average.state_dict(), args.weights)
        export(average, args.out, 'output', WIDTH, HEIGHT, WithScores, opened=True)
    fit(net, lambda epoch: Streets(roads, epoch), RoadUserLoss(), args.epochs, after_epoch,
        stop_after=args.stop_after, state=args.state, bf16=True, batch=BATCH, rate=4e-4 if args.continue_from else 8e-4, backbone_rate=2e-4 if args.continue_from else 4e-4, dry_run=args.dry_run)


if __name__ == '__main__':
    main()
