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


def lite_names(net):
    """timm's EfficientNet-lite under the names of the converted weights."""
    blocks = [f"blocks.{s}.{i}." for s, stage in enumerate(net.blocks) for i in range(len(stage))]
    first = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    rest = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1",
            "conv_pwl": "_project_conv", "bn3": "_bn2"}
    outer = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
    ret = {}
    for name, t in net.state_dict().items():
        for number, prefix in enumerate(blocks):
            if name.startswith(prefix):
                layer, rest_of = name[len(prefix):].split(".", 1)
                table = first if prefix.startswith("blocks.0.") else rest
                ret[f"_blocks.{number}.{table[layer]}.{rest_of}"] = t
                break
        else:
            layer, rest_of = name.split(".", 1)
            ret[f"{outer[layer]}.{rest_of}"] = t
    return ret


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
        if name.endswith("layer_scale"):
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
    state = lite_names(net) if "lite" in name else net.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.save(state, folder / "w.pth")
        np.save(folder / "x.npy", x.numpy())
        for engine in ENGINES:
            subprocess.run([BIOFT, "predict", "--weights", folder / "w.pth", "--backbone", name, "--input", folder / "x.npy",
                            "--output", folder / "y.npy", "--engine", engine, "--quiet"], check=True)
            got = np.load(folder / "y.npy")
            apart = float(np.abs(got - want).max() / np.abs(want).max())
            print(f"{name} {engine}: {apart:.1e} of the largest output", flush=True)
            if not apart < 1e-4:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(sum([compare(name) for name in sys.argv[1:] or NETWORKS]) > 0)
