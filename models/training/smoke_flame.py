"""Trains the smoke-flame package's weights: cells of 16x16 pixels that hold smoke or flame.

python3 smoke_flame.py --data DIR --drawn PLUMES --start yolox-nano-416.onnx --cache DIR --out model.onnx

Photographs have loose boxes; pictures of the scene scripts (`--drawn`) have exact masks; hills, streets and fire-like scenes have nothing.

In three legs. Each but the first begins with the mean of the one before, batch norms folded and fixed, at half the rate; only the last goes on until its rate is nothing, and keeps its beginning in the mean.
Trained to the end with batch norms that follow each batch, the small far smoke of real mountain tops is unlearnt.
"""
import argparse
import os

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import Dataset

import augment
import metrics
import plumes
import records
import reviewed
from cache import cached, load_picture, load_plume_mask
from continue_from import HALF_RATES, take_weights
from export import export_mean
from fit import fit, seed_everything
from nets import HEIGHT, WIDTH, SmokeFlameNet
from runtime import open_model, run_all

SEED = 20261121
ROWS, COLUMNS = HEIGHT // 16, WIDTH // 16
PLUMES = plumes.Plumes(SEED)
LEAST_AREA, LEAST_CONTRAST = (30, 8), 8.0  # pixels of smoke and of flame; grey levels of the channel that differs most
LEGS = {'-first': (18, 12), '-second': (18, 10), '': (8, 8)}  # what is added to --out's name: passes of the schedule that the leg begins, and after how many it ends
VEILED = 0.4  # from this much of glare on, whether there is smoke nobody asks


def cell_targets(boxes, loose):
    """(targets, weights), each (2, ROWS, COLUMNS), from boxes (class, x0, y0, x1, y1) in input pixels.

    The middle of a box counts fully, its rim not at all: boxes are loose, smoke has no edge. Around loose boxes
    an unlabelled cell says little: sources leave smoke above a labelled fire without a box.
    """
    target = np.zeros((2, ROWS, COLUMNS), np.float32)
    weight = np.full((2, ROWS, COLUMNS), 0.3 if loose and boxes else 1.0, np.float32)
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] * 16.0 + 8.0
    for label, x0, y0, x1, y1 in boxes:
        inside = (x > x0 - 8) & (x < x1 + 8) & (y > y0 - 8) & (y < y1 + 8) & (target[label] == 0)
        weight[label][inside] = 0.0
    for label, x0, y0, x1, y1 in boxes:
        mx, my = 0.1 * (x1 - x0), 0.1 * (y1 - y0)
        core = (x > x0 + mx) & (x < x1 - mx) & (y > y0 + my) & (y < y1 - my)
        core[min(ROWS - 1, max(0, int((y0 + y1) / 32))), min(COLUMNS - 1, max(0, int((x0 + x1) / 32)))] = True
        target[label][core] = 1.0
        weight[label][core] = 0.7 if loose else 1.0
    return target, weight


def without_faint(mask, picture):
    """Mask, and whether per label something was taken out: parts too small or too like what is around them for anybody to see."""
    clear, faint = mask.copy(), [False, False]
    light = picture.astype(np.float32)
    for label, value in ((records.SMOKE, 128), (records.FLAME, 255)):
        count, parts, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=8)
        for part in range(1, count):
            x, y, w, h, area = stats[part]
            rows, columns = slice(max(0, y - 6), y + h + 6), slice(max(0, x - 6), x + w + 6)
            inside, around = parts[rows, columns] == part, mask[rows, columns] == 0
            least = LEAST_AREA[label]
            seen = area >= least and (not around.any() or np.abs(light[rows, columns][inside].mean(0) - light[rows, columns][around].mean(0)).max() >= LEAST_CONTRAST)
            if not seen:
                clear[parts == part], faint[label] = 1, True
    return clear, faint


def weathered(picture, mask, rng):
    """Now and then sun in the lens, haze, or drops before a scene without fire; gives picture, mask and whether per label the veil hid some of it."""
    hidden, draw = [False, False], rng.random()
    if draw < 0.14:
        picture, veil = plumes.glare(picture, rng)
        for label, value in ((records.SMOKE, 128), (records.FLAME, 255)):
            lost = (mask == value) & (veil > VEILED)
            mask, hidden[label] = np.where(lost, 1, mask), bool(lost.any())
    elif draw < 0.19:
        picture = plumes.haze(picture, rng)
    elif draw < 0.23 and not (mask > 1).any():
        picture = plumes.wet_lens(picture, rng)
    return picture, mask, hidden


