"""Takes up a package's weights to train them further: on pictures of one's own cameras, on reviewed ones, on a new kind of scene.

The ONNX file has the batch norms folded into the convolutions. They come back as what is left of them, an addition, and stay so:
statistics of a few new pictures would be worse than none.
"""
import onnx
import torch
import torch.nn as nn
from onnx import numpy_helper

# Of fit(): the network knows most already.
HALF_RATES = {'rate': 1e-3, 'backbone_rate': 4e-4}


def layers_in_order(net, images):
    """Convolutions and batch norms as a picture meets them, which is the order of the ONNX file's nodes."""
    met, hooks = [], []
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            hooks.append(module.register_forward_hook(lambda layer, *_: met.append(layer)))
    with torch.no_grad():
        net.eval()(images)
    for hook in hooks:
        hook.remove()
    return met


def take_weights(net, path, images):
    """Copies the weights of `path`, an export of a net of the same shape, into `net` and fixes its batch norms."""
    graph = onnx.load(path).graph
    constants = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    stored = [[constants[name] for name in node.input[1:]] for node in graph.node if node.op_type == 'Conv']
    layers = layers_in_order(net, images)
    convolutions = [k for k, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    if [tuple(layers[k].weight.shape) for k in convolutions] != [tuple(weight.shape) for weight, *_ in stored]:
        raise SystemExit(f'{path}: its layers are not those of this network; take weights that this version of the script has made')
    for k, (weight, *bias) in zip(convolutions, stored):
        layers[k].weight.data = weight
        norm = layers[k + 1] if k + 1 < len(layers) and isinstance(layers[k + 1], nn.BatchNorm2d) else None
        if norm is None:
            layers[k].bias.data = bias[0]
            continue
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.data.fill_(1)
        norm.bias.data = bias[0]
        norm.train = lambda mode=True, layer=norm: nn.Module.train(layer, False)
