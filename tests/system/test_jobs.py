"""Trials side by side: the same bytes as one after another, failures told, signals passed on."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
import unittest

import bioft


class Jobs(bioft.Case):
    def start(self, *args):
        return subprocess.Popen([bioft.BIOFT, "run", *args], cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def long(self):
        """A manifest whose trials take a while, with a stage in common."""
        return self.manifest(bioft.MANIFEST.replace("epochs: 1", "epochs: 40"))

    def wait_for(self, pattern, count=1):
        for _ in range(6000):
            found = [p for p in (self.folder / "out").glob(pattern) if p.stat().st_size]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        self.fail(f"no {pattern}")

    def wait_for_status(self, words):
        for _ in range(600):
            said = self.good("status", "out").stdout
            if words in said:
                return said
            time.sleep(0.1)
        self.fail(f"{words!r} not in {said!r}")

    def test_same_bytes(self):
        m = self.manifest()
        one = self.good("run", m, "--out", "a", "--quiet", "--threads", "1")
        two = self.good("run", m, "--out", "b", "--quiet", "--jobs", "2")
        three = self.good("run", m, "--out", "c", "--quiet", "--jobs", "3", "--threads", "2")
        self.assertEqual(one.stderr + two.stderr + three.stderr, "")
        self.same_files(self.folder / "a", self.folder / "b")
        self.same_files(self.folder / "a", self.folder / "c")
        self.assertEqual(one.stdout, two.stdout.replace("/b/", "/a/"))
        self.assertFalse(list(self.folder.glob("*/trials/*/status")))
        self.assertEqual(json.loads((self.folder / "b/provenance.json").read_text())["command"][-2:], ["--jobs", "2"])
        self.assertIn(f"threads: {max(1, len(os.sched_getaffinity(0)) // 2)}\n", (self.folder / "b/manifest.yaml").read_text())

    def test_a_shared_stage_is_trained_once(self):
        m = self.manifest(bioft.MANIFEST.replace("epochs: 1", "epochs: 5"))
        self.good("run", m, "--out", "out", "--quiet", "--jobs", "3")
        stages = list((self.folder / "out/stages").iterdir())
        self.assertEqual(len(stages), 1 + 3)
        for stage in stages:
            steps = [json.loads(line) for line in (stage / "metrics.jsonl").read_text().splitlines()]
            ends = [s["step"] for s in steps if "images_per_s" in s]
            self.assertEqual(len(ends), len(set(ends)), "an epoch was trained twice")

    def failing(self, sweep, steps=12):
        """A manifest whose trials fail while they train where the learning rate, which is swept, is 1e30."""
        text = bioft.MANIFEST.replace("steps: 12", f"steps: {steps}")
        return self.manifest(text[:text.index("sweep:")] + "sweep:\n" + sweep)

    def test_a_failing_trial(self):
        m = self.failing("  stages.fine-tune.optimizer.lr: [1e30, 1e-4]\n")
        r = self.bad(1, "run", m, "--out", "out", "--jobs", "2", "--quiet", says=["not finite", "trial 00-"])
        self.assertIn("1 of 2 trials failed:\n  00-", r.stdout)
        self.assertIn("not finite", r.stdout[r.stdout.index("trials failed"):])
        self.assertTrue(list((self.folder / "out").glob("trials/01-*/results.csv")))
        serial = self.bad(1, "run", m, "--out", "serial", "--quiet")
        self.assertIn("not finite", serial.stdout[serial.stdout.index("1 of 2 trials failed"):])
        self.same_files(self.folder / "serial", self.folder / "out")

    def on_terminal(self, *args, columns):
        """What a run writes to a terminal of so many columns, as lines of text without its control sequences."""
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        p = subprocess.Popen([bioft.BIOFT, "run", *args], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=child)
        os.close(child)
        said = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:                        # the other end is closed
                break
            if not part:
                break
            said += part
        os.close(parent)
        self.assertEqual(p.wait(), 0, said)
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", said.decode()).split("\n")

    def test_on_a_terminal(self):
        """A line a trial in flight and one of the sweep, each within the terminal's width, what is left first."""
        steps = 300 if os.environ.get("BIOFT_BUILD") else 2500     # some seconds
        m = self.manifest(bioft.MANIFEST.replace("steps: 12", f"steps: {steps}"))
        for columns, more in ((200, ()), (60, ("--jobs", "2"))):
            lines = self.on_terminal(m, "--out", f"out{columns}", *more, columns=columns)
            moving = [x for x in lines if re.match(r"\d+-rule=\w+: fine-tune: .* left, epoch \d+ of \d+", x)]
            self.assertTrue(moving, lines)
            self.assertLess(max(map(len, moving)), columns)
            if columns == 200:
                self.assertRegex(moving[-1], rf"left, epoch \d+ of \d+, loss [\d.]+, \d+ images/s, step \d+ of {steps}$")
            sweep = [x for x in lines if re.match(r"\d of 3 trials done", x)]
            self.assertIn("0 of 3 trials done", sweep)
            self.assertRegex("\n".join(sweep), r"(?m)^[12] of 3 trials done, about .* left$")

    def test_fail_fast(self):
        """The failure of one trial stops the one beside it, which is no failure, and those that have not begun."""
        m = self.failing("  seed: [1, 2]\n  stages.fine-tune.optimizer.lr: [1e-4, 1e30]\n", steps=3000)
        r = self.bad(1, "run", m, "--out", "out", "--jobs", "2", "--fail-fast", "--quiet", says=["not finite", "trial 01-"])
        self.assertIn("1 of 4 trials failed:\n  01-", r.stdout)
        self.assertEqual(sorted(p[:2] for p in os.listdir(self.folder / "out/trials")), ["00", "01"])
        self.assertFalse(list((self.folder / "out").glob("trials/*/results.csv")))
        self.assertFalse(list((self.folder / "out").glob("trials/00-*/status")))
        said = self.good("status", "out").stdout
        self.assertIn("0 of 4 trials done, 0 running", said)
        # What was stopped goes on, and without --fail-fast the others run.
        r = self.bad(1, "run", m, "--out", "out", "--jobs", "2", "--resume", "--quiet")
        self.assertIn("2 of 4 trials failed:\n  01-", r.stdout)
        self.assertEqual(sorted(p.parent.name[:2] for p in (self.folder / "out").glob("trials/*/results.csv")), ["00", "02"])

    def test_fail_fast_one_after_another(self):
        m = self.failing("  seed: [1, 2]\n  stages.fine-tune.optimizer.lr: [1e-4, 1e30]\n")
        r = self.bad(1, "run", m, "--out", "out", "--fail-fast", "--quiet", says="not finite")
        self.assertIn("1 of 4 trials failed:\n  01-", r.stdout)
        self.assertEqual([p.parent.name[:2] for p in (self.folder / "out").glob("trials/*/results.csv")], ["00"])
        self.assertEqual(len(os.listdir(self.folder / "out/trials")), 2)

    def test_terminated_and_resumed(self):
        m = self.long()
        p = self.start("m.yaml", "--out", "out", "--jobs", "2", "--quiet")
        self.wait_for("stages/*/metrics.jsonl")
        p.terminate()
        p.communicate()
        self.assertEqual(p.returncode, 143)
        self.good("run", m, "--out", "out", "--jobs", "2", "--resume", "--quiet")
        self.good("run", m, "--out", "whole", "--quiet")
        self.same_files(self.folder / "whole", self.folder / "out")

    def test_killed_with_its_trials(self):
        m = self.long()
        p = self.start("m.yaml", "--out", "out", "--jobs", "2", "--quiet")
        status = self.wait_for("trials/*/status")[0]
        self.wait_for("stages/*/metrics.jsonl")
        pid = json.loads(status.read_text())["pid"]
        p.kill()
        p.communicate()
        for _ in range(1000):
            try:
                with open(f"/proc/{pid}/stat") as f:
                    if f.read().split(")")[1].split()[0] == "Z":
                        break
            except (FileNotFoundError, ProcessLookupError):
                break
            time.sleep(0.01)
        else:
            self.fail("the trial outlives its run")
        self.good("run", m, "--out", "out", "--resume", "--quiet")
        self.good("run", m, "--out", "whole", "--quiet")
        self.same_files(self.folder / "whole", self.folder / "out")

    def test_a_killed_trial_fails_alone(self):
        self.long()
        p = self.start("m.yaml", "--out", "out", "--jobs", "2", "--quiet")
        status = self.wait_for("trials/*/status")[0]
        os.kill(json.loads(status.read_text())["pid"], signal.SIGKILL)
        out, err = p.communicate()
        self.assertEqual(p.returncode, 1, err)
        self.assertIn("signal 9", err)
        self.assertIn("1 of 3 trials failed", out)

    def test_single_trials(self):
        m = self.manifest()
        self.good("run", m, "--out", "whole", "--quiet")
        self.good("run", m, "--out", "out", "--quiet", "--only-trial", "2")
        self.assertEqual(os.listdir(self.folder / "out/trials"), ["02-rule=brsf"])
        processes = [self.start("m.yaml", "--out", "out", "--resume", "--only-trial", t) for t in ("0", "01-rule=usf")]
        for p in processes:
            _, err = p.communicate()
            self.assertEqual(p.returncode, 0, err)
        self.same_files(self.folder / "whole", self.folder / "out")
        self.bad(2, "run", m, "--out", "out", "--resume", "--only-trial", "7", says="unknown trial '7'")

    def test_exclusion(self):
        self.long()
        p = self.start("m.yaml", "--out", "out", "--only-trial", "0", "--quiet")
        self.wait_for("trials/*/status")
        self.bad(1, "run", "m.yaml", "--out", "out", "--resume", says="in use")
        self.bad(1, "run", "m.yaml", "--out", "out", "--resume", "--only-trial", "0", says="in use")
        p.terminate()
        p.communicate()

    def test_status(self):
        m = self.long()
        p = self.start("m.yaml", "--out", "out", "--jobs", "2", "--quiet")
        self.wait_for("stages/*/metrics.jsonl")
        said = self.wait_for_status("0 of 3 trials done, 2 running")
        self.assertRegex(said, r"(?m)^0\d-rule=\w+: pre-train")
        p.kill()
        p.communicate()
        self.wait_for_status("2 stopped")
        self.good("run", m, "--out", "out", "--resume", "--quiet")
        self.assertEqual(self.good("status", "out").stdout, "3 of 3 trials done, 0 running\n")
        self.bad(2, "status", "data", says="no run of bioft")

    def test_slurm(self):
        """With an sbatch that runs the array here, its elements side by side, the middle one stopped and requeued."""
        m = self.long()
        tools = self.folder / "it's tools"
        tools.mkdir()
        (tools / "sbatch").write_text("""#!/bin/bash
for script; do :; done
echo "$@" >"$FAKE/arguments"
export SLURM_ARRAY_JOB_ID=7
for i in $(seq $(sed -n 's/^#SBATCH --array=\\(.*\\)-\\(.*\\)/\\1 \\2/p' "$script")); do
    SLURM_ARRAY_TASK_ID=$i bash "$script" >>"$FAKE/log" 2>&1 & pids+=($!)
done
until [ -s "$(echo "${script%/*}"/trials/01*/status)" ]; do sleep 0.02; done
kill -USR1 ${pids[1]}
wait
for i in $(cat "$FAKE/requeued" 2>/dev/null); do SLURM_ARRAY_TASK_ID=${i#7_} bash "$script"; done
""")
        (tools / "scontrol").write_text("#!/bin/bash\necho $2 >>\"$FAKE/requeued\"\n")
        for tool in tools.iterdir():
            tool.chmod(0o755)
        env = {"PATH": f"{tools}:{os.environ['PATH']}", "FAKE": str(self.folder)}
        out = self.folder / "it's out"
        self.good("run", m, "--out", out, "--slurm", "--sbatch=--partition=x", env=env)
        self.assertEqual((self.folder / "requeued").read_text(), "7_1\n")
        self.assertIn("--partition=x", (self.folder / "arguments").read_text())
        self.good("run", m, "--out", "whole", "--quiet")
        self.assertTrue((out / "results.csv").exists(), (self.folder / "log").read_text())
        self.same_files(self.folder / "whole", out)
        again = self.folder / "again"
        self.bad(1, "run", m, "--out", again, "--slurm", env={"PATH": "/nowhere"}, says="sbatch")

    def test_slurm_arrays(self):
        """Fewer elements than trials: each element's share, and together all of them, each once."""
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "sbatch").write_text("#!/bin/bash\nexit 0\n")
        (tools / "sbatch").chmod(0o755)
        env = {"PATH": f"{tools}:{os.environ['PATH']}"}
        m = self.manifest(bioft.MANIFEST.replace("[bp, usf, brsf]", "[bp, usf, brsf]\n  seed: [1, 2]"))
        for number, (array, ids) in enumerate([("0-2", [0, 1, 2]), ("0-2%1", [0, 1, 2]), ("1-7:3", [1, 4, 7]), ("4", [4]),
                                               (None, range(6))]):
            out = f"array{number}"
            self.good("run", m, "--out", out, "--slurm", *([f"--sbatch=--array={array}"] if array else []), env=env)
            script = (self.folder / out / "slurm.sh").read_text()
            [program] = set(re.findall(r"'(\S*bioft)' run", script))
            fake = self.folder / "fake"
            fake.write_text('#!/bin/bash\necho "${@: -1}"\n')
            fake.chmod(0o755)
            (self.folder / "s.sh").write_text(script.replace(program, str(fake)))
            for known in (False, True):
                done = []
                for i in ids:
                    more = {"SLURM_ARRAY_TASK_ID": str(i)}
                    if known:
                        more |= {"SLURM_ARRAY_TASK_MIN": str(min(ids)), "SLURM_ARRAY_TASK_COUNT": str(len(ids)),
                                 "SLURM_ARRAY_TASK_STEP": "3" if array == "1-7:3" else "1"}
                    r = subprocess.run(["bash", "s.sh"], cwd=self.folder, env=dict(os.environ, **more), text=True,
                                       stdout=subprocess.PIPE)
                    done += map(int, r.stdout.split())
                self.assertEqual(sorted(done), list(range(6)), array)
        self.bad(2, "run", m, "--out", "none", "--slurm", "--sbatch=--array=0,3,4", env=env, says="equal steps")


