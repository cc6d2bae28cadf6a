"""The engine `torch` where libtorch is missing, wrong or without a GPU: each case is a sentence. The libraries are fakes, so that
no libtorch is needed; tests/torch/run.sh tests the engine itself."""
import os
import pathlib
import shutil
import unittest

import bioft

FAKES = {name: pathlib.Path(os.environ[name]) for name in ("FAKE_CUDA", "FAKE_TORCH", "FAKE_TORCH_HALF")}
ONE = bioft.MANIFEST[:bioft.MANIFEST.index("attacks:")]


class Torch(bioft.Case):
    def setUp(self):
        super().setUp()
        self.env = {"BIOFT_TORCH_LIBRARY": "", "LD_LIBRARY_PATH": "", "FAKE_OPENED": str(self.folder / "opened"),
                    "PATH": "/nonexistent", "HOME": "/nonexistent", "VIRTUAL_ENV": "", "CONDA_PREFIX": "",
                    "FAKE_TEST": str(os.getpid())}

    def library(self, source, version="2.15.0+cpu", cuda=False):
        """A libtorch of that version, named by the environment; with `cuda`, one that has a part for GPUs."""
        lib = self.folder / "torch/lib"
        lib.mkdir(parents=True)
        shutil.copy(source, lib / "libtorch_cpu.so")
        (lib.parent / "version.py").write_text(f"__version__ = '{version}'\n")
        if cuda:
            (lib / "libtorch_cuda.so").write_text("not opened\n")
        self.env["BIOFT_TORCH_LIBRARY"] = str(lib.parent)

    def driver(self, gpus, error=0):
        (self.folder / "driver").mkdir()
        shutil.copy(FAKES["FAKE_CUDA"], self.folder / "driver/libcuda.so.1")
        self.env.update(LD_LIBRARY_PATH=str(self.folder / "driver"), FAKE_GPUS=str(gpus), FAKE_CUDA_ERROR=str(error))

    def here(self):
        """What score() says, and that it has opened no library."""
        (self.folder / "opened").unlink(missing_ok=True)
        r = self.good("plugin", "show", "torch", env=self.env)
        self.assertFalse((self.folder / "opened").exists(), "libtorch was opened")
        return next(line for line in r.stdout.splitlines() if line.startswith("here"))

    def refused(self, says, engine="torch"):
        self.manifest(ONE.replace("engine: openblas", f"engine: {engine}"))
        r = bioft.run("run", "m.yaml", "--out", "out", cwd=self.folder, env=self.env)
        self.assertIn(r.returncode, (1, 2), r.stdout + r.stderr)
        self.assertIn(says, r.stderr)

    def both(self, says):
        self.assertIn(says, self.here())
        self.refused(says)

    def test_too_old(self):
        self.library(FAKES["FAKE_CUDA"], "1.13.0")
        self.both("is too old or no libtorch (it lacks aoti_torch_abi_version): torch 2.10 or newer is needed")

    def test_too_new(self):
        self.library(FAKES["FAKE_CUDA"], "3.1.0")
        self.both("is too new (it lacks aoti_torch_abi_version): torch 2.10 or a later 2 is needed")

    def test_half_installed(self):
        self.library(FAKES["FAKE_TORCH_HALF"])
        self.both("needs libc10_fake.so, which is not there: install torch again with what it depends on")

    def test_without_cuda(self):
        self.library(FAKES["FAKE_TORCH"])
        self.driver(2)
        self.assertIn("was built without CUDA: pip install torch", self.here())
        self.refused("was built without CUDA", "{plugin: torch, device: cuda:0}")

    def test_no_driver_no_gpu_no_such_device(self):
        self.library(FAKES["FAKE_TORCH"], cuda=True)
        self.assertIn("no GPU's driver", self.here())
        self.refused("device 'cuda:0': no GPU's driver", "{plugin: torch, device: cuda:0}")
        self.driver(0, 100)
        self.assertIn("finds no GPU (error 100)", self.here())
        self.refused("device 'cuda': CUDA's driver is there and finds no GPU (error 100)", "{plugin: torch, device: cuda}")
        self.env.update(FAKE_GPUS="2", FAKE_CUDA_ERROR="0")
        self.assertIn("2 GPUs (CUDA)", self.here())
        self.refused("device 'cuda:5': there are 2 GPUs here, numbered from 0", "{plugin: torch, device: cuda:5}")
        self.refused("auto, cpu, cuda, cuda:N, xpu or mps expected", "{plugin: torch, device: tpu}")
        self.refused("device 'xpu': libtorch's part for it cannot be opened", "{plugin: torch, device: xpu}")

    def test_auto_says_how_to_get_the_library(self):
        self.driver(1)
        self.env["BIOFT_TORCH_LIBRARY"] = "/nonexistent"
        r = self.good("bench", "forward", "--backbone", "mlp", "--batch", "1", "--steps", "1", "--size", "28", env=self.env)
        [line] = [line for line in r.stderr.splitlines() if "would be faster" in line]
        self.assertIn("engine 'torch' would be faster here: a GPU is here, and no libtorch for it: pip install torch", line)

    def test_without_a_gpu_a_run_has_the_same_bytes_and_opens_nothing(self):
        self.manifest(ONE.replace("engine: openblas\n", "").replace("epochs: 1", "steps: 2") + "threads: 1\n")
        self.env["BIOFT_TORCH_LIBRARY"] = "/nonexistent"
        self.good("run", "m.yaml", "--out", "without", env=self.env)
        self.library(FAKES["FAKE_TORCH"])
        self.good("run", "m.yaml", "--out", "with", env=self.env)
        self.assertFalse((self.folder / "opened").exists(), "libtorch was opened")
        self.same_files(self.folder / "without", self.folder / "with", ("results.csv", "**/*.safetensors"))


if __name__ == "__main__":
    unittest.main()
