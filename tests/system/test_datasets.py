"""Every dataset on a miniature in its own format: which images are in which split, their labels, two steps of training, and
what is said of files that are wrong. The miniatures are made from the formats' documentation (tests/fixtures/make.py)."""
import csv
import hashlib
import importlib.util
import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import unittest

import numpy as np

import bioft

sys.path.insert(0, str(bioft.SOURCE / "tests/fixtures"))
import make  # noqa: E402

SMALL = "{plugin: lenet5, channels: 3}"


def fingerprint(names):
    """As provenance.json has it: the first 16 hex digits of a SHA-256 over the count and the names, each on a line."""
    text = f"{len(names)}\n" + "".join(n + "\n" for n in names)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Datasets(bioft.Case):
    def make(self, maker, **options):
        return getattr(make, maker)(self.folder / "data", **options)

    def text(self, plugin, more="", loss="cross_entropy", steps=2, backbone=SMALL):
        return (f"bioft: 1\nname: x\ndataset: {{plugin: {plugin}, root: data, transform: {{size: 32}}{more}}}\n"
                f"model: {{backbone: {backbone}}}\nstages:\n"
                f"  - {{name: s, rule: usf, loss: {loss}, steps: {steps}, batch_size: 8}}\n")

    def splits(self, plugin, more="", out="out", **text):
        """Checks, runs, and says of each split its count, fingerprint and what was left out."""
        path = self.manifest(self.text(plugin, more, **text), data=False)
        self.good("check", path)
        self.messages = self.good("run", path, "--out", out).stderr
        entries = json.loads((self.folder / out / "provenance.json").read_text())["datasets"]
        return {e["split"]: e for e in entries}

    def predicted(self, out="out"):
        [path] = (self.folder / out).glob("trials/*/predictions/s.test.csv")
        with open(path, newline="") as f:
            return [int(row["label"]) for row in csv.DictReader(f)]

    def same_split(self, entry, rows):
        self.assertEqual(entry["count"], len(rows))
        self.assertEqual(entry["fingerprint"], fingerprint([name for name, _ in rows]))

    def whole(self, plugin, published, more="", out="out", **text):
        """The published splits, with the labels of test."""
        found = self.splits(plugin, more, out, **text)
        for split, rows in published.items():
            self.same_split(found[split], rows)
        self.assertEqual(self.predicted(out), [row[1][0] for row in published["test"]])
        return found

    def refused(self, plugin, says, more="", **text):
        """Status 2 where the data is wrong, 1 where it cannot be read."""
        r = bioft.run("check", self.manifest(self.text(plugin, more, **text), data=False), cwd=self.folder)
        self.assertIn(r.returncode, (1, 2), r.stdout + r.stderr)
        for part in [says] if isinstance(says, str) else says:
            self.assertIn(part, r.stderr)
        return r

    def conformance(self, plugin, says):
        """What the conformance run says of wrong data, which takes no engine."""
        [path] = (pathlib.Path(bioft.BIOFT).resolve().parents[2] / "plugins").glob(f"datasets/{plugin}.so")
        r = bioft.run("plugin", "test", path, "--root", "data", cwd=self.folder)
        self.assertNotEqual(r.returncode, 0)
        for part in says:
            self.assertIn(part, r.stdout + r.stderr)

    # --- classification

    def test_fashion_mnist(self):
        self.whole("fashion_mnist", self.make("fashion_mnist"), backbone="lenet5")

    def test_cifar10(self):
        self.whole("cifar10", self.make("cifar10"))

    def test_cifar10_folders(self):
        published = self.make("cifar10_folders")
        self.whole("cifar10", published)
        found = self.splits("cifar10", ", protocol: retrieval, train_per_class: 5, val_per_class: 2, test_per_class: 3",
                            out="retrieval")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [50, 30])

    def test_cifar100(self):
        self.whole("cifar100", self.make("cifar100"))

    def test_cifar_python(self):
        """The Python release has what the binary one has."""
        for plugin in ("cifar10", "cifar100"):
            binary = self.whole(plugin, self.make(plugin), out=plugin)
            shutil.rmtree(self.folder / "data")
            python = self.whole(plugin, self.make(plugin + "_python"), out=plugin + "_python")
            self.assertEqual(python, binary)
        path = self.folder / "data/cifar-100-python/train"
        whole = path.read_bytes()
        for text, says in [(whole.replace(b"cnumpy\nndarray\n", b"cposix\nsystem\n"), "global posix.system not allowed"),
                           (whole.replace(b"data", b"dada"), "'data' is not an array of uint8 [n,3072]"),
                           (whole.replace(b"coarse_labels", b"coarse_labelz"), "'coarse_labels' is not a list of 300 labels")]:
            path.write_bytes(text)
            self.refused("cifar100", ["cifar-100-python/train: ", says])

    def test_image_folder(self):
        published = self.make("image_folder")
        self.whole("image_folder", published, backbone="{plugin: mlp, channels: 3, hidden: [16]}")

    def test_plain_folder(self):
        """Folders of classes and nothing else: the manifest makes the splits."""
        rows = self.make("image_folder")["train"]
        (self.folder / "data").rename(self.folder / "old")
        shutil.copytree(self.folder / "old/train", self.folder / "data")
        self.refused("image_folder", "no split 'test'")
        found = self.splits("image_folder", ", split: {test: 0.25, val: 0.25}")
        n = len(rows)
        self.assertEqual([found[s]["count"] for s in ("test", "val")], [round(n / 4)] * 2)
        self.assertEqual(sum(found[s]["count"] for s in ("train", "test", "val")), n)
        self.assertIn("are classes, and all images are for training but what 'split' takes", self.messages)
        again = self.splits("image_folder", ", split: {test: 0.25, val: 0.25}", out="again")
        self.assertEqual(again, found)
        self.refused("image_folder", "nothing is left to train with", ", split: {test: 0.5, val: 0.5}")

    def test_npy(self):
        self.whole("npy", self.make("npy"))

    def test_npz(self):
        """MedMNIST's layout, stored and deflated; Keras's; and data that comes whole."""
        published = self.make("npz")
        found = self.whole("npz", published, backbone="lenet5")
        self.assertEqual(self.whole("npz", self.make("npz", compressed=False), out="stored", backbone="lenet5"), found)
        path = self.folder / "data/pathmnist.npz"
        arrays = dict(np.load(path))
        np.savez(path, **{f"{'xy'[k]}_{s}": arrays[f"{s}_{part}"] for s in published for k, part in enumerate(("images", "labels"))})
        self.assertEqual(self.whole("npz", published, out="keras", backbone="lenet5"), found)
        np.savez(path, images=arrays["train_images"], labels=arrays["train_labels"])
        parts = self.splits("npz", ", split: {test: 0.2, val: 0.1}", out="split", backbone="lenet5")
        self.assertEqual({s: parts[s]["count"] for s in parts}, {"train": 63, "val": 9, "test": 18})
        for part in ("images", "labels"):
            np.save(self.folder / f"data/{part}.npy", arrays[f"train_{part}"])
        same = self.splits("npy", ", split: {test: 0.2, val: 0.1}", out="npy", backbone="lenet5")
        self.assertEqual({s: same[s]["sha256"] for s in same}, {s: parts[s]["sha256"] for s in parts})
        for save, says in [(lambda: np.savez(path, images=arrays["train_images"]), "labels: missing; a split needs"),
                           (lambda: np.savez(path, test_images=arrays["test_images"], test_labels=arrays["val_labels"]),
                            "pathmnist.npz: test_labels: the counts differ: 18 labels for 27 images"),
                           (lambda: np.savez(path, a=arrays["test_images"]), "pathmnist.npz: none of the arrays"),
                           (lambda: shutil.copy(path, path.with_name("b.npz")), "2 .npz files in it: name one with 'file'")]:
            save()
            self.refused("npz", says, backbone="lenet5")
        published = self.make("npz", several=True, classes=5)
        self.splits("npz", ", file: pathmnist.npz", out="several", loss="binary_cross_entropy", backbone="lenet5")
        self.kept("npz", published["test"], "test", ", file: pathmnist.npz", [2], backbone="lenet5")

    LISTS = ", train_list: train.csv, test_list: test.txt"

    def test_image_lists(self):
        published = self.make("image_lists")
        self.whole("image_lists", published, self.LISTS)
        parts = self.splits("image_lists", ", train_list: train.csv, split: {test: 0.25}", out="split")
        self.assertEqual({s: parts[s]["count"] for s in parts}, {"train": 27, "test": 9})
        rows = published["train"]
        for split in ("train", "test"):             # numbers, blanks, no header
            (self.folder / f"{split}.txt").write_text("".join(f"{n} {c}\n" for n, [c] in published[split]))
        self.whole("image_lists", published, self.LISTS.replace("csv", "txt"), out="numbers")
        first = rows[0][0]
        for text, says in [
                (f"{first},1,2\n", "train.csv:1: expected a path and a label"), (f'"{first},1\n', "train.csv:1: expected"),
                (f"{first},1\n./{first},1\n", ["train.csv:2: the same image as in line 1", "split 'train'"]),
                (f"{published['test'][0][0]},class 1\n", ["test.txt:1: the same image as in line 1", "split 'train'"]),
                (f"{first},class 9\n", ["test.txt:1: class 'class 2'", "split 'train'"]),
                ("../a.jpg,1\n", ["train.csv:1: ", "leaves the root"])]:
            with self.subTest(text):
                (self.folder / "train.csv").write_text(text)
                (self.folder / "test.txt").write_text("".join(f"{n}\tclass {c}\n" for n, [c] in published["test"]))
                self.refused("image_lists", says, self.LISTS)
        self.refused("image_lists", "no list given")

    def test_tiny_imagenet(self):
        self.whole("tiny_imagenet", self.make("tiny_imagenet"))
        self.assertIn("not the whole Tiny ImageNet: 20 images for training and 12 for testing", self.messages)
        path = self.folder / "data/tiny-imagenet-200/val/val_annotations.txt"
        for text, says in [("val_0.JPEG\tn99999999\t0\n", ":1: class 'n99999999' is not in wnids.txt"),
                           ("../x.JPEG\tn01440764\t0\n", "leaves the root")]:
            path.write_text(text)
            self.refused("tiny_imagenet", ["val_annotations.txt", says])

    def evaluated(self, plugin, more, out):
        """No training: the network as it is on the one split."""
        text = self.text(plugin, more).split("stages:")[0] + "stages: []\nattacks: [{plugin: fgsm, epsilon: 0.1}]\n"
        path = self.manifest(text, data=False)
        self.good("run", path, "--out", out)
        [entry] = json.loads((self.folder / out / "provenance.json").read_text())["datasets"]
        return entry

    def test_corrupted(self):
        made = self.make("cifar_c")
        found = self.evaluated("cifar_c", ", corruption: fog, severity: 5", "fog5")
        np.save(self.folder / "data/test_images.npy", made["fog"][5])
        np.save(self.folder / "data/test_labels.npy", made["labels"])
        self.assertEqual(self.evaluated("npy", "", "npy5")["sha256"], found["sha256"])
        self.refused("cifar_c", "no snow.npy nor CIFAR-10-C/snow.npy", ", corruption: snow")
        np.save(self.folder / "data/CIFAR-10-C/labels.npy", np.zeros(99, np.uint8))
        self.refused("cifar_c", "labels.npy: not the images or labels of 5 severities", ", corruption: fog")
        shutil.rmtree(self.folder / "data")
        made = self.make("imagenet_c")
        self.same_split(self.evaluated("imagenet_c", ", corruption: snow, severity: 5", "snow5"), made["snow", 5])
        self.refused("imagenet_c", "no folder frost/1 in it", ", corruption: frost")

    def test_mean_corruption_error(self):
        """A stage that trains nothing measures the network of the one before on each corruption; Python's reader sums up."""
        spec = importlib.util.spec_from_file_location("bioft_reader", bioft.SOURCE / "python/bioft/__init__.py")
        reader = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(reader)
        self.make("cifar10")
        make.cifar_c(self.folder / "c")
        path = self.manifest(
            "bioft: 1\nname: x\nengine: openblas\ndataset: {plugin: cifar10, root: data, transform: {size: 32}}\n"
            f"model: {{backbone: {SMALL}}}\nstages:\n  - {{name: fit, rule: bp, loss: cross_entropy, steps: 2, batch_size: 8}}\n"
            "  - {name: corrupted, rule: bp, steps: 0, head: {reuse: true}, dataset: {plugin: cifar_c, root: c, corruption: fog,\n"
            "     transform: {size: 32}}}\nattacks: [{plugin: fgsm, epsilon: 8/255, gradient: exact}]\nsweep:\n"
            "  stages.corrupted.dataset.severity: [1, 5]\n  stages.corrupted.dataset.corruption: [fog, jpeg_compression]\n", data=False)
        self.good("run", path, "--out", "out")
        rows = [r for r in bioft.rows(self.folder / "out/results.csv") if r["stage"] == "corrupted" and not r["attack"]]
        self.assertEqual([r["n"] for r in rows], ["20"] * 4)
        with self.assertRaisesRegex(LookupError, "rule 'bp' lacks 71 of 75"):
            reader.corruption_errors(self.folder / "out", "corrupted")
        columns = ["stage", "metric", "split", "attack", "gradient", "epsilon", "value", "rule", "stages.fit.rule.plugin",
                   "stages.corrupted.dataset.corruption", "stages.corrupted.dataset.severity"]
        with open(self.folder / "out/results.csv", "w", newline="") as f:
            table = csv.writer(f)
            table.writerow(columns)
            for rule, error in (("bp", 0.4), ("usf", 0.3)):
                for k, name in enumerate(make.CORRUPTIONS + ["saturate"]):
                    for severity in range(1, 6):
                        wrong = 1.0 if name == "saturate" else error + 0.1 * (k == 0) * (rule == "usf")
                        table.writerow(["corrupted", "accuracy", "test", "", "", "", 1 - wrong, "bp", rule, name, severity])
                        table.writerow(["corrupted", "accuracy", "test", "pgd", "exact", "0.1", 0.2, "bp", rule, name, severity])
        found = reader.corruption_errors(self.folder / "out", "corrupted")
        self.assertAlmostEqual(found["bp"]["mce"], 1)
        self.assertAlmostEqual(found["usf"]["corruptions"]["gaussian_noise"], 1)
        self.assertAlmostEqual(found["usf"]["mce"], (1 + 14 * 0.75) / 15)
        self.assertAlmostEqual(found["usf"]["error"], (0.4 + 14 * 0.3) / 15)
        self.assertAlmostEqual(found["usf"]["robust"]["pgd", "exact", 0.1], 0.2)

    def test_webdataset(self):
        made = self.make("webdataset")
        found = self.splits("webdataset")
        self.assertEqual(self.predicted(), [c for c, _ in made["test"]])
        self.assertEqual({s: found[s]["count"] for s in found}, {s: len(rows) for s, rows in made.items()})
        for split, rows in made.items():            # the same images as files
            for i, (c, data) in enumerate(rows):
                path = self.folder / f"files/{split}/{c}/{i:03d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        (self.folder / "data").rename(self.folder / "shards")
        (self.folder / "files").rename(self.folder / "data")
        files = self.splits("image_folder", out="files")
        self.assertEqual(files["test"]["count"], found["test"]["count"])
        shutil.rmtree(self.folder / "data")
        (self.folder / "shards").rename(self.folder / "data")
        path = self.folder / "data/test-000000.tar"
        whole = path.read_bytes()
        for text, says in [(whole[:1000], "cut short"), (b"x" * 2048, "sum differs"), (b"", "cut short")]:
            path.write_bytes(text)
            self.conformance("webdataset", ["test-000000.tar: tar: ", says])
        for members, says in [([("a.jpg", b"1")], "sample 'a' has no class"), ([("a.cls", b"x")], "a.cls: not a class's number"),
                              ([("a.jpg", b"1"), ("a.png", b"2"), ("a.cls", b"1")], "a.png: a second image of one sample"),
                              ([("a.json", b'{"label": 1}'), ("a.cls", b"2")], "a.cls: another class"),
                              ([("a.json", b"[" * 40000 + b"]" * 40000), ("a.jpg", b"1")], "a.json: a label of more than 64 KiB"),
                              ([("a.json", b"[" * 4000 + b"]" * 4000), ("a.jpg", b"1")], "sample 'a' has no class")]:
            with tarfile.open(path, "w") as tar:
                for name, data in members:
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            self.conformance("webdataset", ["test-000000.tar: ", says])
        path.unlink()
        (self.folder / "data/train-000000.tar").rename(self.folder / "data/shard.tar")
        (self.folder / "data/train-000001.tar").unlink()
        parts = self.splits("webdataset", ", split: {test: 0.25}", out="split")
        self.assertEqual({s: parts[s]["count"] for s in parts}, {"train": 9, "test": 3})

    def test_imagenet(self):
        for truth in ("folders", "map_clsloc", "meta_mat", "csv"):
            with self.subTest(truth):
                shutil.rmtree(self.folder / "data", ignore_errors=True)
                published = self.make("imagenet", truth=truth)
                found = self.splits("imagenet", out=truth)
                for split, rows in published.items():
                    self.same_split(found[split], rows)
                self.assertEqual(self.predicted(truth), [row[1][0] for row in published["test"]])
                self.assertIn("not the whole ILSVRC 2012", self.messages)

    def test_imagenet_in_parts(self):
        published = self.make("imagenet", truth="csv")
        (self.folder / "data/ILSVRC/Data/CLS-LOC").mkdir(parents=True)
        for part in ("train", "val"):
            (self.folder / "data" / part).rename(self.folder / "data/ILSVRC/Data/CLS-LOC" / part)
        found = self.splits("imagenet", ", val_per_class: 2")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [40, 40])
        self.same_split(found["test"], [("ILSVRC/Data/CLS-LOC/" + n, c) for n, c in published["test"]])
        # Without the training images the classes are those of the ground truth.
        shutil.rmtree(self.folder / "data/ILSVRC/Data/CLS-LOC/train")
        m = self.manifest("bioft: 1\nname: x\ndataset: {plugin: imagenet, root: data, transform: {size: 32}}\n"
                          f"model: {{backbone: {SMALL}}}\nstages: []\nattacks: [{{plugin: fgsm, epsilon: 0.1}}]\n", data=False)
        self.good("check", m)

    def test_imagenet_wrong(self):
        self.make("imagenet")
        kit = self.folder / "data/ILSVRC2012_devkit_t12/data"
        truth, ids = kit / "ILSVRC2012_validation_ground_truth.txt", kit / "map_clsloc.txt"
        good_truth, good_ids = truth.read_text(), ids.read_text()
        lines = good_truth.splitlines()
        for text, says in [
                ("\n".join(lines[:-1]) + "\n", ["ends after 39 images", "ILSVRC2012_val_00000040.JPEG"]),
                (good_truth.replace("\n", "\n0\n", 1), ["ground_truth.txt:2:", "'0' is not an id"]),
                ("1001\n" + good_truth, ["ground_truth.txt:1:", "'1001'"]),
                (good_truth.replace("\n", "\nx\n", 1), ["ground_truth.txt:2:", "'x'"]),
                (good_truth.replace("\n", "\n\n", 1), ["ground_truth.txt:2:"]),
                ("11\n" + good_truth, ["ground_truth.txt:1:", "id 11 is that of no class"]),
                ("1\n" * 51, ["ground_truth.txt:51:", "more than the 50 images"])]:
            truth.write_text(text)
            self.refused("imagenet", says)
        truth.write_text(good_truth)
        first, second = good_ids.splitlines()[:2]
        ids.write_text(f"{first}\n{second.split()[0]} {first.split()[1]} again\n")
        self.refused("imagenet", ["map_clsloc.txt:2:", "for a second class"])
        ids.unlink()
        self.refused("imagenet", ["meta.mat or map_clsloc.txt", "LOC_val_solution.csv", "val/WNID/"])
        (kit / "meta.mat").write_bytes(b"MATLAB 5.0".ljust(124) + b"\0\1IM" + b"\x0f\0\0\0\x05\0\0\0abcde")
        self.refused("imagenet", ["meta.mat", "synsets"])
        shutil.rmtree(kit.parent)
        self.refused("imagenet", ["ILSVRC2012_devkit_t12.tar.gz", "https://image-net.org"])
        shutil.rmtree(self.folder / "data/val")
        self.refused("imagenet", ["no folder val", "ILSVRC2012_img_val.tar"])

    def test_imagenet_meta_mat_cut_anywhere(self):
        self.make("imagenet", classes=4, train=2, val=1, truth="meta_mat")
        kit = self.folder / "data/ILSVRC2012_devkit_t12/data"
        names = make.wnids(4)
        make.meta_mat(kit / "meta.mat", names, make.ilsvrc_ids(names), compressed=False)
        self.splits("imagenet")
        whole = (kit / "meta.mat").read_bytes()
        for size in (0, 60, 127, 128, 131, 200, 300, len(whole) // 2, len(whole) - 9):
            (kit / "meta.mat").write_bytes(whole[:size])
            self.refused("imagenet", "meta.mat")

    def test_imagenet100(self):
        published = self.make("imagenet100")
        found = self.splits("imagenet100")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [400, 200])
        self.assertIn("100 classes drawn by split_seed", self.messages)
        drawn = self.messages.split("SHA-256 of their list ")[1].split("\n")[0]
        total, names = drawn.split(": ")
        names = names.split()
        self.assertEqual(names, sorted(set(names) & set(make.wnids(104))))
        self.assertEqual(len(names), 100)
        self.assertEqual(total, hashlib.sha256("\n".join(names).encode()).hexdigest())
        self.same_split(found["train"], [r for r in published["train"] if r[0].split("/")[1] in names])
        other = self.splits("imagenet100", ", split_seed: 5", out="other")
        self.assertNotEqual(other["train"]["fingerprint"], found["train"]["fingerprint"])

    def test_photographs_kept_resized(self):
        """Whatever `cache` says, and in the run that makes it as in the next: the same results, byte for byte. A broken
        image is left out each time; a file that is cut, or is something else, is rebuilt, and that is reported."""
        def run(out, cache):
            text = self.text(plugin, f", cache: {cache}").replace(
                "{size: 32}", "{size: 32, resize: 36, train: random_crop, flip: true}")
            said = self.good("run", self.manifest(text, data=False), "--out", out).stderr
            self.assertIn("1 broken image left out", said)
            self.assertIn(broken.name, said)
            if out != "off":
                self.same_files(self.folder / "off", self.folder / out)
            return said

        for plugin in ("image_folder", "imagenet", "imagenet100"):
            with self.subTest(plugin):
                for old in ("data", "off", "kept"):
                    shutil.rmtree(self.folder / old, ignore_errors=True)
                self.make(plugin)
                broken = sorted(p for p in (self.folder / "data/train").rglob("*") if p.is_file())[3]
                broken.write_bytes(broken.read_bytes()[:200])
                run("off", "off")
                run(f"{plugin}-auto", "auto")
                run(f"{plugin}-first", "kept")
                kept = {s: next((self.folder / "kept").glob(f"{plugin}-{s}-*.resized")) for s in ("train", "test")}
                made = {s: p.stat().st_mtime_ns for s, p in kept.items()}
                self.assertNotIn("the cache is rebuilt", run(f"{plugin}-second", "kept"))
                self.assertEqual(made, {s: p.stat().st_mtime_ns for s, p in kept.items()})
                whole = kept["train"].read_bytes()
                kept["train"].write_bytes(whole[:-1000])
                kept["test"].write_bytes(b"<html>no images here</html>")
                said = run(f"{plugin}-again", "kept")
                self.assertIn(f"{kept['train'].name}: damaged", said)
                self.assertIn(f"{kept['test'].name}: no cache of this version", said)
                self.assertEqual(kept["train"].read_bytes(), whole)

    def test_what_is_left_out_is_told_once_and_logged_by_name(self):
        self.make("image_folder")
        broken = sorted((self.folder / "data/train").rglob("*.jpg"))[:7] + sorted((self.folder / "data/test").rglob("*.jpg"))[:1]
        for path in broken:
            path.write_bytes(path.read_bytes()[:60])
        text = self.text("image_folder") + "sweep: {seed: [1, 2]}\n"
        for jobs in ("1", "2"):
            r = self.good("run", self.manifest(text, data=False), "--out", jobs, "--jobs", jobs, "--quiet")
            self.assertEqual(r.stderr.count("left out"), 1, r.stderr)
            self.assertIn("warning: dataset 'image_folder': 8 images left out (8 broken); each trial's log names them", r.stderr)
            rows = bioft.rows(self.folder / jobs / "results.csv")
            self.assertEqual({(row["left_out"], row["dropped"]) for row in rows}, {("1", "8")})
            logs = sorted((self.folder / jobs).glob("trials/*/log"))
            self.assertEqual(len(logs), 2)
            for log in logs:
                for path in broken:
                    self.assertIn(f"left out, broken: {path.relative_to(self.folder / 'data')}\n", log.read_text())

    def test_imagenet100_retrieval(self):
        self.make("imagenet100")
        found = self.splits("imagenet100", ", protocol: retrieval, train_per_class: 2")
        self.assertEqual({s: e["count"] for s, e in found.items()}["train"], 200)
        self.assertEqual(found["test"]["count"], 100)
        self.refused("imagenet100", "the splits' options ask for 130", ", protocol: retrieval")

    def test_imagenet100_lists_of_classes(self):
        published = self.make("imagenet", truth="map_clsloc")
        names = make.wnids(10)
        order = [names[7], names[2], names[5]]
        of = {w: [r for r in published["train"] if w in r[0]] for w in order}
        found = self.splits("imagenet100", f", wnids: [{', '.join(order)}]")
        self.same_split(found["train"], [r for w in order for r in of[w]])
        labels = {7: 0, 2: 1, 5: 2}
        test = [(n, labels[c[0]]) for n, c in published["test"] if c[0] in labels]
        self.same_split(found["test"], test)
        self.assertEqual(self.predicted(), [c for _, c in test])
        (self.folder / "list.txt").write_text("# mine\r\n" + "\r\n".join(w + " a thing" for w in order))
        same = self.splits("imagenet100", ", wnid_file: list.txt", out="file")
        self.assertEqual(same["train"]["fingerprint"], found["train"]["fingerprint"])
        self.refused("imagenet100", ["2 of the classes named cannot be used", "n99999999 not there", f"{names[2]} twice"],
                     f", wnids: [{names[2]}, n99999999, {names[2]}]")
        (self.folder / "list.txt").write_text(f"{names[1]}\ncat\n")
        self.refused("imagenet100", ["list.txt:2:", "'cat' is not a wnid"], ", wnid_file: list.txt")
        self.refused("imagenet100", "10 classes are there, and 100 are to be drawn")

    def test_imagenet100_lists(self):
        published = self.make("imagenet", truth="map_clsloc")
        names = make.wnids(10)
        order = {3: 0, 8: 1}
        (self.folder / "lists").mkdir()
        wanted = {}
        for split, part, rows in (("train", "image", published["train"]), ("test", "val_image", published["test"])):
            wanted[split] = [r for r in rows if r[1][0] in order]
            (self.folder / f"lists/{split}.txt").write_text("".join(
                f"./data/{part}/{n.split('/')[-1]} " + " ".join(str(int(order[c[0]] == k)) for k in (0, 1)) + "\n"
                for n, c in wanted[split]))
        lists = ", lists: lists, strip_prefix: ./data"
        found = self.splits("imagenet100", lists)
        for split in wanted:
            self.same_split(found[split], wanted[split])
        self.assertEqual(self.predicted(), [order[c[0]] for _, c in wanted["test"]])
        # The same where the validation images lie in folders.
        for i, (name, [c]) in enumerate(published["test"]):
            (self.folder / "data/val" / names[c]).mkdir(exist_ok=True)
            (self.folder / "data" / name).rename(self.folder / "data/val" / names[c] / name.split("/")[-1])
        found = self.splits("imagenet100", lists, out="folders")
        self.same_split(found["test"], [(f"val/{names[c[0]]}/{n.split('/')[-1]}", c) for n, c in wanted["test"]])
        (self.folder / "lists/train.txt").write_text(f"image/{names[3]}_1.JPEG 1 1\n")
        self.refused("imagenet100", ["train.txt:1:", "2 ones"], lists)
        (self.folder / "lists/train.txt").write_text("image/cat.jpg 1 0\n")
        self.refused("imagenet100", ["train.txt:1:", "no image of this data"], lists)

    # --- several labels an image

    COUNTS = ", train_per_concept: 3, val_per_concept: 1, test_per_concept: 2"

    def kept(self, plugin, rows, split, more, classes, out="class", **text):
        """The labels of a split: with one class alone it has the images of that class."""
        for c in classes:
            found = self.splits(plugin, f"{more}, classes: [{c}]", out=f"{out}{c}", loss="binary_cross_entropy",
                                steps=0, **text)
            self.same_split(found[split], [r for r in rows if c in r[1]])

    def test_nus_wide(self):
        rows = self.make("nus_wide")["all"]
        found = self.splits("nus_wide", self.COUNTS, loss="binary_cross_entropy")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [63, 42])
        again = self.splits("nus_wide", self.COUNTS, loss="binary_cross_entropy", out="again")
        self.assertEqual(again, found)
        self.assertIn(f"split 'database': {sum(not r[1] for r in rows)} samples without a label left out", self.messages)
        (self.folder / "lists").mkdir()
        for split, part in (("train", rows[1:100]), ("test", rows[100:200]), ("database", rows[50:100] + rows[200:])):
            (self.folder / f"lists/{split}.txt").write_text("".join(
                f"./data/nus/{n} " + " ".join(str(int(c in labels)) for c in range(21)) + "\n" for n, labels in part))
        lists = ", lists: lists, strip_prefix: ./data/nus"
        found = self.splits("nus_wide", lists, loss="binary_cross_entropy", out="lists-out")
        self.same_split(found["train"], [r for r in rows[1:100] if r[1]])
        self.assertIn("images of train.txt are in database.txt too", self.messages)
        self.kept("nus_wide", rows[100:200], "test", lists, [0, 20])

    def test_nus_wide_all_concepts(self):
        """Those that have a file; with more than 64 a label takes two words."""
        rows = self.make("nus_wide")["all"]
        truth = self.folder / "data/Groundtruth/AllLabels"
        (truth / "Labels_zebra.txt").unlink()
        have = list(truth.iterdir())
        for i in range(70):
            (truth / f"Labels_zz{i:02d}.txt").write_text("".join(f"{int(k % 70 == i)}\n" for k in range(len(rows))))
        count = len(have) + 70
        found = self.splits("nus_wide", ", concepts: all, train_per_concept: 1, val_per_concept: 1, test_per_concept: 1",
                            loss="binary_cross_entropy")
        self.assertIn(f"the ground truth has {count} concepts, not 81", self.messages)
        self.assertEqual([found[s]["count"] for s in ("train", "test")], [count, count])

    def test_nus_wide_missing(self):
        rows = self.make("nus_wide")["all"]
        gone = [r for r in rows if r[1]][::20]
        for name, _ in gone:
            (self.folder / "data" / name).unlink()
        self.refused("nus_wide", [gone[0][0].split("/")[-1], "No such file"], self.COUNTS, loss="binary_cross_entropy")
        self.splits("nus_wide", self.COUNTS + ", missing: drop", loss="binary_cross_entropy")
        self.assertIn(f"{len(gone)} images with one of the 21 concepts are not there", self.messages)

    def test_nus_wide_wrong(self):
        self.make("nus_wide")
        truth = self.folder / "data/Groundtruth/AllLabels"
        lake, images = truth / "Labels_lake.txt", self.folder / "data/ImageList/Imagelist.txt"
        good, good_images = lake.read_text(), images.read_bytes()
        for text, says in [(good[:-2], "ends after 399 lines"), (good + "0\n", "Labels_lake.txt:401:"),
                           (good[:20] + "-1130179\n" + good[22:], ["Labels_lake.txt:11:", "'-1130179'"]),
                           ("2\n" + good[2:], ["Labels_lake.txt:1:", "'2'"])]:
            lake.write_text(text)
            self.refused("nus_wide", says, self.COUNTS)
        lake.unlink()
        self.refused("nus_wide", ["Labels_lake.txt", "missing", "Groundtruth/AllLabels"], self.COUNTS)
        lake.write_text(good)
        for line, says in [(b"..\\..\\etc\\passwd", "leaves the root"), (b"/etc/passwd", "absolute path"),
                           (b"a\0b.jpg", "NUL")]:
            images.write_bytes(line + b"\r\n" + good_images.split(b"\r\n", 1)[1])
            self.refused("nus_wide", ["Imagelist.txt:1:", says], self.COUNTS)
        images.unlink()
        self.refused("nus_wide", ["ImageList/Imagelist.txt", "NUS-WIDE page"], self.COUNTS)

    def test_lists_wrong(self):
        rows = self.make("nus_wide")["all"]
        (self.folder / "lists").mkdir()
        one = "Flickr/a.jpg 0 1 0\n"
        for text, says in [(one + "Flickr/b.jpg 0 1\n", ["train.txt:2:", "2 labels where the lines before have 3"]),
                           ("Flickr/b.jpg\n", ["train.txt:1:", "no labels"]), (one + one, ["train.txt:2:", "line 1"]),
                           (one + "x" * 2**20, ["train.txt:2:", "1048576 bytes"]),
                           ("Flickr/b.jpg 0 7 1\n", ["train.txt:1:", "'7' in column 2"]),
                           ("/etc/passwd 0 1 0\n", ["train.txt:1:", "strip_prefix"]),
                           ("../x.jpg 0 1 0\n", ["train.txt:1:", "leaves the root"]), ("", "no image in this list")]:
            (self.folder / "lists/train.txt").write_text(text)
            self.refused("nus_wide", says, ", lists: lists")
        (self.folder / "lists/train.txt").write_text(one)
        (self.folder / "lists/test.txt").write_text("Flickr/c.jpg 1 1 0\n" + one)
        self.refused("nus_wide", ["test.txt:2:", "train.txt too"], ", lists: lists")
        line = lambda k: rows[k][0] + " 0 1 1"                          # CRLF, and no end of the last line
        for k, split in enumerate(("train", "test")):
            (self.folder / f"lists/{split}.txt").write_text("\r\n".join(line(20 * k + i) for i in range(8)), newline="")
        found = self.splits("nus_wide", ", lists: lists", loss="binary_cross_entropy")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [8, 8])
        for split in ("train", "test"):                                 # a byte order mark, blanks in a name, empty ends
            path = self.folder / f"lists/{split}.txt"
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n\r\n \n")
        shutil.copy(self.folder / "data" / rows[0][0], self.folder / "data/Flickr/my  cat 1.jpg")
        with open(self.folder / "lists/train.txt", "ab") as f:
            f.write(b"Flickr/my  cat 1.jpg 1 0 1\n")
        self.refused("nus_wide", ["train.txt:9:", "an empty line"], ", lists: lists")
        path = self.folder / "lists/train.txt"
        path.write_bytes(path.read_bytes().replace(b"\r\n\r\n \n", b"\r\n"))
        found = self.splits("nus_wide", ", lists: lists", loss="binary_cross_entropy", out="blanks")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [9, 8])
        for split in ("train", "test"):
            (self.folder / f"lists/{split}.txt").unlink()
        self.refused("nus_wide", "none of the lists", ", lists: lists")

    def test_lists_and_links(self):
        """What the user links is followed, for the dataset and options name it; what a list names stays below the root."""
        rows = self.make("nus_wide")["all"]
        data, away = self.folder / "data", self.folder / "away"
        (self.folder / "lists").mkdir()
        for k, split in enumerate(("train", "test")):
            (self.folder / f"lists/{split}.txt").write_text("".join(f"{n} 0 1 1\n" for n, _ in rows[20 * k:20 * k + 8]))
        image = data / rows[3][0]
        image.rename(self.folder / "image.jpg")
        image.symlink_to(self.folder / "image.jpg")
        says = "a link leads out of the root"
        self.refused("nus_wide", ["train.txt:4:", says], ", lists: lists", loss="binary_cross_entropy")
        self.refused("nus_wide", ["Imagelist.txt:4:", says], self.COUNTS, loss="binary_cross_entropy")
        image.unlink()
        (self.folder / "image.jpg").rename(image)
        (data / "Flickr").rename(away)
        (data / "Flickr").symlink_to(away)
        self.refused("nus_wide", ["train.txt:1:", says], ", lists: lists", loss="binary_cross_entropy")
        self.good("check", self.manifest(self.text("nus_wide", self.COUNTS, loss="binary_cross_entropy"), data=False))
        (data / "Flickr").unlink()
        away.rename(data / "elsewhere")
        (data / "Flickr").symlink_to("elsewhere")
        self.good("check", self.manifest(self.text("nus_wide", ", lists: lists", loss="binary_cross_entropy"), data=False))

    def test_coco_links(self):
        parts = self.make("coco", train=20, val=12)
        (self.folder / "data/val2017").rename(self.folder / "away")
        (self.folder / "data/val2017").symlink_to(self.folder / "away")
        self.good("check", self.manifest(self.text("coco", loss="binary_cross_entropy"), data=False))
        image = self.folder / "away" / parts["val2017"][0][0].split("/")[1]
        image.rename(self.folder / "image.jpg")
        image.symlink_to(self.folder / "image.jpg")
        self.refused("coco", ["instances_val2017.json", "a link leads out of the root", "(at byte "], loss="binary_cross_entropy")

    COCO = ", protocol: retrieval, train_count: 40, val_count: 20, test_count: 30"

    def test_coco(self):
        parts = self.make("coco")
        labelled = [r for r in parts["val2017"] if r[1]]
        found = self.splits("coco", loss="binary_cross_entropy")
        self.same_split(found["train"], [r for r in parts["train2017"] if r[1]])
        self.same_split(found["test"], labelled)
        self.assertEqual(self.predicted(), [r[1][0] if len(r[1]) == 1 else -1 for r in labelled])
        self.kept("coco", labelled, "test", "", [0, 4, 9])
        found = self.splits("coco", self.COCO, loss="binary_cross_entropy", out="retrieval")
        self.assertEqual([found["train"]["count"], found["test"]["count"]], [40, 30])
        # Crowds are the third label of an image here.
        some = [(n, labels[:2]) for n, labels in labelled]
        self.kept("coco", some, "test", ", iscrowd: drop", [9], out="crowd")

    @unittest.skipIf("sanitize" in os.environ.get("BIOFT_BUILD", ""), "the shim comes before the sanitizer's runtime")
    def test_cut_while_read(self):
        """A file that is cut under its map is an error with its name, and no signal."""
        for plugin, name in (("cifar10", "data_batch_1.bin"), ("npy", "train_images.npy"), ("coco", "instances_val2017.json")):
            with self.subTest(plugin):
                shutil.rmtree(self.folder / "data", ignore_errors=True)
                self.make(plugin)
                loss = "binary_cross_entropy" if plugin == "coco" else "cross_entropy"
                path = self.manifest(self.text(plugin, loss=loss), data=False)
                r = bioft.run("check", path, cwd=self.folder, env={"LD_PRELOAD": os.environ["CUT_SHIM"], "CUT": name})
                self.assertIn(r.returncode, (1, 2), r.stdout + r.stderr)
                self.assertIn(name + ": cannot be read to its end: it was cut", r.stderr)

    def test_coco_2014(self):
        parts = self.make("coco")
        for part in ("train", "val"):
            (self.folder / f"data/{part}2017").rename(self.folder / f"data/{part}2014")
            path = self.folder / f"data/annotations/instances_{part}2017.json"
            path.rename(path.with_name(f"instances_{part}2014.json"))
        found = self.splits("coco", ", year: 2014", loss="binary_cross_entropy", steps=0)
        self.same_split(found["test"], [(n.replace("2017", "2014"), c) for n, c in parts["val2017"] if c])
        self.refused("coco", ["no folder train2017", "get train2017.zip"])

    def test_coco_lists(self):
        parts = self.make("coco")
        (self.folder / "lists").mkdir()
        for split, part, rows in (("train", "train", parts["train2017"][:30]), ("test", "val", parts["val2017"][:20])):
            (self.folder / f"lists/{split}.txt").write_text("".join(
                f"{part}2014/COCO_{part}2014_{n.split('/')[1]} " + " ".join(str(int(c in labels)) for c in range(10)) + "\n"
                for n, labels in rows))
        found = self.splits("coco", ", lists: lists", loss="binary_cross_entropy")
        self.same_split(found["train"], [r for r in parts["train2017"][:30] if r[1]])
        self.same_split(found["test"], [r for r in parts["val2017"][:20] if r[1]])

    def test_coco_wrong(self):
        self.make("coco", train=20, val=12)
        path = self.folder / "data/annotations/instances_val2017.json"
        good = path.read_text()
        data = json.loads(good)

        def edited(change):
            copy = json.loads(good)
            change(copy)
            return json.dumps(copy)

        first = data["images"][0]
        deep = good.replace('"info":', '"deep": ' + "[" * 10**5 + "]" * 10**5 + ', "info":', 1)
        cases = [
            (good[:len(good) // 2], "at byte"), (good[:-2], "at byte"), (good + "{}", "at byte"),
            (deep, "32 deep"), (edited(lambda d: d["images"][0].update(id="@")).replace('"@"', "1e400"), "'id' is not an integer"),
            (edited(lambda d: d["images"][0].update(id=9.0)), "'id' is not an integer"),
            (edited(lambda d: d["images"][0].update(id="9")), "'id' is not an integer"),
            (edited(lambda d: d["annotations"][0].update(image_id=999999)), "an annotation of image 999999"),
            (edited(lambda d: d["annotations"][0].update(category_id=12)), "an annotation of category 12"),
            (edited(lambda d: d["images"].append(dict(first, file_name="x.jpg"))), "a second image of id"),
            (edited(lambda d: d["images"].append(dict(first, id=10**6))), "same file_name"),
            (edited(lambda d: d["categories"].append({"id": 90, "name": "again"})), "a second category of id 90"),
            (edited(lambda d: first and d["images"][0].update(file_name="../x.jpg")), "plain name"),
            (edited(lambda d: d["images"][0].pop("id")), "an entry of 'images' without 'id'"),
            (edited(lambda d: d.update(annotations={})), "'annotations' is not an array"),
            (good.rstrip()[:-1] + ', "images": []}', "a second 'images'"),
            (edited(lambda d: d["annotations"][0].update(iscrowd=2)), "neither 0 nor 1"),
            (good.replace("thing 1", "thing \udcff1", 1), "UTF8"),
            (edited(lambda d: d["info"].update(x="y" * (2**20 + 1))), "1 MiB"),
            ("[]", "not a JSON object"), ("{}", "no 'images' in it"), ("", "instances_val2017")]
        for text, says in cases:
            with self.subTest(says):
                path.write_bytes(text.encode("utf-8", "surrogateescape"))
                r = self.refused("coco", ["instances_val2017.json", says])
                if says not in ("no 'images' in it", "instances_val2017"):
                    self.assertRegex(r.stderr, r"\(at byte \d+\)")
        for cut in range(0, len(good), len(good) // 40):
            path.write_text(good[:cut])
            self.refused("coco", "instances_val2017.json")
        path.write_text(good)
        path.rename(path.with_suffix(".x"))
        self.refused("coco", ["instances_val2017.json", "missing", "annotations_trainval2017.zip"])
        shutil.rmtree(self.folder / "data/val2017")
        self.refused("coco", ["no folder val2017", "https://cocodataset.org"])

    def test_missing(self):
        (self.folder / "data").mkdir()
        for plugin, says in [("imagenet", "ILSVRC2012_img_train.tar"), ("imagenet100", "ILSVRC2012_img_train.tar"),
                             ("nus_wide", "NUS-WIDE"), ("coco", "https://cocodataset.org"), ("cifar10", "cs.toronto.edu"),
                             ("cifar100", "cs.toronto.edu"), ("image_folder", "train/CLASS/NAME.jpg")]:
            self.refused(plugin, says)


if __name__ == "__main__":
    unittest.main()
