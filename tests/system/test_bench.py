"""bioft bench: what it measures and how it says so; how many passes an attack costs."""
import json
import os
import pathlib
import shutil
import tempfile
import unittest

import bioft

KEYS = {"backbone", "mode", "rule", "engine", "precision", "batch", "images_per_s", "peak_rss_mib"}
SMALL = ("--backbone", "lenet5", "--engine", "openblas", "--batch", "4", "--steps", "2",
         "--threads", "2")


class Bench(bioft.Case):
    def answers(self, *words):
        said = self.good("bench", *words, *SMALL, "--json").stdout
        return [json.loads(line) for line in said.splitlines()]

    def test_train_in_json(self):
        (r,) = self.answers("train", "--rule", "usf")
        self.assertLessEqual(KEYS, set(r))
        said = [r[key] for key in ("backbone", "mode", "rule", "engine", "precision", "batch")]
        self.assertEqual(said, ["lenet5", "train", "usf", "openblas", "f32", 4])
        self.assertEqual(r["threads"], 2)
        self.assertIn("OpenBLAS", r["identity"])
        for key in ("images_per_s", "images_per_s_median", "peak_rss_mib", "forward_s",
                    "backward_s", "update_s", "gflops", "peak_gflops", "update_gb_per_s", "peak_gb_per_s"):
            self.assertGreater(r[key], 0, key)
        self.assertGreaterEqual(r["images_per_s"], r["images_per_s_median"])
        # Phases are parts of the step that the rate is of.
        self.assertLessEqual(r["forward_s"] + r["backward_s"] + r["update_s"],
                             1.01 * 4 / r["images_per_s"])

    def test_forward_in_json(self):
        (r,) = self.answers("forward")
        self.assertEqual((r["mode"], r["rule"]), ("forward", None))
        self.assertEqual((r["backward_s"], r["update_s"], r["update_gb_per_s"]), (0, 0, 0))
        self.assertGreater(r["gflops"], 0)

    def test_profile(self):
        _, profile = self.answers("train", "--profile")
        layers = [n["layer"] for n in profile["nodes"] if n["layer"]]
        self.assertEqual(layers, ["conv1", "conv2", "fc1", "fc2", "fc3"])
        text = self.good("bench", "train", *SMALL, "--profile").stdout
        for word in ("images/s", "peak memory", "GFLOP/s", "GB/s", "forward", "backward",
                     "gradient", "conv1", "fc3"):
            self.assertIn(word, text)

    def test_engines(self):
        words = ("bench", "engines", "--backbone", "lenet5", "--batch", "4", "--steps", "2", "--threads", "2")
        rows = [json.loads(line) for line in self.good(*words, "--json").stdout.splitlines()]
        found = {(r["engine"], r["precision"]): r for r in rows}
        self.assertGreater(found["openblas", "f32"]["train_images_per_s"], 0)
        self.assertGreater(found["openblas", "f32"]["forward_images_per_s"], 0)
        self.assertEqual(found["openblas", "bf16"]["forward_images_per_s"], 0)
        self.assertIn("f32 only", found["openblas", "bf16"]["why"])
        self.assertIn("openblas", self.good(*words).stdout)
        self.bad(2, *words, "--engine", "openblas", says="neither --engine")
        self.bad(2, *[w if w != "lenet5" else "lenet6" for w in words], says="'openblas' failed in bf16: no backbone 'lenet6'; did you mean 'lenet5'?")

    def test_what_the_build_left_out_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            engines = pathlib.Path(folder, "engines")
            engines.mkdir()
            (engines / "faster.absent").write_text("libfaster was not found: install it\nmore\n")
            (engines / "openblas.absent").write_text("never shown: the engine is there\n")
            there = ("--plugin-path", folder)
            said = self.good("plugin", "list", *there).stdout
            self.assertIn("engine    faster is not here: libfaster was not found: install it\n", said)
            self.assertNotIn("never shown", said)
            self.assertNotIn("faster", self.good("plugin", "list").stdout)
            words = ("bench", "forward", "--backbone", "lenet5", "--batch", "4", "--steps", "1", *there)
            said = self.good(*words).stderr
            self.assertEqual(said.count("no engine 'faster' here: libfaster was not found: install it"), 1, said)
            self.assertNotIn("faster", self.good(*words, "--engine", "openblas").stderr)

    def test_refusals(self):
        self.bad(2, "bench", "test", *SMALL, says="'train' or 'forward', or compares 'engines'")
        self.bad(2, "bench", "train", says="--backbone")
        self.bad(2, "bench", "train", *SMALL, "--precision", "f16", says="f32 or bf16")
        self.bad(1, "bench", "forward", *SMALL, "--precision", "bf16", says="f32 only")


class Passes(bioft.Case):
    MANIFEST = """\
bioft: 1
name: passes
seed: 1
engine: openblas
dataset: {plugin: npy, root: data}
model: {backbone: lenet5}
stages:
  - {name: some, rule: %s, loss: cross_entropy, optimizer: {name: adam, lr: 1e-3}, steps: 2,
     batch_size: 8}
attacks:
  - {plugin: %s, epsilon: [0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5], batch_size: 8%s}
"""
    TEST = 20

    def passes(self, rule, attack, options=""):
        """Images that went forward in evaluation, and forward and backward in attacks."""
        build = pathlib.Path(bioft.BIOFT).resolve().parents[2]
        real = build / "plugins/engines/openblas/openblas.so"
        shim = os.environ["TIMED_ENGINE"]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            bioft.make_npy(folder / "data", train=16, test=self.TEST)
            (folder / "m.yaml").write_text(self.MANIFEST % (rule, attack, options))
            (folder / "place/engines").mkdir(parents=True)
            shutil.copy(shim, folder / "place/engines/openblas.so")
            r = bioft.run("run", "m.yaml", "--out", "out", "--plugin-path", "place", cwd=folder,
                          env={"TIMED_ENGINE_REAL": str(real),
                               "TIMED_ENGINE_OUT": str(folder / "times")})
            self.assertEqual(r.returncode, 0, r.stderr)
            lines = [line.split() for line in (folder / "times").read_text().splitlines()]
        images = {w[1]: (int(w[2]), int(w[3])) for w in lines if w[0] == "images"}
        self.assertEqual(images["2"][1], 0)
        return images["2"][0], *images["3"]

    def test_fgsm(self):
        # Evaluation: the clean split, epsilon 0 once, six epsilons for each gradient, and once a trial the gradients
        # themselves, on at most 100 images: 13 backward passes, 7 where both are the same.
        self.assertEqual(self.passes("usf", "fgsm"), ((14 + 1) * self.TEST, (1 + 3) * self.TEST, (2 + 13) * self.TEST))
        # Where both gradients are the same, so are the figures.
        self.assertEqual(self.passes("bp", "fgsm"), ((8 + 1) * self.TEST, (1 + 3) * self.TEST, (1 + 7) * self.TEST))

    def test_pgd(self):
        # Five steps at six epsilons for each gradient; the first steps stand at the clean images,
        # and what is there is remembered.
        evaluated, forwards, backwards = self.passes("usf", "pgd", ", steps: 5")
        self.assertEqual(evaluated, (14 + 1) * self.TEST)
        self.assertEqual(backwards, (2 * 6 * 4 + 2 + 13) * self.TEST)
        self.assertLessEqual(forwards, (2 * 6 * 4 + 2 + 13) * self.TEST)


if __name__ == "__main__":
    unittest.main()
