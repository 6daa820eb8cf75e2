"""Detections in Python, for pseudo-labels and for the log of a training run; figures of the card come from the agent's own code.

A detection row is label, confidence, x0, y0, x1, y1, the box in fractions of the picture.
"""
import cv2
import numpy as np
import torch
from torchvision.ops import batched_nms

from road_net import BICYCLE, HEIGHT, MOTORCYCLE, PERSON, WIDTH, cells, edges

GROUP = torch.tensor([0, 1, 1, 2, 2, 2])  # labels of which one object has only one


def letterboxed(picture, width=WIDTH, height=HEIGHT):
    """BGR picture -> (input picture, scale): top left, the rest 114, as edge/inference does it."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    canvas = np.full((height, width, 3), 114, np.uint8)
    canvas[:size[1], :size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return canvas, scale


def as_tensor(picture):
    return torch.from_numpy(np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1)))


@torch.no_grad()
def detect(net, picture, least=0.05, width=WIDTH, height=HEIGHT, mirrored=False):
    """(n,6) detections of one BGR picture; `mirrored`: of the picture and its mirror image together."""
    canvas, scale = letterboxed(picture, width, height)
    found, grid = [], cells(width, height)
    for flip in ((False, True) if mirrored else (False,)):
        view = canvas[:, ::-1] if flip else canvas
        rows = net(as_tensor(view)[None].float().contiguous(memory_format=torch.channels_last))[0]
        boxes = edges(rows, grid)
        if flip:
            boxes = boxes[:, [2, 1, 0, 3]] * torch.tensor([-1.0, 1, -1, 1]) + torch.tensor([width, 0, width, 0.0])
        confidence = torch.sigmoid(rows[:, 4:5]) * torch.sigmoid(rows[:, 5:])
        cell, label = (confidence >= least).nonzero(as_tuple=True)
        found.append(torch.cat([label[:, None].float(), confidence[cell, label][:, None], boxes[cell]], 1))
    found = torch.cat(found)
    kept = batched_nms(found[:, 2:], found[:, 1], GROUP[found[:, 0].long()], 0.5)[:150]
    found = found[kept].numpy()
    size = np.array([picture.shape[1], picture.shape[0]] * 2, np.float32) * scale
    found[:, 2:] = np.clip(found[:, 2:] / size, 0, 1)
    return found[(found[:, 4] > found[:, 2]) & (found[:, 5] > found[:, 3])]


def shared(a, b):
    """Areas that each box of `a` (n,4) has in common with each of `b` (m,4)."""
    least, most = np.minimum(a[:, None, 2:], b[None, :, 2:]), np.maximum(a[:, None, :2], b[None, :, :2])
    return np.clip(least - most, 0, None).prod(2)


def area(boxes):
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def overlap(a, b):
    both = shared(a, b)
    return both / np.maximum(1e-9, area(a)[:, None] + area(b)[None] - both)


def joined(found):
    """Persons and the motorcycles they ride become one motorcycle, by the measures of edge/analytics/road-users.ts."""
    found = found.copy()
    riding = np.zeros(len(found), bool)
    mounts = np.nonzero((found[:, 0] == MOTORCYCLE) | (found[:, 0] == BICYCLE))[0]
    bare = found.copy()
    for index in np.nonzero(found[:, 0] == PERSON)[0]:
        person, boxes = found[index, 2:], bare[mounts, 2:]
        if not len(mounts):
            break
        both = shared(person[None], boxes)[0]
        tall, wide = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
        middle = (person[0] + person[2]) / 2
        fits = (both >= 0.15 * np.minimum(area(person[None]), area(boxes))) & (middle > boxes[:, 0] - wide / 4) & (middle < boxes[:, 2] + wide / 4) \
            & (person[3] > boxes[:, 1] + 0.2 * tall) & (person[3] < boxes[:, 1] + 1.15 * tall) & (person[1] < boxes[:, 1] + 0.3 * tall)
        if not fits.any():
            continue
        mount = mounts[np.where(fits, overlap(person[None], boxes)[0], -1).argmax()]
        riding[index] = True
        if found[mount, 0] == MOTORCYCLE:
            found[mount, 1] = max(found[mount, 1], found[index, 1])
            found[mount, 2:4], found[mount, 4:] = np.minimum(found[mount, 2:4], person[:2]), np.maximum(found[mount, 4:], person[2:])
    return found[~riding | (found[:, 0] != PERSON)]
