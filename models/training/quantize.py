"""Makes an int8 variant of a package's weights, to measure whether it pays.

python3 quantize.py smoke-flame --model ../smoke-flame/model.onnx --pictures DIR --start yolox-nano-416.onnx --out int8.onnx

Every convolution is computed in 8 bits: weights per channel, activations by the range they take on the pictures of DIR. What lies between stays as it was.
`npm run model -- bench` and `evaluate.py` tell the time and the accuracy of the file.
"""
import argparse
import glob
import os

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import helper, numpy_helper

from cache import load_picture
from continue_from import layers_in_order, take_weights
from nets import HEIGHT, WIDTH, SmokeFlameNet, WaterNet
from runtime import as_input

NETS = {'smoke-flame': SmokeFlameNet, 'water-segmentation': WaterNet}


def ranges(net, pictures):
    """((low, high) of what goes in, of what comes out) of each convolution with its batch norm, in the order of the ONNX file; 0 lies within."""
    layers = layers_in_order(net, torch.zeros(1, 3, HEIGHT, WIDTH))
    convolutions = [k for k, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    seen, hooks = [[[0.0, 0.0], [0.0, 0.0]] for _ in convolutions], []

    def widen(limits, tensor):
        limits[0], limits[1] = min(limits[0], float(tensor.min())), max(limits[1], float(tensor.max()))
    for n, k in enumerate(convolutions):
        last = layers[k + 1] if k + 1 < len(layers) and isinstance(layers[k + 1], nn.BatchNorm2d) else layers[k]
        hooks.append(layers[k].register_forward_pre_hook(lambda layer, given, n=n: widen(seen[n][0], given[0])))
        hooks.append(last.register_forward_hook(lambda layer, given, made, n=n: widen(seen[n][1], made)))
    with torch.no_grad():
        for path in pictures:
            net.eval()(torch.from_numpy(as_input(load_picture(path))))
    for hook in hooks:
        hook.remove()
    return seen


class Rewriter:
    """Adds pairs of QuantizeLinear and DequantizeLinear, which ONNX Runtime fuses into 8-bit convolutions."""

    def __init__(self, graph):
        self.graph, self.nodes, self.done = graph, [], {}

    def constant(self, name, value):
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def activation(self, tensor, low, high):
        """Name of `tensor` after a round through 8 bits."""
        if tensor not in self.done:
            scale = np.float32(max(high - low, 1e-6) / 255)
            scale_, zero = self.constant(f'{tensor}_scale', scale), self.constant(f'{tensor}_zero', np.uint8(round(-low / scale)))
            self.nodes.append(helper.make_node('QuantizeLinear', [tensor, scale_, zero], [f'{tensor}_q']))
            self.nodes.append(helper.make_node('DequantizeLinear', [f'{tensor}_q', scale_, zero], [f'{tensor}_dq']))
            self.done[tensor] = f'{tensor}_dq'
        return self.done[tensor]

    def weights(self, name, values):
        scale = np.maximum(np.abs(values).reshape(len(values), -1).max(1) / 127, 1e-9).astype(np.float32)
        rounded = np.clip(np.round(values / scale[:, None, None, None]), -127, 127).astype(np.int8)
        inputs = [self.constant(f'{name}_q', rounded), self.constant(f'{name}_scale', scale), self.constant(f'{name}_zero', np.zeros(len(values), np.int8))]
        self.nodes.append(helper.make_node('DequantizeLinear', inputs, [f'{name}_dq'], axis=0))
        return f'{name}_dq'


def quantized(model, limits):
    """The ONNX model with its convolutions in 8 bits; `limits` as ranges() gives them."""
    graph = model.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    rewriter, limits = Rewriter(graph), iter(limits)
    for node in graph.node:
        if node.op_type != 'Conv':
            rewriter.nodes.append(node)
            continue
        given, made = next(limits)
        picture, weights, *bias = node.input
        conv, out = helper.make_node('Conv', [], [f'{node.output[0]}_raw'], name=node.name), node.output[0]
        conv.input.extend([rewriter.activation(picture, *given), rewriter.weights(weights, constants[weights]), *bias])
        conv.attribute.extend(node.attribute)
        rewriter.nodes.append(conv)
        rewriter.nodes.append(helper.make_node('Identity', [rewriter.activation(f'{out}_raw', *made)], [out]))
    del graph.node[:]
    graph.node.extend(rewriter.nodes)
    used = {name for node in graph.node for name in node.input}
    kept = [i for i in graph.initializer if i.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('task', choices=NETS)
    parser.add_argument('--model', required=True)
    parser.add_argument('--pictures', required=True, help='folder of pictures to take the ranges from; a hundred will do')
    parser.add_argument('--start', required=True, help='yolox-nano-416.onnx')
    parser.add_argument('--out', default='int8.onnx')
    args = parser.parse_args()
    torch.set_num_threads(1)
    net = NETS[args.task](args.start)
    take_weights(net, args.model, torch.zeros(1, 3, HEIGHT, WIDTH))
    pictures = sorted(glob.glob(os.path.join(args.pictures, '*.jpg')))[:100]
    if not pictures:
        parser.error(f'{args.pictures} holds no .jpg pictures')
    onnx.save(quantized(onnx.load(args.model), ranges(net, pictures)), args.out)
    print(f'{args.out}: {os.path.getsize(args.out)} bytes, ranges of {len(pictures)} pictures')


if __name__ == '__main__':
    main()
