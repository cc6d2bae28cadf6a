"""Whole runs on the engine `torch` beside the same on `openblas`; what is said where it cannot run. Needs libtorch, in
BIOFT_TORCH_LIBRARY."""
import json
import os
import unittest

import numpy as np

import bioft
from test_run import tensors

RULES = ["bp", "fa", "usf", "frsf", "brsf", "kolen_pollack", "{plugin: drtp, relu: true}"]
RUN = (bioft.MANIFEST.replace("engine: openblas", "engine: %s")
       .replace("  - {plugin: pgd, epsilon: [0, 0.05], samples: 30}\n", "")
       .replace("[bp, usf, brsf]", "[%s]" % ", ".join(RULES)))
DEVICE = os.environ.get("BIOFT_TEST_DEVICE", "auto")
ENGINE = "{plugin: torch, device: '%s'}" % DEVICE
ONE = RUN[:RUN.index("attacks:")] + "threads: 1\n"

STEP = """\
bioft: 1
name: step
seed: 3
threads: 2
engine: %s
dataset: {plugin: npy, root: data}
model: {backbone: lenet5}
stages:
  - {name: s, rule: bp, loss: cross_entropy, optimizer: {name: sgd, lr: %s}, steps: %d, batch_size: 16}
sweep:
  stages.s.rule: [%s]
"""


def weights(folder):
    """By trial, in the order of the rules: all parameters of its checkpoint in one vector."""
    paths = sorted(folder.glob("trials/*/checkpoint.safetensors"))
    return [np.concatenate([np.frombuffer(t, "<f4").astype(np.float64) for name, t in sorted(tensors(path).items())
                            if name.endswith((".weight", ".bias")) and not name.startswith("bioft.")]) for path in paths]


class Runs(bioft.Case):
    def after(self, engine, steps, lr, rules=RULES):
        name = f"{len(list(self.folder.iterdir()))}"
        self.manifest(STEP % (engine, lr, steps, ", ".join(rules)), name + ".yaml")
        self.good("run", name + ".yaml", "--out", "out" + name, "--quiet")
        return weights(self.folder / ("out" + name))

    def test_steps_of_each_rule_are_those_of_openblas(self):
        """Three steps, so that rules of depth 2 have seen an update: within 1e-3 of what they change."""
        before = self.after("openblas", 1, 0, ["bp"])[0]
        ours, theirs = self.after(ENGINE, 3, 0.1), self.after("openblas", 3, 0.1)
        self.assertEqual(len(theirs), len(RULES))
        for rule, a, b in zip(RULES, ours, theirs):
            self.assertGreater(np.linalg.norm(b - before), 0)
            self.assertLessEqual(np.linalg.norm(a - b), 1e-3 * np.linalg.norm(b - before), rule)

    def test_what_the_device_draws_is_what_the_host_draws(self):
        device, host = (ENGINE.replace("}", ", draws: %s}" % where) for where in ("device", "host"))
        uniform, normal = ["usf", "frsf", "brsf"], ["fa"]
        for a, b in zip(self.after(device, 3, 0.1, uniform), self.after(host, 3, 0.1, uniform)):
            np.testing.assert_array_equal(a, b)
        [a], [b] = self.after(device, 3, 0.1, normal), self.after(host, 3, 0.1, normal)
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)

    def folder_of(self, engine, name, **more):
        self.manifest(RUN % engine, name + ".yaml")
        self.good("run", name + ".yaml", "--out", name, "--threads", "2", **more)
        return self.folder / name

    def test_figures_are_those_of_openblas(self):
        a, b = self.folder_of(ENGINE, "torch"), self.folder_of("openblas", "openblas")
        ours, theirs = bioft.rows(a / "results.csv"), bioft.rows(b / "results.csv")
        self.assertEqual(len(ours), len(theirs))
        for x, y in zip(ours, theirs):
            self.assertEqual([x[k] for k in ("rule", "stage", "attack", "epsilon")],
                             [y[k] for k in ("rule", "stage", "attack", "epsilon")])
            # 30 attacked images: two of them may fall on the other side
            self.assertLessEqual(abs(float(x["value"]) - float(y["value"])), 2 / 30 if x["attack"] else 0.01, x)
        identity = json.loads((a / "provenance.json").read_text())["engine"]["identity"]
        self.assertRegex(identity, r"^libtorch \d+\.\d+\.\d+\S* on ")

    def test_the_same_bytes_again(self):
        if DEVICE != "cpu" and DEVICE != "auto":
            self.skipTest("sums of pools on a GPU have no order")
        self.same_files(self.folder_of(ENGINE, "a"), self.folder_of(ENGINE, "b"))


class Refusals(bioft.Case):
    def refused(self, engine, says, env=None):
        self.manifest(ONE % engine)
        r = bioft.run("run", "m.yaml", "--out", "out", cwd=self.folder, env=env)
        self.assertGreater(r.returncode, 0, r.stdout)
        self.assertLess(r.returncode, 128, "a signal")
        self.assertIn(says, r.stderr)

    def test_no_such_device(self):
        self.refused("{plugin: torch, device: tpu}", "auto, cpu, cuda, cuda:N, xpu or mps expected")
        self.refused("{plugin: torch, device: cuda:99}", "device 'cuda:99'")

    def test_nothing_in_the_folder(self):
        self.refused("{plugin: torch, library: data}", "where libtorch_cpu.so does not exist")

    def test_a_file_that_is_no_library(self):
        (self.folder / "wrong").mkdir()
        (self.folder / "wrong/libtorch_cpu.so").write_text("not a library")
        self.refused("{plugin: torch, library: wrong}", "is not a shared library")

    def test_another_library_under_its_name(self):
        (self.folder / "wrong").mkdir()
        module = next((bioft.pathlib.Path(os.environ["BIOFT_PLUGIN_PATH"])).glob("engines/*/openblas.so"))
        (self.folder / "wrong/libtorch_cpu.so").write_bytes(module.read_bytes())
        self.refused("{plugin: torch, library: wrong}", "torch 2.10 or newer is needed")

    def test_a_library_cut_short(self):
        (self.folder / "wrong").mkdir()
        module = next((bioft.pathlib.Path(os.environ["BIOFT_PLUGIN_PATH"])).glob("engines/*/openblas.so"))
        for size in 64, 200, 4096, 20000:
            (self.folder / "wrong/libtorch_cpu.so").write_bytes(module.read_bytes()[:size])
            self.refused("{plugin: torch, library: wrong}", "libtorch_cpu.so")

    def test_named_by_the_environment(self):
        self.refused("torch", "BIOFT_TORCH_LIBRARY names /nonexistent",
                     env={"BIOFT_TORCH_LIBRARY": "/nonexistent"})


if __name__ == "__main__":
    unittest.main()
