"""Networks of torch.onnx.export through the backbone `onnx`, outputs beside torch's in evaluation mode, to 1e-4 of the largest;
with batch normalisation kept and folded. Arguments: names of networks; none: all."""
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torchvision
from torch import nn

BIOFT = os.environ["BIOFT"]
MANIFEST = """bioft: 1
name: onnx
seed: 1
engine: openblas
dataset: {{plugin: npy, root: data, transform: none}}
model:
  backbone: {{plugin: onnx, file: net.onnx, mean: [0], std: [1]}}
  head: {{classes: 1000, reuse: true}}
stages:
  - {{name: tune, rule: bp, loss: cross_entropy, optimizer: {{name: sgd, lr: 1e-30}}, steps: 1, batchnorm: frozen, batch_size: 2}}
"""


def vgg16():
    """For images of 64x64: its pooling to 7x7 exports for multiples of 224 alone."""
    net = torchvision.models.vgg16(weights=None)
    net.avgpool, net.classifier[0] = nn.Identity(), nn.Linear(512 * 4, 4096)
    return net


NETWORKS = {"resnet18": (lambda: torchvision.models.resnet18(weights=None), 64),
            "alexnet": (lambda: torchvision.models.alexnet(weights=None), 224),
            "vgg16": (vgg16, 64), "mobilenet_v2": (lambda: torchvision.models.mobilenet_v2(weights=None), 64)}


def draw(net):
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.weight, 0.8, 1.2)
            nn.init.normal_(m.bias, std=0.2)
            m.running_mean.normal_(std=0.2)
            m.running_var.uniform_(0.8, 1.2)


def bioft(folder, *args):
    done = subprocess.run([BIOFT, *map(str, args)], cwd=folder, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"bioft {args[0]}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def compare(name, folded):
    make, side = NETWORKS[name]
    torch.manual_seed(0)
    net = make()
    draw(net)
    net.eval()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "data").mkdir()
        x = torch.randn(2, 3, side, side)
        more = {} if folded else {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
        if "dynamo" in torch.onnx.export.__code__.co_varnames:
            more["dynamo"] = False
        torch.onnx.export(net, (x[:1],), str(folder / "net.onnx"), **more)
        with torch.no_grad():
            want = net(x).numpy()
        for split, count in (("train", 1000), ("test", 2)):
            np.save(folder / f"data/{split}_images.npy", np.zeros((count, side, side, 3), np.uint8))
            np.save(folder / f"data/{split}_labels.npy", np.arange(count))
        (folder / "m.yaml").write_text(MANIFEST.format())
        np.save(folder / "x.npy", x.numpy())
        told = bioft(folder, "run", "m.yaml", "--out", "out")
        checkpoint = next(folder.glob("out/stages/*/checkpoint.safetensors"))
        bioft(folder, "predict", "--weights", checkpoint, "--input", "x.npy", "--output", "y.npy", "--engine", "openblas")
        off = np.abs(np.load(folder / "y.npy") - want).max() / np.abs(want).max()
        has_norm = any(isinstance(m, nn.BatchNorm2d) for m in net.modules())
        fine = off < 1e-4 and ("rules will see folded weights" in told) == (folded and has_norm)
        print(f"{name:14} {'folded' if folded else 'kept':6} {off:.1e} {'' if fine else 'FAILED'}", flush=True)
        return fine


warnings.simplefilter("ignore")
names = sys.argv[1:] or list(NETWORKS)
if not all([compare(name, folded) for name in names for folded in (False, True)]):
    sys.exit(1)
