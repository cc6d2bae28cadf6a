"""What `log` of a manifest writes: the same figures as metrics.jsonl and results.csv, each once, whatever interrupted the run."""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import unittest
import urllib.parse

import bioft

SHIM = os.environ.get("KILL_SHIM", "")
LOGGED = (bioft.MANIFEST.replace("[bp, usf, brsf]", "[usf]").replace("seed: 3\n", "seed: 3\nlog: [tensorboard, mlflow]\n", 1)
          .replace("epochs: 1\n", "epochs: 3\n    alignment: 7\n    log_every: 1\n"))


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 & -(crc & 1))
    return crc ^ 0xffffffff


def masked(data):
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xa282ead8) & 0xffffffff


def fields(data):
    """The fields of a protobuf message: (number, value)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}[kind] if kind != 2 else varint()
        value = data[at:at + size]
        if len(value) != size:
            raise ValueError("a field reaches beyond its message")
        at += size
        yield key >> 3, {1: lambda: struct.unpack("<d", value)[0], 5: lambda: struct.unpack("<f", value)[0],
                         2: lambda: value}[kind]()


def events(path):
    """[(wall time, step, tag, value)] of an event file, every sum checked."""
    data, at, ret = path.read_bytes(), 0, []
    while at < len(data):
        head, (sum_of_head,) = data[at:at + 8], struct.unpack_from("<I", data, at + 8)
        (size,) = struct.unpack("<Q", head)
        body, (sum_of_body,) = data[at + 12:at + 12 + size], struct.unpack_from("<I", data, at + 12 + size)
        if masked(head) != sum_of_head or masked(body) != sum_of_body:
            raise ValueError(f"a wrong sum at byte {at}")
        event = dict(fields(body))
        if at == 0:
            assert event == {1: event[1], 3: b"brain.Event:2"}, event
        else:
            value = dict(fields(dict(fields(event[5]))[1]))
            ret.append((event[1], event[2], value[1].decode(), value[2]))
        at += size + 16
    return ret


def expected(trial):
    """[(step, name, value)] that a trial's folder asks for."""
    ret, last = [], {}
    for line in (trial / "metrics.jsonl").read_text().splitlines():
        line = json.loads(line)
        last[line["stage"]] = line["step"]
        for key, value in line.items():
            name = f"{line['split']}/{line['stage']}/{key}"
            if isinstance(value, dict):
                ret += [(line["step"], f"{name}/{layer}", v) for layer, v in value.items()]
            elif key not in ("time", "unix_time", "epoch", "step", "trial", "stage", "split", "nonfinite"):
                ret.append((line["step"], name, value))
    for row in bioft.rows(trial / "results.csv"):
        if row["attack"]:
            parts = ["attack", row["attack"], row["options"], row["gradient"], row["metric"], "epsilon_" + row["epsilon"]]
        else:
            parts = [row["split"], row["stage"], row["metric"]]
        ret.append((last[row["stage"]], "/".join(p for p in parts if p), float(row["value"])))
    return sorted(ret)


def mlflow_run(out, trial):
    """The folder of the run of that name."""
    found = [p.parent for p in (out / "mlruns").glob("*/*/meta.yaml") if f'run_name: "{trial}"' in p.read_text()]
    assert len(found) == 1, found
    return found[0]


def mlflow_metrics(run):
    ret = []
    for path in sorted(p for p in (run / "metrics").rglob("*") if p.is_file()):
        for line in path.read_text().splitlines():
            time, value, step = line.split(" ")
            assert int(time) > 1.7e12
            ret.append((int(step), str(path.relative_to(run / "metrics")), float(value)))
    return sorted(ret)


