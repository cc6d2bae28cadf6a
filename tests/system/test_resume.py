"""A run killed at any instant and resumed ends with the same bytes as one that ran through.

    test_resume.py          as the test suite runs it: a few kills of each kind
    test_resume.py --long   every rename and fsync of a run, and 50 random instants of a sweep
"""
import os
import random
import signal
import subprocess
import sys
import time
import unittest

import bioft

LONG = "--long" in sys.argv
SHIM = os.environ.get("KILL_SHIM", "")
SMALL = (bioft.MANIFEST.replace("[bp, usf, brsf]", "[usf, brsf]").replace("epochs: 1\n", "epochs: 3\n    checkpoint: {every: epoch}\n")
         .replace("epsilon: [0, 0.05, 0.5]", "epsilon: [0.05]").replace("epsilon: [0, 0.05]", "epsilon: [0, 0.05]"))


class Resume(bioft.Case):
    def start(self, out, *args, env=None):
        return subprocess.Popen([bioft.BIOFT, "run", "m.yaml", "--out", out, "--quiet", *args], cwd=self.folder,
                                env=dict(os.environ, **(env or {})), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

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
        (self.folder / "out/.manifest.yaml.1-0").write_text("half")
        self.bad(2, "run", "m.yaml", "--out", "out", says="--resume")
        self.good("run", "m.yaml", "--out", "out", "--resume", "--quiet")

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


if __name__ == "__main__":
    unittest.main(argv=[a for a in sys.argv if a != "--long"])
