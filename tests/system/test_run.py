"""bioft run from a manifest to its files, on small data."""
import hashlib
import json
import shutil
import pathlib
import os
import re
import struct
import unittest

import numpy as np

import bioft


def tensors(path):
    """A safetensors file's tensors as bytes by name."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    return {k: raw[8 + length + v["data_offsets"][0]:8 + length + v["data_offsets"][1]]
            for k, v in header.items() if k != "__metadata__"}


class Run(bioft.Case):
    def test_check(self):
        """Numbers of steps and images, parameters with two moments each on disk, and times unless they are not wanted."""
        m = self.manifest()
        said = self.good("check", m).stdout
        last = said.splitlines()[-1]
        for words in ("3 trials, training about ", "evaluation and attacks at most about ", " 900 adversarial images, "):
            self.assertIn(words, last)
        numbers = [int(n) for n in re.findall(r"(\d+) parameters", said)]
        self.assertEqual(len(numbers), 4)
        self.assertIn(f"checkpoints of {12 * (sum(numbers) + max(numbers)) / 1048576:.1f} MiB;", last)
        self.assertRegex(said, r"attack pgd +30 images, 2 epsilons, 2 gradients, at most about ")
        m = self.manifest(bioft.MANIFEST.replace("attacks:\n", "attacks:\n  - {plugin: square, name: few, queries: 1, epsilon: 0.1, "
            "samples: 30}\n  - {plugin: square, name: many, queries: 10000000, epsilon: 0.1, samples: 30}\n"))
        said = self.good("check", m).stdout            # by the number of queries
        self.assertRegex(said, r"attack few .* at most about [0-9.]+ s")
        self.assertRegex(said, r"attack many .* at most about \d+ (min|h)")
        m = self.manifest()
        quick = self.good("check", m, "--no-timing").stdout
        self.assertNotIn("about", quick)
        self.assertIn("3 trials, 900 adversarial images, checkpoints of ", quick.splitlines()[-1])
        self.assertFalse((self.folder / "runs").exists())

    def test_files_and_table(self):
        m = self.manifest()
        r = self.good("run", m, "--out", "out", "--quiet")
        out = self.folder / "out"
        self.assertEqual(r.stderr, "")
        self.assertIn("robust accuracy, pgd", r.stdout)
        self.assertIn("The two gradients", r.stdout)
        self.assertIn("results.csv", r.stdout)
        for name in ("manifest.yaml", "provenance.json", "results.csv", "trials.csv", "trials/01-rule=usf/metrics.jsonl",
                     "trials/01-rule=usf/checkpoint.safetensors", "trials/01-rule=usf/log"):
            self.assertTrue((out / name).exists(), name)
        json.loads((out / "provenance.json").read_text())
        for line in (out / "trials/01-rule=usf/metrics.jsonl").read_text().splitlines():
            json.loads(line)

        rows = bioft.rows(out / "results.csv")
        self.assertEqual(list(rows[0]), (
            "trial,seed,backbone,dataset,protocol,rule,stage,engine,precision,split,metric,attack,options,gradient,norm,"
            "epsilon,value,ci_low,ci_high,n,left_out,delta_max,delta_mean,warnings,right,gained,reached,queries,gradients,"
            "zero_gradient,zero_survived,unchanged,budget_unused,silent,rising,draws,gradient_cosine,sign_agreement,"
            "differences_off,dropped,n_train,steps,target,masking,"
            "masking_p,masking_n,verdict,verdict_why,identity,trial_identity,attacks,from,network,stages.fine-tune.rule.plugin,"
            "stages.fine-tune.rule.scale").split(",") + list(rows[0])[55:])
        for row in rows:                           # options of rules are columns where a sweep varies them
            self.assertEqual(row["stages.fine-tune.rule.plugin"], row["trial"].split("=")[1])
            self.assertEqual(row["stages.fine-tune.rule.scale"] != "", row["trial"] != "00-rule=bp")
        by = {}
        for row in rows:
            key = (row["rule"], row["stage"], row["attack"], row["gradient"], row["epsilon"])
            by[key] = row
            self.assertLessEqual(float(row["ci_low"]), float(row["value"]))
            self.assertGreaterEqual(float(row["ci_high"]), float(row["value"]))
        clean = by["usf", "fine-tune", "", "", ""]
        self.assertEqual((clean["n"], clean["split"], clean["delta_max"]), ("50", "test", ""))
        self.assertGreater(float(by["bp", "pre-train", "", "", ""]["value"]), 0.9)

        # bp's two gradients are one; epsilon 0 gives the same figure everywhere, and no difference of pixels
        for attack, epsilons in (("fgsm", ("0", "0.05", "0.5")), ("pgd", ("0", "0.05"))):
            for epsilon in epsilons:
                self.assertEqual(by["bp", "fine-tune", attack, "rule", epsilon]["value"],
                                 by["bp", "fine-tune", attack, "exact", epsilon]["value"])
            for rule in ("bp", "usf", "brsf"):
                zeros = {by[rule, "fine-tune", attack, g, "0"]["value"] for g in ("rule", "exact")}
                self.assertEqual(len(zeros), 1)
                self.assertEqual(by[rule, "fine-tune", attack, "exact", "0"]["delta_max"], "0")
                self.assertAlmostEqual(float(by[rule, "fine-tune", attack, "exact", "0.05"]["delta_max"]), 0.05, delta=1e-6)
        # the clean accuracy on the attacked samples, recomputed from the predictions
        p = bioft.rows(out / "trials/01-rule=usf/predictions/fine-tune.test.csv")
        attacked = bioft.rows(out / "trials/01-rule=usf/predictions/fine-tune.test.pgd.rule.0.csv")
        whole = {row["sample"]: row for row in p}
        self.assertEqual(len(whole), 50)
        for row in attacked:
            self.assertEqual(row["prediction"], whole[row["sample"]]["prediction"])
        labels = [row["label"] for row in attacked]
        self.assertEqual((labels.count("0"), labels.count("1")), (15, 15))
        self.assertIn(("bp", "fine-tune", "worst", "", "0.05"), by)

    def test_same_bytes(self):
        m = self.manifest()
        self.good("run", m, "--out", "a", "--threads", "1")
        self.good("run", m, "--out", "b", "--threads", "2")
        self.good("run", m, "--out", "c", "--threads", "2")
        self.same_files(self.folder / "b", self.folder / "c")
        self.same_files(self.folder / "a", self.folder / "b")

    def test_carried_over_bit_for_bit(self):
        m = self.manifest(bioft.MANIFEST.replace("    steps: 12\n", "    steps: 0\n"))
        self.good("run", m, "--out", "out")
        last = tensors(self.folder / "out/trials/00-rule=bp/checkpoint.safetensors")
        first = [tensors(p) for p in (self.folder / "out/stages").glob("*/checkpoint.safetensors")]
        first = next(t for t in first if t["fc3.weight"] != last["fc3.weight"])
        for name in ("conv1.weight", "conv1.bias", "conv2.weight", "fc1.weight", "fc2.bias"):
            self.assertEqual(first[name], last[name])
        self.assertNotEqual(first["fc3.weight"], last["fc3.weight"])

    def test_shared_stage_runs_once(self):
        m = self.manifest()
        self.good("run", m, "--out", "out")
        self.assertEqual(len(list((self.folder / "out/stages").iterdir())), 1 + 3)

    def test_output_folder(self):
        m = self.manifest()
        (self.folder / "out").mkdir()
        (self.folder / "out/mine.txt").write_text("mine")
        foreign = self.bad(2, "run", m, "--out", "out", says="no run of bioft wrote it; use another --out")
        self.assertNotIn("--resume", foreign.stderr)
        self.bad(2, "run", m, "--out", "out", "--resume", says="no run of bioft")
        self.assertEqual(sorted(os.listdir(self.folder / "out")), ["mine.txt"])
        first = self.good("run", m, "--out", "new")
        self.bad(2, "run", m, "--out", "new", says="--resume")
        def contents():                            # but of PDFs, into which gnuplot writes the time
            return {p: p.read_bytes() for p in (self.folder / "new").rglob("*") if p.is_file() and p.suffix != ".pdf"}
        before = contents()
        again = self.good("run", m, "--out", "new", "--resume")
        self.assertEqual(first.stdout, again.stdout)
        self.assertEqual(before, contents())
        self.bad(2, "run", m, "--out", "new", "--resume", "--set", "seed=4", says=["another manifest", "seed: 4"])

    def test_resume_makes_what_is_missing(self):
        m = self.manifest()
        self.good("run", m, "--out", "a")
        self.good("run", m, "--out", "b")
        b = self.folder / "b/trials/01-rule=usf"
        (b / "results.csv").unlink()
        (b / "results/fine-tune.test.fgsm.rule.0.05.csv").unlink()
        (self.folder / "b/results.csv").unlink()
        self.good("run", m, "--out", "b", "--resume")
        self.same_files(self.folder / "a", self.folder / "b")

    def test_what_is_easily_mistaken_is_told_once(self):
        m = self.manifest(bioft.MANIFEST.replace("samples: 30", "samples: 30, dump: 2").replace("{backbone: lenet5}",
                                                 "{backbone: {plugin: lenet5, channels: 3, mean: 0.5, std: [0.25]}}"))
        said = self.good("run", m, "--out", "out", "--threads", "64").stderr
        for words in ("threads: 64, and this process may use", "adversarial/*.png are rounded to 8 bits",
                      "has grey images: the network's three channels get the same values"):
            self.assertEqual(said.count(words), 1, said)
        self.assertIn("mean: [0.5]", (self.folder / "out/manifest.yaml").read_text().replace("\n", " ").replace("- ", ""))

    def test_steps_without_a_last_batch_of_one(self):
        """33 images in batches of 16: the last one alone would leave batchnorm one value a channel, and is no step."""
        data = self.folder / "small"
        data.mkdir()
        rng = np.random.default_rng(1)
        for split, n in (("train", 33), ("test", 4)):
            np.save(data / f"{split}_images.npy", rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8))
            np.save(data / f"{split}_labels.npy", np.arange(n) % 2)
        self.manifest("bioft: 1\nname: small\ndataset: {plugin: npy, root: small, transform: {size: 32, train: none}}\n"
                      "model: {backbone: resnet18}\n"
                      "stages:\n  - {name: s, rule: bp, loss: cross_entropy, epochs: 1, batch_size: 16}\nattacks: []\n",
                      data=False)
        r = self.good("run", "m.yaml", "--out", "out", "--threads", "1")
        self.assertIn("one of 33 training images is left out of each epoch", r.stdout + r.stderr)
        [row] = bioft.rows(self.folder / "out/results.csv")
        self.assertEqual((row["n_train"], row["steps"]), ("33", "2"))

    def test_set(self):
        m = self.manifest()
        self.good("run", m, "--out", "out", "--set", "sweep={stages.fine-tune.rule: [usf]}", "--set", "attacks=[]")
        self.assertEqual(os.listdir(self.folder / "out/trials"), ["00-rule=usf"])
        self.bad(2, "run", m, "--out", "x", "--set", "seed", says="seed")
        self.bad(2, "run", m, "--out", "x", "--set", "seeed=3", says="did you mean 'seed'")

    def test_dump(self):
        import numpy as np
        m = self.manifest(bioft.MANIFEST.replace("samples: 30}", "samples: 30, dump: 3}"))
        self.good("run", m, "--out", "out", "--set", "sweep={stages.fine-tune.rule: [usf]}")
        folder = self.folder / "out/trials/00-rule=usf/adversarial"
        clean = np.load(folder / "fgsm.exact.0.05.clean.npy")
        adversarial = np.load(folder / "fgsm.exact.0.05.adversarial.npy")
        self.assertEqual(clean.shape, (3, 1, 28, 28))
        self.assertLessEqual(float(np.abs(clean - adversarial).max()), 0.05 + 1e-6)
        self.assertGreater(float(np.abs(clean - adversarial).max()), 0.049)
        self.assertTrue((folder / "fgsm.exact.0.05.000.png").read_bytes().startswith(b"\x89PNG"))
        zero = np.load(folder / "fgsm.exact.0.adversarial.npy")
        self.assertEqual(zero.tobytes(), clean.tobytes())

    def test_several_labels_an_image(self):
        """Accuracy is the top answer's among the labels, and that is said; what is for one class is refused."""
        bioft.make_npy(self.folder / "data")
        labels = {}
        for split in ("train", "test"):
            path = self.folder / f"data/{split}_labels.npy"
            labels[split] = np.eye(4, dtype=np.uint8)[np.load(path)]
            labels[split][::3, 0] = 1
            np.save(path, labels[split])
        text = ("bioft: 1\nname: s\nengine: openblas\ndataset: {plugin: npy, root: data}\nmodel: {backbone: lenet5}\nstages:\n"
                "  - {name: s, rule: bp, loss: %s, steps: 3, batch_size: 16}\n")
        r = self.good("run", self.manifest(text % "binary_cross_entropy"), "--out", "out")
        self.assertIn("accuracy is the share of images whose top answer is one of their labels", r.stderr)
        [row] = bioft.rows(self.folder / "out/results.csv")
        [path] = (self.folder / "out").glob("trials/*/predictions/s.test.csv")
        right = [labels["test"][int(p["sample"]), int(p["prediction"])] for p in bioft.rows(path)]
        self.assertEqual([float(p["score"]) for p in bioft.rows(path)], right)
        self.assertEqual(float(row["value"]), np.mean(right))
        self.bad(2, "check", self.manifest(text % "cross_entropy"),
                 says="loss 'cross_entropy' takes one class a sample, and 'npy' has several")
        self.bad(2, "check", self.manifest(text % "mse" + "attacks: [{plugin: fgsm, epsilon: 0.1}]\n"),
                 says="attack 'fgsm' needs exactly one label an image")

    def test_rule_by_layer(self):
        text = bioft.MANIFEST.replace("    rule: bp\n    loss: cross_entropy\n    optimizer: {name: adam, lr: 1e-4, head_lr: 1e-3}",
                                      "    rules: [{layers: 'fc*', rule: bp}, {layers: '*', rule: {plugin: usf, scale: none}}]\n"
                                      "    loss: cross_entropy\n    optimizer: {name: adam, lr: 1e-4, head_lr: 1e-3}")
        text = text[:text.index("sweep:")]
        m = self.manifest(text)
        self.good("run", m, "--out", "out")
        self.assertIn("bp+usf", {row["rule"] for row in bioft.rows(self.folder / "out/results.csv")})
        line = json.loads(next(l for l in (self.folder / "out/trials/00/metrics.jsonl").read_text().splitlines()
                               if "fine-tune" in l and "weight_angle" in l))
        for layer in ("fc1", "fc2", "fc3"):
            self.assertLess(line["weight_angle"][layer], 1e-5)
        self.assertGreater(line["weight_angle"]["conv2"], 20)
        self.bad(2, "run", self.manifest(text.replace("fc*", "fd1"), "n.yaml"), "--out", "n", says=["fd1", "fc1"])
        self.bad(2, "run", self.manifest(text.replace("'*'", "'conv1'"), "o.yaml"), "--out", "o", says="conv2")

    def test_attacks_alone(self):
        m = self.manifest()
        self.good("run", m, "--out", "a", "--set", "sweep={stages.fine-tune.rule: [bp]}")
        text = """\
bioft: 1
name: again
dataset: {plugin: npy, root: data, classes: [2, 3]}
model: {backbone: lenet5, weights: a/trials/00-rule=bp/checkpoint.safetensors, head: {reuse: true}}
stages: []
attacks:
  - {plugin: fgsm, epsilon: [0, 0.05, 0.5], samples: 30, gradient: exact}
"""
        self.good("run", self.manifest(text, "again.yaml"), "--out", "b")
        a = {(r["attack"], r["gradient"], r["epsilon"]): r["value"] for r in bioft.rows(self.folder / "a/results.csv")
             if r["stage"] == "fine-tune"}
        for row in bioft.rows(self.folder / "b/results.csv"):
            if row["attack"] != "worst":
                self.assertEqual(row["value"], a[row["attack"], row["gradient"], row["epsilon"]])

        # what it ran on, by checksums: the manifest as resolved, the weights, each split's pixels and labels
        def sha256(path):
            return hashlib.sha256((self.folder / path).read_bytes()).hexdigest()
        def provenance(out):
            return json.loads((self.folder / out / "provenance.json").read_text())
        found = provenance("b")
        self.assertEqual(found["manifest_sha256"], sha256("b/manifest.yaml"))
        self.assertEqual([(w["stage"], w["sha256"]) for w in found["weights"]],
                         [("", sha256("a/trials/00-rule=bp/checkpoint.safetensors"))])
        images = np.load(self.folder / "data/test_images.npy")
        images[-1, 0, 0] ^= 1
        np.save(self.folder / "data/test_images.npy", images)
        self.good("run", "again.yaml", "--out", "c")
        for before, after in zip(found["datasets"], provenance("c")["datasets"]):
            self.assertEqual(before["split"] != "test", before["sha256"] == after["sha256"])
            self.assertEqual(len(after["sha256"]), 64)


