"""The road-user detector: YOLOX-nano with six classes instead of COCO's eighty, at 16:9."""
import numpy as np
import torch
import torch.nn as nn

import backbone as bb

WIDTH, HEIGHT = 640, 384
HEIGHTS = (HEIGHT, 480, 640)  # of the input: the agent takes the lowest that does not shrink a picture to fit
LABELS = ['person', 'bicycle', 'motorcycle', 'car', 'bus', 'truck']
PERSON, BICYCLE, MOTORCYCLE, CAR, BUS, TRUCK = range(6)
FOUR_WHEELS = (CAR, BUS, TRUCK)
COCO_CLASSES = [0, 1, 3, 2, 5, 7]  # of LABELS
STRIDES = (8, 16, 32)


class RoadUserNet(nn.Module):
    """images (N,3,H,W) -> (N,cells,11): x, y, log w, log h in strides from the cell, logits of objectness and labels."""

    def __init__(self, start, fixed_to=bb.STAGE_8):
        super().__init__()
        self.backbone = bb.Backbone(start, [name for pair in bb.HEADS for name in pair], fixed_to)
        self.classes, self.boxes, self.objectness = (nn.ModuleList(group) for group in zip(*bb.last_convolutions(start)))
        for conv in self.classes:
            conv.weight.data, conv.bias.data = conv.weight.data[COCO_CLASSES], conv.bias.data[COCO_CLASSES]
            conv.out_channels = len(LABELS)

    def forward(self, images):
        features = self.backbone(images)
        rows = []
        for level, (classes, boxes, objectness) in enumerate(zip(self.classes, self.boxes, self.objectness)):
            seen, shape = features[2 * level], features[2 * level + 1]
            rows.append(torch.cat([boxes(shape), objectness(shape), classes(seen)], 1).flatten(2))
        return torch.cat(rows, 2).transpose(1, 2)


class WithScores(nn.Module):
    """What is exported: objectness and labels as scores 0..1."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        rows = self.net(images)
        return torch.cat([rows[..., :4], torch.sigmoid(rows[..., 4:])], 2)


def cells(width=WIDTH, height=HEIGHT):
    """(cells, 3): column, row, stride, in the order of the rows."""
    found = []
    for stride in STRIDES:
        y, x = np.mgrid[0:height // stride, 0:width // stride]
        found.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride)], 1))
    return torch.from_numpy(np.concatenate(found).astype(np.float32))


def fitting_height(picture):
    """The input's height for a picture, as edge/inference chooses it."""
    wanted = round(picture.shape[0] * WIDTH / picture.shape[1])
    return next((height for height in HEIGHTS if height >= wanted), HEIGHTS[-1])


def edges(rows, grid):
    """(...,cells,4) boxes x0 y0 x1 y1 in input pixels."""
    centre = (rows[..., :2] + grid[:, :2]) * grid[:, 2:]
    half = torch.exp(rows[..., 2:4].clamp(max=6)) * grid[:, 2:] / 2
    return torch.cat([centre - half, centre + half], -1)
