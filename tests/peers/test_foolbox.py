"""Foolbox's FGSM and PGD on the same network give the same images as ours with the exact gradient."""
import unittest

import foolbox
import numpy as np
import torch

import bioft
import test_attacks_torch as ours
from test_run import tensors


class Network(torch.nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return ours.network(x, self.p, None)


class Foolbox(bioft.Case):
    def test_images(self):
        m = self.manifest(bioft.MANIFEST.replace("samples: 30}", "samples: 30, dump: 30}").replace("[bp, usf, brsf]", "[usf]"))
        self.good("run", m, "--out", "out", "--quiet")
        trial = self.folder / "out/trials/00-rule=usf"
        raw = tensors(trial / "checkpoint.safetensors")
        p = {n: torch.from_numpy(np.frombuffer(raw[n], "<f4").copy().reshape(ours.SHAPES.get(n, (-1,))))
             for n in raw if n.split(".")[0] in ("conv1", "conv2", "fc1", "fc2", "fc3")}
        model = foolbox.PyTorchModel(Network(p).eval(), bounds=(0, 1))
        y = torch.tensor([int(row["label"]) for row in
                          bioft.rows(trial / "predictions/fine-tune.test.fgsm.exact.0.05.csv")])
        for name, attack in (("fgsm", foolbox.attacks.LinfFastGradientAttack()),
                             ("pgd", foolbox.attacks.LinfPGD(rel_stepsize=1 / 3, steps=5, random_start=False))):
            clean = torch.from_numpy(np.load(trial / f"adversarial/{name}.exact.0.05.clean.npy"))
            mine = torch.from_numpy(np.load(trial / f"adversarial/{name}.exact.0.05.adversarial.npy"))
            _, theirs, _ = attack(model, clean, y, epsilons=0.05)
            same = ((mine - theirs).abs() < 1e-5).float().mean()
            self.assertGreater(float(same), 0.999, name)


if __name__ == "__main__":
    unittest.main()
