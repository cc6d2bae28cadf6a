"""Every manifest under manifests/ passes `bioft check` with miniatures of its data in place, and trains two steps of every
dataset that it names. Weights are files under torchvision's names with numbers of no meaning.

`check` sees every value of a sweep, each at least once. The steps are ResNet-18's in place of AlexNet's and VGG-16's,
which write a gigabyte or two a checkpoint; BIOFT_LONG=1 in the environment takes the networks as named and checks all trials."""
import json
import math
import os
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

import numpy as np
import yaml

import bioft

sys.path.insert(0, str(bioft.SOURCE / "tests/fixtures"))
import make  # noqa: E402

# Options that fit the published splits' sizes to a miniature, by plugin and protocol.
SIZES = {
    ("cifar10", "retrieval"): {"train_per_class": 8, "val_per_class": 2, "test_per_class": 3},
    ("imagenet100", "retrieval"): {"train_per_class": 2},
    ("nus_wide", None): {"train_per_concept": 3, "val_per_concept": 1, "test_per_concept": 1},
    ("coco", "retrieval"): {"train_count": 60, "val_count": 20, "test_count": 20},
}
# What an attack does so many times, by plugin.
TIMES = {"apgd": ["iterations"], "fab": ["iterations"], "square": ["queries"], "sparse_rs": ["queries"],
         "auto_attack": ["iterations", "queries"], "deepfool": ["steps"]}
LONG = os.environ.get("BIOFT_LONG") == "1"
LIGHT = "resnet18"
SIDE = 64                                                # AlexNet takes no smaller image than 63


def parameters():
    """{network: [(name, shape)]} of torchvision's state dicts, as tests/golden says."""
    out = {}
    for line in (bioft.SOURCE / "tests/golden/backbones.txt").read_text().splitlines():
        first, second, *_ = line.split()
        if first == "backbone":
            out[second] = []
        elif first not in ("#", "work"):
            out[list(out)[-1]].append((first, None if second == "counter" else [int(n) for n in second.split("x")]))
    return out


