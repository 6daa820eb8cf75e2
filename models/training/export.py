"""A trained network as ONNX: opset 13, IR 7, fp32, fixed shapes, sigmoid inside."""
import numpy as np
import onnx
import torch

from nets import HEIGHT, WIDTH, WithSigmoid
from runtime import open_model


def export(net, path, output):
    net = WithSigmoid(net.to(memory_format=torch.contiguous_format)).eval()
    images = torch.rand(1, 3, HEIGHT, WIDTH) * 255
    torch.onnx.export(net, images, path, opset_version=13, input_names=['images'], output_names=[output])
    model = onnx.load(path)
    model.ir_version = 7
    model.producer_name, model.producer_version, model.doc_string = 'watchpost', '', ''
    for node in model.graph.node:
        node.doc_string = ''
    onnx.checker.check_model(model)
    onnx.save(model, path)
    with torch.no_grad():
        expected = net.eval()(images).numpy()
    apart = float(np.abs(open_model(path)(images.numpy()) - expected).max())
    if apart > 0.01:
        raise SystemExit(f'{path}: ONNX and torch differ by {apart}')
    print(f'{path}: differs from torch by at most {apart:.1e}')
