"""What the host does for attacks and counts of them: nearest images against every epsilon, images that are left out, targets,
draws of V, logits that saturate, outputs that are not finite."""
import json
import os
import struct
import unittest

import numpy as np

import bioft

PROBE = os.environ["PROBE_ATTACK"]
TRAIN = """\
bioft: 1
name: host
seed: 3
engine: openblas
threads: 2
dataset: {plugin: npy, root: data}
model: {backbone: lenet5, head: {classes: 4}}
stages:
  - name: train
    rule: RULE
    loss: cross_entropy
    optimizer: {name: adam, lr: 1e-3}
    epochs: 2
    batch_size: 16
attacks:
"""


def number(text):
    return float(text) if text else None


class Host(bioft.Case):
    def attacked(self, attacks, rule="bp", out="out", extra=()):
        """Rows by (name, gradient, epsilon), and the same of the predictions."""
        m = self.manifest(TRAIN.replace("RULE", rule) + attacks)
        self.good("run", m, "--out", out, "--quiet", "--plugin-path", PROBE, *extra)
        found = {}
        for row in bioft.rows(self.folder / out / "results.csv"):
            if row["attack"] and row["attack"] != "worst":
                options = "." + row["options"] if row["options"] else ""
                name = f"train.test.{row['attack']}{options}.{row['gradient']}.{row['epsilon']}.csv"
                path = next((self.folder / out / "trials").glob("*/predictions/" + name))
                found[row["attack"], row["gradient"], row["epsilon"]] = row, bioft.rows(path)
        return found

    def test_nearest(self):
        """Asked once; each image's distance decides at every epsilon, and is the same in every file."""
        grid = ["0", "0.05", "0.1", "0.2", "0.4"]
        found = self.attacked("  - {plugin: probe_nearest, epsilon: [%s], samples: 60, gradient: exact}\n" % ", ".join(grid))
        distance = None
        for epsilon in grid:
            row, images = found["probe_nearest", "exact", epsilon]
            d = [number(i["distance"]) for i in images]
            if epsilon != "0":
                self.assertEqual(d, distance or d)
                distance = d
            robust = sum(i["clean"] == "1" and (x is None or x > float(epsilon) + 1e-6)
                         for i, x in zip(images, distance or d)) if epsilon != "0" else sum(i["clean"] == "1" for i in images)
            self.assertAlmostEqual(float(row["value"]), robust / 60, 9)
            self.assertEqual(row["budget_unused"], "")
        self.assertGreater(len({x for x in distance if x}), 3)

    def test_norms(self):
        """One plugin, four norms by its option: the column, the check of the ball, and L0 in places."""
        attacks = "".join("  - {plugin: probe_ball, name: %s, norm: %s, epsilon: %s, samples: 20, gradient: exact}\n" % (n, n, e)
                          for n, e in (("linf", 0.1), ("l2", 1.5), ("l1", 10), ("l0", 12)))
        for (name, _, _), (row, images) in self.attacked(attacks).items():
            self.assertEqual(row["norm"], name)
            self.assertTrue(all(float(i["distance"]) <= float(row["epsilon"]) * (1 + 1e-6) for i in images))
            moved = [float(i["distance"]) for i in images[::2]]
            self.assertGreater(max(moved), 0.3 * float(row["epsilon"]))
            if name == "l0":
                self.assertEqual(set(moved), {12.0})
            self.assertEqual([i["distance"] for i in images[1::2]], ["0"] * 10)
        m = self.manifest(TRAIN.replace("RULE", "bp") + "  - {plugin: probe_ball, norm: linf, epsilon: 8}\n")
        self.bad(2, "check", m, "--plugin-path", PROBE, says="did you mean 8/255")

    def test_told(self):
        """Subset, credit and trace, image by image, and the counts of the row."""
        found = self.attacked("""\
  - {plugin: probe_ball, name: shows, epsilon: 0.5, samples: 40, gradient: exact}
  - {plugin: probe_ball, name: hides, hides: true, epsilon: 0.5, samples: 40, gradient: exact}
  - {plugin: probe_ball, name: mute, traces: 0, epsilon: 0.5, samples: 40, gradient: exact}
""")
        shows, images = found["shows", "exact", "0.5"]
        self.assertEqual([i["part"] for i in images], ["first_half", ""] * 20)
        self.assertEqual([(i["queries"], i["gradients"]) for i in images], [("1", "1"), ("0", "0")] * 20)
        self.assertEqual([i["rising"] for i in images], ["0", "0", "1", "0"] * 10)
        self.assertEqual(shows["silent"], "0")
        self.assertEqual(float(shows["queries"]), 0.5)
        right = [i for i in images if i["clean"] == "1"]
        self.assertEqual(int(shows["unchanged"]), sum(float(i["delta_max"]) == 0 for i in right))
        self.assertEqual(int(shows["budget_unused"]), sum(float(i["distance"]) < 0.25 for i in right))
        self.assertEqual(int(shows["rising"]), sum(i["rising"] == "1" and i["score"] == "1" for i in right))
        seen = sum(i["found"] == "1" for i in images)
        self.assertGreater(seen, 5)
        hides, images = found["hides", "exact", "0.5"]
        self.assertEqual([i["found"] for i in images], [i["found"] for i in found["shows", "exact", "0.5"][1]])
        self.assertEqual(int(hides["silent"]), sum(i["found"] == "1" and i["right"] == "1" for i in images))
        self.assertGreater(int(hides["silent"]), 5)
        self.assertEqual((found["mute", "exact", "0.5"][0]["silent"], found["mute", "exact", "0.5"][0]["rising"]), ("", ""))

    def test_batches(self):
        """What is counted and what is found is the same for any size of the batch and number of threads."""
        attacks = """\
  - {plugin: probe_nearest, epsilon: [0.1, 0.3], samples: 30, gradient: exact, batch_size: B}
  - {plugin: pgd, name: late, epsilon: [0.1, 0.3], samples: 30, only: survivors, random_start: true, restarts: 3, batch_size: B}
"""
        a = self.attacked(attacks.replace("B", "30"), rule="brsf", out="a")
        b = self.attacked(attacks.replace("B", "7"), rule="brsf", out="b", extra=("--threads", "1"))
        for key, (row, images) in a.items():
            self.assertEqual([(i["prediction"], i["score"], i["part"], i["queries"]) for i in images],
                             [(i["prediction"], i["score"], i["part"], i["queries"]) for i in b[key][1]], key)
            self.assertEqual(row["value"], b[key][0]["value"])

    def test_survivors(self):
        """Images that an attack before broke are not attacked again, and are counted as broken with its name."""
        found = self.attacked("""\
  - {plugin: probe_nearest, epsilon: [0.1, 0.3], samples: 40, gradient: exact}
  - {plugin: pgd, name: rest, epsilon: [0.1, 0.3], samples: 40, gradient: exact, steps: 10, only: survivors}
  - {plugin: pgd, name: all, epsilon: [0.1, 0.3], samples: 40, gradient: exact, steps: 10}
""")
        for epsilon in ("0.1", "0.3"):
            before, images = found["probe_nearest", "exact", epsilon]
            row, rest = found["rest", "exact", epsilon]
            whole = found["all", "exact", epsilon][1]
            self.assertEqual(row["options"], "only=survivors")
            for x, y, z in zip(images, rest, whole):
                if x["score"] == "0":
                    self.assertEqual((y["score"], y["queries"], y["prediction"]), ("0", "0", x["prediction"]))
                    self.assertEqual(y["part"], "probe_nearest" if x["clean"] == "1" else "")
                else:
                    self.assertEqual((y["prediction"], y["queries"], y["part"]), (z["prediction"], "10", ""))
            self.assertAlmostEqual(float(row["value"]), np.mean([x["score"] == z["score"] == "1" for x, z in zip(images, whole)]), 9)

    def test_smaller_epsilon(self):
        """What an attack before broke in a smaller ball is broken in a larger one too, whether it was made there or not."""
        found = self.attacked("""\
  - {plugin: probe_nearest, epsilon: 0.3, samples: 40, gradient: exact}
  - {plugin: pgd, name: rest, epsilon: [0.1, 0.4], samples: 40, gradient: exact, steps: 10, only: survivors}
""")
        before = found["probe_nearest", "exact", "0.3"][1]
        self.assertIn("0", [i["score"] for i in before if i["clean"] == "1"])
        for x, y in zip(before, found["rest", "exact", "0.4"][1]):
            self.assertEqual(x["score"] == "0", y["queries"] == "0")
            self.assertLessEqual(y["score"], x["score"])
        self.assertNotIn("0", [y["queries"] for y in found["rest", "exact", "0.1"][1]])

    def test_transfer(self):
        """Images of another trial's network, whichever trial is first; its own are those of the white box."""
        entry = "epsilon: [0.1, 0.3], samples: 40, steps: 5, dump: 40"
        m = self.manifest(TRAIN.replace("RULE", "bp") + """\
  - {plugin: pgd, name: white, gradient: exact, %s}
  - {plugin: pgd, name: shown, from: [{rule: bp}, {stages.train.rule: fa}], %s}
  - {plugin: pgd, name: rest, from: {rule: bp}, only: survivors, %s}
sweep:
  stages.train.rule: [bp, fa]
""" % (entry, entry, entry))
        self.good("run", m, "--out", "out", "--quiet")
        out = self.folder / "out"
        images = lambda trial, name: np.load(next(out.glob("trials/*%s/adversarial/%s.adversarial.npy" % (trial, name)))).tobytes()
        for epsilon in ("0.1", "0.3"):
            end = ".exact." + epsilon
            bp, fa = images("bp", "white" + end), images("fa", "white" + end)
            self.assertFalse(bp == fa)
            for trial in ("bp", "fa"):
                self.assertTrue(images(trial, "shown.from=rule:bp" + end) == bp)
                self.assertTrue(images(trial, "shown.from=stages.train.rule:fa" + end) == fa)
        found = {(r["rule"], r["attack"], r["options"], r["epsilon"]): r for r in bioft.rows(out / "results.csv") if r["gradient"] == "exact"}
        for rule in ("bp", "fa"):
            self.assertEqual(found[rule, "shown", "from=rule:bp", "0.3"]["from"], "" if rule == "bp" else "rule:bp")
        own = found["fa", "shown", "from=stages.train.rule:fa", "0.3"]         # the same images: measured once
        self.assertEqual(own["differences_off"], found["fa", "white", "", "0.3"]["differences_off"])
        self.assertNotEqual(own["differences_off"], "")
        other = found["fa", "shown", "from=rule:bp", "0.3"]
        self.assertEqual((other["zero_gradient"], other["silent"], other["differences_off"], other["gradients"]), ("", "", "", "5"))
        table = (out / "tables/1-transfer-shown-accuracy.md").read_text()
        self.assertIn("| rule:bp | 0.3 | %.2f | %.2f |" % (100 * float(found["bp", "white", "", "0.3"]["value"]), 100 * float(other["value"])), table)
        self.good("run", m, "--out", "jobs", "--quiet", "--jobs", "2")
        self.good("run", m, "--out", "late", "--quiet", "--only-trial", "1")       # trains the other trial's network itself
        self.good("run", m, "--out", "late", "--quiet", "--resume")
        for name in ("jobs", "late"):
            self.assertEqual((self.folder / name / "results.csv").read_bytes(), (out / "results.csv").read_bytes())
            self.assertEqual(len(list((self.folder / name).glob("stages/*"))), 2)
        # A figure is of both networks; one that is of another source's is made again.
        network = {r["rule"]: r["network"] for r in bioft.rows(out / "results.csv") if not r["attack"]}
        both = f"{network['fa']}+{network['bp']}"
        self.assertEqual((other["network"], found["fa", "rest", "only=survivors;from=rule:bp", "0.3"]["network"][:17]),
                         (both, network["fa"] + "+"))
        self.assertEqual(own["network"], network["fa"])
        [trial] = out.glob("trials/*fa")
        whole = (out / "results.csv").read_bytes()
        for folder in ("results", "predictions"):
            [path] = (trial / folder).glob("*shown.from=rule_bp.exact.0.3.csv")
            path.write_text(path.read_text().replace(both, network["fa"]))
        (trial / "results.csv").unlink()
        r = self.good("run", m, "--out", "out", "--quiet", "--resume")
        self.assertIn(f"is of network {network['fa']}, this is {both}", r.stderr)
        self.assertEqual((out / "results.csv").read_bytes(), whole)

    def test_targets(self):
        """Images of the target's class are left out; those that reach it are counted; a target is none of the image's own."""
        found = self.attacked("""\
  - {plugin: pgd, name: one, target: 1, epsilon: [0, 0.3], samples: 40, gradient: exact}
  - {plugin: pgd, name: any, target: random, epsilon: 0.3, samples: 40, gradient: exact}
  - {plugin: pgd, name: last, target: least_likely, epsilon: 0.3, samples: 40, gradient: exact}
""")
        for key, options, n in ((("one", "exact", "0.3"), "target=1", 30), (("any", "exact", "0.3"), "target=random", 40),
                                (("last", "exact", "0.3"), "target=least_likely", 40)):
            row, images = found[key]
            self.assertEqual((row["options"], int(row["n"])), (options, n))
            self.assertTrue(all(i["target"] != i["label"] for i in images))
            self.assertEqual(int(row["reached"]), sum(i["prediction"] == i["target"] for i in images))
            self.assertEqual(float(row["value"]), sum(i["prediction"] == i["label"] and i["clean"] == "1" for i in images) / n)
        self.assertGreater(int(found["one", "exact", "0.3"][0]["reached"]), 0)
        self.assertGreater(len({i["target"] for i in found["any", "exact", "0.3"][1]}), 2)
        m = self.manifest(TRAIN.replace("RULE", "bp") + "  - {plugin: pgd, epsilon: 0.1, target: 4}\n")
        for command in ("check", "run"):
            self.bad(2, command, m, says="target 4 is not a class: classes are 0 to 3")

    def test_draws(self):
        """A rule that redraws: one frozen draw, or the mean over draws, and the row says which; others say nothing."""
        attacks = """\
  - {plugin: pgd, name: frozen, epsilon: 0.3, samples: 40}
  - {plugin: pgd, name: mean, epsilon: 0.3, samples: 40, eot: 8}
  - {plugin: pgd, name: again, epsilon: 0.3, samples: 40}
"""
        found = self.attacked(attacks, rule="brsf")
        said = {k[:2]: v[0]["draws"] for k, v in found.items()}
        self.assertEqual(said, {("frozen", "rule"): "frozen", ("mean", "rule"): "8", ("again", "rule"): "frozen",
                                ("frozen", "exact"): "", ("mean", "exact"): "", ("again", "exact"): ""})
        pick = lambda name, gradient: [(i["prediction"], i["delta_mean"]) for i in found[name, gradient, "0.3"][1]]
        self.assertEqual(pick("frozen", "rule"), pick("again", "rule"))        # the draw is put back after eot
        self.assertNotEqual(pick("frozen", "rule"), pick("mean", "rule"))
        self.assertEqual(pick("frozen", "exact"), pick("mean", "exact"))
        self.assertLessEqual(float(found["mean", "rule", "0.3"][0]["value"]), float(found["frozen", "rule", "0.3"][0]["value"]))
        for row, _ in self.attacked(attacks, rule="frsf", out="fixed").values():
            self.assertEqual(row["draws"], "")

    def test_gained(self):
        """Wrong without the attack and right under it: counted apart, and not robust."""
        text = TRAIN.replace("RULE", "bp").replace("epochs: 2", "steps: 1")
        m = self.manifest(text + "  - {plugin: pgd, epsilon: [0, 0.2], steps: 1, samples: 100, gradient: exact, labels: predicted}\n")
        self.good("run", m, "--out", "out", "--quiet")
        rows = [r for r in bioft.rows(self.folder / "out/results.csv") if r["attack"] == "pgd"]
        path = next((self.folder / "out/trials").glob("*/predictions/*pgd.labels=predicted.exact.0.2.csv"))
        images = bioft.rows(path)
        gained = sum(i["clean"] == "0" and i["prediction"] == i["label"] for i in images)
        self.assertGreater(gained, 5)
        self.assertEqual(int(rows[1]["gained"]), gained)
        self.assertEqual(float(rows[1]["value"]), sum(i["clean"] == "1" and i["prediction"] == i["label"] for i in images) / 100)
        self.assertLessEqual(float(rows[1]["value"]), float(rows[0]["value"]))

    def test_restarts(self):
        m = self.manifest(TRAIN.replace("RULE", "bp") + "  - {plugin: pgd, epsilon: 0.1, samples: 10, restarts: 5}\n")
        self.bad(2, "check", m, says="draws no random number")
        self.bad(2, "run", m, "--quiet", says="draws no random number")
        m = self.manifest(m.read_text().replace("restarts: 5", "restarts: 5, random_start: true"))
        self.good("check", m)

    def checkpoint(self, change):
        """A trained network whose tensors `change` has changed, as a plain safetensors file."""
        m = self.manifest(TRAIN.replace("RULE", "bp").replace("attacks:\n", "attacks: []\n"))
        self.good("run", m, "--out", "trained", "--quiet")
        raw = next((self.folder / "trained/trials").glob("*/checkpoint.safetensors")).read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        header, body, plain, data = json.loads(raw[8:8 + length]), raw[8 + length:], {}, b""
        for name, t in header.items():
            if name == "__metadata__" or t["dtype"] != "F32" or "/" in name:
                continue
            a = np.frombuffer(body[t["data_offsets"][0]:t["data_offsets"][1]], "<f4").reshape(t["shape"]).copy()
            change(name, a)
            plain[name] = {"dtype": "F32", "shape": t["shape"], "data_offsets": [len(data), len(data) + a.nbytes]}
            data += a.tobytes()
        text = json.dumps(plain).encode()
        (self.folder / "changed.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        return "changed.safetensors"

    def test_vanished(self):
        """Logits a thousandfold: cross-entropy has no gradient left. It is counted and warned of, and the remedy helps."""
        def enlarge(name, a):
            if name.startswith("fc3") or name.startswith("head"):
                a *= 3e4
            self.last = name
        weights = self.checkpoint(enlarge)
        text = TRAIN.split("stages:")[0].replace("head: {classes: 4}", "head: {classes: 4}, weights: %s" % weights)
        m = self.manifest(text + """\
stages: []
attacks:
  - {plugin: pgd, name: plain, epsilon: 0.3, samples: 100, gradient: exact, steps: 10}
  - {plugin: pgd, name: scaled, epsilon: 0.3, samples: 100, gradient: exact, steps: 10, rescale_logits: true}
""")
        said = self.good("run", m, "--out", "big").stdout
        rows = {r["attack"]: r for r in bioft.rows(self.folder / "big/results.csv")}
        plain, scaled = rows["plain"], rows["scaled"]
        self.assertGreater(int(plain["zero_survived"]), 20)
        self.assertIn("vanished-gradient", plain["warnings"])
        self.assertEqual(scaled["zero_survived"], "0")
        self.assertNotIn("vanished-gradient", scaled["warnings"])
        self.assertLess(float(scaled["value"]), float(plain["value"]) - 0.2)
        self.assertNotIn("no sign of masking", said)

    def test_not_finite(self):
        """Outputs that are not finite are an error with their number and the first sample's name, wherever they are used."""
        def overflow(name, a):
            if name == "conv1.weight":
                a[:] = np.where(np.arange(a.size).reshape(a.shape) % 2, 3e38, -3e38)
        weights = self.checkpoint(overflow)
        text = TRAIN.split("stages:")[0].replace("head: {classes: 4}", "head: {classes: 4}, weights: %s" % weights)
        for engine in ("openblas", "onednn"):
            if engine not in bioft.run("plugin", "list").stdout:
                continue                           # built without oneDNN
            m = self.manifest(text.replace("engine: openblas", "engine: " + engine) + "stages: []\n")
            said = self.bad(1, "run", m, "--out", engine, "--quiet", says=["100 of 100 samples have outputs that are not finite"]).stderr
            self.assertRegex(said, r"the first of them '[^']+'")


if __name__ == "__main__":
    unittest.main()
