"""FGSM and PGD against a reference in PyTorch: the same images, except where a gradient's sign is undecided."""
import os
import sys
import unittest

import numpy as np

import bioft
from test_run import tensors

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

SHAPES = {"conv1.weight": (6, 1, 5, 5), "conv2.weight": (16, 6, 5, 5), "fc1.weight": (120, 400), "fc2.weight": (84, 120),
          "fc3.weight": (2, 84)}
MEAN, STD = 0.2860, 0.3530
RULES = ("bp", "usf", "frsf")


class Sign(torch.autograd.Function if torch else object):
    """The identity on W forward; s sign(W) is what the error sees: y = op(x, W), dx = op'(dy, V)."""

    @staticmethod
    def forward(ctx, x, y_true, y_feedback):
        return y_true.clone()

    @staticmethod
    def backward(ctx, dy):
        return None, None, dy


MASK = (1 << 64) - 1


def philox_uniform(seed, stream, count):
    """The keyed generator, written from its specification: key 0, elements 0 to count - 1, uniform in [0, 1)."""
    z = (seed + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    h = 0xCBF29CE484222325
    for byte in stream.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    key = z ^ z >> 31 ^ h
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    c = [block & np.uint64(0xFFFFFFFF), block >> np.uint64(32), np.zeros_like(block), np.zeros_like(block)]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
        c = [(b >> shift) ^ c[1] ^ np.uint64(k[0]), b & low, (a >> shift) ^ c[3] ^ np.uint64(k[1]), a & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    words = np.stack(c, axis=1).reshape(-1)[:count].astype(np.uint32)
    return ((words >> np.uint32(8)).astype(np.float32) * np.float32(2.0 ** -24))


def feedback(name, w, rule):
    fan_in = w[0].numel()
    fan_out = w.shape[0] * (w[0, 0].numel() if w.dim() == 4 else 1)
    v = (2.0 / (fan_in + fan_out)) ** 0.5 * w.sign()
    if rule == "frsf":
        m = philox_uniform(3, "feedback/" + name.removesuffix(".weight"), w.numel()) * np.float32(3 ** 0.5)
        v = v * torch.from_numpy(m).reshape(w.shape)
    return v


def layer(op, x, w, b, v):
    """op with W forward, and the derivative by x through V: the value of one and the graph of the other."""
    with torch.no_grad():
        y = op(x, w, b)
    return y if v is None and not x.requires_grad else (op(x, w, b) if v is None else Sign.apply(x, y, op(x, v, b)))


def network(x, p, rule):
    v = {n: (feedback(n, w, rule) if rule else None) for n, w in p.items() if n.endswith("weight")}
    conv = lambda padding: (lambda x, w, b: F.conv2d(x, w, b, padding=padding))
    x = (x - MEAN) / STD
    x = F.max_pool2d(F.relu(layer(conv(2), x, p["conv1.weight"], p["conv1.bias"], v["conv1.weight"])), 2)
    x = F.max_pool2d(F.relu(layer(conv(0), x, p["conv2.weight"], p["conv2.bias"], v["conv2.weight"])), 2)
    x = x.flatten(1)
    for name in ("fc1", "fc2"):
        x = F.relu(layer(F.linear, x, p[name + ".weight"], p[name + ".bias"], v[name + ".weight"]))
    return layer(F.linear, x, p["fc3.weight"], p["fc3.bias"], v["fc3.weight"])


def gradient(x, y, p, rule):
    x = x.clone().requires_grad_()
    F.cross_entropy(network(x, p, rule), y, reduction="sum").backward()
    return x.grad


def attack(x0, y, p, rule, epsilon, steps, step):
    """The last iterate, and where some step's sign was undecided (within rounding of zero)."""
    x, undecided = x0.clone(), torch.zeros_like(x0, dtype=torch.bool)
    for _ in range(steps):
        g = gradient(x, y, p, rule)
        undecided |= g.abs() < 1e-6 * g.abs().amax(dim=(1, 2, 3), keepdim=True)
        x = (x + step * g.sign()).clamp(min=x0 - epsilon, max=x0 + epsilon).clamp(0, 1)
    return x, undecided


@unittest.skipIf(torch is None and os.environ.get("BIOFT_TEST_OFFLINE") == "1", "no python3-torch, offline")
class Attacks(bioft.Case):
    def test_images(self):
        m = self.manifest(bioft.MANIFEST.replace("samples: 30}", "samples: 30, dump: 30}")
                          .replace("[bp, usf, brsf]", "[%s]" % ", ".join(RULES)))
        self.good("run", m, "--out", "out", "--quiet")
        torch.set_num_threads(1)
        for number, rule in enumerate(RULES):
            trial = self.folder / f"out/trials/0{number}-rule={rule}"
            raw = tensors(trial / "checkpoint.safetensors")
            p = {n: torch.from_numpy(np.frombuffer(raw[n], "<f4").copy().reshape(SHAPES.get(n, (-1,))))
                 for n in raw if n.split(".")[0] in ("conv1", "conv2", "fc1", "fc2", "fc3")}
            labels = {row["sample"]: int(row["label"]) for row in
                      bioft.rows(trial / "predictions/fine-tune.test.fgsm.rule.0.05.csv")}
            y = torch.tensor(list(labels.values()))
            for kind in ("rule", "exact"):
                if (rule, kind) == ("bp", "exact"):      # bp's two gradients are one, dumped once
                    continue
                own = rule if kind == "rule" and rule != "bp" else None
                for name, epsilon, steps in (("fgsm", 0.05, 1), ("fgsm", 0.5, 1), ("pgd", 0.05, 5)):
                    stem = trial / f"adversarial/{name}.{kind}.{epsilon:g}"
                    clean = torch.from_numpy(np.load(f"{stem}.clean.npy"))
                    ours = torch.from_numpy(np.load(f"{stem}.adversarial.npy"))
                    step = epsilon if steps == 1 else epsilon / 3
                    theirs, undecided = attack(clean, y, p, own, epsilon, steps, step)
                    differs = (ours - theirs).abs() > 1e-5
                    # An undecided sign changes the image of the later steps too. Under usf sums of equal terms cancel
                    # to zero or to rounding, so that most images have such a pixel: there only FGSM decides.
                    some = undecided.flatten(1).any(1).view(-1, 1, 1, 1).expand_as(undecided)
                    self.assertEqual(int((differs & ~(undecided if steps == 1 else some)).sum()), 0,
                                     (rule, kind, name, epsilon))
                    if rule != "usf":
                        self.assertLess(int(some[:, 0, 0, 0].sum()), len(y) // 2, (rule, kind, name, epsilon))
        trial = self.folder / "out/trials/02-rule=frsf/adversarial"
        signs = {kind: np.sign(np.load(trial / f"fgsm.{kind}.0.05.adversarial.npy") - np.load(trial / f"fgsm.{kind}.0.05.clean.npy"))
                 for kind in ("rule", "exact")}
        self.assertGreater(np.mean(signs["rule"] != signs["exact"]), 0.10)


if __name__ == "__main__":
    if torch is None and os.environ.get("BIOFT_TEST_OFFLINE") != "1":
        sys.exit("no torch for this Python: apt-get install python3-torch")
    unittest.main()