class Ends(bioft.Case):
    """A plugin that ends the process, or never comes back, where no guard is."""
    PROBE = os.environ["PROBE_ATTACK"]

    def write(self, ends):
        i, k = bioft.MANIFEST.index("attacks:"), bioft.MANIFEST.index("sweep:")
        attacks = f"attacks: [{{plugin: probe_ball, ends: {ends}, epsilon: 0.1, samples: 10}}]\n"
        self.manifest(bioft.MANIFEST[:i] + attacks + bioft.MANIFEST[k:].replace("[bp, usf, brsf]", "[bp, usf]"))

    def test_with_status_0(self):
        # What such a process had not given back is no leak of bioft's.
        env = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0")
        for ends in ("exit", "_exit"):
            self.write(ends)
            self.bad(1, "run", "m.yaml", "--out", ends, "--plugin-path", self.PROBE, "--quiet",
                     says="the process ended with status 0 before the run did", env=env)
            self.assertFalse(list((self.folder / ends).glob("**/results.csv")))
            r = self.bad(1, "run", "m.yaml", "--out", "jobs" + ends, "--plugin-path", self.PROBE, "--quiet", "--jobs", "2",
                         env=env)
            self.assertEqual(r.stderr.count("left no results: a plugin called exit"), 2, r.stderr)

    def test_never(self):
        """SIGTERM ends the run, after what it has to save, and at once the second time."""
        self.write("never")
        for more, seconds, signals in (([], "1", 1), (["--jobs", "2"], "1", 1), ([], "1000", 2)):
            p = subprocess.Popen([bioft.BIOFT, "run", "m.yaml", "--out", "out", "--plugin-path", self.PROBE, "--resume", *more],
                                 cwd=self.folder, stderr=subprocess.PIPE, env=dict(os.environ, BIOFT_STOP_SECONDS=seconds))
            while b"never" not in p.stderr.readline():
                self.assertIsNone(p.poll())
            for _ in range(signals):
                p.terminate()
                time.sleep(0.3)
            self.assertIn(b"did not stop when asked to", p.communicate(timeout=60)[1])
            self.assertEqual(p.returncode, 143)


if __name__ == "__main__":
    unittest.main()
