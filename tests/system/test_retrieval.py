"""Hash heads from a manifest to mean average precision, clean and under attack."""
import json
import struct
import unittest

import numpy as np
from PIL import Image

import bioft

MANIFEST = """\
bioft: 1
name: codes
seed: 3
engine: openblas
dataset: {plugin: npy, root: data}
model: {backbone: lenet5, head: {bits: 16}}
stages:
  - name: hash
    rule: bp
    loss: hyp2
    optimizer: {name: adam, lr: 1e-3, weight_decay: 5e-4}
    steps: 30
    batch_size: 16
retrieval: {k: [100, 500]}
attacks:
  - {plugin: noise, kind: uniform, epsilon: [0, 0.1], samples: 30}
  - {plugin: hag, epsilon: [0, 0.1], samples: 30, lr: 1e4}
  - {plugin: sdha, epsilon: [0, 0.03, 0.1], samples: 30}
  - {plugin: saat, epsilon: [0, 0.1], samples: 30, steps: 15, restarts: [1, 2]}
sweep:
  stages.hash.rule: [bp, usf]
"""
METRICS = ("map@100", "map@100/stable", "map@500", "map@500/stable")


def make_data(folder, sets=False, classes=4, seed=5):
    """Images whose classes are where faint squares stand, among noise: hard enough for mistakes."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    for split, n in (("train", 200), ("test", 60), ("database", 700)):
        labels = rng.permutation(np.arange(n) % classes)
        member = np.eye(classes, dtype=np.uint8)[labels]
        if sets:
            member |= np.eye(classes, dtype=np.uint8)[rng.integers(0, classes, n)]
        images = rng.integers(0, 180, (n, 28, 28, 1), dtype=np.uint8)
        for i, c in zip(*np.nonzero(member)):
            y, x = divmod(int(c), 2)
            images[i, 2 + 7 * y:9 + 7 * y, 4 + 12 * x:11 + 12 * x] += 50
        np.save(folder / f"{split}_images.npy", images)
        np.save(folder / f"{split}_labels.npy", member if sets else labels.astype(np.int64))


def tensors(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + length])


class Retrieval(bioft.Case):
    def setUp(self):
        super().setUp()
        make_data(self.folder / "data")

    def write(self, text, name="m.yaml"):
        return self.manifest(text, name, data=False)

    def map_of(self, codes, stage, k):
        """What bioft map says of the codes that a run wrote."""
        files = [f"--{side}-{what}={codes / f'{stage}.{split}.{what}.npy'}"
                 for side, split in (("query", "test"), ("database", "database")) for what in ("codes", "labels")]
        return json.loads(self.good("map", *files, "--k", k, "--json").stdout)

    def check_codes(self, out, trial, stage="hash"):
        """Clean figures are those of the codes written beside them, to the last bit."""
        rows = {r["metric"]: r for r in bioft.rows(out / f"trials/{trial}/results.csv")
                if r["stage"] == stage and not r["attack"]}
        self.assertEqual(tuple(rows), METRICS)
        table = bioft.rows(out / f"trials/{trial}/predictions/{stage}.test.csv")
        for k in (100, 500):
            found = self.map_of(out / f"trials/{trial}/codes", stage, k)
            for ties, metric in (("expected", f"map@{k}"), ("stable", f"map@{k}/stable")):
                self.assertEqual(float(rows[metric]["value"]), found["map"][ties]["hits"])
                self.assertEqual(rows[metric]["n"], str(found["queries"]))
                self.assertAlmostEqual(np.mean([float(r[metric]) for r in table]), float(rows[metric]["value"]), 12)
            self.assertEqual((float(rows[f"map@{k}"]["ci_low"]), float(rows[f"map@{k}"]["ci_high"])),
                             (found["ci_low"], found["ci_high"]))
        return {m: float(r["value"]) for m, r in rows.items()}

    def predicts_codes(self, checkpoint, images, codes):
        self.good("predict", "--weights", checkpoint, "--input", images, "--bits", "--output", "c.npy", "--quiet")
        found, expected = np.load(self.folder / "c.npy"), np.load(codes)
        self.assertEqual(found.dtype, expected.dtype)
        self.assertEqual(found.tolist(), expected.tolist())

    def test_run(self):
        m = self.write(MANIFEST)
        r = self.good("run", m, "--out", "out", "--threads", 2)
        out = self.folder / "out"
        self.assertIn("clean map@100", r.stdout)
        self.assertIn("robust map@500, saat restarts=2, n = 30", r.stdout)
        self.assertNotIn("accuracy", r.stdout + r.stderr)
        for trial in ("00-rule=bp", "01-rule=usf"):
            clean = self.check_codes(out, trial)
            self.assertTrue(0.4 < clean["map@100"] < 0.99, clean)
            codes = np.load(out / f"trials/{trial}/codes/hash.database.codes.npy")
            self.assertEqual((codes.dtype, codes.shape), (np.uint8, (700, 2)))
            self.assertEqual(np.load(out / f"trials/{trial}/codes/hash.test.labels.npy").tolist(),
                             np.load(self.folder / "data/test_labels.npy").tolist())

        by = {(r["rule"], r["attack"], r["options"], r["gradient"], r["epsilon"], r["metric"]): r
              for r in bioft.rows(out / "results.csv")}
        value = {key: float(r["value"]) for key, r in by.items()}
        for (rule, attack, options, gradient, epsilon, metric), row in by.items():
            self.assertLessEqual(float(row["ci_low"]), float(row["value"]))
            self.assertGreaterEqual(float(row["ci_high"]), float(row["value"]))
            if not attack or attack == "worst":
                continue
            self.assertEqual(row["n"], "30")
            self.assertLessEqual(float(row["delta_max"]), float(epsilon) + 1e-6)
            self.assertLessEqual(float(row["delta_mean"]), float(row["delta_max"]))
            if attack == "sdha":
                self.assertLessEqual(float(row["delta_max"]), 0.050226)
            # at epsilon 0 all are the clean network on the same samples
            if epsilon == "0":
                self.assertEqual(row["value"], by[rule, "noise", "", "exact", "0", metric]["value"])
                self.assertEqual(row["delta_max"], "0")
            if rule == "bp" and gradient == "rule":
                self.assertEqual(row["value"], by[rule, attack, options, "exact", epsilon, metric]["value"])
        clean = {r["sample"]: r for r in bioft.rows(out / "trials/00-rule=bp/predictions/hash.test.csv")}
        same = bioft.rows(out / "trials/00-rule=bp/predictions/hash.test.hag.exact.0.csv")
        self.assertEqual(len(same), 30)
        for row in same:
            self.assertEqual([row[m] for m in METRICS], [clean[row["sample"]][m] for m in METRICS])

        # the attacks do what they are for, and a second try does not help the network
        for rule in ("bp", "usf"):
            noise = value[rule, "noise", "", "exact", "0.1", "map@100"]
            once = value[rule, "saat", "restarts=1", "exact", "0.1", "map@100"]
            self.assertLess(value[rule, "saat", "restarts=2", "exact", "0.1", "map@100"], once + 1e-12)
            self.assertLess(once, noise - 0.1)
            self.assertLess(value[rule, "hag", "", "exact", "0.1", "map@100"], noise)
            self.assertLess(value[rule, "sdha", "", "exact", "0.1", "map@100"], noise)

        # the checkpoint alone gives the same codes
        checkpoint = out / "trials/01-rule=usf/checkpoint.safetensors"
        self.predicts_codes(checkpoint, "data/test_images.npy", out / "trials/01-rule=usf/codes/hash.test.codes.npy")
        how = ("predict", "--weights", checkpoint, "--input", "data/test_images.npy", "--bits")
        self.bad(2, *how, says="--output Y.npy")
        self.bad(2, *how, "--output", "y.csv", says="--output Y.npy")
        images = self.folder / "images"
        images.mkdir()
        (images / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        Image.fromarray(np.zeros((28, 28), np.uint8)).save(images / "whole.png")
        self.bad(1, *how[:4], "images", "--bits", "--output", "none.npy",
                 says=["image cut.png could not be read", "nothing was written"])
        self.assertFalse((self.folder / "none.npy").exists())

        # threads and a resumed run change no byte
        self.good("run", m, "--out", "one", "--threads", 1, "--quiet")
        one = self.folder / "one"
        patterns = ("results.csv", "**/predictions/*.csv", "**/*.safetensors", "**/codes/*.npy")
        self.same_files(out, one, patterns)
        for name in ("results/hash.test.csv", "results/hash.test.saat.restarts=1.exact.0.1.csv", "results.csv"):
            (one / "trials/01-rule=usf" / name).unlink()
        self.good("run", m, "--out", "one", "--threads", 1, "--quiet", "--resume")
        self.same_files(out, one, patterns)
        # the manifest as resolved describes the same run
        self.good("run", out / "manifest.yaml", "--out", "again", "--quiet")
        self.same_files(out, self.folder / "again", ("results.csv",))

    def test_several_labels(self):
        """Sets of labels, bits that fill no bytes, a pre-trained backbone, the other loss, a target."""
        make_data(self.folder / "sets", sets=True)
        m = self.write(MANIFEST.split("sweep:")[0].split("attacks:")[0]
                       .replace("root: data}", "root: sets}").replace("head: {bits: 16}", "head: {classes: 4}")
                       .replace("stages:", """stages:
  - name: pre-train
    rule: bp
    loss: binary_cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    steps: 20
    batch_size: 16""").replace("loss: hyp2", "head: {bits: 12}\n    loss: {plugin: hashnet, continuation: 1}")
                       + """attacks:
  - {plugin: sdha, epsilon: 0.1, samples: 30, gradient: exact, relevant: database, logits: cosine}
  - {plugin: saat, epsilon: 0.1, samples: 30, steps: 10, gradient: exact, target: random}
