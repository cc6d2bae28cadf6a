"""A step of SGD of ResNet-18 and AlexNet at 96x96 beside PyTorch's, from the same weights and batch, with backpropagation and
with sign symmetry; with BIOFT_LONG=1 six steps of SGD and of Adam too. An update may differ from PyTorch's in float64 by a share
of its norm (one step of SGD 1e-3, Adam 5e-2), or by four times what PyTorch's own float32 differs, where that is more: ReLUs and
pools near a tie take the other branch, and batchnorm over a batch of eight makes much of little. Which branch is a matter of the
last digit, so PyTorch's float32 is the worst of three runs on pixels that differ by it."""
import functools
import json
import os
import struct
import sys
import unittest

try:
    import numpy as np
    import torch
    import torchvision
except ImportError as e:
    if os.environ.get("BIOFT_TEST_OFFLINE") == "1":
        sys.exit(77)
    sys.exit(f"{e}: python3-torch and python3-torchvision are needed; BIOFT_TEST_OFFLINE=1 skips this")

import bioft

sys.argv, arguments = [sys.argv[0]], sys.argv[1:]
sys.path.insert(0, str(bioft.SOURCE / "tests/parity"))
import parity  # noqa: E402

SIDE, BATCH, CLASSES = 96, 8, 10
CASES = [("sgd", 1, 1e-3), ("sgd", 6, 0), ("adam", 6, 5e-2)]
LONG = os.environ.get("BIOFT_LONG") == "1"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def network(name):
    """torchvision's, without dropout, whose masks are other ones."""
    net = getattr(torchvision.models, name)(num_classes=CLASSES)
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return net


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, t in tensors.items():
        size = t.numel() * t.element_size()
        header[name] = {"dtype": "I64" if t.dtype == torch.int64 else "F32", "shape": list(t.shape),
                        "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.contiguous().numpy().tobytes())


def updates(kind, before, rule, optimizer, steps, x, y, dtype):
    """By parameter, the change in so many steps; rule: whether the backward pass has sign symmetry's weights."""
    net, _ = parity.make(kind, before, parity.Rule("usf", {}, {}, dtype) if rule == "usf" else None, dtype)
    net.train()
    make = {"adam": lambda p: torch.optim.Adam(p, lr=1e-4), "sgd": lambda p: torch.optim.SGD(p, lr=0.1)}[optimizer]
    o = make(net.parameters())
    for step in range(steps):
        part = slice(step * BATCH, (step + 1) * BATCH)
        o.zero_grad()
        torch.nn.functional.cross_entropy(net(x[part].to(dtype)), y[part]).backward()
        o.step()
    return {k: p.detach().double() - before[k].double() for k, p in net.named_parameters()}


def size(changes):
    return sum(float(c.double().norm()) ** 2 for c in changes.values()) ** 0.5


def apart(found, want):
    return size({k: found[k].double() - w for k, w in want.items()}) / size(want)


class Steps(bioft.Case):
    def compare(self, name, rule):
        kind = functools.partial(network, name)
        torch.manual_seed(1)
        before = {k: t.clone() for k, t in kind().state_dict().items()}
        write_safetensors(self.folder / "weights.safetensors", before)
        random = np.random.default_rng(2)
        images = random.integers(0, 256, (6 * BATCH, SIDE, SIDE, 3), dtype=np.uint8)
        labels = np.arange(6 * BATCH) % CLASSES
        (self.folder / "data").mkdir()
        for split in "train", "test":
            np.save(self.folder / f"data/{split}_images.npy", images)
            np.save(self.folder / f"data/{split}_labels.npy", labels.astype(np.int64))
        column = lambda values: torch.tensor(values).view(1, 3, 1, 1)
        x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - column(MEAN)) / column(STD)
        y = torch.from_numpy(labels)
        backbone = "{plugin: alexnet, dropout: 0}" if name == "alexnet" else name
        for optimizer, steps, bound in CASES if LONG else CASES[:1]:
            lr = 0.1 if optimizer == "sgd" else 1e-4
            m = self.manifest(
                f"bioft: 1\nname: steps\ndataset: {{plugin: npy, root: data, transform: {{size: {SIDE}, train: none}}}}\n"
                f"model: {{backbone: {backbone}, weights: weights.safetensors, head: {{classes: {CLASSES}, reuse: true}}}}\n"
                f"stages:\n  - {{name: s, rule: {rule}, loss: cross_entropy, optimizer: {{name: {optimizer}, lr: {lr}}},\n"
                f"     steps: {steps}, batch_size: {BATCH}, shuffle: false}}\n", data=False)
            out = f"{optimizer}{steps}"
            self.good("run", m, "--out", out, "--quiet")
            [path] = (self.folder / out).glob("trials/*/checkpoint.safetensors")
            after = parity.read_safetensors(path)
            want = updates(kind, before, rule, optimizer, steps, x, y, torch.float64)
            noise = [1 + 6e-8 * torch.randn(x.shape) for _ in range(3)]           # the last digit, for three roundings
            theirs = max(apart(updates(kind, before, rule, optimizer, steps, x * n, y, torch.float32), want)
                         for n in noise)
            ours = {k: after[k].double() - before[k].double() for k in want}
            found = apart(ours, want)
            print(f"{name} {rule} {optimizer}, {steps} steps: {found:.1e} of the update, PyTorch's float32 {theirs:.1e}",
                  flush=True)
            self.assertLessEqual(found, max(bound, 4 * theirs))
            path.unlink()

    def test_resnet18_bp(self):
        self.compare("resnet18", "bp")

    def test_resnet18_usf(self):
        self.compare("resnet18", "usf")

    def test_alexnet_bp(self):
        self.compare("alexnet", "bp")

    def test_alexnet_usf(self):
        self.compare("alexnet", "usf")


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main(argv=sys.argv + arguments)
