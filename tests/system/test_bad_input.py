"""What goes wrong is said clearly, with a status, and leaves nothing half-written."""
import gzip
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import time
import unittest
import zlib

import numpy as np

import bioft


def idx(kind, *shape, data):
    return bytes([0, 0, 8, kind]) + b"".join(struct.pack(">I", n) for n in shape) + data


def png(width, height):
    """All black, 8 bits of three colours."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes(3 * width)) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def fashion(folder, images=20, labels=None, train=None, test_labels=None):
    """A small data set in Fashion-MNIST's format."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels = bytes(i % 10 for i in range(images)) if labels is None else labels
    parts = {
        "train-images-idx3-ubyte.gz": idx(3, images, 28, 28, data=bytes(784 * images)),
        "train-labels-idx1-ubyte.gz": idx(1, len(labels), data=labels),
        "t10k-images-idx3-ubyte.gz": idx(3, images, 28, 28, data=bytes(784 * images)),
        "t10k-labels-idx1-ubyte.gz": idx(1, images, data=bytes(i % 10 for i in range(images))),
    }
    for name, raw in parts.items():
        (folder / name).write_bytes(gzip.compress(raw, mtime=0))
    return folder


FASHION = """\
bioft: 1
name: bad
dataset: {plugin: fashion_mnist, root: fashion}
model: {backbone: lenet5}
stages:
  - {name: s, rule: bp, loss: cross_entropy, optimizer: {name: sgd, lr: 0.1}, steps: 2, batch_size: 8}
"""


class BadManifests(bioft.Case):
    def refused(self, text, *says):
        path = self.folder / "m.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        r = self.bad(2, "run", path, "--out", "out", says=says)
        self.assertFalse((self.folder / "out").exists())
        self.assertLess(len(r.stderr), 20000)
        return r

    def test_not_yaml_as_we_take_it(self):
        good = bioft.MANIFEST
        bioft.make_npy(self.folder / "data")
        self.refused(good.replace("  - name: pre-train", "\t- name: pre-train"), "m.yaml:8:", "tab")
        self.refused(good + "seed: 4\n", "m.yaml:27:1:", "seed", "line 3")
        self.refused("a: &x [1, *x]\n", "m.yaml:1:")
        self.refused("a: " + "[" * 200000, "m.yaml:1:")
        self.refused(good.replace("name: small", "name: sm\0all"), "m.yaml:2:")
        self.refused("a: &a {b: 1}\nc: {<<: *a}\n", "<<")
        self.refused(good + "---\nbioft: 1\n", "m.yaml:")
        self.refused(b"bioft: 1\nname: \xff\xfe\n", "m.yaml:2:")
        self.refused("", "m.yaml")

    def test_too_large(self):
        self.refused("#" * (100 << 20), "at most 1048576")

    def test_aliases_do_not_explode(self):
        lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
        lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 12)]
        self.refused("\n".join(lines) + "\n", "m.yaml:")

    def test_all_mistakes_at_once(self):
        bioft.make_npy(self.folder / "data")
        text = (bioft.MANIFEST.replace("rule: bp", "rule: bpp").replace("batch_size: 16", "batch_size: -1")
                .replace("plugin: pgd, epsilon: [0, 0.05]", "plugin: pgd, epsilon: [8]").replace("seed: 3", "sed: 3"))
        r = self.refused(text, "did you mean 'bp'", "8/255", "did you mean 'seed'", "batch_size", "^")
        self.assertGreaterEqual(r.stderr.count("error:"), 5)

    def test_names_from_elsewhere(self):
        for old, new, says in (("rule: bp", "rule: feedback_alignment", "did you mean 'fa'?"),
                               ("rule: bp", "rule: backpropagation", "did you mean 'bp'?"),
                               ("plugin: pgd", "plugin: projected-gradient-descent", "did you mean 'pgd'?"),
                               ("plugin: pgd,", "plugin: pgd, alpha: 0.01,", "did you mean 'stepsize'?"),
                               ("plugin: pgd,", "plugin: pgd, iterations: 3,", "did you mean 'steps'?"),
                               ("lr: 1e-4,", "learning_rate: 1e-4,", "did you mean 'lr'?")):
            self.refused(bioft.MANIFEST.replace(old, new), says)
        self.refused(bioft.MANIFEST.replace("lr: 1e-4,", "lr: 1e-400,"), "number of at least 0 expected, found '1e-400'")

    def test_data_and_manifest_disagree(self):
        m = self.manifest(bioft.MANIFEST.replace("head: {classes: 2}", "head: {classes: 7}"))
        self.bad(2, "run", m, "--out", "out", says=["m.yaml:16:", "7 classes", "keeps 2"])