class Search(bioft.Case):
    LR = "stages.fine-tune.optimizer.lr"
    PLAIN = bioft.MANIFEST.replace("classes: [2, 3]}", "classes: [2, 3], split: {val: 0.2}}").replace(
        "lr: 1e-4, head_lr: 1e-3", "lr: 1e-4").replace("[bp, usf, brsf]", "[bp, fa]")
    TEXT = PLAIN + f"search: {{{LR}: [0, 1e-2, 1e30, 1e-3]}}\n"

    def test_the_best_on_val_is_run(self):
        self.good("run", self.manifest(self.TEXT), "--out", "out")
        plain = self.manifest(self.PLAIN.replace("attacks:", "attacks:\n  - {plugin: fgsm, name: val, split: val, epsilon: 0}"), "p.yaml")
        for trial in ("00-rule=bp", "01-rule=fa"):
            found = bioft.rows(self.folder / f"out/trials/{trial}/search.csv")
            self.assertEqual([r[self.LR] for r in found], ["0", "1e-2", "1e30", "1e-3"])
            self.assertEqual(found[2]["accuracy"], "")
            measured = [float(r["accuracy"] or -1) for r in found]
            best = measured.index(max(measured))
            self.assertEqual([r["chosen"] for r in found], ["yes" if i == best else "" for i in range(4)])
            self.assertNotEqual(best, 0)
            rule = trial.split("=")[1]
            rows = [r for r in bioft.rows(self.folder / "out/results.csv") if r["trial"] == trial]
            self.assertEqual({float(r[self.LR]) for r in rows}, {float(found[best][self.LR])})
            # A run with the chosen value alone has the same network and figures, and that accuracy on val.
            self.good("run", plain, "--out", rule, "--set", f"{self.LR}={found[best][self.LR]}", "--set", f"sweep.stages.fine-tune.rule=[{rule}]")
            alone = bioft.rows(self.folder / rule / "results.csv")
            val = [r for r in alone if r["attack"] == "val"][0]
            self.assertEqual((val["value"], val["n"], val["network"]),
                             (found[best]["accuracy"], found[best]["n"], found[best]["network"]))
            key = lambda r: [r[k] for k in ("stage", "attack", "gradient", "epsilon", "value", "n", "network")]
            self.assertEqual([key(r) for r in rows if r["attack"] != "worst"],
                             [key(r) for r in alone if r["attack"] not in ("val", "worst")])
        self.assertIn("0 differ", self.good("verify", "out").stdout)
        self.assertIn("chose on the validation split", (self.folder / "out/provenance.json").read_text())

        # With jobs, and going on from any file that is gone: the same bytes.
        self.good("run", self.manifest(self.TEXT), "--out", "jobs", "--jobs", "2")
        self.same_files(self.folder / "out", self.folder / "jobs", ("results.csv", "trials.csv", "**/search.csv"))
        kept = (self.folder / "out/results.csv").read_bytes()
        first = self.folder / "jobs/trials/00-rule=bp"
        for gone in (["results.csv"], ["results.csv", "search.csv"]):
            for name in gone:
                (first / name).unlink()
            said = self.good("run", self.folder / "jobs/manifest.yaml", "--out", "jobs", "--resume").stderr
            self.assertEqual("candidate" in said, "search.csv" in gone, said)
            self.same_files(self.folder / "out", self.folder / "jobs", ("results.csv", "**/search.csv"))
        self.assertEqual((self.folder / "jobs/results.csv").read_bytes(), kept)
        (first / "search.csv").write_text((first / "search.csv").read_text().replace("1e-2", "2e-2"))
        self.bad(1, "run", "jobs/manifest.yaml", "--out", "jobs", "--resume", says="it was altered")

    def test_check(self):
        said = self.good("check", self.manifest(self.TEXT)).stdout
        for text in (f"00-rule=bp  candidate {self.LR}=0\n", f"01-rule=fa  candidate {self.LR}=1e-3\n", "2 trials"):
            self.assertIn(text, said)
        self.assertEqual(said.count("stage fine-tune"), 8)
        self.assertEqual(said.count("stage pre-train"), 1)
        self.assertEqual(said.count("attack fgsm"), 2)
        self.bad(2, "check", self.manifest(self.TEXT.replace(", split: {val: 0.2}", "")),
                 says=("m.yaml:27:9: error: 'search' chooses on a split 'val', never on 'test'", "split: {val: 0.1}"))
        self.bad(1, "run", self.manifest(self.TEXT.replace("[0, 1e-2, 1e30, 1e-3]", "[1e30, 1e31]")), "--out", "diverged",
                 says="all candidates of 'search' diverges")


