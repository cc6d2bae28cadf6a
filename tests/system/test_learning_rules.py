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
dataset: {plugin: fashion_mnist}
model: {backbone: %s}
stages:
  - name: scratch
    rule: %s
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    steps: 469
    batch_size: 64
attacks: []
"""
HEAD = "{plugin: fa, scale: constant, constant: 0}"    # no feedback: only the head has a gradient


class LearningRules(bioft.Case):
    def accuracies(self, backbone, *rules):
        """Of each rule and, last, of the head alone."""
        (self.folder / "m.yaml").write_text(
            SCRATCH % (backbone, "bp") + f"sweep:\n  stages.scratch.rule: [{', '.join([*rules, HEAD])}]\n")
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        return [float(row["value"]) for row in bioft.rows(self.folder / "out/results.csv")]

    def test_chains(self):
        targets, forward, head = self.accuracies("mlp", "dtp", "forward_forward")
        self.assertGreater(targets, head + 0.08)
        self.assertGreater(forward, head + 0.04)

    @unittest.skipIf(os.environ.get("BIOFT_BUILD"), "slow under sanitizers, and test_chains goes the same way")
    def test_feedback(self):
        *accuracies, head = self.accuracies("lenet5", "weight_mirror", "sign_symmetry", "oja", "dtp", "dfa")
        for accuracy in accuracies:
            self.assertGreater(accuracy, head + 0.1)

    def test_random_targets(self):
        targets, head = self.accuracies("{plugin: lenet5, activation: tanh}", "drtp")
        self.assertGreater(targets, head + 0.05)

    def test_kolen_pollack(self):
        """V and W meet, and not by both shrinking to nothing."""
        (self.folder / "m.yaml").write_text(
            (SCRATCH % ("lenet5", "{plugin: kolen_pollack, decay: 0.001}")).replace(
                "steps: 469", "steps: 3001\n    alignment: 1000") + "sweep:\n  stages.scratch.steps: [0, 3001]\n")
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
