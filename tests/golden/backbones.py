#!/usr/bin/env python3
"""Writes backbones.txt: what torchvision says of the backbones that bioft has, and models.py of the
rest. Per network: "backbone NAME CHANNELS HEIGHT WIDTH PARAMETERS", then "work HEIGHT WIDTH N" with
the multiply-adds of convs and linear layers for one image, then "NAME SHAPE MEAN DEVIATION" for
each entry of the state dict in its order, of its first values. Needs torch and torchvision."""
import pathlib

import torch
import torchvision
from torch import nn

import models

IMAGENET = (3, 224, 224)
NETWORKS = {
    **{name: (getattr(torchvision.models, name), IMAGENET, (130, 97)) for name in [
        'alexnet', 'densenet121', 'efficientnet_b0', 'mobilenet_v2', 'resnet18', 'resnet34', 'resnet50',
        'vgg11', 'vgg11_bn', 'vgg13', 'vgg13_bn', 'vgg16', 'vgg16_bn', 'vgg19', 'vgg19_bn',
        'wide_resnet50_2']},
    'lenet5': (models.LeNet5, (1, 28, 28), (28, 28)),
    'mlp': (models.MLP, (1, 28, 28), (28, 28)),
    'preact_resnet18': (models.PreactResNet18, (3, 32, 32), (24, 40)),
    'wide_resnet28_10': (models.WideResNet28, (3, 32, 32), (24, 40)),
    'small_residual': (models.SmallResidual, (3, 18, 16), (23, 31)),
}


def work(net, channels, height, width):
    total = 0

    def count(layer, inputs, output):
        nonlocal total
        window = layer.weight[0].numel()
        total += window * output[0].numel()

    hooks = [m.register_forward_hook(count) for m in net.modules()
             if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        net.eval()(torch.zeros(1, channels, height, width))
    for h in hooks:
        h.remove()
    return total


def describe(name, make, published, other):
    torch.manual_seed(0)
    net = make()
    parameters = sum(p.numel() for p in net.parameters())
    yield ' '.join(map(str, ['backbone', name, *published, parameters]))
    for height, width in [published[1:], other]:
        yield f'work {height} {width} {work(net, published[0], height, width)}'
    for key, value in net.state_dict().items():
        shape = 'x'.join(map(str, value.shape)) or 'counter'
        v = value.double()
        yield f'{key} {shape} {v.mean().item():.4g} {v.std(unbiased=False).item():.4g}'


lines = [f'# made by backbones.py with torch {torch.__version__}, '
         f'torchvision {torchvision.__version__}']
for name, (make, published, other) in sorted(NETWORKS.items()):
    lines += describe(name, make, published, other)
pathlib.Path(__file__).with_suffix('.txt').write_text('\n'.join(lines) + '\n')
