"""A run killed at any instant and resumed ends with the same bytes as one that ran through.

    test_resume.py          as the test suite runs it: a few kills of each kind
    test_resume.py --long   every rename and fsync of a run; then a sweep of 5 rules, 3 seeds and 2 attacks on some of the
                            quickstart's images: 50 random instants, and a kill inside every rename and fsync
"""
import csv
import gzip
import hashlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

import numpy as np

import bioft
import test_retrieval

LONG = "--long" in sys.argv
SHIM = os.environ.get("KILL_SHIM", "")
SMALL = (bioft.MANIFEST.replace("[bp, usf, brsf]", "[usf, brsf]").replace("epochs: 1\n", "epochs: 3\n    checkpoint: {every: epoch}\n")
         .replace("epsilon: [0, 0.05, 0.5]", "epsilon: [0.05]").replace("epsilon: [0, 0.05]", "epsilon: [0, 0.05]"))
# The quickstart's, with fewer images and steps: what is killed is the same.
SWEEP = """\
bioft: 1
name: killed
dataset: {plugin: npy, root: data, classes: [5, 6, 7, 8, 9]}
model: {backbone: lenet5}
stages:
  - name: pre-train
    dataset: {plugin: npy, root: data, classes: [0, 1, 2, 3, 4]}
    rule: bp
    epochs: 1
    batch_size: 64
  - name: fine-tune
    head: {classes: 5}
    rule: bp
    optimizer: {name: adam, lr: 1e-4, head_lr: 1e-3}
    epochs: 2
    batch_size: 64
attacks:
  - {plugin: fgsm, epsilon: [0.01, 0.1], samples: 50}
  - {plugin: pgd, epsilon: 0.1, samples: 50}
sweep:
  stages.fine-tune.rule: [bp, fa, usf, frsf, brsf]
  seed: [1, 2, 3]
"""
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


def leftovers(out):
    """Files of trials and stages that a killed process began."""
    return [p for part in ("trials", "stages") for p in (out / part).rglob(".*") if p.name != ".lock"]


