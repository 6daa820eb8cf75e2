"""A published ONNX detector as a trainable torch module.

YOLOX-nano (Apache-2.0) is distributed as an ONNX file whose batch norms are already folded into the
convolutions. `Backbone` reads that file, keeps the nodes needed for the feature maps asked for, and runs
them in torch with every convolution as a parameter, so a small head can be trained on pretrained features.

The file takes BGR pixels 0..255. Our packages take RGB 0..255: the input channels of the first convolution
are swapped once while reading, so no swap is left at run time.
"""
import hashlib

import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import numpy_helper

YOLOX_NANO_SHA256 = '695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14'

# Tensor names inside exactly the file above: name -> (channels, stride).
STEM, STAGE_4, STAGE_8, STAGE_16, STAGE_32 = '687', '721', '781', '841', '886'
NECK_8, NECK_16, NECK_32 = '956', '990', '1024'
# Per stride 8, 16, 32: what the class convolution sees, what the box and objectness convolutions see.
HEADS = (('1044', '1061'), ('1086', '1103'), ('1128', '1145'))
CHANNELS = {STEM: 16, STAGE_4: 32, STAGE_8: 64, STAGE_16: 128, STAGE_32: 256, NECK_8: 64, NECK_16: 128, NECK_32: 256}


def check_start(path):
    """Refuses any file but the one whose tensor names are known here."""
    with open(path, 'rb') as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if digest != YOLOX_NANO_SHA256:
        raise SystemExit(f'{path}: sha256 is {digest}, expected {YOLOX_NANO_SHA256}; '
                         'take yolox_nano 416x416 of Kazuhito00/YOLOX-ONNX-TFLite-Sample')


def last_convolutions(path):
    """Per stride (class, box, objectness) convolutions of the published head, 80 COCO classes."""
    constants = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in onnx.load(path).graph.initializer}
    def conv(kind, level):
        weight = constants[f'head.{kind}_preds.{level}.weight']
        made = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
        made.weight.data, made.bias.data = weight, constants[f'head.{kind}_preds.{level}.bias']
        return made
    return [tuple(conv(kind, level) for kind in ('cls', 'reg', 'obj')) for level in range(len(HEADS))]


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def needed_nodes(graph, outputs):
    """The nodes that lead to `outputs`, in graph order."""
    wanted, kept = set(outputs), []
    for node in reversed(graph.node):
        if any(name in wanted for name in node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def as_conv(node, constants):
    settings = attributes(node)
    weight = constants[node.input[1]]
    bias = constants[node.input[2]] if len(node.input) > 2 else None
    groups = settings.get('group', 1)
    pads = settings.get('pads', [0, 0, 0, 0])
    conv = nn.Conv2d(weight.shape[1] * groups, weight.shape[0], tuple(weight.shape[2:]),
                     stride=tuple(settings.get('strides', [1, 1])), padding=(pads[0], pads[1]),
                     groups=groups, bias=bias is not None)
    conv.weight.data = weight.clone()
    if bias is not None:
        conv.bias.data = bias.clone()
    return conv


class Backbone(nn.Module):
    """images (N,3,H,W), RGB 0..255, H and W multiples of 32 -> the feature maps named in `outputs`."""

    def __init__(self, path, outputs, fixed_to=None):
        """`fixed_to`: convolutions up to and with this tensor keep their weights, which saves a quarter of the time."""
        super().__init__()
        check_start(path)
        graph = onnx.load(path).graph
        constants = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
        self.outputs = list(outputs)
        self.convs = nn.ModuleDict()
        self.steps = []  # (operator, output, inputs, settings)
        focus_done, fixed = False, fixed_to is not None
        for node in needed_nodes(graph, outputs):
            kind, out, inputs = node.op_type, node.output[0], list(node.input)
            if kind in ('Constant', 'Slice') or (kind == 'Concat' and not focus_done):
                # The space-to-depth at the entry (8 slices, 1 concat) is written by hand in forward().
                if kind == 'Concat':
                    self.entry, focus_done = out, True
                continue
            if kind == 'Conv':
                conv = as_conv(node, constants)
                if inputs[0] == self.entry:
                    swapped = [3 * block + channel for block in range(4) for channel in (2, 1, 0)]
                    conv.weight.data = conv.weight.data[:, swapped].contiguous()
                self.convs[out] = conv
                inputs = inputs[:1]
                if fixed:
                    self.convs[out].requires_grad_(False)
            elif kind == 'Resize':
                inputs = inputs[:1]
            elif kind not in ('Sigmoid', 'Mul', 'Add', 'Concat', 'MaxPool'):
                raise SystemExit(f'{path}: operator {kind} is not handled')
            if kind == 'Mul' and self.steps[-1][:3] == ('Sigmoid', inputs[1], inputs[:1]):
                self.steps[-1] = ('SiLU', out, inputs[:1], {})  # half the memory traffic of x * sigmoid(x) in two steps
            else:
                self.steps.append((kind, out, inputs, attributes(node)))
            fixed = fixed and out != fixed_to

    def forward(self, images):
        even, odd = images[..., ::2, :], images[..., 1::2, :]
        values = {self.entry: torch.cat([even[..., ::2], odd[..., ::2], even[..., 1::2], odd[..., 1::2]], 1)}
        for kind, out, inputs, settings in self.steps:
            args = [values[name] for name in inputs]
            if kind == 'Conv':
                values[out] = self.convs[out](args[0])
            elif kind == 'SiLU':
                values[out] = F.silu(args[0])
            elif kind == 'Sigmoid':
                values[out] = torch.sigmoid(args[0])
            elif kind == 'Mul':
                values[out] = args[0] * args[1]
            elif kind == 'Add':
                values[out] = args[0] + args[1]
            elif kind == 'Concat':
                values[out] = torch.cat(args, settings['axis'])
            elif kind == 'MaxPool':
                values[out] = F.max_pool2d(args[0], settings['kernel_shape'], settings['strides'], settings['pads'][0])
            else:
                values[out] = F.interpolate(args[0], scale_factor=2.0, mode='nearest')
        return [values[name] for name in self.outputs]