def write_weights(path, tensors, filled, seed=0):
    """A safetensors file: the header's length, the header, float32 data; counters are one int64. Unfilled: a hole of zeros."""
    header, at = {}, 0
    for name, shape in tensors:
        size = 8 if shape is None else 4 * math.prod(shape)
        header[name] = {"dtype": "I64" if shape is None else "F32", "shape": shape or [], "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = np.random.default_rng(seed).normal(size=1 << 20).astype(np.float32)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        if not filled:
            f.truncate(8 + len(text) + at)
            return
        for name, shape in tensors:
            if shape is None:
                f.write(bytes(8))
            elif name.endswith("running_var"):
                f.write(np.ones(shape, np.float32).tobytes())
            else:
                scale = np.float32(1 / math.sqrt(max(1, math.prod(shape[1:]))))
                for left in range(math.prod(shape), 0, -len(noise)):
                    f.write((noise[:left] * scale).tobytes())


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bioft-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.parameters = parameters()

    def data(self, plugin):
        """The folder of a dataset's miniature, made at first use."""
        maker = "imagenet100" if plugin == "imagenet" else plugin
        path = self.folder / "data" / maker
        if not path.exists():
            getattr(make, maker)(path)
        return str(path)

    def weights(self, name):
        path = self.folder / pathlib.Path(name).name
        if not path.exists():
            [network] = [n for n in self.parameters if path.name.startswith(n + "-")]
            write_weights(path, self.parameters[network], LONG or network == LIGHT)
        return str(path)

    def dataset(self, value, small):
        value = dict({"plugin": value} if isinstance(value, str) else value)
        value["root"] = self.data(value["plugin"])
        value.update(SIZES.get((value["plugin"], value.get("protocol")), {}))
        if small:
            value["limit"] = 16
        if small and value["plugin"] != "fashion_mnist" and "transform" not in value:
            value["transform"] = {"size": SIDE}
        return value

    def light(self, value):
        """AlexNet, VGG or EfficientNet, as the light one with what else is said of it."""
        if isinstance(value, dict) and "plugin" in value:
            return self.light(value["plugin"])
        if isinstance(value, dict):
            weights = {"weights": "resnet18-f37072fd.pth"} if "weights" in value else {}
            return {**value, **weights, "backbone": self.light(value["backbone"])}
        return LIGHT if value.startswith(("alexnet", "vgg", "efficientnet")) else value

    def model(self, value, small):
        own = value["backbone"] in self.parameters if isinstance(value["backbone"], str) else False
        value = self.light(value) if small and not LONG or not own else value
        return {**value, "weights": self.weights(value["weights"])} if "weights" in value else value

    def replaced(self, path, value, small):
        """What stands in place of a value of the manifest."""
        last = path.split(".")[-1]
        if last == "dataset":
            return self.dataset(value, small)
        if path == "model":
            return self.model(value, small)
        if path == "model.backbone":
            return self.light(value) if small and not LONG else value
        return self.weights(value) if last == "weights" else value

    def sets(self, manifest, sweep, small):
        """The --set of all that is replaced; sweep: {path: values}."""
        out = {}

        def put(path, value):
            if not any(path == p or path.startswith(p + ".") for p in sweep):
                out[path] = value

        for i, stage in enumerate(manifest["stages"]):
            where = f"stages.{stage['name']}"
            for key in ("dataset", "weights"):
                if key in stage:
                    put(f"{where}.{key}", self.replaced(f"{where}.{key}", stage[key], small))
            if small:
                put(f"{where}.epochs", None)
                put(f"{where}.steps", 2)
            put(f"{where}.batch_size", 4 if small else 2)
        if "dataset" in manifest:
            put("dataset", self.dataset(manifest["dataset"], small))
        model = self.model(manifest["model"], small)
        for key in ("backbone", "weights"):
            if key in model and "model" not in sweep:
                put(f"model.{key}", model[key])
        for i, attack in enumerate(manifest.get("attacks", [])):
            put(f"attacks.{i}.samples", 4)
            if "from" in attack and all(len(v) == 1 for v in sweep.values()):
                put(f"attacks.{i}.from", None)           # the trial that it names is not in the sweep
            if small:
                for key in TIMES.get(attack["plugin"], []):
                    put(f"attacks.{i}.{key}", 2)
                put(f"attacks.{i}.epsilon", [0, 0.01])
                for key in {"steps", "restarts"} & set(attack):
                    put(f"attacks.{i}.{key}", 2)
        out.update({f"sweep.{path}": [self.replaced(path, v, small) for v in values] for path, values in sweep.items()})
        return [x for path, value in out.items() for x in ("--set", f"{path}={'' if value is None else json.dumps(value)}")]

    def covering(self, manifest):
        """Sweeps of one trial each that have every value of the manifest's once or more; of rules and seeds alone, which have
        the data and the network in common, all at once."""
        sweep = manifest.get("sweep", {})
        if all(p.split(".")[-1] in ("rule", "seed") for p in sweep):
            yield {p: v[:1] if p == "seed" else v for p, v in sweep.items()}
            return
        for k in range(max(map(len, sweep.values()), default=1)):
            yield {p: [v[k % len(v)]] for p, v in sweep.items()}

    def runs(self, manifest):
        """One sweep after the other, each of one trial: every dataset, in the long test every network, and with them the
        other values in turn, from the last to the first, since the first rule is the one that is always there."""
        sweep = manifest.get("sweep", {})
        ours = [p for p in sweep if p.split(".")[-1] == "dataset" or LONG and p.split(".")[0] == "model"]
        if os.environ.get("BIOFT_BUILD"):                # under sanitizers one is enough: test_datasets has the others
            ours = []
        for k in range(max((len(sweep[p]) for p in ours), default=1)):
            one = {p: [v[k % len(v) if p in ours or p.split(".")[0] == "model" else -1 - k % len(v)]]
                   for p, v in sweep.items()}
            yield {p: [min(2, v[0])] if p.endswith(".steps") else v for p, v in one.items()}

    def try_manifest(self, path):
        manifest = yaml.safe_load(path.read_text())
        sweeps = [manifest.get("sweep", {})] if LONG else list(self.covering(manifest))
        for sweep in sweeps[:1] if os.environ.get("BIOFT_BUILD") else sweeps:
            r = bioft.run("check", path, "--no-timing", *self.sets(manifest, sweep, False), cwd=self.folder)
            self.assertEqual(r.returncode, 0, f"{sweep}\n{r.stdout}{r.stderr}")
        for k, sweep in enumerate(self.runs(manifest)):
            out = self.folder / f"out-{path.stem}-{k}"
            r = bioft.run("run", path, "--out", out, *self.sets(manifest, sweep, True), cwd=self.folder)
            self.assertEqual(r.returncode, 0, f"{sweep}\n{r.stdout}{r.stderr}")
            self.assertTrue(bioft.rows(out / "results.csv"))
            shutil.rmtree(out)


def add(path):
    name = str(path.relative_to(bioft.SOURCE / "manifests").with_suffix(""))
    setattr(Manifests, "test_" + name.replace("/", "_").replace("-", "_"), lambda self: self.try_manifest(path))


for found in sorted((bioft.SOURCE / "manifests").rglob("*.yaml")):
    add(found)

if __name__ == "__main__":
    unittest.main()
