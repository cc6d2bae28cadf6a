"""What bioft reads of a published layout is what the reader reads that people have: its arrays, saved for the dataset npy, are
the same data (sha256 is of pixels and labels)."""
import shutil
import sys
import unittest

import numpy as np

import bioft
import test_datasets

sys.path.insert(0, str(bioft.SOURCE / "tests/fixtures"))
import make  # noqa: E402

try:
    import torchvision
except ImportError:
    torchvision = None
try:
    import medmnist
except ImportError:
    medmnist = None


class Readers(test_datasets.Datasets):
    def same(self, plugin, splits, more="", loss="cross_entropy"):
        """splits: {split: (images, labels)} of the other reader."""
        mine = self.splits(plugin, more, out="mine", steps=0, loss=loss)
        shutil.rmtree(self.folder / "data")
        (self.folder / "data").mkdir()
        for split, (images, labels) in splits.items():
            np.save(self.folder / f"data/{split}_images.npy", np.ascontiguousarray(images))
            np.save(self.folder / f"data/{split}_labels.npy", np.asarray(labels))
        theirs = self.splits("npy", out="theirs", steps=0, loss=loss)
        self.assertEqual(set(mine), set(theirs))
        for split in splits:
            self.assertEqual(mine[split]["sha256"], theirs[split]["sha256"], split)

    @unittest.skipUnless(torchvision, "no torchvision")
    def test_cifar(self):
        for plugin, maker, reader in (("cifar10", "cifar10_python", "CIFAR10"), ("cifar100", "cifar100_python", "CIFAR100")):
            with self.subTest(plugin):
                shutil.rmtree(self.folder / "data", ignore_errors=True)
                for old in ("mine", "theirs"):
                    shutil.rmtree(self.folder / old, ignore_errors=True)
                self.make(maker)
                # The sums that torchvision holds files against are those of the release.
                kind = type(reader, (getattr(torchvision.datasets, reader),),
                            {"_check_integrity": lambda self: True, "meta": dict(
                                getattr(torchvision.datasets, reader).meta, md5=None)})
                data = {s: kind(self.folder / "data", train=s == "train") for s in ("train", "test")}
                self.same(plugin, {s: (d.data, np.array(d.targets)) for s, d in data.items()})

    @unittest.skipUnless(medmnist, "no medmnist")
    def test_medmnist(self):
        self.make("npz")
        data = {s: medmnist.PathMNIST(s, root=str(self.folder / "data")) for s in ("train", "val", "test")}
        self.same("npz", {s: (d.imgs, d.labels) for s, d in data.items()})


def load_tests(loader, tests, pattern):
    """Those of the class above alone, and not what it inherits."""
    return unittest.TestSuite(Readers(name) for name in vars(Readers) if name.startswith("test_"))


if __name__ == "__main__":
    unittest.main()
