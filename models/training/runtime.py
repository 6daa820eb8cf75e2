"""Runs a package's ONNX file: ONNX Runtime where it is installed, OpenCV's reader otherwise."""
import cv2
import numpy as np

from cache import stretched


def open_model(path):
    """images (1,3,H,W) float32 -> the only output."""
    try:
        import onnxruntime
    except ImportError:
        net = cv2.dnn.readNetFromONNX(path)

        def run(images):
            net.setInput(np.ascontiguousarray(images))
            return net.forward()
        return run
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})[0]


def as_input(picture):
    """BGR picture of any size -> (1,3,H,W) RGB 0..255, stretched as the manifest says."""
    return np.ascontiguousarray(stretched(picture)[..., ::-1].transpose(2, 0, 1))[None].astype(np.float32)


def run_all(model, pictures):
    """BGR pictures -> the outputs of `model`, an open_model(), one after the other."""
    return np.concatenate([model(as_input(picture)) for picture in pictures])