class Foreign(bioft.Case):
    """A manifest and a folder of results that somebody sent, with a plugin of theirs."""

    def test_plugins_of_a_manifest(self):
        [usf] = pathlib.Path(bioft.BIOFT).resolve().parents[2].glob("plugins/learning_rules/usf.so")
        (self.folder / "theirs/learning_rules").mkdir(parents=True)
        shutil.copy(usf, self.folder / "theirs/learning_rules")
        self.manifest("plugins: [theirs]\n" + bioft.MANIFEST.split("attacks:")[0].replace("rule: bp", "rule: usf"), "m.yaml")
        says = ["theirs is not opened", "--trust-plugins"]
        self.bad(2, "check", "m.yaml", says=says)
        self.bad(2, "run", "m.yaml", "--out", "out", says=says)
        self.assertFalse((self.folder / "out").exists())
        self.good("check", "m.yaml", "--no-timing", "--set", "plugins=[theirs]")
        self.good("check", "m.yaml", "--no-timing", "--plugin-path", ".")
        self.good("run", "m.yaml", "--out", "out", "--jobs", "2", "--trust-plugins", "--quiet")
        for command in ("status", "verify"):
            self.bad(2, command, "out", says=says)
            self.good(command, "out", "--trust-plugins")


if __name__ == "__main__":
    unittest.main()
