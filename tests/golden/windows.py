#!/usr/bin/env python3
"""Writes windows.txt: how often a window fits along a side, by torch's own pooling and convolution.
A line: "conv|floor|ceil SIDE KERNEL STRIDE DILATION PADDING COUNT", COUNT 0 where torch refuses."""
import itertools
import pathlib

import torch
from torch import nn


def count(kind, side, kernel, stride, dilation, padding):
    if kind == 'conv':
        layer = nn.Conv2d(1, 1, (kernel, 1), (stride, 1), (padding, 0), (dilation, 1))
    else:
        layer = nn.MaxPool2d((kernel, 1), (stride, 1), (padding, 0), (dilation, 1),
                             ceil_mode=kind == 'ceil')
    try:
        return layer(torch.zeros(1, 1, side, 1)).shape[2]
    except RuntimeError:
        return 0


lines = [f'# made by windows.py with torch {torch.__version__}']
for kind, side, kernel, stride, dilation in itertools.product(
        ['conv', 'floor', 'ceil'], [1, 2, 5, 6, 13], [1, 2, 3, 5], [1, 2, 4], [1, 2]):
    for padding in [0, 1, 3] if kind == 'conv' else range(0, kernel // 2 + 1):
        n = count(kind, side, kernel, stride, dilation, padding)
        lines.append(f'{kind} {side} {kernel} {stride} {dilation} {padding} {n}')
pathlib.Path(__file__).with_suffix('.txt').write_text('\n'.join(lines) + '\n')
