"""The two networks. Both take (N,3,256,448) RGB pixels 0..255 and give logits while training."""
import torch
import torch.nn as nn
import torch.nn.functional as F

import backbone as bb

WIDTH, HEIGHT = 448, 256


def block(inputs, outputs, kernel=3, groups=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs), nn.SiLU())


class Refined(nn.Module):
    """The same features and what the layers `seen` and a convolution `added` after them add to them."""

    def __init__(self, seen, added):
        super().__init__()
        self.seen, self.added = seen, added

    def forward(self, features):
        return features + self.added(self.seen(features))


def depthwise(width, hidden):
    """Refined by a wide hidden layer that sees 5x5 cells, each channel for itself."""
    return Refined(nn.Sequential(block(width, hidden, 1), block(hidden, hidden, 5, groups=hidden)), nn.Conv2d(hidden, width, 1))


def dense(width, hidden):
    """Refined by two dense 3x3 convolutions, which at first add nothing."""
    refined = Refined(block(width, hidden), nn.Conv2d(hidden, width, 3, padding=1))
    nn.init.zeros_(refined.added.weight)
    nn.init.zeros_(refined.added.bias)
    return refined


class SmokeFlameNet(nn.Module):
    """Cells of 16x16 pixels: logits (N,2,16,28), channel 0 smoke, 1 flame."""

    def __init__(self, start):
        super().__init__()
        self.backbone = bb.Backbone(start, [bb.STAGE_4, bb.NECK_8, bb.NECK_16, bb.NECK_32], fixed_to=bb.STAGE_4)
        self.grain = nn.Sequential(block(32, 32, 5, groups=32), block(32, 32, 1))
        self.fine, self.middle, self.coarse = block(64, 48, 1), block(128, 64, 1), block(256, 64, 1)
        self.mix = block(208, 96, 1)
        self.context = nn.Sequential(block(96, 96, 5, groups=96), block(96, 96, 1))
        self.last = nn.Sequential(block(96, 64), nn.Dropout2d(0.1), nn.Conv2d(64, 2, 1))
        nn.init.constant_(self.last[-1].bias, -3.0)  # most cells hold neither

    def forward(self, images):
        grain, fine, middle, coarse = self.backbone(images)
        # Max and not mean: a far plume may fill a single cell of the fine map, and a few pixels of the finest.
        features = torch.cat([F.max_pool2d(self.fine(fine), 2), self.middle(middle),
                              F.interpolate(self.coarse(coarse), scale_factor=2.0, mode='nearest'),
                              F.max_pool2d(self.grain(grain), 4)], 1)
        features = self.mix(features)
        return self.last(features + self.context(features))


class WaterNet(nn.Module):
    """A light feature pyramid: logits (N,1,128,224), half the input, because the water line is a thin thing."""

    def __init__(self, start, width=80):
        super().__init__()
        taps = [bb.STEM, bb.STAGE_4, bb.STAGE_8, bb.STAGE_16, bb.STAGE_32]
        self.backbone = bb.Backbone(start, taps, fixed_to=bb.STAGE_4)
        narrow = width // 2
        self.in_32, self.in_16, self.in_8 = (block(bb.CHANNELS[t], width, 1) for t in (taps[4], taps[3], taps[2]))
        self.in_4, self.in_2 = block(32, narrow, 1), block(16, 8, 1)
        self.wide = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(256, width, 1), nn.SiLU())
        level = lambda: nn.Sequential(block(width, width, 5, groups=width), block(width, width, 1), depthwise(width, 2 * width), depthwise(width, 2 * width))
        self.at_32 = nn.Sequential(dense(width, 80), dense(width, 80))
        self.at_16, self.at_8 = nn.Sequential(level(), dense(width, 80), dense(width, 80)), nn.Sequential(level(), dense(width, 56))
        self.to_4 = block(width, narrow, 1)
        self.at_4 = nn.Sequential(block(narrow, narrow), depthwise(narrow, 2 * narrow))
        self.to_2 = block(narrow, 8, 1)
        self.at_2 = nn.Sequential(block(16, 16), nn.Conv2d(16, 1, 1))

    def forward(self, images):
        at_2, at_4, at_8, at_16, at_32 = self.backbone(images)
        twice = lambda t: F.interpolate(t, scale_factor=2.0, mode='nearest')
        smooth = lambda t: F.interpolate(t, scale_factor=2.0, mode='bilinear', align_corners=False)
        # The whole picture's look (rain, night, aerial view) is added where one cell sees least of it.
        top = self.at_32(self.in_32(at_32) + self.wide(at_32))
        top = self.at_16(twice(top) + self.in_16(at_16))
        top = self.at_8(twice(top) + self.in_8(at_8))
        top = self.at_4(smooth(self.to_4(top)) + self.in_4(at_4))
        return self.at_2(torch.cat([smooth(self.to_2(top)), self.in_2(at_2)], 1))


class WithSigmoid(nn.Module):
    """What is exported: scores 0..1 instead of logits."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        return torch.sigmoid(self.net(images))
