"""Which cells answer for which object, and the loss that follows (YOLOX's: SimOTA, IoU, two cross entropies).

A target row is label, x0, y0, x1, y1 in input pixels, kind. What is IGNORED neither is nor is not an object. Of a
MIXED one it is known that it has four wheels; whether car, bus or truck is not to be learnt from its source.
"""
import torch
import torch.nn.functional as F
from torchvision.ops import box_iou

from road_net import FOUR_WHEELS, HEIGHTS, LABELS, cells, edges

NOTHING, SURE, MIXED, IGNORED = range(4)
REACH = 2.5  # strides from the middle of an object within which cells may answer
CANDIDATES = 10


def within(grid, boxes):
    """(objects, cells): the cell's middle lies in the box."""
    x, y = ((grid[:, :2] + 0.5) * grid[:, 2:]).T
    x0, y0, x1, y1 = boxes.T[..., None]
    return (x > x0) & (x < x1) & (y > y0) & (y < y1)


@torch.no_grad()
def assign(rows, found, grid, truth):
    """(answering cells, the object of each, its overlap) for one picture with objects `truth` (M,6)."""
    middle = (truth[:, 1:3] + truth[:, 3:5]) / 2
    near = ((((grid[:, :2] + 0.5) * grid[:, 2:])[None] - middle[:, None]).abs().amax(2) < REACH * grid[:, 2])
    inside = within(grid, truth[:, 1:5])
    open_cells = (near | inside).any(0).nonzero().squeeze(1)
    near, inside = near[:, open_cells], inside[:, open_cells]
    overlap = box_iou(truth[:, 1:5], found[open_cells])
    score = (torch.sigmoid(rows[open_cells, 4:5]) * torch.sigmoid(rows[open_cells, 5:])).sqrt().clamp(1e-6, 1 - 1e-6)
    wrong = -torch.log1p(-score).sum(1)[None] + (torch.log1p(-score) - torch.log(score)).T[truth[:, 0].long()]
    cost = wrong - 3 * torch.log(overlap + 1e-8) + 1e5 * ~(near & inside)
    taken = torch.zeros_like(cost, dtype=torch.bool)
    count = overlap.topk(min(CANDIDATES, len(open_cells)), 1).values.sum(1).int().clamp(min=1)
    for index, k in enumerate(count.tolist()):
        taken[index, cost[index].topk(min(k, len(open_cells)), largest=False).indices] = True
    best = torch.where(taken, cost, torch.full_like(cost, 1e9)).argmin(0)
    answering = taken.any(0)
    chosen = best[answering]
    return open_cells[answering], chosen, overlap[:, answering].gather(0, chosen[None])[0]


def overlap_of(a, b):
    """IoU of boxes pair by pair, with a gradient."""
    both = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    return both / ((a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - both + 1e-6)


class RoadUserLoss:
    def __init__(self):
        self.grids = {len(grid): grid for grid in (cells(height=height) for height in HEIGHTS)}

    def __call__(self, rows, truth):
        total, answering, grid = 0.0, 0, self.grids[rows.shape[1]]
        for own_rows, own_truth in zip(rows, truth):
            loss, count = self.of_picture(own_rows, own_truth, grid)
            total, answering = total + loss, answering + count
        return total / max(1, answering)

    def of_picture(self, rows, truth, grid):
        found = edges(rows, grid)
        objects = truth[(truth[:, 5] == SURE) | (truth[:, 5] == MIXED)]
        weight, target = torch.ones(len(rows)), torch.zeros(len(rows))
        ignored = truth[truth[:, 5] == IGNORED]
        if len(ignored):
            weight[within(grid, ignored[:, 1:5]).any(0)] = 0.0
        if not len(objects):
            return (F.binary_cross_entropy_with_logits(rows[:, 4], target, reduction='none') * weight).sum(), 0
        cell, chosen, overlap = assign(rows.detach(), found.detach(), grid, objects)
        target[cell], weight[cell] = 1.0, 1.0
        objectness = F.binary_cross_entropy_with_logits(rows[:, 4], target, reduction='none') * weight
        label = objects[chosen, 0].long()
        wanted = F.one_hot(label, len(LABELS)).float() * overlap[:, None]
        counted = torch.ones_like(wanted)
        mixed = objects[chosen, 5] == MIXED
        for other in FOUR_WHEELS:
            counted[mixed & (label != other), other] = 0.0
        labels = F.binary_cross_entropy_with_logits(rows[cell, 5:], wanted, reduction='none') * counted
        boxes = 1 - overlap_of(found[cell], objects[chosen, 1:5]) ** 2
        return objectness.sum() + labels.sum() + 5 * boxes.sum(), len(cell)
