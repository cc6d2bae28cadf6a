"""The backbone `onnx`: outputs against the reference evaluator's, a step of a rule, and what is said of broken files."""
import hashlib
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np

import bioft

GOLDEN = bioft.SOURCE / "tests/golden"
sys.path.insert(0, str(GOLDEN))
from onnx_encode import array, field, model, node  # noqa: E402

MANIFEST = """bioft: 1
name: onnx
seed: 1
engine: openblas
dataset: {plugin: npy, root: data}
model:
  backbone: {plugin: onnx, file: net.onnx%s}
  head: {classes: 5, reuse: %s}
stages:
  - {name: tune, rule: usf, loss: cross_entropy, optimizer: {name: sgd, lr: %s}, steps: 1, batchnorm: frozen, batch_size: 5}
"""
KEEP = "1e-30"    # a step that changes nothing


class Onnx(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, data, options="", reuse="true", lr=KEEP, size=(16, 16)):
        """The manifest, the file, five images."""
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "net.onnx").write_bytes(data)
        rng = np.random.default_rng(1)
        for split in ("train", "test"):
            np.save(self.folder / f"data/{split}_images.npy", rng.integers(0, 256, (5, *size, 3), dtype=np.uint8))
            np.save(self.folder / f"data/{split}_labels.npy", np.arange(5))
        (self.folder / "m.yaml").write_text(MANIFEST % (options, reuse, lr))

    def run_it(self, out="out"):
        done = bioft.run("run", "m.yaml", "--out", out, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return next(self.folder.glob(f"{out}/stages/*/checkpoint.safetensors")), done.stdout + done.stderr

    def outputs(self, checkpoint, x):
        np.save(self.folder / "x.npy", x)
        done = bioft.run("predict", "--weights", checkpoint, "--input", "x.npy", "--output", "y.npy", "--engine", "openblas",
                         cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(self.folder / "y.npy")

    def test_outputs(self):
        """As the reference evaluator computes them."""
        for name, size, said in (("torch_like", (16, 16), []), ("keras_like", (15, 16), ["Softmax behind its last layer"])):
            with self.subTest(name):
                self.write((GOLDEN / f"onnx/{name}.onnx").read_bytes(), size=size)
                checkpoint, text = self.run_it(name)
                x, want = (np.load(GOLDEN / f"onnx/{name}_{k}.npy") for k in "xy")
                got = self.outputs(checkpoint, x)
                self.assertLess(np.abs(got - want).max(), 1e-5 * np.abs(want).max())
                for words in [*said, "the options mean and std say it"]:
                    self.assertIn(words, text)

    def test_colours_and_output(self):
        """`order: bgr` turns the colours round, `output` cuts, a head is added."""
        data = (GOLDEN / "onnx/torch_like.onnx").read_bytes()
        x = np.load(GOLDEN / "onnx/torch_like_x.npy")
        self.write(data, ", order: bgr")
        got = self.outputs(self.run_it("bgr")[0], x[:, ::-1].copy())
        self.assertLess(np.abs(got - np.load(GOLDEN / "onnx/torch_like_y.npy")).max(), 1e-4)
        self.write(data, ", head: added, output: r1", reuse="false")
        checkpoint, _ = self.run_it("cut")
        shown = bioft.run("weights", "show", checkpoint).stdout
        self.assertIn("head.weight", shown)
        self.assertNotIn("fc2.weight", shown)

    def test_training(self):
        """A step of usf changes every layer; the head is new where it is not reused."""
        data = (GOLDEN / "onnx/torch_like.onnx").read_bytes()
        self.write(data, reuse="false", lr="1e-1")
        after = self.run_it()[0].read_bytes()
        self.write(data, reuse="false")
        before = self.run_it("still")[0].read_bytes()
        self.assertEqual(self.names(before), self.names(after))
        for name in ("conv1.weight", "dw.weight", "se.fc1.weight", "fc1.weight", "fc2.weight"):
            self.assertFalse(np.array_equal(self.tensor(before, name), self.tensor(after, name)), name)

    @staticmethod
    def names(raw):
        return sorted(json.loads(raw[8:8 + int.from_bytes(raw[:8], "little")]))

    @staticmethod
    def tensor(raw, name):
        size = int.from_bytes(raw[:8], "little")
        begin, end = json.loads(raw[8:8 + size])[name]["data_offsets"]
        return np.frombuffer(raw[8 + size + begin:8 + size + end], np.float32)

    def test_identity(self):
        """Another file under the same name is another network."""
        data = (GOLDEN / "onnx/torch_like.onnx").read_bytes()
        self.write(data)
        first, _ = self.run_it()
        settings = next(self.folder.glob("out/trials/*/settings.csv")).read_text()
        self.assertIn(f"model.backbone.file.sha256,{hashlib.sha256(data).hexdigest()}", settings)
        (self.folder / "net.onnx").write_bytes(data.replace(b"logits", b"numb3r"))
        self.assertNotEqual(first.parent.name, self.run_it("other")[0].parent.name)

    def test_broken_files(self):
        """Each with a message that names what is wrong."""
        w, x = np.ones((2, 3, 1, 1), np.float32), [("x", [1, 3, 16, 16])]
        conv, pool = node("Conv", ["x", "w"], ["c"]), [node("GlobalAveragePool", ["c"], ["g"]), node("Flatten", ["g"], ["f"])]
        last, v = node("Gemm", ["f", "v"], ["y"], transB=1), array("v", np.ones((5, 2), np.float32))

        def net(nodes, arrays, inputs=x):
            return model(nodes, arrays, inputs, [("y", [1, 5])])

        def whole(first, weight=array("w", w), between=()):
            return net([first, *between, *pool, last], [weight, v])

        good = whole(conv)
        outside = field(13, field(1, "location") + field(2, "../secret"))
        cases = {
            "cut short": good[:-30],
            "not an ONNX model": b"\x0a\xff\xff\xff\xff\x0f" + good,
            "has a graph of nodes": field(1, 8),
            "1 to": b"",
            "'w', which nothing defines": net([conv, *pool, last], [v]),
            "two tensors are called 'w'": net([conv, *pool, last], [array("w", w), array("w", w), v]),
            "not before it: a cycle": net([node("Conv", ["z", "w"], ["c"]), node("Relu", ["c"], ["z"]), *pool, last],
                                          [array("w", w), v]),
            "dimension 0 of 'w' is -2": whole(conv, array("w", w, [-2, 3, 1, 1])),
            "at most 8 dimensions and": whole(conv, array("w", w, [2 ** 40, 3, 2 ** 40, 1])),
            "'w' has 6 values, its shape 12": whole(conv, array("w", w, [4, 3, 1, 1])),
            "does not fit 3 channels": whole(conv, array("w", w, [3, 2, 1, 1])),
            "data type 2 of ONNX": whole(conv, array("w", w, data_type=2)),
            "in another file ('../secret')": whole(conv, array("w", w, more=outside + field(14, 1))),
            "value 0 of 'w' is nan": whole(conv, array("w", w * np.nan)),
            "node 'n' (LRN)": whole(conv, between=[node("LRN", ["c"], ["l"], "n", size=5)], weight=array("w", w)).replace(
                b"\x0a\x01c\x12\x01g", b"\x0a\x01l\x12\x01g"),
            "its attribute 'colour'": whole(node("Conv", ["x", "w"], ["c"], colour=1)),
            "auto_pad 'SAME_LOWER'": whole(node("Conv", ["x", "w"], ["c"], auto_pad="SAME_LOWER")),
            "strides has -1": whole(node("Conv", ["x", "w"], ["c"], strides=[-1, 1])),
            "pads has 2147483648": whole(node("Conv", ["x", "w"], ["c"], pads=[2 ** 31, 0, 0, 0])),
            "of the domain 'com.acme'": whole(node("Conv", ["x", "w"], ["c"], domain="com.acme")),
            "'v' is the weight of another node": net([conv, *pool, node("Gemm", ["f", "v"], ["h"], transB=1),
                                                      node("Gemm", ["h", "v"], ["y"], transB=1)], [array("w", w), v]),
            "the network ends here": net([conv, node("Relu", ["c"], ["y"])], [array("w", w)]),
            "its input is not an image": net([conv, *pool, last], [array("w", w), v], [("x", [1, 40])]),
            "`size: SIDE`": net([conv, *pool, last], [array("w", w), v], [("x", ["n", 3, "h", "w"])]),
        }
        for words, data in cases.items():
            with self.subTest(words):
                self.write(data)
                done = bioft.run("check", "m.yaml", cwd=self.folder)
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(words, done.stdout + done.stderr)
        self.write(good)
        self.assertEqual(bioft.run("check", "m.yaml", cwd=self.folder).returncode, 0)
        self.write(net([conv, *pool, last], [array("w", w), v], [("x", ["n", 3, "h", "w"])]), ", size: 16")
        self.assertEqual(bioft.run("check", "m.yaml", cwd=self.folder).returncode, 0)


listed = bioft.run("plugin", "list", "--kind", "backbone").stdout
if "onnx was left out" in listed or "protobuf-c was not found" in listed:
    sys.exit(77)
if __name__ == "__main__":
    unittest.main()