class BadData(bioft.Case):
    def fails(self, *says, status=1):
        self.manifest(FASHION, data=False)
        r = self.bad(status, "run", "m.yaml", "--out", "out", says=says)
        self.assertFalse(list((self.folder / "out").glob("stages/*/*")) if (self.folder / "out").exists() else [])
        return r

    def test_good(self):
        fashion(self.folder / "fashion")
        self.manifest(FASHION, data=False)
        self.good("run", "m.yaml", "--out", "out")

    def test_truncated(self):
        f = fashion(self.folder / "fashion") / "train-images-idx3-ubyte.gz"
        f.write_bytes(f.read_bytes()[:-20])
        self.fails("train-images-idx3-ubyte", "truncated")

    def test_corrupt(self):
        f = fashion(self.folder / "fashion") / "t10k-images-idx3-ubyte.gz"
        raw = bytearray(f.read_bytes())
        raw[-6] ^= 1
        f.write_bytes(raw)
        self.fails("t10k-images-idx3-ubyte", "checksum")

    def test_label_out_of_range(self):
        fashion(self.folder / "fashion", labels=bytes([0] * 19 + [10]))
        self.fails("train-labels-idx1-ubyte", "10", "19")

    def test_counts_differ(self):
        fashion(self.folder / "fashion", labels=bytes(19))
        self.fails("20", "19")

    def test_missing(self):
        (self.folder / "fashion").mkdir()
        self.fails("train-images-idx3-ubyte", "dataset-fashion-mnist", "expected in the root: train-images-idx3-ubyte")


class BadPlugins(bioft.Case):
    """Files that are no plugins of this bioft, named by a manifest; they are built beside the tests."""

    def named(self, file, *says):
        m = self.manifest(bioft.MANIFEST.replace("[bp, usf, brsf]", f"[{file}]"))
        folder = self.folder / "mine/learning_rules"
        folder.mkdir(parents=True, exist_ok=True)
        built = pathlib.Path(bioft.BIOFT).resolve().parents[2] / "tests/plugins" / f"{file}.so"
        shutil.copy(built, folder)
        self.bad(2, "run", m, "--out", "out", "--plugin-path", "mine", says=[f"{file}.so", *says])
        self.assertFalse((self.folder / "out").exists())

    def test_refused_by_name(self):
        self.named("other_major", "ABI")
        self.named("wrong_magic", "magic")
        self.named("not_a_library")
        self.named("newer_used", "ABI")
        self.named("no_symbol", "bioft_plugin_entry")

    def test_those_that_take_the_process_down(self):
        for file, *says in [("crash_segv", "died of SIGSEGV while being opened"),
                            ("crash_ill", "died of SIGILL while being opened"),
                            ("exits", "ended the process with status 0 while being opened"),
                            ("hang", "did not return within 10 s while being opened"),
                            ("create_ill", "m.yaml:", "died of SIGILL while its first instance was made"),
                            ("create_exits", "m.yaml:", "ended the process with status 0")]:
            with self.subTest(file):
                self.named(file, *says)

    def test_broken_ones_hurt_only_those_who_name_them(self):
        m = self.manifest(bioft.MANIFEST.replace("[bp, usf, brsf]", "[usf]"))
        folder = self.folder / "mine/learning_rules"
        folder.mkdir(parents=True)
        (folder / "broken.so").write_text("not a library")
        self.good("run", m, "--out", "out", "--plugin-path", "mine", "--set", "attacks=[]")
        # a folder without folders of kinds, too: its file of the name is taken before the build's
        (self.folder / "mine/pgd.so").write_text("not a library")
        self.bad(2, "check", m, "--plugin-path", "mine", says=["m.yaml:", str(self.folder / "mine/pgd.so")])

    def test_two_of_one_name(self):
        m = self.manifest()
        for place in ("one", "two"):
            (self.folder / place / "learning_rules").mkdir(parents=True)
            built = pathlib.Path(bioft.BIOFT).resolve().parents[2] / "plugins/learning_rules/usf.so"
            shutil.copy(built, self.folder / place / "learning_rules")
        self.bad(2, "run", m, "--out", "out", "--plugin-path", "one", "--plugin-path", "two", says=["one", "two", "usf"])
        self.good("run", m, "--out", "out", "--plugin-path", "one")
        self.assertIn("usf", (self.folder / "out/provenance.json").read_text())


