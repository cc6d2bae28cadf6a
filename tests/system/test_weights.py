"""Weights against PyTorch: its files read, ours read by it; the outputs of its networks on the same weights."""
import hashlib
import io
import json
import os
import struct
import sys
import unittest

import numpy as np

import bioft

try:
    import torch
    import torchvision
    from PIL import Image
except ImportError:
    torch = None

DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64", "I64": "int64", "I32": "int32",
          "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}
OLD = {"_use_new_zipfile_serialization": False}


def read_safetensors(path):
    """By the format's own words, to torch's tensors."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    assert header.pop("__metadata__") == {"format": "pt"}
    data = memoryview(bytearray(raw[8 + length:]))
    result = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = getattr(torch, DTYPES[entry["dtype"]])
        result[name] = (torch.frombuffer(data[begin:end], dtype=dtype) if end > begin
                        else torch.empty(0, dtype=dtype)).reshape(entry["shape"])
    return result


def network(name, seed=0):
    """torchvision's network with weights that make its outputs say something, batch statistics too."""
    torch.manual_seed(seed)
    m = getattr(torchvision.models, name)()
    for module in m.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
    return m.eval()


def relative(ours, theirs):
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


class Case(bioft.Case):
    def same(self, ours, theirs):
        self.assertEqual(sorted(ours), sorted(theirs))
        for name, t in theirs.items():
            self.assertEqual((ours[name].dtype, ours[name].shape), (t.dtype, t.shape), name)
            self.assertTrue(torch.equal(ours[name], t.detach()), name)