def mask_targets(mask):
    """The same from an exact mask of the picture: a cell counts from a fifth of it on, where all of it is thin from half the fullest cell on."""
    target = np.zeros((2, ROWS, COLUMNS), np.float32)
    weight = np.ones((2, ROWS, COLUMNS), np.float32)
    share_of = lambda value: cv2.resize((mask == value).astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    faint = share_of(1) > 0
    for label, value in ((records.SMOKE, 128), (records.FLAME, 255)):
        share = share_of(value)
        core = share > min(0.2, 0.5 * share.max())
        target[label][core] = 1.0
        weight[label][((share > 0.01) | faint) & ~core] = 0.0
    # Flame stands in its own smoke: whether the cell is smoke too, nobody asks.
    weight[records.SMOKE][(target[records.FLAME] > 0) & (target[records.SMOKE] == 0)] = 0.0
    return target, weight


def moved_boxes(boxes, matrix):
    """Boxes 0..1 through the affine; gives (kept, classes of which too little is left to say)."""
    kept, unsure = [], set()
    for label, cx, cy, w, h in boxes:
        corners = np.array([[cx - w / 2, cy - h / 2], [cx + w / 2, cy + h / 2]]) * (WIDTH, HEIGHT)
        corners = corners @ matrix[:, :2].T + matrix[:, 2]
        (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
        a0, b0, a1, b1 = max(0, x0), max(0, y0), min(WIDTH, x1), min(HEIGHT, y1)
        seen = max(0, a1 - a0) * max(0, b1 - b0) / max(1e-6, (x1 - x0) * (y1 - y0))
        if seen > 0.3 and min(a1 - a0, b1 - b0) > 3:
            kept.append((label, a0, b0, a1, b1))
        elif seen > 0.02:
            unsure.add(label)
    return kept, unsure


class Fires(Dataset):
    """One epoch: indices into the cached pictures, augmented by a generator seeded per epoch and position."""

    def __init__(self, records_, pictures, masks, mask_of, order, epoch):
        self.records, self.pictures, self.masks = records_, pictures, masks
        self.mask_of, self.order, self.epoch = mask_of, order, epoch

    def __len__(self):
        return len(self.order)

    def __getitem__(self, position):
        cv2.setNumThreads(0)
        rng = np.random.default_rng((SEED, self.epoch, position))
        index = self.order[position]
        record = self.records[index]
        matrix = augment.random_frame(rng, WIDTH, HEIGHT)
        border = cv2.BORDER_REFLECT_101 if record.mask or (rng.random() < 0.7 and not record.boxes) else cv2.BORDER_CONSTANT
        picture = augment.colour(augment.warp(np.asarray(self.pictures[index]), matrix, border), rng)
        if record.mask:
            mask = augment.warp(np.asarray(self.masks[self.mask_of[index]])[..., 0], matrix, border, cv2.INTER_NEAREST)
            picture, mask, hidden = weathered(picture, mask, rng)
            mask, faint = without_faint(mask, picture)
            faint = [faint[0] or hidden[0], faint[1] or hidden[1]]
            target, weight = mask_targets(mask)
            whole = target.max((1, 2))
            sure = np.array([0.0 if faint[label] and not whole[label] else 1.0 for label in (0, 1)], np.float32)
        else:
            picture, target, weight, whole, sure = self.loose(record, picture, matrix, rng)
        picture = augment.camera(augment.round_lens(picture, rng), rng)
        image = torch.from_numpy(np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)))
        return image, torch.from_numpy(target), torch.from_numpy(weight), torch.from_numpy(whole), torch.from_numpy(sure)


    def loose(self, record, picture, matrix, rng):
        """A photograph with boxes, or without any and then perhaps with drawn lamps, glare, haze and a plume."""
        boxes, unsure = moved_boxes(record.boxes, matrix)
        if not record.boxes:
            draw = rng.random()
            if draw < 0.14:
                picture = plumes.lamps(picture, rng)
            elif draw < 0.28:
                picture, _ = plumes.glare(picture, rng)
            elif draw < 0.34:
                picture = plumes.haze(picture, rng)
            elif draw < 0.4:
                picture = plumes.wet_lens(picture, rng)
            if rng.random() < 0.3 and record.set != 'gauge':
                for _ in range(1 if rng.random() < 0.8 else 2):
                    box = PLUMES.paint(picture, rng)
                    if box:
                        moved, _ = moved_boxes([box], np.array([[1, 0, 0], [0, 1, 0]], np.float32))
                        boxes += moved
        target, weight = cell_targets(boxes, record.loose)
        for label in unsure:
            weight[label][target[label] == 0] = 0.0
        whole = target.max((1, 2))
        sure = np.ones(2, np.float32)
        for label in (0, 1):
            if whole[label] == 0 and label in unsure:
                sure[label] = 0.0
            elif whole[label] == 0 and record.loose and record.boxes:
                sure[label] = 0.25  # a fire without a smoke box often smokes
        return picture, target, weight, whole, sure