""")
        self.good("run", m, "--out", "out", "--quiet")
        out = self.folder / "out"
        self.check_codes(out, "00")
        codes = out / "trials/00/codes"
        self.assertEqual({p.name for p in codes.iterdir()},
                         {f"hash.{s}.{w}.npy" for s in ("test", "database") for w in ("codes", "labels")})
        values = np.load(codes / "hash.test.codes.npy")
        self.assertEqual((values.dtype, values.shape), (np.float32, (60, 12)))
        self.assertEqual(set(np.unique(values)), {-1.0, 1.0})
        self.predicts_codes(out / "trials/00/checkpoint.safetensors", "sets/test_images.npy",
                            codes / "hash.test.codes.npy")
        self.assertEqual(np.load(codes / "hash.database.labels.npy").tolist(),
                         np.load(self.folder / "sets/database_labels.npy").tolist())
        rows = bioft.rows(out / "results.csv")
        self.assertEqual([r["metric"] for r in rows if r["stage"] == "pre-train"], ["accuracy"])
        self.assertEqual({r["attack"] for r in rows}, {"", "sdha", "saat", "worst"})
        names = set(tensors(out / "trials/00/checkpoint.safetensors"))
        self.assertTrue({"bank.codes", "bank.labels", "bank.seen"} <= {n.split("/")[-1] for n in names}, names)

    def test_refusals(self):
        hash_head = MANIFEST.split("attacks:")[0]
        classifier = hash_head.replace("head: {bits: 16}", "head: {classes: 4}").replace("loss: hyp2", "loss: cross_entropy")
        for text, says in (
                (hash_head + "attacks:\n  - {plugin: fgsm, epsilon: 0.1}\n",
                 "attack 'fgsm' is for classifiers, and the last head has bits"),
                (classifier.split("retrieval:")[0] + "attacks:\n  - {plugin: hag, epsilon: 0.1}\n",
                 "attack 'hag' is for retrieval, and the last head has classes"),
                (classifier, "'retrieval' is for networks that give hash codes"),
                (hash_head.replace("loss: hyp2", "loss: cross_entropy"),
                 "loss 'cross_entropy' is for classes, and the head has bits"),
                (classifier.split("retrieval:")[0].replace("loss: cross_entropy", "loss: hyp2"),
                 "loss 'hyp2' is for codes, and the head has classes"),
                (hash_head + "attacks:\n  - {plugin: saat, epsilon: 0.1, labels: predicted}\n", "predicts no class"),
                (hash_head.replace("bits: 16", "bits: 600"), "'bits': integer from 8 to 512")):
            m = self.write(text, "bad.yaml")
            self.bad(2, "run", m, "--out", "out", says=says)
            self.assertFalse((self.folder / "out").exists())
        # no threshold for so many bits: said before anything is trained
        m = self.write(hash_head.replace("bits: 16", "bits: 20"), "bad.yaml")
        self.bad(2, "run", m, "--out", "twenty", says=["20 bits and 4 classes", "give 'zeta'"])
        # no database to rank
        for part in ("images", "labels"):
            (self.folder / f"data/database_{part}.npy").unlink()
        self.bad(2, "check", self.write(hash_head), says="no split 'database'")


if __name__ == "__main__":
    unittest.main()