class FaultyPlugins(bioft.Case):
    """Plugins of each kind but rules, each the real one with a fault in the callback that a run calls most (faulty.c)."""
    TEXT = ("bioft: 1\nname: faults\nengine: openblas\nthreads: 1\ndataset: {plugin: npy, root: data}\nmodel: {backbone: lenet5}\n"
            "stages:\n  - {name: s, rule: bp, loss: cross_entropy, optimizer: {name: sgd, lr: 0.1}, steps: 1, batch_size: 8}\n"
            "attacks:\n  - {plugin: fgsm, epsilon: 0.1, samples: 8}\n")
    DIED = "the run died of SIGSEGV, in a plugin or a library more likely than not"
    ENDED = "the process ended with status 0 before the run did: a plugin called exit"
    OPENED = "m.yaml:6:19: error: backbone 'lenet5'"
    NAMES = {"datasets": "npy", "backbones": "lenet5", "attacks": "fgsm", "losses": "cross_entropy", "engines": "openblas"}
    # kind, fault, status, message; a crash ends bioft by its signal, as a shell expects it
    FAULTS = [("datasets", "crash", -signal.SIGSEGV, DIED), ("datasets", "exit", 1, ENDED),
              ("datasets", "nan", 1, "dataset 'npy': train/0: a value that is not finite or outside [0,1]"),
              ("datasets", "size", 1, "dataset 'npy': train/0: 28x1048576 pixels: sides are 1 to 65500"),
              ("backbones", "crash", 2, OPENED), ("backbones", "crash", 2, "it died of SIGSEGV while its first instance was made"),
              ("backbones", "exit", 2, "it ended the process with status 0 while its first instance was made"),
              ("backbones", "nan", 2, "normalise: once, with the mean and deviation of 1 to 4 channels"),
              ("backbones", "size", 2, "it built nothing: no input(), no head()"),
              ("attacks", "crash", -signal.SIGSEGV, DIED), ("attacks", "exit", 1, ENDED),
              ("attacks", "nan", 1, "attack 'fgsm', epsilon 0.1, sample 0: value 0 is nan, outside [0,1]"),
              ("attacks", "size", 1, "attack 'fgsm', epsilon 0.1, sample 0: value 0 is 1e+09, outside [0,1]"),
              ("losses", "crash", -signal.SIGSEGV, DIED), ("losses", "exit", 1, ENDED),
              ("losses", "nan", 1, "stage 's': step 1: the loss is not finite"),
              ("losses", "size", 1, "stage 's': step 1: conv1.weight is not finite"),
              ("engines", "crash", -signal.SIGSEGV, DIED), ("engines", "exit", 1, ENDED),
              ("engines", "nan", 1, "stage 's': step 1: conv1.weight is not finite"),
              ("engines", "size", 1, "engine 'openblas': update reports that parameter 1000000 is not finite, of 10"),
              ("datasets", "hang", 143, "did not stop when asked to"), ("attacks", "hang", 143, "did not stop when asked to"),
              ("losses", "hang", 143, "did not stop when asked to"), ("engines", "hang", 143, "did not stop when asked to")]

    def place(self, kind):
        build = pathlib.Path(bioft.BIOFT).resolve().parents[2]
        name = self.NAMES[kind]
        [real] = build.glob(f"plugins/{kind}/**/{name}.so")
        (self.folder / kind / kind).mkdir(parents=True)
        shutil.copy(os.environ["FAULTY"], self.folder / kind / kind / f"{name}.so")
        return dict(os.environ, FAULTY_REAL=str(real), BIOFT_STOP_SECONDS="0",
                    ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0:handle_segv=0")

    def test_each(self):
        bioft.make_npy(self.folder / "data", train=16, test=8)
        m = self.manifest(self.TEXT)
        places = {kind: self.place(kind) for kind in self.NAMES}
        for kind, fault, status, says in self.FAULTS:
            with self.subTest(kind=kind, fault=fault):
                command = [bioft.BIOFT, "run", m, "--out", f"{kind}-{fault}", "--resume", "--quiet", "--plugin-path", kind]
                p = subprocess.Popen(command, cwd=self.folder, env=dict(places[kind], FAULTY=fault), text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                said = ""
                if fault == "hang" and status == 143:
                    said = p.stderr.readline()
                    self.assertEqual(said, "hanging\n")
                    p.terminate()
                said += p.communicate(timeout=60)[1]
                self.assertEqual(p.returncode, status, said)
                self.assertIn(says, said)
                self.assertFalse(list((self.folder / f"{kind}-{fault}").glob("trials/*/results.csv")))


class BadRuns(bioft.Case):
    def test_all_is_told_before_training(self):
        """What training, evaluation or attacks would refuse later is told at the start, all of it, with its place."""
        text = (bioft.MANIFEST.replace("    steps: 12\n", "    steps: 12\n    freeze: [nothing.*]\n")
                .replace("    batch_size: 16\n  - name: fine", "    batch_size: 500\n    model_selection: val\n  - name: fine")
                .replace("{plugin: fgsm, epsilon: [0, 0.05, 0.5], samples: 30}",
                         "{plugin: fgsm, epsilon: 0.1, samples: 3000, split: val}")
                .replace("{plugin: pgd, epsilon: [0, 0.05], samples: 30}",
                         "{plugin: pgd, epsilon: 0.1, samples: 3000, target: 7}"))
        m = self.manifest(text)
        for command in (["check", m], ["run", m, "--out", "out"]):
            r = self.bad(2, *command, says=[
                "m.yaml:8:5: error: stage 'pre-train': dataset 'npy': no split 'val'",
                "m.yaml:16:5: error: stage 'fine-tune': freeze: the pattern 'nothing.*' matches no parameter",
                "error: dataset 'npy': no split 'val'; there are: train (150), test (50)",
                "error: attack 'pgd': target 7 is not a class: classes are 0 to 1",
                "warning: attack 'pgd': samples is 3000, and split 'test' has 50"])
            self.assertEqual(r.stderr.count("matches no parameter"), 1)
        self.assertFalse((self.folder / "out").exists())

    def test_a_second_stage_that_does_not_fit(self):
        np.save(self.folder / "w.npy", np.zeros(3))
        m = self.manifest(bioft.MANIFEST.replace("    head: {classes: 2}\n", "    head: {classes: 2}\n    weights: w.npy\n"))
        self.bad(1, "run", m, "--out", "out", says=["stage 'fine-tune'", "w.npy: a NumPy array"])
        m = self.manifest(bioft.MANIFEST.replace("    head: {classes: 2}\n", "").replace("classes: [2, 3]", "classes: [1, 2, 3]"))
        self.bad(2, "run", m, "--out", "out", says=["stage 'fine-tune'", "values here"])
        m = self.manifest(bioft.MANIFEST.replace("root: data, classes: [2, 3]", "root: data")
                          .replace("head: {classes: 2}", "head: {classes: 3}"))
        self.bad(2, "run", m, "--out", "out", says=["label 3 at index 3 of split 'train'", "classes are 0 to 2"])
        self.assertFalse((self.folder / "out").exists())

    def test_an_image_that_no_transform_takes(self):
        for split in ("train", "test"):
            for name in ("a", "b"):
                (self.folder / "images" / split / name).mkdir(parents=True)
                (self.folder / "images" / split / name / "1.png").write_bytes(png(40, 40))
        (self.folder / "images/test/b/long.png").write_bytes(png(2, 3000))
        m = self.manifest("bioft: 1\nname: x\ndataset: {plugin: image_folder, root: images, "
                          "transform: {size: 32, resize: 256}}\nmodel: {backbone: {plugin: lenet5, channels: 3}}\n"
                          "stages:\n  - {name: s, rule: bp, steps: 1}\n", data=False)
        self.bad(2, "run", m, "--out", "out", says=["1 image cannot be resized", "long.png, of 2x3000 pixels"])

    def test_nothing_but_failures(self):
        """Each failure once, and no report advertised that is not there."""
        m = self.manifest(bioft.MANIFEST.replace("lr: 1e-3}", "lr: 1e30}").replace("[bp, usf, brsf]", "[bp]"))
        r = self.bad(1, "run", m, "--out", "out", says="not finite")
        self.assertNotIn("report.html", r.stdout)
        self.assertEqual((r.stdout + r.stderr).count("not finite"), 1)

    def test_long_lists_take_linear_time(self):
        """Each is checked in under a second on an idle machine; in quadratic time it would take minutes."""
        stage = ("  - {name: s%d, rule: bp, loss: cross_entropy, optimizer: {name: sgd, lr: 0.1}, steps: 1, batch_size: 8}\n")
        head = "bioft: 1\nname: x\nengine: openblas\ndataset: {plugin: npy, root: data%s}\nmodel: {backbone: %s}\nstages:\n"
        numbers = ", ".join(map(str, range(100000)))
        layers = "{plugin: mlp, hidden: [" + ", ".join(["4"] * 150000) + "]}"
        for name, text, says in (
                ("stages", head % ("", "lenet5") + "".join(stage % i for i in range(1000)), ""),
                ("classes", head % (f", classes: [{numbers}]", "lenet5") + stage % 0, "4 is not a class of this data"),
                ("twice", head % (f", classes: [{numbers}, 7]", "lenet5") + stage % 0, "'classes': 7 is in the list already"),
                ("hidden", head % ("", layers) + stage % 0, "more than 10000 operators")):
            begun = time.monotonic()
            r = bioft.run("check", self.manifest(text), "--no-timing", cwd=self.folder, timeout=60)
            self.assertEqual((r.returncode == 0, says in r.stderr), (not says, True), name + r.stderr[-500:])
            self.assertLess(time.monotonic() - begun, 15, name)

    def test_nan_in_training(self):
        m = self.manifest(bioft.MANIFEST.replace("lr: 1e-3}", "lr: 1e30}"))
        r = self.bad(1, "run", m, "--out", "out", "--fail-fast")
        self.assertRegex(r.stderr, r"stage 'pre-train': step \d+: (conv|fc)\d\.\w+ is not finite")
        self.assertFalse(list((self.folder / "out").glob("**/*.tmp*")))

    def test_a_trial_that_fails_does_not_stop_the_others(self):
        text = bioft.MANIFEST.replace("  stages.fine-tune.rule: [bp, usf, brsf]",
                                      "  stages.fine-tune.optimizer.lr: [1e30, 1e-4]")
        m = self.manifest(text)
        r = self.bad(1, "run", m, "--out", "out", says="step")
        self.assertIn("1 of 2 trials failed", r.stdout)
        self.assertEqual({row["trial"][:2] for row in bioft.rows(self.folder / "out/results.csv")}, {"01"})

    def test_folder_that_cannot_be_written(self):
        m = self.manifest()
        self.bad(1, "run", m, "--out", "m.yaml/out", says="m.yaml: cannot make this folder")
        self.bad(1, "run", m, "--out", "/proc/bioft", says="/proc/bioft")

    def test_full_disk(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        m = self.manifest()
        self.bad(1, "run", m, "--out", "out", says="checkpoint.safetensors", preexec_fn=limit)
        self.assertFalse(list((self.folder / "out").glob("**/checkpoint*")))
        self.good("run", m, "--out", "out", "--resume")
        self.good("run", m, "--out", "whole")
        self.same_files(self.folder / "out", self.folder / "whole")

    @unittest.skipIf("sanitize" in os.environ.get("BIOFT_BUILD", ""), "the address sanitizer maps terabytes")
    def test_little_address_space(self):
        """OpenBLAS retries a mapping that fails without end; what it wants is tried before it is called."""
        m = self.manifest(bioft.MANIFEST.replace("name: small", "name: small\nthreads: 2"))
        for mib, wanted in ((100, "128 MiB for 1"), (240, "256 MiB for 2")):
            def limit():
                resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
            self.bad(1, "run", m, "--out", "out", says=("OpenBLAS takes 128 MiB of address space per thread", wanted),
                     preexec_fn=limit, timeout=60)

    def test_two_runs_on_one_folder(self):
        import fcntl
        m = self.manifest()
        self.good("run", m, "--out", "out")
        with open(self.folder / "out/.lock", "r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.fail("the lock outlives the run")
            self.bad(1, "run", m, "--out", "out", "--resume", says="in use")

    def test_interrupted(self):
        m = self.manifest(bioft.MANIFEST.replace("epochs: 1", "epochs: 2000"))
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 143)):
            p = subprocess.Popen([bioft.BIOFT, "run", m, "--out", self.folder / "out", "--resume"], cwd=self.folder,
                                 stderr=subprocess.PIPE, stdout=subprocess.PIPE)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not list((self.folder / "out").glob("stages/*")):
                time.sleep(0.05)
            time.sleep(0.3)
            p.send_signal(number)
            p.communicate(timeout=60)
            self.assertEqual(p.returncode, status)
            self.assertTrue(list((self.folder / "out").glob("stages/*/checkpoint.safetensors")))
            self.assertIn(f"0 of 3 trials done, 0 running: continue with 'bioft run {self.folder}/out/manifest.yaml --out {self.folder}/out "
                          "--resume'", self.good("status", "out").stdout)


if __name__ == "__main__":
    unittest.main()