class Case(bioft.Case):
    def start(self, out, *args, env=None):
        return subprocess.Popen([bioft.BIOFT, "run", "m.yaml", "--out", out, "--quiet", *args], cwd=self.folder,
                                env=dict(os.environ, **(env or {})), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Resume(Case):
    def through(self):
        self.manifest(SMALL, "m.yaml")
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        return self.folder / "whole"

    @unittest.skipIf("sanitize" in os.environ.get("BIOFT_BUILD", ""), "the shim comes before the sanitizer's runtime")
    def test_inside_renames_and_fsyncs(self):
        whole = self.through()
        count = self.folder / "count"
        p = self.start("counted", env={"LD_PRELOAD": SHIM, "BIOFT_KILL_COUNT": str(count)})
        p.communicate()
        self.assertEqual(p.returncode, 0)
        calls = int(count.read_text())
        self.assertGreater(calls, 50)
        some = range(1, calls + 1) if LONG else random.Random(1).sample(range(1, calls + 1), 12)
        for at in some:
            env = {"LD_PRELOAD": SHIM, "BIOFT_KILL_AT": str(at)}
            if at % 2:
                env["BIOFT_KILL_AFTER"] = "1"
            out = f"killed-{at}"
            p = self.start(out, env=env)
            p.communicate()
            self.assertEqual(p.returncode, -signal.SIGKILL, at)
            self.good("run", "m.yaml", "--out", out, "--quiet", "--resume")
            self.same_files(whole, self.folder / out)
            self.assertFalse(leftovers(self.folder / out))
            subprocess.run(["rm", "-rf", self.folder / out], check=True)

    def test_three_kills_in_one_trial(self):
        self.manifest(SMALL.replace("epochs: 3", "epochs: 40"), "m.yaml")
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        kills, rng = 0, random.Random(2)
        for _ in range(50 if LONG else 3):
            p = self.start("killed", "--resume")
            time.sleep(rng.uniform(0.05, 1.0))
            kills += p.poll() is None
            p.kill()
            p.communicate()
        self.assertGreater(kills, 0)
        self.good("run", "m.yaml", "--out", "killed", "--quiet", "--resume")
        self.same_files(self.folder / "whole", self.folder / "killed")

    def test_terminated_in_the_middle_of_a_stage(self):
        self.manifest(SMALL.replace("epochs: 3", "epochs: 40").replace("    checkpoint: {every: epoch}\n", ""), "m.yaml")
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        p = self.start("stopped")
        while p.poll() is None and not list((self.folder / "stopped").glob("stages/*/*.jsonl")):
            time.sleep(0.01)
        time.sleep(0.05)
        p.terminate()
        p.communicate()
        if p.returncode != 0:                      # on a fast machine it may have been done
            self.assertEqual(p.returncode, 143)
        self.good("run", "m.yaml", "--out", "stopped", "--quiet", "--resume")
        self.same_files(self.folder / "whole", self.folder / "stopped")

    def test_threads_are_those_of_the_first_run(self):
        self.manifest(SMALL)
        self.good("run", "m.yaml", "--out", "out", "--threads", "1", "--quiet")
        before = (self.folder / "out/manifest.yaml").read_bytes()
        (self.folder / "out/trials/01-rule=brsf/results.csv").unlink()
        self.good("run", "m.yaml", "--out", "out", "--threads", "2", "--resume", "--set", "name=other", "--quiet")
        self.assertEqual((self.folder / "out/manifest.yaml").read_bytes(), before)
        self.good("run", "out/manifest.yaml", "--out", "out", "--resume", "--quiet")

    def test_a_folder_that_moved(self):
        (self.folder / "a").mkdir()
        self.manifest(SMALL, "a/m.yaml", data=False)
        bioft.make_npy(self.folder / "a/data")
        self.good("run", "a/m.yaml", "--out", "a/out", "--quiet")
        (self.folder / "a").rename(self.folder / "b")
        (self.folder / "b/out/trials/01-rule=brsf/results.csv").unlink()
        self.good("run", "b/m.yaml", "--out", "b/out", "--resume", "--quiet")

    def test_killed_before_the_manifest(self):
        self.manifest(SMALL)
        (self.folder / "out").mkdir()
        (self.folder / "out/.lock").write_text("1\n")
        (self.folder / "out/.manifest.yaml.1-0.bioft-part").write_text("half")
        self.bad(2, "run", "m.yaml", "--out", "out", says="--resume")
        self.good("run", "m.yaml", "--out", "out", "--resume", "--quiet")

    def test_a_folder_that_is_removed(self):
        """What is made in another folder of its name is not a run."""
        self.manifest(SMALL.replace("epochs: 3", "epochs: 200"))
        p = self.start("out")
        while not list((self.folder / "out").glob("stages/*/metrics.jsonl")):
            self.assertIsNone(p.poll())
            time.sleep(0.01)
        (self.folder / "out").rename(self.folder / "gone")
        self.assertIn(b"was removed, or replaced, while the run worked in it", p.communicate()[1])
        self.assertEqual(p.returncode, 1)

    def test_additions(self):
        self.manifest(SMALL)
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        stamps = {p: p.stat().st_mtime_ns for p in (self.folder / "out").glob("stages/*/checkpoint.safetensors")}
        self.manifest(SMALL.replace("[usf, brsf]", "[usf, brsf, frsf]").replace("epsilon: [0.05]", "epsilon: [0.05, 0.3]")
                      .replace("sweep:", "  - {plugin: fgsm, name: more, epsilon: 0.1}\nsweep:"))
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        r = self.bad(2, "run", "m.yaml", "--out", "out", "--resume", says=["another manifest", "    here:", "--force"])
        self.assertNotIn("threads:", r.stderr)
        self.good("run", "m.yaml", "--out", "out", "--force", "--quiet")
        self.same_files(self.folder / "whole", self.folder / "out")
        for path, stamp in stamps.items():
            self.assertEqual(path.stat().st_mtime_ns, stamp, "trained again")
        self.good("run", "m.yaml", "--out", "out", "--resume", "--quiet")
        for change in ("seed=4", "attacks=[]", "attacks.0.samples=20", "sweep.stages.fine-tune.rule=[usf]",
                       "sweep.stages.fine-tune.rule=[brsf, usf, frsf]", "stages.fine-tune.steps=13"):
            self.bad(2, "run", "m.yaml", "--out", "out", "--force", "--set", change, says="another manifest")

    def test_additions_to_other_data(self):
        """--force adds to results of the same data alone: other labels under the same names are told."""
        text = SMALL.replace("[usf, brsf]", "[usf]")
        self.manifest(text)
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        before = [(row["rule"], row["value"]) for row in bioft.rows(self.folder / "out/results.csv")]
        labels = np.load(self.folder / "data/test_labels.npy")
        np.save(self.folder / "data/test_labels.npy", labels ^ 1)
        self.manifest(text.replace("[usf]", "[usf, bp]"))
        self.bad(1, "run", "m.yaml", "--out", "out", "--force", "--quiet",
                 says=["what it holds has changed since other results in", "use another --out"])
        self.assertEqual([(row["rule"], row["value"]) for row in bioft.rows(self.folder / "out/results.csv")], before)


CODES = (test_retrieval.MANIFEST.split("attacks:")[0].replace("steps: 30", "epochs: 2\n    checkpoint: {every: 1}")
         + "attacks:\n  - {plugin: hag, epsilon: 0.1, samples: 10, steps: 3}\n")


@unittest.skipIf("sanitize" in os.environ.get("BIOFT_BUILD", ""), "the shim comes before the sanitizer's runtime")
class Power(Case):
    """The power fails: what was not synced by then is not there (power_shim.c)."""

    def run_until(self, out, at=None):
        """Runs, and dies before the call `at`."""
        power = self.folder / f"{out}.power"
        power.mkdir()
        env = {"LD_PRELOAD": os.environ["POWER_SHIM"], "BIOFT_POWER": str(power)}
        if at:
            env.update(LD_PRELOAD=f"{os.environ['POWER_SHIM']} {SHIM}", BIOFT_KILL_AT=str(at))
        p = self.start(out, env=env)
        said = p.communicate()[1]
        self.assertEqual(p.returncode, -signal.SIGKILL if at else 0, said)
        return power

    def cut_power(self, out, power):
        """Puts in the place of `out` what is on the disk. How many entries of it were lost."""
        def identity(path):
            s = path.stat()
            [found] = [p.name.split("-", 1)[1] for p in power.glob(f"folder-{s.st_ino}-*")] or [None]
            return found

        def restore(entry, path):
            (kind, name) = entry
            kept = power / f"{'file' if kind == 'f' else 'folder'}-{name}"
            if kind == "f":
                path.write_bytes(kept.read_bytes() if kept.exists() else b"")
                return
            path.mkdir()
            for line in kept.read_text().splitlines() if kept.exists() else ():
                below, kind, name = line.split(" ", 2)
                restore((kind, below), path / name)

        before = len(list((self.folder / out).rglob("*")))
        top = power / f"folder-{identity(self.folder)}"
        (self.folder / out).rename(self.folder / f"{out}.lost")
        for line in top.read_text().splitlines() if top.exists() else ():
            below, kind, name = line.split(" ", 2)
            if name == out:
                restore((kind, below), self.folder / out)
        return before - len(list((self.folder / out).rglob("*")))

    def lost_and_resumed(self, text, patterns, count, seed):
        self.manifest(text, "m.yaml", data=text != CODES)
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        calls = self.folder / "calls"
        p = self.start("counted", env={"LD_PRELOAD": SHIM, "BIOFT_KILL_COUNT": str(calls)})
        self.assertEqual((p.communicate() and p.returncode), 0)
        lost = 0
        for at in random.Random(seed).sample(range(2, int(calls.read_text())), int(calls.read_text()) - 2 if LONG else count):
            out = f"power-{at}"
            lost += self.cut_power(out, self.run_until(out, at))
            self.good("run", "m.yaml", "--out", out, "--quiet", "--resume")
            self.same_files(self.folder / "whole", self.folder / out, patterns)
        self.assertGreater(lost, 0)

    KEPT = ("results.csv", "trials.csv", "**/predictions/*.csv", "**/results/*.csv", "**/*.safetensors")

    def test_lost_and_resumed(self):
        self.lost_and_resumed(SMALL.replace("[usf, brsf]", "[brsf]"), self.KEPT, 4, 3)
        self.cut_power("end", self.run_until("end"))               # a run that ended has its results on the disk
        self.same_files(self.folder / "whole", self.folder / "end", self.KEPT)

    def test_retrieval(self):
        """The same with hash codes, whose files more than one reader takes; then killed at some instant."""
        test_retrieval.make_data(self.folder / "data")
        self.lost_and_resumed(CODES, self.KEPT + ("**/codes/*",), 2, 5)
        rng = random.Random(6)
        for _ in range(20 if LONG else 2):
            p = self.start("killed", "--resume")
            try:
                p.communicate(timeout=rng.uniform(0.05, 0.7))
            except subprocess.TimeoutExpired:
                p.kill()
                p.communicate()
        self.good("run", "m.yaml", "--out", "killed", "--quiet", "--resume")
        self.same_files(self.folder / "whole", self.folder / "killed", self.KEPT + ("**/codes/*",))


class Mixed(Case):
    """What was left of a run goes on only as what it was made as."""
    TRIAL = "out/trials/00-rule=usf"

    def setUp(self):
        super().setUp()
        self.manifest(SMALL)
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        (self.folder / self.TRIAL / "results.csv").unlink()

    def test_other_kernels(self):
        """Of another CPU's kernels the network is another one: all that was kept of the old one is made again."""
        other = {"OPENBLAS_CORETYPE": "Prescott"}
        next((self.folder / self.TRIAL / "results").glob("fine-tune.test.pgd.exact.0.05.csv")).unlink()
        old = {r["network"] for r in bioft.rows(self.folder / "out/results.csv")}
        r = self.good("run", "m.yaml", "--out", "out", "--resume", "--quiet", env=other)
        now = [r for r in bioft.rows(self.folder / "out/results.csv") if r["trial"] == "00-rule=usf"]
        if {r["network"] for r in now} <= old:
            self.skipTest("an OpenBLAS of one kernel set")
        self.assertFalse({r["network"] for r in now} & old)
        self.assertIn(f"is of network {bioft.rows(self.folder / 'out/trials/01-rule=brsf/results.csv')[0]['network']}, "
                      f"this is {now[0]['network']}", r.stderr)
        provenance = json.loads((self.folder / "out/provenance.json").read_text())
        first, second = provenance["processes"]
        self.assertEqual(first["engine"], provenance["engine"])
        self.assertNotEqual(first["engine"]["identity"], second["engine"]["identity"])
        self.assertTrue(first["finished"] and second["finished"])
        self.assertIn({"kind": "rule", "name": "usf"}, [{k: p[k] for k in ("kind", "name")} for p in second["plugins"]])
        [trial] = second["trials"]
        self.assertEqual((trial["trial"], trial["engine"]), ("00-rule=usf", second["engine"]["identity"]))
        self.assertIn(f"trained stage 'fine-tune' of network {now[1]['network']}, updates 1 to 12", trial["did"])
        for path in (self.folder / self.TRIAL / "predictions").glob("fine-tune.*"):
            self.assertEqual({r["network"] for r in bioft.rows(path)}, {now[1]["network"]}, path)
        self.good("run", "m.yaml", "--out", "whole", "--quiet", env=other)
        for name in ("results.csv", "checkpoint.safetensors"):
            path = f"trials/00-rule=usf/{name}"
            self.assertEqual((self.folder / "out" / path).read_bytes(), (self.folder / "whole" / path).read_bytes())

    def test_another_plugin(self):
        (self.folder / "mine/learning_rules").mkdir(parents=True)
        [usf] = pathlib.Path(bioft.BIOFT).resolve().parents[2].glob("plugins/learning_rules/usf.so")
        (self.folder / "mine/learning_rules/usf.so").write_bytes(usf.read_bytes() + b"other")
        r = self.bad(1, "run", "m.yaml", "--out", "out", "--resume", "--quiet", "--plugin-path", "mine", says="rule 'usf'")
        self.assertRegex(r.stderr, r"version \S+, checksum [0-9a-f]{16} there, version \S+, checksum [0-9a-f]{16} now")

    def test_finished_trials(self):
        """Their results.csv has every figure, as its own files have it."""
        trial = self.folder / "out/trials/01-rule=brsf"
        whole = (trial / "results.csv").read_text()
        lines = whole.splitlines(keepends=True)
        pgd = next(line for line in lines if ",pgd," in line and line.split(",")[15] == "0.05")
        for text, says in (("".join(line for line in lines if line != pgd), "no figure of attack 'pgd'"),
                           (whole.replace(pgd, pgd.replace(",30,", ",31,", 1)), "n is 30 in the file, 31 by results.csv"),
                           (lines[0], "not of trial 01-rule=brsf")):
            (trial / "results.csv").write_text(text)
            self.bad(1, "run", "m.yaml", "--out", "out", "--resume", "--quiet", says=says)
        (trial / "results.csv").write_text(whole)
        (trial / "predictions/fine-tune.test.csv").unlink()
        for more in ([], ["--jobs", "2"]):
            self.bad(1, "run", "m.yaml", "--out", "out", "--resume", "--quiet", *more,
                     says="predictions/fine-tune.test.csv: missing")

    def test_altered_files(self):
        """Each column that says what a figure is or what came of it, one at a time."""
        for folder, column, value in (
                ("results", "value", "0.5"), ("results", "n", "3000"), ("results", "epsilon", "0.04"), ("results", "rule", "bp"),
                ("results", "trial", "01-rule=brsf"), ("results", "ci_low", "0.99"), ("results", "queries", "1"),
                ("results", "steps", "1"), ("predictions", "score", "0"), ("predictions", "label", "1"),
                ("predictions", "sample", "7")):
            path = next((self.folder / self.TRIAL / folder).glob("fine-tune.test.pgd.exact.0.05.csv"))
            whole = path.read_bytes()
            table = bioft.rows(path)
            self.assertNotEqual(table[0][column], value)
            table[0][column] = value
            with open(path, "w", newline="") as f:
                w = csv.DictWriter(f, table[0].keys(), lineterminator="\n")
                w.writeheader()
                w.writerows(table)
            self.bad(1, "run", "m.yaml", "--out", "out", "--resume", "--quiet", says=["altered", path.name])
            path.write_bytes(whole)
        for path in list((self.folder / self.TRIAL / "predictions").glob("*exact.0.05.csv")):
            path.unlink()                          # a figure without its predictions is made again
        self.good("run", "m.yaml", "--out", "out", "--resume", "--quiet")
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        self.same_files(self.folder / "whole", self.folder / "out")


@unittest.skipUnless(LONG, "long: test_resume.py --long")
class Sweep(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "data").mkdir()
        for split, prefix, count in (("train", "train", 2000), ("test", "t10k", 500)):
            with gzip.open(FASHION / f"{prefix}-images-idx3-ubyte.gz") as f:
                images = np.frombuffer(f.read(16 + 784 * count)[16:], np.uint8).reshape(count, 28, 28, 1)
            with gzip.open(FASHION / f"{prefix}-labels-idx1-ubyte.gz") as f:
                labels = np.frombuffer(f.read(8 + count)[8:], np.uint8).astype(np.int64)
            np.save(self.folder / f"data/{split}_images.npy", images)
            np.save(self.folder / f"data/{split}_labels.npy", labels)
        self.manifest(SWEEP, data=False)
        self.good("run", "m.yaml", "--out", "whole", "--quiet")

    def test_50_random_instants(self):
        kills, sweeps, rng = 0, 0, random.Random(4)
        while kills < 50:
            out, sweeps = f"random-{sweeps}", sweeps + 1
            while kills < 50:
                p = self.start(out, "--resume")
                try:
                    p.communicate(timeout=rng.uniform(0.05, 1.0))
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.communicate()
                    kills += 1
                else:
                    self.assertEqual(p.returncode, 0)
                    break
            self.good("run", "m.yaml", "--out", out, "--quiet", "--resume")
            self.same_files(self.folder / "whole", self.folder / out)
            self.assertFalse(leftovers(self.folder / out))
        print(f"{kills} kills in {sweeps} sweeps")

    def test_every_rename_and_fsync(self):
        """Each process dies before its first call, the next one before its second, and so on until one has brought a file
        of the sweep further: then it starts again from the first. Once all trials are done, the rest is killed at its calls
        one after another."""
        def state():
            out = self.folder / "chain"
            return {p: p.stat().st_mtime_ns if p.suffix == ".safetensors" else hashlib.sha256(p.read_bytes()).digest()
                    for p in out.rglob("*")
                    if p.is_file() and p.name[0] != "." and p.name not in ("log", "status", "metrics.jsonl")}
        kills, at, before = 0, 1, {}
        while True:
            p = self.start("chain", "--resume", env={"LD_PRELOAD": SHIM, "BIOFT_KILL_AT": str(at)})
            p.communicate()
            if p.returncode == 0:
                break
            self.assertEqual(p.returncode, -signal.SIGKILL)
            kills, now = kills + 1, state()
            done = len(list(self.folder.glob("chain/trials/*/results.csv"))) == 15
            at, before = (1 if now != before and not done else at + 1), now
            self.assertLess(at, 1000, "a run that is killed again and again gets nowhere")
        self.same_files(self.folder / "whole", self.folder / "chain")
        self.assertFalse(leftovers(self.folder / "chain"))
        self.assertGreater(kills, 1000)
        print(f"{kills} kills in one sweep")


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--long"])