class Log(bioft.Case):
    def check(self, out):
        trials = [p for p in (out / "trials").iterdir()]
        self.assertTrue(trials)
        for trial in trials:
            want = expected(trial)
            self.assertGreater(len(want), 20)
            self.assertEqual(len(want), len({w[:2] for w in want}), "a step of one name twice")
            found = events(trial / "events.out.tfevents.0.bioft")
            self.assertEqual(sorted(e[1:] for e in found),
                             [(s, n, struct.unpack("<f", struct.pack("<f", v))[0]) for s, n, v in want])
            self.assertEqual([e[0] for e in found], sorted(e[0] for e in found))
            run = mlflow_run(out, trial.name)
            self.assertEqual(mlflow_metrics(run), sorted((s, n.replace("=", "_").replace(";", "_").replace("@", "_"), v)
                                                         for s, n, v in want))
            meta = (run / "meta.yaml").read_text()
            self.assertIn("status: 3\n", meta)
            self.assertIn(f'artifact_uri: "file://{trial.resolve()}"\n', urllib.parse.unquote(meta))
            self.assertEqual((run / "params/stages.fine-tune.rule.plugin").read_text(), "usf")
            self.assertEqual((run / "params/stages.fine-tune.optimizer.lr").read_text(), "0.0001")
            self.assertFalse([p for p in out.rglob("*") if p.name.endswith(".part")])

    def test_same_figures(self):
        self.manifest(LOGGED.replace("samples: 30}\nsweep", "samples: 30, steps: [1, 2]}\nsweep"))
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        self.check(self.folder / "out")
        names = {e[2] for e in events(next((self.folder / "out").glob("trials/*/*tfevents*")))}
        for name in ("train/pre-train/loss", "train/pre-train/alignment/conv1", "test/fine-tune/accuracy",
                     "attack/fgsm/rule/accuracy/epsilon_0.05", "attack/pgd/steps=2/exact/accuracy/epsilon_0",
                     "attack/worst/accuracy/epsilon_0.5"):
            self.assertIn(name, names)

        lines = [json.loads(x) for x in next((self.folder / "out").glob("trials/*/metrics.jsonl")).read_text().splitlines()]
        first = [x for x in lines if x["stage"] == "pre-train" and x["epoch"] == 0]
        steps = [x for x in first if "step_loss" in x]
        self.assertEqual([x["step"] for x in steps], list(range(1, 11)))       # 150 images in tens of 16 and one of 6
        sizes = [16] * 9 + [6]
        for key in ("loss", "accuracy"):
            mean = sum(n * x[f"step_{key}"] for n, x in zip(sizes, steps)) / 150
            self.assertAlmostEqual(mean, next(x[key] for x in first if key in x), places=9)

    def test_nothing_unless_asked(self):
        self.manifest(LOGGED.replace("log: [tensorboard, mlflow]", "log: []"))
        self.good("run", "m.yaml", "--out", "out", "--quiet")
        self.assertFalse(list((self.folder / "out").rglob("*tfevents*")))
        self.assertFalse((self.folder / "out/mlruns").exists())

    def test_several_trials(self):
        self.manifest(LOGGED.replace("[usf]", "[usf]\n  seed: [1, 2]"))
        self.good("run", "m.yaml", "--out", "out", "--quiet", "--jobs", "2")
        self.check(self.folder / "out")
        self.assertEqual(len(list((self.folder / "out/mlruns").iterdir())), 1)

    def test_a_failed_trial(self):
        self.manifest(LOGGED.replace("lr: 1e-3}", "lr: 1e30}"))
        self.bad(1, "run", "m.yaml", "--out", "out", "--quiet", says="not finite")
        self.assertIn("status: 4\n", (mlflow_run(self.folder / "out", "00-rule=usf") / "meta.yaml").read_text())

    def test_tampered(self):
        """Logs that somebody changed: the run goes on, or names the file; no figure changes, and nothing acts on a terminal."""
        self.manifest(LOGGED.replace("epochs: 3", "epochs: 1"))
        self.good("run", "m.yaml", "--out", "whole", "--quiet")
        whole = self.folder / "whole"
        hostile = b"\x1b[2J\0" + b"[" * 10**5 + b'\n{"step":-1e999,"epoch":1e999,"stage":"\x1b]0;x\x07","loss":{}}\n'
        for pattern in ("trials/*/metrics.jsonl", "stages/*/metrics.jsonl", "trials/*/*tfevents*", "trials/*/log",
                        "mlruns/*/*/meta.yaml", "processes/*.json", "provenance.json"):
            with self.subTest(pattern):
                shutil.rmtree(self.folder / "out", ignore_errors=True)
                shutil.copytree(whole, self.folder / "out")
                [path, *_] = (self.folder / "out").glob(pattern)
                path.write_bytes(hostile + path.read_bytes()[:-5])
                next((self.folder / "out").glob("trials/*/results.csv")).unlink()
                r = bioft.run("run", "m.yaml", "--out", "out", "--quiet", "--resume", cwd=self.folder, timeout=60)
                self.assertFalse(set("\x1b\x07\0") & set(r.stdout + r.stderr))
                if r.returncode:
                    self.assertEqual((r.returncode in (1, 2), path.name in r.stderr), (True, True), r.stderr)
                else:
                    self.assertEqual((self.folder / "out/results.csv").read_bytes(), (whole / "results.csv").read_bytes())

    @unittest.skipIf("sanitize" in os.environ.get("BIOFT_BUILD", ""), "the shim comes before the sanitizer's runtime")
    def test_killed_and_resumed(self):
        self.manifest(LOGGED)
        count = self.folder / "count"

        def start(out, **env):
            return subprocess.run([bioft.BIOFT, "run", "m.yaml", "--out", out, "--quiet"], cwd=self.folder,
                                  env=dict(os.environ, LD_PRELOAD=SHIM, **env), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE).returncode
        self.assertEqual(start("counted", BIOFT_KILL_COUNT=str(count)), 0)
        calls = int(count.read_text())
        for at in random.Random(3).sample(range(1, calls + 1), 6):
            out = f"killed-{at}"
            self.assertEqual(start(out, BIOFT_KILL_AT=str(at)), -signal.SIGKILL)
            self.good("run", "m.yaml", "--out", out, "--quiet", "--resume")
            self.check(self.folder / out)
            self.same_files(self.folder / "counted", self.folder / out)


if __name__ == "__main__":
    unittest.main()
