"""Trains the water-segmentation package's weights: a mask of standing or flowing water at half the input size.

python3 water.py --data DIR --rendered DIR --start yolox-nano-416.onnx --cache DIR --out model.onnx

Four kinds of pictures: with an exact mask (aerial floods, a canal camera, rendered streets and rivers), streets without water
(dry and wet: everything is background; `floods.py` paints water into some), photographs of flooded streets, of which first only
this is known: some of the lower part is water, the sky is not, and later what the net itself has become sure of; and a staff
gauge with its water line: above it is wall, below it water.
"""
import argparse

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import Dataset

import augment
import floods
import metrics
import plumes
import records
import reviewed
from cache import cached, load_mask, load_picture
from continue_from import HALF_RATES, take_weights
from export import export_mean
from fit import fit, seed_everything
from nets import HEIGHT, WIDTH, WaterNet
from runtime import open_model, run_all

SEED = 20261122
MASKED, EMPTY, SOMEWHERE, LINE = 0, 1, 2, 3


def kind_of(record):
    return MASKED if record.mask else EMPTY if record.dry else LINE if record.set == 'gauge' else SOMEWHERE


def line_mask(record):
    """(truth, known) of a gauge picture: rows above the line are dry, those below it wet as far as the line was drawn."""
    (x, y, w, _), (gauge_x, _, gauge_w, _) = record.boxes
    truth, known = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    left, right = int(max(0, min(x - w / 2, gauge_x - gauge_w)) * WIDTH), int(min(1, max(x + w / 2, gauge_x + gauge_w)) * WIDTH)
    row = int(y * HEIGHT)
    known[:max(0, row - 24)] = 255  # the bank slopes: far from the gauge only what lies well above is sure
    known[:max(0, row - 2), left:right] = 255
    known[row + 3:, left:right] = truth[row + 3:, left:right] = 255
    return truth, known


def turned(rng):
    """From above there is no up: any turn and flip about the picture's middle, as an affine 3x3."""
    angle, flip = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
    c, s, x, y = np.cos(angle), np.sin(angle), WIDTH / 2, HEIGHT / 2
    about = np.array([[c, -s * flip, 0], [s, c * flip, 0], [0, 0, 1]])
    there, back = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]), np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    return (there @ about @ back).astype(np.float32)


def framed(record, rng):
    matrix = augment.random_frame(rng, WIDTH, HEIGHT, least=0.3 if record.set in ('aerial', 'rendered') else 0.45)
    return matrix @ turned(rng) if record.set == 'aerial' else matrix


