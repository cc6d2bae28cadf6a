"""Learning rules on Fashion-MNIST beside the same network with its head alone trained; a plain word where one does not
fit."""
import json
import math
import os
import unittest

import numpy as np

import bioft
from test_run import tensors

SCRATCH = """\
bioft: 1
name: scratch
seed: 1
dataset: {plugin: fashion_mnist, limit: 3000}
model: {backbone: %s}
stages:
  - name: scratch
    rule: %s
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    steps: 200
    batch_size: 32
attacks: []
"""
SEEDS = 1 if os.environ.get("BIOFT_BUILD") else 3          # slow under sanitizers
HEAD = "{plugin: fa, scale: constant, constant: 0}"    # no feedback: only the head has a gradient


class LearningRules(bioft.Case):
    def beats_head(self, backbone, claims, text=SCRATCH):
        """Each rule's accuracy is above that of the head alone by what it claims, with every seed."""
        seeds = range(1, SEEDS + 1)
        (self.folder / "m.yaml").write_text(text % (backbone, "bp") + f"""sweep:
  stages.scratch.rule: [{', '.join([*claims, HEAD])}]
  seed: [{', '.join(map(str, seeds))}]
""")
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        values = [float(row["value"]) for row in bioft.rows(self.folder / "out/results.csv")]
        self.assertEqual(len(values), (len(claims) + 1) * SEEDS)
        head = values[-SEEDS:]
        for i, (rule, claim) in enumerate(claims.items()):
            for seed in range(SEEDS):
                self.assertGreater(values[i * SEEDS + seed], head[seed] + claim, f"{rule}, seed {seed + 1}: {values}")

    def test_layers(self):
        self.beats_head("{plugin: mlp, hidden: [64, 64]}", {
            "fa": 0.02, "usf": 0.02, "frsf": 0.02, "brsf": 0.02, "kolen_pollack": 0.02, "dtp": 0.02, "forward_forward": 0.02})

    def test_convolutions(self):
        self.beats_head("lenet5", {
            "weight_mirror": 0.05, "sign_symmetry": 0.05, "oja": 0.05, "{plugin: oja, strength: 10}": 0.05, "dfa": 0.05,
            "forward_forward": 0.02})

    def test_random_targets(self):
        """They learn slowly."""
        text = SCRATCH.replace("steps: 200", "steps: 400").replace("size: 32", "size: 64")
        self.beats_head("{plugin: lenet5, activation: tanh}", {"drtp": 0.05}, text)

    def test_kolen_pollack(self):
        """V and W meet, and not by both shrinking to nothing."""
        (self.folder / "m.yaml").write_text(
            (SCRATCH % ("lenet5", "{plugin: kolen_pollack, decay: 0.001}")).replace(
                "steps: 200", "steps: 3001\n    alignment: 1000") + "sweep:\n  stages.scratch.steps: [0, 3001]\n")
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        first, last = sorted((self.folder / "out/trials").iterdir())
        lines = [json.loads(line) for line in (last / "metrics.jsonl").read_text().splitlines()]
        angles = [line["weight_angle"] for line in lines if line["step"] == 3001 and "weight_angle" in line][-1]
        begin, end = tensors(first / "checkpoint.safetensors"), tensors(last / "checkpoint.safetensors")
        self.assertEqual(len(angles), 5)
        for layer, angle in angles.items():
            self.assertGreater(math.cos(math.radians(angle)), 0.9, layer)
        norm = [math.sqrt(sum(np.square(np.frombuffer(t[f"{layer}.weight"], "<f4").astype(float)).sum()
                              for layer in angles)) for t in (begin, end)]
        self.assertGreaterEqual(norm[1], 0.5 * norm[0])

    def test_what_does_not_fit(self):
        for backbone, rule, words in (
                ("resnet18", "dtp", "'resnet18' is not a chain of layers: paths part or meet after 'layer1.0.conv2'"),
                ("resnet18", "forward_forward", "'resnet18' is not a chain of layers"),
                ("alexnet", "dtp", "the inverse of block 'features.3' would have 46656 x 32448 weights"),
                ("lenet5", "drtp", "here follows a ReLU")):
            (self.folder / "m.yaml").write_text(SCRATCH % (backbone, rule))
            self.bad(2, "check", "m.yaml", says=words)
            self.bad(2, "run", "m.yaml", "--out", f"{backbone}-{rule}", says=words)


if __name__ == "__main__":
    unittest.main()