class Convert(Case):
    def both_ways(self, path, state):
        """file -> safetensors -> .pth, each with the values that torch has."""
        self.good("weights", "convert", path, "c.safetensors")
        self.same(read_safetensors(self.folder / "c.safetensors"), state)
        self.good("weights", "convert", "c.safetensors", "d.pth")
        self.same(torch.load(self.folder / "d.pth", weights_only=True), state)
        self.good("weights", "convert", path, "e.pth")
        e = torch.load(self.folder / "e.pth", weights_only=True)
        self.same(e, state)
        self.assertEqual(list(e), list(state))

    def test_networks(self):
        for name, dtype in (("resnet18", torch.float32), ("resnet18", torch.float16), ("resnet18", torch.bfloat16),
                            ("alexnet", torch.float32), ("vgg11", torch.bfloat16)):
            state = network(name).to(dtype).state_dict()
            for how in ({}, OLD):
                with self.subTest(name, dtype=dtype, **how):
                    torch.save(state, self.folder / "a.pth", **how)
                    self.both_ways("a.pth", state)
                    (self.folder / "a.pth").unlink()

    def test_loads_strictly(self):
        """torch.nn's load_state_dict(strict=True) takes what we write, with the counters and without."""
        m = network("resnet18")
        torch.save(m.state_dict(), self.folder / "a.pth")
        self.good("weights", "convert", "a.pth", "b.pth")
        state = torch.load(self.folder / "b.pth", weights_only=True)
        torchvision.models.resnet18().load_state_dict(state, strict=True)

    def test_views(self):
        shared = torch.arange(40.).reshape(5, 8)
        state = {"transposed": shared.t(), "row": shared[2], "column": shared[:, 3], "whole": shared,
                 "every_other": shared[::2, 1::3], "permuted": torch.arange(24).reshape(2, 3, 4).permute(2, 0, 1),
                 "channels_last": torch.randn(3, 4, 5, 6).contiguous(memory_format=torch.channels_last),
                 "expanded": torch.tensor([1.5]).expand(6, 7), "scalar": torch.tensor(2.5), "empty": torch.empty(0, 3),
                 "half": shared.half().t(), "brain": shared.bfloat16()[1:], "double": shared.double().t(),
                 "int": torch.tensor([[1, -2], [3, 4]], dtype=torch.int32).t(), "bool": torch.eye(3).bool()[1],
                 "short": torch.tensor([-5], dtype=torch.int16), "char": torch.tensor([-5], dtype=torch.int8),
                 "byte": torch.tensor([250], dtype=torch.uint8), "parameter": torch.nn.Parameter(shared.t())}
        for how in ({}, OLD):
            for wrapped in (False, True):
                torch.save({"epoch": 3, "state_dict": state} if wrapped else state, self.folder / "v.pth", **how)
                self.both_ways("v.pth", {k: v.detach() for k, v in state.items()})

    def test_wrappings(self):
        m = network("resnet18")
        state = m.state_dict()
        optimizer = torch.optim.Adam(m.parameters())
        for p in m.parameters():
            p.grad = torch.zeros_like(p)
        optimizer.step()
        torch.save({"epoch": 90, "best": 0.75, "arch": "resnet18", "optimizer": optimizer.state_dict(),
                    "state_dict": torch.nn.DataParallel(m).state_dict()}, self.folder / "w.pth")
        r = self.good("weights", "convert", "w.pth", "w.safetensors")
        self.assertIn("found under 'state_dict'; all names begin with 'module.'", r.stderr)
        self.same(read_safetensors(self.folder / "w.safetensors"), state)
        torch.save({"model": state, "net": {"a": torch.ones(1)}}, self.folder / "two.pth")
        self.bad(1, "weights", "show", "two.pth", says=["several state dicts, 'model', 'net'", "--key"])
        self.good("weights", "convert", "two.pth", "one.pth", "--key", "net")
        self.same(torch.load(self.folder / "one.pth", weights_only=True), {"a": torch.ones(1)})

    def test_refuses(self):
        m = network("resnet18")
        torch.save(m, self.folder / "module.pth")
        torch.save(m, self.folder / "old-module.pth", **OLD)
        torch.save(m.state_dict(), self.folder / "p4.pth", pickle_protocol=4)
        torch.jit.script(m).save(str(self.folder / "script.pt"))
        torch.save([torch.ones(1)], self.folder / "list.pth")
        good = io.BytesIO()
        torch.save(m.state_dict(), good)
        good = good.getvalue()
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        for name, data in (("cut.pth", good[:len(good) // 2]), ("flipped.pth", flipped), ("empty.pth", b""),
                           ("page.pth", b"<!DOCTYPE html><title>Sign in</title>"),
                           ("pointer.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 46830571\n"),
                           ("tar.pth", bytes(257) + b"ustar" + bytes(250))):
            (self.folder / name).write_bytes(data)
        for name, words in (("module.pth", "save model.state_dict()"), ("old-module.pth", "save model.state_dict()"),
                            ("p4.pth", "pickle protocol 4"), ("script.pt", "TorchScript"), ("list.pth", "no state dict"),
                            ("cut.pth", "cut short"), ("flipped.pth", "checksum"), ("empty.pth", "empty"),
                            ("page.pth", "HTML page"), ("pointer.pth", "Git LFS pointer"), ("tar.pth", "PyTorch 0.1 (tar)")):
            self.bad(1, "weights", "convert", name, "out.pth", says=[name, words])
            self.bad(1, "predict", "--backbone", "resnet18", "--weights", name, "--input", "x.npy", says=[name, words])
        self.bad(2, "weights", "convert", "page.pth", "out.txt", says=".safetensors or .pth")
        self.bad(2, "weights", "shwo", "page.pth", says="show FILE")
        self.assertFalse((self.folder / "out.pth").exists())
        self.good("weights", "convert", "flipped.pth", "out.pth", "--no-verify")


class Show(Case):
    def test_json(self):
        state = {"a.weight": torch.zeros(2, 3), "n": torch.tensor(4)}
        torch.save(state, self.folder / "a.pth")
        shown = json.loads(self.good("weights", "show", "a.pth", "--json").stdout)
        self.assertEqual(shown["tensors"], [{"name": "a.weight", "dtype": "F32", "shape": [2, 3]},
                                            {"name": "n", "dtype": "I64", "shape": []}])
        self.assertEqual(shown["sha256"], hashlib.sha256((self.folder / "a.pth").read_bytes()).hexdigest())
        self.assertEqual((shown["format"], shown["values"], shown["known"]), ("PyTorch (zip)", 7, None))

    def test_text(self):
        torch.save({"a.weight": torch.zeros(2, 3)}, self.folder / "resnet18-f37072fd.pth", **OLD)
        text = self.good("weights", "show", "resnet18-f37072fd.pth").stdout
        self.assertIn("a.weight  F32   [2, 3]", text)
        self.assertIn("PyTorch (legacy)", text)
        self.assertIn("not the published resnet18-f37072fd.pth, whose sum begins f37072fd", text)


def write_safetensors(path, header, data=b""):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Names(Case):
    """What a file calls things neither moves a terminal's cursor nor counts in a spreadsheet."""
    ESCAPE = "\x1b]0;t\x07\x1b[2J\u009b31m\u202e"

    def silent(self, r, *names):
        self.assertFalse(set(r.stdout + r.stderr) & set("\x1b\x07\r\u009b\u202e"), (r.stdout + r.stderr)[:500])
        for name in names:
            self.assertIn(name, r.stdout + r.stderr)

    def test_escapes(self):
        name = "fc1.weigh" + self.ESCAPE
        entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
        write_safetensors(self.folder / "a.safetensors", {name: entry}, bytes(4))
        write_safetensors(self.folder / "near.safetensors", {"fc1.weigh\x1b": entry}, bytes(4))
        write_safetensors(self.folder / "b.safetensors", {"n": dict(entry, dtype=self.ESCAPE)}, bytes(4))
        hostile = f"x{self.ESCAPE}.safetensors"
        (self.folder / hostile).write_bytes(b"?")
        np.save(self.folder / "x.npy", np.zeros((1, 1, 28, 28), "f4"))
        self.silent(self.good("weights", "show", "a.safetensors"), r"fc1.weigh\x1b]0;t\x07\x1b[2J")
        shown = self.good("weights", "show", "a.safetensors", "--json")
        self.silent(shown)
        self.assertEqual(json.loads(shown.stdout)["tensors"][0]["name"], name)
        self.silent(self.good("weights", "show", "b.safetensors"), r"\x1b]0;t\x07")
        self.silent(self.bad(1, "weights", "convert", "b.safetensors", "c.pth"), r"\x1b]0;t\x07")
        self.silent(self.bad(1, "weights", "show", hostile), r"x\x1b]0;t\x07")
        self.silent(self.bad(2, "weights", "convert", "a.safetensors", hostile + "\x1b"))
        self.silent(self.bad(2, "weights\x1b"), r"weights\x1b")
        self.silent(self.bad(1, "predict", "--backbone", "lenet5", "--weights", "near.safetensors", "--input", "x.npy"),
                    r"the nearest name is fc1.weigh\x1b")

    def test_line_breaks(self):
        """A message's further lines are set in, so that a name begins none."""
        r = self.bad(1, "weights", "show", "a\nbioft: all is well", says="all is well")
        self.assertEqual([line[:7] for line in r.stderr.splitlines() if line.startswith("bioft")], ["bioft: "], r.stderr)

    def test_formulas(self):
        """As class and file names in the CSV of `predict`; its numbers stay numbers."""
        m = self.manifest(bioft.MANIFEST.split("attacks:")[0].replace("  - name: fine-tune", "#").split("#")[0])
        self.good("run", m, "--out", "out", "--quiet")
        checkpoint = next((self.folder / "out/trials").glob("*/checkpoint.safetensors"))
        raw = checkpoint.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        header = json.loads(raw[8:8 + length])
        classes = ["=cmd|' /C calc'!A0", "-1+\x1b[31m"]
        header["__metadata__"]["classes"] = json.dumps(classes)
        write_safetensors(self.folder / "w.safetensors", header, raw[8 + length:])
        (self.folder / "p").mkdir()
        for name in ("=1+1.png", "@a.png", "-2+\x1b.png"):
            Image.fromarray(np.zeros((28, 28), "u1")).save(self.folder / "p" / name)
        r = self.good("predict", "--weights", "w.safetensors", "--input", "p", "--quiet")
        self.silent(r)
        rows = bioft.rows_of(r.stdout)
        self.assertEqual({row["name"] for row in rows}, {"'=cmd|' /C calc'!A0", r"'-1+\x1b[31m"})
        self.assertEqual({row["image"] for row in rows}, {"'=1+1.png", "'@a.png", r"'-2+\x1b.png"})
        self.assertTrue(all(0 <= float(row["probability"]) <= 1 and row["class"] in "01" for row in rows))


@unittest.skipIf("sanitize" in os.environ.get("BIOFT_BUILD", ""), "the shim comes before the sanitizer's runtime")
class Cut(Case):
    def test_while_it_is_read(self):
        """A file that is cut under its map is an error with its name, and nothing is left of what was begun."""
        state = network("resnet18").state_dict()
        np.save(self.folder / "x.npy", np.zeros((1, 3, 64, 64), "f4"))
        for name, how in (("a.pth", {}), ("b.pth", OLD)):
            torch.save(state, self.folder / name, **how)
            cut = dict(env={"LD_PRELOAD": os.environ["CUT_SHIM"], "CUT": "/" + name})
            for command in (("weights", "show", name), ("weights", "convert", name, "new.safetensors", "--no-verify"),
                            ("predict", "--backbone", "resnet18", "--weights", name, "--input", "x.npy")):
                torch.save(state, self.folder / name, **how)
                self.bad(1, *command, says=(f"/{name}: cannot be read to its end: it was cut",), **cut)
            self.assertFalse(list(self.folder.glob("*new*")) + list(self.folder.glob(".*new*")))
        torch.save(state, self.folder / "c.pth")
        self.good("weights", "convert", "c.pth", "c.safetensors")
        for name in ("c.safetensors", "x.npy"):
            self.bad(1, "predict", "--backbone", "resnet18", "--weights", "c.safetensors", "--input", "x.npy",
                     says=f"/{name}: cannot be read to its end", env={"LD_PRELOAD": os.environ["CUT_SHIM"], "CUT": "/" + name})
            self.good("weights", "convert", "c.pth", "c.safetensors")


class Outputs(Case):
    def predict(self, *more):
        self.good("predict", "--input", "x.npy", "--output", "y.npy", "--quiet", *more)
        return np.load(self.folder / "y.npy")

    def compare(self, name, states, x, theirs, say=""):
        for file in states:
            ours = self.predict("--backbone", name, "--weights", file)
            self.assertEqual(ours.shape, theirs.shape)
            self.assertLess(relative(ours, theirs), 1e-4, (name, file, say))

    def test_torchvision(self):
        for name in ("resnet18", "alexnet", "vgg16"):
            m = network(name)
            x = torch.randn(2, 3, 224, 224)
            np.save(self.folder / "x.npy", x.numpy())
            with torch.no_grad():
                theirs = m(x).numpy()
            torch.save(m.state_dict(), self.folder / "zip.pth")
            torch.save(m.state_dict(), self.folder / "legacy.pth", **OLD)
            self.good("weights", "convert", "zip.pth", "plain.safetensors")
            self.compare(name, ("zip.pth", "legacy.pth", "plain.safetensors"), x, theirs)

    def test_older_and_wrapped(self):
        m = network("resnet18", 1)
        x = torch.randn(3, 3, 96, 128)
        np.save(self.folder / "x.npy", x.numpy())
        with torch.no_grad():
            theirs = m(x).numpy()
        state = {k: v for k, v in m.state_dict().items() if "num_batches" not in k}
        torch.save(state, self.folder / "older.pth", **OLD)
        torch.save({"module." + k: v for k, v in m.state_dict().items()}, self.folder / "wrapped.pth")
        self.compare("resnet18", ("older.pth", "wrapped.pth"), x, theirs)

    def test_faults(self):
        state = network("resnet18").state_dict()
        state["layer1.0.conv1.wieght"] = state.pop("layer1.0.conv1.weight")
        state["bn1.weight"] = torch.ones(32)
        state["fc.bias"][3] = float("nan")
        torch.save(state, self.folder / "a.pth")
        np.save(self.folder / "x.npy", np.zeros((1, 3, 64, 64), "f4"))
        self.bad(1, "predict", "--backbone", "resnet18", "--weights", "a.pth", "--input", "x.npy", says=[
            "layer1.0.conv1.weight is missing; the nearest name is layer1.0.conv1.wieght",
            "layer1.0.conv1.wieght is not in the network; the nearest name is layer1.0.conv1.weight",
            "bn1.weight is [32] in the file, [64] in the network", "fc.bias has a value that is not finite (number 3)"])
        self.bad(2, "predict", "--weights", "a.pth", "--input", "x.npy", says="--backbone")
        self.bad(2, "predict", "--weights", "a.pth", "--backbone", "resnet81", "--input", "x.npy", says="resnet18")

    def test_inputs(self):
        torch.save(network("resnet18").state_dict(), self.folder / "a.pth")
        how = ("predict", "--backbone", "resnet18", "--weights", "a.pth", "--input")
        for name, array, words in (("d", np.zeros((1, 3, 64, 64)), None), ("c", np.zeros((1, 1, 64, 64), "f4"), "1 channels"),
                                   ("s", np.zeros((3, 64, 64), "f4"), "<f4 of [images, 3, height, width]"),
                                   ("n", np.full((1, 3, 64, 64), np.nan, "f4"), "index 0 is not finite"),
                                   ("i", np.zeros((1, 3, 64, 64), "i8"), "|u1"),
                                   ("e", np.zeros((0, 3, 64, 64), "f4"), "no images")):
            np.save(self.folder / f"{name}.npy", array)
            if words:
                self.bad(2, *how, f"{name}.npy", says=words)
            else:
                self.good(*how, f"{name}.npy")
        (self.folder / "folder").mkdir()
        self.bad(2, *how, "folder", says="no images")
        self.bad(1, *how, "absent.npy", says="absent.npy")
        self.bad(2, *how, "d.npy", "--precision", "f64", says="f32 or bf16")


class Chosen(Case):
    """What a manifest says of a file, and what is found without a word: told, and the same values in the network."""
    def setUp(self):
        super().setUp()
        self.state = network("resnet18", 2).state_dict()

    def train(self, weights, out, ok=True, says=()):
        m = self.manifest("bioft: 1\nname: w\nengine: openblas\ndataset: {plugin: npy, root: data, transform: {size: 32}}\n"
                          f"model: {{backbone: resnet18, weights: {weights}}}\n"
                          "stages:\n  - {name: s, rule: bp, steps: 0}\n")
        if not ok:
            return self.bad(1 if ok is None else 2, "run", m, "--out", out, says=says)
        r = self.good("run", m, "--out", out)
        [path] = (self.folder / out).glob("stages/*/checkpoint.safetensors")
        raw = path.read_bytes()
        (length,) = struct.unpack("<Q", raw[:8])
        header = json.loads(raw[8:8 + length])
        begin, end = header["layer3.0.conv1.weight"]["data_offsets"]
        values = np.frombuffer(raw[8 + length + begin:8 + length + end], "<f4")
        self.assertTrue(np.array_equal(values, self.state["layer3.0.conv1.weight"].numpy().ravel()))
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, r.stderr)
        return r

    def save(self, what, name="w.pth", **how):
        torch.save(what, self.folder / name, **how)

    def test_prefixes(self):
        for number, prefix in enumerate(["net.", "backbone.", "encoder.", "module.model."]):
            state = {prefix + k: v for k, v in self.state.items()}
            state |= {"criterion.pos_weight": torch.ones(3), "n_averaged": torch.tensor(7)}
            self.save(state)
            self.train("w.pth", f"out{number}", says="so are 2 without it: criterion.pos_weight, n_averaged")
        moco = {"module.encoder_q." + k: v for k, v in self.state.items()}
        moco |= {"module.encoder_k." + k: v + 1 for k, v in self.state.items()}
        self.save({"state_dict": moco})
        self.train("w.pth", "no", ok=None, says="layer1.0.conv1.weight is missing")
        self.train("{file: w.pth, prefix: module.encoder_q.}", "moco", says=["122 without it", "'module.encoder_q.'"])
        self.train("{file: w.pth, prefix: encoder.}", "no", ok=False, says=["no name begins with the prefix 'encoder.'"])

    def test_renames(self):
        state = {k.replace("layer", "block"): v for k, v in self.state.items()}
        self.save(state)
        self.train("{file: w.pth, rename: {block: layer}}", "out")
        self.train("{file: w.pth, rename: {block: layer, stem: conv1}}", "no", ok=False, says="no name begins with 'stem'")
        self.train("{file: w.pth, rename: {block: layer, conv1: bn1}}", "no", ok=False, says="two tensors are called 'bn1")

    def test_averages(self):
        other = {k: v + 1 if v.is_floating_point() else v for k, v in self.state.items()}
        for how in ({}, OLD):
            self.save({"epoch": 3, "best_acc1": torch.tensor(7.), "state_dict": self.state, "state_dict_ema": other}, **how)
            self.train("w.pth", f"out{len(how)}", says="other weights are under 'state_dict_ema', which 'key' chooses")
        self.save({"state_dict": other, "state_dict_ema": self.state})
        self.train("{file: w.pth, key: state_dict_ema}", "ema", says="found under 'state_dict_ema'")
        self.save({"runs": {"last": {"weights": self.state}}})
        self.train("{file: w.pth, key: runs.last.weights}", "deep")
        self.train("{file: w.pth, key: runs.first}", "no", ok=None, says="the top level has keys 'runs'")

    def test_other_objects(self):
        import argparse
        import collections
        import datetime
        import pathlib
        things = {"counter": collections.Counter({30: 1, 60.5: 2}), "args": argparse.Namespace(lr=0.1, path=pathlib.Path("/x")),
                  "default": collections.defaultdict(list, {"a": [1]}), "when": datetime.datetime(2024, 5, 6),
                  "took": datetime.timedelta(3), "numpy": np.float64(0.5), "array": np.arange(4), "device": torch.device("cpu"),
                  "dtype": torch.float16, "set": {1, 2}, "large": 2**90, "bytes": b"abc", "complex": 1j,
                  "ordered": collections.OrderedDict(a=1), "size": torch.Size([2, 3])}
        for number, how in enumerate(({}, OLD, {"pickle_protocol": 3})):
            self.save(things | {"state_dict": self.state}, **how)
            self.train("w.pth", f"out{number}", says="found under 'state_dict'")
        self.save(self.state | {"epoch": 3, "args": things["args"]})
        self.train("w.pth", "mixed", says="left out as no tensors: 'epoch', 'args'")

        class Evil:
            def __reduce__(self):
                return os.system, ("touch executed",)
        self.save({"state_dict": self.state, "evil": Evil()})
        self.train("w.pth", "no", ok=None, says="system not allowed")
        self.assertFalse((self.folder / "executed").exists())

    def test_counters(self):
        """A network that is saved in half precision whole, counters and all."""
        for number, dtype in enumerate((torch.float32, torch.float16)):
            state = {k: v.to(dtype) if "num_batches" in k else v for k, v in self.state.items()}
            self.save(state)
            self.train("w.pth", f"out{number}")
        state["bn1.num_batches_tracked"] = torch.tensor(2.5)
        self.save(state)
        self.train("w.pth", "no", ok=None, says="bn1.num_batches_tracked is not a counter: one whole number from 0 expected")


class Images(Case):
    def write(self):
        """Images of many sizes, two of them small, one of them grey, one of them broken, in folders."""
        rng = np.random.default_rng(1)
        folder = self.folder / "images"
        (folder / "b").mkdir(parents=True)
        (folder / "notes.txt").write_text("no image")
        names = []
        for i, (w, h) in enumerate(((400, 300), (260, 500), (256, 256), (300, 257), (224, 224))):
            small = rng.integers(0, 256, (h // 20 + 1, w // 20 + 1, 3), dtype=np.uint8)
            image = Image.fromarray(small).resize((w, h), Image.BICUBIC)
            name = f"b/{i}.png" if i % 2 else f"{i}.JPEG"
            image.save(folder / name, quality=90) if name.endswith("JPEG") else image.save(folder / name)
            names.append(name)
        Image.fromarray(rng.integers(0, 256, (280, 280), dtype=np.uint8)).save(folder / "grey.png")
        names.append("grey.png")
        broken = (folder / "0.JPEG").read_bytes()
        (folder / "z.jpg").write_bytes(broken[:len(broken) // 2])
        return folder, sorted(names)

    def test_folder(self):
        folder, names = self.write()
        m = network("resnet18", 2)
        torch.save(m.state_dict(), self.folder / "a.pth")
        transform = torchvision.transforms.Compose([
            torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224), torchvision.transforms.ToTensor(),
            torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
        images = []
        for n in names:
            with Image.open(folder / n) as image:
                images.append(image.convert("RGB"))
        x = torch.stack([transform(image) for image in images])
        small = names.index("4.JPEG")           # no larger than the input: taken as it is
        x[small] = torchvision.transforms.Compose(transform.transforms[2:])(images[small])
        with torch.no_grad():
            outputs = m(x)
        p = torch.softmax(outputs.double(), 1)
        how = ("predict", "--backbone", "resnet18", "--weights", "a.pth", "--input", "images", "--batch", "4")

        r = self.good(*how, "--output", "y.csv")
        self.assertIn("1 files skipped", r.stderr)
        self.assertIn("z.jpg", r.stderr)
        self.assertIn("1 of 7 images could not be read", r.stderr)
        self.assertEqual(r.stdout, "")
        rows = bioft.rows(self.folder / "y.csv")
        self.assertEqual([(r["image"], r["rank"]) for r in rows], [(n, str(k)) for n in names for k in range(1, 6)])
        for i, n in enumerate(names):
            for row, k in zip(rows[5 * i:5 * i + 5], p[i].topk(5).indices.tolist()):
                self.assertEqual(row["class"], str(k), n)
                self.assertAlmostEqual(float(row["probability"]), float(p[i, k]), delta=1e-4 * float(p[i, k]) + 1e-9)
        r = self.good(*how, "--quiet")
        self.assertEqual(r.stdout, (self.folder / "y.csv").read_text())
        self.good(*how, "--output", "y.npy", "--quiet")
        y = np.load(self.folder / "y.npy")
        self.assertTrue(np.isnan(y[-1]).all())
        self.assertLess(relative(y[:-1], outputs.numpy()), 1e-4)


class Checkpoint(Case):
    def test_alone(self):
        """A checkpoint needs no manifest: its predictions on the pixels are those of the run."""
        m = self.manifest(bioft.MANIFEST.split("attacks:")[0])
        self.good("run", m, "--out", "out", "--quiet")
        trial = next((self.folder / "out/trials").iterdir())
        run = bioft.rows(trial / "predictions/fine-tune.test.csv")
        labels = np.load(self.folder / "data/test_labels.npy")
        pixels = np.load(self.folder / "data/test_images.npy")[labels >= 2]
        np.save(self.folder / "x.npy", pixels)
        r = self.good("predict", "--weights", trial / "checkpoint.safetensors", "--input", "x.npy", "--quiet")
        rows = [row for row in bioft.rows_of(r.stdout) if row["rank"] == "1"]
        self.assertEqual([row["class"] for row in rows], [row["prediction"] for row in run])
        self.assertTrue(all(row["name"] for row in rows))
        os.link(self.folder / "x.npy", self.folder / "alias.npy")
        for name in ("x.npy", "alias.npy"):
            self.bad(2, "predict", "--weights", trial / "checkpoint.safetensors", "--input", "x.npy", "--output", name,
                     says=f"--output {name} is an input")
        np.testing.assert_array_equal(np.load(self.folder / "x.npy"), pixels)

        normalised = ((pixels / np.float32(255) - np.float32(0.2860)) / np.float32(0.3530)).transpose(0, 3, 1, 2)
        np.save(self.folder / "f.npy", np.ascontiguousarray(normalised, "f4"))
        again = self.good("predict", "--weights", trial / "checkpoint.safetensors", "--input", "f.npy", "--quiet")
        self.assertEqual([row["class"] for row in bioft.rows_of(again.stdout)], [row["class"] for row in bioft.rows_of(r.stdout)])
        self.bad(2, "predict", "--weights", trial / "checkpoint.safetensors", "--input", "x.npy", "--bits",
                 "--output", "y.npy", says="--bits is for hash codes")
        self.bad(2, "predict", "--weights", trial / "checkpoint.safetensors", "--input", "x.npy", "--backbone", "resnet18",
                 says="a checkpoint of 'lenet5'")

        # as a state dict, for torch: the network and nothing of the training
        r = self.good("weights", "convert", trial / "checkpoint.safetensors", "net.pth")
        self.assertIn("left out", r.stderr)
        state = torch.load(self.folder / "net.pth", weights_only=True)
        self.assertEqual(sorted(state), sorted(f"{n}.{k}" for n in ("conv1", "conv2", "fc1", "fc2", "fc3")
                                               for k in ("weight", "bias")))
        plain = self.good("predict", "--backbone", "lenet5", "--weights", "net.pth", "--input", "f.npy", "--quiet")
        self.assertEqual([(row["class"], row["probability"]) for row in bioft.rows_of(plain.stdout)],
                         [(row["class"], row["probability"]) for row in bioft.rows_of(again.stdout)])


class Training(Case):
    def test_line(self):
        """A run begins from a .pth and says in one line what is new."""
        torch.manual_seed(3)
        state = {}
        for name, shape in (("conv1", (6, 1, 5, 5)), ("conv2", (16, 6, 5, 5)), ("fc1", (120, 400)), ("fc2", (84, 120)),
                            ("fc3", (10, 84))):
            state[name + ".weight"] = torch.randn(shape) * 0.1
            state[name + ".bias"] = torch.zeros(shape[0])
        torch.save(state, self.folder / "lenet.pth")
        m = self.manifest("""\
bioft: 1
name: from-torch
dataset: {plugin: npy, root: data}
model: {backbone: lenet5, weights: lenet.pth}
stages:
  - {name: tune, rule: bp, loss: cross_entropy, optimizer: {name: adam, lr: 1e-3}, steps: 2, batch_size: 16}
""")
        said = "lenet.pth: 8 tensors; new: fc3.weight, fc3.bias: 4 classes, the file has 10"
        self.assertIn(said, self.good("check", m).stderr)
        r = self.good("run", m, "--out", "out")
        self.assertIn(said, r.stderr)
        del state["conv2.bias"]
        torch.save(state, self.folder / "lenet.pth")
        self.bad(2, "check", m, says="conv2.bias is missing")
        self.bad(1, "run", m, "--out", "other", says="conv2.bias is missing")


if __name__ == "__main__":
    if torch is None:
        if os.environ.get("BIOFT_TEST_OFFLINE") == "1":
            sys.exit(77)
        sys.exit("no torch for this Python: apt-get install python3-torch python3-torchvision")
    torch.set_num_threads(2)
    unittest.main()