def guessed(net, records_, pictures):
    """Self-training: for each flooded photograph (truth, known), 0 or 255, of the pixels the net is sure of; none where it finds hardly any water."""
    chosen = [i for i, r in enumerate(records_) if kind_of(r) == SOMEWHERE]
    found = {}
    for index, map_ in zip(chosen, masks_of(net, pictures, chosen)):
        water, dry = map_ > 0.75, map_ < 0.08
        if water.mean() > 0.06:
            known = water | dry
            known[:len(known) // 8] = True
            water[:len(known) // 8] = False
            found[index] = (water.astype(np.uint8) * 255, known.astype(np.uint8) * 255)
    print(f'  {len(found)} of {len(chosen)} flooded photographs have a guessed mask', flush=True)
    return found


class Waters(Dataset):
    """One epoch of (image, target, weight, kind); target and weight are (128,224)."""

    def __init__(self, records_, pictures, masks, mask_of, guesses, order, seed):
        """`guesses`: index of a flooded photograph -> what the net is sure of, see guessed(); `seed`: numbers, those of the run and of the epoch."""
        self.records, self.pictures, self.masks, self.guesses = records_, pictures, masks, guesses
        self.mask_of, self.order, self.seed = mask_of, order, seed
        self.aerial = [i for i in order if records_[i].set == 'aerial']

    def __len__(self):
        return len(self.order)

    def patch(self, picture, truth, rng):
        """A part of another aerial picture laid over this one: there are few of them, and what stands beside what is learnt by heart."""
        other = self.aerial[rng.integers(len(self.aerial))]
        matrix = framed(self.records[other], rng)
        tall, wide = int(rng.uniform(0.3, 0.8) * HEIGHT), int(rng.uniform(0.3, 0.8) * WIDTH)
        y, x = rng.integers(0, HEIGHT - tall), rng.integers(0, WIDTH - wide)
        for over, part in ((picture, np.asarray(self.pictures[other])), (truth, np.asarray(self.masks[self.mask_of[other]])[..., 0])):
            over[y:y + tall, x:x + wide] = augment.warp(part, matrix, cv2.BORDER_REFLECT_101)[y:y + tall, x:x + wide]

    def __getitem__(self, position):
        cv2.setNumThreads(0)
        rng = np.random.default_rng((*self.seed, position))
        index = self.order[position]
        record, kind = self.records[index], kind_of(self.records[index])
        picture = np.asarray(self.pictures[index])
        if kind == MASKED:
            truth = np.asarray(self.masks[self.mask_of[index]])[..., 0]
            known = np.full((HEIGHT, WIDTH), 255, np.uint8)
        elif kind == LINE:
            truth, known = line_mask(record)
        else:
            truth = np.zeros((HEIGHT, WIDTH), np.uint8)
            known = np.full((HEIGHT, WIDTH), 255 if kind == EMPTY else 0, np.uint8)
            if kind == SOMEWHERE and index in self.guesses:
                truth, known = (cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST) for part in self.guesses[index])
            elif kind == SOMEWHERE:
                known[:HEIGHT // 8] = 255  # at street level the uppermost strip is sky, roofs or leaves
            # Sources differ in size and sharpness: the same coarse picture of both, or the net learns the source.
            size = rng.uniform(0.35, 0.75)
            picture = cv2.resize(cv2.resize(picture, None, fx=size, fy=size, interpolation=cv2.INTER_AREA), (WIDTH, HEIGHT))
        matrix = framed(record, rng)
        border = cv2.BORDER_REFLECT_101 if kind == MASKED else cv2.BORDER_CONSTANT
        picture = augment.warp(picture, matrix, border)
        truth, known = augment.warp(truth, matrix, border), augment.warp(known, matrix, border)
        if record.set == 'aerial':
            if rng.random() < 0.7:
                self.patch(picture, truth, rng)
            if rng.random() < 0.5:
                picture = augment.hue(picture, rng)
        if kind == EMPTY:
            if rng.random() < 0.15:
                picture = plumes.lamps(picture, rng)  # before the water, which mirrors them
            draw = rng.random()
            if draw < 0.4:
                kind = MASKED
                picture, truth = floods.flood(picture, record.boxes, matrix, rng)
            elif draw < 0.6:
                picture = floods.wet_look(picture, rng)
        if record.set in ('canal', 'gauge') and rng.random() < 0.25:
            picture = augment.infrared(picture, rng)
        if rng.random() < 0.3:
            picture = augment.shadows(picture, rng)  # dry or wet, it stays what it is
        picture = augment.colour(picture, rng)
        draw = rng.random()
        if draw < 0.06:
            picture = plumes.lamps(picture, rng)
        elif draw < 0.11:
            picture = plumes.haze(picture, rng)
        elif draw < 0.15:
            picture, _ = plumes.glare(picture, rng)
        picture = augment.camera(picture, rng)
        half = lambda a: cv2.resize(a, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        image = torch.from_numpy(np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1)))
        return image, torch.from_numpy(half(truth)), torch.from_numpy(half(known)), kind


def loss_of(logits, truth, known, kind):
    logits = logits[:, 0]
    pixel = F.binary_cross_entropy_with_logits(logits, truth, reduction='none') * known
    rim = F.max_pool2d(truth[:, None], 7, 1, 3)[:, 0] - -F.max_pool2d(-truth[:, None], 7, 1, 3)[:, 0]
    weight = known * (1 + 2 * rim)  # the water line is what the gauge is read from
    pixels = (pixel * weight).sum((1, 2)) / (weight.sum((1, 2)) + 500)
    guess = torch.sigmoid(logits) * known
    overlap = (guess * truth * known).sum((1, 2))
    area = (guess + truth * known).sum((1, 2))
    dice = 1 - (2 * overlap + 200) / (area + 200)
    masked, somewhere = (kind == MASKED).float(), (kind == SOMEWHERE).float()
    lower = logits[:, logits.shape[1] * 2 // 5:].flatten(1)
    wettest = lower.topk(lower.shape[1] // 4, dim=1).values.mean(1)
    return (pixels + 0.5 * dice * masked + 0.25 * F.softplus(-wettest) * somewhere).mean()


def order_of(records_, seed, rendered_share):
    """A draw with fixed numbers per set, so that a big set does not crowd out a small one."""
    rng = np.random.default_rng((*seed, 7))
    wanted = {'aerial': 1000, 'canal': 160, 'rendered': rendered_share, 'gauge': 90, 'roads': 500,
              'street-flooded': 280, 'street-wet': 280, 'street-dry': 180,
              'reviewed': min(200, 4 * sum(r.set == 'reviewed' for r in records_))}
    order = []
    for name, count in wanted.items():
        members = [i for i, r in enumerate(records_) if r.set == name]
        if members:
            order += records.drawn_at_random(rng, members, count)
    return [int(i) for i in rng.permutation(order)]


def masks_of(net, pictures, indices, batch=16):
    found = []
    with torch.no_grad():
        for start in range(0, len(indices), batch):
            images = np.stack([pictures[i] for i in indices[start:start + batch]])[..., ::-1].transpose(0, 3, 1, 2)
            found.append(torch.sigmoid(net(torch.from_numpy(np.ascontiguousarray(images)).float()))[:, 0].numpy())
    return np.concatenate(found)


def report(held, maps, truths):
    """`truths` holds the masks of the records that have one, in their order."""
    line, masked = [], [i for i, r in enumerate(held) if r.mask]
    for name in sorted({held[i].set for i in masked}):
        chosen = [k for k, i in enumerate(masked) if held[i].set == name]
        line.append(f'{name} IoU {metrics.iou(maps[[masked[k] for k in chosen]] > 0.5, truths[chosen] > 127):.3f}')
    shares = lambda set_: [float((maps[i] > 0.5).mean()) for i, r in enumerate(held) if r.set == set_]
    share = {name: found for name, set_ in (*((n, 'street-' + n) for n in ('flooded', 'wet', 'dry')), ('roads', 'roads')) if (found := shares(set_))}
    if 'flooded' in share:
        line.append('streets AUC ' + ' '.join(f'{n} {metrics.auc(share["flooded"], share[n]):.3f}' for n in ('wet', 'dry') if n in share))
    line.append('water share ' + ' '.join(f'{n} {np.mean(v):.2f}' for n, v in share.items()))
    print('  ' + ' | '.join(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True, help='folder with water/, street-flood/, traffic/, staff-gauge/ (README)')
    parser.add_argument('--rendered', action='append', default=[], metavar='DIR', help='rendered streets or rivers: images/ and masks/; may be repeated')
    parser.add_argument('--reviewed', action='append', default=[], metavar='EXPORT', help="of central's labels; may be repeated")
    parser.add_argument('--start', required=True, help='yolox-nano-416.onnx')
    parser.add_argument('--continue-from', default='', metavar='ONNX', help='train these weights of an earlier run further, at half the rate')
    parser.add_argument('--everything', action='store_true', help='train on held-out pictures, too (records.freed)')
    parser.add_argument('--cache', default='.cache')
    parser.add_argument('--out', default='model.onnx')
    parser.add_argument('--epochs', type=int, default=38)
    parser.add_argument('--state', default='', help='file that keeps the run after every epoch; where there is one, the run goes on from it')
    parser.add_argument('--stop-after', type=int, default=0, help='end after this epoch of the schedule; what is kept is made as at the end')
    parser.add_argument('--dry-run', action='store_true', help='one pass of 64 pictures, to see that everything is in place before hours of training')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--seed', type=int, default=SEED, help='another one for a run that continues from another: it shall not see the same again')
    args = parser.parse_args()
    seed_everything(args.seed)
    torch.set_num_threads(args.threads)
    everything = records.water(args.data) + records.streets(args.data) + records.dry_roads(args.data) + records.gauges(args.data)
    everything += [record for folder in args.rendered for record in records.rendered(folder)]
    if args.everything:
        everything = records.freed(everything)
    dry, left = reviewed.dry(args.reviewed, args.cache)
    everything += [records.Record(r.path, 'reviewed', False, dry=True, group=r.camera) for r in dry]
    print(f'{len(dry)} reviewed pictures without water; left out: {dict(left)}', flush=True)
    train, held = [r for r in everything if not r.held], [r for r in everything if r.held]
    print(f'{len(train)} pictures to train on, {len(held)} held out', flush=True)
    pictures = cached(args.cache, [r.path for r in train], load_picture, 3)
    masks = cached(args.cache, [r.mask for r in train if r.mask], load_mask, 1)
    mask_of = {i: k for k, i in enumerate(i for i, r in enumerate(train) if r.mask)}
    held_pictures = cached(args.cache, [r.path for r in held], load_picture, 3)
    truths = cached(args.cache, [r.mask for r in held if r.mask], load_mask, 1)[:, ::2, ::2, 0]
    rendered_share = min(900, 3 * sum(r.set == 'rendered' for r in train))
    guesses = {}
    epochs = lambda epoch: Waters(train, pictures, masks, mask_of, guesses, order_of(train, (args.seed, epoch), rendered_share), (args.seed, epoch))

    def after_epoch(epoch, net, reported):
        net.eval()
        if epoch + 1 >= first_guess and (epoch + 1 - first_guess) % 2 == 0:
            guesses.update(guessed(net, train, pictures))
        if reported:
            export_mean(net, args.out, 'water', epoch + 1)
            if held:
                report(held, run_all(open_model(args.out), held_pictures)[:, 0], truths)

    net, rates, first_guess = WaterNet(args.start), {}, args.epochs // 2
    if args.continue_from:
        take_weights(net, args.continue_from, torch.zeros(1, 3, HEIGHT, WIDTH))
        rates, first_guess = HALF_RATES, 0
        guesses.update(guessed(net.eval(), train, pictures))
    fit(net, epochs, loss_of, args.epochs, after_epoch, stop_after=args.stop_after, state=args.state, memory=guesses, dry_run=args.dry_run, **rates)


if __name__ == '__main__':
    main()