def loss_of(logits, target, weight, whole, sure):
    cells = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
    hard = (torch.sigmoid(logits.detach()) - target).abs()  # easy cells, most of the picture, count less
    weight = weight * (0.15 + hard)
    cells = (cells * weight).sum((1, 2, 3)) / (weight.sum((1, 2, 3)) + 20.0)
    top = logits.flatten(2).topk(2, dim=2).values.mean(2)  # by more cells, as metrics.picture_scores does, smoke was found no better
    picture = F.binary_cross_entropy_with_logits(top, whole, reduction='none') * sure
    return cells.mean() + 0.5 * picture.mean()


def order_of(records_, epoch):
    """A draw with fixed numbers per set, so that a big one does not crowd out a small one; a CCTV scene at most 60 times."""
    rng = np.random.default_rng((SEED, epoch, 7))
    wanted = {'web': 900, 'cctv': 400, 'negative': 480, 'streets': 480, 'traffic-cctv': 110, 'traffic-overhead': 110, 'traffic-indonesia': 70, 'traffic-india': 80,
              'coco': 90, 'gauge': 30, 'canal': 40, 'hill-cameras-clear': 400, 'drawn': 2400,
              'reviewed': min(400, 4 * sum(r.set == 'reviewed' for r in records_))}
    order = []
    for name, count in wanted.items():
        by_group = {}
        for index, record in enumerate(records_):
            if record.set == name:
                by_group.setdefault(record.group, []).append(index)
        limit = 60 if name == 'cctv' else 10 ** 6
        members = [index for _, group in sorted(by_group.items()) for index in rng.permutation(group)[:limit]]
        if members:
            order += records.drawn_at_random(rng, members, count)
    return [int(i) for i in rng.permutation(order)]


def report(held, maps):
    """Prints the figures of the cell scores `maps` (N, 2, ROWS, COLUMNS) of the held-out pictures."""
    scores, sets = metrics.picture_scores(maps), np.array([r.set for r in held])
    ordinary, hills = np.isin(sets, ('negative', 'traffic-cctv', 'streets')), sets == 'hill-cameras-clear'
    cases = [('cctv', ordinary), ('web', ordinary), ('photographs', ordinary), ('hpwren-noncommercial', hills), ('hpwren-noncommercial', ordinary),
             ('drawn', (sets == 'drawn') & np.array([not r.boxes for r in held])), ('cctv', sets == 'cctv')]
    for label, name in enumerate(('smoke', 'flame')):
        line, shows = [], np.array([r.has(label) for r in held])
        for group, negative in cases:
            positive, calm = (sets == group) & shows, negative & ~shows
            if positive.any() and calm.any():
                a, n = scores[positive, label], scores[calm, label]
                line.append(f'{group} AUC {metrics.auc(a, n):.3f} recall@1% {metrics.recall_at(a, n):.2f}')
        print(f'  {name}: ' + ' | '.join(line), flush=True)
    tops = np.flatnonzero(sets == 'hpwren-noncommercial')
    if len(tops):
        print(f'  highest cell on the smoke of mountain tops: {metrics.highest_on_box(maps[tops, records.SMOKE], [held[k].boxes for k in tops]):.2f}', flush=True)


