"""The forward pass of each backbone beside torchvision's and timm's in float64, from the same weights: outputs to 1e-4 of the largest, on
every engine that runs here. Weights are drawn, norms and factors of layers too, so that no layer is without effect. Arguments:
names of networks; none: all."""
import copy
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import timm
import torch
import torchvision
from torch import nn

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/golden"))
import models  # noqa: E402

BIOFT, ENGINES, IMAGES = os.environ["BIOFT"], os.environ.get("ENGINES", "openblas onednn").split(), 2


def published(name):
    return lambda: getattr(torchvision.models, name)(weights=None)


def of_timm(name):
    return lambda: timm.create_model(name, pretrained=False)


NETWORKS = {name: (published(name), 224) for name in [
    "alexnet", "resnet18", "resnet34", "resnet50", "wide_resnet50_2", "vgg11", "vgg16_bn", "mobilenet_v2", "efficientnet_b0",
    "densenet121", "convnext_tiny"]}
NETWORKS |= {f"efficientnet_lite{i}": (of_timm(f"tf_efficientnet_lite{i}"), side) for i, side in
             enumerate([224, 240, 260, 280, 300])}
NETWORKS |= {
    "vit_small_patch16_224": (of_timm("vit_small_patch16_224"), 224),
    "deit_tiny": (of_timm("deit_tiny_patch16_224"), 224),
    "mobilenet_v2 by timm": (of_timm("mobilenetv2_100"), 224),
    "efficientnet_b0 by timm": (of_timm("efficientnet_b0"), 224),
    "convnext_tiny by timm": (of_timm("convnext_tiny"), 224),
    "densenet121 by timm": (of_timm("densenet121"), 224),
    "resnet50 by timm": (of_timm("resnet50"), 224),
    "wide_resnet28_10": (models.WideResNet28, 32),
    "preact_resnet18": (models.PreactResNet18, 32),
}


def draw(net):
    """Values that make every layer count."""
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)) and m.weight is not None:
            nn.init.uniform_(m.weight, 0.8, 1.2)
            nn.init.normal_(m.bias, std=0.2)
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(std=0.2)
            m.running_var.uniform_(0.8, 1.2)
    for name, p in net.named_parameters():
        if name.endswith(("layer_scale", "gamma")):
            nn.init.uniform_(p, 0.1, 0.5)
        if name in ("cls_token", "pos_embed"):
            nn.init.normal_(p, std=0.5)


def compare(name):
    make, side = NETWORKS[name]
    torch.manual_seed(1)
    net = make().eval()
    with torch.no_grad():
        draw(net)
        x = torch.randn(IMAGES, 3, side, side)
        want = copy.deepcopy(net).double()(x.double()).numpy()
    state = net.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.save(state, folder / "w.pth")
        np.save(folder / "x.npy", x.numpy())
        for engine in ENGINES:
            subprocess.run([BIOFT, "predict", "--weights", folder / "w.pth", "--backbone", name.split()[0], "--input", folder / "x.npy",
                            "--output", folder / "y.npy", "--engine", engine, "--quiet"], check=True)
            got = np.load(folder / "y.npy")
            apart = float(np.abs(got - want).max() / np.abs(want).max())
            print(f"{name} {engine}: {apart:.1e} of the largest output", flush=True)
            if not apart < 1e-4:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(sum([compare(name) for name in sys.argv[1:] or NETWORKS]) > 0)
