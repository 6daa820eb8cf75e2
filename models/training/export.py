"""A trained network as ONNX: opset 13, IR 7, fp32, fixed shapes (`open_height` leaves one open), sigmoid inside."""
import os

import numpy as np
import onnx
import torch

from average import average
from fit import REPORTED
from nets import HEIGHT, WIDTH, WithSigmoid
from runtime import open_model


def without_identities(graph):
    """Equal initialisers are exported once with Identity copies, which OpenCV cannot read: point at the original."""
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == 'Identity'}
    kept = [node for node in graph.node if node.op_type != 'Identity']
    for node in kept:
        for position, name in enumerate(node.input):
            node.input[position] = same.get(name, name)
    del graph.node[:]
    graph.node.extend(kept)


def open_height(model):
    """Leaves the input's height open, and with it how many rows the first output has; nothing in the graph depends on it."""
    del model.graph.value_info[:]
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = 'height'
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = 'rows'


def export(net, path, output, width=WIDTH, height=HEIGHT, finish=WithSigmoid, opened=False):
    """`finish` turns the trained network into what is exported; `opened`: open_height()."""
    net = finish(net.to(memory_format=torch.contiguous_format)).eval()
    images = torch.rand(1, 3, height, width) * 255
    torch.onnx.export(net, images, path, opset_version=13, input_names=['images'], output_names=[output])
    model = onnx.load(path)
    model.ir_version = 7
    model.producer_name, model.producer_version, model.doc_string = 'watchpost', '', ''
    without_identities(model.graph)
    for node in model.graph.node:
        node.doc_string = ''
    onnx.checker.check_model(model)
    onnx.save(model, path)
    with torch.no_grad():
        expected = net.eval()(images).numpy()
    apart = float(np.abs(open_model(path)(images.numpy()) - expected).max())
    if apart > 0.01:
        raise SystemExit(f'{path}: ONNX and torch differ by {apart}')
    if opened:
        open_height(model)
        onnx.save(model, path)
    print(f'{path}: differs from torch by at most {apart:.1e}')


def exports_of(out, passes, since):
    """Paths of the exports whose mean `out` is after so many passes: of those reported after the share `since` of them."""
    stem, end = os.path.splitext(out)
    return [f'{stem}-{n}{end}' for n in [*range(REPORTED, passes, REPORTED), passes] if n > since * passes]


def export_mean(net, out, output, passes, since=0.7, start=''):
    """Exports beside `out` and writes the mean of the last exports to it, which is steadier on pictures of other cameras than the last alone.

    `start`: weights that the run began with, as one more of them, so that less is lost of what they knew.
    """
    paths = exports_of(out, passes, since)
    export(net, paths[-1], output)
    kept = [path for path in [*paths, start] if os.path.exists(path)]
    average(kept, out)
    print(f'{out}: mean of {len(kept)}', flush=True)
