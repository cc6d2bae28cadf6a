"""What the system tests share: running the built bioft, small data sets, small manifests."""
import csv
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import numpy as np

BIOFT = os.environ.get("BIOFT", "build/core/cli/bioft")
SOURCE = pathlib.Path(__file__).resolve().parents[2]


def run(*args, cwd=None, env=None, timeout=600, **more):
    """Runs bioft; standard output and error as text."""
    full = dict(os.environ, XDG_DATA_HOME="/nonexistent-bioft-data", **(env or {}))
    full.pop("BIOFT_PLUGIN_PATH", None) if not (env and "BIOFT_PLUGIN_PATH" in env) else None
    return subprocess.run([BIOFT, *map(str, args)], cwd=cwd, env=full, timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


def make_npy(folder, train=300, test=100, classes=4, size=28, seed=0):
    """Images whose class is where a bright square stands: easy to learn, hard to learn by accident."""
    rng = np.random.default_rng(seed)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for split, n in (("train", train), ("test", test)):
        labels = (np.arange(n) % classes).astype(np.int64)
        images = rng.integers(0, 90, (n, size, size, 1), dtype=np.uint8)
        for i, label in enumerate(labels):
            y, x = divmod(int(label), 2)
            images[i, 2 + 7 * y:9 + 7 * y, 4 + 12 * x:11 + 12 * x] += 120
        np.save(folder / f"{split}_images.npy", images)
        np.save(folder / f"{split}_labels.npy", labels)
    return folder


MANIFEST = """\
bioft: 1
name: small
seed: 3
engine: openblas
dataset: {plugin: npy, root: data, classes: [2, 3]}
model: {backbone: lenet5}
stages:
  - name: pre-train
    dataset: {plugin: npy, root: data, classes: [0, 1]}
    rule: bp
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    epochs: 1
    batch_size: 16
  - name: fine-tune
    head: {classes: 2}
    rule: bp
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-4, head_lr: 1e-3}
    steps: 12
    batch_size: 16
attacks:
  - {plugin: fgsm, epsilon: [0, 0.05, 0.5], samples: 30}
  - {plugin: pgd, epsilon: [0, 0.05], samples: 30}
sweep:
  stages.fine-tune.rule: [bp, usf, brsf]
"""


class Case(unittest.TestCase):
    """A test in a folder of its own with a data set and a manifest."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bioft-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def manifest(self, text=MANIFEST, name="m.yaml", data=True):
        if data and not (self.folder / "data").exists():
            make_npy(self.folder / "data")
        path = self.folder / name
        path.write_text(text)
        return path

    def good(self, *args, **more):
        r = run(*args, cwd=self.folder, **more)
        self.assertEqual(r.returncode, 0, r.stderr)
        return r

    def bad(self, status, *args, says=(), **more):
        r = run(*args, cwd=self.folder, **more)
        self.assertEqual(r.returncode, status, r.stdout + r.stderr)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, r.stderr)
        return r

    def same_files(self, a, b, patterns=("results.csv", "trials.csv", "**/predictions/*.csv", "**/*.safetensors")):
        """Every file that must not depend on the run has the same bytes in both folders."""
        for pattern in patterns:
            names = sorted(p.relative_to(a) for p in a.glob(pattern))
            self.assertEqual(names, sorted(p.relative_to(b) for p in b.glob(pattern)))
            self.assertTrue(names, pattern)
            for name in names:
                self.assertEqual((a / name).read_bytes(), (b / name).read_bytes(), name)
