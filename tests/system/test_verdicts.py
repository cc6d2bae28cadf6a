"""Rules whose robustness is known get their verdict: one that redraws its feedback, one whose gradients vanish, one that is
truly more robust, one that hides nothing. The network is one linear layer, whose worst case in a ball has a closed form."""
import json
import os
import struct
import unittest

import numpy as np

import bioft

MANIFEST = """\
bioft: 1
name: verdicts
seed: 1
engine: openblas
threads: 1
dataset: {plugin: npy, root: data}
model: {backbone: {plugin: mlp, hidden: []}, head: {classes: 4}}
stages:
  - name: train
    rule: bp
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    steps: 60
    batch_size: 50
attacks:
"""
SQUARE = "  - {plugin: square, queries: 60, epsilon: [0.03, 0.1, 1], samples: 100}\n"


def layer(trial):
    """Weights by pixels in [0,1], and biases."""
    raw = (trial / "checkpoint.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    w, b = (np.frombuffer(raw[8 + length:][slice(*header[n]["data_offsets"])], "<f4").reshape(header[n]["shape"]).astype(float)
            for n in ("fc1.weight", "fc1.bias"))
    mean, std = np.float32(0.286), np.float32(0.353)
    return w / std, b - (w * mean / std).sum(1)


def worst(w, b, x, y, epsilon):
    """Is each image right everywhere in its ball within [0,1]?"""
    robust = np.ones(len(x), bool)
    for i in range(len(x)):
        for c in range(len(b)):
            d = w[y[i]] - w[c]
            room = np.where(d > 0, np.minimum(epsilon, x[i]), np.minimum(epsilon, 1 - x[i]))
            robust[i] &= c == y[i] or d @ x[i] + b[y[i]] - b[c] - np.abs(d) @ room > 0
    return robust


class Verdicts(bioft.Case):
    def judged(self, text, seeds):
        m = self.manifest(text)
        said = self.good("run", m, "--out", "out", "--quiet", "--plugin-path", os.environ["PROBE_RULE"]).stdout
        rows = [r for r in bioft.rows(self.folder / "out/results.csv") if r["attack"] == "worst" and r["gradient"] == "exact"]
        found = {}
        for r in rows:
            found.setdefault((r["rule"], r["epsilon"]), set()).add((r["verdict"], r["verdict_why"]))
        self.assertEqual({len(v) for v in found.values()}, {1})
        self.assertEqual(len(rows), seeds * len(found))
        return {k: v.pop() for k, v in found.items()}, rows, said

    def test_robust(self):
        """The worst case is the closed form's, image for image, and so is the verdict. A weak attack along both gradients
        beside a strong one along the exact one is no masking."""
        found, rows, said = self.judged(MANIFEST + """\
  - {plugin: pgd, name: weak, steps: 1, stepsize: 0.01, epsilon: [0.03, 0.1, 1], samples: 100}
  - {plugin: apgd, loss: dlr_targeted, targets: 3, iterations: 30, epsilon: [0.03, 0.1, 1], samples: 100, gradient: exact}
""" + SQUARE + """\
sweep:
  stages.train.rule: [bp, probe_plain, {plugin: probe_shrink, by: 0.001}]
  seed: [1, 2, 3, 4, 5]
""", 5)
        x = np.load(self.folder / "data/test_images.npy").reshape(100, -1) / 255
        y = np.load(self.folder / "data/test_labels.npy")
        for r in rows:
            trial = self.folder / "out/trials" / r["trial"]
            images = bioft.rows(trial / ("predictions/train.test.apgd.exact.%s.csv" % r["epsilon"]))
            exact = worst(*layer(trial), x, y, float(r["epsilon"]))
            self.assertEqual([i["score"] == "1" for i in images], list(exact), r["trial"])
            self.assertAlmostEqual(float(r["value"]), exact.mean(), 9)
        self.assertEqual(found["bp", "0.1"], ("baseline", "what the others are compared with"))
        self.assertEqual(found["probe_plain", "0.1"][0], "no more robust")
        self.assertIn("+0.0 points from bp", found["probe_plain", "0.1"][1])
        self.assertEqual(found["probe_shrink", "0.1"][0], "robust", found)
        self.assertRegex(found["probe_shrink", "0.1"][1], r"points above bp over 5 seeds, p = 0.0\d+")
        self.assertIn("robust at linf 0.1", said)

    def test_hides(self):
        """Redrawn feedback is masking, averaged over draws too; large logits leave cross-entropy no gradient, so nothing is
        decided, whatever the images that are left."""
        found, rows, _ = self.judged(MANIFEST + """\
  - {plugin: apgd, iterations: 30, epsilon: [0.03, 0.1, 1], samples: 100}
  - {plugin: apgd, name: mean, eot: 8, iterations: 30, epsilon: [0.1, 1], samples: 100}
""" + SQUARE + """\
sweep:
  stages.train.rule: [bp, probe_redraw, {plugin: probe_vanish, at: 60}]
""", 1)
        self.assertEqual(found["probe_redraw", "0.1"][0], "masking", found)
        self.assertEqual(found["bp", "0.1"][0], "baseline", found)
        word, why = found["probe_vanish", "0.1"]
        self.assertEqual(word, "undecided")
        self.assertRegex(why, r"^\d+ images had a gradient of zero or not a number$")

    def test_vanishes(self):
        """tanh is saturated to the last bit, so that the exact gradient is zero. Stand-ins for derivatives and differences of
        the outputs break the network, each the same images for any batch size and threads; neither decides anything."""
        attacks = "".join(f"  - {{plugin: pgd, name: {name}, loss: margin, steps: 10, epsilon: 0.3, samples: 20, batch_size: {size}, "
                          f"gradient: [exact, straight_through, {{smoothed: {{samples: 100, sigma: 0.3}}}}]}}\n"
                          for name, size in (("one", 20), ("other", 7)))
        text = MANIFEST.replace("hidden: []", "hidden: [64], activation: tanh").replace(
            "rule: bp", "rules: [{layers: fc1, rule: {plugin: probe_vanish, at: 60}}, {layers: '*', rule: bp}]") + attacks
        said = self.good("run", self.manifest(text), "--out", "out", "--quiet", "--plugin-path", os.environ["PROBE_RULE"]).stdout
        rows = {(r["attack"], r["gradient"]): r for r in bioft.rows(self.folder / "out/results.csv") if r["attack"]}
        for name in ("one", "other"):
            exact, straight, smoothed = (rows[name, g] for g in ("exact", "straight_through", "smoothed"))
            self.assertEqual(exact["options"], "smoothed_sigma=0.3")
            self.assertEqual((exact["zero_gradient"], straight["zero_gradient"]), (exact["right"], "0"))
            self.assertEqual(float(exact["value"]), int(exact["right"]) / 20)
            self.assertLess(float(straight["value"]), float(exact["value"]) - 0.3)
            self.assertLess(float(smoothed["value"]), float(exact["value"]) - 0.3)
            self.assertEqual((float(exact["queries"]), float(smoothed["queries"])), (10, 10 + 10 * 100))
            self.assertEqual((straight["differences_off"], smoothed["differences_off"]), ("", ""))
        for gradient in ("straight_through", "smoothed"):
            one, other = (bioft.rows(next((self.folder / "out/trials").glob(f"*/predictions/train.test.{name}.*.{gradient}.0.3.csv")))
                          for name in ("one", "other"))
            self.assertEqual(one, other)
        self.assertEqual(float(rows["worst", ""]["value"]), min(float(r["value"]) for r in rows.values()))
        self.assertIn("undecided", said)


if __name__ == "__main__":
    unittest.main()
