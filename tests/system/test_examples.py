"""The examples, built outside the tree against the installed headers, and what their rules are known to do."""
import json
import math
import os
import pathlib
import shutil
import subprocess
import unittest

import numpy as np

import bioft
from test_run import tensors

BUILD = pathlib.Path(bioft.BIOFT).resolve().parents[2]

SCRATCH = """\
bioft: 1
name: scratch
seed: 1
plugins: [plugins]
dataset: {plugin: fashion_mnist}
model: {backbone: lenet5}
stages:
  - name: scratch
    rule: %s
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    steps: 469
    batch_size: 64
"""


class Examples(bioft.Case):
    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.prefix = pathlib.Path(tempfile.mkdtemp(prefix="bioft-install-"))
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.prefix], check=True,
                       stdout=subprocess.PIPE)
        (pc,) = cls.prefix.rglob("bioft.pc")
        cls.env = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent), PKG_CONFIG_SYSROOT_DIR=str(cls.prefix))
        cls.env.pop("LD_LIBRARY_PATH", None)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.prefix, ignore_errors=True)

    def build(self, name):
        """By the README's command, in a copy, seeing nothing of the source tree but this one file."""
        flags = subprocess.run(["pkg-config", "--cflags", "bioft"], env=self.env, text=True, check=True,
                               stdout=subprocess.PIPE).stdout.split()
        self.assertTrue(all(str(bioft.SOURCE) not in flag for flag in flags), flags)
        folder = self.folder / "plugins/learning_rules"
        folder.mkdir(parents=True, exist_ok=True)
        source = shutil.copy(bioft.SOURCE / f"examples/learning_rules/{name}.c", self.folder)
        subprocess.run(["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC", "-shared",
                        "-fvisibility=hidden", *flags, "-o", folder / f"{name}.so", source, "-lm"], check=True)

    def test_direct_feedback_alignment(self):
        self.build("dfa")
        (self.folder / "m.yaml").write_text(
            SCRATCH % "dfa" + "sweep:\n  stages.scratch.rule: [dfa, {plugin: fa, scale: constant, constant: 0}]\n")
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        dfa, head = (float(row["value"]) for row in bioft.rows(self.folder / "out/results.csv"))
        self.assertGreaterEqual(dfa, head + 0.10)

    def test_kolen_pollack(self):
        self.build("kolen_pollack")
        (self.folder / "m.yaml").write_text(
            (SCRATCH % "{plugin: kolen_pollack, decay: 0.001}").replace("steps: 469", "steps: 3001\n    alignment: 1000")
            + "sweep:\n  stages.scratch.steps: [0, 3001]\n")
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


if __name__ == "__main__":
    unittest.main()