class Pictures:
    """What a leg is trained on, and what is held out from it; `freed`: see records.freed()."""

    def __init__(self, args, freed):
        self.freed = freed
        everything = records.fire_smoke(args.data) + records.smoke_far(args.data)
        everything += [record for folder in args.drawn for record in records.drawn_plumes(folder)]
        if freed:
            everything = records.freed(everything)
        judged, left = reviewed.fire_smoke(args.reviewed, args.cache)
        everything += [records.Record(r.path, 'reviewed', False, r.boxes, loose=r.loose, group=r.camera) for r in judged]
        print(f'{len(judged)} reviewed pictures; left out: {dict(left)}', flush=True)
        self.train, self.held = [r for r in everything if not r.held], [r for r in everything if r.held]
        print(f'{len(self.train)} pictures to train on, {len(self.held)} held out', flush=True)
        self.pictures = cached(args.cache, [r.path for r in self.train], load_picture, 3)
        self.masks = cached(args.cache, [r.mask for r in self.train if r.mask], load_plume_mask, 1) if args.drawn else None
        self.mask_of = {i: k for k, i in enumerate(i for i, r in enumerate(self.train) if r.mask)}
        self.held_pictures = cached(args.cache, [r.path for r in self.held], load_picture, 3)

    def epoch(self, number):
        return Fires(self.train, self.pictures, self.masks, self.mask_of, order_of(self.train, number), number)


def leg(args, pictures, out, passes, stop_after=0, before='', keep_start=False, gone=0):
    """`out` becomes the mean of the exports of one leg, which begins with the weights `before`, or else with --start; `keep_start`: these are part of the mean. After `gone` passes of other legs its draws are new ones."""
    def after_epoch(epoch, average, reported):
        if reported:
            export_mean(average, out, 'scores', epoch + 1, since=0.3, start=before if keep_start else '')
            if pictures.held:
                report(pictures.held, run_all(open_model(out), pictures.held_pictures))

    net, rates = SmokeFlameNet(args.start), {}
    if before:
        take_weights(net, before, torch.zeros(1, 3, HEIGHT, WIDTH))
        rates = HALF_RATES
    state = args.state and f'{args.state}{".everything" if pictures.freed else ""}.{os.path.basename(out)}'
    fit(net, lambda epoch: pictures.epoch(gone + epoch), loss_of, passes, after_epoch, stop_after=stop_after, state=state, dry_run=args.dry_run, **rates)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, help='folder with fire-smoke/, traffic/, street-flood/, ... (README)')
    parser.add_argument('--drawn', action='append', default=[], metavar='DIR', help="the scene scripts' training-plumes; may be repeated")
    parser.add_argument('--reviewed', action='append', default=[], metavar='EXPORT', help="of central's labels; may be repeated")
    parser.add_argument('--start', required=True, help='yolox-nano-416.onnx')
    parser.add_argument('--continue-from', default='', metavar='ONNX', help='instead of the legs: train these weights of an earlier run further, at half the rate; the mean that is kept holds them, too')
    parser.add_argument('--everything', action='store_true', help='train on held-out pictures, too (records.freed); of the legs only the last does')
    parser.add_argument('--cache', default='.cache', help='where decoded pictures are kept')
    parser.add_argument('--out', default='model.onnx')
    parser.add_argument('--epochs', type=int, default=0, help='with --continue-from; else 10')
    parser.add_argument('--state', default='', help='keeps the run after every epoch, each leg in a file of its own; where there is one, the run goes on from it')
    parser.add_argument('--dry-run', action='store_true', help='one pass of 64 pictures a leg, to see that everything is in place before hours of training')
    parser.add_argument('--threads', type=int, default=2)
    args = parser.parse_args()
    if args.epochs and not args.continue_from:
        parser.error('--epochs goes with --continue-from; how long the legs are stands in the script')
    seed_everything(SEED)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    if args.continue_from:
        leg(args, Pictures(args, args.everything), args.out, args.epochs or 10, before=args.continue_from, keep_start=True)
        return
    pictures, before, gone = Pictures(args, False), '', 0
    for name, (passes, ends) in LEGS.items():
        out, last = name.join(os.path.splitext(args.out)), not name
        if last and args.everything:
            pictures = Pictures(args, True)
        leg(args, pictures, out, passes, ends, before, keep_start=last, gone=gone)
        before, gone = out, gone + ends


if __name__ == '__main__':
    main()
