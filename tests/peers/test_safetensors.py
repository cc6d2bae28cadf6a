"""The reference reader of safetensors opens our checkpoints."""
import unittest

from safetensors.numpy import load_file

import bioft
from test_run import tensors


class Safetensors(bioft.Case):
    def test_checkpoint(self):
        m = self.manifest(bioft.MANIFEST.replace("[bp, usf, brsf]", "[frsf]"))
        self.good("run", m, "--out", "out", "--quiet", "--set", "attacks=[]")
        path = self.folder / "out/trials/00-rule=frsf/checkpoint.safetensors"
        ours, theirs = tensors(path), load_file(path)
        self.assertEqual(set(ours), set(theirs))
        for name, value in theirs.items():
            self.assertEqual(value.tobytes(), ours[name], name)
        self.assertEqual(theirs["conv2.weight"].shape, (16, 6, 5, 5))


if __name__ == "__main__":
    unittest.main()
