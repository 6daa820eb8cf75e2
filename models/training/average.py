"""Averages the weights of several exports of one run: steadier on pictures of other cameras than the last of them alone.

python3 average.py smoke-a.onnx smoke-b.onnx --out smoke-flame.onnx
"""
import argparse

import numpy as np
import onnx
from onnx import numpy_helper


def average(paths, out):
    """Writes the mean of the exports `paths` to `out`; ends the program where they are not of one network."""
    models = [onnx.load(path) for path in paths]
    stored = [{i.name: numpy_helper.to_array(i) for i in model.graph.initializer} for model in models]
    if any({n: v.shape for n, v in one.items()} != {n: v.shape for n, v in stored[0].items()} for one in stored):
        raise SystemExit('These files are not exports of one network: their weights have other names or shapes.')
    for initializer in models[0].graph.initializer:
        values = [one[initializer.name] for one in stored]
        if values[0].dtype == np.float32:
            initializer.CopyFrom(numpy_helper.from_array(np.mean(values, axis=0, dtype=np.float32), initializer.name))
    onnx.save(models[0], out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('exports', nargs='+')
    parser.add_argument('--out', required=True)
    args = parser.parse_args()
    average(args.exports, args.out)


if __name__ == '__main__':
    main()
